//! The audit log: who changed what, written by the transaction that did it, and told to nobody else.

mod command;
mod service;

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::harness::{Caller, Service, eventually};

/// What the log has of a tenant, the oldest first: action, actor, role, outcome, and for each field its rows.
async fn entries(psql: &Client, caller: &Caller) -> Vec<Value> {
    let statement = "
        with l as (
          select at, tenant_id, action, actor_kind, actor_role, outcome, details, keys
          from tenantry.audit_log where kind = 'data'
          union all
          select at, tenant_id, action, entry ->> 'actor', entry ->> 'role', 'ok', entry -> 'details', keys
          from (select at, tenant_id, action, entry::jsonb, keys from tenantry.audit_changes) c)
        select jsonb_build_array(l.action, l.actor_kind, l.actor_role, l.outcome, l.details -> 'fields', to_jsonb(l.keys))
        from l join tenantry.tenants t on t.id = l.tenant_id
        where t.subdomain = $1 order by l.at";
    let rows = psql.query(statement, &[&caller.subdomain()]).await;
    rows.unwrap().iter().map(|row| row.get(0)).collect()
}

/// A field of an entry, with its sets of rows: table, action, columns of the key.
fn field(name: &str, rows: &[(&str, &str, u32)]) -> Value {
    let rows = rows.iter().map(
        |(table, action, columns)| json!({"table": table, "action": action, "columns": columns}),
    );
    json!({"field": name, "rows": rows.collect::<Vec<_>>()})
}

#[tokio::test]
async fn every_mutation_leaves_an_entry_with_its_keys() {
    let service = Service::shared();
    let owner = service.sign_up("audit").await;
    let psql = service.psql().await;
    let create =
        "mutation Make($key: String!) { createProject(input: {key: $key, name: \"A\"}) { id } }";
    let made = owner.ask(create, json!({"key": "AB"})).await.data();
    let project = made["createProject"]["id"].as_str().unwrap();
    let nested = format!(
        r#"mutation {{ a: createIssue(input: {{projectId: "{project}", title: "T", labels: {{create: [{{name: "x"}}]}}}})
           {{ __typename }} b: updateProject(id: "{project}", set: {{name: "B"}}) {{ name }} }}"#
    );
    owner.query(&nested).await.data();
    let many =
        "mutation { createLabels(inputs: [{name: \"y\"}, {name: \"z\"}]) { affectedCount } }";
    owner.query(many).await.data();
    let delete = "mutation { deleteLabels(where: {name: {in: [\"y\", \"z\"]}}) { affectedCount } }";
    owner.query(delete).await.data();
    let one = "mutation { deleteLabelByName(name: \"x\") { name } none: deleteLabelByName(name: \"x\") { name } }";
    owner.query(one).await.data();
    let close = "mutation ($id: UUID!) { closeIssue(id: $id) { status } }";
    let issue = owner
        .query("{ issues(where: {title: {eq: \"T\"}}) { nodes { id } } }")
        .await
        .data();
    let issue = issue["issues"]["nodes"][0]["id"].clone();
    owner.ask(close, json!({"id": issue})).await.data();

    let found = entries(&psql, &owner).await;
    let [first, nested, many, delete, one, close] = &found[..] else {
        panic!("{found:#?}");
    };
    let expected = field("createProject", &[("projects", "insert", 1)]);
    let expected = json!([
        "Make",
        "user",
        "owner",
        "ok",
        [expected],
        [format!("{{{project}}}")]
    ]);
    assert_eq!(first, &expected);
    assert_eq!(nested[0], "createIssue, updateProject");
    let rows = [
        ("issues", "insert", 1),
        ("labels", "insert", 1),
        ("issue_labels", "insert", 2),
    ];
    let expected = json!([
        field("createIssue", &rows),
        field("updateProject", &[("projects", "update", 1)])
    ]);
    assert_eq!(nested[4], expected);
    let keys: Vec<_> = nested[5]
        .as_array()
        .unwrap()
        .iter()
        .map(|keys| keys.as_str().unwrap())
        .collect();
    let id = issue.as_str().unwrap();
    assert_eq!(keys.len(), 5);
    assert_eq!(keys[0], format!("{{{id}}}"));
    assert_eq!(
        (keys[2], keys[3]),
        (keys[0], keys[1]),
        "the junction's row has both"
    );
    assert_eq!(keys[4], format!("{{{project}}}"));
    assert_eq!(
        many[4],
        json!([field("createLabels", &[("labels", "insert", 1)])])
    );
    assert_eq!(many[5][0].as_str().unwrap().len(), 2 * 36 + 3);
    assert_eq!(
        delete[4],
        json!([field("deleteLabels", &[("labels", "delete", 1)])])
    );
    let sorted = |keys: &Value| {
        let keys = keys[0].as_str().unwrap().trim_matches(['{', '}']);
        let mut keys: Vec<_> = keys.split(',').map(str::to_owned).collect();
        keys.sort();
        keys
    };
    assert_eq!(
        sorted(&delete[5]),
        sorted(&many[5]),
        "what was made is gone"
    );
    let deleted = [("labels", "delete", 1)];
    assert_eq!(
        one[4],
        json!([
            field("deleteLabelByName", &deleted),
            field("deleteLabelByName", &deleted)
        ])
    );
    assert_eq!(one[5], json!([keys[1], "{}"]));
    assert_eq!(
        close[4],
        json!([field("closeIssue", &[("issues", "call", 1)])])
    );
    assert_eq!(close[5], json!([keys[0]]));
}

#[tokio::test]
async fn a_mutation_that_fails_leaves_an_entry_too() {
    let service = Service::shared();
    let owner = service.sign_up("audit").await;
    let psql = service.psql().await;
    let twice = r#"mutation Twice { one: createLabel(input: {name: "x"}) { id } two: createLabel(input: {name: "x"}) { id } }"#;
    assert_eq!(owner.query(twice).await.code(), "UNIQUE_VIOLATION");
    let bad = r#"mutation Bad { deleteLabel(id: "no id") { id } }"#;
    assert_eq!(owner.query(bad).await.code(), "BAD_USER_INPUT");
    let anonymous = owner.with_token(None);
    assert_eq!(anonymous.query(twice).await.code(), "UNAUTHENTICATED");
    owner.query("{ labels { totalCount } }").await.data();
    let found = eventually("the failures are written", async || {
        Some(entries(&psql, &owner).await).filter(|found| found.len() > 1)
    });
    let found: Vec<_> = found
        .await
        .iter()
        .map(|entry| json!([entry[0], entry[3], entry[5]]))
        .collect();
    let expected = [
        json!(["Twice", "UNIQUE_VIOLATION", null]),
        json!(["Bad", "BAD_USER_INPUT", null]),
    ];
    assert_eq!(found, expected, "and nothing of who has not logged in");
}

const LOG: &str = "query ($after: String, $where: TenantAuditFilter, $first: Int! = 50) {
    currentTenant { auditLog(first: $first, after: $after, where: $where) {
        nodes { action kind outcome actor { kind name role id } ip userAgent requestId document
                fields { name rows { table action count keys } } details { name value } }
        pageInfo { hasNextPage endCursor } } } }";

async fn log(caller: &Caller, variables: Value) -> Value {
    caller.ask(LOG, variables).await.data()["currentTenant"]["auditLog"].clone()
}

#[tokio::test]
async fn admins_read_their_own_log_and_nobody_elses() {
    let service = Service::shared();
    let (acme, globex) = (
        service.sign_up("audit").await,
        service.sign_up("audit").await,
    );
    let create = "mutation Make($name: String!) { createLabel(input: {name: $name}) { id } }";
    for name in ["one", "two", "three"] {
        acme.ask(create, json!({"name": name})).await.data();
    }
    let last = acme.ask(create, json!({"name": "four"})).await;
    let key = last.data()["createLabel"]["id"].clone();
    let mine = json!({"kind": "DATA"});
    let page = log(&acme, json!({"where": mine, "first": 1})).await;
    let entry = &page["nodes"][0];
    let claims = crate::harness::token::Claims::of(acme.token.as_deref().unwrap());
    assert_eq!(
        entry["actor"],
        json!({"kind": "user", "name": "Olga Owner", "role": "owner", "id": claims.0["sub"]})
    );
    assert_eq!(
        (&entry["action"], &entry["outcome"]),
        (&json!("Make"), &json!("ok"))
    );
    assert_eq!(
        (&entry["ip"], &entry["requestId"]),
        (&json!("127.0.0.1"), &json!(last.header("x-request-id")))
    );
    assert_eq!(entry["document"].as_str().unwrap().len(), 64);
    let rows = json!([{"table": "labels", "action": "insert", "count": 1, "keys": [[key]]}]);
    assert_eq!(
        entry["fields"],
        json!([{"name": "createLabel", "rows": rows}])
    );
    assert_eq!(page["pageInfo"]["hasNextPage"], true);
    let mut seen = 1;
    let mut after = page["pageInfo"]["endCursor"].clone();
    loop {
        let page = log(&acme, json!({"where": mine, "first": 2, "after": after})).await;
        seen += page["nodes"].as_array().unwrap().len();
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(seen, 4);
    let none = log(&acme, json!({"where": {"kind": "DATA", "failed": true}})).await;
    assert_eq!(none["nodes"], json!([]));
    let theirs = log(&globex, json!({})).await.to_string();
    assert!(
        !theirs.contains("Make") && !theirs.contains(last.header("x-request-id")),
        "{theirs}"
    );
    let foreign = acme.at(service).with_token(globex.token.as_deref());
    assert_eq!(foreign.ask(LOG, json!({})).await.code(), "FORBIDDEN");
    assert_eq!(
        acme.with_token(None).ask(LOG, json!({})).await.code(),
        "UNAUTHENTICATED"
    );
    let bad = acme.ask(LOG, json!({"after": "x"})).await;
    assert_eq!(
        bad.json()["errors"][0]["extensions"]["code"],
        "BAD_USER_INPUT"
    );
    for role in ["member", "viewer"] {
        let token = claims.clone().with("role", role).sign(&service.secret());
        let answer = acme.with_token(Some(&token)).ask(LOG, json!({})).await;
        assert_eq!(
            answer.json()["errors"][0]["extensions"]["code"],
            "FORBIDDEN",
            "{role}"
        );
    }
}

/// Killed in the middle of many: whatever is there has its entry, and no entry is of nothing.
#[tokio::test]
async fn a_kill_leaves_no_mutation_without_its_entry() {
    let service = Service::shared();
    let owner = service.sign_up("audit").await;
    let psql = service.psql().await;
    let (schema, _) = crate::harness::database::names(&psql, owner.subdomain()).await;
    let mut replica = service
        .beside("killed", None, &["--max-anonymous-requests", "0"])
        .await;
    let there = owner.at(&replica);
    let create = "mutation ($name: String!) { createLabel(input: {name: $name}) { id } }";
    let writing = async {
        for number in 0..1_000_000 {
            let body = json!({"query": create, "variables": {"name": format!("n{number}")}});
            let request = there.request(reqwest::Method::POST, "/graphql").json(&body);
            if crate::harness::Answer::try_of(request).await.is_err() {
                break;
            }
        }
    };
    let kill = async {
        let written = format!("select count(*) from \"{schema}\".labels where name like 'n%'");
        eventually("some are written", async || {
            let count: i64 = psql.query_one(&written, &[]).await.unwrap().get(0);
            (count >= 20).then_some(())
        })
        .await;
        replica.process().signal(nix::sys::signal::Signal::SIGKILL);
    };
    tokio::join!(writing, kill);
    replica.wait();
    let counts = format!(
        "select (select count(*) from \"{schema}\".labels where name like 'n%'), \
         (select count(*) from tenantry.audit_changes l join tenantry.tenants t on t.id = l.tenant_id \
          where t.subdomain = '{0}'), \
         (select count(*) from \"{schema}\".labels b where name like 'n%' and not exists \
            (select from tenantry.audit_changes l where l.keys = array['{{' || b.id || '}}']))",
        owner.subdomain()
    );
    // What had been sent when it was killed may still be on its way.
    eventually("the server has noticed", async || {
        let text = "select count(*) from pg_stat_activity where application_name = 'killed'";
        let left: i64 = psql.query_one(text, &[]).await.unwrap().get(0);
        (left == 0).then_some(())
    })
    .await;
    let row = psql.query_one(&counts, &[]).await.unwrap();
    let (rows, entries, alone): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    assert!(
        rows >= 20 && rows == entries && alone == 0,
        "{rows} rows, {entries} entries, {alone} without one"
    );
}
