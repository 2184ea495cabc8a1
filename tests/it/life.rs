//! The life of a workspace and its people, at two replicas: founded, joined, suspended, moved, deleted, restored; and what is told of it.

use serde_json::{Value, json};

use crate::harness::service::unique;
use crate::harness::{Caller, Service, eventually, run, soon};
use crate::members::{accept_with, invite, log_in, mailed};
use crate::operators;

/// All that people have made, and who they are.
const EVERYTHING: &str = "{
    users(orderBy: [{email: ASC}]) { nodes { id email name role } }
    projects(orderBy: [{key: ASC}]) { nodes { key name } }
    issues(orderBy: [{number: ASC}]) { nodes { id number title status
        comments(orderBy: [{createdAt: ASC}]) { nodes { body author { name } } } labels { totalCount } } }
    currentTenant { id status }
}";

const COMMENT: &str = "mutation Comment($issue: UUID!) {
    createComment(input: {issueId: $issue, body: \"I shall.\"}) { body author { name } } }";

/// The people of the story, each at the first replica, and the second one.
struct Life {
    service: &'static Service,
    replica: Service,
    olga: Caller,
    grace: Caller,
    victor: Caller,
    operator: Caller,
}

#[tokio::test]
async fn a_workspace_is_founded_suspended_moved_deleted_and_restored() {
    let service = Service::shared();
    let replica = Service::replica(&[]).await;
    let (email, operator) = operators::operator(service, "life").await;
    let olga = service.sign_up("life").await;
    let grace = join(service, &olga, "Grace", "MEMBER").await;
    let victor = join(service, &olga, "Victor", "VIEWER").await;
    let mut life = Life {
        service,
        replica,
        olga,
        grace,
        victor,
        operator,
    };
    grace_comments_and_victor_may_not(&life).await;
    an_operator_suspends_whom_its_owner_cannot(&life).await;
    let before = life.olga.query(EVERYTHING).await.data();
    it_gets_another_name_and_address(&mut life).await;
    it_is_deleted_and_comes_back(&life).await;
    let (here, there) = (&life.olga, life.grace.at(&life.replica));
    assert_eq!(here.query(EVERYTHING).await.data(), before);
    assert_eq!(there.query(EVERYTHING).await.data(), before);
    assert!(before.to_string().contains("I shall."), "{before}");
    all_of_it_is_told(&life, &email).await;
}

/// Invited by mail, which says where to go, and in with a password of one's own.
async fn join(service: &Service, olga: &Caller, name: &str, role: &str) -> Caller {
    let email = format!("{}@{}.test", name.to_lowercase(), olga.subdomain());
    invite(olga, &email, role).await.data();
    let token = mailed(service, &email).await;
    let mails = service.process().events();
    let mail = mails.iter().rfind(|mail| mail["to"] == email).unwrap();
    let url = format!("http://{}:{}", olga.host, olga.port);
    assert_eq!(
        (&mail["url"], &mail["kind"]),
        (&json!(url), &json!("Invitation"))
    );
    let input = json!({"token": token, "name": name, "password": "a long password"});
    let accepted = accept_with(olga, input).await.data();
    assert_eq!(accepted["acceptInvitation"]["role"], role);
    log_in(olga, &email).await
}

async fn grace_comments_and_victor_may_not(life: &Life) {
    let first = "{ issues(first: 1, orderBy: [{number: ASC}]) { nodes { id } } }";
    let issue = life.victor.query(first).await.data()["issues"]["nodes"][0]["id"].take();
    let issue = json!({"issue": issue});
    let there = life.grace.at(&life.replica);
    let comment = there.ask(COMMENT, issue.clone()).await.data();
    let by_grace = json!({"body": "I shall.", "author": {"name": "Grace"}});
    assert_eq!(comment["createComment"], by_grace);
    let refused = life.victor.ask(COMMENT, issue).await;
    assert_eq!(
        (refused.status.as_u16(), &*refused.code()),
        (403, "FORBIDDEN")
    );
    assert_eq!(refused.json()["errors"][0]["extensions"]["role"], "member");
}

async fn an_operator_suspends_whom_its_owner_cannot(life: &Life) {
    let tenant = life.olga.subdomain();
    let suspend = format!(
        "mutation {{ suspendTenant(tenant: \"{tenant}\", reason: \"unpaid since May\") {{ status }} }}"
    );
    // There is no such field at a tenant, and at the base domain it is not for Olga.
    let answer = life.olga.query(&suspend).await;
    assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
    let base = life.service.platform();
    let enter = format!(
        "mutation {{ logIn(input: {{email: \"owner@{tenant}.test\", password: \"demo-password\"}}) {{ accessToken }} }}"
    );
    let account = base.query(&enter).await.data();
    let account = base.with_token(account["logIn"]["accessToken"].as_str());
    assert_eq!(account.query(&suspend).await.code(), "FORBIDDEN");

    let (here, there) = (&life.olga, life.grace.at(&life.replica));
    soon(&there, "OK").await;
    let suspended = life.operator.query(&suspend).await.data();
    assert_eq!(suspended["suspendTenant"]["status"], "SUSPENDED");
    assert_eq!(soon(&there, "TENANT_SUSPENDED").await.status, 403);
    soon(here, "TENANT_SUSPENDED").await;
    let resume = format!("mutation {{ resumeTenant(tenant: \"{tenant}\") {{ status }} }}");
    life.operator.query(&resume).await.data();
    soon(&there, "OK").await;
    soon(here, "OK").await;
}

/// Everybody goes on at the new address, with the tokens that they have.
async fn it_gets_another_name_and_address(life: &mut Life) {
    let (old, new) = (life.olga.subdomain().to_owned(), unique("after-life"));
    let rename = format!(
        "mutation {{ renameTenant(tenant: \"{old}\", name: \"After & \\\"Life\\\"\") {{ name }}
            changeTenantSubdomain(tenant: \"{old}\", subdomain: \"{new}\") {{ subdomain redirects }} }}"
    );
    let moved = life.operator.query(&rename).await.data();
    let expected = json!({"subdomain": &new, "redirects": [&old]});
    assert_eq!(moved["changeTenantSubdomain"], expected);
    let answer = soon(&life.grace.at(&life.replica), "TENANT_MOVED").await;
    let location = format!("//{new}.localhost:{}/graphql", life.replica.port());
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (308, &*location)
    );
    for caller in [&mut life.olga, &mut life.grace, &mut life.victor] {
        caller.host = format!("{new}.localhost");
        soon(caller, "OK").await;
        soon(&caller.at(&life.replica), "OK").await;
    }
    let named = "{ currentTenant { name subdomain } }";
    let named = life.victor.query(named).await.data()["currentTenant"].take();
    assert_eq!(named, json!({"name": "After & \"Life\"", "subdomain": new}));
}

/// Meanwhile it looks as if it had never been, but nobody else can have its address.
async fn it_is_deleted_and_comes_back(life: &Life) {
    let tenant = life.olga.subdomain();
    let delete = format!("mutation {{ deleteTenant(tenant: \"{tenant}\") {{ status }} }}");
    life.operator.query(&delete).await.data();
    for caller in [&life.olga, &life.grace.at(&life.replica)] {
        assert_eq!(soon(caller, "TENANT_NOT_FOUND").await.status, 404);
    }
    let another = life.service.try_sign_up(tenant).await;
    assert_eq!(another.code(), "CONFLICT");
    let restore = format!("mutation {{ restoreTenant(tenant: \"{tenant}\") {{ status }} }}");
    let restored = life.operator.query(&restore).await.data();
    assert_eq!(restored["restoreTenant"]["status"], "ACTIVE");
    for caller in [&life.olga, &life.grace.at(&life.replica)] {
        soon(caller, "OK").await;
    }
}

/// Olga reads who did what, in this order; and so do those who run the service.
async fn all_of_it_is_told(life: &Life, operator: &str) {
    let log = "{ currentTenant { auditLog { nodes { action outcome actor { kind name } ip } } } }";
    let wanted = [
        ("signUp", "user", "Olga Owner", "ok"),
        ("inviteMember", "user", "Olga Owner", "ok"),
        ("acceptInvitation", "user", "Grace", "ok"),
        ("logIn", "user", "Grace", "ok"),
        ("inviteMember", "user", "Olga Owner", "ok"),
        ("acceptInvitation", "user", "Victor", "ok"),
        ("logIn", "user", "Victor", "ok"),
        ("Comment", "user", "Grace", "ok"),
        ("Comment", "user", "Victor", "FORBIDDEN"),
        ("suspendTenant", "operator", operator, "ok"),
        ("resumeTenant", "operator", operator, "ok"),
        ("renameTenant", "operator", operator, "ok"),
        ("changeTenantSubdomain", "operator", operator, "ok"),
        ("deleteTenant", "operator", operator, "ok"),
        ("restoreTenant", "operator", operator, "ok"),
    ];
    let mut wanted: Vec<_> = wanted
        .iter()
        .map(|(action, kind, name, outcome)| json!([action, kind, name, outcome]))
        .collect();
    // What was refused is written behind the answer.
    wanted.sort_by_key(Value::to_string);
    let told = |nodes: &Value| {
        let nodes = nodes.as_array().unwrap().iter();
        let told = nodes.map(|node| {
            let actor = &node["actor"];
            json!([
                node["action"],
                actor["kind"],
                actor["name"],
                node["outcome"]
            ])
        });
        let mut told: Vec<_> = told.collect();
        told.sort_by_key(Value::to_string);
        told
    };
    let found = eventually("the refusal is written down", async || {
        let data = life.olga.query(log).await.data();
        let nodes = data["currentTenant"]["auditLog"]["nodes"].clone();
        nodes.to_string().contains("FORBIDDEN").then_some(nodes)
    });
    let found = found.await;
    assert_eq!(told(&found), wanted);
    let everywhere = found.as_array().unwrap().iter();
    assert!(everywhere.clone().all(|node| node["ip"] == "127.0.0.1"));
    let order: Vec<_> = everywhere.rev().map(|node| &node["action"]).collect();
    assert_eq!(
        (order[0], order[14]),
        (&json!("signUp"), &json!("restoreTenant"))
    );

    let output = run(&["audit", life.olga.subdomain(), "--json"], "");
    let output: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told(&output["entries"]), wanted);
    assert_eq!(life.grace.query(log).await.code(), "FORBIDDEN");
}
