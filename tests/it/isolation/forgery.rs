//! What functions of the app can do to the audit log. They run whatever a client sends here, which nobody should write:
//! whatever comes of it, each change has an entry of its own, which tells the truth, and there is no other.

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::harness::database::names;
use crate::harness::token::Claims;
use crate::harness::{Caller, Service};

/// Functions and types by the names that the statement of an entry uses come along.
const APP: &str = r"
create table notes (id int primary key, body text not null);
create function run(statement text) returns text language plpgsql as
  $$ begin execute statement; return 'ran'; end $$;
create function obey() returns trigger language plpgsql as $$ begin
  if new.body like tg_argv[0] || ':%' then execute substr(new.body, length(tg_argv[0]) + 2); end if;
  return new;
end $$;
create trigger obey_before before insert on notes for each row execute function obey('before');
create trigger obey_after after insert on notes for each row execute function obey('after');
create constraint trigger obey_later after insert on notes deferrable initially deferred
  for each row execute function obey('later');

create function forge() returns void language sql as
  $$ insert into tenantry.audit_changes (id, tenant_id, action, entry) values (pg_catalog.gen_random_uuid(), tenantry.tenant_id(), 'forged', '{}') $$;
create function starts_with(text, text) returns boolean language plpgsql as $$ begin perform forge(); return true; end $$;
create function told_keys(text) returns text language plpgsql as $$ begin perform forge(); return '{forged}'; end $$;
create view present_tenant as select gen_random_uuid() as id, '' as version;
create function current_query() returns text language sql return 'insert into tenantry.audit_changes ';
create function forged_less(integer, integer) returns boolean language plpgsql as $$ begin perform forge(); return true; end $$;
create operator <= (leftarg = integer, rightarg = integer, function = forged_less);
create domain inet as text check (value <> 'forged');
create domain uuid as text;";

const ATTACK: &str = "mutation Attack($id: Int!, $body: String!, $statement: String!) {
    createNote(input: {id: $id, body: $body}) { id } run(statement: $statement) }";

/// What a function runs, and whether the mutation goes through.
#[rustfmt::skip]
const STATEMENTS: &[(&str, bool)] = &[
    // Entries of one's own making.
    (INSERT, false),
    ("insert into tenantry.audit_log (tenant_id, action, actor_kind) values ('VICTIM', 'forged', 'user')", false),
    ("insert into tenantry.audit_changes (id, tenant_id, action, entry) select id, id, 'forged', '{}' from tenantry.present_tenant", false),
    ("insert into tenantry.audit_changes (action) select 'forged' where false; insert into tenantry.audit_changes (id, tenant_id, action, entry) values (gen_random_uuid(), 'VICTIM', 'forged', '{}')", false),
    ("set local role none; insert into tenantry.audit_changes (id, tenant_id, action, entry) values (gen_random_uuid(), 'VICTIM', 'forged', '{}')", false),
    ("set local role ROLE; insert into tenantry.audit_changes (id, tenant_id, action, entry) values (gen_random_uuid(), 'VICTIM', 'forged', '{}')", false),
    ("do $$ begin insert into tenantry.audit_changes (id, tenant_id, action, entry) values (gen_random_uuid(), 'VICTIM', 'forged', '{}'); exception when others then null; end $$", true),
    ("create temp view log as select * from tenantry.audit_changes; insert into log (action, actor_kind) values ('forged', 'user')", false),
    ("with e as (insert into tenantry.audit_changes (id, tenant_id, action, entry) values (gen_random_uuid(), 'VICTIM', 'forged', '{}') returning id) select * from e", false),
    ("select tenantry.record('forged', 'user', '', '', '', '', '', '{}', '')", false),
    ("prepare entry as insert into tenantry.audit_changes (id, tenant_id, action, entry) values (gen_random_uuid(), 'VICTIM', 'forged', '{}'); execute entry", false),
    ("copy tenantry.audit_changes (id, tenant_id, action, entry) from '/dev/null'", false),
    // Those of others, and the table itself.
    ("select count(*) from tenantry.audit_changes", false),
    ("insert into tenantry.audit_changes (id, tenant_id, action, entry) values (gen_random_uuid(), 'VICTIM', 'forged', '{}') on conflict do nothing returning action", false),
    ("copy tenantry.audit_changes to '/dev/null'", false),
    ("update tenantry.audit_changes set action = 'forged'", false),
    ("delete from tenantry.audit_changes", false),
    ("delete from tenantry.audit_log", false),
    ("select count(*) from tenantry.audit_log", false),
    ("truncate tenantry.audit_changes", false),
    ("lock table tenantry.audit_changes in access exclusive mode", false),
    ("alter table tenantry.audit_changes disable row level security", false),
    ("drop policy request on tenantry.audit_changes", false),
    ("create rule nothing as on insert to tenantry.audit_changes do instead nothing", false),
    ("create trigger nothing before insert on tenantry.audit_changes for each row execute function obey('before')", false),
    ("create table pg_temp.log (at timestamptz, id uuid, foreign key (at, id) references tenantry.audit_log)", false),
    ("create function tenantry.told_keys(unknown) returns text return 'forged'", false),
    ("create or replace function tenantry.told_keys(setting text) returns text return 'forged'", false),
    ("create or replace view tenantry.present_tenant as select gen_random_uuid() as id, '' as version", false),
    ("insert into notes select 1000, t.subdomain from tenantry.tenants t", false),
    // To have no entry.
    ("set local row_security = off", false),
    ("set local transaction_read_only = on", false),
    ("set local role none", false),
    ("set local role ROLE", false),
    ("commit", false),
    ("rollback", false),
    ("close all", true),
    // To run within the statement of the entry, or to have it mean something else.
    ("select set_config('search_path', format('%I, pg_temp, pg_catalog', current_schema()), true)", true),
    ("create function pg_temp.told_keys(text) returns text return 'forged'; create temp table audit_log (like notes); \
      set local search_path = pg_temp, pg_catalog, tenantry", true),
    ("set local app.tenant_id = 'VICTIM'; set local app.user_id = 'VICTIM'; set local app.role = 'viewer'", true),
    // What a transaction has kept is the app's to spoil, but not so that it or others could not be read.
    ("select set_config('tenantry.kept_0_0', '{7,', true)", true),
    ("select set_config('tenantry.kept_0_0', 'x', true)", true),
    ("select set_config('tenantry.kept_0_0', '', true)", true),
    ("select set_config('tenantry.kept_0_0', repeat('x', 5000), true)", false),
];

const INSERT: &str = "insert into tenantry.audit_changes (id, tenant_id, action, entry) values (gen_random_uuid(), 'VICTIM', 'forged', '{}')";

/// Somebody who has SQL run in her own tenant, and what the log is asked about her.
struct Forger<'a> {
    psql: &'a Client,
    caller: Caller,
    schema: String,
    victim: String,
    victim_role: String,
    requests: Vec<String>,
}

impl Forger<'_> {
    /// Whether the mutation went through; it has an entry then, and none otherwise.
    async fn attempt(&mut self, body: &str, statement: &str) -> bool {
        let fill = |text: &str| {
            let text = text.replace("VICTIM", &self.victim);
            text.replace("ROLE", &format!("\"{}\"", self.victim_role))
        };
        let id = i32::try_from(self.requests.len() + 1).unwrap();
        let variables = json!({"id": id, "body": fill(body), "statement": fill(statement)});
        let answer = self.caller.ask(ATTACK, variables).await;
        let request = answer.header("x-request-id").to_owned();
        let done = answer.json()["errors"].is_null();
        let notes = format!(
            "select count(*) from \"{}\".notes where id = $1",
            self.schema
        );
        let notes: i64 = self.psql.query_one(&notes, &[&id]).await.unwrap().get(0);
        assert_eq!(notes, i64::from(done), "{statement}: {answer:?}");
        let entries = "select jsonb_build_array(t.subdomain, c.action, e ->> 'actor', c.actor_id, e ->> 'role',
                e #>> '{details,fields,0,field}', e #>> '{details,fields,1,field}'), c.keys
            from tenantry.audit_changes c cross join lateral (select c.entry::jsonb) e (e)
            left join tenantry.tenants t on t.id = c.tenant_id where e ->> 'request' = $1";
        let entries = self.psql.query(entries, &[&request]).await.unwrap();
        let found: Vec<Value> = entries.iter().map(|entry| entry.get(0)).collect();
        let user = &Claims::of(self.caller.token.as_deref().unwrap()).0["sub"];
        let tenant = self.caller.subdomain();
        let entry = json!([tenant, "Attack", "user", user, "owner", "createNote", "run"]);
        let expected = if done { vec![entry] } else { Vec::new() };
        assert_eq!(found, expected, "{statement}: {answer:?}");
        if done && !statement.contains("kept_0_0") {
            let keys: Vec<String> = entries[0].get(1);
            assert_eq!(keys, [format!("{{{id}}}")], "{statement}");
        }
        self.requests.push(request);
        done
    }

    /// All that the log has of tables is of what was asked for.
    async fn assert_nothing_forged(&self) {
        let strange = "select count(*) from tenantry.audit_changes
            where tenant_id::text <> $1 and (entry::jsonb ->> 'request' = any($2)) is not true";
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
            [&self.victim, &self.requests];
        let strange = self.psql.query_one(strange, &parameters).await.unwrap();
        assert_eq!(strange.get::<_, i64>(0), 0);
        let victims =
            "select string_agg(action, ' ') from tenantry.audit_changes where tenant_id::text = $1";
        let victims = self.psql.query_one(victims, &[&self.victim]).await.unwrap();
        assert_eq!(victims.get::<_, Option<String>>(0).as_deref(), Some("Mine"));
        let old = "select count(*) from tenantry.audit_log where kind = 'data' and outcome = 'ok'";
        let old = self.psql.query_one(old, &[]).await.unwrap();
        assert_eq!(old.get::<_, i64>(0), 0);
    }
}

#[tokio::test]
async fn functions_of_the_app_neither_forge_nor_suppress_entries() {
    let service = Service::with_tables(APP);
    let psql = service.psql().await;
    let (caller, victim) = (
        service.sign_up("forger").await,
        service.sign_up("victim").await,
    );
    let mine = "mutation Mine { createNote(input: {id: 1, body: \"mine\"}) { id } }";
    victim.query(mine).await.data();
    let id = "select id::text from tenantry.tenants where subdomain = $1";
    let id = psql.query_one(id, &[&victim.subdomain()]).await.unwrap();
    let (schema, _) = names(&psql, caller.subdomain()).await;
    let (_, victim_role) = names(&psql, victim.subdomain()).await;
    let mut forger = Forger {
        psql: &psql,
        caller,
        schema,
        victim: id.get(0),
        victim_role,
        requests: Vec::new(),
    };
    // Unnamed at first, and then prepared.
    for _ in 0..3 {
        assert!(forger.attempt("note", "select 1").await);
    }
    let mut wrong = Vec::new();
    for (statement, expected) in STATEMENTS {
        if forger.attempt("note", statement).await != *expected {
            wrong.push(*statement);
        }
    }
    for body in ["before:", "after:", "later:"] {
        if forger.attempt(&format!("{body}{INSERT}"), "select 1").await {
            wrong.push(body);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    forger.assert_nothing_forged().await;
    everything_can_be_read(&forger.caller, forger.requests.len()).await;
    everything_can_be_read(&victim, 1).await;
}

/// What a connection has prepared, SQL can prepare anew; where nothing is prepared, there is nothing to replace.
#[tokio::test]
async fn what_is_not_prepared_cannot_be_replaced() {
    const REPLACE: &str = "do $$ declare name text; begin
        for name in select s.name from pg_prepared_statements s union select unnest(array['begin', 'commit', 'version', 'q1', 'q2']) loop
          begin execute format('deallocate %I', name); exception when others then null; end;
          execute format('prepare %I as select 1', name);
        end loop; end $$";
    let service = Service::with_tables(APP);
    let tables = service.dir().join("tables");
    let arguments = ["--pooler", "--tenant-sql", tables.to_str().unwrap()];
    let replica = service.beside("unprepared", None, &arguments).await;
    let psql = service.psql().await;
    let (caller, victim) = (
        service.sign_up("forger").await,
        service.sign_up("victim").await,
    );
    let (schema, _) = names(&psql, caller.subdomain()).await;
    let mut forger = Forger {
        psql: &psql,
        caller: caller.at(&replica),
        schema,
        victim: victim.subdomain().to_owned(),
        victim_role: String::new(),
        requests: Vec::new(),
    };
    for _ in 0..5 {
        assert!(forger.attempt("note", REPLACE).await);
    }
}

async fn everything_can_be_read(caller: &Caller, entries: usize) {
    let log = "{ currentTenant { auditLog(first: 1000, where: {kind: DATA}) {
        nodes { action outcome fields { name rows { table count keys } } } } } }";
    let answer = caller.query(log).await;
    assert!(!answer.text.contains("forged"), "{answer:?}");
    let data = answer.data();
    let nodes = data["currentTenant"]["auditLog"]["nodes"]
        .as_array()
        .unwrap();
    // What failed is written a moment later.
    assert!((1..=entries).contains(&nodes.len()), "{nodes:#?}");
}
