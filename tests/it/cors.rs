//! Pages of other origins: those that `--cors-origin` names, and all others.

use reqwest::Method;
use reqwest::header::{COOKIE, ORIGIN, SET_COOKIE};
use serde_json::{Value, json};

use crate::harness::{Answer, Caller, Service, tenantry};

const APP: &str = "https://app.example.com";

/// Origins that were not named, however alike.
const OTHERS: [&str; 6] = [
    "https://app.example.com.evil.test",
    "https://evil.app.example.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "http://globex.localhost",
    "null",
];

/// What a browser asks before it sends JSON.
async fn preflight(caller: &Caller, origin: &str) -> Answer {
    let request = caller
        .request(Method::OPTIONS, "/graphql")
        .header(ORIGIN, origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type,x-client",
        );
    Answer::of(request).await
}

async fn send(caller: &Caller, origin: &str, cookie: &str, body: &Value) -> Answer {
    let request = caller.request(Method::POST, "/graphql").json(body);
    let request = request.header(ORIGIN, origin).header(COOKIE, cookie);
    Answer::of(request).await
}

#[tokio::test]
async fn named_pages_read_answers_and_others_do_not() {
    let replica = Service::replica(&[
        "--cors-origin",
        APP,
        "--cors-origin",
        "http://localhost:3000",
    ])
    .await;
    let ada = Service::shared().tenant("acme").owner().await.at(&replica);
    let viewer = json!({"query": "{ viewer { email } }"});
    for origin in [APP, "http://localhost:3000"] {
        let asked = preflight(&ada.with_token(None), origin).await;
        assert_eq!(asked.status, 200);
        for (name, value) in [
            ("access-control-allow-origin", origin),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "GET,POST"),
            (
                "access-control-allow-headers",
                "authorization,content-type,x-client",
            ),
        ] {
            assert_eq!(asked.header(name), value, "{origin}");
        }
        let answer = send(&ada, origin, "", &viewer).await;
        assert_eq!(answer.data()["viewer"]["email"], "ada@acme.test");
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        let exposed = answer.header("access-control-expose-headers");
        assert!(exposed.contains("x-request-id"), "{exposed}");
        let vary = answer.headers.get_all("vary").iter();
        let vary: Vec<_> = vary.map(|value| value.to_str().unwrap()).collect();
        assert!(vary.join(",").contains("origin"), "{vary:?}");
        // What goes wrong is to be read, too; at any host.
        let refused = send(&ada.with_token(None), origin, "", &viewer).await;
        assert_eq!(refused.code(), "UNAUTHENTICATED");
        assert_eq!(refused.header("access-control-allow-origin"), origin);
        let base = replica.platform();
        let service = json!({"query": "{ service { name } }"});
        let answer = send(&base, origin, "", &service).await;
        assert_eq!(answer.header("access-control-allow-origin"), origin);
    }
    for origin in OTHERS {
        for answer in [
            preflight(&ada, origin).await,
            send(&ada, origin, "", &viewer).await,
        ] {
            assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
        }
    }
    let ada = ada.at(Service::shared());
    let answer = send(&ada, APP, "", &viewer).await;
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "",
        "nobody is named"
    );
}

#[tokio::test]
async fn named_pages_may_use_cookies_and_others_may_not() {
    let replica = Service::replica(&["--cors-origin", APP]).await;
    let acme = Service::shared().sign_up("cors").await.at(&replica);
    let acme = acme.with_token(None);
    let input = json!({"email": format!("owner@{}.test", acme.subdomain()), "password": "demo-password", "cookie": true});
    let log_in = "mutation ($input: LogInInput!) { logIn(input: $input) { expiresIn } }";
    let log_in = json!({"query": log_in, "variables": {"input": input}});
    let answer = send(&acme, APP, "", &log_in).await;
    answer.data();
    let set = answer.headers.get_all(SET_COOKIE).iter();
    let jar: Vec<_> = set
        .map(|value| value.to_str().unwrap().split(';').next().unwrap())
        .collect();
    let jar = jar.join("; ");
    let viewer = json!({"query": "{ viewer { email } }"});
    let answer = send(&acme, APP, &jar, &viewer).await;
    assert!(answer.data()["viewer"]["email"].is_string());
    for origin in OTHERS {
        for body in [&viewer, &log_in] {
            let refused = send(&acme, origin, &jar, body).await;
            assert_eq!(refused.code(), "FORBIDDEN", "{origin}");
        }
    }
}

#[test]
fn origins_are_neither_patterns_nor_everybody() {
    for origin in ["*", "null", "https://*.example.com", "app.example.com"] {
        let output = tenantry(&["dev", "--cors-origin", origin])
            .output()
            .unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.code() == Some(2) && message.contains("an origin is"),
            "{message}"
        );
    }
}
