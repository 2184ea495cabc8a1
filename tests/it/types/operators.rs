//! Each operator selects the rows that its condition in SQL selects.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use serde_json::Value;
use tokio_postgres::Client;

use super::{folder, tenant};
use crate::harness::Caller;

/// A line of `operators.txt`.
struct Case {
    table: String,
    filter: String,
    condition: String,
    /// Whether it may select all rows or none.
    trivial: bool,
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(folder().join("operators.txt")).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let case = |line: &str| {
        let parts = line.split_once(' ').and_then(|(table, rest)| {
            let (filter, condition) = rest.split_once(" <=> ")?;
            Some((table, filter, condition))
        });
        let Some((table, filter, condition)) = parts else {
            panic!("not a case: {line}");
        };
        Case {
            table: table.to_owned(),
            filter: filter.to_owned(),
            condition: condition.trim_end_matches(" !").to_owned(),
            trivial: condition.ends_with(" !"),
        }
    };
    lines.map(case).collect()
}

#[tokio::test]
async fn operators_mean_what_they_mean_in_sql() {
    let (caller, psql) = tenant().await;
    let cases = cases();
    let mut failures = Vec::new();
    // A few at once, as each is a field of the answer.
    for some in cases.chunks(20) {
        let mut query = String::from("{");
        for (index, case) in some.iter().enumerate() {
            let Case { table, filter, .. } = case;
            let _ = write!(
                query,
                " c{index}: {table}(where: {{{filter}}}, orderBy: {{id: ASC}}) {{ nodes {{ id }} }}"
            );
        }
        query.push('}');
        let data = caller.query(&query).await.data();
        for (index, case) in some.iter().enumerate() {
            let rows = data[format!("c{index}")]["nodes"].as_array().unwrap();
            let found: Vec<_> = rows.iter().map(|row| row["id"].as_i64().unwrap()).collect();
            failures.extend(compare(case, &found, &psql).await);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

async fn compare(case: &Case, found: &[i64], psql: &Client) -> Option<String> {
    let Case {
        table,
        filter,
        condition,
        trivial,
    } = case;
    let statement = format!(
        "select array(select id::int8 from {table} where {condition} order by id), (select count(*) from {table})"
    );
    let row = psql.query_one(&statement, &[]).await;
    let row = row.unwrap_or_else(|error| panic!("{condition}: {error:?}"));
    let (expected, all): (Vec<i64>, i64) = (row.get(0), row.get(1));
    if found != expected {
        return Some(format!("{table} {filter}: {found:?} is not {expected:?}"));
    }
    let tells = !found.is_empty() && found.len() < usize::try_from(all).unwrap();
    (!tells && !trivial).then(|| format!("{table} {filter} tells no rows from others: {found:?}"))
}

/// Those that Postgres has for most types; it is enough that some type's is tried.
const COMMON: [&str; 11] = [
    "eq", "ne", "in", "notIn", "lt", "lte", "gt", "gte", "isNull", "isEmpty", "length",
];

#[tokio::test]
async fn no_operator_is_left_out() {
    let (caller, _) = tenant().await;
    let mut tried = BTreeSet::new();
    let mut filters: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for case in cases() {
        if !filters.contains_key(&case.table) {
            let fields = fields(&caller, &row_filter(&case.table)).await;
            filters.insert(case.table.clone(), fields);
        }
        let mut words = case
            .filter
            .split([':', '{', '}', ' ', ','])
            .filter(|word| !word.is_empty());
        let column = words.find(|word| *word != "not").unwrap();
        let filter = &filters[&case.table][column];
        let rest: Vec<_> = words.collect();
        tried.insert(name(filter, rest[0]));
        if rest[0] == "at" {
            tried.extend(rest.iter().map(|word| name("JSONPathFilter", word)));
        }
    }
    let mut all = BTreeSet::new();
    let columns: BTreeSet<_> = filters.values().flat_map(BTreeMap::values).collect();
    let operators = columns
        .into_iter()
        .filter(|filter| !["IntFilter", "JSONPathFilter"].contains(&filter.as_str()));
    for filter in operators.cloned().chain(["JSONPathFilter".to_owned()]) {
        let named = fields(&caller, &filter).await;
        all.extend(named.keys().map(|operator| name(&filter, operator)));
    }
    let left_out: Vec<_> = all.difference(&tried).collect();
    assert!(all.len() > 100 && left_out.is_empty(), "{left_out:?}");
}

/// `PgInetFilter.contains`; common ones are counted once, and arrays of all types are one, and so are ranges.
fn name(filter: &str, operator: &str) -> String {
    match filter {
        _ if COMMON.contains(&operator) => operator.to_owned(),
        array if array.contains("Array") => format!("Array.{operator}"),
        range if range.to_lowercase().ends_with("rangefilter") && !range.contains("multi") => {
            format!("Range.{operator}")
        }
        filter => format!("{filter}.{operator}"),
    }
}

/// `TextFilter` for the table `texts`; conditions on and, or and not are no columns.
fn row_filter(table: &str) -> String {
    let (first, rest) = table.trim_end_matches('s').split_at(1);
    format!("{}{rest}Filter", first.to_uppercase())
}

/// The fields of an input type, with the names of their types.
async fn fields(caller: &Caller, input: &str) -> BTreeMap<String, String> {
    let query =
        format!("{{ __type(name: \"{input}\") {{ inputFields {{ name type {{ name }} }} }} }}");
    let data = caller.query(&query).await.data();
    let fields = data["__type"]["inputFields"].as_array();
    let fields = fields.unwrap_or_else(|| panic!("no input type {input}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let pairs = fields
        .iter()
        .map(|field| (text(&field["name"]), text(&field["type"]["name"])));
    pairs
        .filter(|(name, _)| !["and", "or", "not"].contains(&name.as_str()))
        .collect()
}
