//! Operators are found by the indexes that Postgres has for them.

use tenantry::plan::Variables;

use super::tenant;
use crate::golden::statement;
use crate::harness::database::names;

/// A table and a filter that an index of the table serves.
const SERVED: [(&str, &str); 34] = [
    ("texts", "title: {similarTo: \"quick\"}"),
    ("texts", "title: {hasWordSimilarTo: \"quick\"}"),
    ("texts", "title: {like: \"%quick%\"}"),
    ("texts", "title: {iContains: \"quick\"}"),
    ("texts", "title: {regex: \"qu+ick\"}"),
    ("texts", "search: {matches: \"quick\"}"),
    ("texts", "search: {matchesQuery: \"quick:*\"}"),
    ("texts", "email: {eq: \"a@b\"}"),
    ("texts", "email: {in: [\"a@b\", \"c@d\"]}"),
    ("texts", "email: {gt: \"a@b\"}"),
    ("notes", "words: {matches: \"haus\"}"),
    ("notes", "body: {matches: \"haus\"}"),
    ("notes", "brief: {matches: \"house\"}"),
    ("documents", "data: {contains: {a: 1}}"),
    ("documents", "data: {hasKey: \"a\"}"),
    ("documents", "data: {hasKeysAny: [\"a\"]}"),
    ("documents", "data: {hasKeysAll: [\"a\"]}"),
    ("documents", "data: {matchesPath: \"$.a ? (@ == 1)\"}"),
    ("documents", "attributes: {contains: {a: 1}}"),
    ("documents", "attributes: {hasKey: \"a\"}"),
    ("lists", "words: {contains: [\"red\"]}"),
    ("lists", "words: {containedBy: [\"red\"]}"),
    ("lists", "words: {overlaps: [\"red\"]}"),
    ("spans", "days: {containsElement: \"2026-01-01\"}"),
    ("spans", "days: {overlaps: \"[2026-01-01,2026-02-01)\"}"),
    ("spans", "days: {adjacentTo: \"[2026-01-01,2026-02-01)\"}"),
    ("shapes", "at: {withinBox: \"(1,1),(0,0)\"}"),
    ("shapes", "at: {sameAs: \"(1,1)\"}"),
    ("shapes", "frame: {overlaps: \"(1,1),(0,0)\"}"),
    ("machines", "address: {containedBy: \"10.0.0.0/8\"}"),
    ("machines", "address: {overlaps: \"10.0.0.0/8\"}"),
    ("machines", "path: {descendantOf: \"top\"}"),
    ("machines", "path: {ancestorOf: \"top.a\"}"),
    ("machines", "path: {matches: \"*.a\"}"),
];

#[tokio::test]
async fn indexes_serve_the_operators() {
    let (caller, psql) = tenant().await;
    let (schema, role) = names(&psql, caller.subdomain()).await;
    let api = statement::api(&psql, &schema, &role).await;
    psql.batch_execute("set enable_seqscan = off")
        .await
        .unwrap();
    for (table, filter) in SERVED {
        let request = format!("{{ {table}(where: {{{filter}}}) {{ totalCount }} }}");
        let printed = statement::of(&api, &request, Variables::new(), "").unwrap();
        let explained = format!("explain {}", with_values(&printed));
        let plan = psql.query(&explained, &[]).await;
        let plan = plan.unwrap_or_else(|error| panic!("{explained}: {error:?}"));
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains("Index Cond"), "{filter}\n{printed}\n{plan}");
    }
}

/// The statement with its parameters written where they stand.
fn with_values(printed: &str) -> String {
    let (mut text, mut values) = (String::new(), Vec::new());
    for line in printed.lines() {
        match line.strip_prefix("-- $") {
            Some(value) => values.push(value.split_once(' ').unwrap()),
            None => text = text + line + " ",
        }
    }
    for (number, value) in values.into_iter().rev() {
        let value: String = serde_json::from_str(value).unwrap();
        let quoted = format!("'{}'::", value.replace('\'', "''"));
        text = text.replace(&format!("${number}::"), &quoted);
    }
    text
}
