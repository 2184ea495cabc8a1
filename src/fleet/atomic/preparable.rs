//! Whether transactions of the files can be prepared, as it takes where several connections commit together: Postgres
//! refuses that of those with temporary tables, `listen`, `notify` and the like. It is found before tables are locked.

use std::collections::HashSet;

use tokio_postgres::{Client, Error};
use uuid::Uuid;

use super::{NotAtomic, prepared};
use crate::error::postgres_reason;
use crate::fleet::tenant::{Done, Env};
use crate::fleet::work::Crew;
use crate::fleet::{Behind, FleetError, Watch};
use crate::migrate::{MigrationFile, Migrations};

/// What runs at tenants of one version is the same, but there may be many versions.
const MOST_VERSIONS: usize = 10;

impl<W: Watch> Crew<'_, W> {
    /// Tries it with a tenant of each version, and undoes that.
    pub(super) async fn check_preparable(
        &self,
        run: Uuid,
        tenants: &[Behind],
    ) -> Result<(), FleetError> {
        let client = self.connect().await?;
        let mut seen = HashSet::new();
        let others = tenants.iter().filter(|tenant| seen.insert(tenant.version));
        for tenant in others.take(MOST_VERSIONS) {
            let trial = Trial {
                crew: self,
                client: &client,
                run,
                tenant,
            };
            let Some(error) = trial.run(self.env.migrations).await? else {
                continue;
            };
            let file = trial.find_file(self.env.migrations).await?;
            let all = || files(self.env.migrations, std::slice::from_ref(tenant));
            return Err(NotAtomic::NotPrepared {
                tenant: Some(tenant.subdomain.clone()),
                files: file.map_or_else(all, |file| vec![file]),
                reason: postgres_reason(&error),
            }
            .into());
        }
        Ok(())
    }
}

/// The app's files that some of these tenants have yet to run.
pub(super) fn files(migrations: &Migrations, tenants: &[Behind]) -> Vec<String> {
    let first = tenants.iter().map(|tenant| tenant.version.app).min();
    let files = migrations.app.after(first.unwrap_or(0)).iter();
    files.map(|file| file.name().to_owned()).collect()
}

/// A tenant with whom it is tried.
struct Trial<'a, W> {
    crew: &'a Crew<'a, W>,
    client: &'a Client,
    run: Uuid,
    tenant: &'a Behind,
}

impl<W: Watch> Trial<'_, W> {
    /// What Postgres has against it. Whatever else goes wrong is told by whoever migrates the tenant.
    async fn run(&self, migrations: &Migrations) -> Result<Option<Error>, FleetError> {
        let env = Env {
            migrations,
            ..self.crew.env
        };
        self.client.batch_execute("begin").await?;
        let tried = (self.crew).try_patiently(self.client, &env, self.tenant);
        if !matches!(tried.await, Ok(Done::Migrated)) {
            self.client.batch_execute("rollback").await?;
            return Ok(None);
        }
        let name = prepared::name(self.run, 0);
        let prepare = format!("prepare transaction '{name}'");
        match self.client.batch_execute(&prepare).await {
            Ok(()) => {
                let undo = format!("rollback prepared '{name}'");
                self.client.batch_execute(&undo).await?;
                Ok(None)
            }
            Err(error) if error.as_db_error().is_some() => Ok(Some(error)),
            Err(error) => Err(error.into()),
        }
    }

    /// The first file that cannot be prepared together with those before it. None where nobody can tell.
    async fn find_file(&self, migrations: &Migrations) -> Result<Option<String>, FleetError> {
        let has_run = self.tenant.version.app;
        if !self.is_prepared_up_to(migrations, has_run).await? {
            return Ok(None);
        }
        let mut files = migrations.app.after(has_run);
        while let [_, _, ..] = files {
            let (first, second) = files.split_at(files.len().div_ceil(2));
            let last = first.last().map_or(has_run, MigrationFile::version);
            files = if self.is_prepared_up_to(migrations, last).await? {
                second
            } else {
                first
            };
        }
        Ok(files.first().map(|file| file.name().to_owned()))
    }

    async fn is_prepared_up_to(
        &self,
        migrations: &Migrations,
        version: i32,
    ) -> Result<bool, FleetError> {
        // Where files are gone that a baseline stands for.
        let Ok(part) = migrations.clone().up_to(version) else {
            return Ok(false);
        };
        Ok(self.run(&part).await?.is_none())
    }
}
