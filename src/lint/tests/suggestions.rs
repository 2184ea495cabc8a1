//! Every suggestion is SQL that runs, whatever things are called.

use tokio_postgres::Client;

use super::{Finding, Rule, Shop};

const TABLES: &str = r#"
create table "Odd ""Table"" it's ON USING" (
  "Id" bigint generated always as identity primary key,
  "the 'State'" text,
  "Total $1" integer,
  "a ""quoted"" one" bigint
);
comment on table "Odd ""Table"" it's ON USING" is E'It''s "odd"\nand \\ ours';
comment on column "Odd ""Table"" it's ON USING"."the 'State'" is 'Who''s there?';
create index "I ON ""x"" USING btree" on "Odd ""Table"" it's ON USING" ("the 'State'");
create table "user" ("order" text, id int primary key, "sixty-three bytes are what Postgres has room for in a name, oh!" int);
create materialized view "View's" as select id as "ID" from "user";
create unique index on "View's" ("ID");
create materialized view keyless as select id from "user";
create table "Parts" (id int not null, "Day" date not null) partition by range ("Day");
create table "Part 1" partition of "Parts" for values from ('2026-01-01') to ('2026-02-01');
create table gone (id int primary key);
create table gone_too (id int references gone);
"#;

/// What is risky, and what is found.
const RISKY: [(&str, &[Rule]); 27] = {
    use Rule::*;
    [
        (
            r#"alter table "Odd ""Table"" it's ON USING" add column "New 'one'" text not null"#,
            &[RequiredColumn],
        ),
        (
            r#"alter table "user" alter column "order" set not null"#,
            &[SetsNotNull],
        ),
        (
            r#"alter table "Odd ""Table"" it's ON USING" alter column "a ""quoted"" one" set not null"#,
            &[SetsNotNull],
        ),
        (
            r#"alter table "Odd ""Table"" it's ON USING" alter column "Total $1" type bigint"#,
            &[RewritesTable],
        ),
        (
            r#"alter table "user" alter column "sixty-three bytes are what Postgres has room for in a name, oh!" type bigint"#,
            &[RewritesTable],
        ),
        (
            r#"alter table "user" alter column "order" type int using length("order")"#,
            &[RewritesTable],
        ),
        (
            r#"alter table "Odd ""Table"" it's ON USING" add column "Key's" uuid default gen_random_uuid()"#,
            &[RewritesTable],
        ),
        (
            r#"alter table "Odd ""Table"" it's ON USING" add column "No's" serial"#,
            &[RewritesTable],
        ),
        (
            r#"alter table "user" add column n int check (n > 0)"#,
            &[ValidatesAtOnce],
        ),
        (
            r#"alter table "Odd ""Table"" it's ON USING" add constraint "it's > 0" check ("Total $1" > 0)"#,
            &[ValidatesAtOnce],
        ),
        (
            r#"alter table "Odd ""Table"" it's ON USING" add foreign key ("Total $1") references "user" deferrable initially deferred"#,
            &[ValidatesAtOnce],
        ),
        (
            r#"create index "I's ON x USING y" on "Odd ""Table"" it's ON USING" using hash ("the 'State'") where "Total $1" > 0"#,
            &[BuildsIndex],
        ),
        (
            r#"create index on "Odd ""Table"" it's ON USING" ("the 'State'" desc, lower("the 'State'"))"#,
            &[BuildsIndex],
        ),
        (r#"reindex index "I ON ""x"" USING btree""#, &[BuildsIndex]),
        (
            r#"create index "By Day" on "Parts" ("Day")"#,
            &[BuildsIndex],
        ),
        (
            r#"alter table "Odd ""Table"" it's ON USING" add constraint "it's one" unique ("Total $1") deferrable initially deferred"#,
            &[AddsUnique],
        ),
        (
            r#"alter table "user" add column "U" text unique"#,
            &[AddsUnique],
        ),
        (
            r#"alter table "Parts" add primary key (id, "Day")"#,
            &[AddsUnique],
        ),
        (r#"refresh materialized view "View's""#, &[RefreshesView]),
        ("refresh materialized view keyless", &[RefreshesView]),
        (
            "alter table \"user\" add column b int;\nupdate \"user\"\n  set \"order\" = 'it''s'\n  where id > 0",
            &[WorksUnderLock],
        ),
        (
            r#"alter table "Odd ""Table"" it's ON USING" drop column "the 'State'" cascade"#,
            &[DropsColumn],
        ),
        ("drop table gone, gone_too", &[DropsTable, DropsTable]),
        (
            r#"do $$ begin drop table "Odd ""Table"" it's ON USING"; end $$"#,
            &[DropsTable],
        ),
        (r#"truncate "Odd ""Table"" it's ON USING""#, &[EmptiesTable]),
        (
            r#"alter table "Odd ""Table"" it's ON USING" rename column "the 'State'" to "New 'State'""#,
            &[RenamesColumn],
        ),
        (
            r#"alter table "Odd ""Table"" it's ON USING" rename to "It's ""new""""#,
            &[RenamesTable],
        ),
    ]
};

/// Each statement by itself, as in a file that runs without a transaction.
async fn run(client: &Client, safer: &str) -> Result<(), String> {
    let mut statement = String::new();
    for line in safer.lines().filter(|line| !line.starts_with("-- ")) {
        statement.push_str(line);
        statement.push('\n');
        if line.ends_with(';') || line.contains(";  -- ") {
            let ran = client.batch_execute(&statement).await;
            ran.map_err(|error| format!("{statement}{error:?}"))?;
            statement.clear();
        }
    }
    (statement.is_empty()).then_some(()).ok_or(statement)
}

#[tokio::test]
async fn they_run_whatever_things_are_called() {
    let shop = Shop::open(TABLES).await;
    let database = shop.replica.registry.database();
    let (client, _connection) = database.connect().await.unwrap();
    let mut wrong = Vec::new();
    for (risky, rules) in RISKY {
        let found = shop.lint(&[risky]).await;
        if found
            .iter()
            .map(|found| found.rule)
            .ne(rules.iter().copied())
        {
            wrong.push(format!("{risky}: {found:#?}"));
        }
        for Finding { rule, safer, .. } in found {
            let anew = "drop schema if exists nasty cascade; create schema nasty; set search_path to nasty";
            client.batch_execute(anew).await.unwrap();
            client.batch_execute(TABLES).await.unwrap();
            if [Rule::RenamesColumn, Rule::RenamesTable].contains(&rule) {
                client.batch_execute(risky).await.unwrap();
            }
            let safer = safer.unwrap_or_default();
            if let Err(error) = run(&client, &safer).await {
                wrong.push(format!("{risky}\n{safer}\n{error}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test]
async fn a_suggestion_solves_what_it_is_about() {
    let shop = Shop::open(TABLES).await;
    let mut wrong = Vec::new();
    for (risky, rules) in RISKY {
        // These are followed by the very statement, in a later release, or cannot be done in another way.
        let meant = [
            Rule::DropsColumn,
            Rule::DropsTable,
            Rule::EmptiesTable,
            Rule::RequiredColumn,
        ];
        if meant.contains(&rules[0]) {
            continue;
        }
        let found = shop.lint(&[risky]).await;
        let safer = found[0].safer.clone().unwrap_or_default();
        let renames = [Rule::RenamesColumn, Rule::RenamesTable].contains(&rules[0]);
        let whole = if renames {
            format!("{risky};\n{safer}")
        } else {
            safer
        };
        let files = as_files(&whole);
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        for found in shop.lint(&files).await {
            if rules.contains(&found.rule) || found.rule == Rule::Fails {
                wrong.push(format!("{risky}\n{whole}\n{found:#?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// As the comments say which statement goes where.
fn as_files(safer: &str) -> Vec<String> {
    let mut files = vec![String::new()];
    for line in safer.lines() {
        let file = files.len() - 1;
        if line.contains("in a file that begins with") {
            files.push("-- tenantry: no transaction\n".to_owned());
        } else if line.starts_with("-- and in") {
            files.push("-- next\n".to_owned());
        } else {
            files[file].push_str(line);
            files[file].push('\n');
        }
    }
    files.retain(|file| file.contains(';'));
    files
}

#[tokio::test]
async fn names_of_the_api_and_what_comments_say_are_kept() {
    let shop = Shop::open(TABLES).await;
    let table = r#""Odd ""Table"" it's ON USING""#;
    for (risky, safer) in [
        (
            format!(r#"alter table {table} rename column "the 'State'" to state"#),
            format!("comment on column {table}.state is E'@name theState\\nWho''s there?';"),
        ),
        (
            format!("alter table {table} rename to orders"),
            r#"comment on table orders is E'@name OddTableItSOnUsing\nIt''s "odd"\nand \\ ours';"#
                .to_owned(),
        ),
        (
            format!("drop table {table}"),
            format!(r#"comment on table {table} is E'@omit\nIt''s "odd"\nand \\ ours';"#),
        ),
    ] {
        let found = shop.lint(&[&risky]).await;
        let told = found[0].safer.as_deref().unwrap_or_default();
        assert!(told.starts_with(&safer), "{risky}\n{told}\n{safer}");
    }
}
