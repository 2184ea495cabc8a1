//! What a migration's statement becomes inside a tenant's transaction.
//!
//! A tenant owns one schema; roles, databases, privileges and settings belong to Tenantry. Statements about those are left
//! out, because dumps are full of them; `Script::notes` tells when that could surprise. What can't be left out is refused.

use std::collections::HashSet;

use super::edit::Edit;
use super::lex::Kind;
use super::mode::{self, Mode};
use super::names::Known;
use super::tokens::Tokens;
use super::{privileges, settings};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Run(Vec<Edit>),
    Skip,
    /// Skipped or changed in a way that the author should hear of.
    SkipAndTell(String),
    RunAndTell(Vec<Edit>, String),
    /// The service creates extensions once, in a schema that all tenants see.
    Extension(String),
    Refuse(String),
}

use Verdict::{Extension, Refuse, Run, Skip, SkipAndTell};

/// What is known of the files.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    /// The tables that the same script creates.
    pub(super) fresh: &'a HashSet<String>,
    pub(super) known: &'a Known,
}

pub(super) fn judge(tokens: Tokens<'_>, mode: Mode, seen: Seen<'_>) -> Verdict {
    if let Some(verdict) = mode::judge(tokens, mode, seen) {
        return verdict;
    }
    match tokens.raw(0).to_ascii_uppercase().as_str() {
        "BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "ABORT" | "PREPARE" => {
            transaction(tokens)
        }
        "SET" | "RESET" => settings::set(tokens),
        "SELECT" => settings::select(tokens),
        "CREATE" | "ALTER" if tokens.is(1, "POLICY") => Run(privileges::for_tenant_role(tokens)),
        "CREATE" => create(tokens),
        "ALTER" => alter(tokens),
        "DROP" => drop(tokens),
        "COMMENT" if is_shared(tokens, 2) => Skip,
        "GRANT" | "REVOKE" => privileges::judge(tokens),
        "SECURITY" | "REASSIGN" | "CHECKPOINT" | "LISTEN" | "UNLISTEN" | "NOTIFY" | "DISCARD"
        | "LOAD" => Skip,
        "ANALYZE" | "ANALYSE" if !(1..tokens.all.len()).any(|at| names_a_table(tokens, at)) => {
            tell("ANALYZE without a table would visit every tenant")
        }
        "CLUSTER" if tokens.all.len() == 1 => Skip,
        "REINDEX" if tokens.is_any(1, &["DATABASE", "SYSTEM", "SCHEMA"]) => Skip,
        _ => Run(Vec::new()),
    }
}

fn tell(what: &str) -> Verdict {
    SkipAndTell([what, ": left out"].concat())
}

fn names_a_table(tokens: Tokens<'_>, at: usize) -> bool {
    tokens
        .name(at)
        .is_some_and(|name| !["verbose", "skip_locked", "true", "on"].contains(&name.as_ref()))
}

/// Savepoints are the migration's own business; the transaction is not.
fn transaction(tokens: Tokens<'_>) -> Verdict {
    let to_savepoint = (1..=2).any(|at| tokens.is(at, "TO"));
    match tokens.raw(0).to_ascii_uppercase().as_str() {
        "ROLLBACK" if to_savepoint => Run(Vec::new()),
        "PREPARE" if !tokens.is(1, "TRANSACTION") => Run(Vec::new()),
        "ROLLBACK" | "ABORT" | "PREPARE" => Refuse(
            "a migration is one transaction, which it can't end; ROLLBACK TO a savepoint works"
                .into(),
        ),
        "COMMIT" | "END" if tokens.is(1, "PREPARED") => {
            Refuse("COMMIT PREPARED can't run in a transaction".into())
        }
        _ => Skip,
    }
}

/// Whether the word there names a kind of object that all tenants share.
pub(super) fn is_shared(tokens: Tokens<'_>, at: usize) -> bool {
    const SHARED: [&str; 12] = [
        "DATABASE",
        "SCHEMA",
        "EXTENSION",
        "ROLE",
        "USER",
        "GROUP",
        "TABLESPACE",
        "LANGUAGE",
        "PUBLICATION",
        "SUBSCRIPTION",
        "SYSTEM",
        "OWNED",
    ];
    let mapping = tokens.are(at, &["USER", "MAPPING"]);
    !mapping
        && (tokens.is_any(at, &SHARED)
            || tokens.are(at, &["EVENT", "TRIGGER"])
            || tokens.are(at, &["LARGE", "OBJECT"]))
}

fn create(tokens: Tokens<'_>) -> Verdict {
    let mut at = 1;
    while tokens.is_any(at, &["OR", "REPLACE", "TRUSTED", "PROCEDURAL", "UNIQUE"]) {
        at += 1;
    }
    let kind = tokens.raw(at).to_ascii_uppercase();
    match kind.as_str() {
        "EXTENSION" => {
            let name = at
                + if tokens.are(at + 1, &["IF", "NOT", "EXISTS"]) {
                    4
                } else {
                    1
                };
            extension(tokens, name)
        }
        // Procedural languages are extensions since Postgres 9.1.
        "LANGUAGE" => extension(tokens, at + 1),
        "DATABASE" | "SCHEMA" => Skip,
        "FUNCTION" | "PROCEDURE" => Run(settings::search_path_clauses(tokens)),
        _ if is_shared(tokens, at) => {
            tell(&["CREATE ", &kind, " is about more than one tenant"].concat())
        }
        _ => Run(Vec::new()),
    }
}

fn extension(tokens: Tokens<'_>, at: usize) -> Verdict {
    match tokens.value(at) {
        Some(name) if name.eq_ignore_ascii_case("plpgsql") => Skip,
        Some(name) => Extension(name.into_owned()),
        None => Run(Vec::new()),
    }
}

/// Cuts the tokens from one up to another, with the blanks that follow them.
fn cut(tokens: Tokens<'_>, from: usize, to: usize) -> Edit {
    let end = tokens
        .all
        .get(to)
        .map_or(tokens.all[to - 1].end, |next| next.start);
    Edit::cut(tokens.all[from].start..end)
}

fn alter(tokens: Tokens<'_>) -> Verdict {
    if tokens.is(1, "SYSTEM") {
        return Refuse("ALTER SYSTEM changes the whole database server".into());
    }
    if is_shared(tokens, 1) || tokens.are(1, &["DEFAULT", "PRIVILEGES"]) {
        return Skip;
    }
    let outside: Vec<usize> = tokens.outside_parentheses().collect();
    // All schemas of the migrations become one, so there is nowhere to move to.
    if outside.iter().any(|at| tokens.are(*at, &["SET", "SCHEMA"])) {
        return Skip;
    }
    let owner = outside.into_iter().find(|at| {
        tokens.are(*at, &["OWNER", "TO"])
            && !tokens.is_any(*at - 1, &["RENAME", "COLUMN", "CONSTRAINT"])
    });
    if let Some(owner) = owner {
        return without_owner(tokens, owner);
    }
    if tokens.is_any(1, &["FUNCTION", "PROCEDURE", "ROUTINE"]) {
        return settings::alter_routine(tokens);
    }
    Run(Vec::new())
}

/// `OWNER TO role` may be one of several actions of an ALTER TABLE.
fn without_owner(tokens: Tokens<'_>, owner: usize) -> Verdict {
    let comma = |at: usize| tokens.kind(at) == Some(Kind::Comma);
    if comma(owner - 1) {
        Run(vec![cut(tokens, owner - 1, owner + 3)])
    } else if comma(owner + 3) {
        Run(vec![cut(tokens, owner, owner + 4)])
    } else {
        Skip
    }
}

fn drop(tokens: Tokens<'_>) -> Verdict {
    if tokens.is(1, "SCHEMA") {
        return tell("DROP SCHEMA: a tenant has one schema, which Tenantry keeps");
    }
    let language = if tokens.is(1, "PROCEDURAL") { 2 } else { 1 };
    if is_shared(tokens, language) {
        Skip
    } else {
        Run(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Known, Mode, Seen, Verdict, judge};
    use crate::migrate::script::edit::apply;
    use crate::migrate::script::lex::tokens;
    use crate::migrate::script::tokens::Tokens;

    fn verdict(sql: &str) -> Verdict {
        let all = tokens(sql).unwrap();
        judge(
            Tokens {
                text: sql,
                all: &all,
            },
            Mode::Transaction,
            Seen {
                fresh: &HashSet::new(),
                known: &Known::default(),
            },
        )
    }

    fn run(sql: &str) -> String {
        match verdict(sql) {
            Verdict::Run(edits) | Verdict::RunAndTell(edits, _) => apply(sql, 0..sql.len(), edits),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn what_belongs_to_tenantry_is_left_out() {
        for sql in [
            "BEGIN",
            "begin transaction isolation level serializable",
            "START TRANSACTION",
            "commit and chain",
            "END",
            "CREATE DATABASE x",
            "DROP DATABASE IF EXISTS x",
            "ALTER DATABASE x SET a = 1",
            "CREATE SCHEMA public",
            "ALTER SCHEMA x OWNER TO y",
            "COMMENT ON SCHEMA public IS 'x'",
            "COMMENT ON EXTENSION hstore IS 'x'",
            "DROP EXTENSION IF EXISTS hstore",
            "ALTER EXTENSION hstore UPDATE",
            "create or replace procedural language plpgsql",
            "CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog",
            "ALTER TABLE ONLY public.t OWNER TO \"joe\"",
            "ALTER FUNCTION f(int, text) OWNER TO postgres",
            "ALTER TYPE x SET SCHEMA y",
            "ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT ALL ON TABLES TO b",
            "DROP OWNED BY joe",
            "REASSIGN OWNED BY a TO b",
            "LISTEN x",
            "NOTIFY x, 'y'",
        ] {
            assert_eq!(verdict(sql), Verdict::Skip, "{sql}");
        }
    }

    #[test]
    fn what_could_surprise_is_told() {
        for sql in [
            "CREATE ROLE joe LOGIN",
            "CREATE USER joe",
            "CREATE PUBLICATION p FOR ALL TABLES",
            "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()",
            "CREATE TABLESPACE t LOCATION '/x'",
            "DROP SCHEMA x CASCADE",
            "ANALYZE",
            "analyze verbose",
        ] {
            assert!(matches!(verdict(sql), Verdict::SkipAndTell(_)), "{sql}");
        }
    }

    #[test]
    fn everything_else_runs_as_it_is() {
        for sql in [
            "SAVEPOINT a",
            "rollback to savepoint a",
            "ROLLBACK WORK TO a",
            "PREPARE p AS SELECT 1",
            "ANALYZE t",
            "alter table t rename owner to holder",
            "alter table t rename column owner to holder",
            "CREATE TABLE role (database int)",
            "CREATE TABLE t (a int) TABLESPACE fast",
            "COMMENT ON TABLE database IS 'x'",
            "DROP TABLE IF EXISTS \"SCHEMA\"",
            "CREATE USER MAPPING FOR x SERVER y",
            "INSERT INTO t VALUES (1)",
        ] {
            assert_eq!(run(sql), sql);
        }
    }

    #[test]
    fn the_owner_goes_and_the_other_actions_stay() {
        assert_eq!(
            run("alter table t add a int, owner to joe"),
            "alter table t add a int"
        );
        assert_eq!(
            run("alter table t owner to joe, add a int"),
            "alter table t add a int"
        );
    }

    #[test]
    fn extensions_are_collected() {
        assert_eq!(
            verdict("create extension if not exists \"uuid-ossp\" with schema public"),
            Verdict::Extension("uuid-ossp".into())
        );
        assert_eq!(
            verdict("CREATE TRUSTED LANGUAGE plperl"),
            Verdict::Extension("plperl".into())
        );
    }

    #[test]
    fn what_cannot_be_left_out_is_refused() {
        for sql in [
            "ROLLBACK",
            "abort",
            "PREPARE TRANSACTION 'x'",
            "COMMIT PREPARED 'x'",
            "ALTER SYSTEM SET a = 1",
        ] {
            assert!(matches!(verdict(sql), Verdict::Refuse(_)), "{sql}");
        }
    }
}
