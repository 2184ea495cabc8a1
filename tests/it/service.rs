//! The service's own fields at a tenant: answered beside the tables, in the document's order.

use serde_json::json;

use crate::harness::Service;

#[tokio::test]
async fn own_fields_stand_among_those_of_tables() {
    let service = Service::shared();
    let ada = service.tenant("acme").member("ada").await;
    let query = "
        query ($yes: Boolean!, $no: Boolean!) {
            before: projects { totalCount }
            tenant: currentTenant { ...Names role @include(if: $no) status @skip(if: $no) __typename }
            __typename
            after: viewer { email }
            currentTenant @include(if: $yes) { url }
            ... @skip(if: $yes) { never: currentTenant { id } }
            __type(name: \"CurrentTenant\") { name }
            ...More
        }
        fragment Names on CurrentTenant { name subdomain }
        fragment More on Query { tenant: currentTenant { role } }";
    let answer = ada.ask(query, json!({"yes": true, "no": false})).await;
    let data = answer.data();
    let keys: Vec<_> = data.as_object().unwrap().keys().collect();
    let expected = [
        "before",
        "tenant",
        "__typename",
        "after",
        "currentTenant",
        "__type",
    ];
    assert_eq!(keys, expected);
    assert_eq!(
        data["tenant"].to_string(),
        r#"{"name":"Acme","subdomain":"acme","status":"ACTIVE","__typename":"CurrentTenant","role":"OWNER"}"#
    );
    let url = format!("http://acme.localhost:{}", service.port());
    assert_eq!(data["currentTenant"], json!({"url": url}));
    assert_eq!(data["after"]["email"], "ada@acme.test");
    assert_eq!(data["__type"]["name"], "CurrentTenant");
    let alone = ada.query("{ currentTenant { subdomain } }").await;
    assert_eq!(alone.data()["currentTenant"]["subdomain"], "acme");
}

#[tokio::test]
async fn own_fields_are_for_members_of_the_tenant() {
    let service = Service::shared();
    let query = "{ currentTenant { id } }";
    let (acme, globex) = (service.tenant("acme"), service.tenant("globex"));
    let ada = acme.member("ada").await;
    let strangers = globex.with_token(ada.token.as_deref().unwrap());
    let anonymous = acme.anonymous().query(query).await;
    assert_eq!(
        (anonymous.status.as_u16(), anonymous.code().as_str()),
        (401, "UNAUTHENTICATED")
    );
    assert_eq!(strangers.query(query).await.code(), "FORBIDDEN");
    let (own, other) = (
        ada.query(query).await,
        globex.owner().await.query(query).await,
    );
    assert_ne!(
        own.data()["currentTenant"]["id"],
        other.data()["currentTenant"]["id"]
    );
}

#[tokio::test]
async fn own_fields_count_towards_the_limits() {
    let service = Service::shared();
    let ada = service.tenant("acme").member("ada").await;
    let answer = ada
        .query("{ currentTenant { id name } a: currentTenant { id } }")
        .await;
    assert_eq!(answer.header("x-complexity"), "5");
    let many: String = (0..101)
        .map(|n| format!("t{n}: currentTenant {{ id }} "))
        .collect();
    assert_eq!(
        ada.query(&format!("{{ {many} }}")).await.code(),
        "QUERY_TOO_COMPLEX"
    );
    let changes =
        "changeMemberRole(userId: \"00000000-0000-0000-0000-000000000000\", role: ADMIN) { role }";
    let many: String = (0..11).map(|n| format!("c{n}: {changes} ")).collect();
    let answer = ada.query(&format!("mutation {{ {many} }}")).await;
    assert_eq!(answer.code(), "QUERY_TOO_COMPLEX");
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_told() {
    let service = Service::shared();
    let ada = service.tenant("acme").member("ada").await;
    let query = "mutation ($id: UUID!, $role: TenantRole!) {
        one: changeMemberRole(userId: $id, role: $role) { role } }";
    for (id, role) in [
        (json!("nobody"), json!("ADMIN")),
        (json!(7), json!("ADMIN")),
        (json!(null), json!("ADMIN")),
        (
            json!("00000000-0000-0000-0000-000000000000"),
            json!("EMPEROR"),
        ),
        (
            json!("00000000-0000-0000-0000-000000000000"),
            json!("ADMIN"),
        ),
    ] {
        let answer = ada.ask(query, json!({"id": id, "role": role})).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{answer:?}");
    }
    let missing = ada
        .query("mutation { changeMemberRole(role: ADMIN) { role } }")
        .await;
    assert_eq!(missing.code(), "GRAPHQL_VALIDATION_FAILED");
    let unknown = ada.query("{ currentTenant { nothing } }").await;
    assert_eq!(unknown.code(), "GRAPHQL_VALIDATION_FAILED");
}

#[tokio::test]
async fn what_the_service_changes_is_all_or_nothing_and_by_itself() {
    let service = Service::shared();
    let owner = service.sign_up("alone").await;
    let viewer = owner.query("{ viewer { id role } }").await.data();
    let id = viewer["viewer"]["id"].as_str().unwrap();
    let change =
        |role: &str| format!("changeMemberRole(userId: \"{id}\", role: {role}) {{ role }}");
    // The last owner stays one, so that the second field fails, and the first one with it.
    let both = format!(
        "mutation {{ a: {} b: {} }}",
        change("OWNER"),
        change("VIEWER")
    );
    let answer = owner.query(&both).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (409, "CONFLICT")
    );
    assert_eq!(answer.json()["errors"][0]["path"], json!(["b"]));
    assert!(answer.json().get("data").is_none());
    let table = "createLabel(input: {name: \"x\", color: \"#000000\"}) { name }";
    for mixed in [
        format!("mutation {{ a: {} {table} }}", change("OWNER")),
        format!(
            "mutation {{ a: {} logIn(input: {{email: \"a\", password: \"b\"}}) {{ accessToken }} }}",
            change("OWNER")
        ),
    ] {
        let answer = owner.query(&mixed).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT");
        assert!(answer.text.contains("one transaction"), "{answer:?}");
    }
    let by_get = owner
        .get(&format!("/graphql?query=mutation%7B{}%7D", change("OWNER")))
        .await;
    assert_eq!(by_get.status.as_u16(), 405);
}
