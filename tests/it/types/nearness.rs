//! Orders by how near values are: ranks of searches, similarity of texts, distances.

use serde_json::{Value, json};

use super::tenant;

/// A table, a key of its order, and the same in SQL.
const ORDERS: [(&str, &str, &str); 11] = [
    (
        "texts",
        "searchRank: {matches: \"fox or lazy or dog\"}",
        "ts_rank(search, websearch_to_tsquery('english', 'fox or lazy or dog')) desc",
    ),
    (
        "texts",
        "searchRank: {matches: \"fox or lazy\", direction: ASC}",
        "ts_rank(search, websearch_to_tsquery('english', 'fox or lazy'))",
    ),
    (
        "notes",
        "bodyRank: {matches: \"häuser\"}",
        "ts_rank(to_tsvector('german', body), websearch_to_tsquery('german', 'häuser')) desc nulls last",
    ),
    (
        "notes",
        "ownRank: {matches: \"ein\"}",
        "ts_rank(own, to_tsquery('simple', 'ein')) desc nulls last",
    ),
    (
        "texts",
        "titleSimilarity: {to: \"quik brown\"}",
        "similarity(title, 'quik brown') desc nulls last",
    ),
    (
        "texts",
        "titleSimilarity: {to: \"lazy\", direction: ASC_NULLS_FIRST}",
        "similarity(title, 'lazy') nulls first",
    ),
    (
        "texts",
        "emailSimilarity: {to: \"BOB@example\"}",
        "similarity(email::text, 'BOB@example') desc nulls last",
    ),
    (
        "texts",
        "internalSimilarity: {to: \"quick\"}",
        "similarity(internal::text, 'quick') desc nulls last",
    ),
    ("shapes", "atDistance: {from: \"(3,3)\"}", "at <-> '(3,3)'"),
    (
        "shapes",
        "placeDistance: {from: \"(3,3)\", direction: DESC_NULLS_LAST}",
        "place <-> '(3,3)' desc nulls last",
    ),
    (
        "shapes",
        "cornerDistance: {from: \"(1,2)\"}",
        "corner <-> '(1,2)'",
    ),
];

#[tokio::test]
async fn the_nearest_comes_first_on_all_pages() {
    let (caller, psql) = tenant().await;
    for (table, order, by) in ORDERS {
        // Ties go by the table's key, in the direction of the key before it.
        let mut expected = Vec::new();
        for id in ["id", "id desc"] {
            let statement = format!("select array(select id from {table} order by {by}, {id})");
            let row = psql.query_one(&statement, &[]).await.unwrap();
            expected.push(json!(row.get::<_, Vec<i32>>(0)));
        }
        let mut found = Vec::new();
        let mut after = Value::Null;
        loop {
            let query = format!(
                "query ($after: Cursor) {{ {table}(orderBy: {{{order}}}, first: 2, after: $after) \
                 {{ nodes {{ id }} pageInfo {{ endCursor hasPreviousPage }} }} }}"
            );
            let page = caller.ask(&query, json!({"after": after})).await.data();
            let nodes = page[table]["nodes"].as_array().unwrap().clone();
            if nodes.is_empty() {
                break;
            }
            found.extend(nodes.iter().map(|node| node["id"].clone()));
            after = page[table]["pageInfo"]["endCursor"].clone();
        }
        let found = Value::Array(found);
        assert!(expected.contains(&found), "{order}: {found} {expected:?}");
        // From the end, the same.
        let query = format!("{{ {table}(orderBy: {{{order}}}, last: 9) {{ nodes {{ id }} }} }}");
        let data = caller.query(&query).await.data();
        let nodes = data[table]["nodes"].as_array().unwrap();
        let ids: Vec<_> = nodes.iter().map(|node| node["id"].clone()).collect();
        assert_eq!(Value::Array(ids), found, "{order}");
    }
}

#[tokio::test]
async fn what_cannot_be_near_is_told() {
    let (caller, _) = tenant().await;
    let query =
        "query ($v: String!) { shapes(orderBy: {atDistance: {from: $v}}) { nodes { id } } }";
    let answer = caller.ask(query, json!({"v": "here"})).await;
    assert_eq!(answer.code(), "BAD_USER_INPUT");
    let message = &answer.json()["errors"][0]["message"];
    assert!(
        message.as_str().unwrap().contains("variable $v"),
        "{message}"
    );
    let query = "{ shapes(orderBy: {atDistance: {direction: ASC}}) { nodes { id } } }";
    assert_eq!(
        caller.query(query).await.code(),
        "GRAPHQL_VALIDATION_FAILED"
    );
}
