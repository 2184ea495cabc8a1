//! Migrations of one schema: loaded once, run inside a transaction of the caller's.

mod autocommit;
mod baseline;
mod elsewhere;
mod file;
mod history;
mod load;
mod new_value;
mod outside;
mod pending;
mod runner;
mod script;
mod squash;
mod stepwise;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use arc_swap::ArcSwap;
use refinery_core::Migration;
use sha2::{Digest as _, Sha256};

use baseline::Baseline;
use script::Known;

pub(crate) use autocommit::{AutocommitFile, Start};
pub(crate) use baseline::version_in as baseline_version;
pub(crate) use file::ScriptFile;
pub(crate) use history::{History, SetName, Stamp};
pub(crate) use load::{LoadError, checkout, is_sql, next_file};
pub(crate) use new_value::NewValue;
pub(crate) use outside::refuse_outside;
#[cfg(test)]
pub(crate) use pending::Ran;
pub(crate) use pending::{Stop, Unrun, run_pending};
pub(crate) use runner::{MigrationError, advice, enter, run, run_script};
pub(crate) use stepwise::Statement;

/// What `sql/base` calls the service's own table of users.
pub(crate) const USERS_TABLE: &str = "users";

/// What it may be called: the app's tables go first.
const USERS_TABLES: [&str; 3] = [USERS_TABLE, "members", "tenantry_users"];

/// All that a new tenant's schema is made of.
#[derive(Debug, Clone)]
pub(crate) struct Migrations {
    /// The service's own tables in every tenant schema.
    pub(crate) base: MigrationSet,
    /// The app's tables.
    pub(crate) app: MigrationSet,
    /// Tables that all tenants share, made once.
    pub(crate) shared: Option<MigrationSet>,
    /// What every new tenant starts with (`seed.sql`).
    pub(crate) seed: Option<ScriptFile>,
    /// What demo tenants have on top of that, by file name.
    demos: BTreeMap<String, ScriptFile>,
    /// What the service's own table of users is called: the app's tables go first.
    pub(crate) users_table: &'static str,
    /// Extensions that the scripts ask for; made once per database, not per tenant.
    pub(crate) extensions: BTreeSet<String>,
    /// Of all that a new workspace is made of before anybody has it.
    digest: String,
    /// Of the files that a tenant's schema is made of.
    history: i64,
    /// Whether the app is the one that ships as the example.
    pub(crate) is_example: bool,
}

/// Those that new tenants are made with: `dev` puts others in their place when files change.
pub(crate) type Current = ArcSwap<Migrations>;

/// The directory of an app's migrations, and that of what its tenants share.
pub(crate) type AppDirs<'a> = (&'a Path, Option<&'a Path>);

/// Which tables a tenant has, and so which API: the last migration of each set, and all that have run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SchemaVersion {
    pub(crate) base: i32,
    pub(crate) app: i32,
    /// Of all files that have run: some may run late, and files may have been edited before they ran elsewhere. 0 where
    /// nobody knows.
    pub(crate) digest: i64,
}

/// As the registry's `expect_version` has it.
impl fmt::Display for SchemaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base, app, digest } = self;
        write!(f, "{base} {app} {digest}")
    }
}

impl Migrations {
    /// The app that ships in the binary.
    #[cfg(test)]
    pub(crate) fn embedded() -> Result<Self, LoadError> {
        Self::load(None, None)
    }

    /// Somebody's own app: the `.sql` files of a directory, and of one for what tenants share; without, the app
    /// that ships in the binary. With `run`, the last version that a tenant has, files that have just been begun are
    /// left out.
    pub(crate) fn load(dirs: Option<AppDirs<'_>>, run: Option<i32>) -> Result<Self, LoadError> {
        let (app, shared) = match dirs {
            None => (load::embedded("tenant")?, Some(load::embedded("shared")?)),
            Some((dir, shared)) => {
                let shared = shared.map(load::directory).transpose()?;
                (load::directory(dir)?, shared)
            }
        };
        let app = match run {
            Some(run) => app.begun(run)?,
            None => app,
        };
        Ok(Self {
            is_example: dirs.is_none(),
            ..Self::with_app(&app, shared.as_ref())?
        })
    }

    #[cfg(test)]
    pub(crate) fn from_dir(dir: &Path) -> Result<Self, LoadError> {
        Self::load(Some((dir, None)), None)
    }

    /// The version of a schema in which everything has run.
    pub(crate) fn version(&self) -> SchemaVersion {
        SchemaVersion {
            base: self.base.version(),
            app: self.app.version(),
            digest: self.history,
        }
    }

    /// These migrations, as they were before the app's files after a version were there.
    pub(crate) fn up_to(mut self, version: i32) -> Result<Self, LoadError> {
        let known = |file: &MigrationFile| file.migration.version() == version;
        if !self.app.files.iter().any(known) {
            let last = self.app.version();
            return Err(LoadError::NoSuchVersion { version, last });
        }
        self.app.cut(version)?;
        self.finish()
    }

    /// These migrations, as they were before the files for shared tables after a version were there.
    pub(crate) fn shared_up_to(mut self, version: i32) -> Result<Self, LoadError> {
        let files = self.shared.as_mut().map(|set| &mut set.files);
        let files = files.filter(|files| files.iter().any(|file| file.version() == version));
        let Some(files) = files else {
            let last = self.shared.as_ref().map_or(0, MigrationSet::version);
            return Err(LoadError::NoSuchVersion { version, last });
        };
        files.retain(|file| file.version() <= version);
        Ok(self)
    }

    /// These migrations as they were when a schema of that version was made; none where it has run other files than
    /// those that are here.
    pub(crate) fn at(&self, version: SchemaVersion) -> Option<Self> {
        let mut then = self.clone();
        (then.base.files).retain(|file| file.version() <= version.base);
        then.app.cut(version.app).ok()?;
        let then = then.finish().ok()?;
        let made = then.version();
        let unknown = SchemaVersion { digest: 0, ..made };
        (version == made || version == unknown).then_some(then)
    }

    /// Without what fills tables: it was written for the last version.
    pub(crate) fn without_rows(mut self) -> Self {
        (self.seed, self.demos) = (None, BTreeMap::new());
        self
    }

    /// Tells workspaces that these migrations have made from all others.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    fn digested(&self, registry: &MigrationSet) -> String {
        let mut digest = Sha256::new();
        for set in [registry, &self.base, &self.app] {
            digest.update(set.history);
            for file in &set.files {
                digest.update(file.migration.checksum().to_be_bytes());
            }
        }
        digest.update(self.users_table);
        let bytes = digest.finalize();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The names of the migrations that are not among others.
    pub(crate) fn beyond(&self, others: &Self) -> Vec<&str> {
        let known: BTreeSet<_> = others.names().collect();
        self.names().filter(|name| !known.contains(name)).collect()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let sets = self.shared.iter().chain([&self.app]);
        let files = sets.flat_map(|set| &set.files);
        files.map(|file| file.script.name.as_str())
    }

    /// The scripts of a demo tenant: its own (`demo_<subdomain>.sql`), then the common one (`demo.sql`).
    pub(crate) fn demo(&self, subdomain: &str) -> impl Iterator<Item = &ScriptFile> {
        let names = [format!("demo_{subdomain}.sql"), "demo.sql".to_owned()];
        names.into_iter().filter_map(|name| self.demos.get(&name))
    }

    /// What the authors of the app's files should hear of, by file and line.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        self.scripts().flat_map(|script| {
            let say = |note: &script::Note| {
                format!("{}, line {}: {}", script.name, note.line, note.message)
            };
            script.notes.iter().map(say)
        })
    }

    fn with_app(app: &load::Sources, shared: Option<&load::Sources>) -> Result<Self, LoadError> {
        let mut known = Known::default();
        let shared = shared.map(|shared| {
            let mut reading = Reading::Adapted(&mut Known::default());
            shared.set("tenantry_shared_history", &mut reading)
        });
        let shared = shared.transpose()?;
        let mut files = shared.iter().flat_map(|set| &set.files);
        if let Some(file) = files.find(|file| file.script.alone.is_some()) {
            return Err(LoadError::SharedAutocommit(file.script.name.clone()));
        }
        let mut migrations = Self {
            base: load::embedded("base")?.set("tenantry_base_history", &mut Reading::Whole)?,
            app: app.set("tenantry_app_history", &mut Reading::Adapted(&mut known))?,
            shared,
            seed: app.script("seed.sql", &mut known)?,
            demos: app.demos(&mut known)?,
            users_table: USERS_TABLE,
            extensions: BTreeSet::new(),
            digest: String::new(),
            history: 0,
            is_example: false,
        };
        let mut names = USERS_TABLES.into_iter();
        let free = names.find(|name| !known.creates(name));
        migrations.users_table = free.unwrap_or(USERS_TABLE);
        migrations.extensions = migrations
            .scripts()
            .flat_map(|script| script.extensions.clone())
            .collect();
        migrations.finish()
    }

    /// Fills in the digests.
    fn finish(mut self) -> Result<Self, LoadError> {
        self.digest = self.digested(&MigrationSet::registry()?);
        self.history = history::digest(self.stamps());
        Ok(self)
    }

    fn scripts(&self) -> impl Iterator<Item = &ScriptFile> {
        let files = self.shared.iter().chain([&self.app]);
        let files = files.flat_map(MigrationSet::scripts);
        files.chain(&self.seed).chain(self.demos.values())
    }
}

/// How the text of a file becomes what is sent to Postgres.
enum Reading<'a> {
    /// As it stands: it was written for the place where it runs.
    Whole,
    /// Made to fit into a tenant's schema.
    Adapted(&'a mut Known),
}

/// The migrations of one directory, in the order of their versions.
#[derive(Debug, Clone)]
pub(crate) struct MigrationSet {
    /// The table, in the migrated schema, in which refinery keeps what has run.
    history: &'static str,
    files: Vec<MigrationFile>,
    /// What new schemas run in place of the files that it stands for.
    baseline: Option<Box<Baseline>>,
    /// What the files have established, for a baseline to tell: see [`Known::noted`].
    names: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct MigrationFile {
    migration: Migration,
    script: ScriptFile,
}

impl MigrationSet {
    /// The migrations of the registry itself.
    pub(crate) fn registry() -> Result<Self, LoadError> {
        load::embedded("registry")?.set("migration_history", &mut Reading::Whole)
    }

    /// Of each file its version, its name, and the checksum that its history has.
    pub(crate) fn stamps(&self) -> impl Iterator<Item = (i32, (&str, String))> {
        self.files.iter().map(|file| {
            let migration = &file.migration;
            let checksum = migration.checksum().to_string();
            (migration.version(), (migration.name(), checksum))
        })
    }

    /// The name of the history table, without its schema.
    pub(crate) fn history(&self) -> &'static str {
        self.history
    }

    /// The version of a file of this name.
    pub(crate) fn version_of(&self, file: &str) -> Option<i32> {
        let found = self.files.iter().find(|one| one.script.name == file);
        found.map(|one| one.migration.version())
    }

    /// The versions and the names of the files.
    pub(crate) fn files(&self) -> impl Iterator<Item = (i32, &str)> {
        let files = self.files.iter();
        files.map(|file| (file.migration.version(), &*file.script.name))
    }

    fn scripts(&self) -> impl Iterator<Item = &ScriptFile> {
        let baseline = self.baseline.iter().map(|baseline| baseline.script());
        baseline.chain(self.files.iter().map(|file| &file.script))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// The last migration's number; 0 when there is none.
    pub(crate) fn version(&self) -> i32 {
        self.files.last().map_or(0, |file| file.migration.version())
    }
}

#[cfg(test)]
mod tests;
