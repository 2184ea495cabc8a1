//! The base domain's API, executed against a real registry.

use std::sync::Arc;

use async_graphql::{Request, Variables};
use serde_json::{Value, json};

use super::Schema;
use crate::error::Failure;
use crate::guard::{Cookies, PlatformIdentity};
use crate::testing::{Replica, TestDatabase, client};

const SIGN_UP: &str = "mutation ($input: SignUpInput!) { signUp(input: $input) { \
    tenant { id name subdomain status } url accessToken } }";

async fn execute(schema: &Schema, document: &str, variables: Value) -> Value {
    let request = Request::new(document)
        .variables(Variables::from_json(variables))
        .data(client())
        .data(PlatformIdentity::Anonymous)
        .data(Arc::new(Cookies::default()));
    serde_json::to_value(schema.execute(request).await).unwrap()
}

async fn start() -> (TestDatabase, Replica, Schema) {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let schema = super::schema(replica.platform());
    (test, replica, schema)
}

#[tokio::test]
async fn signing_up_answers_in_the_promised_shape() {
    let (_test, replica, schema) = start().await;
    let document = r#"mutation { signUp(input: {organization: "Initech", subdomain: "initech", name: "Bill",
        email: "bill@initech.test", password: "a long password"}) {
        tenant { id name subdomain status } url accessToken } }"#;
    let response = execute(&schema, document, json!({})).await;
    let payload = &response["data"]["signUp"];
    assert_eq!(payload["tenant"]["name"], "Initech", "{response}");
    assert_eq!(payload["tenant"]["subdomain"], "initech");
    assert_eq!(payload["tenant"]["status"], "ACTIVE");
    assert_eq!(payload["url"], "http://initech.localhost:8080");
    let header = format!("Bearer {}", payload["accessToken"].as_str().unwrap());
    assert!(
        replica
            .guard
            .admit(Some("initech.localhost:8080"), Some(&header))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn what_is_wrong_is_said_by_code_and_field() {
    let (test, _replica, schema) = start().await;
    let good = json!({"organization": "Müller & Söhne", "name": "M", "email": "m@mueller.test", "password": "a long password"});
    let response = execute(&schema, SIGN_UP, json!({"input": good})).await;
    assert_eq!(
        response["data"]["signUp"]["tenant"]["subdomain"], "muller-sohne",
        "{response}"
    );
    for (patch, code, field) in [
        (
            json!({"email": "other@mueller.test"}),
            "CONFLICT",
            "subdomain",
        ),
        (json!({"subdomain": "other"}), "CONFLICT", "email"),
        (json!({"subdomain": "www"}), "BAD_USER_INPUT", "subdomain"),
        (json!({"subdomain": "a_b"}), "BAD_USER_INPUT", "subdomain"),
        (json!({"subdomain": "xn--a"}), "BAD_USER_INPUT", "subdomain"),
        (json!({"subdomain": ""}), "BAD_USER_INPUT", "subdomain"),
        (
            json!({"organization": "!!!"}),
            "BAD_USER_INPUT",
            "subdomain",
        ),
        (
            json!({"organization": " "}),
            "BAD_USER_INPUT",
            "organization",
        ),
        (json!({"name": "a\u{0}b"}), "BAD_USER_INPUT", "name"),
        (json!({"email": "nobody"}), "BAD_USER_INPUT", "email"),
        (json!({"password": "short"}), "BAD_USER_INPUT", "password"),
    ] {
        let mut input = good.clone();
        input
            .as_object_mut()
            .unwrap()
            .extend(patch.as_object().unwrap().clone());
        let response = execute(&schema, SIGN_UP, json!({"input": input})).await;
        let extensions = &response["errors"][0]["extensions"];
        assert_eq!(
            (&extensions["code"], &extensions["field"]),
            (&json!(code), &json!(field)),
            "{patch}: {response}"
        );
        assert_eq!(response["errors"][0]["path"], json!(["signUp"]));
    }
    let count = test
        .superuser()
        .await
        .query_one("select count(*) from tenantry.tenants", &[])
        .await
        .unwrap();
    assert_eq!(count.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn a_failure_keeps_its_log_for_the_boundary() {
    let (_test, _replica, schema) = start().await;
    let input = json!({"organization": "X", "subdomain": "www", "name": "M", "email": "m@x.test", "password": "a long password"});
    let request = Request::new(SIGN_UP)
        .variables(Variables::from_json(json!({"input": input})))
        .data(client())
        .data(PlatformIdentity::Anonymous)
        .data(Arc::new(Cookies::default()));
    let response = schema.execute(request).await;
    assert!(response.errors[0].source::<Failure>().is_some());
}

#[tokio::test]
async fn availability_tells_why_not() {
    let (_test, replica, schema) = start().await;
    replica.sign_up("acme").await;
    let document = r#"{ service { name } a: subdomainAvailable(subdomain: "acme") { available reason }
        b: subdomainAvailable(subdomain: "free") { available reason } c: subdomainAvailable(subdomain: "www") { available reason } }"#;
    let response = execute(&schema, document, json!({})).await;
    assert_eq!(
        response["data"],
        json!({"service": {"name": "tenantry"}, "a": {"available": false, "reason": "this subdomain is taken"},
            "b": {"available": true, "reason": null}, "c": {"available": false, "reason": "this subdomain is reserved"}})
    );
}

#[tokio::test]
async fn an_editor_can_introspect_and_a_flood_of_sign_ups_cannot_get_in() {
    let (_test, _replica, schema) = start().await;
    let of_type = (0..9).fold("kind name".to_owned(), |inner, _| {
        format!("kind name ofType {{ {inner} }}")
    });
    let introspection = format!(
        "{{ __schema {{ queryType {{ name }} types {{ ...T }} directives {{ name args {{ ...I }} }} }} }} \
         fragment T on __Type {{ kind name fields {{ name args {{ ...I }} type {{ ...R }} }} inputFields {{ ...I }} \
         interfaces {{ ...R }} enumValues {{ name }} possibleTypes {{ ...R }} }} \
         fragment I on __InputValue {{ name type {{ ...R }} defaultValue }} fragment R on __Type {{ {of_type} }}"
    );
    let response = execute(&schema, &introspection, json!({})).await;
    assert!(response["errors"].is_null(), "{response}");
    let field = |n| {
        format!(
            r#"a{n}: signUp(input: {{organization: "A{n}", name: "A", email: "a{n}@a.test", password: "a long password"}}) {{ url }}"#
        )
    };
    let flood = format!("mutation {{ {} }}", (0..4).map(field).collect::<String>());
    let response = execute(&schema, &flood, json!({})).await;
    assert_eq!(
        response["errors"][0]["message"], "Query is too complex.",
        "{response}"
    );
}
