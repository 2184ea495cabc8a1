//! Tenants at the base domain: what operators see of them, and do with them.

mod export;
mod limits;
mod types;

use async_graphql::{Context, Error, Object};

use super::operators::{by, operator};
use super::{Platform, into_error};
use crate::error::Failure;
use crate::names::{DisplayName, MemberRole, NameError, Subdomain, SubdomainError};
use crate::registry::{Change, CopyName, Filter, Listing, NewTenant, Reason, TenantRef, Visit};
use crate::secret::Secret;
pub(crate) use export::ExportMutation;
pub(crate) use limits::LimitMutation;
use types::{
    CreateTenantInput, ManagedTenant, ManagedTenantConnection, ManagedTenantFilter,
    ManagedTenantOrder, PurgedTenant, SupportSession, SupportTenantInput,
};

#[derive(Default)]
pub(crate) struct TenantQuery;

#[Object]
impl TenantQuery {
    /// All tenants of the service. For operators.
    #[graphql(complexity = "50 + child_complexity")]
    async fn tenants(
        &self,
        context: &Context<'_>,
        filter: Option<ManagedTenantFilter>,
        order_by: Option<ManagedTenantOrder>,
        #[graphql(default = 50, validator(minimum = 1, maximum = 1000))] first: u16,
        after: Option<String>,
    ) -> Result<ManagedTenantConnection, Error> {
        operator(context).map_err(into_error)?;
        let order = order_by.unwrap_or_default();
        let filter = filter.map(Filter::from).unwrap_or_default();
        let listing = Listing {
            filter,
            sort: order.by,
            descending: order.descending,
            first,
            after,
        };
        let platform = context.data::<Platform>()?;
        let page = platform
            .registry
            .list_tenants(&listing)
            .await
            .map_err(into_error)?;
        Ok(ManagedTenantConnection::new(page, listing.filter))
    }

    /// One tenant, by its subdomain or id. For operators.
    #[graphql(complexity = "50 + child_complexity")]
    async fn tenant(&self, context: &Context<'_>, tenant: String) -> Result<ManagedTenant, Error> {
        operator(context).map_err(into_error)?;
        let tenant = TenantRef::parse(&tenant).map_err(into_error)?;
        let platform = context.data::<Platform>()?;
        let record = platform.registry.tenant_record(&tenant).await;
        Ok(record.map_err(into_error)?.into())
    }
}

#[derive(Default)]
pub(crate) struct TenantMutation;

/// Each of them takes an operator's token, and leaves an entry in the audit log.
#[Object]
impl TenantMutation {
    /// Makes a tenant and its owner, who has the password reset to log in for the first time. For operators.
    #[graphql(complexity = "300 + child_complexity")]
    async fn create_tenant(
        &self,
        context: &Context<'_>,
        input: CreateTenantInput,
    ) -> Result<ManagedTenant, Error> {
        let created = create(context, &input).await;
        created.map_err(into_error)
    }

    /// Gives a tenant another name. For operators.
    #[graphql(complexity = "50 + child_complexity")]
    async fn rename_tenant(
        &self,
        context: &Context<'_>,
        tenant: String,
        name: String,
    ) -> Result<ManagedTenant, Error> {
        let change = display_name(&name).map(Change::Rename);
        apply(context, &tenant, change).await.map_err(into_error)
    }

    /// Moves a tenant to another subdomain. For some days the old one redirects there, and is nobody else's. For operators.
    #[graphql(complexity = "50 + child_complexity")]
    async fn change_tenant_subdomain(
        &self,
        context: &Context<'_>,
        tenant: String,
        subdomain: String,
        #[graphql(default = 30)] redirect_days: u16,
    ) -> Result<ManagedTenant, Error> {
        let change = claim(&subdomain).map(|subdomain| Change::Move {
            subdomain,
            redirect_days,
        });
        apply(context, &tenant, change).await.map_err(into_error)
    }

    /// Has all requests to a tenant refused with `TENANT_SUSPENDED`, within a second. For operators.
    #[graphql(complexity = "50 + child_complexity")]
    async fn suspend_tenant(
        &self,
        context: &Context<'_>,
        tenant: String,
        reason: String,
    ) -> Result<ManagedTenant, Error> {
        let change = Reason::parse(&reason).map(Change::Suspend);
        apply(context, &tenant, change).await.map_err(into_error)
    }

    /// Lifts a suspension. For operators.
    #[graphql(complexity = "50 + child_complexity")]
    async fn resume_tenant(
        &self,
        context: &Context<'_>,
        tenant: String,
    ) -> Result<ManagedTenant, Error> {
        apply(context, &tenant, Ok(Change::Resume))
            .await
            .map_err(into_error)
    }

    /// Takes a tenant away from everybody; its data are kept, and it can be restored. For operators.
    #[graphql(complexity = "50 + child_complexity")]
    async fn delete_tenant(
        &self,
        context: &Context<'_>,
        tenant: String,
        #[graphql(default = 30)] keep_days: u16,
    ) -> Result<ManagedTenant, Error> {
        let change = Change::Delete { keep_days };
        apply(context, &tenant, Ok(change))
            .await
            .map_err(into_error)
    }

    /// Brings a deleted tenant back. For operators.
    #[graphql(complexity = "50 + child_complexity")]
    async fn restore_tenant(
        &self,
        context: &Context<'_>,
        tenant: String,
    ) -> Result<ManagedTenant, Error> {
        apply(context, &tenant, Ok(Change::Restore))
            .await
            .map_err(into_error)
    }

    /// Removes a deleted tenant for good: tables, role, and the people who belong nowhere else. For operators.
    #[graphql(complexity = "300 + child_complexity")]
    async fn purge_tenant(
        &self,
        context: &Context<'_>,
        tenant: String,
    ) -> Result<PurgedTenant, Error> {
        let by = by(context).map_err(into_error)?;
        let tenant = TenantRef::parse(&tenant).map_err(into_error)?;
        let platform = context.data::<Platform>()?;
        let purged = platform.registry.purge_tenant(&by, &tenant).await;
        Ok(purged.map_err(into_error)?.into())
    }

    /// Makes another tenant with the same rows and members, which then goes its own way. For operators.
    #[graphql(complexity = "300 + child_complexity")]
    async fn clone_tenant(
        &self,
        context: &Context<'_>,
        tenant: String,
        subdomain: String,
        name: Option<String>,
    ) -> Result<ManagedTenant, Error> {
        let copied = copy(context, &tenant, &subdomain, name.as_deref()).await;
        copied.map_err(into_error)
    }

    /// Lets the operator who asks into a tenant, for a time and a reason that its owner sees. For operators.
    #[graphql(complexity = "50 + child_complexity")]
    async fn support_tenant(
        &self,
        context: &Context<'_>,
        input: SupportTenantInput,
    ) -> Result<SupportSession, Error> {
        let entered = support(context, &input).await;
        entered.map_err(into_error)
    }
}

async fn apply(
    context: &Context<'_>,
    tenant: &str,
    change: Result<Change, Failure>,
) -> Result<ManagedTenant, Failure> {
    let by = by(context)?;
    let platform = platform(context)?;
    let tenant = TenantRef::parse(tenant)?;
    let record = platform
        .registry
        .change_tenant(&by, &tenant, &change?)
        .await?;
    platform.directory.look_again(record.id).await?;
    Ok(record.into())
}

async fn create(
    context: &Context<'_>,
    input: &CreateTenantInput,
) -> Result<ManagedTenant, Failure> {
    let by = by(context)?;
    let platform = platform(context)?;
    let password = match &input.owner_password {
        Some(password) => password.clone(),
        None => Secret::random("").as_str().to_owned(), // nobody knows it
    };
    let mut new = NewTenant::parse(
        &input.name,
        input.subdomain.as_deref(),
        &input.owner_name,
        &input.owner_email,
        &password,
    )?;
    new.by = Some(by);
    let migrations = platform.migrations.load_full();
    let made = platform.registry.sign_up(&migrations, new).await?;
    platform.directory.learn(made.tenant.clone());
    let record = platform
        .registry
        .tenant_record(&TenantRef::Id(made.tenant.id))
        .await?;
    Ok(record.into())
}

async fn copy(
    context: &Context<'_>,
    tenant: &str,
    subdomain: &str,
    name: Option<&str>,
) -> Result<ManagedTenant, Failure> {
    let by = by(context)?;
    let platform = platform(context)?;
    let tenant = TenantRef::parse(tenant)?;
    let copy = CopyName {
        name: name.map(display_name).transpose()?,
        subdomain: claim(subdomain)?,
    };
    let (registry, migrations) = (&platform.registry, platform.migrations.load_full());
    let made = registry
        .clone_tenant(&migrations, &by, &tenant, &copy)
        .await?;
    platform.directory.look_again(made.id).await?;
    Ok(made.into())
}

async fn support(
    context: &Context<'_>,
    input: &SupportTenantInput,
) -> Result<SupportSession, Failure> {
    let by = by(context)?;
    let platform = platform(context)?;
    let tenant = TenantRef::parse(&input.tenant)?;
    let visit = Visit {
        role: input.role.unwrap_or(MemberRole::Viewer),
        minutes: input.minutes.unwrap_or(30),
        reason: Reason::parse(&input.reason)?,
    };
    let entered = platform.registry.let_in(&by, &tenant, &visit).await?;
    Ok(SupportSession {
        access_token: entered.token.as_str().to_owned(),
        expires_at: entered.expires_at,
        url: platform.public_url.of_tenant(&entered.tenant.subdomain),
    })
}

fn platform<'c>(context: &Context<'c>) -> Result<&'c Platform, Failure> {
    let platform = context.data_opt::<Platform>();
    platform.ok_or_else(|| Failure::internal("the schema was built without the platform"))
}

fn display_name(text: &str) -> Result<DisplayName, Failure> {
    let wrong = |error: NameError| Failure::bad_input("name", error.to_string());
    DisplayName::parse(text).map_err(wrong)
}

fn claim(text: &str) -> Result<Subdomain, Failure> {
    let wrong = |error: SubdomainError| Failure::bad_input("subdomain", error.to_string());
    Subdomain::claim(text).map_err(wrong)
}
