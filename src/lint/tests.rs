//! The rules, on a real Postgres: `docs/lint.md` runs, and what is harmless is left alone.

mod suggestions;

use std::path::Path;

use super::{Course, Finding, Level, Making, Rule, Subject, lint};
use crate::apis::HIDDEN_TABLES;
use crate::migrate::Migrations;
use crate::registry::Tenant;
use crate::schema::Options;
use crate::testing::{Replica, TestDatabase};

/// A tenant with the tables of the documentation.
struct Shop {
    replica: Replica,
    tenant: Tenant,
    tables: String,
}

impl Shop {
    async fn open(tables: &str) -> Self {
        let test = TestDatabase::new().await;
        let replica = test.replica_with(migrations(&[tables])).await;
        let tenant = replica.sign_up("linted").await.tenant;
        Self {
            replica,
            tenant,
            tables: tables.to_owned(),
        }
    }

    /// What is found in files that come after, which leave nothing behind.
    async fn lint(&self, files: &[&str]) -> Vec<Finding> {
        let all = migrations(&[&[self.tables.as_str()], files].concat());
        let subject = Subject {
            database: self.replica.registry.database(),
            schema: &self.tenant.schema,
            base: Some(&all.base),
            api: Some(Making {
                role: &self.tenant.role,
                shared: None,
                hidden: &HIDDEN_TABLES,
                options: &Options::default(),
            }),
        };
        let found = lint(&subject, None, all.app.after(1), Course::Rehearsed).await;
        found.unwrap()
    }

    async fn rules(&self, sql: &str) -> Vec<Rule> {
        let found = self.lint(&[sql]).await;
        found.iter().map(|finding| finding.rule).collect()
    }
}

fn migrations(files: &[&str]) -> Migrations {
    let dir = tempfile::tempdir().unwrap();
    for (version, text) in (1..).zip(files) {
        std::fs::write(dir.path().join(format!("V{version}__f.sql")), text).unwrap();
    }
    Migrations::from_dir(dir.path()).unwrap()
}

fn documentation() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lint.md");
    std::fs::read_to_string(file).unwrap()
}

/// The blocks of SQL in a part of the documentation.
fn blocks(text: &str) -> Vec<&str> {
    let blocks = text.split("```sql\n").skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

fn example_tables() -> String {
    let text = documentation();
    let examples = text.split("## The examples").nth(1).unwrap();
    blocks(examples)[0].to_owned()
}

#[tokio::test]
async fn the_documentation_is_right() {
    let text = documentation();
    let shop = Shop::open(&example_tables()).await;
    let (mut told, mut wrong) = (Vec::new(), Vec::new());
    for section in text.split("\n### `").skip(1) {
        let (id, rest) = section.split_once('`').unwrap();
        let rest = rest.split("\n## ").next().unwrap();
        let rule = Rule::find(id).unwrap_or_else(|| panic!("there is no rule {id}"));
        told.push(rule);
        let (risky, safer) = blocks(rest)
            .split_first()
            .map(|(r, s)| (*r, s.to_vec()))
            .unwrap();
        let mut found = shop.rules(risky).await;
        found.retain(|found| rule != Rule::BadAllow || *found == rule);
        if found != [rule] {
            wrong.push(format!("{id}: {found:?} in {risky}"));
        }
        // Each in a file of its own, as they are shown.
        for found in shop.lint(&safer).await {
            wrong.push(format!("{id}, the safer way: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    told.sort();
    let mut all = Rule::ALL.to_vec();
    all.sort();
    assert_eq!(told, all, "docs/lint.md has a section for each rule");
}

#[tokio::test]
async fn what_is_harmless_is_left_alone() {
    let shop = Shop::open(&example_tables()).await;
    let mut wrong = Vec::new();
    for sql in [
        "create table notes (id int primary key, order_id bigint references orders, body text not null);
         create index on notes (order_id); alter table notes alter column body type varchar(100);
         insert into notes select 1, null, 'x'; update notes set body = 'y'; drop table notes;",
        "alter table orders add column currency text not null default 'EUR', add column at timestamptz default now()",
        "alter table orders add column parent_id bigint references orders",
        "alter table orders alter column state type varchar, alter column buyer_id drop not null",
        "alter table orders alter column state set default 'open'; alter table orders rename constraint orders_pkey to pk",
        "create view open_orders as select * from orders where state = 'open'; drop view open_orders",
        "insert into customers (name) values ('Ada'); comment on table orders is 'Orders.'",
        "create type color as enum ('red'); alter type color add value 'blue'",
        "create function f() returns int language sql as 'select 1'; grant select on orders to tenant",
        "delete from orders where state = 'old'; update orders set state = 'new' where state is null",
        "alter table orders enable row level security; create policy p on orders using (true)",
        "do $$ begin execute 'create table made (id int primary key)'; end $$; create index on made (id)",
    ] {
        for found in shop.lint(&[sql]).await {
            wrong.push(format!("{found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn it_does_not_matter_who_does_it() {
    let shop = Shop::open(&example_tables()).await;
    let mut wrong = Vec::new();
    for (sql, rules) in [
        (
            "do $$ begin execute 'create index on orders (total)'; end $$",
            vec![Rule::BuildsIndex],
        ),
        (
            "create function f() returns void language sql as 'alter table orders alter total set not null'; select f()",
            vec![Rule::SetsNotNull],
        ),
        (
            "alter table orders add column code uuid default gen_random_uuid()",
            vec![Rule::RewritesTable],
        ),
        (
            "alter table orders add column twice int generated always as (total * 2) stored",
            vec![Rule::RewritesTable],
        ),
        (
            "alter table orders add column total2 int check (total2 > 0)",
            vec![Rule::ValidatesAtOnce],
        ),
        (
            "alter table orders add column p int not null, add column q int not null",
            vec![Rule::RequiredColumn; 2],
        ),
        (
            "cluster orders using orders_pkey",
            vec![Rule::RewritesTable],
        ),
        ("reindex table orders", vec![Rule::BuildsIndex]),
        ("delete from orders", vec![Rule::EmptiesTable]),
        (
            "lock table customers; with gone as (delete from orders where id < 0 returning 1) select * from gone",
            vec![Rule::WorksUnderLock],
        ),
        (
            "alter table customers add column tier text; do $$ begin update orders set total = 0; end $$",
            vec![Rule::WorksUnderLock],
        ),
    ] {
        let found = shop.lint(&[sql]).await;
        if found.iter().map(|found| found.rule).ne(rules) {
            wrong.push(format!("{sql}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_fails_because_all_is_one_transaction_here_is_not_told() {
    let shop = Shop::open("create type mood as enum ('well');").await;
    let files = [
        "-- tenantry: no transaction\nalter type mood add value 'ill';",
        "create table patients (id int primary key, mood mood not null default 'ill');",
    ];
    let found = shop.lint(&files).await;
    assert!(found.is_empty(), "{found:?}");
    // Nothing is in the way of that one.
    assert_eq!(shop.rules("select nonsense()").await, [Rule::Fails]);
}

#[tokio::test]
async fn partitions_are_told_of_once() {
    let mut wrong = Vec::new();
    let shop = Shop::open(
        "create table events (id int, day date not null, note text) partition by range (day);
         create table events_1 partition of events for values from ('2026-01-01') to ('2026-02-01');
         create table events_2 partition of events for values from ('2026-02-01') to ('2026-03-01');
         create table loose (id int, day date not null, note text);",
    )
    .await;
    for (sql, rule) in [
        (
            "alter table events alter column id type bigint",
            Rule::RewritesTable,
        ),
        ("create index on events (note)", Rule::BuildsIndex),
        ("alter table events drop column note", Rule::DropsColumn),
        (
            "alter table events alter column note set not null",
            Rule::SetsNotNull,
        ),
        (
            "alter table events attach partition loose for values from ('2026-03-01') to ('2026-04-01')",
            Rule::ValidatesAtOnce,
        ),
    ] {
        let found = shop.lint(&[sql]).await;
        if found.iter().map(|found| found.rule).ne([rule]) {
            wrong.push(format!("{sql}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn findings_say_where_and_what_instead() {
    let shop = Shop::open(&example_tables()).await;
    let sql = "-- first\n\nselect 1;\nalter table orders\n  rename column state to \"Odd State\";\n\ncreate index \"Odd\" on orders (lower(number)) where total > 0;\n";
    let found = shop.lint(&[sql]).await;
    let [rename, index] = &found[..] else {
        panic!("{found:#?}")
    };
    assert_eq!((rename.line, rename.file.as_str()), (4, "V2__f.sql"));
    assert_eq!(rename.excerpt, "alter table orders");
    assert_eq!(index.line, 7);
    let safer = index.safer.as_deref().unwrap();
    let better = "create index concurrently if not exists \"Odd\" on orders (lower(number)) WHERE total > 0;";
    assert!(safer.ends_with(better), "{safer}");
    // The next file is not run after one that fails.
    let found = shop
        .lint(&["select 1;\nselect nonsense();", "drop table orders cascade"])
        .await;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].rule, found[0].line), (Rule::Fails, 2));
    assert!(
        found[0].message.contains("nonsense"),
        "{}",
        found[0].message
    );
}

#[tokio::test]
async fn what_is_made_outside_of_the_schema_is_in_the_way_of_the_next_tenant() {
    let shop = Shop::open(&example_tables()).await;
    for (sql, made) in [
        (
            "select 1;\ndo $$ begin set local search_path to public; create table left_behind (id int); end $$;",
            "table public.left_behind",
        ),
        (
            "select 1;\ncreate function shared.f(a int) returns int language sql as 'select 1';",
            "function shared.f(integer)",
        ),
    ] {
        if sql.contains("shared") {
            let database = shop.replica.registry.database();
            let (client, _connection) = database.connect().await.unwrap();
            client.batch_execute("create schema shared").await.unwrap();
        }
        let found = shop.lint(&[sql, "select nonsense()"]).await;
        let [found] = &found[..] else {
            panic!("{found:#?}")
        };
        assert_eq!((found.rule, found.line), (Rule::Fails, 2));
        assert!(found.message.contains(made), "{}", found.message);
    }
    let harmless = "create temp table t (id int); do $$ begin create table made (id int); exception when others then null; end $$;";
    let found = shop.lint(&[harmless]).await;
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn what_is_left_out_is_noted_with_its_line() {
    let shop = Shop::open(&example_tables()).await;
    let sql = "begin;\n-- tenantry: allow read-otherwise our tool writes it\nset role owner;\nselect 1;\n  commit;\n\
         select 2;\nnotify pgrst;\ncommit;\n";
    let found = shop.lint(&[sql]).await;
    let [commit, notify] = &found[..] else {
        panic!("{found:#?}")
    };
    assert_eq!((commit.rule, commit.line), (Rule::ReadOtherwise, 5));
    assert_eq!((commit.level, &*commit.excerpt), (Level::Note, "commit;"));
    assert_eq!((notify.rule, notify.line), (Rule::ReadOtherwise, 7));
}

#[tokio::test]
async fn a_required_column_is_told_of_where_there_are_rows_too() {
    let shop = Shop::open(&example_tables()).await;
    let rows = "insert into customers (name) values ('Ada');";
    for required in [
        "select 1;\nalter table customers add column \"Tax no\" varchar(9) not null;",
        "select 1;\ndo $$ begin alter table customers add column \"Tax no\" varchar(9) not null; end $$;",
    ] {
        let found = shop.lint(&[rows, required]).await;
        let [found] = &found[..] else {
            panic!("{found:#?}")
        };
        assert_eq!((found.rule, found.line), (Rule::RequiredColumn, 2));
        assert_eq!(found.file, "V3__f.sql");
        let told = "in every tenant that has rows in customers, as it did here";
        assert!(found.message.ends_with(told), "{}", found.message);
        let safer = found.safer.as_deref().unwrap();
        let better = "alter table customers add column \"Tax no\" character varying(9);";
        assert!(safer.ends_with(better), "{safer}");
    }
    // Nobody's rows but the file's own: there is no other way to tell it.
    let own = "create table t (id int); insert into t values (1); alter table t add column a int not null;";
    assert_eq!(shop.rules(own).await, [Rule::Fails]);
    let other = "insert into customers (name) values (null)";
    assert_eq!(shop.rules(other).await, [Rule::Fails]);
}
