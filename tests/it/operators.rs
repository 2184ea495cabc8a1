//! Operators at the base domain, and at tenants that they were let into.

mod export;
mod log;
mod support;

use serde_json::json;

use crate::harness::service::unique;
use crate::harness::{self, Answer, Caller, Service, soon};

/// Runs a command on the database of the shared service, and gives what it printed.
fn run(arguments: &[&str], input: &str) -> (i32, String) {
    let output = harness::run(arguments, input);
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text.trim_end().to_owned())
}

/// An operator that no other test has, logged in.
pub(crate) async fn operator(service: &Service, name: &str) -> (String, Caller) {
    let email = format!("{}@service.test", unique(name));
    let create = ["operator", "create", &email, "--password"];
    let made = harness::run_on(service, &create, "operator-password\n");
    assert!(made.status.success() && made.stdout.is_empty(), "{made:?}");
    let token = log_in(service, &email, "operator-password").await.data();
    let token = token["operatorLogIn"]["accessToken"].as_str();
    let caller = service.platform().with_token(token);
    (email, caller)
}

/// An operator's token for a tenant.
pub(crate) async fn let_in(operator: &Caller, tenant: &Caller, role: &str) -> String {
    let enter =
        "mutation ($input: SupportTenantInput!) { supportTenant(input: $input) { accessToken } }";
    let input =
        json!({"tenant": tenant.subdomain(), "reason": "to see what it may do", "role": role});
    let entered = operator.ask(enter, json!({"input": input})).await.data();
    let token = entered["supportTenant"]["accessToken"].as_str();
    token.unwrap().to_owned()
}

async fn log_in(service: &Service, email: &str, password: &str) -> Answer {
    let document = "mutation ($input: OperatorLogInInput!) { operatorLogIn(input: $input) {
        accessToken expiresAt operator { email } } }";
    let input = json!({"email": email, "password": password});
    service
        .platform()
        .ask(document, json!({"input": input}))
        .await
}

#[tokio::test]
async fn an_operator_runs_tenants_by_the_api() {
    let service = Service::shared();
    let replica = Service::replica(&[]).await;
    let owner = service.sign_up("operated").await;
    let there = owner.at(&replica);
    let tenant = owner.subdomain().to_owned();
    let (email, operator) = operator(service, "olaf").await;
    let do_it = async |document: &str| {
        let variables = json!({"tenant": &tenant});
        let answer = operator
            .ask(
                &format!("mutation ($tenant: String!) {{ {document} }}"),
                variables,
            )
            .await;
        answer.data()
    };
    soon(&there, "OK").await;
    let suspended =
        do_it(r#"suspendTenant(tenant: $tenant, reason: "unpaid") { status suspensionReason }"#)
            .await;
    assert_eq!(
        suspended["suspendTenant"],
        json!({"status": "SUSPENDED", "suspensionReason": "unpaid"})
    );
    soon(&there, "TENANT_SUSPENDED").await;
    do_it("resumeTenant(tenant: $tenant) { id }").await;
    soon(&there, "OK").await;
    do_it(r#"renameTenant(tenant: $tenant, name: "Another & \"name\"") { id }"#).await;
    do_it("deleteTenant(tenant: $tenant) { id }").await;
    soon(&there, "TENANT_NOT_FOUND").await;
    do_it("restoreTenant(tenant: $tenant) { id }").await;
    soon(&there, "OK").await;

    let moved = unique("operated-again");
    let document = "mutation ($tenant: String!, $to: String!) {
        changeTenantSubdomain(tenant: $tenant, subdomain: $to) { subdomain redirects } }";
    let answer = operator
        .ask(document, json!({"tenant": &tenant, "to": &moved}))
        .await;
    let expected = json!({"subdomain": &moved, "redirects": [&tenant]});
    assert_eq!(answer.data()["changeTenantSubdomain"], expected);
    soon(&there, "TENANT_MOVED").await;

    let list = "query ($search: String) { operator { email } tenants(filter: {search: $search, status: [ACTIVE]},
        orderBy: {by: LAST_ACTIVITY, descending: true}, first: 10) {
        nodes { name owners users bytes rows appVersion lastActivityAt } totalCount hasNextPage endCursor } }";
    let listed = operator.ask(list, json!({"search": &moved})).await.data();
    assert_eq!(listed["operator"]["email"], email);
    let page = &listed["tenants"];
    assert_eq!(
        (&page["totalCount"], &page["hasNextPage"]),
        (&json!("1"), &json!(false))
    );
    let node = &page["nodes"][0];
    assert_eq!(node["name"], "Another & \"name\"");
    assert!(node["lastActivityAt"].is_string(), "{node}");
    assert_eq!(node["owners"], json!([format!("owner@{tenant}.test")]));

    // The trail: who did what.
    let psql = service.psql().await;
    let trail = "select array_agg(l.action order by l.at) from tenantry.audit_log l
        join tenantry.tenants t on t.id = l.tenant_id join tenantry.operators o on o.id = l.actor_id
        where t.subdomain = $1 and o.email = $2 and l.actor_kind = 'operator' and l.ip is not null";
    let trail: Vec<String> = psql
        .query_one(trail, &[&moved, &email])
        .await
        .unwrap()
        .get(0);
    let wanted = [
        "suspendTenant",
        "resumeTenant",
        "renameTenant",
        "deleteTenant",
        "restoreTenant",
        "changeTenantSubdomain",
    ];
    assert_eq!(trail, wanted);
}

#[tokio::test]
async fn an_operator_makes_copies_and_removes_tenants() {
    let service = Service::shared();
    let (_, operator) = operator(service, "olga").await;
    let (made, copy) = (unique("made"), unique("made-copy"));
    let create = "mutation ($input: CreateTenantInput!) { createTenant(input: $input) { subdomain owners status } }";
    let input = json!({"name": "Made", "subdomain": &made, "ownerName": "Mia", "ownerEmail": format!("mia@{made}.test"),
        "ownerPassword": "demo-password"});
    let answer = operator.ask(create, json!({"input": &input})).await.data();
    assert_eq!(answer["createTenant"]["subdomain"], made);
    let again = operator.ask(create, json!({"input": input})).await;
    assert_eq!(again.code(), "CONFLICT");
    let mia = service.tenant(&made).member("mia").await;
    soon(&mia, "OK").await;
    let document = "mutation ($tenant: String!, $copy: String!) {
        cloneTenant(tenant: $tenant, subdomain: $copy, name: \"Copy\") { name users } }";
    let variables = json!({"tenant": &made, "copy": &copy});
    let cloned = operator.ask(document, variables.clone()).await.data();
    assert_eq!(cloned["cloneTenant"], json!({"name": "Copy", "users": "1"}));
    assert_eq!(operator.ask(document, variables).await.code(), "CONFLICT");
    let purge = "mutation ($tenant: String!) { purgeTenant(tenant: $tenant) { subdomain } }";
    let variables = json!({"tenant": &copy});
    assert_eq!(
        operator.ask(purge, variables.clone()).await.code(),
        "CONFLICT",
        "it is not deleted"
    );
    let delete =
        "mutation ($tenant: String!) { deleteTenant(tenant: $tenant, keepDays: 0) { status } }";
    operator.ask(delete, variables.clone()).await.data();
    operator.ask(purge, variables.clone()).await.data();
    let show = "query ($tenant: String!) { tenant(tenant: $tenant) { id } }";
    assert_eq!(
        operator.ask(show, variables).await.code(),
        "TENANT_NOT_FOUND"
    );
    soon(&mia, "OK").await;
}

/// Every field that is for operators, for everybody else.
#[tokio::test]
async fn nobody_else_gets_anything() {
    let service = Service::shared();
    let owner = service.sign_up("curious").await;
    let anonymous = service.platform();
    let forged = anonymous.with_token(Some("tnto_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    let fields = [
        "query { operators { email } }",
        "query { tenants { nodes { id } } }",
        r#"query { tenant(tenant: "acme") { id } }"#,
        r#"mutation { renameTenant(tenant: "acme", name: "x") { id } }"#,
        r#"mutation { changeTenantSubdomain(tenant: "acme", subdomain: "x") { id } }"#,
        r#"mutation { suspendTenant(tenant: "acme", reason: "x") { id } }"#,
        r#"mutation { resumeTenant(tenant: "acme") { id } }"#,
        r#"mutation { deleteTenant(tenant: "acme") { id } }"#,
        r#"mutation { restoreTenant(tenant: "acme") { id } }"#,
        r#"mutation { purgeTenant(tenant: "acme") { id } }"#,
        r#"mutation { cloneTenant(tenant: "acme", subdomain: "x") { id } }"#,
        r#"mutation { supportTenant(input: {tenant: "acme", reason: "x"}) { accessToken } }"#,
        r#"mutation { createTenant(input: {name: "x", ownerName: "x", ownerEmail: "x@x.test"}) { id } }"#,
        "mutation { operatorLogOut }",
    ];
    for field in fields {
        assert_eq!(
            anonymous.query(field).await.code(),
            "UNAUTHENTICATED",
            "{field}"
        );
        assert_eq!(
            forged.query(field).await.code(),
            "UNAUTHENTICATED",
            "{field}"
        );
        // A tenant's token opens that tenant, and there are no such fields there.
        let token = owner.token.as_deref();
        let refused = anonymous.with_token(token).query(field).await;
        assert!(
            ["UNAUTHENTICATED", "FORBIDDEN"].contains(&refused.code().as_str()),
            "{field}: {refused:?}"
        );
        assert!(
            owner.query(field).await.json()["errors"].is_array(),
            "{field}"
        );
    }
    let (_, operator) = operator(service, "nosy").await;
    let at_a_tenant = owner.with_token(operator.token.as_deref());
    assert_eq!(
        at_a_tenant
            .query("{ projects { totalCount } }")
            .await
            .code(),
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn operators_come_by_one_time_tokens_and_go_at_once() {
    let service = Service::shared();
    let email = format!("{}@service.test", unique("one-time"));
    let made = harness::run(&["operator", "create", &email], "");
    let token = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let told = String::from_utf8(made.stderr).unwrap();
    // What is kept of a pipe does not have the token in it.
    assert!(made.status.success() && !told.contains(&token), "{told}");
    assert_eq!(
        run(&["operator", "create", &email], "").0,
        4,
        "there is one"
    );
    assert_eq!(log_in(service, &email, "").await.code(), "UNAUTHENTICATED");
    let activate = "mutation ($input: ActivateOperatorInput!) { activateOperator(input: $input) { accessToken } }";
    let choose = async |token: &str, password: &str| {
        let input = json!({"token": token, "password": password});
        service
            .platform()
            .ask(activate, json!({"input": input}))
            .await
    };
    assert_eq!(
        choose("tnt1_nonsense", "operator-password").await.code(),
        "BAD_USER_INPUT"
    );
    assert_eq!(choose(&token, "short").await.code(), "BAD_USER_INPUT");
    let pasted = told.lines().find(|line| line.starts_with("mutation"));
    let pasted = pasted.unwrap().replace("TOKEN", &token);
    let pasted = pasted.replace("PASSWORD", "operator-password");
    let data = service.platform().query(&pasted).await.data();
    let first = service
        .platform()
        .with_token(data["activateOperator"]["accessToken"].as_str());
    assert_eq!(
        choose(&token, "operator-password").await.code(),
        "BAD_USER_INPUT",
        "once"
    );
    let me = "{ operator { email } }";
    assert_eq!(first.query(me).await.data()["operator"]["email"], email);
    for (wrong, password) in [
        (email.as_str(), "operator-passworD"),
        ("nobody@service.test", "operator-password"),
    ] {
        let refused = log_in(service, wrong, password).await;
        assert_eq!(refused.code(), "UNAUTHENTICATED");
        assert!(
            refused.text.contains("wrong email or password"),
            "{refused:?}"
        );
    }

    // A reset ends what there was, and so does a log-out, and being disabled.
    let (_, again) = run(&["operator", "reset", &email], "");
    assert_eq!(first.query(me).await.code(), "UNAUTHENTICATED");
    assert_eq!(
        log_in(service, &email, "operator-password").await.code(),
        "UNAUTHENTICATED"
    );
    choose(&again, "another-password").await.data();
    let data = log_in(service, &email, "another-password").await.data();
    let second = service
        .platform()
        .with_token(data["operatorLogIn"]["accessToken"].as_str());
    second.query("mutation { operatorLogOut }").await.data();
    assert_eq!(second.query(me).await.code(), "UNAUTHENTICATED");
    let data = log_in(service, &email, "another-password").await.data();
    let third = service
        .platform()
        .with_token(data["operatorLogIn"]["accessToken"].as_str());
    assert_eq!(run(&["operator", "disable", &email], "").0, 5);
    third.query(me).await.data();
    assert_eq!(run(&["operator", "disable", &email, "--yes"], "").0, 0);
    assert_eq!(third.query(me).await.code(), "UNAUTHENTICATED");
    assert_eq!(
        log_in(service, &email, "another-password").await.code(),
        "UNAUTHENTICATED"
    );
    let (_, list) = run(&["operator", "list"], "");
    assert!(list.contains(&format!("{email}\tdisabled\t")), "{list}");

    // Nothing of it is in the database as it was told.
    let psql = service.psql().await;
    let kept = "select string_agg(o::text, ' ') || (select coalesce(string_agg(s::text, ' '), '') from
        tenantry.operator_sessions s) || (select string_agg(l::text, ' ') from tenantry.audit_log l) from tenantry.operators o";
    let kept: String = psql.query_one(kept, &[]).await.unwrap().get(0);
    for secret in [
        &*token,
        &*again,
        "another-password",
        third.token.as_deref().unwrap(),
    ] {
        assert!(!kept.contains(secret), "{secret}");
    }
}
