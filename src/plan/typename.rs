//! `__typename`, which the rules of async-graphql 7 pass over: they see no directives on it, and so no
//! use of the variables in them; nor do they see arguments or fields that it cannot have.

use async_graphql::Positioned;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, InlineFragment, Selection, SelectionSet,
};

use super::error::PlanError;

/// Moves the directives of each `__typename` to a fragment around it, which means the same.
pub(super) fn check(document: &mut ExecutableDocument) -> Result<(), PlanError> {
    match &mut document.operations {
        DocumentOperations::Single(operation) => wrap(&mut operation.node.selection_set.node)?,
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values_mut() {
                wrap(&mut operation.node.selection_set.node)?;
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        wrap(&mut fragment.node.selection_set.node)?;
    }
    Ok(())
}

fn wrap(selections: &mut SelectionSet) -> Result<(), PlanError> {
    for item in &mut selections.items {
        match &mut item.node {
            Selection::InlineFragment(fragment) => wrap(&mut fragment.node.selection_set.node)?,
            Selection::FragmentSpread(_) => {}
            Selection::Field(field) if field.node.name.node != "__typename" => {
                wrap(&mut field.node.selection_set.node)?;
            }
            Selection::Field(field) => {
                if let Some(fragment) = around(field)? {
                    item.node = Selection::InlineFragment(Positioned::new(fragment, item.pos));
                }
            }
        }
    }
    Ok(())
}

fn around(field: &mut Positioned<Field>) -> Result<Option<InlineFragment>, PlanError> {
    let Field {
        arguments,
        directives,
        selection_set,
        ..
    } = &mut field.node;
    if !arguments.is_empty() || !selection_set.node.items.is_empty() {
        return Err(PlanError {
            locations: vec![(field.pos.line, field.pos.column)],
            ..PlanError::validation("__typename is a String!, without arguments or fields")
        });
    }
    if directives.is_empty() {
        return Ok(None);
    }
    let directives = std::mem::take(directives);
    let inner = Selection::Field(field.clone());
    let items = vec![Positioned::new(inner, field.pos)];
    Ok(Some(InlineFragment {
        type_condition: None,
        directives,
        selection_set: Positioned::new(SelectionSet { items }, field.pos),
    }))
}

#[cfg(test)]
mod tests {
    use crate::model::Model;
    use crate::plan::Document;
    use crate::schema::{Api, Options};

    fn problem(text: &str) -> Option<String> {
        let api = Api::new(Model::default(), Options::default()).unwrap();
        let errors = Document::parse(&api, text).err()?;
        Some(errors[0].message.clone())
    }

    #[test]
    fn directives_on_it_are_seen() {
        assert_eq!(
            problem("query ($yes: Boolean!) { __typename @include(if: $yes) }"),
            None
        );
        assert_eq!(
            problem("{ ...F } fragment F on Query { ... { __typename @skip(if: false) } }"),
            None
        );
        for (wrong, expected) in [
            ("{ __typename @nonsense }", "nonsense"),
            ("{ __typename @include(if: $no) }", "no"),
            (
                "query ($no: Int) { __typename @include(if: $no) }",
                "Boolean",
            ),
        ] {
            let found = problem(wrong).unwrap();
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn it_has_neither_arguments_nor_fields() {
        for wrong in ["{ __typename(a: 1) }", "{ __typename { a } }"] {
            assert!(problem(wrong).unwrap().contains("String!"));
        }
    }
}
