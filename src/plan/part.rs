//! The part of an operation that async-graphql's executor answers: introspection, or the service's own fields.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, OperationType, Selection, SelectionSet,
};
use async_graphql::{Pos, Positioned};
use serde_json::{Map, Value};

use super::collect::Collector;
use super::document::{Document, SelectedOperation};
use super::input::InputEnv;
use super::params::Variables;
use crate::schema::{Api, Blueprint, FieldMeaning, Type};

/// The operation with nothing but the service's own fields.
pub fn service_part(
    api: &Api,
    document: &Document,
    operation: SelectedOperation<'_>,
    variables: &Variables,
) -> ExecutableDocument {
    let object = api.blueprint.object(root_type(operation));
    let is_own = |name: &str| {
        let def = object.and_then(|object| object.fields.get(name));
        def.is_some_and(|def| matches!(def.meaning, FieldMeaning::Service(_)))
    };
    part(api, document, operation, variables, is_own)
}

/// What an answer to [`service_part`] has to be: fields in the document's order, null where one has failed, and so the
/// fields around it that may not have null in them. async-graphql 7 leaves failed fields out, and has the others in the
/// order in which they were done.
pub fn complete(
    api: &Api,
    document: &Document,
    operation: SelectedOperation<'_>,
    variables: &Variables,
    data: Value,
) -> Value {
    let collector = collector(api, document, operation, variables);
    let completion = Completion {
        blueprint: &api.blueprint,
        collector: &collector,
    };
    let set = &operation.definition.selection_set.node;
    let data = completion.object(root_type(operation), &[set], data);
    data.unwrap_or(Value::Null)
}

struct Completion<'d, 'a> {
    blueprint: &'a Blueprint,
    collector: &'a Collector<'d, 'a>,
}

impl<'d> Completion<'d, '_> {
    /// None for null.
    fn object(&self, type_name: &str, sets: &[&'d SelectionSet], value: Value) -> Option<Value> {
        let Value::Object(mut given) = value else {
            return None;
        };
        let object = self.blueprint.object(type_name)?;
        let mut whole = Map::new();
        for (key, fields) in self
            .collector
            .fields(type_name, false, sets.iter().copied())
        {
            let value = given.remove(key).unwrap_or_default();
            let name = fields[0].node.name.node.as_str();
            let Some(def) = object.fields.get(name) else {
                whole.insert(key.to_owned(), value);
                continue;
            };
            // Fields of tables are not in this part.
            let is_root = matches!(type_name, "Query" | "Mutation");
            if is_root && !matches!(def.meaning, FieldMeaning::Service(_)) {
                continue;
            }
            let sets: Vec<_> = fields
                .iter()
                .map(|field| &field.node.selection_set.node)
                .collect();
            let value = self.value(&def.ty, &sets, value);
            if value.is_none() && def.ty.is_non_null() {
                return None;
            }
            whole.insert(key.to_owned(), value.unwrap_or(Value::Null));
        }
        Some(Value::Object(whole))
    }

    fn value(&self, ty: &Type, sets: &[&'d SelectionSet], value: Value) -> Option<Value> {
        match (ty, value) {
            (_, Value::Null) => None,
            (Type::List { element, .. }, Value::Array(items)) => {
                let items = items.into_iter().map(|item| {
                    let item = self.value(element, sets, item);
                    match item {
                        None if element.is_non_null() => None,
                        item => Some(item.unwrap_or(Value::Null)),
                    }
                });
                items.collect::<Option<_>>().map(Value::Array)
            }
            (Type::Named { name, .. }, value) if self.blueprint.object(name).is_some() => {
                self.object(name, sets, value)
            }
            (_, value) => Some(value),
        }
    }
}

/// The operation with those of its root fields that are wanted, without anything around them.
pub(super) fn part(
    api: &Api,
    document: &Document,
    operation: SelectedOperation<'_>,
    variables: &Variables,
    wanted: impl Fn(&str) -> bool,
) -> ExecutableDocument {
    let collector = collector(api, document, operation, variables);
    let set = std::iter::once(&operation.definition.selection_set.node);
    let fields = collector.fields(root_type(operation), false, set);
    let mut definition = operation.definition.clone();
    definition.selection_set.node.items = fields
        .into_values()
        .filter(|fields| wanted(fields[0].node.name.node.as_str()))
        .map(|fields| Positioned::new(Selection::Field(merged(&fields)), fields[0].pos))
        .collect();
    ExecutableDocument {
        operations: DocumentOperations::Single(Positioned::new(definition, Pos::default())),
        fragments: document.ast.fragments.clone(),
    }
}

/// Fields with one response key are one field, which is done once.
fn merged(fields: &[&Positioned<Field>]) -> Positioned<Field> {
    let mut whole = fields[0].clone();
    let items = &mut whole.node.selection_set.node.items;
    for field in &fields[1..] {
        items.extend(field.node.selection_set.node.items.iter().cloned());
    }
    whole
}

fn collector<'d>(
    api: &'d Api,
    document: &'d Document,
    operation: SelectedOperation<'d>,
    variables: &'d Variables,
) -> Collector<'d, 'd> {
    Collector {
        document: &document.ast,
        inputs: InputEnv {
            blueprint: &api.blueprint,
            declared: &operation.info.variables,
            variables,
        },
    }
}

fn root_type(operation: SelectedOperation<'_>) -> &'static str {
    match operation.definition.ty {
        OperationType::Mutation => "Mutation",
        OperationType::Query | OperationType::Subscription => "Query",
    }
}
