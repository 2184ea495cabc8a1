//! The extent of an operation, as far as its document tells it.

use std::collections::HashMap;

use async_graphql::Positioned;
use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql_value::Value as Ast;

/// Those of a fragment count wherever it is spread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measures {
    /// Fields within fields.
    pub depth: u64,
    pub aliases: u64,
    /// The fields at the top.
    pub roots: u64,
    /// Those of them that are about more than the schema.
    pub data: u64,
    /// The length of the longest list among the arguments.
    pub items: u64,
}

impl Measures {
    /// The document is valid, so that no fragment leads to itself.
    pub(super) fn of(document: &ExecutableDocument, selections: &SelectionSet) -> Self {
        measure(document, selections, &mut HashMap::new())
    }

    fn include(&mut self, other: Self) {
        self.depth = self.depth.max(other.depth);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.roots = self.roots.saturating_add(other.roots);
        self.data = self.data.saturating_add(other.data);
        self.items = self.items.max(other.items);
    }
}

fn measure<'d>(
    document: &'d ExecutableDocument,
    selections: &'d SelectionSet,
    fragments: &mut HashMap<&'d str, Measures>,
) -> Measures {
    let mut whole = Measures::default();
    for item in &selections.items {
        let part = match &item.node {
            Selection::Field(field) => {
                let inner = measure(document, &field.node.selection_set.node, fragments);
                of_field(field, inner)
            }
            Selection::InlineFragment(fragment) => {
                measure(document, &fragment.node.selection_set.node, fragments)
            }
            Selection::FragmentSpread(spread) => {
                let name = spread.node.fragment_name.node.as_str();
                match (fragments.get(name), document.fragments.get(name)) {
                    (Some(known), _) => *known,
                    (None, Some(fragment)) => {
                        let selections = &fragment.node.selection_set.node;
                        let measured = measure(document, selections, fragments);
                        fragments.insert(name, measured);
                        measured
                    }
                    (None, None) => continue,
                }
            }
        };
        whole.include(part);
    }
    whole
}

fn of_field(field: &Positioned<Field>, inner: Measures) -> Measures {
    let items = field.node.arguments.iter();
    let items = items.map(|(_, value)| longest_list(&value.node)).max();
    Measures {
        depth: inner.depth + 1,
        aliases: inner.aliases + u64::from(field.node.alias.is_some()),
        roots: 1,
        data: u64::from(!field.node.name.node.starts_with("__")),
        items: inner.items.max(items.unwrap_or(0)),
    }
}

fn longest_list(value: &Ast) -> u64 {
    match value {
        Ast::List(items) => {
            let inner = items.iter().map(longest_list).max();
            (items.len() as u64).max(inner.unwrap_or(0))
        }
        Ast::Object(members) => members.values().map(longest_list).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn fragments_count_wherever_they_are_spread() {
        let text =
            "{ __typename a: b ...F c(d: [1, 2], e: {f: [[1, 2, 3]]}) { ...F ... { x: y } } }
            fragment F on Query { g { h: i(j: []) } k }";
        let document = parse_query(text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let expected = Measures {
            depth: 3,
            aliases: 4,
            roots: 5,
            data: 4,
            items: 3,
        };
        let selections = &operation.node.selection_set.node;
        assert_eq!(Measures::of(&document, selections), expected);
    }
}
