//! Where the fleet stands: each tenant's version, what went wrong with it, and whether its tables are what the migrations
//! make.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use futures_util::try_join;
use time::OffsetDateTime;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::drift::{DoNotRun, Look, Reference};
use super::lifecycle::{failed, no_such_tenant};
use super::{Registry, RegistryError, TenantRef, TenantStatus};
use crate::catalog::{Catalog, Fingerprint, Workspace};
use crate::error::Failure;
use crate::migrate::{Migrations, SchemaVersion};
use crate::names::{RoleName, SchemaName, Subdomain, TenantId};

/// A tenant, as far as its tables go.
#[derive(Debug)]
pub(crate) struct TenantTables {
    pub(crate) id: TenantId,
    pub(crate) subdomain: Subdomain,
    pub(crate) status: TenantStatus,
    pub(crate) workspace: Workspace,
    pub(crate) version: SchemaVersion,
    pub(crate) failure: Option<MigrationFailure>,
}

/// Why a tenant could not be migrated.
#[derive(Debug)]
pub(crate) struct MigrationFailure {
    /// None for what went wrong outside of a file.
    pub(crate) file: Option<String>,
    pub(crate) line: Option<i32>,
    pub(crate) excerpt: Option<String>,
    pub(crate) sql_state: Option<String>,
    pub(crate) message: String,
    /// It was tried and undone: nothing had changed anywhere.
    pub(crate) rehearsal: bool,
    pub(crate) at: OffsetDateTime,
}

/// Whether a schema is what the files that it has run make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Drift {
    None(Fingerprint),
    Some(Fingerprint),
    /// There is no such schema.
    Gone,
    /// The files that it has run make no schema any more, and why.
    NotMade(String),
    /// Nobody can tell, and why.
    Unknown(String),
}

/// What a tenant lacks, has besides and has otherwise.
pub(crate) struct Difference {
    pub(crate) tenant: TenantTables,
    /// None where there is no schema.
    pub(crate) sides: Option<Sides>,
}

/// What is there, and what should be.
pub(crate) struct Sides {
    pub(crate) found: Catalog,
    pub(crate) wanted: Catalog,
}

/// What the files make that a tenant has run.
enum Wanted {
    Made(Reference),
    /// Nothing: they fail.
    Fails(String),
    /// They are not all here.
    Elsewhere,
}

impl Registry {
    /// All tenants with tables, by subdomain.
    pub(crate) async fn tables(&self) -> Result<Vec<TenantTables>, Failure> {
        let connection = self.connection().await?;
        let statement = "select t.id, t.subdomain, t.status, t.schema_name, t.role_name, t.base_version, t.app_version, t.migrations, \
               f.file, f.line, f.excerpt, f.sql_state, f.message, f.rehearsal, f.failed_at \
             from tenantry.tenants t left join tenantry.migration_failures f on f.tenant_id = t.id where not t.purging order by t.subdomain";
        let rows = connection.query_typed(statement, &[]).await;
        let tables = rows
            .map_err(failed)?
            .iter()
            .map(TenantTables::from_row)
            .collect::<Result<_, _>>();
        Ok(tables?)
    }

    /// Compares tenants' tables with what the files make that they have run; answers in the order of the tenants.
    pub(crate) async fn drifts(
        &self,
        migrations: &Migrations,
        tenants: &[TenantTables],
        connections: usize,
    ) -> Result<Vec<Drift>, Failure> {
        let references = async {
            let mut references = HashMap::new();
            for tenant in tenants {
                if let Entry::Vacant(place) = references.entry(tenant.version) {
                    place.insert(self.reference_of(migrations, tenant).await?);
                }
            }
            Ok(references)
        };
        let workspaces: Vec<_> = tenants
            .iter()
            .map(|tenant| tenant.workspace.clone())
            .collect();
        let looks = self.fingerprints(migrations, &workspaces, connections);
        let (references, looks) = try_join!(references, looks)?;
        let wanted = |tenant: &TenantTables| references.get(&tenant.version);
        let drift = |(tenant, look): (&TenantTables, Look)| match (look, wanted(tenant)) {
            (Look::Nothing, _) => Drift::Gone,
            (_, Some(Wanted::Fails(reason))) => Drift::NotMade(reason.clone()),
            (Look::Failed(reason), _) => Drift::Unknown(reason),
            (Look::Found(own), Some(Wanted::Made(wanted))) if own == wanted.fingerprint => {
                Drift::None(own)
            }
            (Look::Found(own), Some(Wanted::Made(_))) => Drift::Some(own),
            (_, None | Some(Wanted::Elsewhere)) => {
                Drift::Unknown("the files that it has run are not here".to_owned())
            }
        };
        let mut drifts: Vec<_> = tenants.iter().zip(looks).map(drift).collect();
        if drifts.iter().any(|drift| matches!(drift, Drift::Some(_))) {
            let now = self.tables().await?;
            let now: HashMap<_, _> = now.iter().map(|now| (now.id, now.version)).collect();
            for (tenant, drift) in tenants.iter().zip(&mut drifts) {
                if now.get(&tenant.id) != Some(&tenant.version) {
                    *drift = Drift::Unknown("it has been migrated meanwhile".to_owned());
                }
            }
        }
        Ok(drifts)
    }

    /// Looks at one tenant closely.
    pub(crate) async fn difference(
        &self,
        migrations: &Migrations,
        tenant: &TenantRef,
    ) -> Result<Difference, Failure> {
        let id = self.tenant_record(tenant).await?.id;
        let tenants = self.tables().await?;
        let found = tenants.into_iter().find(|tenant| tenant.id == id);
        let tenant = found.ok_or_else(|| no_such_tenant(tenant))?;
        if !self.has_schema(&tenant).await? {
            let sides = None;
            return Ok(Difference { tenant, sides });
        }
        let Some(migrations) = migrations.at(tenant.version) else {
            let message = "the files that this tenant has run are not here";
            return Err(Failure::conflict("tenant", message));
        };
        let wanted = self.reference(&migrations).await?.catalog;
        let found = self.catalog(&migrations, &tenant.workspace).await?;
        let sides = Some(Sides { found, wanted });
        Ok(Difference { tenant, sides })
    }

    async fn has_schema(&self, tenant: &TenantTables) -> Result<bool, Failure> {
        let connection = self.connection().await?;
        let statement = "select exists (select from pg_namespace where nspname = $1)";
        let name = tenant.workspace.schema.as_str();
        let row = connection
            .query_typed_one(statement, &[(&name, Type::TEXT)])
            .await;
        row.and_then(|row| row.try_get(0)).map_err(failed)
    }

    async fn reference_of(
        &self,
        migrations: &Migrations,
        tenant: &TenantTables,
    ) -> Result<Wanted, Failure> {
        let Some(migrations) = migrations.at(tenant.version) else {
            return Ok(Wanted::Elsewhere);
        };
        match self.reference(&migrations).await {
            Ok(reference) => Ok(Wanted::Made(reference)),
            Err(failure) => match DoNotRun::of(&failure) {
                Some(reason) => Ok(Wanted::Fails(reason.sentence())),
                None => Err(failure),
            },
        }
    }
}

impl TenantTables {
    fn from_row(row: &Row) -> Result<Self, RegistryError> {
        Ok(Self {
            id: TenantId(row.try_get(0)?),
            subdomain: Subdomain::parse(row.try_get(1)?)?,
            status: row.try_get::<_, &str>(2)?.parse()?,
            workspace: Workspace {
                schema: SchemaName::parse(row.try_get::<_, String>(3)?)?,
                role: RoleName::parse(row.try_get::<_, String>(4)?)?,
            },
            version: SchemaVersion {
                base: row.try_get(5)?,
                app: row.try_get(6)?,
                digest: row.try_get(7)?,
            },
            failure: MigrationFailure::from_row(row)?,
        })
    }
}

impl MigrationFailure {
    fn from_row(row: &Row) -> Result<Option<Self>, tokio_postgres::Error> {
        let Some(message) = row.try_get(12)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            file: row.try_get(8)?,
            line: row.try_get(9)?,
            excerpt: row.try_get(10)?,
            sql_state: row.try_get(11)?,
            message,
            rehearsal: row.try_get(13)?,
            at: row.try_get(14)?,
        }))
    }
}
