//! SQL functions as fields: of Query, and of the rows that they are about.

use serde_json::{Value, json};

use crate::harness::{Caller, DataDir, Service, tenantry};

const SHOP: &str = include_str!("functions/shop.sql");

async fn data(caller: &Caller, query: &str) -> Value {
    caller.query(query).await.data()
}

#[tokio::test]
async fn functions_are_fields() {
    let service = Service::with_tables(SHOP);
    let shop = service.sign_up("shop").await;
    arguments(&shop).await;
    results(&shop).await;
    lists(&shop).await;
    fields_of_rows(&shop).await;
    columns(&shop).await;
    errors(&shop).await;
    mutations(&shop).await;
    let names = data(&shop, "{ __schema { types { fields { name } } } }").await;
    assert!(!names.to_string().contains("leftOut"), "{names}");
}

async fn arguments(shop: &Caller) {
    let query = r#"{
        uno one: sumUp(a: 1) two: sumUp(a: 1, c: 1) null: sumUp(a: 1, b: null)
        unnamed(arg1: 2) unnamedNull: unnamed(arg1: 2, arg2: null)
        mixed(arg1: 1) mixedNamed: mixed(arg1: 1, b: 3)
        joined(label: "L", parts: ["a", null, "c"]) single: joined(label: "L", parts: "a")
        flip(mood: SAD) echo(moods: [SAD, null, VERY_HAPPY]) checkPositive(number: 3)
        overById(id: 1) overByName(name: "x")
    }"#;
    let expected = json!({
        "uno": 1, "one": 111, "two": 12, "null": null, "unnamed": 205, "unnamedNull": 199,
        "mixed": "1-5-6", "mixedNamed": "1-3-6", "joined": "La|NULL|c", "single": "La",
        "flip": "VERY_HAPPY", "echo": ["SAD", null, "VERY_HAPPY"], "checkPositive": 3,
        "overById": 1, "overByName": 2,
    });
    assert_eq!(data(shop, query).await, expected);
    let variables = "query ($b: Int, $moods: [Mood]!) { sumUp(a: 1, b: $b) echo(moods: $moods) }";
    for (given, sum) in [
        (json!({}), json!(111)),
        (json!({"b": 2}), json!(103)),
        (json!({"b": null}), json!(null)),
    ] {
        let mut given = given;
        given["moods"] = json!(["SAD"]);
        let answer = shop.ask(variables, given).await.data();
        assert_eq!(answer, json!({"sumUp": sum, "echo": ["SAD"]}));
    }
    let answer = shop.query("{ mixed(arg1: 1, arg3: 3) }").await;
    assert_eq!(answer.json()["errors"][0]["message"], "b must be given too");
    let answer = shop.query("{ checkPositive(number: -1) }").await;
    assert_eq!(
        answer.json()["errors"][0]["extensions"]["code"],
        "CHECK_VIOLATION"
    );
}

async fn results(shop: &Caller) {
    let query = "{
        moods some: series(firstArg: 5, n: 10, first: 2, offset: 1)
        bestCustomer { name orders { totalCount } theBoss { name } } noCustomer { name }
        stats { n mood } bothWays(x: 4) { x twice }
    }";
    let expected = json!({
        "moods": ["VERY_HAPPY", null, "SAD"], "some": [6, 7],
        "bestCustomer": {"name": "Ada", "orders": {"totalCount": 2}, "theBoss": null},
        "noCustomer": null,
        "stats": {"n": 3, "mood": "SAD"}, "bothWays": {"x": 4, "twice": 8},
    });
    assert_eq!(data(shop, query).await, expected);
    for (alone, expected) in [
        ("{ moods }", json!({"moods": ["VERY_HAPPY", null, "SAD"]})),
        ("{ noCustomer { name } }", json!({"noCustomer": null})),
        ("{ uno }", json!({"uno": 1})),
    ] {
        assert_eq!(data(shop, alone).await, expected);
    }
}

/// Lists keep the function's order until they are told another.
async fn lists(shop: &Caller) {
    let query = r#"{
        own: ranked(first: 2) { totalCount pageInfo { hasNextPage } nodes { name theBoss { name } } }
        sorted: ranked(where: {name: {ne: "Bob"}}, orderBy: [{name: ASC}]) { nodes { name } }
        top(n: 5, where: {orders: {gt: "0"}}) { nodes { customer totAl orders } }
        pairs(where: {mood: {isNull: true}}) { totalCount nodes { a bX } }
    }"#;
    let expected = json!({
        "own": {
            "totalCount": 3, "pageInfo": {"hasNextPage": true},
            "nodes": [{"name": "Cy", "theBoss": {"name": "Ada"}}, {"name": "Bob", "theBoss": {"name": "Ada"}}],
        },
        "sorted": {"nodes": [{"name": "Ada"}, {"name": "Cy"}]},
        "top": {"nodes": [
            {"customer": "Bob", "totAl": "99", "orders": "1"},
            {"customer": "Ada", "totAl": "15", "orders": "2"},
        ]},
        "pairs": {"totalCount": 1, "nodes": [{"a": 2, "bX": null}]},
    });
    assert_eq!(data(shop, query).await, expected);
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    for _ in 0..3 {
        let page = "query ($after: Cursor) { ranked(first: 1, after: $after) { nodes { name } pageInfo { endCursor } } }";
        let page = shop.ask(page, json!({"after": cursor})).await.data();
        seen.push(page["ranked"]["nodes"][0]["name"].clone());
        cursor = page["ranked"]["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, ["Cy", "Bob", "Ada"]);
    let answer = shop.query("{ ranked(last: 1) { totalCount } }").await;
    assert_eq!(
        answer.json()["errors"][0]["message"],
        "last and before need an orderBy"
    );
}

async fn fields_of_rows(shop: &Caller) {
    let query = "{ custOmers(first: 2) { nodes {
        shout scaled three: scaled(by: 3) letters(first: 2) summary { n biggest }
        theBoss { name theBoss { name } bigOrders { totalCount } }
        bigOrders(min: 6, orderBy: [{total: DESC}]) { nodes { total customer { shout } } }
    } } }";
    let expected = json!({"custOmers": {"nodes": [
        {
            "shout": "ADA", "scaled": "2", "three": "3", "letters": ["A", "d"],
            "summary": {"n": 2, "biggest": "10"}, "theBoss": null,
            "bigOrders": {"nodes": [{"total": "10", "customer": {"shout": "ADA"}}]},
        },
        {
            "shout": "BOB", "scaled": "4", "three": "6", "letters": ["B", "o"],
            "summary": {"n": 1, "biggest": "99"},
            "theBoss": {"name": "Ada", "theBoss": null, "bigOrders": {"totalCount": 2}},
            "bigOrders": {"nodes": [{"total": "99", "customer": {"shout": "BOB"}}]},
        },
    ]}});
    assert_eq!(data(shop, query).await, expected);
}

/// A function of nothing but a row is a column: lists are filtered and sorted by it.
async fn columns(shop: &Caller) {
    let query = r#"{
        custOmers(where: {shout: {notIn: ["CY"]}}, orderBy: [{total: DESC}], last: 1) {
            nodes { name total theBoss { total } } aggregates { sum { total } }
        }
        orders(where: {customer: {total: {lt: "50"}}}, orderBy: [{customer: {shout: ASC}}, {id: DESC}]) {
            nodes { id customer { total } }
        }
    }"#;
    let expected = json!({
        "custOmers": {"nodes": [{"name": "Ada", "total": "15", "theBoss": null}], "aggregates": {"sum": {"total": "114"}}},
        "orders": {"nodes": [
            {"id": "2", "customer": {"total": "15"}}, {"id": "1", "customer": {"total": "15"}},
        ]},
    });
    assert_eq!(data(shop, query).await, expected);
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    for _ in 0..3 {
        let page = "query ($after: Cursor) { custOmers(first: 1, after: $after, orderBy: [{total: DESC}]) {
            nodes { total theBoss { name } } pageInfo { endCursor } } }";
        let page = shop.ask(page, json!({"after": cursor})).await.data();
        seen.push(page["custOmers"]["nodes"][0]["total"].clone());
        cursor = page["custOmers"]["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, ["99", "15", "0"]);
}

/// Functions that may write are mutations; what they return is read once they have.
async fn mutations(shop: &Caller) {
    let mutation = "mutation {
        addOrder(customer: 3, price: \"7.5\") { id total customer { name total orders { totalCount } } }
        raisePrices(customer: 1) { affectedCount nodes { id total customer { total } } }
        updateOrder(id: \"3\", set: {total: \"50\"}) { total }
        countOrders
        refuseOrder(price: \"1\") { id }
        forgetOrders(customer: 3)
        again: countOrders
    }";
    let expected = json!({
        "addOrder": {"id": "4", "total": "7.5", "customer": {"name": "Cy", "total": "7.5", "orders": {"totalCount": 1}}},
        "raisePrices": {"affectedCount": 2, "nodes": [
            {"id": "1", "total": "11", "customer": {"total": "17"}},
            {"id": "2", "total": "6", "customer": {"total": "17"}},
        ]},
        "updateOrder": {"total": "50"},
        "countOrders": "4", "refuseOrder": null, "forgetOrders": true, "again": "3",
    });
    assert_eq!(data(shop, mutation).await, expected);
    let mutation = "mutation { forgetOrders(customer: 1) no: refuseOrder(price: \"-1\") { id } }";
    let answer = shop.query(mutation).await.json();
    assert_eq!(answer["errors"][0]["message"], "prices are positive");
    assert_eq!(answer["errors"][0]["path"], json!(["no"]));
    let orders = data(shop, "{ orders { totalCount } }").await;
    assert_eq!(orders["orders"]["totalCount"], 3, "all or nothing");
    let anonymous = shop
        .with_token(None)
        .query("mutation { countOrders }")
        .await;
    assert_eq!(anonymous.code(), "UNAUTHENTICATED");
}

/// What a function says with RAISE is meant for the client; its mistakes are not.
async fn errors(shop: &Caller) {
    for (query, expected) in [
        (
            r#"{ fail(why: "x") }"#,
            json!({"message": "no: x", "extensions": {
                "code": "BAD_USER_INPUT", "sqlState": "P0001", "detail": "because", "hint": "try another",
            }}),
        ),
        (
            "{ failByCode }",
            json!({"message": "in its own way", "extensions": {"code": "BAD_USER_INPUT", "sqlState": "MYERR"}}),
        ),
        (
            "{ failAsForbidden }",
            json!({"message": "only for owners", "extensions": {"code": "FORBIDDEN", "sqlState": "42501"}}),
        ),
        (
            "{ failByMistake }",
            json!({"message": "internal error", "extensions": {"code": "INTERNAL"}}),
        ),
    ] {
        let mut error = shop.query(query).await.json()["errors"][0].take();
        let extensions = error["extensions"].as_object_mut().unwrap();
        extensions.remove("requestId");
        error.as_object_mut().unwrap().remove("path");
        assert_eq!(error, expected, "{query}");
    }
}

#[test]
fn two_functions_that_cannot_be_told_apart_stop_the_start() {
    let dir = DataDir::new();
    let functions = "create function twice(int) returns int language sql immutable return $1 * 2;
        create function twice(numeric) returns numeric language sql immutable return $1 * 2;";
    std::fs::write(dir.join("V1__twice.sql"), functions).unwrap();
    let output = tenantry(&["schema", "--tenant-sql"])
        .arg(dir.join(""))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    for part in [
        r#"function "twice"(integer)"#,
        r#"function "twice"(numeric)"#,
        r#"comment on function "twice"(numeric) is '@name something_else'"#,
    ] {
        assert!(errors.contains(part), "{part}: {errors}");
    }
}
