//! Finds migration files, in the binary or in a directory, and reads their names and statements.

mod begun;
mod next;
mod read;
mod replaced;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use refinery_core::Migration;
use rust_embed::RustEmbed;

use super::baseline::{self, BaselineError};
use super::script::{self, Known, ScriptError};
use super::{MigrationFile, MigrationSet, Reading, ScriptFile};
use crate::names::brief;

pub(crate) use next::next_file;

/// Whether a script runs without a version: `seed.sql` for every new tenant, `demo.sql` and
/// `demo_<subdomain>.sql` for demo tenants.
fn is_unversioned(name: &str) -> bool {
    name == "seed.sql" || name == "demo.sql" || name.starts_with("demo_")
}

#[derive(RustEmbed)]
#[folder = "sql/"]
#[include = "*.sql"]
struct Embedded;

/// A file's name and its text.
type File = (String, String);

/// The `.sql` files of one directory.
pub(super) struct Sources {
    place: PathBuf,
    files: Vec<File>,
}

/// Why a directory is not a set of migrations.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("{} holds no migration: expected files like V1__create_tables.sql", .0.display())]
    Empty(PathBuf),
    #[error(
        "{} is not named like V1__create_tables.sql: a capital V (or U, to allow running late), a whole number up to \
         2147483647, two underscores, a name of letters, digits and underscores (seed.sql, demo.sql and a file \
         that is alone, and has no number, need no such name)", .0.display()
    )]
    BadName(PathBuf),
    #[error("{} would be passed over: rename it, so that it ends in .sql, in small letters", .0.display())]
    BadEnding(PathBuf),
    #[error("{} and {second} have the same version: each number can be used once", first.display())]
    RepeatedVersion { first: PathBuf, second: String },
    #[error("there is no version {version}: the last one is {last}")]
    NoSuchVersion { version: i32, last: i32 },
    #[error(
        "{} is alone in its directory, so that it needed no number: rename it to V1__schema.sql before there is \
         another (what has run stays as it is)", .0.display()
    )]
    Alone(PathBuf),
    #[error("{} has the last number that there is", .0.display())]
    LastNumber(PathBuf),
    #[error(
        "{0}: the tables that tenants share are migrated in one transaction, so that no file can run without one"
    )]
    SharedAutocommit(String),
    #[error("{}: {error}", path.display())]
    BadScript { path: PathBuf, error: ScriptError },
    #[error("{}: {error}", path.display())]
    BadBaseline { path: PathBuf, error: BaselineError },
    #[error(
        "{} is not the file that {baseline} stands for: a file that has run must not change; undo the change and put \
         it into a new file", path.display()
    )]
    OtherFile { path: PathBuf, baseline: String },
    #[error(
        "{} comes too late: {baseline} stands for all files before version {next}; give it a greater number",
        path.display()
    )]
    TooLate {
        path: PathBuf,
        baseline: String,
        next: i32,
    },
    #[error(
        "gone, as {baseline} stands for them: {}; to know how things were then, bring them back (git has them)",
        brief(files)
    )]
    Replaced {
        files: Vec<String>,
        baseline: String,
    },
}

/// A directory below `sql/` that was compiled into the binary.
pub(super) fn embedded(directory: &str) -> Result<Sources, LoadError> {
    let place = Path::new("sql").join(directory);
    let mut files = Vec::new();
    for path in Embedded::iter() {
        let Some(name) = path
            .strip_prefix(directory)
            .and_then(|rest| rest.strip_prefix('/'))
        else {
            continue;
        };
        let bytes = Embedded::get(&path)
            .map(|file| file.data)
            .unwrap_or_default();
        files.push((name.to_owned(), decode(&place.join(name), &bytes)?));
    }
    Ok(Sources { place, files })
}

/// Where the embedded migrations of the app come from, while it is worked on: the checkout that a debug build is of.
pub(crate) fn checkout() -> Option<PathBuf> {
    #[cfg(debug_assertions)]
    let place = Some(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/tenant").into());
    #[cfg(not(debug_assertions))]
    let place: Option<PathBuf> = None;
    place.filter(|place: &PathBuf| place.is_dir())
}

/// Whether a file counts; hidden ones are what editors and file systems keep for themselves. What ends in `.SQL` is meant to
/// count, and so is refused rather than passed over.
pub(crate) fn is_sql(path: &Path) -> bool {
    let hidden = |name: &OsStr| name.as_encoded_bytes().starts_with(b".");
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("sql"))
        && !path.file_name().is_some_and(hidden)
}

/// A directory on disk; anything but `.sql` files in it is passed over.
pub(super) fn directory(place: &Path) -> Result<Sources, LoadError> {
    let unreadable = |path: &Path, error| LoadError::Unreadable {
        path: path.to_owned(),
        error,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(place).map_err(|e| unreadable(place, e))? {
        let path = entry.map_err(|e| unreadable(place, e))?.path();
        if !is_sql(&path) || path.is_dir() {
            continue;
        }
        if path.extension().is_some_and(|extension| extension != "sql") {
            return Err(LoadError::BadEnding(path));
        }
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .map(str::to_owned);
        let name = name.ok_or_else(|| LoadError::BadName(path.clone()))?;
        let bytes = std::fs::read(&path).map_err(|e| unreadable(&path, e))?;
        files.push((name, decode(&path, &bytes)?));
    }
    files.sort();
    Ok(Sources {
        place: place.to_owned(),
        files,
    })
}

fn decode(path: &Path, bytes: &[u8]) -> Result<String, LoadError> {
    match script::decode(bytes) {
        Ok(text) => Ok(text.into_owned()),
        Err(error) => Err(LoadError::BadScript {
            path: path.to_owned(),
            error,
        }),
    }
}

impl Sources {
    /// Reads one of the scripts without a version, if it is there.
    pub(super) fn script(
        &self,
        name: &str,
        known: &mut Known,
    ) -> Result<Option<ScriptFile>, LoadError> {
        let file = self.files.iter().find(|(file, _)| file == name);
        file.map(|(name, text)| self.parse(name, text, known))
            .transpose()
    }

    /// Reads what only demo tenants have, by file name.
    pub(super) fn demos(
        &self,
        known: &mut Known,
    ) -> Result<BTreeMap<String, ScriptFile>, LoadError> {
        self.files
            .iter()
            .filter(|(name, _)| name == "demo.sql" || name.starts_with("demo_"))
            .map(|(name, text)| Ok((name.clone(), self.parse(name, text, known)?)))
            .collect()
    }

    /// Reads all that has a version, in that order. `history` is the name of the table that remembers what has run.
    pub(super) fn set(
        &self,
        history: &'static str,
        reading: &mut Reading<'_>,
    ) -> Result<MigrationSet, LoadError> {
        let files = self.versioned()?.into_iter();
        let files = files.map(|(migration, (name, text))| MigrationFile {
            script: ScriptFile::whole(name, text),
            migration,
        });
        let mut set = MigrationSet {
            history,
            files: files.collect(),
            baseline: None,
            names: None,
        };
        if let Reading::Adapted(known) = reading {
            self.put_baseline(&mut set)?;
            set.read(known, &self.place)?;
        }
        if set.files.is_empty() {
            return Err(LoadError::Empty(self.place.clone()));
        }
        Ok(set)
    }

    fn versioned(&self) -> Result<Vec<(Migration, &File)>, LoadError> {
        let versioned =
            |file: &&File| !is_unversioned(&file.0) && baseline::version_in(&file.0).is_none();
        let files: Vec<_> = self.files.iter().filter(versioned).collect();
        let alone = files.len() == 1;
        let mut migrations = Vec::with_capacity(files.len());
        for file in files {
            let bad = || LoadError::BadName(self.place.join(&file.0));
            let stem = match migration_stem(&file.0) {
                Some(stem) => stem,
                None if alone && !is_numbered(&file.0) => "V1__schema",
                None => return Err(bad()),
            };
            migrations.push((
                Migration::unapplied(stem, &file.1).map_err(|_| bad())?,
                file,
            ));
        }
        migrations.sort_by_key(|(migration, _)| migration.version());
        let twins = migrations
            .windows(2)
            .find(|pair| pair[0].0.version() == pair[1].0.version());
        if let Some([(_, first), (_, second)]) = twins {
            return Err(LoadError::RepeatedVersion {
                first: self.place.join(&first.0),
                second: second.0.clone(),
            });
        }
        Ok(migrations)
    }

    fn parse(&self, name: &str, text: &str, known: &mut Known) -> Result<ScriptFile, LoadError> {
        ScriptFile::parse(name, text, known).map_err(|error| LoadError::BadScript {
            path: self.place.join(name),
            error,
        })
    }
}

/// `V7__add_labels` of `V7__add_labels.sql`. Stricter than refinery, which would take `V1__a-b` for `V1__a`.
fn migration_stem(file: &str) -> Option<&str> {
    let stem = file.strip_suffix(".sql")?;
    let (version, name) = stem.split_once("__")?;
    let digits = version.strip_prefix(['V', 'U'])?;
    let number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let word = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (number && word).then_some(stem)
}

/// Whether a name is meant to say a version: `v2__b.sql`, `V2_b.sql`.
fn is_numbered(file: &str) -> bool {
    let rest = file.strip_prefix(['V', 'v', 'U', 'u', 'B', 'b']);
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::Migrations;

    fn load(files: &[(&str, &str)]) -> Result<Migrations, String> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        Migrations::from_dir(dir.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_ships_in_the_binary_loads() {
        let migrations = Migrations::embedded().unwrap();
        assert!(migrations.version().base >= 1 && migrations.version().app >= 1);
        assert!(MigrationSet::registry().unwrap().version() >= 1);
    }

    #[test]
    fn versions_are_numbers_not_text() {
        let files = [
            ("V10__c.sql", "select 10"),
            ("V2__b.sql", "select 2"),
            ("seed.sql", "select 0"),
            ("README.md", ""),
        ];
        let migrations = load(&files).unwrap();
        assert_eq!(migrations.version().app, 10);
        assert_eq!(migrations.app.files.len(), 2);
        assert!(migrations.seed.is_some() && migrations.demo("acme").next().is_none());
    }

    #[test]
    fn a_lone_file_may_have_any_name() {
        assert_eq!(
            load(&[("chinook-postgres 1.4.sql", "select 1")])
                .unwrap()
                .version()
                .app,
            1
        );
    }

    #[test]
    fn shared_tables_are_migrated_in_one_transaction() {
        let (app, shared) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(app.path().join("V1__a.sql"), "select 1").unwrap();
        let marked = "-- tenantry: no transaction\nvacuum t";
        std::fs::write(shared.path().join("V1__s.sql"), marked).unwrap();
        let error = Migrations::load(Some((app.path(), Some(shared.path()))), None).unwrap_err();
        assert!(error.to_string().starts_with("V1__s.sql: "), "{error}");
    }

    #[test]
    fn mistakes_are_reported_with_the_file() {
        let error = load(&[]).unwrap_err();
        assert!(error.contains("holds no migration"), "{error}");
        let error = load(&[("schema.sql", "select 1"), ("data.sql", "select 1")]).unwrap_err();
        assert!(error.contains("data.sql is not named like V1__"), "{error}");
        for bad in [
            "V1_a.sql",
            "V1__.sql",
            "V1__a-b.sql",
            "v1__a.sql",
            "V1.5__a.sql",
            "V99999999999__a.sql",
        ] {
            // It is no better where it is alone.
            for others in [&[("V2__b.sql", "select 1")][..], &[]] {
                let error = load(&[&[(bad, "select 1")], others].concat()).unwrap_err();
                assert!(error.contains(bad), "{error}");
            }
        }
        for bad in ["V3__c.SQL", "Seed.Sql"] {
            let error = load(&[("V1__a.sql", "select 1"), (bad, "select 1")]).unwrap_err();
            assert!(
                error.contains(bad) && error.contains("passed over"),
                "{error}"
            );
        }
        let error = load(&[("V1__a.sql", "select 1"), ("V01__b.sql", "select 1")]).unwrap_err();
        assert!(
            error.contains("V1__a.sql") && error.contains("V01__b.sql"),
            "{error}"
        );
        let error = Migrations::from_dir(Path::new("/nowhere"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("/nowhere"), "{error}");
    }
}
