//! `__schema` and `__type`: answered by async-graphql, within limits.

use std::sync::Arc;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextValidation,
};
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Request, Response, ServerError, ValidationResult};
use serde_json::Value;

use super::document::{Document, SelectedOperation};
use super::error::PlanError;
use super::params::Variables;
use super::parse::too_complex;
use super::part::part;
use crate::schema::Api;

/// The lists of the introspection schema that lead to types, and so into each other.
const LISTS: [&str; 5] = [
    "types",
    "fields",
    "inputFields",
    "interfaces",
    "possibleTypes",
];

/// How many of them may lie within each other: `types { fields { type { … } } }` is what tools ask
/// for. `possibleTypes { interfaces { possibleTypes { … } } }` grows by the number of tables with
/// each.
const DEEPEST_LISTS: usize = 2;

/// The most fields of an operation that are about the schema. What tools ask for has about 250.
const MOST_FIELDS: usize = 500;

/// Refuses introspection whose answer would be far larger than the schema.
pub(super) fn check(
    document: &ExecutableDocument,
    selections: &SelectionSet,
) -> Result<(), PlanError> {
    let mut fields = 0;
    measure(document, selections, None, &mut fields)?;
    if fields > MOST_FIELDS {
        return Err(too_complex(format!(
            "an operation may select at most {MOST_FIELDS} fields of the schema itself"
        )));
    }
    Ok(())
}

/// Counts the fields that are about the schema; `lists` are those around, none outside of it.
fn measure(
    document: &ExecutableDocument,
    selections: &SelectionSet,
    lists: Option<usize>,
    fields: &mut usize,
) -> Result<(), PlanError> {
    for item in &selections.items {
        let (inner, lists) = match &item.node {
            Selection::Field(field) => {
                let name = field.node.name.node.as_str();
                let lists = match lists {
                    None if matches!(name, "__schema" | "__type") => Some(0),
                    // Deeper down there is none.
                    None => continue,
                    Some(lists) => Some(lists + usize::from(LISTS.contains(&name))),
                };
                *fields += 1;
                (&field.node.selection_set.node, lists)
            }
            Selection::InlineFragment(fragment) => (&fragment.node.selection_set.node, lists),
            Selection::FragmentSpread(spread) => {
                let name = spread.node.fragment_name.node.as_str();
                let Some(fragment) = document.fragments.get(name) else {
                    continue;
                };
                (&fragment.node.selection_set.node, lists)
            }
        };
        if lists.is_some_and(|lists| lists > DEEPEST_LISTS) {
            return Err(too_complex(format!(
                "lists of the schema may be nested at most {DEEPEST_LISTS} deep"
            )));
        }
        measure(document, inner, lists, fields)?;
    }
    Ok(())
}

/// Answers `__schema` and `__type` of an operation by async-graphql's executor.
pub async fn introspect(
    api: &Api,
    document: &Document,
    operation: SelectedOperation<'_>,
    variables: &Variables,
) -> Response {
    let wanted = |name: &str| matches!(name, "__schema" | "__type");
    let ast = part(api, document, operation, variables, wanted);
    let variables = async_graphql::Variables::from_json(Value::Object(variables.clone()));
    let mut request = Request::new(String::new())
        .variables(variables)
        .data(Introspection);
    request.set_parsed_query(ast);
    api.graphql.execute(request).await
}

/// Marks a request as the introspection part of an operation that is valid already.
struct Introspection;

/// Takes the executor's place for everything but introspection.
pub struct CompiledFields;

impl ExtensionFactory for CompiledFields {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for CompiledFields {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        if ctx.data_opt::<Introspection>().is_none() {
            return next.run(ctx).await;
        }
        Ok(ValidationResult {
            cache_control: async_graphql::CacheControl::default(),
            complexity: 0,
            depth: 0,
        })
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        if ctx.data_opt::<Introspection>().is_none() {
            return Response::default();
        }
        next.run(ctx, operation_name).await
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::PlanErrorKind;

    fn check(text: &str) -> Result<(), PlanErrorKind> {
        let document = crate::plan::parse(text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        super::check(&document, &operation.node.selection_set.node).map_err(|error| error.kind)
    }

    #[test]
    fn what_tools_ask_for_is_answered() {
        let query = "{ __schema { types { ...Full } directives { args { ...Input } } } }
            fragment Full on __Type { fields { args { ...Input } type { ...Ref } } inputFields { ...Input }
                interfaces { ...Ref } enumValues { name } possibleTypes { ...Ref } }
            fragment Input on __InputValue { name type { ...Ref } }
            fragment Ref on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
        assert_eq!(check(query), Ok(()));
        assert_eq!(
            check("{ __type(name: \"A\") { fields { type { fields { name } } } } }"),
            Ok(())
        );
    }

    #[test]
    fn what_multiplies_is_refused() {
        let many: Vec<_> = (0..300)
            .map(|n| format!("s{n}: __schema {{ description }}"))
            .collect();
        for text in [
            "{ __type(name: \"Node\") { possibleTypes { interfaces { possibleTypes { name } } } } }",
            "{ ...A } fragment A on Query { __schema { types { ...B } } }
             fragment B on __Type { fields { type { ofType { ...C } } } } fragment C on __Type { fields { name } }",
            &format!("{{ {} }}", many.join(" ")),
        ] {
            assert_eq!(check(text), Err(PlanErrorKind::TooComplex), "{text}");
        }
        let wide = "types fields ".repeat(300);
        assert_eq!(check(&format!("{{ {wide} }}")), Ok(()));
    }
}
