//! How values of each type are printed, and what is said of values that are none.

use std::fs;

use serde_json::{Value, json};

use super::{folder, tenant};

const TABLES: [(&str, &str); 7] = [
    (
        "texts",
        "title code padded internal letter email folded search",
    ),
    ("numbers", "small large real double exact amount share yes"),
    ("documents", "data plain attributes markup route"),
    (
        "lists",
        "words counts matrix moods percents labels moments emails bags pairs days mood feeling pair",
    ),
    ("spans", "days counts moments prices several period"),
    ("shapes", "at edge ray frame way area disc corner place"),
    (
        "machines",
        "address net mac mac8 flags mask position object class path taken lasting moment local day clock token raw",
    ),
];

/// `UPDATE_GOLDEN=1` writes `values.json` anew.
#[tokio::test]
async fn values_are_printed_as_expected() {
    let (caller, _) = tenant().await;
    let mut query = String::from("{");
    let mut alone = serde_json::Map::new();
    for (table, columns) in TABLES {
        let field = format!(" {table}(orderBy: {{id: ASC}}) {{ nodes {{ {columns} }} }}");
        let data = caller.query(&format!("{{{field}}}")).await.data();
        alone.insert(table.to_owned(), data[table].clone());
        query.push_str(&field);
    }
    query.push('}');
    // Rows of the only list come as columns, those of several as records: both are the same to clients.
    let data = caller.query(&query).await.data();
    assert_eq!(data, Value::Object(alone));
    let text = serde_json::to_string_pretty(&data).unwrap() + "\n";
    let file = folder().join("values.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert!(text == expected, "not as in values.json: {text}");
}

/// Every order, and every page of it by its cursors, of each column that has one.
#[tokio::test]
async fn columns_that_can_be_sorted_have_pages() {
    let (caller, _) = tenant().await;
    let mut sorted = 0;
    for (table, columns) in TABLES {
        for column in columns.split(' ') {
            for direction in ["ASC", "DESC_NULLS_LAST"] {
                let list = |arguments: &str| {
                    format!(
                        "{{ {table}(orderBy: {{{column}: {direction}}}, {arguments}) \
                         {{ nodes {{ id }} pageInfo {{ endCursor }} }} }}"
                    )
                };
                let answer = caller.query(&list("first: 9")).await;
                if answer.text.contains("unknown field") {
                    continue;
                }
                sorted += 1;
                let all = answer.data()[table]["nodes"].clone();
                let mut paged = Vec::new();
                let mut after = String::new();
                for _ in 0..9 {
                    let page = caller
                        .query(&list(&format!("first: 2{after}")))
                        .await
                        .data();
                    let nodes = page[table]["nodes"].as_array().unwrap().clone();
                    if nodes.is_empty() {
                        break;
                    }
                    paged.extend(nodes);
                    after = format!(", after: {}", page[table]["pageInfo"]["endCursor"]);
                }
                assert_eq!(Value::Array(paged), all, "{table}.{column} {direction}");
            }
        }
    }
    assert!(sorted > 60, "{sorted}");
}

#[tokio::test]
async fn bad_values_are_the_clients_and_named() {
    let (caller, _) = tenant().await;
    let text = fs::read_to_string(folder().join("bad_values.txt")).unwrap();
    let lines = text.lines().filter(|line| line.contains('|'));
    for line in lines {
        let parts: Vec<_> = line.split(" | ").collect();
        let [place, ty, value, message] = parts[..] else {
            panic!("not a case: {line}");
        };
        let (table, filter) = place.split_once(' ').unwrap();
        let value: Value = serde_json::from_str(value).unwrap();
        let query =
            format!("query ($v: {ty}) {{ {table}(where: {{{filter}}}) {{ nodes {{ id }} }} }}");
        let answer = caller.ask(&query, json!({"v": value})).await;
        let error = &answer.json()["errors"][0];
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{query} {answer:?}");
        let said = error["message"].as_str().unwrap();
        assert!(said.contains(message), "{query}: {said}");
        assert_eq!(error["path"], json!([table]), "{query}");
    }
}
