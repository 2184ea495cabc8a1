//! Text → document, within limits: neither its depth nor its fragments can exhaust what walks through it.

use std::collections::HashMap;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

use super::document::from_server;
use super::error::{PlanError, PlanErrorKind};

/// The most brackets around one another. The parser, and whatever comes after it, goes one or more
/// calls deeper for each.
const DEEPEST: usize = 100;

/// The most fields of one operation, those of a fragment counted wherever it is spread.
const MOST_FIELDS: usize = 10_000;

/// The most variables of one operation.
const MOST_VARIABLES: usize = 1000;

/// All operations and fragments together may have so many times that.
const DEFINITIONS: usize = 4;

/// Parses a document of a size that the service can bear.
pub fn parse(text: &str) -> Result<ExecutableDocument, PlanError> {
    if depth(text) > DEEPEST {
        return Err(too_deep());
    }
    let document =
        parse_query(text).map_err(|error| from_server(&error.into(), PlanErrorKind::Parse))?;
    check_variables(&document)?;
    check_size(&document)?;
    Ok(document)
}

fn too_deep() -> PlanError {
    too_complex(format!(
        "a document may be nested at most {DEEPEST} levels deep"
    ))
}

pub(super) fn too_complex(message: String) -> PlanError {
    PlanError {
        kind: PlanErrorKind::TooComplex,
        ..PlanError::bad_input(message)
    }
}

/// How deep brackets are nested, those in strings and comments aside.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut rest = text;
    while let Some(index) = rest.find(['{', '[', '(', '}', ']', ')', '"', '#']) {
        let (token, behind) = rest[index..].split_at(1);
        rest = match token {
            "{" | "[" | "(" => {
                depth += 1;
                deepest = deepest.max(depth);
                behind
            }
            "}" | "]" | ")" => {
                depth = depth.saturating_sub(1);
                behind
            }
            "#" => behind.find(['\n', '\r']).map_or("", |end| &behind[end..]),
            _ => match behind.strip_prefix("\"\"") {
                Some(block) => behind_block(block),
                None => behind_string(behind),
            },
        };
    }
    deepest
}

/// What follows a string that has just been opened.
fn behind_string(text: &str) -> &str {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => drop(chars.next()),
            _ => {}
        }
    }
    chars.as_str()
}

/// The same for a block string, where only its end can be escaped.
fn behind_block(mut text: &str) -> &str {
    while let Some(index) = text.find(r#"""""#) {
        let (block, rest) = (&text[..index], &text[index + 3..]);
        if !block.ends_with('\\') {
            return rest;
        }
        text = rest;
    }
    ""
}

fn check_variables(document: &ExecutableDocument) -> Result<(), PlanError> {
    for (_, operation) in document.operations.iter() {
        if operation.node.variable_definitions.len() > MOST_VARIABLES {
            return Err(too_complex(format!(
                "an operation may declare at most {MOST_VARIABLES} variables"
            )));
        }
    }
    Ok(())
}

/// Refuses what would take exponential time: forty fragments that each spread the next one twice
/// are a trillion fields in two kilobytes. Fragments that nobody spreads are validated as well.
fn check_size(document: &ExecutableDocument) -> Result<(), PlanError> {
    let operations = document.operations.iter();
    let operations = operations.map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document.fragments.values();
    let fragments = fragments.map(|fragment| &fragment.node.selection_set.node);
    let mut extents = HashMap::new();
    let mut total = 0_usize;
    for selections in operations.chain(fragments) {
        let extent = extent(document, selections, DEEPEST, &mut extents).ok_or_else(too_deep)?;
        total = total.saturating_add(extent.fields);
        if extent.fields > MOST_FIELDS || total > MOST_FIELDS * DEFINITIONS {
            return Err(too_complex(format!(
                "an operation may select at most {MOST_FIELDS} fields"
            )));
        }
    }
    Ok(())
}

/// How much a selection selects, and how far down.
#[derive(Clone, Copy, Default)]
struct Extent {
    fields: usize,
    levels: usize,
}

/// None where the selection leads more than `levels` down. Brackets alone do not show that: a chain
/// of fragments that each spread the next one is as deep as it is long.
///
/// Each fragment is measured once; one that spreads itself counts as empty, and validation refuses it.
fn extent<'d>(
    document: &'d ExecutableDocument,
    selections: &'d SelectionSet,
    levels: usize,
    extents: &mut HashMap<&'d str, Extent>,
) -> Option<Extent> {
    let mut whole = Extent::default();
    if selections.items.is_empty() {
        return Some(whole);
    }
    let below = levels.checked_sub(1)?;
    for item in &selections.items {
        let (own, inner) = match &item.node {
            Selection::Field(field) => (1, &field.node.selection_set.node),
            Selection::InlineFragment(fragment) => (0, &fragment.node.selection_set.node),
            Selection::FragmentSpread(spread) => {
                let name = spread.node.fragment_name.node.as_str();
                if let Some(known) = extents.get(name) {
                    below.checked_sub(known.levels)?;
                    whole.include(0, *known);
                } else if let Some(fragment) = document.fragments.get(name) {
                    extents.insert(name, Extent::default());
                    let selections = &fragment.node.selection_set.node;
                    let measured = extent(document, selections, below, extents)?;
                    extents.insert(name, measured);
                    whole.include(0, measured);
                }
                continue;
            }
        };
        let inner = extent(document, inner, below, extents)?;
        whole.include(own, inner);
    }
    Some(whole)
}

impl Extent {
    fn include(&mut self, own: usize, below: Self) {
        self.fields = self.fields.saturating_add(own).saturating_add(below.fields);
        self.levels = self.levels.max(below.levels + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), PlanErrorKind> {
        parse(text).map(drop).map_err(|error| error.kind)
    }

    #[test]
    fn fragments_count_wherever_they_are_spread() {
        let doubling = |times: usize| {
            let spread = |n| format!("fragment F{n} on Query {{ ...F{0} ...F{0} }} ", n + 1);
            let fragments: String = (0..times).map(spread).collect();
            format!("{{ ...F0 }} {fragments} fragment F{times} on Query {{ __typename }}")
        };
        assert_eq!(check(&doubling(13)), Ok(()));
        assert_eq!(check(&doubling(14)), Err(PlanErrorKind::TooComplex));
        assert_eq!(check(&doubling(100)), Err(PlanErrorKind::TooComplex));
    }

    #[test]
    fn a_chain_of_fragments_is_as_deep_as_it_is_long() {
        let chain = |length: usize| {
            let spread = |n| format!("fragment F{n} on Query {{ ...F{} }} ", n + 1);
            let fragments: String = (1..length).map(spread).collect();
            format!("{fragments} fragment F{length} on Query {{ a }}")
        };
        // Spread or not: validation walks through those that nobody spreads too.
        for operation in ["{ ...F1 }", "{ a }"] {
            let check = |length| check(&format!("{operation} {}", chain(length)));
            assert_eq!(check(DEEPEST - 1), Ok(()));
            for length in [DEEPEST + 1, 20_000] {
                assert_eq!(check(length), Err(PlanErrorKind::TooComplex), "{operation}");
            }
        }
    }

    #[test]
    fn fragments_that_nobody_spreads_count_too() {
        let unused = |times: usize| {
            let user = |n| format!("fragment U{n} on Query {{ ...F }} ");
            let users: String = (0..times).map(user).collect();
            format!(
                "{{ a }} {users} fragment F on Query {{ {} }}",
                "a ".repeat(1000)
            )
        };
        assert_eq!(check(&unused(30)), Ok(()));
        assert_eq!(check(&unused(40)), Err(PlanErrorKind::TooComplex));
    }

    #[test]
    fn plain_fields_count_too() {
        let wide = |fields: usize| format!("{{ {} }}", "a ".repeat(fields));
        assert_eq!(check(&wide(MOST_FIELDS)), Ok(()));
        assert_eq!(
            check(&wide(MOST_FIELDS + 1)),
            Err(PlanErrorKind::TooComplex)
        );
    }

    #[test]
    fn variables_are_counted() {
        let declared = |variables: usize| {
            let variable = |n| format!("$v{n}: Int ");
            let variables: String = (0..variables).map(variable).collect();
            format!("query ({variables}) {{ a }}")
        };
        assert_eq!(check(&declared(MOST_VARIABLES)), Ok(()));
        let too_many = check(&declared(MOST_VARIABLES + 1));
        assert_eq!(too_many, Err(PlanErrorKind::TooComplex));
    }

    #[test]
    fn circles_come_to_an_end() {
        let circle = "{ ...A } fragment A on Query { ...B a } fragment B on Query { ...A b }";
        assert_eq!(check(circle), Ok(()));
    }

    #[test]
    fn brackets_may_be_nested_so_deep() {
        let nested = |depth: usize| {
            let lists = depth - 2;
            format!("{{ a(b: {}{}) }}", "[".repeat(lists), "]".repeat(lists))
        };
        assert_eq!(check(&nested(DEEPEST)), Ok(()));
        for depth in [DEEPEST + 1, 500, 100_000] {
            assert_eq!(check(&nested(depth)), Err(PlanErrorKind::TooComplex));
        }
        let open = "{ a ".repeat(100_000);
        assert_eq!(check(&open), Err(PlanErrorKind::TooComplex));
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_nest() {
        let brackets = "{[(".repeat(DEEPEST);
        for text in [
            format!("{{ a # {brackets}\n }}"),
            format!("{{ a(b: \"{brackets}\") }}"),
            format!(r#"{{ a(b: "\\\" {brackets}") }}"#),
            format!("{{ a(b: \"\"\"\"{brackets}\"\"\") }}"),
            format!(r#"{{ a(b: """ \""" {brackets} """) }}"#),
        ] {
            assert_eq!(depth(&text), depth(&text.replace(&brackets, "")), "{text}");
            assert_eq!(check(&text), Ok(()), "{text}");
        }
        for (text, expected) in [
            (r#"{ a(b: "") [ """""" ( "\"" { "é\é" "#, 4),
            ("\"unterminated {{{", 0),
            ("# comment {{{\r{", 1),
        ] {
            assert_eq!(depth(text), expected, "{text}");
        }
    }
}
