//! `signUp`: a new tenant, ready to be used when the answer arrives.

use async_graphql::{Context, Error, InputObject, Object, SimpleObject};
use uuid::Uuid;

use super::{Platform, into_error};
use crate::error::Failure;
use crate::guard::AccessToken;
use crate::registry::{NewTenant, SignedUp, TenantStatus};

pub(crate) struct Mutation;

#[Object]
impl Mutation {
    /// Makes a tenant of your own: a workspace with its own API, and you as its owner.
    #[graphql(complexity = 300)]
    async fn sign_up(
        &self,
        context: &Context<'_>,
        input: SignUpInput,
    ) -> Result<SignUpPayload, Error> {
        let platform = context.data::<Platform>()?;
        let new = input.parse().map_err(into_error)?;
        let (signed_up, token) = sign_up(platform, new).await.map_err(into_error)?;
        let tenant = signed_up.tenant;
        Ok(SignUpPayload {
            url: platform.public_url.of_tenant(&tenant.subdomain),
            tenant: Tenant {
                id: tenant.id.0,
                name: tenant.name,
                subdomain: tenant.subdomain.to_string(),
                status: tenant.status,
            },
            access_token: token.as_str().to_owned(),
        })
    }
}

/// Signs a tenant up and makes this replica know it; the others hear of it from the database.
pub(crate) async fn sign_up(
    platform: &Platform,
    new: NewTenant,
) -> Result<(SignedUp, AccessToken), Failure> {
    let signed_up = platform.registry.sign_up(&platform.migrations, new).await?;
    platform.directory.learn(signed_up.tenant.clone());
    let token = platform.guard.welcome(&signed_up)?;
    Ok((signed_up, token))
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
}

/// A workspace of one organization.
#[derive(SimpleObject)]
struct Tenant {
    id: Uuid,
    name: String,
    subdomain: String,
    status: TenantStatus,
}
