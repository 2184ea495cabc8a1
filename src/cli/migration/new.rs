//! `tenantry migration new`: the next file, with the number and the name that it needs.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Args;

use crate::cli::output;
use crate::config::TenantSql;
use crate::migrate;

/// Where migrations are when nothing else is said, as in the example.
const USUAL_PLACE: &str = "sql/tenant";

/// Long enough for a sentence; with its number a file's name has to fit into 255 bytes.
const LONGEST_NAME: usize = 200;

/// Exit status: 0 done, 1 failed, 2 wrong command line, 9 the files that are there are no migrations.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What the migration does, in a few words: `add_due_dates` or 'add due dates'.
    name: String,

    /// Its statements cannot run in a transaction, as `create index concurrently`.
    #[arg(long)]
    no_transaction: bool,

    /// It is for the tables that all tenants share.
    #[arg(long)]
    shared: bool,

    /// `sql/tenant` is the directory when none is named.
    #[command(flatten)]
    tenant_sql: TenantSql,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let name = name(&arguments.name)?;
    let dir = directory(arguments)?;
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let path = dir.join(migrate::next_file(&dir, &name)?);
    let mut text = format!("-- {}\n", name.replace('_', " "));
    if arguments.no_transaction {
        text.insert_str(0, NO_TRANSACTION);
    }
    // Somebody else's file of that name is not overwritten.
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))?;
    output::write(&format!("{}\n", path.display()));
    Ok(())
}

const NO_TRANSACTION: &str = "\
-- tenantry: no transaction
-- Statements run one by one, and from the first one on again when one has failed: write `if not exists`.
";

fn directory(arguments: &Arguments) -> anyhow::Result<PathBuf> {
    let tenant_sql = &arguments.tenant_sql;
    let usual = || PathBuf::from(USUAL_PLACE);
    let app = tenant_sql.tenant_sql.clone();
    let app = app.or_else(|| Some(usual()).filter(|dir| dir.is_dir()));
    let app = app.with_context(|| {
        format!("where are the migrations? Give --tenant-sql or TENANTRY_TENANT_SQL ({USUAL_PLACE} is not there)")
    })?;
    if !arguments.shared {
        return Ok(app);
    }
    let places = TenantSql {
        tenant_sql: Some(app.clone()),
        ..tenant_sql.clone()
    };
    let shared = places.places().into_iter().nth(1);
    shared.with_context(|| format!("{} is not there", app.display()))
}

/// Words become parts of one name.
fn name(text: &str) -> anyhow::Result<String> {
    let text = text.trim();
    let plain = text.strip_suffix(".sql").unwrap_or(text);
    ensure!(
        !plain.contains("__"),
        "{text:?}: give the name alone; its number is found, and the file is called V<number>__<name>.sql"
    );
    let is_between = |c: char| matches!(c, ' ' | '-' | '_' | '.' | ',' | ':');
    let words: Vec<_> = plain
        .split(is_between)
        .filter(|word| !word.is_empty())
        .collect();
    let alphanumeric = words
        .iter()
        .all(|word| word.bytes().all(|b| b.is_ascii_alphanumeric()));
    ensure!(
        alphanumeric && !words.is_empty() && plain.len() <= LONGEST_NAME,
        "{text:?} is no name for a migration: a few words of English letters and digits are"
    );
    Ok(words.join("_").to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn words_become_a_name() {
        for (text, expected) in [
            ("add_due_dates", "add_due_dates"),
            ("Add due dates", "add_due_dates"),
            (" add-due.dates.sql ", "add_due_dates"),
            ("issues: due, late", "issues_due_late"),
            ("2fa", "2fa"),
        ] {
            assert_eq!(name(text).unwrap(), expected);
        }
        let long = "a".repeat(201);
        for bad in [
            "", " ", "_", "../up", "a/b", "naïve", "V8__x", "x'y", "a\nb", &long,
        ] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }
}
