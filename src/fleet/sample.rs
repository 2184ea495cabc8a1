//! One of the tenants that are behind, which stands for all of them.

use tokio_postgres::Client;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::preview::history;
use super::{Behind, FleetError};
use crate::migrate::{MigrationFile, Migrations, SetName};
use crate::names::{RoleName, SchemaName};
use crate::registry::RegistryError;

#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) schema: SchemaName,
    pub(crate) role: RoleName,
    /// The files of the app that it has yet to run.
    pub(crate) files: Vec<MigrationFile>,
}

/// Of those that have the most to run, the one that has stored the least, or has come last. None where there is nothing to run
/// for anybody who is served.
pub(crate) async fn sample(
    client: &Client,
    migrations: &Migrations,
    tenants: &[Behind],
) -> Result<Option<Sample>, FleetError> {
    let ids: Vec<Uuid> = tenants.iter().map(|tenant| tenant.id.0).collect();
    let statement = "select t.schema_name, t.role_name from tenantry.tenants t \
         left join tenantry.usage u on u.tenant_id = t.id \
         where t.id = any($1) and t.status <> 'deleted' \
         order by t.app_version, t.base_version, u.bytes nulls last, t.id desc limit 1";
    let row = client
        .query_typed_opt(statement, &[(&ids, Type::UUID_ARRAY)])
        .await?;
    let Some(row) = row else { return Ok(None) };
    let name = |column| row.try_get::<_, String>(column);
    let schema = SchemaName::parse(name(0)?).map_err(RegistryError::from)?;
    let role = RoleName::parse(name(1)?).map_err(RegistryError::from)?;
    let history = history(client, migrations, &schema).await?;
    migrations.check_gone(&history)?;
    let ran: Vec<i32> = history.versions(SetName::App).collect();
    let files = migrations.app.besides(&ran);
    Ok((!files.is_empty()).then_some(Sample {
        schema,
        role,
        files,
    }))
}
