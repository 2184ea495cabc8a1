//! `signUp`: a new tenant, ready to be used when the answer arrives.

use async_graphql::{Context, Error, InputObject, Object, SimpleObject};
use uuid::Uuid;

use super::{Platform, into_error};
use crate::error::Failure;
use crate::guard::Granted;
use crate::registry::{NewTenant, SignedUp, TenantStatus};
use crate::request::RequestInfo;

#[derive(Default)]
pub(crate) struct SignUpMutation;

#[Object]
impl SignUpMutation {
    /// Makes a tenant of your own: a workspace with its own API, and you as its owner.
    #[graphql(complexity = 300)]
    async fn sign_up(
        &self,
        context: &Context<'_>,
        input: SignUpInput,
    ) -> Result<SignUpPayload, Error> {
        let platform = context.data::<Platform>()?;
        let mut new = input.parse().map_err(into_error)?;
        let client = context.data::<RequestInfo>()?;
        new.request = Some(client.clone());
        let (signed_up, granted) = sign_up(platform, new, client).await.map_err(into_error)?;
        let tenant = signed_up.tenant;
        Ok(SignUpPayload {
            url: platform.public_url.of_tenant(&tenant.subdomain),
            tenant: Tenant {
                id: tenant.id.0,
                name: tenant.name,
                subdomain: tenant.subdomain.to_string(),
                status: tenant.status,
            },
            access_token: granted.access.as_str().to_owned(),
            refresh_token: granted.refresh.as_str().to_owned(),
            expires_in: granted.expires_in,
        })
    }
}

/// Signs a tenant up and makes this replica know it; the others hear of it from the database.
pub(crate) async fn sign_up(
    platform: &Platform,
    new: NewTenant,
    client: &RequestInfo,
) -> Result<(SignedUp, Granted), Failure> {
    let migrations = platform.migrations.load_full();
    let signed_up = platform.registry.sign_up(&migrations, new).await?;
    platform.directory.learn(signed_up.tenant.clone());
    let granted = platform.guard.welcome(&signed_up, client).await?;
    Ok((signed_up, granted))
}

/// What a new tenant needs to know.
#[derive(InputObject)]
struct SignUpInput {
    /// The name of your organization.
    organization: String,
    /// Where the tenant is to be found; made of the organization's name when left out.
    subdomain: Option<String>,
    /// Your own name.
    name: String,
    /// The address you will log in with.
    email: String,
    /// At least 10 characters.
    #[graphql(secret)]
    password: String,
}

impl SignUpInput {
    fn parse(&self) -> Result<NewTenant, Failure> {
        NewTenant::parse(
            &self.organization,
            self.subdomain.as_deref(),
            &self.name,
            &self.email,
            &self.password,
        )
    }
}

/// A tenant that is ready.
#[derive(SimpleObject)]
struct SignUpPayload {
    tenant: Tenant,
    /// Where the tenant's API and its editor are.
    url: String,
    /// Logs you in at that address: `Authorization: Bearer <accessToken>`.
    access_token: String,
    /// Goes to the mutation `refreshSession` at that address, once: its answer has the next one.
    refresh_token: String,
    /// Seconds until the access token expires.
    expires_in: u64,
}

/// A workspace of one organization.
#[derive(SimpleObject)]
struct Tenant {
    id: Uuid,
    name: String,
    subdomain: String,
    status: TenantStatus,
}
