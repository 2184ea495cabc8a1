//! What to say of statements that are left out: nothing where all is as if they had run.

use super::lex::Kind;
use super::names::Known;
use super::tokens::Tokens;
use super::{Note, Script};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Remark {
    /// Whoever starts a command with the files should hear of it.
    Loud(String),
    /// For those who ask the linter.
    Quiet(String),
}

use Remark::{Loud, Quiet};

impl Script {
    /// Each once, with its first line.
    pub(super) fn remark(&mut self, line: u32, remark: Remark) {
        let (notes, message) = match remark {
            Loud(message) => (&mut self.notes, message),
            Quiet(message) => (&mut self.left_out, message),
        };
        if notes.iter().all(|note| note.message != message) {
            notes.push(Note { line, message });
        }
    }
}

/// `later` are the statements behind it.
pub(super) fn remark<'a>(
    tokens: Tokens<'_>,
    known: &Known,
    later: impl Iterator<Item = Tokens<'a>>,
) -> Option<Remark> {
    // Of these, dumps have one for each object, or they are what happens anyhow.
    const USUAL: [&str; 3] = ["DATABASE", "EXTENSION", "LANGUAGE"];
    let verb = tokens.raw(0).to_ascii_uppercase();
    match verb.as_str() {
        "COMMIT" | "END" => ends_early(later).then(|| {
            Loud("COMMIT: left out, as a file is one transaction, all of it or none".into())
        }),
        "SET" => setting(tokens, known),
        "CREATE" if tokens.is(1, "SCHEMA") => schema(tokens),
        "ALTER" if tokens.are(1, &["DEFAULT", "PRIVILEGES"]) => {
            Some(beyond("ALTER DEFAULT PRIVILEGES"))
        }
        "ALTER" if tokens.is_any(1, &["ROLE", "USER", "DATABASE"]) && !owner(tokens) => Some(
            beyond(&["ALTER ", &tokens.raw(1).to_ascii_uppercase()].concat()),
        ),
        "ALTER" if !owner(tokens) && says(tokens, &["SET", "SCHEMA"]) => Some(Quiet(
            "SET SCHEMA: left out, as all schemas of the files are the tenant's one".into(),
        )),
        "DROP" if !tokens.is_any(1, &USUAL) && !tokens.is(1, "PROCEDURAL") => Some(beyond(
            &["DROP ", &tokens.raw(1).to_ascii_uppercase()].concat(),
        )),
        "GRANT" | "REVOKE" => Some(Quiet(format!(
            "{verb}: left out, as it is about other roles than `tenant` and PUBLIC, or more than an object"
        ))),
        "REINDEX" if !tokens.is_any(1, &["DATABASE", "SYSTEM", "SCHEMA"]) => None,
        "LISTEN" | "UNLISTEN" | "NOTIFY" | "LOAD" | "DISCARD" | "CHECKPOINT" | "SECURITY"
        | "REASSIGN" | "CLUSTER" | "REINDEX" => Some(beyond(&verb)),
        _ => None,
    }
}

fn beyond(what: &str) -> Remark {
    Quiet(format!(
        "{what}: left out, as it is about more than the tenant's tables"
    ))
}

/// Whether there is work behind a COMMIT.
fn ends_early<'a>(mut later: impl Iterator<Item = Tokens<'a>>) -> bool {
    const NO_WORK: [&str; 8] = [
        "BEGIN", "START", "COMMIT", "END", "SET", "RESET", "ANALYZE", "VACUUM",
    ];
    later.any(|tokens| !tokens.is_any(0, &NO_WORK))
}

fn setting(tokens: Tokens<'_>, known: &Known) -> Option<Remark> {
    // With these everything is as it is anyhow.
    const OURS: [&str; 7] = [
        "public",
        "pg_catalog",
        "pg_temp",
        "extensions",
        "$user",
        "",
        "default",
    ];
    let scope =
        usize::from(tokens.is_any(1, &["SESSION", "LOCAL"]) && tokens.kind(2) == Some(Kind::Word));
    let authorization = tokens.is(1, "SESSION") && tokens.is_any(2, &["AUTHORIZATION", "SESSION"]);
    let at = if authorization {
        tokens.all.len() - 2
    } else {
        1 + scope
    };
    let last = tokens.value(tokens.all.len() - 1)?;
    let as_ever = ["none", "default"].contains(&last.as_ref());
    if authorization || tokens.is(at, "ROLE") {
        let what = if authorization {
            "SESSION AUTHORIZATION"
        } else {
            "ROLE"
        };
        let message = format!("SET {what}: left out, as files run as the owner of the database");
        return (!as_ever).then_some(Loud(message));
    }
    if !tokens.names_any(at, &["search_path", "schema"]) {
        return None;
    }
    let first = at + if tokens.is(at + 1, "TO") { 2 } else { 1 };
    let mut names = (first..tokens.all.len()).filter_map(|at| tokens.value(at));
    let usual = |name: &str| known.has_schema(name) || OURS.contains(&name);
    let unknown = names.find(|name| !usual(name))?;
    Some(Loud(format!(
        "SET search_path: left out, as names mean the tenant's schema; no file makes a schema {unknown}"
    )))
}

/// Of its own, beside `public`.
fn schema(tokens: Tokens<'_>) -> Option<Remark> {
    let name = super::created_schema(tokens).filter(|name| name != super::PUBLIC)?;
    Some(Quiet(format!(
        "CREATE SCHEMA: left out, as what is made in {name} is made in the tenant's schema"
    )))
}

fn owner(tokens: Tokens<'_>) -> bool {
    says(tokens, &["OWNER", "TO"])
}

fn says(tokens: Tokens<'_>, words: &[&str]) -> bool {
    (2..tokens.all.len()).any(|at| tokens.are(at, words))
}

#[cfg(test)]
mod tests {
    use crate::migrate::script::{Known, parse};

    /// Loud and quiet remarks, by line, as far as their first colons.
    fn said(sql: &str) -> (Vec<String>, Vec<String>) {
        let script = parse(sql, &mut Known::default()).unwrap();
        let [loud, quiet] = [script.notes, script.left_out].map(|notes| {
            let short = notes.iter().map(|note| {
                let what = note.message.split(':').next().unwrap_or_default();
                format!("{} {what}", note.line)
            });
            short.collect()
        });
        (loud, quiet)
    }

    #[test]
    fn what_files_in_the_world_begin_and_end_with_goes_without_saying() {
        let sql = "set statement_timeout = 0; set client_encoding = 'UTF8'; set search_path = public, pg_catalog;
            set search_path to \"$user\", public; select pg_catalog.set_config('search_path', '', false);
            set session authorization default; set role none; reset role; set lock_timeout = 0;
            create schema if not exists public; create database x;
            begin; create table t (a int); alter table t owner to joe; commit; set search_path = default; end;";
        assert_eq!(said(sql), (vec![], vec![]));
        let own = "create schema shop; set search_path = shop, public; set schema 'shop'; create table shop.t (a int);";
        assert_eq!(said(own), (vec![], vec!["1 CREATE SCHEMA".into()]));
    }

    #[test]
    fn what_changes_the_meaning_of_a_file_is_told_once() {
        let sql = "begin;\ncreate table t (a int);\ncommit;\nset role joe;\nset local role 'ann';\ncommit;\nselect 1;\n\
            set session authorization joe;\nset session session authorization 'x';\nset search_path to elsewhere, public;\n\
            set schema 'nowhere';";
        let expected = [
            "3 COMMIT",
            "4 SET ROLE",
            "8 SET SESSION AUTHORIZATION",
            "10 SET search_path",
            "11 SET search_path",
        ];
        assert_eq!(said(sql), (expected.map(str::to_owned).into(), vec![]));
    }

    #[test]
    fn what_is_about_more_than_a_tenant_is_there_for_those_who_ask() {
        let sql = "grant select on t to joe;\nrevoke all on t from joe;\nnotify pgrst, 'reload schema';\nload 'auto_explain';\n\
            alter role joe set a = 1;\nalter database d set a = 1;\nalter default privileges grant select on tables to joe;\n\
            alter table t set schema other;\ndrop role joe;\ndiscard all;\nreindex database d;\ngrant select on u to joe;\n\
            grant select on u to tenant;\nalter database d owner to joe;\ncomment on schema s is 'x';";
        let expected = [
            "1 GRANT",
            "2 REVOKE",
            "3 NOTIFY",
            "4 LOAD",
            "5 ALTER ROLE",
            "6 ALTER DATABASE",
            "7 ALTER DEFAULT PRIVILEGES",
            "8 SET SCHEMA",
            "9 DROP ROLE",
            "10 DISCARD",
            "11 REINDEX",
        ];
        assert_eq!(said(sql), (vec![], expected.map(str::to_owned).into()));
    }
}
