//! The audit log: who changed what, written by the transaction that did it, and told to nobody else.

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::harness::{Caller, Service, eventually};

/// What the log has of a tenant, the oldest first: action, actor, role, outcome, and for each field its rows.
async fn entries(psql: &Client, caller: &Caller) -> Vec<Value> {
    let statement = "
        select jsonb_build_array(l.action, l.actor_kind, l.actor_role, l.outcome, l.details -> 'fields', to_jsonb(l.keys))
        from tenantry.audit_log l join tenantry.tenants t on t.id = l.tenant_id
        where t.subdomain = $1 and l.kind = 'data' order by l.at";
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
