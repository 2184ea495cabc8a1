//! An archive that an operator fetches by HTTP: offered at an address that is good once, made while it is fetched.

use serde_json::json;
use time::OffsetDateTime;
use tokio::io::AsyncWrite;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::export::Exported;
use crate::error::Failure;
use crate::names::{OperatorId, TenantId};
use crate::registry::audit::Actor;
use crate::registry::lifecycle::{By, TenantRef, failed};
use crate::registry::{Registry, RegistryError};
use crate::request::RequestInfo;
use crate::secret::Secret;

/// What the tokens in such addresses begin with.
const EXPORT_TOKEN: &str = "tntx_";

/// How long an address is good.
const MINUTES: i32 = 5;

/// The way to an archive.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) token: Secret,
    pub(crate) expires_at: OffsetDateTime,
}

/// An offer that somebody has taken.
#[derive(Debug, Clone)]
pub(crate) struct TakenOffer {
    tenant: TenantId,
    operator: OperatorId,
    pub(crate) subdomain: String,
}

impl Registry {
    /// Lets an operator fetch a tenant's archive.
    pub(crate) async fn offer_export(
        &self,
        by: &By,
        operator: OperatorId,
        tenant: &TenantRef,
    ) -> Result<Offer, Failure> {
        let tenant = self.tenant_record(tenant).await?.id;
        let token = Secret::random(EXPORT_TOKEN);
        let hash = token.hash();
        let statement = "with old as (delete from tenantry.exports where expires_at < now()) \
             insert into tenantry.exports (token_hash, tenant_id, operator_id, expires_at) \
             values ($1, $2, $3, now() + make_interval(mins => $4)) returning expires_at";
        let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
            (&hash.as_slice(), Type::BYTEA),
            (&tenant.0, Type::UUID),
            (&operator.0, Type::UUID),
            (&MINUTES, Type::INT4),
        ];
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await.map_err(failed)?;
        let row = transaction.query_typed_one(statement, &parameters).await;
        let expires_at = row.and_then(|row| row.try_get(0)).map_err(failed)?;
        by.record(&transaction, tenant, "exportTenant", json!({}))
            .await?;
        transaction.commit().await.map_err(failed)?;
        Ok(Offer { token, expires_at })
    }

    /// What a token leads to, this one time; none when it was used, is too old, or its operator may do nothing any more.
    pub(crate) async fn take_offer(
        &self,
        token: &str,
    ) -> Result<Option<TakenOffer>, RegistryError> {
        let statement = "delete from tenantry.exports e using tenantry.tenants t, tenantry.operators o \
             where e.token_hash = $1 and e.expires_at > now() and t.id = e.tenant_id \
               and o.id = e.operator_id and o.disabled_at is null \
             returning t.id, o.id, t.subdomain";
        let hash = Secret::received(token).hash();
        let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&hash.as_slice(), Type::BYTEA)];
        let connection = self.connection().await?;
        let row = connection.query_typed_opt(statement, &parameters).await?;
        let read = |row: Row| {
            Ok(TakenOffer {
                tenant: TenantId(row.try_get::<_, Uuid>(0)?),
                operator: OperatorId(row.try_get(1)?),
                subdomain: row.try_get(2)?,
            })
        };
        row.map(read).transpose()
    }

    /// Writes the archive, on a connection of its own: one that is slow to fetch keeps nobody waiting, and when
    /// this is dropped half-way, so is the connection.
    pub(crate) async fn fetch_export(
        &self,
        offer: &TakenOffer,
        client: RequestInfo,
        out: impl AsyncWrite + Unpin,
    ) -> Result<Exported, Failure> {
        let by = By {
            actor: Actor::Operator(offer.operator),
            request: Some(client),
        };
        let record = self.tenant_record(&TenantRef::Id(offer.tenant)).await?;
        self.trail(&by, &record, "fetchExport").await?;
        let connected = self.database.connect().await;
        let (mut client, driver) = connected.map_err(Failure::internal)?;
        let _driver = AbortOnDropHandle::new(driver);
        super::export::write_archive(&mut client, &record, out).await
    }
}
