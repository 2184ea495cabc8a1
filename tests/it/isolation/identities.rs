//! The same request, as several identities, at several hosts.

use std::time::Duration;

use jsonwebtoken::Algorithm;

use crate::harness::token::{Secret, from_now};
use crate::harness::{Caller, Claims, Service, within};

/// Asks for rows; the email of every demo user names the tenant.
const REQUEST: &str = "{ users(first: 1000) { nodes { email } } }";

/// What somebody gets for [`REQUEST`]: the tenant whose rows came back, or the code of the refusal.
async fn outcome(caller: &Caller) -> String {
    let answer = caller.query(REQUEST).await;
    if answer.status != 200 {
        let (code, status) = (answer.code(), answer.status.as_u16());
        assert!(!answer.text.contains('@'), "{answer:?}");
        return format!("{status} {code}");
    }
    let data = answer.data();
    let users = data["users"]["nodes"].as_array().unwrap();
    let emails = users.iter().map(|user| user["email"].as_str().unwrap());
    let mut tenants: Vec<_> = emails
        .map(|email| email.rsplit('@').next().unwrap().to_owned())
        .collect();
    tenants.dedup();
    assert_eq!(tenants.len(), 1, "rows of several tenants: {tenants:?}");
    tenants.remove(0)
}

/// Who they are, the token they send, and what they get at each host.
async fn identities(service: &Service) -> Vec<(&'static str, Option<String>, Vec<&'static str>)> {
    let ada = service.tenant("acme").member("ada").await;
    let grace = service.tenant("globex").owner().await;
    let claims = Claims::of(ada.token.as_deref().unwrap());
    let forged = |claims: Claims| Some(claims.sign(&service.secret()));
    let grace_id = Claims::of(grace.token.as_deref().unwrap()).0["sub"].clone();
    let mut tampered = ada.token.clone().unwrap().into_bytes();
    let middle = tampered.len() / 2;
    tampered[middle] = if tampered[middle] == b'A' { b'B' } else { b'A' };
    let other_secret = Secret("Qw7rT9zXc2Vb5nMk8Lp3Hg6Fd1Sa4JyUoEiRtWqZx0".to_owned());

    let out = "401 UNAUTHENTICATED";
    let nobody = "404 TENANT_NOT_FOUND";
    let unknown = [nobody; 4];
    let at = |acme, globex| [&[acme, globex][..], &unknown].concat();
    vec![
        ("no token", None, at(out, out)),
        (
            "ada of acme",
            ada.token.clone(),
            at("acme.test", "403 FORBIDDEN"),
        ),
        (
            "grace of globex",
            grace.token.clone(),
            at("403 FORBIDDEN", "globex.test"),
        ),
        (
            "a user of globex by a token for acme",
            forged(claims.clone().with("sub", grace_id)),
            at("acme.test", "403 FORBIDDEN"),
        ),
        (
            "tampered",
            Some(String::from_utf8(tampered).unwrap()),
            at(out, out),
        ),
        (
            "expired",
            forged(claims.clone().with("exp", from_now(-60))),
            at(out, out),
        ),
        (
            "issued in the future",
            forged(claims.clone().with("iat", from_now(3600))),
            at(out, out),
        ),
        (
            "not valid before tomorrow",
            forged(claims.clone().with("nbf", from_now(86_400))),
            at(out, out),
        ),
        (
            "without an end",
            forged(claims.clone().without("exp")),
            at(out, out),
        ),
        (
            "without a tenant",
            forged(claims.clone().without("tid")),
            at(out, out),
        ),
        (
            "of another issuer",
            forged(claims.clone().with("iss", "somebody")),
            at(out, out),
        ),
        (
            "with a role that is none",
            forged(claims.clone().with("role", "superuser")),
            at(out, out),
        ),
        ("alg none", Some(claims.unsigned("none")), at(out, out)),
        ("alg nOnE", Some(claims.unsigned("nOnE")), at(out, out)),
        (
            "alg HS512",
            Some(claims.sign_with(Algorithm::HS512, &service.secret())),
            at(out, out),
        ),
        (
            "another secret",
            Some(claims.sign(&other_secret)),
            at(out, out),
        ),
        ("rubbish", Some("x.y.z".to_owned()), at(out, out)),
        ("empty", Some(String::new()), at(out, out)),
    ]
}

/// Each identity in a row, each host in a column.
#[tokio::test]
async fn everybody_gets_the_rows_of_their_own_tenant_only() {
    let service = Service::shared();
    let hosts = [
        "acme.localhost",
        "globex.localhost",
        "nobody.localhost",
        "localhost.evil.test",
        "sub.acme.localhost",
        "127.0.0.1",
    ];
    let replica = Service::replica(&[]).await;
    for (who, token, expected) in identities(service).await {
        for (host, expected) in hosts.iter().zip(expected) {
            let caller = service.host(host).with_token(token.as_deref());
            assert_eq!(outcome(&caller).await, expected, "{who} at {host}");
            let there = outcome(&caller.at(&replica)).await;
            assert_eq!(there, expected, "{who} at {host}, second replica");
        }
    }
}

#[tokio::test]
async fn the_authorization_header_is_a_bearer_token_or_refused() {
    let service = Service::shared();
    let ada = service.tenant("acme").member("ada").await;
    let token = ada.token.as_deref().unwrap();
    let anonymous = service.tenant("acme").anonymous();
    for (header, status) in [
        (format!("Bearer {token}"), 200),
        (format!("bearer  {token} "), 200),
        (token.to_owned(), 401),
        (format!("Basic {token}"), 401),
        (format!("Bearer {token} {token}"), 401),
        ("Bearer".to_owned(), 401),
    ] {
        let request = anonymous
            .request(reqwest::Method::POST, "/graphql")
            .header("authorization", &header)
            .json(&serde_json::json!({"query": REQUEST}));
        let answer = crate::harness::Answer::of(request).await;
        assert_eq!(answer.status, status, "{header}");
    }
}

/// Both replicas have to know of it within a second.
#[tokio::test]
async fn a_suspended_tenant_is_refused_everywhere_and_comes_back() {
    let service = Service::shared();
    let replica = Service::replica(&[]).await;
    let owner = service.sign_up("suspended").await;
    let callers = [owner.clone(), owner.at(&replica)];
    for caller in &callers {
        assert_eq!(caller.query(REQUEST).await.status, 200);
    }
    let psql = service.psql().await;
    for (status, expected) in [
        ("suspended", "403 TENANT_SUSPENDED"),
        ("active", &*format!("{}.test", owner.subdomain())),
        ("deleted", "404 TENANT_NOT_FOUND"),
    ] {
        let update = "update tenantry.tenants set status = $1 where subdomain = $2";
        psql.execute(update, &[&status, &owner.subdomain()])
            .await
            .unwrap();
        for caller in &callers {
            let limit = Duration::from_secs(1);
            within(limit, status, async || {
                (outcome(caller).await == expected).then_some(())
            })
            .await;
            let anonymous = caller.with_token(None);
            let refused = if status == "active" {
                "401 UNAUTHENTICATED"
            } else {
                expected
            };
            assert_eq!(outcome(&anonymous).await, refused);
        }
    }
}

#[tokio::test]
async fn a_password_of_one_tenant_opens_no_other() {
    let service = Service::shared();
    let globex = service.tenant("globex").anonymous();
    let log_in = "mutation { logIn(input: {email: \"ada@acme.test\", password: \"demo-password\"}) { accessToken } }";
    let answer = globex.query(log_in).await;
    assert_eq!(answer.code(), "UNAUTHENTICATED", "{answer:?}");
    assert!(!answer.text.contains("eyJ"), "{answer:?}");
}

/// The id of a row of another tenant is the id of no row.
#[tokio::test]
async fn ids_of_another_tenant_lead_nowhere() {
    let service = Service::shared();
    let ada = service.tenant("acme").owner().await;
    let grace = service.tenant("globex").owner().await;
    let list = "{ issues(first: 1) { nodes { id nodeId } edges { cursor } } }";
    let foreign = grace.query(list).await.data()["issues"].take();
    let (id, node_id) = (&foreign["nodes"][0]["id"], &foreign["nodes"][0]["nodeId"]);
    let request = "query ($id: UUID!, $nodeId: ID!) {
        issue(id: $id) { title }
        node(nodeId: $nodeId) { nodeId }
        issues(where: {id: {eq: $id}}) { totalCount nodes { title } }
    }";
    let variables = serde_json::json!({"id": id, "nodeId": node_id});
    let nothing =
        serde_json::json!({"issue": null, "node": null, "issues": {"totalCount": 0, "nodes": []}});
    assert_eq!(ada.ask(request, variables.clone()).await.data(), nothing);
    let own = grace.ask(request, variables).await.data();
    assert_eq!(own["issues"]["totalCount"], 1);
}
