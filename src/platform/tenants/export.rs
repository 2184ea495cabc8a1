//! The archive of a tenant, for operators to fetch.

use async_graphql::{Context, Error, Object, SimpleObject};
use time::OffsetDateTime;

use super::super::operators::{by, operator};
use super::{into_error, platform};
use crate::error::Failure;
use crate::registry::TenantRef;

#[derive(Default)]
pub(crate) struct ExportMutation;

#[Object]
impl ExportMutation {
    /// Offers a tenant's archive: a tar file of CSV files and a manifest, made while it is fetched. For operators.
    #[graphql(complexity = "50 + child_complexity")]
    async fn export_tenant(
        &self,
        context: &Context<'_>,
        tenant: String,
    ) -> Result<TenantExport, Error> {
        export(context, &tenant).await.map_err(into_error)
    }
}

async fn export(context: &Context<'_>, tenant: &str) -> Result<TenantExport, Failure> {
    let (operator, by) = (operator(context)?, by(context)?);
    let platform = platform(context)?;
    let tenant = TenantRef::parse(tenant)?;
    let offer = platform
        .registry
        .offer_export(&by, operator, &tenant)
        .await?;
    Ok(TenantExport {
        url: platform.public_url.of_export(&offer.token),
        expires_at: offer.expires_at,
    })
}

/// Where an archive is fetched.
#[derive(SimpleObject)]
struct TenantExport {
    /// Good for one GET, without a token: whoever has it has the tenant's data. An archive without its last file,
    /// `end.json`, is incomplete.
    url: String,
    expires_at: OffsetDateTime,
}
