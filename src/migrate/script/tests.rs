//! Whole scripts, from their text to their steps.

use super::{Known, Note, Script, ScriptError, Step, parse};

fn script(sql: &str) -> Script {
    parse(sql, &mut Known::default()).unwrap()
}

fn refusal(sql: &str) -> ScriptError {
    parse(sql, &mut Known::default()).unwrap_err()
}

/// The text of each step; a COPY is followed by its data.
fn steps(sql: &str) -> Vec<String> {
    texts(&script(sql))
}

fn texts(script: &Script) -> Vec<String> {
    let text = |step: &Step| match step {
        Step::Sql(batch) => batch.text().to_owned(),
        Step::CopyIn(copy) => [copy.statement.as_str(), "\n", &copy.data].concat(),
    };
    script.steps.iter().map(text).collect()
}

#[test]
fn a_migration_written_by_hand_runs_as_it_was_written() {
    let sql = "create table notes (\n    id uuid primary key, -- ours\n    body text not null default 'it''s; public.x' /* ; */\n);\n\
        create index on notes (body);\n\
        create function f(a int) returns int language sql as $$ select a; $$;\n\
        create rule r as on delete to notes do instead (select 1; select 2);\n";
    assert_eq!(steps(sql), [sql]);
    assert!(script(sql).notes.is_empty());
}

#[test]
fn a_dump_becomes_statements_about_one_schema() {
    let sql = r"--
-- PostgreSQL database dump
--
\restrict x1Y

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;

CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;
COMMENT ON EXTENSION citext IS 'case-insensitive';

CREATE TABLE public.plants (
    id integer NOT NULL,
    name public.citext
);
ALTER TABLE public.plants OWNER TO gardener;
COPY public.plants (id, name) FROM stdin;
1	rose; '
\.
SELECT pg_catalog.setval('public.plants_id_seq', 1, true);
REVOKE ALL ON TABLE public.plants FROM gardener;
\unrestrict x1Y
";
    let script = script(sql);
    assert_eq!(
        texts(&script),
        [
            "SET LOCAL check_function_bodies = false;\nCREATE TABLE plants (\n    id integer NOT NULL,\n    name citext\n);\n",
            "COPY plants (id, name) FROM stdin\n1\trose; '\n",
            "SELECT pg_catalog.setval('plants_id_seq', 1, true);\n",
        ]
    );
    assert_eq!(script.extensions, ["citext"]);
    let Step::CopyIn(copy) = &script.steps[1] else {
        panic!()
    };
    assert_eq!(copy.line, 19);
}

#[test]
fn a_schema_of_its_own_becomes_the_tenants() {
    let sql =
        "drop schema if exists shop cascade; create schema Shop; set search_path to shop, public;
        create table shop.items (id serial); create view v as select * from \"shop\".items;
        alter table shop.items add foreign key (id) references shop.items;";
    assert_eq!(
        steps(sql),
        [
            "create table items (id serial);\ncreate view v as select * from items;\nalter table items add foreign key (id) references items;\n"
        ]
    );
}

#[test]
fn a_later_migration_knows_the_schemas_of_an_earlier_one() {
    let mut known = Known::default();
    parse(
        "create schema shop; create table shop.items (id int);",
        &mut known,
    )
    .unwrap();
    let second = parse("copy shop.items from stdin;\n1\n\\.\n", &mut known).unwrap();
    assert_eq!(texts(&second), ["copy items from stdin\n1\n"]);
    let third = parse(
        "alter schema shop rename to store; select * from store.items, shop.items",
        &mut known,
    )
    .unwrap();
    assert_eq!(texts(&third), ["select * from items, items;\n"]);
    let other = parse("select * from elsewhere.items", &mut known).unwrap();
    assert_eq!(texts(&other), ["select * from elsewhere.items;\n"]);
}

#[test]
fn schemas_that_collide_are_told_apart() {
    let sql = "create schema a; create schema b;\ncreate table b.t (x int);\ncreate table public.t (x int);\n\
        create table a.only (x int); set search_path = b; insert into t select a.only.x, b.t.x from a.only, b.t;";
    let script = script(sql);
    let expected = "create table b_t (x int);\ncreate table t (x int);\ncreate table \"only\" (x int);\n\
        insert into b_t select \"only\".x, b_t.x from \"only\", b_t;\n";
    assert_eq!(texts(&script), [expected]);
    let message = "b.t is called b_t: another schema has the name too".into();
    assert_eq!(script.notes, [Note { line: 2, message }]);
}

#[test]
fn the_elements_of_a_schema_are_statements() {
    let sql = "create schema a\n create table t (x int check (x > 0))\n create view v as select * from t;\n\
        create schema b create table t (x int) create index on t (x);";
    assert_eq!(
        steps(sql),
        [
            "create table t (x int check (x > 0));\ncreate view v as select * from t;\ncreate table b_t (x int);\ncreate index on b_t (x);\n"
        ]
    );
}

#[test]
fn a_new_way_to_read_strings_starts_a_new_message() {
    let sql = "select 1; set standard_conforming_strings = off; select 'a\\'b'; select 2;";
    assert_eq!(
        steps(sql),
        [
            "select 1;\nset LOCAL standard_conforming_strings = off;\n",
            "select 'a\\'b';\nselect 2;\n"
        ]
    );
}

#[test]
fn windows_files_work() {
    let sql = "\u{feff}\\set x\r\ncreate table public.t (a int);\r\ncopy t from stdin;\r\n1\r\n\\.\r\nselect 1;\r\n";
    assert_eq!(
        steps(sql),
        [
            "create table t (a int);\n",
            "copy t from stdin\n1\r\n",
            "select 1;\n"
        ]
    );
}

#[test]
fn a_large_script_comes_in_several_messages() {
    let row = format!("insert into t values ('{}');\n", "x".repeat(1000));
    let script = script(&row.repeat(1500));
    assert_eq!(script.steps.len(), 3);
    assert_eq!(texts(&script).concat(), row.repeat(1500));
}

#[test]
fn errors_lead_to_the_line_in_the_file() {
    let sql = "begin;\n\n-- first\ncreate table public.t (\n  a int);\nset role x;\nselect\n  public.nope;\n";
    let script = script(sql);
    let text = &texts(&script)[0];
    let position = u32::try_from(text.find("nope").unwrap()).unwrap() + 1;
    let place = script.steps[0].locate(0, Some(position));
    assert_eq!((place.line, place.excerpt), (8, "select"));
    let place = script.steps[0].locate(0, None);
    assert_eq!((place.line, place.excerpt), (4, "create table t ("));
}

#[test]
fn what_cannot_run_is_refused_with_its_line() {
    let error = refusal("select 1;\n\nrollback;");
    assert_eq!(error.line, 3);
    assert!(
        error
            .to_string()
            .starts_with("line 3: a migration is one transaction")
    );
    assert_eq!(
        refusal("select 1;\ncreate index concurrently i on t (a);").line,
        2
    );
    assert_eq!(refusal("select 1;\n\n select 'x").line, 3);
    assert_eq!(
        steps("create table t (a int); create index concurrently i on t (a);").len(),
        1
    );
}

#[test]
fn a_marked_file_has_its_statements_one_by_one_too() {
    let sql = "-- tenantry: no transaction\nset lock_timeout = '2s';\n\ncreate index concurrently i on public.t (a);\n\
        copy public.t from stdin;\n1\n\\.\nvacuum t;\n";
    let script = script(sql);
    let expected = [
        "set LOCAL lock_timeout = '2s';\ncreate index i on t (a);\n",
        "copy t from stdin\n1\n",
    ];
    assert_eq!(texts(&script), expected);
    let alone = script.alone.unwrap();
    let steps = alone.into_iter().map(|single| single.step).collect();
    let alone = Script {
        steps,
        ..Script::default()
    };
    let expected = [
        "set lock_timeout = '2s';\n",
        "create index concurrently i on t (a);\n",
        "copy t from stdin\n1\n",
        "vacuum t;\n",
    ];
    assert_eq!(texts(&alone), expected);
    let place = alone.steps[1].locate(0, None);
    assert_eq!(
        (place.line, place.excerpt),
        (4, "create index concurrently i on t (a)")
    );
    assert!(self::script("select 1").alone.is_none());
}

#[test]
fn nothing_is_an_empty_script() {
    for sql in ["", ";;", "-- nothing\n", "begin; commit;", "\\echo hi"] {
        assert!(script(sql).steps.is_empty(), "{sql}");
    }
}
