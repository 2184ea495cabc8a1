//! Sessions over HTTP: from the log-in to the log-out, by tokens and by cookies, and who may do what with them where.

use reqwest::Method;
use reqwest::header::{COOKIE, ORIGIN, SET_COOKIE};
use serde_json::{Value, json};

use crate::harness::service::unique;
use crate::harness::{Answer, Caller, Service, run};

const LOG_IN: &str = "mutation ($input: LogInInput!) { logIn(input: $input) { accessToken refreshToken expiresIn } }";
const REFRESH: &str = "mutation ($input: RefreshSessionInput) { refreshSession(input: $input) { accessToken refreshToken } }";

/// The credentials of a tenant's owner.
fn owner(caller: &Caller) -> Value {
    json!({"email": format!("owner@{}.test", caller.subdomain()), "password": "demo-password"})
}

/// What a mutation answered: `ok`, or the code of its error.
fn outcome(answer: &Answer) -> String {
    let body: Value = serde_json::from_str(&answer.text).unwrap();
    match &body["errors"][0]["extensions"]["code"] {
        Value::String(code) => code.clone(),
        _ => "ok".to_owned(),
    }
}

/// The access and the refresh token of a new session.
async fn log_in(place: &Caller, credentials: &Value) -> (String, String) {
    let answer = place
        .with_token(None)
        .ask(LOG_IN, json!({"input": credentials}))
        .await;
    let granted = &answer.data()["logIn"];
    let token = |name: &str| granted[name].as_str().unwrap().to_owned();
    (token("accessToken"), token("refreshToken"))
}

#[tokio::test]
async fn the_table_of_sessions_holds() {
    let service = Service::shared();
    let (acme, globex) = (
        service.sign_up("ours").await,
        service.sign_up("theirs").await,
    );
    let base = service.platform();
    let credentials = owner(&acme);
    let mut wrong = Vec::new();
    for line in include_str!("sessions/allowed.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut cells = line.split('|').map(str::trim);
        let (place, name) = (cells.next().unwrap(), cells.next().unwrap());
        let host = if place == "acme" { &acme } else { &base };
        for (identity, expected) in ["anonymous", "acme", "globex", "account"]
            .into_iter()
            .zip(cells)
        {
            let token = match identity {
                "acme" => Some(log_in(&acme, &credentials).await.0),
                "globex" => Some(log_in(&globex, &owner(&globex)).await.0),
                "account" => Some(log_in(&base, &credentials).await.0),
                _ => None,
            };
            let operation = match name {
                "refreshSession" => {
                    let (_, refresh) = log_in(host, &credentials).await;
                    json!({"query": REFRESH, "variables": {"input": {"refreshToken": refresh}}})
                }
                "refreshSession of globex" => {
                    let (_, refresh) = log_in(&globex, &owner(&globex)).await;
                    json!({"query": REFRESH, "variables": {"input": {"refreshToken": refresh}}})
                }
                _ => operation(name, &acme, &globex),
            };
            let answer = host.with_token(token.as_deref()).post(&operation).await;
            let found = outcome(&answer);
            if found != expected {
                wrong.push(format!(
                    "{place} | {name} | {identity}: {found}, not {expected}\n{}",
                    answer.text
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn operation(name: &str, acme: &Caller, globex: &Caller) -> Value {
    let (ours, theirs) = (acme.subdomain(), globex.subdomain());
    let query = match name {
        "logIn" => format!("mutation {{ logIn(input: {{email: \"owner@{ours}.test\", password: \"demo-password\"}}) {{ expiresIn }} }}"),
        "logOut" => "mutation { logOut }".to_owned(),
        "logOutEverywhere" => "mutation { logOutEverywhere }".to_owned(),
        "changePassword" => "mutation { changePassword(input: {oldPassword: \"demo-password\", newPassword: \"demo-password\"}) }".to_owned(),
        "changePassword by guessing" => "mutation { changePassword(input: {oldPassword: \"wrong\", newPassword: \"another password\"}) }".to_owned(),
        "requestPasswordReset" => format!("mutation {{ requestPasswordReset(email: \"owner@{ours}.test\") }}"),
        "requestPasswordReset of nobody" => "mutation { requestPasswordReset(email: \"nobody@nowhere.test\") }".to_owned(),
        "resetPassword by guessing" => "mutation { resetPassword(input: {token: \"tnp_x\", password: \"another password\"}) { expiresIn } }".to_owned(),
        "account" => "{ account { email tenants { subdomain role } sessions { id current } } }".to_owned(),
        "enterTenant acme" => format!("mutation {{ enterTenant(tenant: \"{ours}\") {{ url expiresIn }} }}"),
        "enterTenant globex" => format!("mutation {{ enterTenant(tenant: \"{theirs}\") {{ url }} }}"),
        "enterTenant nowhere" => "mutation { enterTenant(tenant: \"nowhere\") { url } }".to_owned(),
        other => panic!("what is {other}?"),
    };
    json!({"query": query})
}

#[tokio::test]
async fn a_person_goes_from_the_base_domain_to_her_tenant_and_logs_out_everywhere() {
    let service = Service::shared();
    let acme = service.sign_up("person").await;
    let base = service.platform();
    let (account, _) = log_in(&base, &owner(&acme)).await;
    let me = base.with_token(Some(&account));
    let found = me
        .query("{ account { tenants { subdomain role } sessions { current tenant } } }")
        .await;
    let found = &found.data()["account"];
    assert_eq!(
        found["tenants"],
        json!([{"subdomain": acme.subdomain(), "role": "OWNER"}])
    );
    assert_eq!(found["sessions"].as_array().unwrap().len(), 2);
    let enter = "mutation ($tenant: String!) { enterTenant(tenant: $tenant) { url accessToken refreshToken } }";
    let entered = me.ask(enter, json!({"tenant": acme.subdomain()})).await;
    let entered = &entered.data()["enterTenant"];
    assert!(entered["url"].as_str().unwrap().contains(acme.subdomain()));
    let there = acme.with_token(entered["accessToken"].as_str());
    let viewer = there.query("{ viewer { email } }").await;
    assert_eq!(viewer.data()["viewer"]["email"], owner(&acme)["email"]);
    // Ended there, it is over everywhere, at another replica too, and at the base domain.
    let replica = Service::replica(&[]).await;
    let elsewhere = there.at(&replica);
    assert_eq!(
        outcome(&elsewhere.query("{ viewer { email } }").await),
        "ok"
    );
    let ended = there.query("mutation { logOutEverywhere }").await;
    assert_eq!(ended.data()["logOutEverywhere"], 3);
    for _ in 0..100 {
        if outcome(&elsewhere.query("{ viewer { email } }").await) == "UNAUTHENTICATED" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    for caller in [&elsewhere, &there, &acme] {
        assert_eq!(
            outcome(&caller.query("{ viewer { email } }").await),
            "UNAUTHENTICATED"
        );
    }
    assert_eq!(
        outcome(&me.query("{ account { email } }").await),
        "UNAUTHENTICATED"
    );
    let refresh = json!({"input": {"refreshToken": entered["refreshToken"]}});
    let refreshed = acme.with_token(None).ask(REFRESH, refresh).await;
    assert_eq!(outcome(&refreshed), "UNAUTHENTICATED");
}

/// The cookies that an answer sets, as the browser sends them back, and as they are written.
fn cookies(answer: &Answer) -> (String, Vec<String>) {
    let set: Vec<_> = answer
        .headers
        .get_all(SET_COOKIE)
        .iter()
        .map(|value| value.to_str().unwrap().to_owned())
        .collect();
    let pairs: Vec<_> = set
        .iter()
        .map(|text| text.split(';').next().unwrap().to_owned())
        .collect();
    (pairs.join("; "), set)
}

/// A browser that has a page of a tenant open.
struct Browser {
    caller: Caller,
    page: String,
}

impl Browser {
    fn of(tenant: &Caller) -> Self {
        Self {
            caller: tenant.with_token(None),
            page: format!("http://{}:{}", tenant.host, tenant.port),
        }
    }

    async fn send(&self, cookie: &str, body: Value) -> Answer {
        self.send_from(&self.page, cookie, body).await
    }

    /// From a page of another origin.
    async fn send_from(&self, origin: &str, cookie: &str, body: Value) -> Answer {
        let request = self.caller.request(Method::POST, "/graphql");
        let request = request.header(COOKIE, cookie).header(ORIGIN, origin);
        Answer::of(request.json(&body)).await
    }
}

fn viewer() -> Value {
    json!({"query": "{ viewer { email } }"})
}

/// `logIn` with cookies.
fn log_in_with_cookies(tenant: &Caller) -> Value {
    let mut input = owner(tenant);
    input["cookie"] = true.into();
    json!({"query": LOG_IN, "variables": {"input": input}})
}

#[tokio::test]
async fn cookies_are_for_their_host_and_its_own_pages() {
    let service = Service::shared();
    let (acme, globex) = (
        service.sign_up("cookies").await,
        service.sign_up("others").await,
    );
    let (ours, theirs) = (Browser::of(&acme), Browser::of(&globex));
    let evil = "http://evil.test";
    let foreign = ours.send_from(evil, "", log_in_with_cookies(&acme)).await;
    assert_eq!(
        (outcome(&foreign).as_str(), cookies(&foreign).1.len()),
        ("FORBIDDEN", 0)
    );
    let answer = ours.send("", log_in_with_cookies(&acme)).await;
    // What cookies keep is not told to scripts.
    let granted = &answer.data()["logIn"];
    assert_eq!(
        (&granted["accessToken"], &granted["refreshToken"]),
        (&Value::Null, &Value::Null)
    );
    let (jar, set) = cookies(&answer);
    assert!(
        set[0].contains("; Path=/; Max-Age=900; HttpOnly; SameSite=Lax"),
        "{set:?}"
    );
    assert!(
        set[1].contains("; Path=/graphql; Max-Age=2592000; HttpOnly; SameSite=Strict"),
        "{set:?}"
    );
    assert!(!set.join(" ").contains("Domain"), "host-only: {set:?}");
    let seen = ours.send(&jar, viewer()).await;
    assert_eq!(seen.data()["viewer"]["email"], owner(&acme)["email"]);
    for origin in [evil, "null", &theirs.page] {
        let log_out = json!({"query": "mutation { logOut }"});
        for body in [viewer(), log_out] {
            assert_eq!(
                outcome(&ours.send_from(origin, &jar, body).await),
                "FORBIDDEN",
                "{origin}"
            );
        }
    }
    // Carried to another tenant by hand, they are nobody's.
    assert_eq!(
        outcome(&theirs.send(&jar, viewer()).await),
        "UNAUTHENTICATED"
    );
}

/// The browser still has what a tenant has left it that is somewhere else now.
#[tokio::test]
async fn cookies_of_a_former_tenant_do_not_keep_anybody_out() {
    let service = Service::shared();
    let before = service.sign_up("reused").await;
    let page = Browser::of(&before);
    let (jar, _) = cookies(&page.send("", log_in_with_cookies(&before)).await);
    let (name, moved) = (before.subdomain(), unique("moved-on"));
    let leave = [
        "tenant",
        "change-subdomain",
        name,
        &moved,
        "--redirect-days",
        "0",
    ];
    assert!(run(&leave, "").status.success());
    let input = json!({"organization": "Next", "subdomain": name, "name": "Nina",
        "email": format!("nina@{name}.test"), "password": "demo-password"});
    service.sign_up_with(input).await.data();
    let input =
        json!({"email": format!("nina@{name}.test"), "password": "demo-password", "cookie": true});
    let log_in = json!({"query": LOG_IN, "variables": {"input": input}});
    let signed_in = page.send(&jar, log_in).await;
    assert_eq!(outcome(&signed_in), "ok", "{}", signed_in.text);
    let (renewed, _) = cookies(&signed_in);
    let seen = page.send(&renewed, viewer()).await.data();
    assert_eq!(seen["viewer"]["email"], format!("nina@{name}.test"));
    assert_eq!(outcome(&page.send(&jar, viewer()).await), "UNAUTHENTICATED");
}

#[tokio::test]
async fn cookies_are_renewed_and_cleared() {
    let service = Service::shared();
    let acme = service.sign_up("jar").await;
    let ours = Browser::of(&acme);
    let (jar, _) = cookies(&ours.send("", log_in_with_cookies(&acme)).await);
    let refresh = json!({"query": REFRESH});
    let refreshed = ours.send(&jar, refresh.clone()).await;
    assert_eq!(outcome(&refreshed), "ok", "{}", refreshed.text);
    let (renewed, _) = cookies(&refreshed);
    assert_ne!(renewed, jar);
    let out = ours
        .send(&renewed, json!({"query": "mutation { logOut }"}))
        .await;
    assert_eq!(out.data()["logOut"], true);
    assert!(
        cookies(&out)
            .1
            .iter()
            .all(|text| text.contains("Max-Age=0")),
        "{:?}",
        cookies(&out)
    );
    for _ in 0..100 {
        if outcome(&ours.send(&renewed, viewer()).await) == "UNAUTHENTICATED" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    for body in [viewer(), refresh] {
        assert_eq!(outcome(&ours.send(&renewed, body).await), "UNAUTHENTICATED");
    }
    // A browser with cookies of a session that has ended can still log in.
    assert_eq!(
        outcome(&ours.send(&renewed, log_in_with_cookies(&acme)).await),
        "ok"
    );
}
