//! The audit log: an entry lives and dies with its transaction, and tenants see nothing of the table.

use std::net::IpAddr;

use serde_json::json;
use uuid::Uuid;

use super::{scalar, sqlstate};
use crate::error::Code;
use crate::names::{ApiKeyId, MemberRole, OperatorId, UserId};
use crate::registry::audit::{self, Actor, Entry, Kind, Recorded, Wanted};
use crate::request::RequestInfo;
use crate::testing::{Replica, TestDatabase};

fn entry(actor: Actor, request: Option<RequestInfo>) -> Entry {
    Entry {
        tenant: None,
        kind: Kind::Access,
        actor,
        request,
        action: "inviteMember".to_owned(),
        details: json!({"email": "eve@acme.test"}),
        failed: None,
    }
}

#[tokio::test]
async fn an_entry_is_part_of_the_transaction_that_it_is_about() {
    let database = TestDatabase::of_ordinary_owner().await;
    let replica = database.replica().await;
    let user = UserId(Uuid::now_v7());
    let request = RequestInfo {
        ip: IpAddr::from([192, 0, 2, 7]),
        user_agent: Some("curl/8".into()),
        id: "r1".into(),
    };
    let all = [
        entry(
            Actor::User(user, Some(MemberRole::Admin)),
            Some(request.clone()),
        ),
        entry(Actor::User(user, None), None),
        entry(
            Actor::ApiKey(ApiKeyId(Uuid::now_v7()), MemberRole::Viewer),
            Some(request.clone()),
        ),
        entry(
            Actor::Support(OperatorId(Uuid::now_v7()), MemberRole::Admin),
            None,
        ),
        entry(Actor::Operator(OperatorId(Uuid::now_v7())), None),
        entry(Actor::CommandLine("root".to_owned()), None),
        entry(Actor::Anonymous, Some(request)),
        Entry {
            failed: Some(Code::Forbidden),
            kind: Kind::Tenant,
            ..entry(Actor::Anonymous, None)
        },
    ];
    let mut connection = replica.registry.connection().await.unwrap();
    for commits in [false, true] {
        let transaction = connection.transaction().await.unwrap();
        for entry in &all {
            audit::record(&transaction, entry).await.unwrap();
        }
        if commits {
            transaction.commit().await.unwrap();
        }
    }
    let text = "select actor_kind || coalesce(':' || actor_name, '') || coalesce(':' || actor_role, '') \
                || coalesce(':' || host(ip), '') || coalesce(':' || user_agent, '') || ':' || kind || ':' || outcome \
                from tenantry.audit_log order by at, id";
    let rows = connection.query(text, &[]).await.unwrap();
    let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        found,
        [
            "user:admin:192.0.2.7:curl/8:access:ok",
            "user:access:ok",
            "api_key:viewer:192.0.2.7:curl/8:access:ok",
            "support:admin:access:ok",
            "operator:access:ok",
            "command_line:root:access:ok",
            "anonymous:192.0.2.7:curl/8:access:ok",
            "anonymous:tenant:FORBIDDEN",
        ]
    );
}

#[tokio::test]
async fn old_entries_go_by_one_replica_at_a_time() {
    let database = TestDatabase::of_ordinary_owner().await;
    let replica = database.replica().await;
    let mut connection = replica.registry.connection().await.unwrap();
    let fill = "insert into tenantry.audit_log (at, kind, action, actor_kind, details, outcome) \
                select now() - make_interval(hours => n), 'data', 'x', 'service', '{}', 'ok' \
                from generate_series(1, 12000) n";
    connection.execute(fill, &[]).await.unwrap();
    let fill = "insert into tenantry.audit_changes (at, id, tenant_id, action, entry) \
                select now() - make_interval(hours => n), gen_random_uuid(), \
                  lpad((n % 7)::text, 32, '0')::uuid, 'x', '{}' from generate_series(1, 12000) n";
    connection.execute(fill, &[]).await.unwrap();
    let other = connection.transaction().await.unwrap();
    let lock = "select pg_advisory_xact_lock(7022629598034657281)";
    other.execute(lock, &[]).await.unwrap();
    assert_eq!(replica.registry.remove_entries(10).await.unwrap(), 0);
    other.rollback().await.unwrap();
    assert_eq!(
        replica.registry.remove_entries(10).await.unwrap(),
        2 * (12000 - 239)
    );
    for table in ["audit_log", "audit_changes"] {
        let left =
            format!("select count(*), min(at) > now() - interval '10 days' from tenantry.{table}");
        let row = connection.query_one(&left, &[]).await.unwrap();
        let found = (row.get::<_, i64>(0), row.get::<_, bool>(1));
        assert_eq!(found, (239, true), "{table}");
    }
}

#[tokio::test]
async fn what_failed_is_written_by_a_task_and_a_flood_is_counted() {
    let database = TestDatabase::of_ordinary_owner().await;
    let replica = database.replica().await;
    let backlog = &replica.registry.backlog;
    for _ in 0..1500 {
        backlog.add(Entry {
            failed: Some(Code::Timeout),
            ..entry(Actor::Anonymous, None)
        });
    }
    backlog.written().await;
    let connection = replica.registry.connection().await.unwrap();
    let text = "select count(*) from tenantry.audit_log where outcome = 'TIMEOUT'";
    let written: i64 = connection.query_one(text, &[]).await.unwrap().get(0);
    assert_eq!(written, 1000, "what did not fit was counted");
}

/// Whatever a function of the app becomes, sets or runs: it adds nothing, to its own log neither; and nobody reads it.
#[tokio::test]
async fn only_the_service_adds_entries() {
    let old = "insert into tenantry.audit_log (tenant_id, action, actor_kind, actor_id, trail) \
               values ('ID', 'forged', 'user', gen_random_uuid(), '{}')";
    let new = "insert into tenantry.audit_changes (tenant_id, id, action, entry) \
               values ('ID', gen_random_uuid(), 'forged', '{}')";
    for (table, insert) in [("audit_log", old), ("audit_changes", new)] {
        only_the_service_inserts(table, insert).await;
    }
}

async fn only_the_service_inserts(table: &str, insert: &str) {
    let database = TestDatabase::of_ordinary_owner().await;
    let replica = database.replica().await;
    let ours = replica.sign_up("ours").await.tenant;
    let theirs = replica.sign_up("theirs").await.tenant;
    let request = replica.request_connection().await;
    let own = insert.replace("ID", &ours.id.to_string());
    let foreign = insert.replace("ID", &theirs.id.to_string());
    let record = "select tenantry.record('forged', 'user', '', '', '', '', '', '{}', '')";

    let owner = database.owner().await;
    let (schema, role) = (ours.schema.quoted(), ours.role.quoted());
    let app = format!(
        "create function {schema}.run(statement text) returns void language plpgsql as \
           $$ begin execute statement; end $$; \
         create function {schema}.forge() returns void language sql as $$ {own} $$; \
         create function {schema}.forge_later() returns trigger language plpgsql as \
           $$ begin {own}; return null; end $$; \
         create table {schema}.later (id integer); grant insert on {schema}.later to {role}; \
         create constraint trigger later after insert on {schema}.later deferrable initially deferred \
           for each row execute function {schema}.forge_later()"
    );
    owner.batch_execute(&app).await.unwrap();
    let begin = format!(
        "begin; set local role {role}; set local search_path = {schema}; set local app.tenant_id = '{}'",
        theirs.id
    );
    let prepare = format!("prepare entry as {own}");
    request.batch_execute(&prepare).await.unwrap();
    let run = |statement: &str| format!("select run($run${statement}$run$)");
    for statement in [
        &run(&own),
        &run(&foreign),
        &run(record),
        &run("execute entry"),
        &run(&format!("set local role none; {own}")),
        &run(&format!(
            "create function pg_temp.starts_with(text, text) returns boolean return true; \
                       set local search_path = pg_temp, pg_catalog; {own}"
        )),
        "select forge()",
        &format!("select 1, forge() -- insert into tenantry.{table} "),
        record,
        "execute entry",
        &format!("{own} returning id"),
        &format!("select * from tenantry.{table}"),
        &format!("update tenantry.{table} set action = 'x'"),
        &format!("delete from tenantry.{table}"),
        &format!("truncate tenantry.{table}"),
    ] {
        request.batch_execute(&begin).await.unwrap();
        assert_eq!(sqlstate(&request, statement).await, "42501", "{statement}");
        request.batch_execute("rollback").await.unwrap();
    }
    request.batch_execute(&begin).await.unwrap();
    request
        .batch_execute("insert into later values (1)")
        .await
        .unwrap();
    assert_eq!(sqlstate(&request, "commit").await, "42501", "later");

    // The service's own statement is one by itself.
    request.batch_execute(&begin).await.unwrap();
    request.batch_execute(&own).await.unwrap();
    request.batch_execute("commit").await.unwrap();
    let text =
        format!("select string_agg(action, ' ') from tenantry.{table} where action = 'forged'");
    assert_eq!(scalar(&owner, &text).await, "forged");
}

/// Entries of tables were written as JSON of Postgres' once, and then as text; where they are now, others were not.
#[tokio::test]
async fn entries_of_all_releases_are_one_log() {
    let database = TestDatabase::of_ordinary_owner().await;
    let replica = database.replica().await;
    let (ours, theirs) = (
        replica.sign_up("ours").await.tenant.id,
        replica.sign_up("theirs").await.tenant.id,
    );
    let fill = format!(
        "insert into tenantry.audit_log (at, tenant_id, kind, action, actor_kind, actor_id, details, trail, keys, outcome) values
           (now() + interval '1 min', '{ours}', 'data', 'oldest', 'user', '{ours}', '{{\"fields\": 1}}', null, '{{\"{{7}}\"}}', 'ok'),
           (now() + interval '2 min', '{ours}', 'data', 'old', 'user', '{ours}', null, '{{\"fields\": 2}}', '{{\"200 {{1,2}}\",null}}', 'ok'),
           (now() + interval '4 min', '{ours}', 'data', 'failed', 'user', null, '{{}}', null, null, 'TIMEOUT'),
           (now() + interval '5 min', null, 'access', 'nobodys', 'operator', null, '{{}}', null, null, 'ok');
         insert into tenantry.audit_changes (at, id, tenant_id, actor_id, action, entry, keys)
           select now() + make_interval(mins => n), gen_random_uuid(), tenant, '{ours}', action,
             '{{\"actor\": \"user\", \"role\": \"admin\", \"ip\": \"::1\", \"agent\": null, \"request\": \"r\", \"details\": {{\"fields\": 3}}}}', keys
           from (values (3, uuid '{ours}', 'new', array['{{7,8}}', 'x']), (6, '{theirs}', 'theirs', null),
                        (7, '{ours}', 'newest', null)) entry (n, tenant, action, keys)"
    );
    database.owner().await.batch_execute(&fill).await.unwrap();
    let since = Some(time::OffsetDateTime::now_utc() + time::Duration::seconds(30));
    let all = Wanted {
        since,
        ..Wanted::default()
    };
    let (data, access) = (Some(Kind::Data), Some(Kind::Access));
    for (tenant, kind, failed, action, expected) in [
        (
            None,
            None,
            None,
            None,
            "newest theirs nobodys failed new old oldest",
        ),
        (Some(ours), None, None, None, "newest failed new old oldest"),
        (Some(theirs), None, None, None, "theirs"),
        (
            None,
            data,
            None,
            None,
            "newest theirs failed new old oldest",
        ),
        (None, access, None, None, "nobodys"),
        (None, None, Some(true), None, "failed"),
        (Some(ours), None, Some(false), None, "newest new old oldest"),
        (None, None, None, Some("new"), "new"),
    ] {
        let wanted = Wanted {
            tenant,
            kind,
            failed,
            action: action.map(str::to_owned),
            ..all.clone()
        };
        for length in [1, 2, 10] {
            let found = whole_log(&replica, &wanted, length).await;
            let actions: Vec<_> = found.iter().map(|entry| entry.action.as_str()).collect();
            assert_eq!(actions.join(" "), expected, "{wanted:?}");
        }
    }
    let wanted = Wanted {
        actors: Some(vec![ours.0]),
        ..all
    };
    let entries = whole_log(&replica, &wanted, 10).await;
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            json!([
                entry.action,
                entry.actor_role,
                entry.ip,
                entry.request_id,
                entry.details["fields"],
                entry.keys
            ])
        })
        .collect();
    let expected = json!([
        ["newest", "admin", "::1", "r", 3, null],
        ["theirs", "admin", "::1", "r", 3, null],
        ["new", "admin", "::1", "r", 3, [[2, ["7", "8"]], null]],
        ["old", null, null, null, 2, [[200, ["1", "2"]], null]],
        ["oldest", null, null, null, 1, [[1, ["7"]]]],
    ]);
    assert_eq!(json!(told), expected);
}

/// By pages of this length.
async fn whole_log(replica: &Replica, wanted: &Wanted, length: u16) -> Vec<Recorded> {
    let (mut found, mut after) = (Vec::new(), None);
    let mut connection = replica.registry.connection().await.unwrap();
    let transaction = connection.transaction().await.unwrap();
    loop {
        let (entries, more) = audit::page(&transaction, wanted, after, length)
            .await
            .unwrap();
        after = entries.last().map(Recorded::place);
        found.extend(entries);
        if !more {
            return found;
        }
    }
}

#[tokio::test]
async fn very_many_keys_are_a_number_and_the_first_hundred() {
    let database = TestDatabase::of_ordinary_owner().await;
    database.replica().await;
    let owner = database.owner().await;
    let keys = "select tenantry.first_keys(array_agg(n)::text) from generate_series(1, 20000) n";
    let keys = scalar(&owner, keys).await;
    assert!(
        keys.starts_with("20000 {1,2,") && keys.ends_with(",99,100}"),
        "{keys}"
    );
    let long = "select tenantry.first_keys(array[repeat('ü', 5000), 'a,\"b']::text)";
    let long = scalar(&owner, long).await;
    assert_eq!(long, format!("2 {{{},\"a,\\\"b\"}}", "ü".repeat(100)));
}

/// Operators and accounts have no address in common that would hide one of them.
#[tokio::test]
async fn actors_are_found_by_their_address_and_called_by_their_name() {
    let database = TestDatabase::of_ordinary_owner().await;
    let replica = database.replica().await;
    let signed_up = replica.sign_up("acme").await;
    let mut connection = replica.registry.connection().await.unwrap();
    let operator = Uuid::now_v7();
    let make = "insert into tenantry.operators (id, email) select $1, email from tenantry.accounts";
    connection.execute(make, &[&operator]).await.unwrap();
    let transaction = connection.transaction().await.unwrap();
    let operator = OperatorId(operator);
    for actor in [
        Actor::User(signed_up.owner, None),
        Actor::Operator(operator),
        Actor::Support(operator, MemberRole::Viewer),
        Actor::Anonymous,
    ] {
        audit::record(&transaction, &entry(actor, None))
            .await
            .unwrap();
    }
    transaction.commit().await.unwrap();
    let email = "select email, name from tenantry.accounts";
    let row = connection.query_one(email, &[]).await.unwrap();
    let (email, name): (String, String) = (row.get(0), row.get(1));
    let wanted = Wanted {
        action: Some("inviteMember".to_owned()),
        ..Wanted::default()
    };
    let shouted = email.to_uppercase();
    for (actor, expected) in [
        (Some(shouted.as_str()), &["support", "operator", "user"][..]),
        (Some(&signed_up.owner.0.to_string()), &["user"]),
        (None, &["anonymous", "support", "operator", "user"]),
    ] {
        let page = replica
            .registry
            .read_audit_log(None, actor, wanted.clone(), None, 10);
        let (entries, more) = page.await.unwrap();
        let kinds: Vec<_> = entries
            .iter()
            .map(|entry| entry.actor_kind.as_str())
            .collect();
        assert_eq!((&kinds[..], more), (expected, false));
        for entry in entries {
            let called = match entry.actor_kind.as_str() {
                "user" => Some(&name),
                "anonymous" => None,
                _ => Some(&email),
            };
            assert_eq!(entry.actor_name.as_ref(), called, "{}", entry.actor_kind);
        }
    }
}
