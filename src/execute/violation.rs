//! What a row has violated, in the words of the API: the constraint, and the input fields it is about.

use crate::compile::WriteQuery;
use crate::error::{Code, Failure};
use crate::model::{ColumnId, RelationId};
use crate::schema::{Api, Blueprint, FieldMeaning};
use crate::session::Violation;

/// Adds to the failure what is known of the violation; `write` is the statement that failed, none
/// where a rule was checked at the end of the transaction.
pub(super) fn explain(
    api: &Api,
    write: Option<&WriteQuery>,
    violation: Violation,
    failure: &mut Failure,
) {
    let Violation {
        table,
        column,
        constraint,
    } = violation;
    failure.details.constraint.clone_from(&constraint);
    let table = table.and_then(|table| api.model.relation_named(&table));
    let Some(relation) = table else {
        return;
    };
    // What a function writes is none of the input's fields.
    if write.is_some_and(|write| write.relation.is_none()) {
        return;
    }
    let elsewhere = write.is_some_and(|write| write.deletes || write.relation != Some(relation));
    if failure.code == Code::ForeignKeyViolation && elsewhere {
        // What the client wrote is the row that others refer to.
        let name = api.blueprint.type_names[relation.0].as_deref();
        let rows = name.unwrap_or("other");
        failure.message = format!("there are {rows} rows that refer to a row of these").into();
        return;
    }
    if elsewhere {
        return;
    }
    let row = api.model.relation(relation);
    let columns = match (column, constraint) {
        (Some(column), _) => {
            let named = |id: &ColumnId| row.column(*id).name.as_str() == column;
            let columns: Vec<_> = row.column_ids().filter(named).collect();
            // One that is newer than the API.
            failure.outdated |= columns.is_empty();
            columns
        }
        (None, Some(name)) => {
            let constraint = api.model.constraint(relation, &name);
            constraint.map_or_else(Vec::new, |constraint| constraint.columns.clone())
        }
        (None, None) => Vec::new(),
    };
    let fields = columns.into_iter();
    failure.details.fields = fields
        .filter_map(|column| field(&api.blueprint, relation, column))
        .collect();
}

/// The field of a column.
pub(super) fn field(
    blueprint: &Blueprint,
    relation: RelationId,
    column: ColumnId,
) -> Option<String> {
    let type_name = blueprint.type_names.get(relation.0)?.as_ref()?;
    let fields = &blueprint.object(type_name)?.fields;
    let is_it =
        |meaning: &FieldMeaning| matches!(meaning, FieldMeaning::Column(id) if *id == column);
    let (name, _) = fields.iter().find(|(_, def)| is_it(&def.meaning))?;
    Some(name.clone())
}
