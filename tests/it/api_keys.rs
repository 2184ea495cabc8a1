//! API keys: for one workspace and one role, until they expire or are revoked.

use serde_json::{Value, json};

use crate::harness::{Answer, Caller, Service, eventually};

pub(crate) async fn issue(caller: &Caller, role: &str, expires_at: Value) -> Answer {
    let mutation = "mutation ($input: IssueApiKeyInput!) { issueApiKey(input: $input) { key apiKey { id prefix role } } }";
    let input = json!({"name": "nightly", "role": role, "expiresAt": expires_at});
    caller.ask(mutation, json!({"input": input})).await
}

/// A machine with a key of that role, and the key's id.
async fn machine(caller: &Caller, role: &str) -> (Caller, String) {
    let issued = issue(caller, role, Value::Null).await.data();
    let issued = &issued["issueApiKey"];
    let key = issued["key"].as_str().unwrap();
    assert!(key.starts_with(issued["apiKey"]["prefix"].as_str().unwrap()));
    let id = issued["apiKey"]["id"].as_str().unwrap().to_owned();
    (caller.with_token(Some(key)), id)
}

const LIST: &str = "{ currentTenant { apiKeys { id name role lastUsedAt expiresAt } } }";

#[tokio::test]
async fn a_key_opens_one_workspace_until_it_is_revoked() {
    let service = Service::shared();
    let replica = Service::replica(&[]).await;
    let (owner, other) = (service.sign_up("keys").await, service.sign_up("keys").await);
    let (machine, id) = machine(&owner, "MEMBER").await;
    let query = "{ viewer { id } projects { totalCount } currentTenant { role } }";
    let there = machine.at(&replica);
    for machine in [&machine, &there] {
        let data = machine.query(query).await.data();
        assert_eq!(data["viewer"], Value::Null);
        assert_eq!(data["currentTenant"]["role"], "MEMBER");
    }
    let label =
        "mutation { createLabel(input: {name: \"by a machine\", color: \"#000000\"}) { name } }";
    machine.query(label).await.data();
    let elsewhere = other.with_token(machine.token.as_deref());
    assert_eq!(elsewhere.query(query).await.code(), "UNAUTHENTICATED");
    let used = eventually("the use is written down", async || {
        let data = owner.query(LIST).await.data();
        let key = data["currentTenant"]["apiKeys"][0].clone();
        key["lastUsedAt"].is_string().then_some(key)
    });
    assert_eq!(used.await["role"], "MEMBER");
    let revoke = format!("mutation {{ revokeApiKey(id: \"{id}\") {{ name }} }}");
    assert_eq!(other.query(&revoke).await.code(), "BAD_USER_INPUT");
    assert_eq!(
        owner.query(&revoke).await.data()["revokeApiKey"]["name"],
        "nightly"
    );
    for machine in [&machine, &there] {
        eventually("the key is good for nothing on any replica", async || {
            (machine.query(query).await.status == 401).then_some(())
        })
        .await;
    }
    assert_eq!(
        owner.query(LIST).await.data()["currentTenant"]["apiKeys"],
        json!([])
    );
}

#[tokio::test]
async fn a_key_may_do_what_its_role_may() {
    let service = Service::shared();
    let owner = service.sign_up("keys").await;
    let (viewer, _) = machine(&owner, "VIEWER").await;
    let label = "mutation { createLabel(input: {name: \"x\", color: \"#000000\"}) { name } }";
    assert_eq!(viewer.query(label).await.code(), "FORBIDDEN");
    assert_eq!(viewer.query(LIST).await.code(), "FORBIDDEN");
    let (admin, _) = machine(&owner, "ADMIN").await;
    admin.query(LIST).await.data();
    // Keys make no keys and let nobody in: those would stay when the key is gone. And they are nobody who could leave.
    assert_eq!(
        issue(&admin, "VIEWER", Value::Null).await.code(),
        "FORBIDDEN"
    );
    let leave = "mutation { leaveTenant { email } }";
    assert_eq!(admin.query(leave).await.code(), "FORBIDDEN");
    for mutation in [
        "inviteMember(input: {email: \"a@b.test\", role: VIEWER}) { id }",
        "setProvisioning(input: {mode: OFF}) { __typename }",
    ] {
        let answer = admin.query(&format!("mutation {{ {mutation} }}")).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{mutation}");
    }
}

#[tokio::test]
async fn keys_expire_and_are_kept_as_hashes() {
    let service = Service::shared();
    let owner = service.sign_up("keys").await;
    let past = issue(&owner, "VIEWER", json!("2020-01-01T00:00:00Z")).await;
    assert_eq!(past.code(), "BAD_USER_INPUT");
    let wrong = issue(&owner, "VIEWER", json!("tomorrow")).await;
    assert_eq!(wrong.code(), "BAD_USER_INPUT");
    let (machine, _) = machine(&owner, "VIEWER").await;
    let psql = service.psql().await;
    let shown = "select count(*) from tenantry.api_keys k where strpos(k::text, $1) > 0";
    let key = machine.token.clone().unwrap();
    let row = psql.query_one(shown, &[&key]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
    machine.query("{ currentTenant { id } }").await.data();
    // What a replica has looked up it keeps, the end included.
    let soon = time::OffsetDateTime::now_utc() + std::time::Duration::from_secs(2);
    let soon = soon
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap();
    let issued = issue(&owner, "VIEWER", json!(soon)).await.data();
    let brief = machine.with_token(issued["issueApiKey"]["key"].as_str());
    brief.query("{ currentTenant { id } }").await.data();
    eventually("the key has expired", async || {
        (brief.query("{ currentTenant { id } }").await.status == 401).then_some(())
    })
    .await;
    for nonsense in [
        "tk_",
        "tk_nothing",
        "tk_ä",
        &format!("{key}x"),
        &key[..key.len() - 1],
    ] {
        let answer = machine
            .with_token(Some(nonsense))
            .query("{ currentTenant { id } }")
            .await;
        assert_eq!(answer.code(), "UNAUTHENTICATED", "{nonsense}");
    }
}
