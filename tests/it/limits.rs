//! Limits: what is too much is refused before Postgres hears of it, by the service's numbers or by the
//! tenant's own.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Answer, Caller, Service, within};

/// So many lists within each other.
fn nested(firsts: &[&str]) -> String {
    let fields = ["projects", "issues", "comments"];
    let open = firsts.iter().zip(fields.iter().cycle());
    let open: String = open
        .map(|(first, field)| format!("{field}{first} {{ nodes {{ id "))
        .collect();
    format!("{{ {open} {} }}", "} } ".repeat(firsts.len()))
}

#[track_caller]
fn refused(answer: &Answer, found: u64, limit: u64, path: &[&str]) {
    assert_eq!(answer.code(), "QUERY_TOO_COMPLEX");
    let error = &answer.json()["errors"][0];
    assert_eq!(
        (&error["extensions"]["found"], &error["extensions"]["limit"]),
        (&json!(found), &json!(limit)),
        "{answer:?}"
    );
    let expected = if path.is_empty() {
        Value::Null
    } else {
        json!(path)
    };
    assert_eq!(error["path"], expected);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(&found.to_string()) && message.contains(&limit.to_string()));
}

/// Changes the tenant's own limits, as an operator would.
async fn set(service: &Service, caller: &Caller, limits: Value) -> Result<(), String> {
    let statement = "update tenantry.tenants set limits = $1 where subdomain = $2";
    let changed = service
        .psql()
        .await
        .execute(statement, &[&limits, &caller.subdomain()])
        .await;
    changed.map(drop).map_err(|error| {
        let error = error.as_db_error().unwrap();
        error.constraint().unwrap_or_default().to_owned()
    })
}

#[tokio::test]
async fn an_answer_that_could_be_too_large_is_refused_unasked() {
    let service = Service::shared();
    let owner = service.sign_up("limits").await;
    let three = nested(&["(first: 1000)", "(first: 100)", "(first: 90)"]);
    let path = ["projects", "nodes", "issues", "nodes", "comments"];
    // Two; id, issues and nodes of each project; id, comments and nodes of each issue; id of each comment.
    let found = 2 + 1000 * 3 + 100_000 * 3 + 9_000_000;
    let answer = owner.query(&three).await;
    assert_eq!(answer.header("x-complexity"), found.to_string());
    answer.data();
    let more = nested(&["(first: 1000)", "(first: 100)", "(first: 110)"]);
    refused(&owner.query(&more).await, 11_303_002, 10_000_000, &path);
    let statements = service.process().events().into_iter().filter(|event| {
        event["message"] == "statement" && event["tenant.subdomain"] == owner.subdomain()
    });
    assert_eq!(statements.count(), 1, "what was refused was not asked");
}

#[tokio::test]
async fn variables_count_by_their_values() {
    let service = Service::shared();
    let owner = service.sign_up("limits").await;
    let document =
        "query ($n: Int, $m: Int) { projects(first: $n) { nodes { issues(last: $m) { nodes {
        id title } } } } }";
    for (variables, complexity) in [
        (json!({"n": 2, "m": 3}), "18"),
        (json!({"n": 2}), "206"),
        (json!({"n": 0, "m": 1000}), "2"),
        (json!({"n": null, "m": 1}), "202"),
    ] {
        let answer = owner.ask(document, variables).await;
        assert_eq!(answer.header("x-complexity"), complexity, "{answer:?}");
        answer.data();
    }
    let path = ["projects", "nodes", "issues"];
    let wide = document.replace("title", "title number body status createdAt");
    let answer = owner.ask(&wide, json!({"n": 1000, "m": 1000})).await;
    // Six values of a million issues are fewer than ten million; eleven are not.
    answer.data();
    let wider = wide.replace("body", "body a: body b: body c: body d: body e: body");
    let answer = owner.ask(&wider, json!({"n": 1000, "m": 1000})).await;
    refused(&answer, 11_002_002, 10_000_000, &path);
    // The same plan, with other numbers.
    owner.ask(&wider, json!({"n": 1000, "m": 400})).await.data();
}

#[tokio::test]
async fn documents_and_inputs_have_limits_too() {
    let service = Service::shared();
    let owner = service.sign_up("limits").await;
    let aliases = |count: usize| {
        let fields: String = (0..count).map(|n| format!("a{n}: id ")).collect();
        format!("{{ projects(first: 1) {{ nodes {{ {fields} }} }} }}")
    };
    owner.query(&aliases(500)).await.data();
    refused(&owner.query(&aliases(501)).await, 501, 500, &[]);
    let roots = |count: usize| {
        let fields: String = (0..count).map(|n| format!("a{n}: __typename ")).collect();
        format!("{{ {fields} }}")
    };
    owner.query(&roots(100)).await.data();
    refused(&owner.query(&roots(101)).await, 101, 100, &[]);
    let levels = "project { issues(first: 1) { nodes { ".repeat(9);
    let deep = format!(
        "{{ issues {{ nodes {{ {levels} id {} }} }} }}",
        "} ".repeat(27)
    );
    owner
        .query(&deep.replace(" id ", " __typename "))
        .await
        .data();
    let deeper = deep.replace(" id ", " project { id } ");
    refused(&owner.query(&deeper).await, 31, 30, &[]);
    let document = format!("{{ __typename }}{}", " ".repeat(256 * 1024));
    refused(&owner.query(&document).await, 262_158, 262_144, &[]);
}

#[tokio::test]
async fn lists_in_the_input_have_limits() {
    let service = Service::shared();
    let owner = service.sign_up("limits").await;
    let document =
        "query ($names: [String!]) { labels(where: {name: {in: $names}}) { totalCount } }";
    let names = |count: usize| json!({"names": vec!["a"; count]});
    owner.ask(document, names(10_000)).await.data();
    let answer = owner.ask(document, names(10_001)).await;
    assert_eq!(answer.code(), "QUERY_TOO_COMPLEX");
    assert!(
        answer.text.contains("$names") && answer.text.contains("10001"),
        "{answer:?}"
    );
    let literal = format!(
        "{{ labels(where: {{name: {{in: [{}]}}}}) {{ totalCount }} }}",
        "\"\" ".repeat(10_001)
    );
    refused(&owner.query(&literal).await, 10_001, 10_000, &[]);
}

#[tokio::test]
async fn a_tenant_has_limits_of_its_own_on_every_replica_at_once() {
    let service = Service::shared();
    let owner = service.sign_up("limits").await;
    let other = service.sign_up("limits").await;
    let replica = Service::replica(&[]).await;
    let there = owner.at(&replica);
    let (many, few) = (nested(&["(first: 2000)"]), nested(&["", ""]));
    assert_eq!(owner.query(&many).await.code(), "BAD_USER_INPUT");
    there.query(&few).await.data();
    set(service, &owner, json!({"rows": 2000, "complexity": 2500}))
        .await
        .unwrap();
    for caller in [&owner, &there] {
        within(Duration::from_secs(1), "the limits are known", async || {
            let known = caller.query(&many).await.json().get("errors").is_none();
            known.then_some(())
        })
        .await;
        refused(&caller.query(&few).await, 2652, 2500, &["projects"]);
    }
    other.query(&few).await.data();
    assert_eq!(other.query(&many).await.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn slips_in_the_registry_are_refused_there() {
    let service = Service::shared();
    let owner = service.sign_up("limits").await;
    for wrong in [
        json!({"row": 10}),
        json!({"rows": 0}),
        json!({"rows": "10"}),
        json!({"rows": 1.5}),
        json!({"rows": 1e30}),
        json!([]),
        json!(null),
    ] {
        let refused = set(service, &owner, wrong.clone()).await;
        assert_eq!(refused, Err("tenants_limits_check".to_owned()), "{wrong}");
    }
    let all = [
        "complexity",
        "depth",
        "aliases",
        "root_fields",
        "rows",
        "items",
        "document",
        "body",
        "response",
    ];
    let all: Value = all
        .into_iter()
        .map(|name| (name.to_owned(), json!(50)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    set(service, &owner, all).await.unwrap();
    within(Duration::from_secs(1), "the limits are known", async || {
        let answer = owner.query("{ labels(first: 51) { nodes { id } } }").await;
        answer.text.contains("50").then_some(())
    })
    .await;
}

#[tokio::test]
async fn errors_are_few_and_short() {
    let owner = Service::shared().sign_up("limits").await;
    let fields: String = (0..2000).map(|n| format!("nothing{n} ")).collect();
    let answer = owner.query(&format!("{{ {fields} }}")).await;
    let errors = answer.json()["errors"].as_array().unwrap().clone();
    assert_eq!(errors.len(), 20);
    let last = errors[19]["message"].as_str().unwrap();
    assert!(last.contains("1980 more errors"), "{last}");
    let long = "x".repeat(200_000);
    for text in [
        format!("{{ projects(where: {long:?}) {{ totalCount }} }}"),
        format!("{{ {long} }}"),
        format!("{{ \u{0} {long} }}"),
    ] {
        let answer = owner.query(&text).await;
        assert!(answer.text.len() < 5000, "{} bytes", answer.text.len());
    }
}
