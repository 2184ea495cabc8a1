//! The part of an operation that async-graphql's executor answers: introspection, or the service's own fields.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationType, Selection,
};
use async_graphql::{Pos, Positioned};

use super::collect::Collector;
use super::document::{Document, SelectedOperation};
use super::input::InputEnv;
use super::params::Variables;
use crate::schema::{Api, FieldMeaning};

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

/// The operation with those of its root fields that are wanted, without anything around them.
pub(super) fn part(
    api: &Api,
    document: &Document,
    operation: SelectedOperation<'_>,
    variables: &Variables,
    wanted: impl Fn(&str) -> bool,
) -> ExecutableDocument {
    let collector = Collector {
        document: &document.ast,
        inputs: InputEnv {
            blueprint: &api.blueprint,
            declared: &operation.info.variables,
            variables,
        },
    };
    let set = std::iter::once(&operation.definition.selection_set.node);
    let fields = collector.fields(root_type(operation), false, set);
    let fields = fields.into_values().flatten();
    let mut definition = operation.definition.clone();
    definition.selection_set.node.items = fields
        .filter(|field| wanted(field.node.name.node.as_str()))
        .map(|field| Positioned::new(Selection::Field(field.clone()), field.pos))
        .collect();
    ExecutableDocument {
        operations: DocumentOperations::Single(Positioned::new(definition, Pos::default())),
        fragments: document.ast.fragments.clone(),
    }
}

fn root_type(operation: SelectedOperation<'_>) -> &'static str {
    match operation.definition.ty {
        OperationType::Mutation => "Mutation",
        OperationType::Query | OperationType::Subscription => "Query",
    }
}
