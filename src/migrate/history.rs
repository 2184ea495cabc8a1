//! What has run: in a tenant's schema, read for both sets at once, and as one number for all of it.

use refinery_core::Migration;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio_postgres::SimpleQueryRow;

use super::{MigrationError, MigrationSet, Migrations, SchemaVersion};
use crate::names::SchemaName;

/// One of the sets that a tenant's schema is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SetName {
    Base,
    App,
}

impl SetName {
    /// The word in the registry.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::App => "app",
        }
    }
}

/// What tells a file from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp<'a> {
    pub(crate) set: SetName,
    pub(crate) version: i32,
    pub(crate) name: &'a str,
    pub(crate) checksum: u64,
}

impl Migrations {
    /// The sets of a tenant's schema, in the order in which they run.
    pub(crate) fn sets(&self) -> [(SetName, &MigrationSet); 2] {
        [(SetName::Base, &self.base), (SetName::App, &self.app)]
    }

    /// The stamps of all files that a tenant's schema is made of, in the order of their sets and versions.
    pub(crate) fn stamps(&self) -> impl Iterator<Item = Stamp<'_>> {
        self.sets().into_iter().flat_map(|(set, files)| {
            files.files.iter().map(move |file| Stamp {
                set,
                version: file.migration.version(),
                name: file.migration.name(),
                checksum: file.migration.checksum(),
            })
        })
    }
}

/// A digest of files that have run, whatever their order was; never 0, which stands for a history that nobody knows.
pub(crate) fn digest<'a>(stamps: impl Iterator<Item = Stamp<'a>>) -> i64 {
    let mut hash = Sha256::new();
    for stamp in stamps {
        let line = format!(
            "{} {} {}\n",
            stamp.set.word(),
            stamp.version,
            stamp.checksum
        );
        hash.update(line);
    }
    let bytes = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&bytes[..8]);
    match i64::from_be_bytes(first) {
        0 => 1,
        digest => digest,
    }
}

/// The version of a schema in which these files have run.
pub(super) fn version_of<'a>(stamps: impl Iterator<Item = Stamp<'a>>) -> SchemaVersion {
    let stamps: Vec<Stamp<'_>> = stamps.collect();
    let last = |set: SetName| {
        let versions = stamps.iter().filter(|stamp| stamp.set == set);
        versions.map(|stamp| stamp.version).max().unwrap_or(0)
    };
    SchemaVersion {
        base: last(SetName::Base),
        app: last(SetName::App),
        digest: digest(stamps.iter().copied()),
    }
}

/// What has run in a tenant's schema.
#[derive(Debug, Default)]
pub(crate) struct History {
    base: Vec<Migration>,
    app: Vec<Migration>,
}

impl History {
    /// The statement whose rows [`Self::add`] takes.
    pub(crate) fn query(schema: &SchemaName, migrations: &Migrations) -> String {
        let schema = schema.quoted();
        let selects = migrations.sets().map(|(name, set)| {
            let (name, history) = (name.word(), set.history);
            format!(
                "select '{name}' as set, version, name, applied_on, checksum from {schema}.{history}"
            )
        });
        format!("{} order by version", selects.join(" union all "))
    }

    pub(crate) fn add(&mut self, row: &SimpleQueryRow) -> Result<(), MigrationError> {
        let ran = applied(text(row, 1)?, text(row, 2)?, text(row, 3)?, text(row, 4)?)?;
        if text(row, 0)? == SetName::Base.word() {
            self.base.push(ran);
        } else {
            self.app.push(ran);
        }
        Ok(())
    }

    pub(super) fn push(&mut self, set: SetName, ran: Migration) {
        let of_set = match set {
            SetName::Base => &mut self.base,
            SetName::App => &mut self.app,
        };
        of_set.push(ran);
        of_set.sort_by_key(Migration::version);
    }

    /// What has run of one set, in the order of the versions.
    pub(super) fn of(&self, set: SetName) -> Vec<Migration> {
        match set {
            SetName::Base => self.base.clone(),
            SetName::App => self.app.clone(),
        }
    }

    /// The versions of one set that have run.
    pub(crate) fn versions(&self, set: SetName) -> impl Iterator<Item = i32> {
        let ran = match set {
            SetName::Base => &self.base,
            SetName::App => &self.app,
        };
        ran.iter().map(Migration::version)
    }
}

fn text(row: &SimpleQueryRow, column: usize) -> Result<&str, tokio_postgres::Error> {
    Ok(row.try_get(column)?.unwrap_or_default())
}

/// This moment, and as entries of a history table have it.
pub(super) fn now() -> Result<(OffsetDateTime, String), MigrationError> {
    let now = OffsetDateTime::now_utc();
    let text = now.format(&Rfc3339);
    let text = text.map_err(|error| MigrationError::History(error.to_string()))?;
    Ok((now, text))
}

/// An entry of a history table.
pub(super) fn applied(
    version: &str,
    name: &str,
    applied_on: &str,
    checksum: &str,
) -> Result<Migration, MigrationError> {
    let parsed = (
        version.parse(),
        OffsetDateTime::parse(applied_on, &Rfc3339),
        checksum.parse(),
    );
    match parsed {
        (Ok(version), Ok(applied_on), Ok(checksum)) => Ok(Migration::applied(
            version,
            name.to_owned(),
            applied_on,
            checksum,
        )),
        _ => Err(MigrationError::History(format!(
            "the history entry of version {version} is unreadable"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_tells_what_has_run() {
        let stamp = |set, version, checksum| Stamp {
            set,
            version,
            name: "it",
            checksum,
        };
        let one = stamp(SetName::Base, 1, 11);
        let other = [
            stamp(SetName::App, 1, 11),
            stamp(SetName::Base, 11, 1),
            stamp(SetName::Base, 1, 12),
        ];
        let known = digest([one].into_iter());
        assert_eq!(known, digest([one].into_iter()));
        for other in other {
            assert_ne!(known, digest([other].into_iter()));
            assert_ne!(known, digest([one, other].into_iter()));
        }
    }
}
