//! A baseline: one file that makes what many files have made, so that a new tenant need not go their way.

use std::fmt::Write as _;

use refinery_core::Migration;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::file::SchemaState;
use super::runner::run_body;
use super::script::{Known, ScriptError};
use super::{MigrationError, MigrationFile, MigrationSet, ScriptFile, history};
use crate::names::{SchemaName, brief};

/// How such a file begins; the lines after it say what it stands for.
const MARK: &str = "-- tenantry: baseline";

const EXPLANATION: &str = "\
-- New tenants run this file in place of those that are named here, and count as having run them. It was made by
-- `tenantry squash`, which has proven that it makes the same, and must not be edited: make another one.
";

/// What is before names that the files bring along, where they have several schemas, and before the digest of all else.
const NAMES: &str = "-- names ";
const DIGEST: &str = "-- sha256 ";

#[derive(Debug, Clone)]
pub(super) struct Baseline {
    pub(super) name: String,
    pub(super) text: String,
    /// The files whose work it does, in the order of their versions.
    stands_for: Vec<Migration>,
    /// What they have established for the files after them, if its own statements do not tell.
    names: Option<Box<Known>>,
    /// Empty until it is read.
    script: ScriptFile,
}

/// Why a file is no baseline.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BaselineError {
    #[error("its first lines are not those that `tenantry squash` writes")]
    Head,
    #[error(
        "it was edited after `tenantry squash` has proven that it makes what the files make: undo the change, or \
         remove it and make another one"
    )]
    Edited,
    #[error("it stands for files up to version {0}, which is not the number in its name")]
    Number(i32),
}

impl Baseline {
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, BaselineError> {
        let (head, body) = parts(text).ok_or(BaselineError::Head)?;
        let (mut stands_for, mut names, mut expected) = (Vec::new(), None, None);
        for line in head.lines() {
            if let Some(line) = line.strip_prefix(NAMES) {
                let known = Known::recall(line).ok_or(BaselineError::Head)?;
                names = Some(Box::new(known));
            } else if let Some(digest) = line.strip_prefix(DIGEST) {
                expected = Some(digest);
            } else if let Some(file) = entry(line) {
                stands_for.push(file);
            }
        }
        stands_for.sort();
        if expected != Some(digest(head, body).as_str()) {
            return Err(BaselineError::Edited);
        }
        let last = stands_for.last().map(Migration::version);
        match last {
            None => Err(BaselineError::Head),
            Some(last) if Some(last) != version_in(name) => Err(BaselineError::Number(last)),
            Some(_) => Ok(Self {
                name: name.to_owned(),
                text: text.to_owned(),
                stands_for,
                names,
                script: ScriptFile::whole(name, ""),
            }),
        }
    }

    /// The text of one that stands for these files.
    pub(super) fn write<'a>(
        files: impl Iterator<Item = &'a Migration>,
        names: Option<&str>,
        body: &str,
    ) -> String {
        let mut head = format!("{MARK}\n{EXPLANATION}");
        for file in files {
            let _ = writeln!(head, "-- {file} {}", file.checksum());
        }
        if let Some(names) = names {
            let _ = writeln!(head, "{NAMES}{names}");
        }
        let body = format!("\n{body}");
        let digest = digest(&head, &body);
        format!("{head}{DIGEST}{digest}\n{body}")
    }

    /// Reads its statements. `known` becomes what the files that it stands for have established.
    pub(super) fn read(&mut self, known: &mut Known) -> Result<(), ScriptError> {
        // What it makes is all in one schema, whatever the files have made.
        let mut own = known.clone();
        self.script = ScriptFile::parse(&self.name, &self.text, &mut own)?;
        match &self.names {
            Some(names) => known.take_names(names),
            None => *known = own,
        }
        Ok(())
    }

    /// The last version that it stands for.
    pub(super) fn version(&self) -> i32 {
        self.stands_for.last().map_or(0, Migration::version)
    }

    pub(super) fn script(&self) -> &ScriptFile {
        &self.script
    }

    /// The file of this version that it stands for.
    pub(super) fn of_version(&self, version: i32) -> Option<&Migration> {
        let mut files = self.stands_for.iter();
        files.find(|file| file.version() == version)
    }

    /// Those of its files that are not among these. They cannot run, and are there to be known.
    pub(super) fn files_that_are_gone(&self, files: &[MigrationFile]) -> Vec<MigrationFile> {
        let is_gone = |old: &&Migration| files.iter().all(|file| file.migration != **old);
        let gone = self.stands_for.iter().filter(is_gone);
        let file = |old: &Migration| MigrationFile {
            migration: old.clone(),
            script: ScriptFile::whole(&format!("{old}.sql"), ""),
        };
        gone.map(file).collect()
    }

    /// Runs in a new schema, and gives what counts as having run: `history` is the table that remembers.
    pub(super) async fn run(
        &self,
        client: &Client,
        schema: &SchemaName,
        history: &str,
    ) -> Result<Vec<Migration>, MigrationError> {
        run_body(client, schema, &self.script, SchemaState::New).await?;
        let files = self.stands_for.iter();
        let versions: Vec<_> = files.clone().map(Migration::version).collect();
        let names: Vec<_> = files.clone().map(Migration::name).collect();
        let checksums: Vec<_> = files.map(|file| file.checksum().to_string()).collect();
        let (_, now) = history::now()?;
        let statement = format!(
            "insert into {}.{history} (version, name, checksum, applied_on) \
             select *, $4 from unnest($1, $2, $3)",
            schema.quoted()
        );
        let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
            (&versions, Type::INT4_ARRAY),
            (&names, Type::TEXT_ARRAY),
            (&checksums, Type::TEXT_ARRAY),
            (&now, Type::TEXT),
        ];
        client.execute_typed(&statement, &parameters).await?;
        Ok(self.stands_for.clone())
    }
}

impl MigrationFile {
    /// Whether a baseline stands for it, and nobody knows what was in it.
    pub(super) fn is_gone(&self) -> bool {
        self.migration.sql().is_none()
    }
}

impl MigrationSet {
    /// What is gone cannot be run where it has not run yet.
    pub(super) fn refuse_gone(&self, ran: &[Migration]) -> Result<(), MigrationError> {
        let gone = self.files.iter().filter(|file| file.is_gone());
        let has_run = |file: &&MigrationFile| ran.iter().any(|ran| ran.version() == file.version());
        let pending = gone.filter(|file| !has_run(file));
        let pending: Vec<_> = pending.map(MigrationFile::name).collect();
        let (false, Some(baseline)) = (pending.is_empty(), &self.baseline) else {
            return Ok(());
        };
        Err(MigrationError::History(format!(
            "files have not run here and are gone, as {} stands for them: {}; bring them back (git has them), and \
             remove them when all tenants have run them",
            baseline.name,
            brief(&pending)
        )))
    }
}

/// The number of a file that is called like one: `B7__baseline.sql`.
pub(crate) fn version_in(file: &str) -> Option<i32> {
    let stem = file.strip_suffix(".sql")?.strip_prefix('B')?;
    let (digits, _) = stem.split_once("__")?;
    let is_number = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// The first lines, up to the digest, and all that follows.
fn parts(text: &str) -> Option<(&str, &str)> {
    if text.lines().next()?.trim_end() != MARK {
        return None;
    }
    let digest = text.find(&format!("\n{DIGEST}"))? + 1;
    let end = digest + text[digest..].find('\n')? + 1;
    Some(text.split_at(end))
}

/// Of everything but the line that holds it.
fn digest(head: &str, body: &str) -> String {
    let mut digest = Sha256::new();
    for line in head.lines().filter(|line| !line.starts_with(DIGEST)) {
        digest.update(line);
        digest.update("\n");
    }
    digest.update(body);
    let bytes = digest.finalize();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `-- V7__access 1234567890`
fn entry(line: &str) -> Option<Migration> {
    let (file, checksum) = line.strip_prefix("-- ")?.split_once(' ')?;
    let (version, name) = file.split_once("__")?;
    let version = version.strip_prefix(['V', 'U'])?.parse().ok()?;
    let word = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let checksum = checksum.parse().ok().filter(|_| word)?;
    let never = OffsetDateTime::UNIX_EPOCH;
    Some(Migration::applied(
        version,
        name.to_owned(),
        never,
        checksum,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> [Migration; 2] {
        ["V1__a", "U2__b_2"].map(|name| Migration::unapplied(name, name).unwrap())
    }

    #[test]
    fn what_is_written_is_read() {
        let body = "create table a ();\n-- V3__c 3\n-- sha256 0\n";
        let text = Baseline::write(files().iter(), None, body);
        let baseline = Baseline::parse("B2__baseline.sql", &text).unwrap();
        assert_eq!(baseline.stands_for, files());
        assert_eq!(baseline.version(), 2);
        assert!(baseline.names.is_none() && text.ends_with(body), "{text}");
        assert!(baseline.of_version(2).is_some() && baseline.of_version(3).is_none());
    }

    #[test]
    fn what_was_not_proven_is_refused() {
        let text = Baseline::write(files().iter(), None, "create table a ();\n");
        let refused = |name: &str, text: &str| Baseline::parse(name, text).unwrap_err();
        for edited in [
            text.replace("table a", "table b"),
            text.replace("-- U2__b_2", "-- V2__b_2 "),
            text.replace("V1__a", "V1__b"),
            text.clone() + "\n",
        ] {
            let error = refused("B2__baseline.sql", &edited);
            assert!(matches!(error, BaselineError::Edited), "{edited}");
        }
        for other in ["", "create table a ();", MARK, &text.replacen("--", "#", 1)] {
            let error = refused("B2__baseline.sql", other);
            assert!(matches!(error, BaselineError::Head), "{other}");
        }
        assert!(matches!(
            refused("B3__baseline.sql", &text),
            BaselineError::Number(2)
        ));
    }

    #[test]
    fn a_baseline_is_known_by_its_name() {
        assert_eq!(version_in("B007__baseline.sql"), Some(7));
        for other in [
            "B__a.sql",
            "Beds.sql",
            "V7__a.sql",
            "B+7__a.sql",
            "B7__a.txt",
        ] {
            assert_eq!(version_in(other), None, "{other}");
        }
    }
}
