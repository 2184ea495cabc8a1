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
/// migrations have put in.
async fn furnish(
    registry: &Registry,
    transaction: &Transaction<'_>,
    migrations: &Migrations,
    name: &str,
    subdomain: &Subdomain,
) -> Result<Tenant, Failure> {
    let id = TenantId(Uuid::now_v7());
    let version = migrations.version();
    // As spare workspaces are called: nobody else takes that name in the same moment.
    let wanted = format!("tenant_{}", &id.0.simple().to_string()[20..]);
    let statement = "insert into tenantry.tenants (id, name, subdomain, schema_name, role_name, base_version, app_version, migrations) \
         select $1, $2, $3, workspace, workspace, $5, $6, $7 from tenantry.free_name($4) as workspace \
         returning schema_name, role_name, revision";
    let parameters: [(&(dyn ToSql + Sync), Type); 7] = [
        (&id.0, Type::UUID),
        (&name, Type::TEXT),
        (&subdomain.as_str(), Type::TEXT),
        (&wanted, Type::TEXT),
        (&version.base, Type::INT4),
        (&version.app, Type::INT4),
        (&version.digest, Type::INT8),
    ];
    let row = transaction.query_typed_one(statement, &parameters).await;
    let row = row.map_err(failed)?;
    let tenant = Tenant {
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
    };
    registry.furnish(transaction, migrations, &tenant).await?;
    Ok(tenant)
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
    if (app, base) == (wanted.app, wanted.base) {
        return Err(not_now(
            "other files have run in it than the migrations here: bring it to them with `tenantry migrate`",
        ));
    }
    Err(not_now(format!(
        "its tables are of version {app} (base {base}), and the migrations here make {} (base {})",
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
