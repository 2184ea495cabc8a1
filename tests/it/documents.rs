//! Documents by their hash or id: automatic persisted queries, and the documents that an operator trusts.

use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::{Answer, Caller, DataDir, Service, eventually, tenantry};

fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As Apollo's clients send it.
fn persisted(hash: &str) -> Value {
    json!({"persistedQuery": {"version": 1, "sha256Hash": hash}})
}

async fn by_hash(caller: &Caller, hash: &str, variables: Value) -> Answer {
    caller
        .post(&json!({"extensions": persisted(hash), "variables": variables}))
        .await
}

async fn by_id(caller: &Caller, id: &str) -> Answer {
    caller.post(&json!({"documentId": id})).await
}

#[tokio::test]
async fn a_query_is_sent_once_and_then_asked_for_by_its_hash() {
    let service = Service::shared();
    let ada = service.tenant("acme").member("ada").await;
    let text = "query ($n: Int) { labels(first: $n) { nodes { name } } } # persisted";
    let hash = sha256(text);
    let unknown = by_hash(&ada, &hash, json!({"n": 1})).await;
    assert_eq!(unknown.code(), "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(unknown.status, 200);
    assert_eq!(
        unknown.json()["errors"][0]["message"],
        "PersistedQueryNotFound"
    );

    let both = json!({"query": text, "extensions": persisted(&hash), "variables": {"n": 1}});
    let data = ada.post(&both).await.data();
    assert_eq!(by_hash(&ada, &hash, json!({"n": 1})).await.data(), data);
    // Without `first`, there are more.
    let all = by_id(&ada, &format!("sha256:{hash}")).await.data();
    assert_ne!(all, data);
    let mut url = reqwest::Url::parse("http://host/graphql").unwrap();
    url.query_pairs_mut()
        .append_pair("extensions", &persisted(&hash).to_string())
        .append_pair("variables", r#"{"n": 1}"#);
    let path = format!("/graphql?{}", url.query().unwrap());
    assert_eq!(ada.get(&path).await.data(), data);
    let by_get = format!("/graphql?documentId=sha256:{hash}");
    ada.get(&by_get).await.data();

    // All tenants of a version share documents, never answers.
    let grace = service.tenant("globex").member("grace").await;
    let theirs = by_hash(&grace, &hash, json!({"n": 1})).await.data();
    assert_eq!(theirs, grace.ask(text, json!({"n": 1})).await.data());
    let nobody = service.tenant("acme").anonymous();
    assert_eq!(
        by_hash(&nobody, &hash, json!({})).await.code(),
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn nothing_is_kept_under_a_hash_that_is_not_its_own() {
    let ada = Service::shared().tenant("acme").member("ada").await;
    let (good, evil) = (
        "{ projects { totalCount } } # good",
        "{ users { totalCount } } # evil",
    );
    let hash = sha256(good);
    let poison = json!({"query": evil, "extensions": persisted(&hash)});
    assert_eq!(ada.post(&poison).await.code(), "BAD_USER_INPUT");
    assert_eq!(
        by_hash(&ada, &hash, json!({})).await.code(),
        "PERSISTED_QUERY_NOT_FOUND"
    );
    // What is not valid is not kept either.
    let wrong = "{ nothing } # wrong";
    let answer = ada
        .post(&json!({"query": wrong, "extensions": persisted(&sha256(wrong))}))
        .await;
    assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(
        by_hash(&ada, &sha256(wrong), json!({})).await.code(),
        "PERSISTED_QUERY_NOT_FOUND"
    );

    for (body, status) in [
        (
            json!({"extensions": {"persistedQuery": {"version": 2, "sha256Hash": hash}}}),
            400,
        ),
        (
            json!({"extensions": {"persistedQuery": {"version": 1}}}),
            400,
        ),
        (
            json!({"extensions": {"persistedQuery": 1}, "query": good}),
            400,
        ),
        (json!({"documentId": 7}), 400),
        (json!({"documentId": "mine"}), 200),
        (json!({"documentId": ""}), 200),
        (json!({"extensions": persisted("")}), 200),
        (json!({"extensions": {"persistedQuery": null}}), 400),
    ] {
        let answer = ada.post(&body).await;
        assert_eq!(answer.status, status, "{body} {answer:?}");
        assert!(["BAD_USER_INPUT", "PERSISTED_QUERY_NOT_FOUND"].contains(&&*answer.code()));
    }
    // The mutation of a document is no more allowed by GET than its text.
    let mutation = "mutation { logIn(input: {email: \"\", password: \"\"}) { accessToken } }";
    let body = json!({"query": mutation, "extensions": persisted(&sha256(mutation))});
    assert_eq!(ada.post(&body).await.code(), "UNAUTHENTICATED");
    let path = format!("/graphql?documentId=sha256:{}", sha256(mutation));
    assert_eq!(
        Answer::of(ada.request(Method::GET, &path)).await.status,
        405
    );
}

#[tokio::test]
async fn only_trusted_documents_run_where_the_operator_says_so() {
    let dir = DataDir::new();
    let trusted = dir.join("");
    let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    let labels = "query Labels { labels { totalCount } }";
    write(
        "Projects.graphql",
        "query Projects { projects { totalCount } }\n",
    );
    write(
        "persisted-documents.json",
        &json!({"c0de": labels}).to_string(),
    );
    let replica = Service::replica(&["--trusted-documents", trusted.to_str().unwrap()]).await;
    let ada = Service::shared()
        .tenant("acme")
        .member("ada")
        .await
        .at(&replica);

    for id in [
        "Projects",
        "c0de",
        "sha256:c0de",
        &format!("sha256:{}", sha256(labels)),
    ] {
        by_id(&ada, id).await.data();
    }
    by_hash(&ada, "c0de", json!({})).await.data();
    by_hash(&ada, &sha256(labels), json!({})).await.data();
    ada.query(labels).await.data();
    ada.query("query Projects { projects { totalCount } }")
        .await
        .data();
    for body in [
        json!({"query": "{ labels { totalCount } }"}),
        json!({"query": "{ __typename labels { totalCount } }"}),
        json!({"documentId": "nothing"}),
        json!({"extensions": persisted(&sha256("{ __typename }"))}),
    ] {
        let answer = ada.post(&body).await;
        assert_eq!(answer.code(), "DOCUMENT_NOT_TRUSTED", "{body}");
        assert_eq!(answer.status, 403);
    }
    // Tools may look at the schema, as far as --introspection lets them.
    ada.query("{ __typename __schema { queryType { name } } }")
        .await
        .data();

    write(
        "Projects.graphql",
        "query Projects { projects { totalCount } labels { totalCount } }",
    );
    replica.process().signal(Signal::SIGHUP);
    eventually("the documents are read again", async || {
        let data = by_id(&ada, "Projects").await.data();
        data.get("labels").is_some().then_some(())
    })
    .await;
    write("Broken.graphql", "query {");
    replica.process().signal(Signal::SIGHUP);
    eventually("the mistake is logged", async || {
        let text = replica.process().log_text();
        text.contains("Broken.graphql").then_some(())
    })
    .await;
    by_id(&ada, "Projects").await.data();
}

#[tokio::test]
async fn documents_that_are_not_trusted_can_be_logged_instead() {
    let dir = DataDir::new();
    std::fs::write(dir.join("A.graphql"), "query A { labels { totalCount } }").unwrap();
    let arguments = [
        "--trusted-documents",
        dir.join("").to_str().unwrap(),
        "--untrusted-documents=log",
    ]
    .map(str::to_owned);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let replica = Service::replica(&arguments).await;
    let ada = Service::shared()
        .tenant("acme")
        .member("ada")
        .await
        .at(&replica);
    by_id(&ada, "A").await.data();
    ada.query("query Strange { labels { totalCount } }")
        .await
        .data();
    let events = replica.process().events();
    let strange = events
        .iter()
        .filter(|event| event["message"] == "a document that is not trusted");
    assert_eq!(strange.count(), 1);
}

#[test]
fn trusted_documents_that_fit_nothing_stop_the_start() {
    for (text, expected) in [
        ("query {", "is not GraphQL"),
        ("{ nothing }", "nothing"),
        ("", "is not GraphQL"),
    ] {
        let dir = DataDir::new();
        let documents = dir.join("documents");
        std::fs::create_dir(&documents).unwrap();
        std::fs::write(documents.join("Odd.graphql"), text).unwrap();
        let output = tenantry(&["dev", "--port", "0", "--data-dir"])
            .arg(dir.data())
            .arg("--trusted-documents")
            .arg(&documents)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(
            errors.contains("Odd.graphql") && errors.contains(expected),
            "{errors}"
        );
    }
}
