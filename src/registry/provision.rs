//! Sign-up: a new tenant with all that belongs to it, in one transaction.

use std::sync::Arc;

use serde_json::json;
use tokio_postgres::Transaction;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::audit::Actor;
use super::known;
use super::lifecycle::By;
use super::new_tenant::{Content, NewTenant};
use super::password::{Hashing, NOBODYS};
use super::spares::Spare;
use super::tenant::{Tenant, TenantStatus};
use super::{Registry, RegistryError, retire};
use crate::error::{Code, Failure, postgres_reason};
use crate::limits::Overrides;
use crate::migrate::{self, MigrationError, Migrations, USERS_TABLE};
use crate::names::{
    DisplayName, EmailAddress, MemberRole, NameError, RoleName, SchemaName, Subdomain, TenantId,
    UserId,
};
use crate::sql::Ident;

/// A tenant that is ready, and its owner.
#[derive(Debug)]
pub(crate) struct SignedUp {
    pub(crate) tenant: Tenant,
    pub(crate) owner: UserId,
}

/// How often another name is tried when the one chosen was taken by somebody else in the same moment.
pub(super) const ATTEMPTS: usize = 3;

impl Registry {
    /// Makes a tenant: account, registry rows, role, schema, tables, seed and owner; all of it or none of it.
    ///
    /// Dropped or killed half-way, Postgres rolls back what there was.
    pub(crate) async fn sign_up(
        &self,
        migrations: &Migrations,
        new: NewTenant,
    ) -> Result<SignedUp, Failure> {
        let NewTenant {
            organization,
            subdomain,
            owner_name,
            email,
            password,
            content,
            by,
            request,
        } = new;
        let owner = UserId(Uuid::now_v7());
        // Beside the tables, as each takes some tens of milliseconds.
        let mut hashing = self.hasher.begin(password).await?;
        let applicant = Applicant {
            owner,
            organization,
            subdomain,
            owner_name,
            email,
            action: if by.is_some() {
                "createTenant"
            } else {
                "signUp"
            },
            by: by.unwrap_or(By {
                actor: Actor::User(owner, Some(MemberRole::Owner)),
                request,
            }),
        };
        let (mut attempts, mut naming) = (0, Naming::AfterSubdomain);
        loop {
            attempts += 1;
            let outcome = self.try_sign_up(migrations, &applicant, &mut hashing, content, naming);
            match outcome.await {
                Err(error) if error.is_name_collision() && attempts < ATTEMPTS => {
                    naming = Naming::AfterId;
                }
                outcome => return outcome.map_err(SignUpError::into_failure),
            }
        }
    }

    /// Makes the schema and the role of a registered tenant, whose tables have only what migrations put in.
    pub(super) async fn make_workspace(
        &self,
        transaction: &Transaction<'_>,
        migrations: &Migrations,
        tenant: &Tenant,
    ) -> Result<(), SignUpError> {
        let Tenant { schema, role, .. } = tenant;
        transaction
            .query_typed(
                "select tenantry.create_workspace($1, $2)",
                &[(&schema.as_str(), Type::TEXT), (&role.as_str(), Type::TEXT)],
            )
            .await?;
        furnish(transaction, migrations, schema, role, &self.users_table).await?;
        Ok(self.protect_views(transaction, schema).await?)
    }

    async fn try_sign_up(
        &self,
        migrations: &Migrations,
        applicant: &Applicant,
        hashing: &mut Hashing,
        content: Content,
        naming: Naming,
    ) -> Result<SignedUp, SignUpError> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await?;
        transaction
            .batch_execute("set local lock_timeout = '5s'; set local statement_timeout = '60s'")
            .await?;
        let spare = Self::take_spare(&transaction, migrations).await?;
        let tenant = register(&transaction, migrations, applicant, spare.as_ref(), naming).await?;
        if spare.is_none() {
            self.make_workspace(&transaction, migrations, &tenant)
                .await?;
        }
        move_in(&transaction, applicant, &tenant, &self.users_table).await?;
        fill(&transaction, migrations, &tenant, content).await?;
        let Applicant {
            by, action, email, ..
        } = applicant;
        let details = json!({"subdomain": tenant.subdomain.as_str(), "owner": email.as_str()});
        by.record(&transaction, tenant.id, action, details).await?;
        set_password(&transaction, applicant.owner, hashing).await?;
        transaction.commit().await?;
        if spare.is_none() {
            retire(connection);
        }
        self.spare_taken.notify_one();
        Ok(SignedUp {
            tenant,
            owner: applicant.owner,
        })
    }
}

/// What a schema and a role are called.
#[derive(Debug, Clone, Copy)]
enum Naming {
    /// So that people recognize them.
    AfterSubdomain,
    /// Which nobody else has: where several want the same name, one might lose again and again.
    AfterId,
}

/// The checked input, with ids and without the password.
struct Applicant {
    owner: UserId,
    organization: DisplayName,
    subdomain: Subdomain,
    owner_name: DisplayName,
    email: EmailAddress,
    by: By,
    action: &'static str,
}

/// Writes the registry's rows first: whoever comes second for a subdomain or an address waits here, and is told.
async fn register(
    transaction: &Transaction<'_>,
    migrations: &Migrations,
    applicant: &Applicant,
    spare: Option<&Spare>,
    naming: Naming,
) -> Result<Tenant, SignUpError> {
    let id = spare.map_or_else(|| TenantId(Uuid::now_v7()), |spare| spare.tenant);
    let wanted = match naming {
        Naming::AfterSubdomain => applicant.subdomain.workspace_name(),
        Naming::AfterId => id.workspace_name(),
    };
    let version = migrations.version();
    let row = transaction
        .query_typed_one(
            "with account as ( \
               insert into tenantry.accounts (id, email, name, password_hash) values ($1, $2, $3, $4) \
             ), tenant as ( \
               insert into tenantry.tenants (id, name, subdomain, schema_name, role_name, base_version, app_version, migrations) \
               select $5, $6, $7, coalesce($11, workspace), coalesce($12, workspace), $9, $10, $13 \
               from (select case when $11 is null then tenantry.free_name($8) end) as w (workspace) \
               returning schema_name, role_name, revision \
             ), membership as ( \
               insert into tenantry.memberships (account_id, tenant_id, role) values ($1, $5, 'owner') \
             ) \
             select schema_name, role_name, revision from tenant",
            &[
                (&applicant.owner.0, Type::UUID),
                (&applicant.email.as_str(), Type::TEXT),
                (&applicant.owner_name.as_str(), Type::TEXT),
                (&NOBODYS, Type::TEXT),
                (&id.0, Type::UUID),
                (&applicant.organization.as_str(), Type::TEXT),
                (&applicant.subdomain.as_str(), Type::TEXT),
                (&wanted, Type::TEXT),
                (&version.base, Type::INT4),
                (&version.app, Type::INT4),
                (&spare.map(|spare| spare.schema.as_str()), Type::TEXT),
                (&spare.map(|spare| spare.role.as_str()), Type::TEXT),
                (&version.digest, Type::INT8),
            ],
        )
        .await?;
    Ok(Tenant {
        id,
        name: applicant.organization.as_str().to_owned(),
        subdomain: applicant.subdomain.clone(),
        schema: SchemaName::parse(row.try_get::<_, String>(0)?)?,
        role: RoleName::parse(row.try_get::<_, String>(1)?)?,
        status: TenantStatus::Active,
        version,
        limits: Overrides::default(),
        over_quota: false,
        meter: Arc::default(),
        access_changed_at: None,
        domains: Vec::new(),
        revision: row.try_get(2)?,
    })
}

/// Makes the tables of a workspace: the service's own, then the app's.
pub(super) async fn furnish(
    transaction: &Transaction<'_>,
    migrations: &Migrations,
    schema: &SchemaName,
    role: &RoleName,
    users: &Ident,
) -> Result<(), SignUpError> {
    migrate::run(transaction, schema, &migrations.base).await?;
    let quoted = schema.quoted();
    if users.as_str() != USERS_TABLE {
        let rename = format!("alter table {quoted}.{USERS_TABLE} rename to {users}");
        transaction.batch_execute(&rename).await?;
    }
    migrate::run(transaction, schema, &migrations.app).await?;
    // The default privileges let the tenant's role at every table; what has been migrated is none of its business.
    let (base, app) = (migrations.base.history(), migrations.app.history());
    let role = role.quoted();
    let revoke = format!("revoke all on {quoted}.{base}, {quoted}.{app} from {role}");
    let known = known::record(transaction.client(), migrations);
    let outside = migrate::refuse_outside(transaction.client());
    let (revoked, known, outside) =
        tokio::join!(transaction.batch_execute(&revoke), known, outside);
    revoked.and(known)?;
    Ok(outside?)
}

/// Makes the owner the first user, and the user on whose behalf the seed is written.
async fn move_in(
    transaction: &Transaction<'_>,
    applicant: &Applicant,
    tenant: &Tenant,
    users: &Ident,
) -> Result<(), SignUpError> {
    let insert = format!(
        "insert into {}.{users} (id, email, name, role) values ($1, $2, $3, $4)",
        tenant.schema.quoted()
    );
    let role = MemberRole::Owner.as_str();
    // Triggers of the app find their tables, in a workspace made ahead too, where no migration has set the path.
    let path = format!("{}, extensions", tenant.schema.quoted());
    let (tenant, user) = (tenant.id.to_string(), applicant.owner.to_string());
    transaction
        .query_typed(
            "select set_config('search_path', $4, true), set_config('app.tenant_id', $1, true), \
             set_config('app.user_id', $2, true), set_config('app.role', $3, true)",
            &[
                (&tenant, Type::TEXT),
                (&user, Type::TEXT),
                (&role, Type::TEXT),
                (&path, Type::TEXT),
            ],
        )
        .await?;
    transaction
        .execute_typed(
            &insert,
            &[
                (&applicant.owner.0, Type::UUID),
                (&applicant.email.as_str(), Type::TEXT),
                (&applicant.owner_name.as_str(), Type::TEXT),
                (&role, Type::TEXT),
            ],
        )
        .await?;
    Ok(())
}

/// The account has none before.
async fn set_password(
    transaction: &Transaction<'_>,
    owner: UserId,
    hashing: &mut Hashing,
) -> Result<(), SignUpError> {
    let hash = hashing.hash().await;
    let hash = hash.map_err(|failure| SignUpError::Password(Box::new(failure)))?;
    transaction
        .execute_typed(
            "update tenantry.accounts set password_hash = $2 where id = $1",
            &[(&owner.0, Type::UUID), (&hash, Type::TEXT)],
        )
        .await?;
    Ok(())
}

async fn fill(
    transaction: &Transaction<'_>,
    migrations: &Migrations,
    tenant: &Tenant,
    content: Content,
) -> Result<(), SignUpError> {
    let subdomain = tenant.subdomain.as_str();
    let demo = (content == Content::Demo).then(|| migrations.demo(subdomain));
    for script in migrations.seed.iter().chain(demo.into_iter().flatten()) {
        migrate::run_script(transaction, &tenant.schema, script).await?;
    }
    Ok(())
}

#[derive(Debug, thiserror::Error)]
pub(super) enum SignUpError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("{}", postgres_reason(.0))]
    Postgres(#[from] tokio_postgres::Error),
    #[error(transparent)]
    Migration(#[from] MigrationError),
    #[error("bad name: {0}")]
    Name(#[from] NameError),
    #[error("the password could not be hashed")]
    Password(Box<Failure>),
}

impl SignUpError {
    /// Whether somebody else took the schema's or the role's name between our choice and our use of it.
    pub(super) fn is_name_collision(&self) -> bool {
        let Some(error) = self.database_error() else {
            return false;
        };
        match error.code() {
            code if *code == SqlState::DUPLICATE_OBJECT || *code == SqlState::DUPLICATE_SCHEMA => {
                true
            }
            code if *code == SqlState::UNIQUE_VIOLATION => matches!(
                error.constraint(),
                Some(
                    "tenants_schema_name_key"
                        | "tenants_role_name_key"
                        | "pg_authid_rolname_index"
                        | "pg_namespace_nspname_index"
                )
            ),
            _ => false,
        }
    }

    fn database_error(&self) -> Option<&tokio_postgres::error::DbError> {
        match self {
            Self::Postgres(error) => error.as_db_error(),
            // A migration's errors are the migration's, not ours.
            Self::Registry(_) | Self::Migration(_) | Self::Name(_) | Self::Password(_) => None,
        }
    }

    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::Registry(error) => return error.into(),
            Self::Password(failure) => return *failure,
            _ => {}
        }
        let Some(error) = self.database_error() else {
            return Failure::internal(self);
        };
        match (error.code(), error.constraint()) {
            (_, Some("tenants_subdomain_key")) => {
                Failure::conflict("subdomain", "this subdomain is taken")
            }
            (_, Some("accounts_email_key")) => {
                Failure::conflict("email", "there is an account with this e-mail address")
            }
            (code, _) if *code == SqlState::LOCK_NOT_AVAILABLE => Failure::new(
                Code::Overloaded,
                "somebody is signing up with the same data: try again later",
            )
            .with_log(self),
            _ => Failure::internal(self),
        }
    }
}
