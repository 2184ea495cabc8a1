//! Issuers of tokens, as flags for one and as a file for any number.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;

use crate::names::MemberRole;
use crate::oidc::{ClaimPath, ClaimPaths, IssuerConfig};

/// Log-ins from Auth0, Keycloak, Cognito, Clerk, …
#[derive(Debug, Clone, Args)]
#[expect(
    clippy::struct_field_names,
    reason = "flags are called after their fields"
)]
#[command(next_help_heading = "Tokens from elsewhere")]
pub(crate) struct IssuerFlags {
    /// Takes tokens of this issuer, too: exactly what they have as `iss`.
    #[arg(
        long,
        env = "TENANTRY_OIDC_ISSUER",
        value_name = "URL",
        requires = "oidc_audience"
    )]
    pub(crate) oidc_issuer: Option<String>,

    /// Whom its tokens have to be for: one of these.
    #[arg(
        long,
        env = "TENANTRY_OIDC_AUDIENCE",
        value_name = "NAME",
        value_delimiter = ',',
        requires = "oidc_issuer"
    )]
    pub(crate) oidc_audience: Vec<String>,

    /// Where its keys are; found by `OpenID` Connect Discovery when left out.
    #[arg(
        long,
        env = "TENANTRY_OIDC_JWKS_URL",
        value_name = "URL",
        requires = "oidc_issuer"
    )]
    pub(crate) oidc_jwks_url: Option<String>,

    /// The claim that says who the user is. Claims are named like `sub`, `app_metadata.tenant` or
    /// `https://example.com/tenant`.
    #[arg(
        long,
        env = "TENANTRY_OIDC_USER_CLAIM",
        value_name = "CLAIM",
        default_value = "sub"
    )]
    pub(crate) oidc_user_claim: ClaimPath,

    /// The claim with the user's e-mail address.
    #[arg(
        long,
        env = "TENANTRY_OIDC_EMAIL_CLAIM",
        value_name = "CLAIM",
        default_value = "email"
    )]
    pub(crate) oidc_email_claim: ClaimPath,

    /// The claim with the user's name.
    #[arg(
        long,
        env = "TENANTRY_OIDC_NAME_CLAIM",
        value_name = "CLAIM",
        default_value = "name"
    )]
    pub(crate) oidc_name_claim: ClaimPath,

    /// The claim that holds the audience: `client_id` for access tokens of Cognito, `azp` for Clerk.
    #[arg(
        long,
        env = "TENANTRY_OIDC_AUDIENCE_CLAIM",
        value_name = "CLAIM",
        default_value = "aud"
    )]
    pub(crate) oidc_audience_claim: ClaimPath,

    /// The claim with the tenant's id or subdomain. Without it the host decides.
    #[arg(long, env = "TENANTRY_OIDC_TENANT_CLAIM", value_name = "CLAIM")]
    pub(crate) oidc_tenant_claim: Option<ClaimPath>,

    /// The claim with the user's role or roles. Without it the tenant's list of members says.
    #[arg(long, env = "TENANTRY_OIDC_ROLE_CLAIM", value_name = "CLAIM")]
    pub(crate) oidc_role_claim: Option<ClaimPath>,

    /// What the issuer's roles are here: `org:admin=admin,org:guest=viewer`. Others count for nothing.
    #[arg(
        long,
        env = "TENANTRY_OIDC_ROLES",
        value_name = "THEIRS=OURS",
        value_delimiter = ',',
        value_parser = role_pair
    )]
    pub(crate) oidc_roles: Vec<(String, MemberRole)>,

    /// The role by tokens without one that is known.
    #[arg(
        long,
        env = "TENANTRY_OIDC_DEFAULT_ROLE",
        value_name = "ROLE",
        requires = "oidc_role_claim"
    )]
    pub(crate) oidc_default_role: Option<MemberRole>,

    /// Takes e-mail addresses for proven though the tokens have no `email_verified`.
    #[arg(long, env = "TENANTRY_OIDC_TRUST_EMAIL")]
    pub(crate) oidc_trust_email: bool,

    /// More issuers: a JSON file `{"issuers": [{"issuer": …, "audience": […], "claims": {…}, …}]}`.
    #[arg(long, env = "TENANTRY_OIDC_CONFIG", value_name = "FILE")]
    pub(crate) oidc_config: Option<PathBuf>,
}

fn role_pair(text: &str) -> Result<(String, MemberRole), String> {
    let (theirs, ours) = text.rsplit_once('=').ok_or("not of the form THEIRS=OURS")?;
    let ours = ours.trim().parse().map_err(|error| format!("{error}"))?;
    Ok((theirs.trim().to_owned(), ours))
}

/// What the file holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    issuers: Vec<IssuerConfig>,
}

impl IssuerFlags {
    /// The issuer of the flags, and those of the file.
    pub(crate) fn issuers(&self) -> anyhow::Result<Vec<IssuerConfig>> {
        let file = self.oidc_config.as_deref().map(read).transpose()?;
        let own = self.oidc_issuer.as_ref().map(|issuer| IssuerConfig {
            issuer: issuer.clone(),
            jwks_url: self.oidc_jwks_url.clone(),
            audience: self.oidc_audience.clone(),
            claims: ClaimPaths {
                user: self.oidc_user_claim.clone(),
                email: self.oidc_email_claim.clone(),
                name: self.oidc_name_claim.clone(),
                audience: self.oidc_audience_claim.clone(),
                tenant: self.oidc_tenant_claim.clone(),
                role: self.oidc_role_claim.clone(),
                ..ClaimPaths::default()
            },
            roles: self.oidc_roles.iter().cloned().collect(),
            default_role: self.oidc_default_role,
            trust_email: self.oidc_trust_email,
        });
        Ok(own.into_iter().chain(file.into_iter().flatten()).collect())
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<IssuerConfig>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the issuers from {}", path.display()))?;
    let file: File = serde_json::from_str(&text)
        .with_context(|| format!("{} does not describe issuers", path.display()))?;
    Ok(file.issuers)
}
