//! Two tenants of the same files, one of which somebody has meddled with.

use tokio_postgres::Client;

use super::{Script, Workspace, compare, fingerprints, list, stamps};
use crate::error::postgres_reason;
use crate::migrate::Migrations;
use crate::registry::Tenant;
use crate::testing::TestDatabase;

/// A bit of everything.
pub(super) const TABLES: &str = r#"
create type mood as enum ('sad', 'ok', 'happy');
create domain percent as int default 1 not null check (value between 0 and 100);
create type size as (width int, label text);
create sequence lonely increment by 5;
create table kinds (code varchar(10) primary key check (code in ('old', 'new')), label text not null);
create table "odd ""name""" (
  "Id" bigint generated always as identity primary key,
  kind varchar(10) not null default 'old' references kinds,
  mood mood not null default 'ok',
  share percent,
  size size,
  note text collate "C",
  doubled int generated always as ("Id" * 2) stored,
  serial serial
);
create index odd_note on "odd ""name""" (lower(note)) where note <> '';
create unique index odd_serial on "odd ""name""" (serial);
comment on table "odd ""name""" is 'It''s odd.';
comment on column "odd ""name""".note is E'@read admin\nWhat is\\isn''t noted.';
create table items (id int primary key, parent int references items, at timestamptz not null default now(),
  constraint later check (at > '2020-01-01 00:00+02'));
create table moods (id int primary key, mood mood check (mood in ('sad', 'ok')), others mood[] default '{ok,happy}',
  at regclass default 'lonely', nothing text default null::text);
create view grouped as select m.id, m.mood, count(*) as n from moods m join items i on i.id = m.id group by m.id;
create table parts (id int, at date) partition by range (at);
create table parts_new partition of parts default;
create view shown as select "Id", note, kind from "odd ""name""" where mood <> 'sad';
create view few as select note from shown;
comment on view few is '@primaryKey note';
create materialized view totals as select kind, count(*) as n from shown group by kind;
create unique index on totals (kind);
create function age(item items) returns int language sql stable return extract(day from now() - item.at)::int;
create function twice(n int, label text default 'x') returns int language plpgsql as $$ begin return 2 * n; end $$;
create function some_items() returns setof items language sql stable as 'select * from items';
create procedure tidy() language sql as 'delete from items';
create aggregate total(int) (sfunc = int4pl, stype = int, initcond = '0');
create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger touch before update of at on items for each row when (new.id > 1) execute function touch();
create rule nothing as on delete to kinds do instead nothing;
alter table items enable row level security;
create policy own on items for select to tenant using (id > 1);
create policy all_of_them on items as restrictive to public using (true) with check (id > 0);
revoke insert, delete on kinds from tenant;
grant select (note), update (note) on "odd ""name""" to tenant with grant option;
revoke execute on function twice(int, text) from public;
"#;

pub(super) struct Pair {
    pub(super) test: TestDatabase,
    psql: Client,
    pub(super) meddled: Tenant,
    pub(super) whole: Tenant,
}

impl Pair {
    pub(super) async fn of(tables: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("V1__tables.sql"), tables).unwrap();
        let test = TestDatabase::new().await;
        let replica = test
            .replica_with(Migrations::from_dir(dir.path()).unwrap())
            .await;
        let meddled = replica.sign_up("meddled").await.tenant;
        let whole = replica.sign_up("whole").await.tenant;
        let psql = test.owner().await;
        Self {
            test,
            psql,
            meddled,
            whole,
        }
    }

    /// Runs statements as somebody at a terminal would, in the schema of the tenant; `@role` is its role.
    pub(super) async fn meddle(&self, statements: &str) -> Result<(), String> {
        let Tenant { schema, role, .. } = &self.meddled;
        let path = format!("set search_path to {}, extensions; ", schema.quoted());
        let statements = statements.replace("@role", &role.quoted());
        let statements = statements.replace("@schema", &schema.quoted());
        let ran = self.psql.batch_execute(&(path + &statements)).await;
        ran.map_err(|error| postgres_reason(&error))
    }

    /// Of the tenant's catalog, as it is.
    async fn stamp(&self) -> Option<String> {
        let schema = self.meddled.schema.as_str();
        let stamps = stamps(&self.psql, &[schema, "nothing"]).await;
        stamps.unwrap().remove(0)
    }

    /// The differences as sentences, and the script that mends them. Fingerprints differ if and only if there are some, and
    /// shapes at least then.
    async fn look(&self, drop: bool) -> (Vec<String>, String) {
        let mut client = self.test.owner().await;
        let transaction = client.transaction().await.unwrap();
        let (meddled, whole) = (workspace(&self.meddled), workspace(&self.whole));
        let hidden = ["tenantry_base_history", "tenantry_app_history"];
        let found = list(&transaction, &meddled, &hidden).await.unwrap();
        let wanted = list(&transaction, &whole, &hidden).await.unwrap();
        let both = [&meddled, &whole];
        let prints = fingerprints(&transaction, &both, &hidden).await.unwrap();
        let comparison = compare(&found, &wanted);
        let same = comparison.differences.is_empty();
        assert_eq!(prints[0] == prints[1], same, "{:?}", comparison.differences);
        assert!(same || !self.has_one_shape().await);
        let script = Script {
            comparison: &comparison,
            workspace: &meddled,
            head: &[],
            drop,
        };
        let sentences = comparison.differences.iter();
        (
            sentences.map(compare::Difference::sentence).collect(),
            script.text(),
        )
    }
}

pub(super) fn workspace(tenant: &Tenant) -> Workspace {
    Workspace {
        schema: tenant.schema.clone(),
        role: tenant.role.clone(),
    }
}

/// What somebody does, and what is said of it.
const DRIFTS: &[(&str, &[&str])] = &[
    (
        "alter table items add extra text not null default ''",
        &["Column extra of table items is not in the migrations"],
    ),
    (
        "alter table items drop parent",
        &["Column parent of table items is missing"],
    ),
    (
        "alter table items alter parent type bigint",
        &["Column parent of table items is otherwise: bigint, and by the migrations integer"],
    ),
    (
        r#"drop view few; drop materialized view totals; drop view shown; alter table "odd ""name""" alter note type varchar(10) collate "C""#,
        &[
            "View shown is missing",
            "View few is missing",
            "Materialized view totals is missing",
        ],
    ),
    (
        r#"alter table "odd ""name""" alter kind set default 'new'"#,
        &[r#"Default kind of table "odd ""name""" is otherwise"#],
    ),
    (
        "alter table items alter at drop default, alter at drop not null",
        &[
            "Default at of table items is missing",
            "Not null at of table items is missing",
        ],
    ),
    (
        r#"alter table "odd ""name""" alter "Id" drop identity"#,
        &[r#"Default "Id" of table "odd ""name""" is missing"#],
    ),
    (
        "drop index odd_note",
        &[r#"Index odd_note of table "odd ""name""" is missing"#],
    ),
    (
        "create index by_hand on items (at)",
        &["Index by_hand of table items is not in the migrations"],
    ),
    (
        "alter table items drop constraint later; alter table items add constraint later check (at > '2020-01-01 00:00+02') not valid",
        &["Constraint later of table items is otherwise"],
    ),
    (
        "alter table items drop constraint items_parent_fkey",
        &["Constraint items_parent_fkey of table items is missing"],
    ),
    (
        "alter table items drop constraint items_pkey cascade",
        &[
            "Constraint items_pkey of table items is missing",
            "Constraint items_parent_fkey of table items is missing",
        ],
    ),
    (
        "create or replace function twice(n int, label text default 'x') returns int language plpgsql as $$ begin return 3 * n; end $$",
        &["Function twice(n integer, label text) is otherwise"],
    ),
    (
        "drop function twice(int, text); create function twice(n int, label text default 'x') returns bigint language sql as 'select 1'",
        &[
            "Function twice(n integer, label text) is otherwise",
            "What public may do with function twice",
        ],
    ),
    (
        "drop function some_items",
        &["Function some_items() is missing"],
    ),
    (
        "create or replace view few as select note, 1 as one from shown",
        &["View few is otherwise"],
    ),
    (
        "drop materialized view totals",
        &["Materialized view totals is missing"],
    ),
    (
        "alter table items disable trigger touch",
        &["The state of trigger touch on table items is not in the migrations"],
    ),
    (
        "drop trigger touch on items",
        &["Trigger touch of table items is missing"],
    ),
    (
        "alter policy own on items using (true)",
        &["Policy own of table items is otherwise"],
    ),
    (
        "alter table items disable row level security",
        &["Row-level security on table items is missing"],
    ),
    (
        "grant insert on kinds to @role",
        &["What the tenant may do with table kinds is otherwise"],
    ),
    (
        "grant select on kinds to public",
        &["What public may do with table kinds is not in the migrations"],
    ),
    (
        r#"revoke update (note) on "odd ""name""" from @role"#,
        &[r#"What the tenant with grant option may do with table "odd ""name""" is otherwise"#],
    ),
    (
        "grant execute on function twice(int, text) to public",
        &["What public may do with function twice(n integer, label text) is not"],
    ),
    (
        "comment on table items is 'Oh.'",
        &["The comment on table items is not in the migrations"],
    ),
    (
        r#"comment on column "odd ""name""".note is '@read viewer'"#,
        &[r#"The comment on column "odd ""name""".note is otherwise"#],
    ),
    (
        "drop rule nothing on kinds",
        &["Rule nothing of table kinds is missing"],
    ),
    (
        "alter sequence lonely increment by 6",
        &["Sequence lonely is otherwise"],
    ),
    (
        "alter domain percent drop default",
        &["Default of domain percent is missing"],
    ),
    (
        "alter domain percent drop constraint percent_check",
        &["Constraint percent_check of domain percent is missing"],
    ),
    (
        "create table more (id serial primary key, item int references items)",
        &["Table more is not in the migrations"],
    ),
    (
        "drop table items cascade",
        &[
            "Table items is missing",
            "Function age(item items) is missing",
        ],
    ),
    (
        "alter default privileges in schema @schema grant truncate on tables to @role",
        &["What the tenant may do with new tables is otherwise"],
    ),
    (
        "alter type mood add value 'angry' before 'sad'",
        &["Type mood is otherwise"],
    ),
];

/// What no statement mends; the last one.
const BY_HAND: &str = "alter type mood add value 'angry' before 'sad'";

#[tokio::test]
async fn every_drift_is_told_and_mended() {
    let mut pair = Pair::of(TABLES).await;
    assert_eq!(pair.look(false).await.0, [""; 0]);
    let mut problems = Vec::new();
    for (statements, sentences) in DRIFTS {
        if let Err(problem) = mend(&pair, statements, sentences).await {
            problems.push(format!("{statements}: {problem}"));
            pair = Pair::of(TABLES).await;
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

async fn mend(pair: &Pair, statements: &str, sentences: &[&str]) -> Result<(), String> {
    let before = pair.stamp().await;
    pair.meddle(statements).await?;
    if pair.stamp().await == before {
        return Err("its stamp is the same".to_owned());
    }
    let (told, script) = pair.look(true).await;
    let is_told = |sentence: &&&str| told.iter().any(|told| told.starts_with(**sentence));
    let untold: Vec<_> = sentences.iter().filter(|s| !is_told(s)).collect();
    if !untold.is_empty() {
        return Err(format!("{untold:?} of {told:#?}"));
    }
    let mended = pair.psql.batch_execute(&script).await;
    if let Err(error) = mended {
        let _ = pair.psql.batch_execute("rollback").await;
        return Err(format!("{}\n{script}", postgres_reason(&error)));
    }
    let rest = pair.look(true).await.0;
    let by_hand = statements == BY_HAND;
    if rest.is_empty() == by_hand {
        return Err(format!("{rest:#?}\n{script}"));
    }
    Ok(())
}

#[tokio::test]
async fn what_would_be_lost_is_left_to_a_person() {
    let pair = Pair::of(TABLES).await;
    pair.meddle("create table more (id int); alter table items add extra text; alter table kinds alter label drop not null")
        .await.unwrap();
    let (_, script) = pair.look(false).await;
    for commented in [
        "-- drop table more;",
        "-- alter table items drop column extra;",
    ] {
        assert!(script.contains(commented), "{script}");
    }
    pair.psql.batch_execute(&script).await.unwrap();
    let rest = pair.look(false).await.0;
    assert_eq!(rest.len(), 2, "{rest:#?}");
}

#[tokio::test]
async fn what_is_in_the_rows_and_how_they_are_stored_is_no_drift() {
    let pair = Pair::of(TABLES).await;
    pair.meddle(
        "insert into kinds values ('old', 'Old'); select nextval('lonely'); alter table kinds set (fillfactor = 50); \
         alter table kinds alter label set statistics 1000; create statistics together on code, label from kinds; \
         refresh materialized view totals; analyze kinds; cluster items using items_pkey",
    )
    .await.unwrap();
    assert_eq!(pair.look(false).await.0, [""; 0]);
}

#[tokio::test]
async fn a_type_changes_under_what_reads_the_column() {
    let pair = Pair::of(
        "create table a (id int primary key, n numeric(10, 2) not null default 1);
         create view v as select n from a; create view w as select n * 2 as m from v; comment on view w is 'W.';
         create function f() returns numeric language sql stable begin atomic select sum(m) from w; end;
         revoke select on v from tenant;
         alter table a enable row level security; create policy p on a to tenant using (n > 0);",
    )
    .await;
    pair.meddle(
        "drop policy p on a; drop function f; drop view w; drop view v; alter table a alter n type int;
         create view v as select n from a; create view w as select n * 2 as m from v; comment on view w is 'W.';
         create function f() returns numeric language sql stable begin atomic select sum(m) from w; end;
         revoke select on v from @role; create policy p on a to @role using (n > 0);
         insert into a values (1, 7)",
    )
    .await.unwrap();
    let (told, script) = pair.look(false).await;
    assert!(
        told.iter()
            .any(|told| told.starts_with("Column n of table a")),
        "{told:#?}"
    );
    pair.psql
        .batch_execute(&script)
        .await
        .unwrap_or_else(|error| panic!("{error:?}\n{script}"));
    assert_eq!(pair.look(false).await.0, [""; 0], "{script}");
}
