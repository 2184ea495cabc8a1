//! Each kind of difference, in pairs of schemas that differ by it.

use std::collections::HashSet;

use super::{Difference, Impact, Rule, diff};

/// What else a schema needs.
const QUERY: &str = "type Query { issue(a: Int, b: Int! = 1): Issue, status: Status }
    type Issue { id: ID! } enum Status { OPEN DONE } input Filter { a: Int, b: [Int!] } enum Key { ID }
    type Other { id: ID! } interface Node { id: ID! } union Any = Issue
    type Owned implements Node { id: ID!, old: Int @deprecated(reason: \"no\") } input Order @oneOf { a: Int }
    directive @old on FIELD schema { query: Query, mutation: Owned }";

/// The differences when `was` is replaced by `is`.
fn differences(was: &str, is: &str) -> Vec<Difference> {
    assert!(QUERY.contains(was), "{was}");
    diff(QUERY, &QUERY.replacen(was, is, 1)).unwrap()
}

/// A part of the schema -> what stands in its place -> what is found.
const CASES: &str = r#"
    type Other { id: ID! } ->  -> type-removed Other
    enum Key { ID } -> scalar Key -> type-kind-changed Key
    status: Status ->  -> field-removed Query.status
    status: Status -> status: Key -> field-type-changed Query.status
    status: Status -> status: [Status] -> field-type-changed Query.status
    Other { id: ID! } -> Other { id: ID } -> field-made-nullable Other.id
    (a: Int, -> ( -> argument-removed Query.issue(a:)
    (a: Int, -> (a: Int!, -> argument-required Query.issue(a:)
    (a: Int, -> (c: Int!, a: Int, -> argument-required Query.issue(c:)
    (a: Int, -> (a: String, -> argument-type-changed Query.issue(a:)
    Filter { a: Int, -> Filter { -> input-field-removed Filter.a
    Filter { a: Int, -> Filter { a: Int!, -> input-field-required Filter.a
    Filter { a: Int, -> Filter { a: Int, c: Int!, -> input-field-required Filter.c
    Filter { a: Int, -> Filter { a: [Int], -> input-field-type-changed Filter.a
    b: [Int!] } -> b: [Int!]! } -> input-field-required Filter.b
    input Filter { -> input Filter @oneOf { -> input-one-of Filter
    OPEN DONE -> DONE -> enum-value-removed Status.OPEN
    Any = Issue -> Any = Other -> union-member-removed Any, union-member-added Any
    type Owned implements Node { -> type Owned { -> interface-removed Owned
    directive @old on FIELD ->  -> directive-removed @old
    OPEN DONE -> OPEN DONE NEW -> enum-value-added Status.NEW
    Any = Issue -> Any = Issue | Other -> union-member-added Any
    type Other { -> type Other implements Node { -> interface-added Other
    Int! = 1 -> Int! = 2 -> default-changed Query.issue(b:)
    type Other -> "Takes the role owner." type Other -> access-changed Other
    type Other -> scalar New type Other -> type-added New
    Other { id -> Other { new: Int id -> field-added Other.new
    status: Status -> status: Status! -> field-never-null Query.status
    (a: Int, -> (a: Int, c: Int, -> argument-added Query.issue(c:)
    (a: Int, -> (a: Int, c: Int! = 3, -> argument-added Query.issue(c:)
    b: Int! = 1 -> b: Int = 1 -> argument-optional Query.issue(b:)
    Filter { a -> Filter { c: Int a -> input-field-added Filter.c
    b: [Int!] } -> b: [Int] } -> input-field-optional Filter.b
    input Order @oneOf { -> input Order { -> input-not-one-of Order
    Key { ID } -> Key { ID NAME } -> enum-value-accepted Key.NAME
    type Other -> directive @new on FIELD type Other -> directive-added @new
    status: Status -> status: Status @deprecated(reason: "no") -> deprecated Query.status
    old: Int @deprecated(reason: "no") -> old: Int -> not-deprecated Owned.old
    enum Key { -> "What rows are found by." enum Key { -> description-changed Key
    schema { query: Query, mutation: Owned } -> schema { query: Query } -> root-removed Owned
    mutation: Owned } -> mutation: Other } -> root-removed Owned
    mutation: Owned } -> mutation: Owned, subscription: Other } -> root-added Other
"#;

#[test]
fn every_kind_of_difference_is_found_at_its_place() {
    let mut seen = HashSet::new();
    for case in CASES.lines().filter(|line| !line.is_empty()) {
        let mut parts = case.trim().split("->").map(str::trim);
        let [was, is, expected] = [(); 3].map(|()| parts.next().unwrap());
        let found = differences(was, is);
        let found = found
            .iter()
            .map(|found| format!("{} {}", found.rule.id(), found.path));
        assert_eq!(
            found.collect::<Vec<_>>().join(", "),
            expected,
            "{was} -> {is}"
        );
        seen.extend(
            expected
                .split(", ")
                .filter_map(|found| found.split(' ').next()),
        );
    }
    for rule in Rule::ALL {
        assert!(seen.contains(rule.id()), "no case has {rule:?}");
    }
}

#[test]
fn equal_schemas_do_not_differ_whatever_their_order() {
    let other = "enum Status { DONE OPEN } type Query { status: Status, issue(b: Int! = 1, a: Int): Issue }
        enum Key { ID } input Filter { b: [Int!], a: Int } type Other { id: ID! } type Issue { id: ID! }
        interface Node { id: ID! } union Any = Issue
        schema { mutation: Owned, query: Query } directive @old on FIELD input Order @oneOf { a: Int }
        type Owned implements Node { old: Int @deprecated(reason: \"no\"), id: ID! }";
    assert_eq!(diff(QUERY, other).unwrap(), []);
}

#[test]
fn what_breaks_comes_first() {
    let found = differences("issue(a: Int", "fresh: Int issue(z: Int, a: Int!");
    let impacts: Vec<_> = found.iter().map(|found| found.rule.impact()).collect();
    assert_eq!(impacts, [Impact::Breaking, Impact::Safe, Impact::Safe]);
}

#[test]
fn a_field_that_went_as_another_came_may_have_been_renamed() {
    let found = differences("Other { id: ID! }", "Other { key: ID! }");
    let hint = found[0].hint.as_deref().unwrap();
    assert!(
        hint.contains("if key is the same") && hint.contains("'@name id'"),
        "{hint}"
    );
    let found = differences("Other { id: ID! }", "Other { key: Int! }");
    assert!(found[0].hint.as_deref().unwrap().contains("@deprecated"));
}

#[test]
fn a_role_that_is_taken_is_no_matter_of_words() {
    let told = |was: &str, is: &str| {
        let describe = |text: &str| format!("type Query {{ \"{text}\" a: Int }}");
        let found = diff(&describe(was), &describe(is)).unwrap();
        (found[0].rule, found[0].message.clone())
    };
    let (rule, message) = told("Its pay.", "Its pay. Takes the role admin.");
    assert_eq!(rule, Rule::AccessChanged);
    assert_eq!(
        message,
        "takes the role admin (before: takes no role of its own)"
    );
    let (rule, message) = told("Can be read without a token.", "A.");
    assert_eq!(rule, Rule::AccessChanged);
    assert!(
        message.contains("before: can be read without a token"),
        "{message}"
    );
    let (rule, _) = told("A. Takes the role admin.", "B. Takes the role admin.");
    assert_eq!(rule, Rule::DescriptionChanged);
    let (rule, _) = told("A.", "Takes the role of a lead.");
    assert_eq!(rule, Rule::DescriptionChanged);
}

#[test]
fn what_is_no_whole_schema_is_refused() {
    for (text, expected) in [
        ("type Query {", "not a GraphQL schema"),
        ("{ issues { nodes { id } } }", "not a GraphQL schema"),
        ("", "not a"),
        ("type Issue { id: ID! }", "no type Query"),
        ("extend type Query { a: Int }", "extends Query"),
        (
            "schema { query: Root } type Query { a: Int }",
            "no type Query",
        ),
    ] {
        let error = diff(text, QUERY).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn every_rule_is_explained() {
    let docs = include_str!("../../../docs/schema-diff.md");
    for rule in Rule::ALL {
        let line = format!("| `{}` | {} |", rule.id(), rule.impact().word());
        assert!(
            docs.contains(&line),
            "docs/schema-diff.md has no line {line}"
        );
    }
    let lines = docs.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(lines, Rule::ALL.len());
}
