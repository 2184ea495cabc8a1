//! Two rules of GraphQL that async-graphql 7 does not enforce although a plan relies on them:
//! variables fit where they stand, and fields with one response key are the same field.
//!
//! A plan is kept by the shape of the variables, which follows their declared types; a variable in
//! a place of another type would be planned by a value that its shape says nothing about.
//!
//! <https://spec.graphql.org/October2021/#sec-All-Variable-Usages-are-Allowed>
//! <https://spec.graphql.org/October2021/#sec-Field-Selection-Merging>

use std::collections::HashSet;

use async_graphql::parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Pos, Positioned};
use async_graphql_value::Value as Ast;
use indexmap::IndexMap;

use super::document::VariableInfo;
use super::error::PlanError;
use crate::schema::{Blueprint, Type, TypeDef};

/// Checks one operation, whose root type is `root`.
pub(super) fn check(
    blueprint: &Blueprint,
    document: &ExecutableDocument,
    declared: &[VariableInfo],
    root: &str,
    selections: &SelectionSet,
) -> Result<(), Vec<PlanError>> {
    let mut rules = Rules {
        blueprint,
        document,
        declared,
        errors: Vec::new(),
    };
    rules.object(&[(root, selections)]);
    if rules.errors.is_empty() {
        Ok(())
    } else {
        Err(rules.errors)
    }
}

struct Rules<'d> {
    blueprint: &'d Blueprint,
    document: &'d ExecutableDocument,
    declared: &'d [VariableInfo],
    errors: Vec<PlanError>,
}

/// The fields that share a response key, by the type that they are selected on.
type Shared<'d> = IndexMap<&'d str, IndexMap<&'d str, Vec<&'d Positioned<Field>>>>;

impl<'d> Rules<'d> {
    /// Selections that become one object, each on a type.
    fn object(&mut self, sets: &[(&'d str, &'d SelectionSet)]) {
        let (mut shared, mut visited) = (Shared::new(), HashSet::new());
        for (parent, set) in sets {
            self.collect(parent, set, &mut visited, &mut shared);
        }
        for (key, by_parent) in &shared {
            self.same(key, by_parent);
            for (parent, fields) in by_parent {
                let of_type = self.fields(parent, fields);
                let inner: Vec<_> = fields
                    .iter()
                    .map(|field| (of_type, &field.node.selection_set.node))
                    .filter(|(_, set)| !set.items.is_empty())
                    .collect();
                if !inner.is_empty() {
                    self.object(&inner);
                }
            }
        }
    }

    fn collect(
        &mut self,
        parent: &'d str,
        set: &'d SelectionSet,
        visited: &mut HashSet<&'d str>,
        shared: &mut Shared<'d>,
    ) {
        for item in &set.items {
            self.directives(item.node.directives());
            match &item.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.as_str();
                    let by_parent = shared.entry(key).or_default();
                    by_parent.entry(parent).or_default().push(field);
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let on = condition.map_or(parent, |condition| &condition.node.on.node);
                    self.collect(on, &fragment.node.selection_set.node, visited, shared);
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    if let Some(fragment) = self.document.fragments.get(name)
                        && visited.insert(name)
                    {
                        let on = &fragment.node.type_condition.node.on.node;
                        self.collect(on, &fragment.node.selection_set.node, visited, shared);
                    }
                }
            }
        }
    }

    /// Fields on one type must be the same; so must those of an object and its interface. Fields of
    /// two object types never meet in one object.
    fn same(&mut self, key: &str, by_parent: &IndexMap<&'d str, Vec<&'d Positioned<Field>>>) {
        let is_interface =
            |name: &str| matches!(self.blueprint.types.get(name), Some(TypeDef::Interface(_)));
        let abstract_one = by_parent
            .iter()
            .find(|(parent, _)| is_interface(parent))
            .map(|(_, fields)| fields[0]);
        let mut conflict = None;
        for fields in by_parent.values() {
            let first = abstract_one.unwrap_or(fields[0]);
            let differs = |field: &&&Positioned<Field>| {
                field.node.name.node != first.node.name.node
                    || field.node.arguments.len() != first.node.arguments.len()
                    || field.node.arguments.iter().any(|(name, value)| {
                        first.node.get_argument(&name.node).map(|other| &other.node)
                            != Some(&value.node)
                    })
            };
            if let Some(field) = fields.iter().find(differs) {
                conflict = Some((first.pos, field.pos));
            }
        }
        if let Some((first, second)) = conflict {
            self.error(
                format!("fields with the name {key} are different ones: give one an alias"),
                &[first, second],
            );
        }
    }

    /// Checks the arguments of equal fields, and finds their type's name; none is known within
    /// introspection, which async-graphql answers.
    fn fields(&mut self, parent: &str, fields: &[&'d Positioned<Field>]) -> &'d str {
        let blueprint = self.blueprint;
        let name = fields[0].node.name.node.as_str();
        let def = blueprint
            .object(parent)
            .and_then(|object| object.fields.get(name));
        let Some(def) = def else {
            return "";
        };
        for field in fields {
            for (name, value) in &field.node.arguments {
                if let Some(arg) = def.args.get(name.node.as_str()) {
                    self.value(&arg.ty, &value.node, value.pos);
                }
            }
        }
        def.ty.name()
    }

    /// The directives that decide about fields take `if: Boolean!`.
    fn directives(&mut self, directives: &'d [Positioned<Directive>]) {
        let condition = Type::named("Boolean").non_null();
        for directive in directives {
            if let Some(value) = directive.node.get_argument("if") {
                self.value(&condition, &value.node, value.pos);
            }
        }
    }

    fn value(&mut self, place: &Type, value: &Ast, pos: Pos) {
        match (value, place) {
            (Ast::Variable(name), _) => self.variable(place, name, pos),
            (Ast::List(items), Type::List { element, .. }) => {
                for item in items {
                    self.value(element, item, pos);
                }
            }
            // A single value stands for a list of one.
            (_, Type::List { element, .. }) => self.value(element, value, pos),
            (Ast::Object(members), Type::Named { name, .. }) => {
                let blueprint = self.blueprint;
                let Some(input) = blueprint.input(name) else {
                    return;
                };
                for (name, value) in members {
                    if let Some(field) = input.fields.get(name.as_str()) {
                        self.value(&field.ty, value, pos);
                    }
                }
            }
            _ => {}
        }
    }

    fn variable(&mut self, place: &Type, name: &str, pos: Pos) {
        let Some(info) = self.declared.iter().find(|info| *info.name == *name) else {
            return;
        };
        if !fits(info, place) {
            let message = format!("variable ${name} is a {}, and {place} is expected", info.ty);
            self.error(message, &[pos]);
        }
    }

    fn error(&mut self, message: String, places: &[Pos]) {
        self.errors.push(PlanError {
            locations: places.iter().map(|pos| (pos.line, pos.column)).collect(),
            ..PlanError::validation(message)
        });
    }
}

/// A variable with a default value may stand where a value is required.
fn fits(info: &VariableInfo, place: &Type) -> bool {
    let always = info.ty.is_non_null() || info.has_default();
    (always || !place.is_non_null()) && same_type(&info.ty, place)
}

/// Whether values of one type are values of another, null itself aside.
fn same_type(given: &Type, place: &Type) -> bool {
    match (given, place) {
        (Type::Named { name, .. }, Type::Named { name: wanted, .. }) => name == wanted,
        (
            Type::List { element, .. },
            Type::List {
                element: wanted, ..
            },
        ) => (element.is_non_null() || !wanted.is_non_null()) && same_type(element, wanted),
        _ => false,
    }
}
