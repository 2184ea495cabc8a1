//! Takes schema names out of a statement, so that its names mean the tenant's schema.
//!
//! A name is changed only where it is a qualifier: in code, in the bodies of SQL and PL/pgSQL functions, and in strings that
//! Postgres reads as names (`'public.t_id_seq'::regclass`). An alias `public` would be mistaken for the schema. With
//! any other schema's name, an alias or a table of that name is noticed, and only objects that the migrations created count.

use std::collections::HashSet;

use super::edit::{Edit, apply};
use super::keywords::needs_quotes;
use super::lex::{Kind, tokens as lex};
use super::literals::{bodies, is_executed, is_object_name, is_schema_name};
use super::names::{Known, PUBLIC, created_at};
use super::tokens::Tokens;

/// How names are understood where a statement stands.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) known: &'a Known,
    /// The schema that names without a qualifier belong to.
    pub(super) home: &'a str,
}

pub(super) fn statement(tokens: Tokens<'_>, scope: Scope<'_>) -> Vec<Edit> {
    let mut edits = code(tokens, scope);
    for at in bodies(tokens) {
        edits.extend(nested(tokens, at, scope));
    }
    if scope.home != PUBLIC && scope.known.has_renamed() {
        edits.extend(unqualified(tokens, scope));
    }
    edits
}

fn code(tokens: Tokens<'_>, scope: Scope<'_>) -> Vec<Edit> {
    let bare = bare_names(tokens, scope.known);
    let mut edits = Vec::new();
    for at in 0..tokens.all.len() {
        match tokens.all[at].kind {
            Kind::Word | Kind::Quoted => {
                edits.extend(qualifier(tokens, at, scope.known, Some(&bare)));
            }
            Kind::Plain | Kind::Escape if is_object_name(tokens, at) => {
                edits.extend(in_literal(tokens, at, scope.known));
            }
            Kind::Plain if is_schema_name(tokens, at, scope.known) => {
                let range = tokens.all[at].start..tokens.all[at].end;
                edits.push(Edit::replace(range, "current_schema()::text".into()));
            }
            Kind::Plain | Kind::Escape | Kind::Dollar if is_executed(tokens, at) => {
                edits.extend(nested(tokens, at, scope));
            }
            _ => {}
        }
    }
    edits
}

/// Schema names that stand in this statement without a dot: most likely aliases.
fn bare_names(tokens: Tokens<'_>, known: &Known) -> HashSet<String> {
    (0..tokens.all.len())
        .filter(|at| tokens.kind(at + 1) != Some(Kind::Dot))
        .filter_map(|at| tokens.name(at))
        .filter(|name| name != PUBLIC && known.has_schema(name))
        .map(std::borrow::Cow::into_owned)
        .collect()
}

/// `schema.name` → `name`. `bare` is `None` where only an object's name can stand.
fn qualifier(
    tokens: Tokens<'_>,
    at: usize,
    known: &Known,
    bare: Option<&HashSet<String>>,
) -> Option<Edit> {
    let after_dot = at > 0 && tokens.kind(at - 1) == Some(Kind::Dot);
    if tokens.kind(at + 1) != Some(Kind::Dot) || after_dot {
        return None;
    }
    let schema = tokens.name(at)?;
    if !known.has_schema(&schema) {
        return None;
    }
    let (start, next) = (tokens.all[at].start, tokens.all.get(at + 2)?);
    let Some(name) = tokens.name(at + 2) else {
        // `OPERATOR(public.@@)`, and `public.%I` in a string for `format`.
        let operator = (1..=2).any(|back| at >= back && tokens.is(at - back, "OPERATOR"));
        let placeholder = tokens.raw(at + 2) == "%" && tokens.is_any(at + 3, &["I", "S"]);
        return (operator || placeholder).then(|| Edit::cut(start..next.start));
    };
    if let Some(new) = known.renamed(&schema, &name) {
        return Some(Edit::replace(start..next.end, quote(&new)));
    }
    let ambiguous =
        bare.is_some_and(|bare| known.is_ambiguous(&schema) || bare.contains(schema.as_ref()));
    if ambiguous && !known.has_object(&schema, &name) {
        return None;
    }
    // After a dot Postgres takes any key word for a name; alone it needs quotes.
    if next.kind == Kind::Word && needs_quotes(&name) {
        return Some(Edit::replace(start..next.end, quote(&name)));
    }
    Some(Edit::cut(start..next.start))
}

fn quote(name: &str) -> String {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if plain && !needs_quotes(name) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return name.to_owned();
    }
    ["\"", &name.replace('"', "\"\""), "\""].concat()
}

/// Objects that another schema's object of the same name has made give way, where the script names them without schema.
fn unqualified(tokens: Tokens<'_>, scope: Scope<'_>) -> Vec<Edit> {
    const BEFORE_RELATION: [&str; 11] = [
        "REFERENCES",
        "FROM",
        "JOIN",
        "INTO",
        "UPDATE",
        "ONLY",
        "TABLE",
        "VIEW",
        "SEQUENCE",
        "COPY",
        "ON",
    ];
    let definition = created_at(tokens).map(|(_, at)| at);
    (0..tokens.all.len())
        .filter(|at| tokens.kind(at + 1) != Some(Kind::Dot))
        .filter(|at| Some(*at) == definition || *at > 0 && tokens.is_any(*at - 1, &BEFORE_RELATION))
        .filter_map(|at| {
            let new = scope.known.renamed(scope.home, &tokens.name(at)?)?;
            Some(Edit::replace(
                tokens.all[at].start..tokens.all[at].end,
                quote(&new),
            ))
        })
        .collect()
}

fn in_literal(tokens: Tokens<'_>, at: usize, known: &Known) -> Vec<Edit> {
    let Some(content) = tokens.literal(at) else {
        return Vec::new();
    };
    let offset = tokens.all[at].end - 1 - content.len();
    let Some(all) = lex(content) else {
        return Vec::new();
    };
    let inner = Tokens {
        text: content,
        all: &all,
    };
    (0..all.len())
        .filter_map(|at| qualifier(inner, at, known, None))
        .map(|edit| edit.shifted(offset))
        .collect()
}

/// Edits the code inside a literal.
fn nested(tokens: Tokens<'_>, at: usize, scope: Scope<'_>) -> Vec<Edit> {
    let (token, raw) = (tokens.all[at], tokens.raw(at));
    let content = match token.kind {
        Kind::Dollar => raw[1..]
            .find('$')
            .map(|tag| &raw[tag + 2..raw.len() - tag - 2]),
        _ => tokens.literal(at),
    };
    let Some(content) = content else {
        return Vec::new();
    };
    let tail = if token.kind == Kind::Dollar {
        raw[1..].find('$').unwrap_or(0) + 2
    } else {
        1
    };
    let end = token.end - tail;
    let range = end - content.len()..end;
    if token.kind == Kind::Dollar || !content.contains(['\'', '\\']) {
        return edited(content, scope)
            .into_iter()
            .map(|edit| edit.shifted(range.start))
            .collect();
    }
    if token.kind == Kind::Escape && content.contains('\\') {
        return Vec::new();
    }
    let code = content.replace("''", "'");
    let edits = edited(&code, scope);
    if edits.is_empty() {
        return edits;
    }
    vec![Edit::replace(
        range,
        apply(&code, 0..code.len(), edits).replace('\'', "''"),
    )]
}

fn edited(text: &str, scope: Scope<'_>) -> Vec<Edit> {
    // Code that can't be read is left for Postgres to judge.
    lex(text).map_or_else(Vec::new, |all| code(Tokens { text, all: &all }, scope))
}

#[cfg(test)]
mod tests {
    use super::{Scope, apply, lex, statement};
    use crate::migrate::script::names::{Group, Known};
    use crate::migrate::script::tokens::Tokens;

    fn with(known: &Known, home: &str, sql: &str) -> String {
        let all = lex(sql).unwrap();
        let edits = statement(
            Tokens {
                text: sql,
                all: &all,
            },
            Scope { known, home },
        );
        apply(sql, 0..sql.len(), edits)
    }

    fn public(sql: &str) -> String {
        with(&Known::default(), "public", sql)
    }

    #[test]
    fn the_qualifier_goes_and_nothing_else() {
        for (sql, expected) in [
            (
                "select PUBLIC.f(\"public\".t.a) from public . t",
                "select f(t.a) from t",
            ),
            (
                "select a.public.b, public, 'public.t', public_x.y",
                "select a.public.b, public, 'public.t', public_x.y",
            ),
            (
                "select 1 /* public.t */ from \"Public\".t",
                "select 1 /* public.t */ from \"Public\".t",
            ),
            ("select a operator(public.@@) b", "select a operator(@@) b"),
            (
                "create operator public.<-> (procedure = public.d)",
                "create operator <-> (procedure = d)",
            ),
            (
                "create table public.order (a public.\"Mood\"[], b public.Select)",
                "create table \"order\" (a \"Mood\"[], b \"select\")",
            ),
        ] {
            assert_eq!(public(sql), expected);
        }
    }

    #[test]
    fn strings_that_are_names_lose_it_too() {
        for (sql, expected) in [
            (
                "select nextval('public.t_id_seq'::regclass)",
                "select nextval('t_id_seq'::regclass)",
            ),
            (
                "select nextval(('public.s'::text)::regclass)",
                "select nextval(('s'::text)::regclass)",
            ),
            (
                "select 'public.s'::pg_catalog.regtype, cast('public.f' as regproc)",
                "select 's'::pg_catalog.regtype, cast('f' as regproc)",
            ),
            (
                "select pg_catalog.setval('public.\"S\"', 3, true)",
                "select pg_catalog.setval('\"S\"', 3, true)",
            ),
            (
                "select \"nextval\"('\"public\".\"s\"'::\"regclass\")",
                "select \"nextval\"('\"s\"'::\"regclass\")",
            ),
            (
                "select pg_get_serial_sequence('public.t', 'public.id')",
                "select pg_get_serial_sequence('t', 'public.id')",
            ),
            (
                "select to_tsvector('public.en', a), to_tsvector('public.en')",
                "select to_tsvector('en', a), to_tsvector('public.en')",
            ),
            ("select regclass 'public.t'", "select regclass 't'"),
            (
                "insert into t values ('public.t', f('public.t'))",
                "insert into t values ('public.t', f('public.t'))",
            ),
        ] {
            assert_eq!(public(sql), expected);
        }
    }

    #[test]
    fn questions_about_the_schema_ask_about_the_tenants() {
        for (sql, expected) in [
            (
                "do $$ begin if exists (select from pg_tables where schemaname = 'public') then null; end if; end $$",
                "do $$ begin if exists (select from pg_tables where schemaname = current_schema()::text) then null; end if; end $$",
            ),
            (
                "select 'public'::regnamespace",
                "select current_schema()::text::regnamespace",
            ),
            (
                "select * from t where name = 'public'",
                "select * from t where name = 'public'",
            ),
            (
                "select * from pg_tables where schemaname = 'x'",
                "select * from pg_tables where schemaname = 'x'",
            ),
        ] {
            assert_eq!(public(sql), expected);
        }
    }

    #[test]
    fn bodies_of_functions_are_code() {
        for (sql, expected) in [
            (
                "create function public.f() returns public.t language sql as $x$ select * from public.t -- public.t\n where a = 'public.t' $x$",
                "create function f() returns t language sql as $x$ select * from t -- public.t\n where a = 'public.t' $x$",
            ),
            (
                "create or replace procedure p() as 'begin insert into public.t values (''public.x''); end' language 'plpgsql'",
                "create or replace procedure p() as 'begin insert into t values (''public.x''); end' language 'plpgsql'",
            ),
            (
                "do $$ begin execute 'drop table public.t'; end $$",
                "do $$ begin execute 'drop table t'; end $$",
            ),
            (
                "do language plpgsql $$ begin execute format('select ''a'' from public.%I', x); end $$",
                "do language plpgsql $$ begin execute format('select ''a'' from %I', x); end $$",
            ),
            (
                "create function f() returns int language plpython3u as $$ public.t $$",
                "create function f() returns int language plpython3u as $$ public.t $$",
            ),
            (
                "create function f() returns int begin atomic select 1 from public.t; end",
                "create function f() returns int begin atomic select 1 from t; end",
            ),
        ] {
            assert_eq!(public(sql), expected);
        }
    }

    #[test]
    fn a_table_named_like_its_schema_keeps_its_columns() {
        let mut known = Known::default();
        known.add_schema("bookings");
        known.add_object(Group::Relation, "bookings", "bookings");
        known.add_object(Group::Relation, "bookings", "seats");
        let sql = "comment on column bookings.book_ref is 'x'";
        assert_eq!(with(&known, "bookings", sql), sql);
        assert_eq!(
            with(
                &known,
                "bookings",
                "select bookings.id from bookings.bookings, bookings.seats"
            ),
            "select bookings.id from bookings, seats"
        );
    }

    #[test]
    fn an_alias_named_like_a_schema_is_noticed() {
        let mut known = Known::default();
        known.add_schema("sales");
        known.add_object(Group::Relation, "sales", "orders");
        assert_eq!(
            with(&known, "public", "select sales.id from sales.orders sales"),
            "select sales.id from orders sales"
        );
        assert_eq!(
            with(&known, "public", "select sales.total(1)"),
            "select total(1)"
        );
    }

    #[test]
    fn what_collides_is_named_after_its_schema() {
        let mut known = Known::default();
        for schema in ["hr", "Pr"] {
            known.add_schema(schema);
            known.add_object(Group::Relation, schema, "d");
        }
        assert_eq!(
            with(&known, "public", "select hr.d.x, \"Pr\".d.x"),
            "select d.x, \"Pr_d\".x"
        );
        assert_eq!(
            with(&known, "Pr", "create table d (x int references d)"),
            "create table \"Pr_d\" (x int references \"Pr_d\")"
        );
        assert_eq!(
            with(&known, "hr", "create view d as select 1"),
            "create view d as select 1"
        );
    }
}
