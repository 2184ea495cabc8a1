//! Makes a baseline of an app's migrations, and proves that it makes what they make.
//!
//! On a Postgres that lives for a moment, the files make a schema, `pg_dump` writes down what is in it, and what it has
//! written makes another one. A baseline is what it is only if nobody can tell the two apart: neither by catalog nor by rows.

mod dump;
mod error;
mod look;

use std::path::Path;

use tokio_postgres::Client;

use crate::catalog::{self, Comparison};
use crate::migrate::{AppDirs, LoadError, Migrations, baseline_version, is_sql};
use crate::names::SchemaName;
use crate::postgres::{Cluster, Database};
use crate::registry::{Registry, RequestLogin, Upgrade};
use dump::Dump;
pub(crate) use error::{Impossible, SquashError};
use look::{Contents, Look};

/// What is wanted.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    pub(crate) dirs: AppDirs<'a>,
    /// The last version that the baseline is to stand for.
    pub(crate) version: i32,
    /// Whether values that are others at each sign-up may be the same for all from now on.
    pub(crate) freeze: bool,
    /// An empty directory, to try it in.
    pub(crate) place: &'a Path,
}

/// A file that has been proven.
#[derive(Debug)]
pub(crate) struct Baseline {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Makes a baseline of the files of a directory, as they have been loaded, on a cluster that nobody else uses.
pub(crate) async fn squash(
    cluster: &Cluster,
    database: Database,
    migrations: &Migrations,
    order: &Order<'_>,
) -> Result<Baseline, SquashError> {
    // A baseline that there is already has done its work when the files are there themselves.
    let files = match migrations.clone().without_baseline() {
        Err(LoadError::Replaced { .. }) => migrations.clone(),
        files => files?,
    };
    let (client, _) = database.connect().await?;
    let registry = Registry::open(database, RequestLogin::Managed, &files, Upgrade::Run).await?;
    let work = Work {
        cluster,
        registry,
        client,
        order,
    };
    work.squash(&files).await
}

struct Work<'a> {
    cluster: &'a Cluster,
    registry: Registry,
    client: Client,
    order: &'a Order<'a>,
}

impl Work<'_> {
    async fn squash(&self, files: &Migrations) -> Result<Baseline, SquashError> {
        let replaced = files.clone().up_to(self.order.version)?;
        let wanted = self.steady(&replaced).await?;
        let mut dump = self.dump(&replaced, &wanted).await?;
        let name = replaced.app.baseline_name();
        let mut attempt = self.attempt(&name, &replaced, &dump, &wanted).await?;
        if let Err(comparison) = &attempt {
            let rest = catalog::for_migrations(comparison);
            dump.rest = rest.ok_or_else(|| Impossible::unlike(comparison))?;
            attempt = self.attempt(&name, &replaced, &dump, &wanted).await?;
        }
        let (text, made) = attempt.map_err(|comparison| Impossible::unlike(&comparison))?;
        if files.app.version() > self.order.version {
            self.goes_on(files, &made).await?;
        }
        Ok(Baseline { name, text })
    }

    /// What the files make, if they make the same each time.
    async fn steady(&self, files: &Migrations) -> Result<Look, SquashError> {
        let shared = self.shared().await?;
        let look = Look::at_new(&self.registry, &self.client, files).await?;
        let again = Look::at_new(&self.registry, &self.client, files).await?;
        if shared != self.shared().await? {
            return Err(Impossible::Shared.into());
        }
        let comparison = catalog::compare(&again.catalog, &look.catalog);
        if !comparison.differences.is_empty() {
            return Err(Impossible::unsteady(&comparison).into());
        }
        let columns = look.differing_columns(&again, &self.client).await?;
        if !columns.is_empty() && !self.order.freeze {
            return Err(Impossible::Changing(columns).into());
        }
        Ok(look)
    }

    /// What is in the tables that tenants share.
    async fn shared(&self) -> Result<Option<Contents>, SquashError> {
        match self.registry.shared_schema() {
            Some(schema) => {
                let schema = SchemaName::parse(schema)?;
                Ok(Some(Contents::of(&self.client, &schema, &[]).await?))
            }
            None => Ok(None),
        }
    }

    /// What `pg_dump` writes, and what it does not know of: columns that the files give to the service's own tables.
    async fn dump(&self, files: &Migrations, wanted: &Look) -> Result<Dump, SquashError> {
        let bare = files.clone().without_app();
        let bare = Look::at_new(&self.registry, &self.client, &bare)
            .await?
            .catalog;
        let comparison = catalog::compare(&bare, &bare.with_columns_of(&wanted.catalog));
        let columns = catalog::for_migrations(&comparison);
        let columns = columns.ok_or_else(|| Impossible::unlike(&comparison))?;
        let histories = [files.base.history(), files.app.history()];
        let own = bare.tables().chain(histories);
        let own: Vec<_> = own.collect();
        let mut dump = Dump::of(self.cluster, &self.client, wanted, &own).await?;
        dump.extensions = (files.app.extensions().into_iter())
            .map(str::to_owned)
            .collect();
        dump.columns = columns;
        Ok(dump)
    }

    /// Makes a schema by a baseline of this dump: its text, if it makes what is wanted, or what differs.
    async fn attempt(
        &self,
        name: &str,
        files: &Migrations,
        dump: &Dump,
        wanted: &Look,
    ) -> Result<Result<(String, Migrations), Comparison>, SquashError> {
        let text = files.app.baseline_text(&dump.text());
        let made = self.load(files, name, &text)?;
        if made.users_table != files.users_table {
            return Err(Impossible::OtherUsers.into());
        }
        let cut = made.clone().up_to(self.order.version)?;
        let found = Look::at_new(&self.registry, &self.client, &cut).await;
        let found = found.map_err(SquashError::of_baseline)?;
        let comparison = catalog::compare(&found.catalog, &wanted.catalog);
        if !comparison.differences.is_empty() {
            return Ok(Err(comparison));
        }
        let others = found.contents.differences(&wanted.contents);
        if !others.is_empty() {
            return Err(Impossible::Contents(others).into());
        }
        Ok(Ok((text, made)))
    }

    /// Later files do the same after the baseline as after the files themselves.
    async fn goes_on(&self, files: &Migrations, made: &Migrations) -> Result<(), SquashError> {
        let wanted = Look::at_new(&self.registry, &self.client, files).await?;
        let found = Look::at_new(&self.registry, &self.client, made).await;
        let found = found.map_err(SquashError::of_baseline)?;
        let comparison = catalog::compare(&found.catalog, &wanted.catalog);
        if comparison.differences.is_empty() {
            return Ok(());
        }
        Err(Impossible::unlike(&comparison).into())
    }

    /// The directory as it would be with the baseline and without what it stands for.
    fn load(&self, files: &Migrations, name: &str, text: &str) -> Result<Migrations, SquashError> {
        let Order {
            dirs: (dir, shared),
            version,
            place,
            ..
        } = self.order;
        let replaced: Vec<_> = files.app.there(*version).collect();
        let is_kept = |name: &str| !replaced.contains(&name) && baseline_version(name).is_none();
        let _ = std::fs::remove_dir_all(place);
        let copied = || -> std::io::Result<()> {
            std::fs::create_dir_all(place)?;
            for entry in std::fs::read_dir(dir)? {
                let entry = entry?;
                let (path, file) = (entry.path(), entry.file_name());
                if is_sql(&path) && file.to_str().is_some_and(is_kept) {
                    std::fs::copy(&path, place.join(&file))?;
                }
            }
            std::fs::write(place.join(name), text)
        };
        copied().map_err(|source| SquashError::File {
            path: place.to_path_buf(),
            source,
        })?;
        let loaded = Migrations::load(Some((place, *shared)), None);
        Ok(loaded.map_err(Impossible::Unreadable)?)
    }
}
