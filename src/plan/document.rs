//! A request's document: parsed by async-graphql, validated by it once, and then kept.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType,
};
use async_graphql::{Request, ServerError};
use futures_util::FutureExt as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::error::{PlanError, PlanErrorKind};
use super::measure::Measures;
use super::parse::parse;
use super::{introspection, rules, typename};
use crate::schema::{Api, Type};

/// A valid document.
#[derive(Debug)]
pub struct Document {
    /// Distinguishes one document of one API from another in cache keys; never reused.
    pub id: u64,
    /// The length of its text.
    pub text_bytes: usize,
    /// Of its text, in hexadecimal digits.
    pub sha256: Box<str>,
    pub(super) ast: ExecutableDocument,
    operations: HashMap<Option<String>, Operation>,
}

/// What is known of an operation before its variables have values.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) variables: Vec<VariableInfo>,
    measures: Measures,
}

#[derive(Debug)]
pub(super) struct VariableInfo {
    pub(super) name: Arc<str>,
    pub(super) ty: Type,
    default: Option<Value>,
}

impl VariableInfo {
    pub(super) fn has_default(&self) -> bool {
        self.default.as_ref().is_some_and(|value| !value.is_null())
    }
}

impl Document {
    /// Parses and validates `text` against the API's schema.
    pub fn parse(api: &Api, text: &str) -> Result<Self, Vec<PlanError>> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut ast = parse(text).map_err(|error| vec![error])?;
        typename::check(&mut ast).map_err(|error| vec![error])?;
        validate(api, &ast)?;
        let operations: HashMap<_, _> = ast
            .operations
            .iter()
            .map(|(name, operation)| {
                (
                    name.map(ToString::to_string),
                    Operation::new(&ast, &operation.node),
                )
            })
            .collect();
        for (name, definition) in ast.operations.iter() {
            let Some(operation) = operations.get(&name.map(ToString::to_string)) else {
                continue;
            };
            let root = match definition.node.ty {
                OperationType::Query => "Query",
                OperationType::Mutation => "Mutation",
                OperationType::Subscription => continue,
            };
            let selections = &definition.node.selection_set.node;
            let declared = &operation.variables;
            rules::check(&api.blueprint, &ast, declared, root, selections)?;
            introspection::check(&ast, selections).map_err(|error| vec![error])?;
        }
        Ok(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            text_bytes: text.len(),
            sha256: sha256(text).into(),
            ast,
            operations,
        })
    }

    /// The operation to run: the one named, or the only one.
    pub fn operation(&self, name: Option<&str>) -> Result<SelectedOperation<'_>, PlanError> {
        let unknown = |name: &str| {
            PlanError::bad_input(format!("the document has no operation named {name}"))
        };
        let (key, definition) = match (&self.ast.operations, name) {
            (DocumentOperations::Single(operation), None) => (None, &operation.node),
            (DocumentOperations::Single(_), Some(name)) => return Err(unknown(name)),
            (DocumentOperations::Multiple(operations), Some(name)) => {
                let operation = operations.get(name).ok_or_else(|| unknown(name))?;
                (Some(name.to_owned()), &operation.node)
            }
            (DocumentOperations::Multiple(operations), None) => match operations.iter().next() {
                Some((name, operation)) if operations.len() == 1 => {
                    (Some(name.to_string()), &operation.node)
                }
                _ => {
                    return Err(PlanError::bad_input(
                        "the document has several operations: operationName must name one",
                    ));
                }
            },
        };
        let (name, info) = self
            .operations
            .get_key_value(&key)
            .ok_or_else(|| unknown(key.as_deref().unwrap_or_default()))?;
        Ok(SelectedOperation {
            name: name.as_deref(),
            info,
            definition,
        })
    }
}

/// The operation that a request runs.
#[derive(Debug, Clone, Copy)]
pub struct SelectedOperation<'d> {
    /// What the document calls it.
    pub name: Option<&'d str>,
    pub(super) info: &'d Operation,
    pub(super) definition: &'d OperationDefinition,
}

impl SelectedOperation<'_> {
    pub fn is_query(&self) -> bool {
        self.definition.ty == OperationType::Query
    }

    pub fn measures(&self) -> Measures {
        self.info.measures
    }

    /// Gives variables that were left out their default values.
    pub fn fill_defaults(&self, variables: &mut super::Variables) {
        for info in &self.info.variables {
            if let Some(default) = &info.default
                && !variables.contains_key(&*info.name)
            {
                variables.insert(info.name.to_string(), default.clone());
            }
        }
    }
}

impl Operation {
    fn new(document: &ExecutableDocument, definition: &OperationDefinition) -> Self {
        let variables = definition
            .variable_definitions
            .iter()
            .map(|variable| VariableInfo {
                name: Arc::from(variable.node.name.node.as_str()),
                ty: Type::from(&variable.node.var_type.node),
                default: variable
                    .node
                    .default_value
                    .as_ref()
                    .and_then(|value| value.node.clone().into_json().ok()),
            });
        Self {
            variables: variables.collect(),
            measures: Measures::of(document, &definition.selection_set.node),
        }
    }
}

/// In lowercase hexadecimal digits, as clients name documents.
pub fn sha256(text: &str) -> String {
    use std::fmt::Write as _;
    let mut digits = String::with_capacity(64);
    for byte in Sha256::digest(text) {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// Validation looks at the document alone: variables have no values yet, so that its result holds
/// for all of them. Their values are checked when the operation is planned and bound.
fn validate(api: &Api, ast: &ExecutableDocument) -> Result<(), Vec<PlanError>> {
    let mut request = Request::new(String::new());
    if let Some((Some(name), _)) = ast.operations.iter().next() {
        request = request.operation_name(name.as_str());
    }
    request.set_parsed_query(ast.clone());
    // Nothing in it waits: parsing is done, and `CompiledFields` keeps the executor away.
    let Some(response) = api.graphql.execute(request).now_or_never() else {
        return Err(vec![PlanError::validation(
            "the document could not be validated",
        )]);
    };
    if response.errors.is_empty() {
        return Ok(());
    }
    Err(response
        .errors
        .iter()
        .map(|error| from_server(error, PlanErrorKind::Validation))
        .collect())
}

pub(super) fn from_server(error: &ServerError, kind: PlanErrorKind) -> PlanError {
    let locations = error
        .locations
        .iter()
        .map(|pos| (pos.line, pos.column))
        .collect();
    PlanError {
        kind,
        message: error.message.clone(),
        path: vec![],
        locations,
    }
}
