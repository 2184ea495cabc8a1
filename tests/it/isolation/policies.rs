//! Row-level security of the app's own, for people, and for keys and operators, who have a role but are no user.

use serde_json::{Value, json};

use crate::api_keys::issue;
use crate::harness::{Caller, Service};
use crate::members::Team;
use crate::operators::{let_in, operator};

const NOTES: &str = "
    create table notes (id int primary key, author_id uuid default tenantry.user_id(), body text not null);
    alter table notes enable row level security;
    create policy seen on notes for select to tenant
      using (author_id = (select tenantry.user_id()) or (select tenantry.role()) in ('owner', 'admin'));
    create policy own on notes to tenant
      using (author_id = (select tenantry.user_id())) with check (author_id = (select tenantry.user_id()));
    create function who_asks() returns text stable language sql
      as $$ select concat_ws(' ', coalesce(tenantry.role(), 'nobody'), tenantry.user_id() is not null, tenantry.tenant_id()) $$;
    comment on function who_asks is '@public';";

/// What somebody finds, and what comes of their writing to the member's note and of adding one.
async fn found(caller: &Caller) -> Value {
    let data = caller.query("{ notes { nodes { id } } }").await.json();
    let ids = data["data"]["notes"]["nodes"].as_array();
    let ids: Value = ids
        .into_iter()
        .flatten()
        .map(|node| &node["id"])
        .cloned()
        .collect();
    let outcome = |json: Value| match json["errors"][0]["extensions"]["code"].as_str() {
        Some(code) => json!(code),
        None => json!(json["data"]["written"].is_object()),
    };
    let update = "mutation { written: updateNote(id: 1, set: {body: \"changed\"}) { id } }";
    let updated = outcome(caller.query(update).await.json());
    let create = "mutation { written: createNote(input: {id: 7, body: \"new\"}) { id } }";
    let created = outcome(caller.query(create).await.json());
    // So that the next one finds what this one found.
    let delete = "mutation { written: deleteNote(id: 7) { id } }";
    caller.query(delete).await;
    json!([ids, updated, created])
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table, a line for each identity")]
async fn policies_know_who_asks_and_of_which_tenant() {
    let service = Service::with_tables(NOTES);
    let (red, blue) = (
        Team::new(&service, "red").await,
        service.sign_up("blue").await,
    );
    let write =
        |id: u32| format!("mutation {{ createNote(input: {{id: {id}, body: \"n\"}}) {{ id }} }}");
    red.member.query(&write(1)).await.data();
    red.admin.query(&write(2)).await.data();
    blue.query(&write(9)).await.data();
    let key = async |owner: &Caller, role: &str| {
        let issued = issue(owner, role, Value::Null).await.data();
        owner.with_token(issued["issueApiKey"]["key"].as_str())
    };
    let (_, operator) = operator(&service, "policies").await;
    let support = async |owner: &Caller, role: &str| {
        owner.with_token(Some(&let_in(&operator, owner, role).await))
    };
    let (forbidden, both) = (json!("FORBIDDEN"), json!([1, 2]));
    let nothing = json!([[], forbidden, forbidden]);
    let reader = json!([both, false, forbidden]);
    let none = json!([[], false, forbidden]);
    let anonymous = json!([[], "UNAUTHENTICATED", "UNAUTHENTICATED"]);
    let mut wrong = Vec::new();
    for (name, caller, role, user, expected) in [
        (
            "nobody",
            red.owner.with_token(None),
            "nobody",
            false,
            anonymous,
        ),
        (
            "viewer",
            red.viewer.clone(),
            "viewer",
            true,
            nothing.clone(),
        ),
        (
            "member",
            red.member.clone(),
            "member",
            true,
            json!([[1], true, true]),
        ),
        (
            "admin",
            red.admin.clone(),
            "admin",
            true,
            json!([both, false, true]),
        ),
        (
            "owner",
            red.owner.clone(),
            "owner",
            true,
            json!([both, false, true]),
        ),
        (
            "viewer key",
            key(&red.owner, "VIEWER").await,
            "viewer",
            false,
            nothing.clone(),
        ),
        (
            "member key",
            key(&red.owner, "MEMBER").await,
            "member",
            false,
            none.clone(),
        ),
        (
            "owner key",
            key(&red.owner, "OWNER").await,
            "owner",
            false,
            reader.clone(),
        ),
        (
            "viewer support",
            support(&red.owner, "VIEWER").await,
            "viewer",
            false,
            nothing,
        ),
        (
            "member support",
            support(&red.owner, "MEMBER").await,
            "member",
            false,
            none,
        ),
        (
            "owner support",
            support(&red.owner, "OWNER").await,
            "owner",
            false,
            reader,
        ),
        (
            "blue",
            blue.clone(),
            "owner",
            true,
            json!([[9], false, true]),
        ),
        (
            "blue's key",
            key(&blue, "OWNER").await,
            "owner",
            false,
            json!([[9], false, forbidden]),
        ),
        (
            "blue's support",
            support(&blue, "OWNER").await,
            "owner",
            false,
            json!([[9], false, forbidden]),
        ),
    ] {
        let found = found(&caller).await;
        if found != expected {
            wrong.push(format!("{name}: {found}, not {expected}"));
        }
        let owner = if name.starts_with("blue") {
            &blue
        } else {
            &red.owner
        };
        let id = owner.query("{ currentTenant { id } }").await.data();
        let id = id["currentTenant"]["id"].as_str().unwrap().to_owned();
        let asks = caller.query("{ whoAsks }").await.data();
        let said = format!("{role} {} {id}", if user { "t" } else { "f" });
        if asks["whoAsks"] != said {
            wrong.push(format!("{name}: {asks}, not {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // None of it has gone astray.
    let all = "{ notes(orderBy: [{id: ASC}]) { nodes { id body } } }";
    let rows = red.owner.query(all).await.data();
    let expected = json!([{"id": 1, "body": "changed"}, {"id": 2, "body": "n"}]);
    assert_eq!(rows["notes"]["nodes"], expected);
    let rows = blue.query(all).await.data();
    assert_eq!(rows["notes"]["nodes"], json!([{"id": 9, "body": "n"}]));
}
