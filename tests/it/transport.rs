//! GraphQL over HTTP: methods, media types and statuses.
//! <https://graphql.github.io/graphql-over-http/draft/>

use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use crate::harness::{Answer, Caller, Service};

const JSON: &str = "application/json; charset=utf-8";
const RESPONSE: &str = "application/graphql-response+json; charset=utf-8";

async fn ada() -> Caller {
    Service::shared().tenant("acme").member("ada").await
}

/// A POST with a body of any kind.
async fn post(caller: &Caller, content_type: Option<&str>, body: impl Into<String>) -> Answer {
    let mut request = caller.request(Method::POST, "/graphql").body(body.into());
    if let Some(content_type) = content_type {
        request = request.header(CONTENT_TYPE, content_type);
    }
    Answer::of(request).await
}

#[tokio::test]
async fn the_accept_header_chooses_the_media_type() {
    let ada = ada().await;
    let body = json!({"query": "{ viewer { email } }"});
    for (accept, status, media) in [
        (None, 200, JSON),
        (Some("*/*"), 200, JSON),
        (Some("application/*"), 200, JSON),
        (Some("application/json"), 200, JSON),
        (Some("application/graphql-response+json"), 200, RESPONSE),
        (
            Some("application/graphql-response+json; charset=utf-8, application/json; q=0.9"),
            200,
            RESPONSE,
        ),
        (
            Some("application/json, application/graphql-response+json"),
            200,
            JSON,
        ),
        (
            Some("application/json;q=0.5, application/graphql-response+json;q=0.8"),
            200,
            RESPONSE,
        ),
        (Some("text/html, */*;q=0.1"), 200, JSON),
        (Some("APPLICATION/GraphQL-Response+JSON"), 200, RESPONSE),
        (Some("text/html"), 406, JSON),
        (Some("application/json;q=0"), 406, JSON),
    ] {
        let mut request = ada.request(Method::POST, "/graphql").json(&body);
        if let Some(accept) = accept {
            request = request.header(ACCEPT, accept);
        }
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, status, "{accept:?}");
        assert_eq!(answer.header("content-type"), media, "{accept:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

/// With `application/json` what is wrong with GraphQL is answered with 200; the newer media type tells by status.
#[tokio::test]
async fn failed_requests_have_the_status_of_their_media_type() {
    let ada = ada().await;
    for (query, code) in [
        ("{ viewer { email }", "GRAPHQL_PARSE_FAILED"),
        ("{ viewer { mail } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ issues(first: -1) { nodes { id } } }", "BAD_USER_INPUT"),
    ] {
        for (media, status) in [(JSON, 200), (RESPONSE, 400)] {
            let request = ada.request(Method::POST, "/graphql").header(ACCEPT, media);
            let answer = Answer::of(request.json(&json!({"query": query}))).await;
            assert_eq!(
                (answer.status.as_u16(), &*answer.code()),
                (status, code),
                "{query}"
            );
            assert_eq!(answer.header("content-type"), media);
            assert_eq!(answer.json().get("data"), None);
        }
    }
}

#[tokio::test]
async fn bodies_are_json_in_utf_8() {
    let ada = ada().await;
    let body = r#"{"query": "{ viewer { email } }"}"#;
    for (content_type, status) in [
        (Some("application/json"), 200),
        (Some("application/json; charset=utf-8"), 200),
        (Some("application/json; charset=\"UTF-8\""), 200),
        (Some("Application/JSON"), 200),
        (Some("application/json; charset=latin1"), 415),
        // What a form of another site can send without asking first.
        (Some("text/plain"), 415),
        (Some("application/x-www-form-urlencoded"), 415),
        (Some("multipart/form-data; boundary=x"), 415),
        (Some("application/graphql"), 415),
        (None, 415),
    ] {
        let answer = post(&ada, content_type, body).await;
        assert_eq!(answer.status, status, "{content_type:?}: {answer:?}");
    }
}

#[tokio::test]
async fn what_is_no_graphql_request_is_a_bad_request() {
    let ada = ada().await;
    for body in [
        "",
        "{",
        "null",
        "[]",
        r#""{ viewer { email } }""#,
        r#"[{"query": "{ viewer { email } }"}]"#,
        "{}",
        r#"{"query": null}"#,
        r#"{"query": "{ viewer { email } }", "query": "{ viewer { email } }"}"#,
        r#"{"query": 1}"#,
        r#"{"query": "{ viewer { email } }", "variables": []}"#,
        r#"{"query": "{ viewer { email } }", "variables": "{}"}"#,
        r#"{"query": "{ viewer { email } }", "operationName": 1}"#,
        r#"{"query": "{ viewer { email } }", "extensions": 1}"#,
    ] {
        let answer = post(&ada, Some("application/json"), body).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.code()),
            (400, "BAD_USER_INPUT"),
            "{body}"
        );
    }
    let nulls = r#"{"query": "{ viewer { email } }", "variables": null, "operationName": null, "extensions": null, "more": 1}"#;
    assert_eq!(
        post(&ada, Some("application/json"), nulls).await.status,
        200
    );
    let mut deep = r#"{"query": "{ viewer { email } }", "variables": {"x": "#.to_owned();
    deep.push_str(&"[".repeat(100_000));
    assert_eq!(post(&ada, Some("application/json"), deep).await.status, 400);
}

#[tokio::test]
async fn bodies_have_a_limit() {
    let ada = ada().await;
    let body = |size: usize| {
        let mut body = r#"{"query": "{ viewer { email } }"}"#.to_owned();
        body.push_str(&" ".repeat(size - body.len()));
        body
    };
    let limit = 1 << 20;
    assert_eq!(
        post(&ada, Some("application/json"), body(limit))
            .await
            .status,
        200
    );
    let answer = post(&ada, Some("application/json"), body(limit + 1)).await;
    assert_eq!(answer.status, 413, "{answer:?}");
}

#[tokio::test]
async fn queries_may_come_by_get() {
    let ada = ada().await;
    let get = async |parameters: &[(&str, &str)]| {
        Answer::of(ada.request(Method::GET, "/graphql").query(parameters)).await
    };
    let query = "query ($n: Int) { viewer { email } issues(first: $n) { nodes { __typename } } }";
    let answer = get(&[("query", query), ("variables", r#"{"n": 1}"#)]).await;
    assert_eq!(
        answer.data()["issues"]["nodes"].as_array().map(Vec::len),
        Some(1)
    );
    let two = "query a { viewer { email } } query b { viewer { name } }";
    let answer = get(&[("query", two), ("operationName", "b")]).await;
    assert_eq!(answer.data(), json!({"viewer": {"name": "Ada"}}));
    assert_eq!(
        get(&[("query", query), ("variables", ""), ("operationName", "")])
            .await
            .status,
        200
    );
    for parameters in [
        &[][..],
        &[("variables", "{}")],
        &[("query", query), ("variables", "{")],
        &[("query", query), ("variables", "[]")],
        &[("query", query), ("extensions", "1")],
    ] {
        let answer = get(parameters).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.code()),
            (400, "BAD_USER_INPUT"),
            "{parameters:?}"
        );
    }
}

#[tokio::test]
async fn mutations_by_get_are_refused() {
    let service = Service::shared();
    let log_in = "mutation m { logIn(input: {email: \"ada@acme.test\", password: \"demo-password\"}) { accessToken } }";
    let both = format!("query q {{ __typename }} {log_in}");
    let sign_up = "mutation { signUp(input: {organization: \"By Get\", name: \"G\", email: \"g@get.test\", password: \"demo-password\"}) { url } }";
    let acme = service.tenant("acme").anonymous();
    for (caller, parameters) in [
        (&acme, vec![("query", log_in)]),
        (&acme, vec![("query", &*both), ("operationName", "m")]),
        (&service.platform(), vec![("query", sign_up)]),
    ] {
        let answer = Answer::of(caller.request(Method::GET, "/graphql").query(&parameters)).await;
        assert_eq!(answer.status, 405, "{answer:?}");
        assert!(
            answer.header("allow").contains("POST"),
            "{:?}",
            answer.headers
        );
        assert!(!answer.text.contains("eyJ"), "{answer:?}");
    }
    // A document may hold a mutation as long as the query is the one that runs.
    let parameters = [("query", &*both), ("operationName", "q")];
    let answer = Answer::of(acme.request(Method::GET, "/graphql").query(&parameters)).await;
    assert_eq!(answer.data(), json!({"__typename": "Query"}));
    assert_eq!(
        service
            .tenant("by-get")
            .anonymous()
            .query("{ __typename }")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let ada = ada().await;
    for method in [
        Method::HEAD,
        Method::OPTIONS,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ] {
        let request = ada.request(method.clone(), "/graphql");
        let answer = Answer::of(request.query(&[("query", "{ __typename }")])).await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), "GET, POST", "{method}");
    }
}

#[tokio::test]
async fn the_operation_name_chooses() {
    let ada = ada().await;
    let document =
        "query a { viewer { email } } query b { viewer { name } } mutation c { __typename }";
    let run = async |name: Value| {
        ada.post(&json!({"query": document, "operationName": name}))
            .await
    };
    assert_eq!(
        run(json!("a")).await.data(),
        json!({"viewer": {"email": "ada@acme.test"}})
    );
    assert_eq!(
        run(json!("b")).await.data(),
        json!({"viewer": {"name": "Ada"}})
    );
    assert_eq!(
        run(json!("c")).await.data(),
        json!({"__typename": "Mutation"})
    );
    for missing in [json!("d"), Value::Null, json!("")] {
        assert_eq!(
            run(missing.clone()).await.code(),
            "BAD_USER_INPUT",
            "{missing}"
        );
    }
    let named = json!({"query": "query a { __typename }", "operationName": "b"});
    assert_eq!(ada.post(&named).await.code(), "BAD_USER_INPUT");
    let only = json!({"query": "query a { __typename }"});
    assert_eq!(ada.post(&only).await.data(), json!({"__typename": "Query"}));
}

/// No answer invites other origins in.
#[tokio::test]
async fn other_origins_get_no_permission() {
    let ada = ada().await;
    for method in [Method::OPTIONS, Method::POST] {
        let request = ada
            .request(method, "/graphql")
            .header("origin", "https://evil.test")
            .header("access-control-request-method", "POST")
            .json(&json!({"query": "{ __typename }"}));
        let answer = Answer::of(request).await;
        let cors = answer
            .headers
            .keys()
            .find(|name| name.as_str().starts_with("access-control"));
        assert_eq!(cors, None);
    }
}

/// Hostile documents are refused before anything walks through them, whoever sends them.
#[tokio::test]
async fn documents_out_of_all_proportion_are_refused() {
    let ada = ada().await;
    let brackets = |open: &str, close: &str, depth: usize| {
        let (open, close) = (open.repeat(depth), close.repeat(depth));
        format!("{{ issues(where: {open}{{}}{close}) {{ totalCount }} }}")
    };
    let aliases = (0..20_000).map(|n| format!("a{n}: __typename "));
    let fragments = (0..40).map(|n| format!("fragment F{n} on User {{ ...F{0} ...F{0} }} ", n + 1));
    let fragments: String = fragments.collect();
    let exponential =
        format!("{{ viewer {{ ...F0 }} }} {fragments} fragment F40 on User {{ name }}");
    let chain = (0..20_000).map(|n| format!("fragment F{n} on Query {{ ...F{} }} ", n + 1));
    let chain: String = chain.collect();
    let chain = format!("{{ ...F0 }} {chain} fragment F20000 on Query {{ __typename }}");
    let circle = "{ viewer { ...A } } fragment A on User { ...B } fragment B on User { ...A }";
    for (what, document, code) in [
        (
            "unbalanced",
            "{ viewer ".repeat(50_000),
            "QUERY_TOO_COMPLEX",
        ),
        (
            "deep objects",
            brackets("{not: ", "}", 200),
            "QUERY_TOO_COMPLEX",
        ),
        (
            "deep lists",
            brackets("{and: [", "]}", 2000),
            "QUERY_TOO_COMPLEX",
        ),
        (
            "many aliases",
            format!("{{ {} }}", aliases.collect::<String>()),
            "QUERY_TOO_COMPLEX",
        ),
        ("exponential fragments", exponential, "QUERY_TOO_COMPLEX"),
        ("a chain of fragments", chain, "QUERY_TOO_COMPLEX"),
        (
            "a circle of fragments",
            circle.to_owned(),
            "GRAPHQL_VALIDATION_FAILED",
        ),
    ] {
        for caller in [&ada, &ada.with_token(None), &Service::shared().platform()] {
            let answer = caller.query(&document).await;
            let status = answer.status.as_u16();
            assert!(
                [200, 400].contains(&status),
                "{what}: {status} {:.300}",
                answer.text
            );
            let first = &answer.json()["errors"][0]["extensions"]["code"];
            assert_eq!(first, code, "{what}: {:.300}", answer.text);
        }
        assert_eq!(
            ada.query("{ viewer { name } }").await.status,
            200,
            "after {what}"
        );
    }
    // As deep as may be.
    let answer = ada.query(&brackets("{and: [", "]}", 47)).await;
    assert_eq!(answer.status, 200, "{:.300}", answer.text);
    let mut variable = json!({});
    for _ in 0..40 {
        variable = json!({"and": [variable]});
    }
    let query = "query ($where: IssueFilter) { issues(where: $where) { totalCount } }";
    let answer = ada.ask(query, json!({"where": variable})).await;
    assert_eq!(answer.status, 200, "{:.300}", answer.text);
    let titles = |count: usize| json!({"or": vec![json!({"title": {"eq": "x"}}); count]});
    let answer = ada.ask(query, json!({"where": titles(500)})).await;
    assert_eq!(answer.status, 200, "{:.300}", answer.text);
    let answer = ada.ask(query, json!({"where": titles(20_000)})).await;
    assert_eq!(answer.code(), "QUERY_TOO_COMPLEX", "{:.300}", answer.text);
}

#[tokio::test]
async fn a_token_that_is_no_text_is_not_the_same_as_none() {
    let nobody = ada().await.with_token(None);
    let body = json!({"query": "{ __typename }"});
    let request = || nobody.request(Method::POST, "/graphql").json(&body);
    assert_eq!(Answer::of(request()).await.status, 200);
    let token = HeaderValue::from_bytes(b"Bearer \xff").unwrap();
    let answer = Answer::of(request().header(AUTHORIZATION, token)).await;
    assert_eq!(answer.code(), "UNAUTHENTICATED", "{}", answer.text);
}
