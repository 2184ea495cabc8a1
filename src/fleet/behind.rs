//! Who is behind: one query, over the registry alone.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::migrate::{Migrations, SchemaVersion};
use crate::names::{SchemaName, Subdomain, TenantId};
use crate::registry::RegistryError;

/// A tenant in whose schema other files have run than those that are there.
#[derive(Debug, Clone)]
pub(crate) struct Behind {
    pub(crate) id: TenantId,
    pub(crate) subdomain: Subdomain,
    pub(crate) schema: SchemaName,
    pub(crate) version: SchemaVersion,
}

/// The tenants that are behind, those that are deleted but may come back last; of `only` these where there are any.
///
/// Who is ahead is not behind: with `--to`, or when newer replicas sign tenants up.
pub(super) async fn list(
    client: &Client,
    migrations: &Migrations,
    only: &[TenantId],
) -> Result<Vec<Behind>, RegistryError> {
    let version = migrations.version();
    let only: Vec<Uuid> = only.iter().map(|id| id.0).collect();
    let statement = "select id, subdomain, schema_name, base_version, app_version, migrations from tenantry.tenants \
         where migrations <> $1 and base_version <= $2 and app_version <= $3 and not purging \
           and (cardinality($4) = 0 or id = any($4)) \
         order by status = 'deleted', subdomain";
    let rows = client
        .query_typed(
            statement,
            &[
                (&version.digest, Type::INT8),
                (&version.base, Type::INT4),
                (&version.app, Type::INT4),
                (&only, Type::UUID_ARRAY),
            ],
        )
        .await?;
    rows.iter().map(behind).collect()
}

/// How many there are.
pub(crate) async fn count(
    client: &Client,
    migrations: &Migrations,
) -> Result<usize, RegistryError> {
    Ok(list(client, migrations, &[]).await?.len())
}

fn behind(row: &Row) -> Result<Behind, RegistryError> {
    Ok(Behind {
        id: TenantId(row.try_get(0)?),
        subdomain: Subdomain::parse(row.try_get(1)?)?,
        schema: SchemaName::parse(row.try_get::<_, String>(2)?)?,
        version: SchemaVersion {
            base: row.try_get(3)?,
            app: row.try_get(4)?,
            digest: row.try_get(5)?,
        },
    })
}
