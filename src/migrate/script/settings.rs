//! Settings of a session: none may outlive the migration, and those that say where and as whom it runs are Tenantry's.

use std::borrow::Cow;

use super::edit::Edit;
use super::lex::{Kind, tokens as lex};
use super::names::{Known, PUBLIC};
use super::rules::Verdict;
use super::tokens::Tokens;

/// Where names go, as whom statements run, and how the client's text is read. Dumps switch row-level security off, with
/// which nobody but a superuser could write to the registry afterwards.
const OURS: [&str; 9] = [
    "search_path",
    "role",
    "row_security",
    "session_authorization",
    "client_encoding",
    "default_tablespace",
    "default_table_access_method",
    "default_with_oids",
    "transaction_timeout",
];

/// Dumps switch these off, with which a migration would wait for a lock for ever. Another value is the author's decision.
const TIMEOUTS: [&str; 3] = [
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
];

/// `SET x = y` → `SET LOCAL x = y`
pub(super) fn set(tokens: Tokens<'_>) -> Verdict {
    let scope =
        usize::from(tokens.is_any(1, &["SESSION", "LOCAL"]) && tokens.kind(2) == Some(Kind::Word));
    let at = 1 + scope;
    let Some(name) = tokens.name(at) else {
        return Verdict::Run(Vec::new());
    };
    let off = tokens
        .value(at + 2)
        .unwrap_or_else(|| tokens.raw(at + 2).into())
        == "0";
    let words = [
        "authorization",
        "names",
        "schema",
        "transaction",
        "characteristics",
        "all",
    ];
    let ours = OURS.contains(&name.as_ref())
        || words.contains(&name.as_ref())
        || name == "session" && tokens.kind(at + 1) == Some(Kind::Word);
    if ours || off && TIMEOUTS.contains(&name.as_ref()) {
        return Verdict::Skip;
    }
    if tokens.is(0, "RESET") {
        let edits = vec![
            Edit::replace(tokens.all[0].start..tokens.all[0].end, "SET LOCAL".into()),
            Edit::insert(tokens.all[tokens.all.len() - 1].end, " TO DEFAULT"),
        ];
        return Verdict::Run(edits);
    }
    if name == "constraints" || tokens.is(1, "LOCAL") {
        return Verdict::Run(Vec::new());
    }
    let word = tokens.all[0].end..tokens.all[scope].end;
    Verdict::Run(vec![Edit::replace(word, " LOCAL".into())])
}

/// `SELECT set_config('x', 'y', false)` → `SELECT set_config('x', 'y', true)`
pub(super) fn select(tokens: Tokens<'_>) -> Verdict {
    let Some(open) = set_config(tokens) else {
        return Verdict::Run(Vec::new());
    };
    let name = tokens
        .literal(open + 1)
        .unwrap_or_default()
        .to_ascii_lowercase();
    if OURS.contains(&name.as_str()) {
        return Verdict::Skip;
    }
    let last = tokens.all.len().saturating_sub(2);
    let edits = tokens
        .is(last, "FALSE")
        .then(|| Edit::replace(tokens.all[last].start..tokens.all[last].end, "true".into()));
    Verdict::Run(edits.into_iter().collect())
}

/// The parenthesis of a statement that is a call of `set_config` and nothing else.
fn set_config(tokens: Tokens<'_>) -> Option<usize> {
    let qualified = tokens.is(1, "PG_CATALOG") && tokens.kind(2) == Some(Kind::Dot);
    let function = if qualified { 3 } else { 1 };
    let call = tokens.is(0, "SELECT") && tokens.is(function, "SET_CONFIG");
    (call && tokens.kind(function + 1) == Some(Kind::Open)).then_some(function + 1)
}

/// The schema in which objects are created after this statement, if it changes that.
pub(super) fn home(tokens: Tokens<'_>, known: &Known) -> Option<String> {
    if let Some(open) = set_config(tokens) {
        let path = tokens
            .literal(open + 1)?
            .eq_ignore_ascii_case("search_path");
        let value = tokens.literal(open + 3).filter(|_| path)?;
        let all = lex(value)?;
        let inner = Tokens {
            text: value,
            all: &all,
        };
        return Some(first_own(
            known,
            (0..all.len()).filter_map(|at| inner.name(at)),
        ));
    }
    let at = if tokens.is_any(1, &["SESSION", "LOCAL"]) {
        2
    } else {
        1
    };
    if !tokens.is(0, "SET") || !tokens.names_any(at, &["search_path", "schema"]) {
        return None;
    }
    Some(first_own(
        known,
        (at + 1..tokens.all.len()).filter_map(|at| tokens.value(at)),
    ))
}

fn first_own<'a>(known: &Known, mut names: impl Iterator<Item = Cow<'a, str>>) -> String {
    names
        .find(|name| known.has_schema(name))
        .map_or_else(|| PUBLIC.to_owned(), Cow::into_owned)
}

/// The clauses `SET search_path = …` of a CREATE FUNCTION: its names are the tenant's now.
pub(super) fn search_path_clauses(tokens: Tokens<'_>) -> Vec<Edit> {
    clauses(tokens)
        .into_iter()
        .map(|(from, to)| Edit::cut(tokens.all[from].start..tokens.all[to - 1].end))
        .collect()
}

/// `ALTER FUNCTION f() SET search_path = …`, which may do other things as well.
pub(super) fn alter_routine(tokens: Tokens<'_>) -> Verdict {
    let mut at = 3;
    while tokens.kind(at) == Some(Kind::Dot) {
        at += 2;
    }
    if tokens.kind(at) == Some(Kind::Open) {
        let close = (at..tokens.all.len())
            .rev()
            .find(|close| tokens.kind(*close) == Some(Kind::Close));
        at = close.map_or(at, |close| close + 1);
    }
    let clauses = clauses(tokens);
    let kept = (at..tokens.all.len())
        .filter(|at| !clauses.iter().any(|(from, to)| (from..to).contains(&at)))
        .count();
    if kept == 0 || kept == 2 && tokens.are(at, &["RESET", "SEARCH_PATH"]) {
        return Verdict::Skip;
    }
    Verdict::Run(search_path_clauses(tokens))
}

/// The token ranges of `SET search_path {TO | =} a, b` and `SET search_path FROM CURRENT`, outside of parentheses.
fn clauses(tokens: Tokens<'_>) -> Vec<(usize, usize)> {
    tokens
        .outside_parentheses()
        .filter(|at| tokens.is(*at, "SET") && tokens.names_any(*at + 1, &["search_path"]))
        .map(|from| {
            // SET, search_path, TO, and the first value.
            let mut to = from + 4;
            while tokens.kind(to) == Some(Kind::Comma) {
                to += 2;
            }
            (from, to.min(tokens.all.len()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{alter_routine, home, search_path_clauses, select, set};
    use crate::migrate::script::edit::apply;
    use crate::migrate::script::lex::tokens;
    use crate::migrate::script::names::Known;
    use crate::migrate::script::rules::Verdict;
    use crate::migrate::script::tokens::Tokens;

    fn run(rule: fn(Tokens<'_>) -> Verdict, sql: &str) -> Option<String> {
        let all = tokens(sql).unwrap();
        match rule(Tokens {
            text: sql,
            all: &all,
        }) {
            Verdict::Run(edits) => Some(apply(sql, 0..sql.len(), edits)),
            Verdict::Skip => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn settings_end_with_the_transaction() {
        for (sql, expected) in [
            (
                "SET check_function_bodies = false",
                "SET LOCAL check_function_bodies = false",
            ),
            (
                "set session timezone to 'UTC'",
                "set LOCAL timezone to 'UTC'",
            ),
            ("set time zone 'UTC'", "set LOCAL time zone 'UTC'"),
            ("set local work_mem = '1MB'", "set local work_mem = '1MB'"),
            ("set lock_timeout = '5s'", "set LOCAL lock_timeout = '5s'"),
            ("set app.role = 'x'", "set LOCAL app.role = 'x'"),
            ("set session.id = 'x'", "set LOCAL session.id = 'x'"),
            (
                "SET CONSTRAINTS ALL DEFERRED",
                "SET CONSTRAINTS ALL DEFERRED",
            ),
            ("reset work_mem", "SET LOCAL work_mem TO DEFAULT"),
        ] {
            assert_eq!(run(set, sql).as_deref(), Some(expected));
        }
    }

    #[test]
    fn where_and_as_whom_is_not_the_migrations_to_say() {
        for sql in [
            "SET search_path = a, pg_catalog",
            "set local search_path to ''",
            "SET SCHEMA 'x'",
            "SET ROLE joe",
            "SET SESSION AUTHORIZATION DEFAULT",
            "set session session authorization joe",
            "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
            "SET NAMES 'UTF8'",
            "SET client_encoding = 'UTF8'",
            "SET default_tablespace = ''",
            "SET lock_timeout = 0",
            "SET statement_timeout TO '0'",
            "RESET ALL",
            "reset search_path",
        ] {
            assert_eq!(run(set, sql), None, "{sql}");
        }
    }

    #[test]
    fn set_config_follows_the_same_rules() {
        assert_eq!(
            run(
                select,
                "SELECT pg_catalog.set_config('search_path', '', false)"
            ),
            None
        );
        assert_eq!(run(select, "select set_config('role', 'joe', true)"), None);
        assert_eq!(
            run(select, "select set_config('a.b', 'false', false)").as_deref(),
            Some("select set_config('a.b', 'false', true)")
        );
        let other = "select set_config('search_path', x, false), 1 from t";
        assert_eq!(run(select, other), None);
    }

    #[test]
    fn a_function_loses_its_search_path() {
        let cut = |sql: &str| {
            let all = tokens(sql).unwrap();
            apply(
                sql,
                0..sql.len(),
                search_path_clauses(Tokens {
                    text: sql,
                    all: &all,
                }),
            )
        };
        assert_eq!(
            cut(
                "create function f() returns int\n SET search_path TO 'public', \"pg_temp\"\n SET work_mem = '1MB' as $$ set search_path = x; $$"
            ),
            "create function f() returns int\n \n SET work_mem = '1MB' as $$ set search_path = x; $$"
        );
        assert_eq!(
            cut("create function f() set \"search_path\" to '' as 'x'"),
            "create function f()  as 'x'"
        );
        assert_eq!(
            cut("create function f() set search_path from current language sql"),
            "create function f()  language sql"
        );
    }

    #[test]
    fn altering_a_search_path_alone_is_nothing() {
        assert_eq!(
            run(
                alter_routine,
                "alter function a.f(int) set search_path = ''"
            ),
            None
        );
        assert_eq!(
            run(alter_routine, "alter function f set search_path = ''"),
            None
        );
        assert_eq!(
            run(alter_routine, "alter function f(int) reset search_path"),
            None
        );
        assert_eq!(
            run(
                alter_routine,
                "alter function f(int) stable set search_path = a, b"
            )
            .as_deref(),
            Some("alter function f(int) stable ")
        );
    }

    #[test]
    fn the_search_path_tells_where_objects_are_created() {
        let mut known = Known::default();
        known.add_schema("shop");
        let of = |sql: &str| {
            let all = tokens(sql).unwrap();
            home(
                Tokens {
                    text: sql,
                    all: &all,
                },
                &known,
            )
        };
        assert_eq!(
            of("set search_path = pg_catalog, shop, public").as_deref(),
            Some("shop")
        );
        assert_eq!(
            of("select set_config('search_path', 'Shop', false)").as_deref(),
            Some("shop")
        );
        assert_eq!(
            of("SELECT pg_catalog.set_config('search_path', '', false)").as_deref(),
            Some("public")
        );
        assert_eq!(of("set work_mem = 1"), None);
    }
}
