//! What a run would do, read without changing anything.

use std::collections::BTreeMap;

use tokio_postgres::{Client, SimpleQueryMessage};

use super::{Behind, FleetError, Runs, behind, look_at_runs};
use crate::migrate::{History, MigrationSet, Migrations, SchemaVersion};
use crate::names::{SchemaName, TenantId};
use crate::postgres::Database;
use crate::registry::{check_files, pending_shared, registry_version};

#[derive(Debug, Default)]
pub(crate) struct Preview {
    /// How many files for the registry's own tables have not run. Until then nobody knows which tenants are behind.
    pub(crate) registry: usize,
    /// Files for the tables that tenants share.
    pub(crate) shared: Vec<String>,
    pub(crate) groups: Vec<Group>,
    /// Another one, at work or killed.
    pub(crate) runs: Runs,
}

/// Tenants in whose schemas the same files have run.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) version: SchemaVersion,
    pub(crate) tenants: Vec<Behind>,
    /// What would run.
    pub(crate) files: Vec<String>,
}

/// `files` are all that there are, and `migrations` those of them that would run.
pub(crate) async fn preview(
    database: &Database,
    files: &Migrations,
    migrations: &Migrations,
    only: &[TenantId],
) -> Result<Preview, FleetError> {
    let (client, _connection) = database.connect().await?;
    client.batch_execute("begin read only").await?;
    let registry = MigrationSet::registry()?;
    let found = registry_version(&client).await?.unwrap_or_default();
    let pending = registry.files().filter(|(version, _)| *version > found);
    let pending = pending.count();
    if pending > 0 {
        return Ok(Preview {
            registry: pending,
            ..Preview::default()
        });
    }
    check_files(&client, files).await?;
    let mut versions: BTreeMap<SchemaVersion, Vec<Behind>> = BTreeMap::new();
    for tenant in behind::list(&client, migrations, only).await? {
        versions.entry(tenant.version).or_default().push(tenant);
    }
    let mut groups = Vec::new();
    for (version, tenants) in versions {
        let files = match tenants.first() {
            Some(tenant) => pending_files(&client, migrations, tenant).await?,
            None => Vec::new(),
        };
        groups.push(Group {
            version,
            tenants,
            files,
        });
    }
    let shared = pending_shared(&client, migrations).await?;
    Ok(Preview {
        registry: 0,
        shared: shared.iter().map(|file| file.name().to_owned()).collect(),
        groups,
        runs: look_at_runs(&client).await?,
    })
}

/// Of one tenant, which stands for all in which the same has run.
async fn pending_files(
    client: &Client,
    migrations: &Migrations,
    tenant: &Behind,
) -> Result<Vec<String>, FleetError> {
    let history = history(client, migrations, &tenant.schema).await?;
    migrations.check_gone(&history)?;
    let mut files = Vec::new();
    for (name, set) in migrations.sets() {
        let ran: Vec<i32> = history.versions(name).collect();
        let pending = set.files().filter(|(version, _)| !ran.contains(version));
        files.extend(pending.map(|(_, file)| file.to_owned()));
    }
    Ok(files)
}

/// What has run in a schema.
pub(super) async fn history(
    client: &Client,
    migrations: &Migrations,
    schema: &SchemaName,
) -> Result<History, FleetError> {
    let query = History::query(schema, migrations);
    let mut history = History::default();
    for message in client.simple_query(&query).await? {
        if let SimpleQueryMessage::Row(row) = message {
            history.add(&row)?;
        }
    }
    Ok(history)
}
