//! Tenants, copied: to a tenant of the same kind, into an archive, and out of one.

mod archive;
mod clone;
mod export;
mod import;
mod load;
mod offer;
mod snapshot;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, Transaction};
use uuid::Uuid;

use super::{failed, not_now};
use crate::error::{Failure, postgres_reason};
use crate::migrate::{Migrations, SchemaVersion};
use crate::names::{DisplayName, RoleName, SchemaName, Subdomain, TenantId};
use crate::registry::provision::ATTEMPTS;
use crate::registry::{Registry, Tenant, TenantStatus};

pub(crate) use offer::TakenOffer;

/// What a copy is called.
#[derive(Debug, Clone)]
pub(crate) struct CopyName {
    /// That of the original when left out.
    pub(crate) name: Option<DisplayName>,
    pub(crate) subdomain: Subdomain,
}

/// Registers a tenant at the migrations' version and makes its schema, whose tables are empty but for what
/// migrations have put in. Should somebody take its name in the same moment, another one is tried.
async fn furnish(
    registry: &Registry,
    transaction: &mut Transaction<'_>,
    migrations: &Migrations,
    name: &str,
    subdomain: &Subdomain,
) -> Result<Tenant, Failure> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let attempt = transaction.transaction().await.map_err(failed)?;
        let tenant = register(&attempt, migrations.version(), name, subdomain).await?;
        match registry.make_workspace(&attempt, migrations, &tenant).await {
            Ok(()) => {
                attempt.commit().await.map_err(failed)?;
                return Ok(tenant);
            }
            Err(error) if error.is_name_collision() && attempts < ATTEMPTS => {
                attempt.rollback().await.map_err(failed)?;
            }
            Err(error) => return Err(error.into_failure()),
        }
    }
}

async fn register(
    transaction: &Transaction<'_>,
    version: SchemaVersion,
    name: &str,
    subdomain: &Subdomain,
) -> Result<Tenant, Failure> {
    let id = TenantId(Uuid::now_v7());
    let statement = "insert into tenantry.tenants (id, name, subdomain, schema_name, role_name, base_version, app_version, migrations) \
         select $1, $2, $3, workspace, workspace, $5, $6, $7 from tenantry.free_name($4) as workspace \
         returning schema_name, role_name, revision";
    let parameters: [(&(dyn ToSql + Sync), Type); 7] = [
        (&id.0, Type::UUID),
        (&name, Type::TEXT),
        (&subdomain.as_str(), Type::TEXT),
        (&id.workspace_name(), Type::TEXT),
        (&version.base, Type::INT4),
        (&version.app, Type::INT4),
        (&version.digest, Type::INT8),
    ];
    let row = transaction.query_typed_one(statement, &parameters).await;
    let row = row.map_err(failed)?;
    Ok(Tenant {
        id,
        name: name.to_owned(),
        subdomain: subdomain.clone(),
        schema: name_of(&row, 0, SchemaName::parse)?,
        role: name_of(&row, 1, RoleName::parse)?,
        status: TenantStatus::Active,
        version,
        limits: crate::limits::Overrides::default(),
        access_changed_at: None,
        over_quota: false,
        meter: std::sync::Arc::default(),
        domains: Vec::new(),
        revision: row.try_get(2).map_err(failed)?,
    })
}

fn name_of<T>(
    row: &Row,
    column: usize,
    parse: impl Fn(String) -> Result<T, crate::names::NameError>,
) -> Result<T, Failure> {
    parse(row.try_get(column).map_err(failed)?).map_err(Failure::internal)
}

/// Rows only fit into tables of the same version.
fn same_version(found: SchemaVersion, migrations: &Migrations) -> Result<(), Failure> {
    let wanted = migrations.version();
    if found == wanted {
        return Ok(());
    }
    let (app, base) = (found.app, found.base);
    let hint = if migrations.is_example {
        ", which are the example's: name your app's by --tenant-sql"
    } else {
        ": bring it to them with `tenantry migrate`"
    };
    if (app, base) == (wanted.app, wanted.base) {
        return Err(not_now(format!(
            "other files have run in it than the migrations here{hint}"
        )));
    }
    Err(not_now(format!(
        "its tables are of version {app} (base {base}), and not of version {} (base {}) like those of the migrations \
         here{hint}",
        wanted.app, wanted.base
    )))
}

/// What Postgres says of rows that cannot be read or do not fit, is for the operator to know.
fn misfit(error: tokio_postgres::Error) -> Failure {
    let telling = |code: &str| ["22", "23", "42"].contains(&&code[..2]) || code.starts_with("55");
    match error.as_db_error() {
        Some(answer)
            if telling(answer.code().code())
                && answer.constraint() != Some("tenants_subdomain_key") =>
        {
            let hint = if answer.message().contains("row-level security") {
                ": the owner of the database needs BYPASSRLS for tables with forced row-level security"
            } else {
                ""
            };
            not_now(format!(
                "its rows cannot be copied: {}{hint}",
                answer.message()
            ))
            .with_log(postgres_reason(&error))
        }
        _ => failed(error),
    }
}
