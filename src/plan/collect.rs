//! Which fields of an object are selected: fragments spread, directives obeyed, equal response keys
//! merged. <https://spec.graphql.org/October2021/#CollectFields()>

use std::collections::HashSet;

use async_graphql::Positioned;
use async_graphql::parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql_value::Value as Ast;
use indexmap::IndexMap;
use serde_json::Value;

use super::input::InputEnv;

/// The selected fields by response key, in order. Fields with one key are one field, whose
/// selections are taken together.
pub(super) type Fields<'d> = IndexMap<&'d str, Vec<&'d Positioned<Field>>>;

pub(super) struct Collector<'d, 'a> {
    pub(super) document: &'d ExecutableDocument,
    pub(super) inputs: InputEnv<'a>,
}

impl<'d> Collector<'d, '_> {
    /// The fields that `sets` select on an object of the type; `node` tells whether it is a `Node`.
    pub(super) fn fields(
        &self,
        type_name: &str,
        node: bool,
        sets: impl Iterator<Item = &'d SelectionSet>,
    ) -> Fields<'d> {
        let mut fields = Fields::new();
        let mut visited = HashSet::new();
        for set in sets {
            self.add(type_name, node, set, &mut visited, &mut fields);
        }
        fields
    }

    fn add(
        &self,
        type_name: &str,
        node: bool,
        set: &'d SelectionSet,
        visited: &mut HashSet<&'d str>,
        fields: &mut Fields<'d>,
    ) {
        let applies = |condition: &str| condition == type_name || (node && condition == "Node");
        for item in &set.items {
            if self.is_skipped(item.node.directives()) {
                continue;
            }
            match &item.node {
                Selection::Field(field) => {
                    fields
                        .entry(field.node.response_key().node.as_str())
                        .or_default()
                        .push(field);
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    if let Some(fragment) = self.document.fragments.get(name)
                        && visited.insert(name)
                        && applies(&fragment.node.type_condition.node.on.node)
                    {
                        self.add(
                            type_name,
                            node,
                            &fragment.node.selection_set.node,
                            visited,
                            fields,
                        );
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    if condition.is_none_or(|condition| applies(&condition.node.on.node)) {
                        self.add(
                            type_name,
                            node,
                            &fragment.node.selection_set.node,
                            visited,
                            fields,
                        );
                    }
                }
            }
        }
    }

    fn is_skipped(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| {
            let condition = directive.node.get_argument("if");
            match directive.node.name.node.as_str() {
                "skip" => condition.is_some_and(|value| self.is_true(&value.node)),
                "include" => condition.is_some_and(|value| !self.is_true(&value.node)),
                _ => false,
            }
        })
    }

    fn is_true(&self, value: &Ast) -> bool {
        match value {
            Ast::Boolean(yes) => *yes,
            Ast::Variable(name) => {
                self.inputs.variables.get(name.as_str()) == Some(&Value::Bool(true))
            }
            _ => false,
        }
    }
}
