//! Sign-up: all of a tenant or nothing of it, usable at once and everywhere.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::harness::database::{names, scalar};
use crate::harness::service::unique;
use crate::harness::{DataDir, Service, eventually};

/// A complete and correct input, with `changes` on top.
fn input(subdomain: &str, changes: &Value) -> Value {
    let mut input = json!({
        "organization": "Initech",
        "subdomain": subdomain,
        "name": "Bill Lumbergh",
        "email": format!("bill@{subdomain}.test"),
        "password": "a long password",
    });
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

/// How many tenants, accounts, memberships, schemas and roles there are, under names of their own or
/// those of workspaces that were made ahead.
async fn census(service: &Service, like: &str) -> String {
    let psql = service.psql().await;
    let role_and_schema = like.replace('-', "_");
    let statement = format!(
        "select concat_ws(' ',
           (select count(*) from tenantry.tenants where subdomain like '{like}%'),
           (select count(*) from tenantry.accounts where email like '%{like}%'),
           (select count(*) from tenantry.memberships join tenantry.tenants on tenants.id = tenant_id
             where subdomain like '{like}%'),
           (select count(*) from pg_namespace where nspname like 'tenant\\_{role_and_schema}%'
             or nspname in (select schema_name from tenantry.tenants where subdomain like '{like}%')),
           (select count(*) from pg_roles where rolname like 'tenant\\_{role_and_schema}%'
             or rolname in (select role_name from tenantry.tenants where subdomain like '{like}%')))"
    );
    scalar(&psql, &statement).await.unwrap()
}

#[tokio::test]
async fn a_customer_signs_up_and_queries_its_own_api() {
    let service = Service::shared();
    let replica = Service::replica(&[]).await;
    let subdomain = unique("initech");
    let answer = service.sign_up_with(input(&subdomain, &json!({}))).await;
    let signed_up = &answer.data()["signUp"];
    assert_eq!(signed_up["tenant"]["name"], "Initech");
    assert_eq!(signed_up["tenant"]["subdomain"], subdomain);
    assert_eq!(signed_up["tenant"]["status"], "ACTIVE");
    let url = format!("http://{subdomain}.localhost:{}", service.port());
    assert_eq!(signed_up["url"], url);
    let token = signed_up["accessToken"].as_str().unwrap();

    let owner = service.tenant(&subdomain).with_token(token);
    let request = "{ projects(first: 3, orderBy: [{name: ASC}]) { totalCount nodes { name
        issues(first: 2, where: {status: {eq: OPEN}}) { nodes { title assignee { name } comments { totalCount } } } } } }";
    // The second replica knows the tenant without having been told or started again.
    let there = owner.at(&replica).query(request).await.data();
    let here = owner.query(request).await.data();
    assert_eq!(here, there);
    assert_eq!(here["projects"]["totalCount"], 1);
    let issue = &here["projects"]["nodes"][0]["issues"]["nodes"][0];
    assert_eq!(issue["assignee"]["name"], "Bill Lumbergh");

    let viewer = "{ viewer { id name email role } }";
    let bill = owner.query(viewer).await.data()["viewer"].take();
    assert_eq!(bill["email"], format!("bill@{subdomain}.test"));
    assert_eq!(bill["role"], "owner");
    let log_in = "mutation ($input: LogInInput!) { logIn(input: $input) { accessToken user { id name email role } } }";
    let credentials =
        json!({"email": format!(" BILL@{subdomain}.TEST"), "password": "a long password"});
    let anonymous = owner.with_token(None).at(&replica);
    let logged_in = anonymous
        .ask(log_in, json!({"input": &credentials}))
        .await
        .data();
    assert_eq!(logged_in["logIn"]["user"], bill);
    let token = logged_in["logIn"]["accessToken"].as_str();
    assert_eq!(
        owner.with_token(token).query(viewer).await.data()["viewer"],
        bill
    );
    let twice = "mutation ($input: LogInInput!) { logIn(input: $input) { user { id } again: user { name again: id } } }";
    let input = json!({"input": &credentials});
    let twice = anonymous.ask(twice, input.clone()).await.data();
    let user =
        json!({"user": {"id": bill["id"]}, "again": {"name": bill["name"], "again": bill["id"]}});
    assert_eq!(twice["logIn"], user);
    let field = |n| format!("l{n}: logIn(input: $input) {{ accessToken }} ");
    let often: String = (0..4).map(field).collect();
    let often = format!("mutation ($input: LogInInput!) {{ {often} }}");
    let refused = anonymous.ask(&often, input).await;
    assert_eq!(refused.code(), "QUERY_TOO_COMPLEX", "{refused:?}");
    for (email, password) in [("bill", "a long passworD"), ("bob", "a long password")] {
        let wrong = json!({"email": format!("{email}@{subdomain}.test"), "password": password});
        let refused = anonymous.ask(log_in, json!({"input": wrong})).await;
        assert_eq!(refused.code(), "UNAUTHENTICATED", "{refused:?}");
    }
    assert_eq!(
        service
            .tenant("acme")
            .with_token(token.unwrap())
            .query(viewer)
            .await
            .code(),
        "FORBIDDEN"
    );
}

#[tokio::test]
async fn bad_input_is_refused_and_leaves_nothing_behind() {
    let service = Service::shared();
    let long = "x".repeat(64);
    for (changes, code, field) in [
        (json!({"subdomain": ""}), "BAD_USER_INPUT", "subdomain"),
        (json!({"subdomain": "-bad"}), "BAD_USER_INPUT", "subdomain"),
        (json!({"subdomain": "bad-"}), "BAD_USER_INPUT", "subdomain"),
        (
            json!({"subdomain": "bad.name"}),
            "BAD_USER_INPUT",
            "subdomain",
        ),
        (
            json!({"subdomain": "bad name"}),
            "BAD_USER_INPUT",
            "subdomain",
        ),
        (
            json!({"subdomain": "b\u{e4}d"}),
            "BAD_USER_INPUT",
            "subdomain",
        ),
        (
            json!({"subdomain": "bad\"; drop schema tenantry cascade; --"}),
            "BAD_USER_INPUT",
            "subdomain",
        ),
        (
            json!({"subdomain": "xn--bad"}),
            "BAD_USER_INPUT",
            "subdomain",
        ),
        (json!({"subdomain": long}), "BAD_USER_INPUT", "subdomain"),
        (json!({"subdomain": "www"}), "BAD_USER_INPUT", "subdomain"),
        (json!({"subdomain": "Admin"}), "BAD_USER_INPUT", "subdomain"),
        (json!({"subdomain": "acme"}), "CONFLICT", "subdomain"),
        (json!({"subdomain": "ACME"}), "CONFLICT", "subdomain"),
        (
            json!({"organization": ""}),
            "BAD_USER_INPUT",
            "organization",
        ),
        (
            json!({"organization": "\u{0}"}),
            "BAD_USER_INPUT",
            "organization",
        ),
        (
            json!({"organization": "\u{65e5}\u{672c}\u{20}\u{2603}", "subdomain": null, "name": ""}),
            "BAD_USER_INPUT",
            "name",
        ),
        (
            json!({"organization": "!!!", "subdomain": null}),
            "BAD_USER_INPUT",
            "subdomain",
        ),
        (json!({"name": "  "}), "BAD_USER_INPUT", "name"),
        (json!({"email": "bill"}), "BAD_USER_INPUT", "email"),
        (json!({"email": "bill@"}), "BAD_USER_INPUT", "email"),
        (json!({"email": "ada@acme.test"}), "CONFLICT", "email"),
        (json!({"email": "ADA@Acme.Test"}), "CONFLICT", "email"),
        (json!({"password": ""}), "BAD_USER_INPUT", "password"),
        (
            json!({"password": "ninechars"}),
            "BAD_USER_INPUT",
            "password",
        ),
        (
            json!({"password": "1234567890"}),
            "BAD_USER_INPUT",
            "password",
        ),
        (
            json!({"password": "aaaaaaaaaaaaaaaa"}),
            "BAD_USER_INPUT",
            "password",
        ),
    ] {
        let answer = service.sign_up_with(input("refused", &changes)).await;
        assert_eq!(answer.code(), code, "{changes}: {answer:?}");
        let error = &answer.json()["errors"][0];
        assert_eq!(error["extensions"]["field"], field, "{changes}: {answer:?}");
        assert_eq!(error["path"], json!(["signUp"]), "{changes}: {answer:?}");
        assert!(!answer.text.contains("accessToken"), "{answer:?}");
    }
    assert_eq!(census(service, "refused").await, "0 0 0 0 0");
}

#[tokio::test]
async fn without_a_subdomain_one_is_made_of_the_name() {
    let service = Service::shared();
    let organization = format!("Müller & Söhne {}", unique("GmbH"));
    let changes = json!({"organization": organization, "subdomain": null});
    let answer = service.sign_up_with(input("derived", &changes)).await;
    let subdomain = answer.data()["signUp"]["tenant"]["subdomain"].take();
    assert!(
        subdomain
            .as_str()
            .unwrap()
            .starts_with("muller-sohne-gmbh-"),
        "{subdomain}"
    );
}

/// Over HTTP, at two replicas: one is told so, and nothing is left of it.
#[tokio::test]
async fn of_two_for_one_subdomain_one_wins() {
    let service = Service::shared();
    let replica = Service::replica(&[]).await;
    for _ in 0..3 {
        let subdomain = unique("race");
        let other = json!({"email": format!("second@{subdomain}.test")});
        let (one, two) = tokio::join!(
            service.sign_up_with(input(&subdomain, &json!({}))),
            replica.sign_up_with(input(&subdomain, &other)),
        );
        let won = [&one, &two].map(|answer| answer.json()["data"]["signUp"].is_object());
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{one:?} {two:?}");
        let loser = if won[0] { &two } else { &one };
        assert_eq!(loser.code(), "CONFLICT", "{loser:?}");
        assert_eq!(
            loser.json()["errors"][0]["extensions"]["field"],
            "subdomain"
        );
        assert_eq!(census(service, &subdomain).await, "1 1 1 1 1");
    }
}

/// Names that Postgres cannot tell apart after quoting and cutting still make two tenants.
#[tokio::test]
async fn long_and_similar_names_get_schemas_of_their_own() {
    let service = Service::shared();
    let psql = service.psql().await;
    let stem = "l".repeat(62);
    let mut schemas = Vec::new();
    for last in ["a", "b"] {
        let owner = format!("{stem}{last}");
        let changes = json!({"email": format!("{last}@long.test")});
        let answer = service.sign_up_with(input(&owner, &changes)).await;
        let token = &answer.data()["signUp"]["accessToken"];
        let tenant = service.tenant(&owner).with_token(token.as_str().unwrap());
        assert_eq!(
            tenant.query("{ users { totalCount } }").await.data()["users"]["totalCount"],
            1
        );
        schemas.push(names(&psql, &owner).await.0);
    }
    assert_ne!(schemas[0], schemas[1]);
}

/// Everything but the commit is done when the service, and then its Postgres, is gone.
#[tokio::test]
async fn a_kill_half_way_leaves_nothing_half_made() {
    let dir = DataDir::new();
    let app = dir.join("app");
    std::fs::create_dir(&app).unwrap();
    let table = "create table notes (id int primary key, body text not null);";
    std::fs::write(app.join("V1__notes.sql"), table).unwrap();
    // The seed comes last. That of a tenant called half-… does not end before the test does.
    let seed = "insert into notes select 1, name from users;
        select pg_sleep(600) from users where email like 'owner@half-%';";
    std::fs::write(app.join("seed.sql"), seed).unwrap();
    let arguments = ["--tenant-sql", app.to_str().unwrap()];
    let service = Service::dev_in(dir, &arguments);

    let whole = service.sign_up("whole").await;
    let (one, two) = (unique("half"), unique("half"));
    let psql = service.psql().await;
    let killed = async {
        eventually("both sign-ups are half-way", async || {
            let sleeping = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";
            (scalar(&psql, sleeping).await? == "2").then_some(())
        })
        .await;
        assert_eq!(
            service
                .tenant(&one)
                .anonymous()
                .query("{ __typename }")
                .await
                .status,
            404
        );
        service.process().signal(Signal::SIGKILL);
    };
    // Nobody answers them any more; this end learns it from the closed connection.
    let sign_up = async |subdomain: &str| {
        let request = service.platform();
        let body = json!({"query": "mutation ($input: SignUpInput!) { signUp(input: $input) { url } }",
            "variables": {"input": input(subdomain, &json!({"email": format!("owner@{subdomain}.test")}))}});
        let request = request
            .request(reqwest::Method::POST, "/graphql")
            .json(&body);
        assert!(
            request
                .timeout(Duration::from_mins(1))
                .send()
                .await
                .is_err()
        );
    };
    tokio::join!(sign_up(&one), sign_up(&two), killed);

    let service = Service::dev_in(service.stop(), &arguments);
    assert_eq!(census(&service, "half").await, "0 0 0 0 0");
    assert_eq!(census(&service, "whole").await, "1 1 1 1 1");
    let notes = whole
        .at(&service)
        .query("{ notes { nodes { body } } }")
        .await
        .data();
    assert_eq!(notes["notes"]["nodes"][0]["body"], "Olga Owner");
}
