//! What a write takes and answers: new rows, patches, and how many rows there were.

use indexmap::IndexMap;

use super::{Builder, field};
use crate::model::{Column, ColumnId, Grants, Relation, RelationId, RelationKind};
use crate::schema::links::LinkField;
use crate::schema::naming::column_field;
use crate::schema::types::{
    FieldMeaning, InputDef, InputFieldDef, InputMeaning, ObjectDef, Type, TypeDef,
};

impl Builder<'_> {
    /// The types that come with a table that can be written to.
    pub(super) fn write_types(
        &self,
        id: RelationId,
        name: &str,
        links: &[LinkField],
    ) -> Vec<(String, TypeDef)> {
        let relation = self.model.relation(id);
        let mut types = Vec::new();
        let grants = writes_of(relation);
        if grants == Grants::NONE {
            return types;
        }
        if grants.insert {
            let mut fields = self.columns(id, links, true);
            fields.extend(self.nested_fields(relation, links, "Input"));
            let input = InputDef {
                description: Some(format!(
                    "A new {name}. What is left out gets its default; null is a value."
                )),
                fields,
                one_of: false,
            };
            types.push((self.names.input(name), TypeDef::Data(input)));
            types.extend(self.conflict_types(relation, name));
        }
        if self.takes_nested(relation) {
            types.extend(self.nested_types(relation, name));
        }
        let mut fields = IndexMap::new();
        if grants.update {
            fields = self.columns(id, links, false);
            fields.extend(self.nested_fields(relation, links, "Patch"));
            types.extend(self.changes(relation, name, &mut fields));
        }
        if !fields.is_empty() {
            let patch = InputDef {
                description: Some(format!(
                    "New values for {name} rows. What is left out stays as it is; null is a value."
                )),
                fields,
                one_of: false,
            };
            types.push((self.names.patch(name), TypeDef::Data(patch)));
        }
        let result = self.names.mutation_result(name);
        types.push((result, TypeDef::Object(mutation_result_type(name))));
        types
    }

    /// Whether its rows can be written together with others, which takes all rights. Users are not made, only linked,
    /// by a key.
    pub(super) fn takes_nested(&self, relation: &Relation) -> bool {
        let grants = writes_of(relation);
        let mut columns = relation.columns.iter();
        let is_linked = || relation.comment.users && self.has_unique_key(relation);
        (grants.insert || is_linked())
            && grants.update
            && relation.grants.delete
            && relation.kind != RelationKind::View
            && columns.any(|column| column.grants.update && can_be_set(relation, column))
    }

    /// The columns that can be written. In a new row, those without a default are required, unless
    /// they refer to another row, which may be given in another way.
    fn columns(
        &self,
        id: RelationId,
        links: &[LinkField],
        new: bool,
    ) -> IndexMap<String, InputFieldDef> {
        let relation = self.model.relation(id);
        let refers = |column: ColumnId| {
            links.iter().any(|link| match &link.meaning {
                FieldMeaning::ToOne(link) => {
                    link.on.iter().any(|&(ours, _)| ours == column)
                        && self.takes_nested(self.model.relation(link.target))
                }
                _ => false,
            })
        };
        let mut fields = IndexMap::new();
        for column_id in relation.column_ids() {
            let column = relation.column(column_id);
            let granted = if new {
                column.grants.insert
            } else {
                column.grants.update
            };
            // What can be written need not be readable.
            let Some(name) = column_field(column, &self.options.node_id_field)
                .filter(|_| granted && can_be_set(relation, column))
            else {
                continue;
            };
            // Of a view, nobody knows what its tables have defaults for.
            let has_default = column.has_default || relation.kind == RelationKind::View;
            let required = new && column.not_null && !has_default && !refers(column_id);
            let def = InputFieldDef {
                description: self.describe_written(id, column_id),
                ty: self.column_type(column).non_null_if(required),
                meaning: InputMeaning::Column(column_id),
            };
            fields.insert(name, def);
        }
        fields
    }
}

/// Which writes to a relation the API offers: those that the tenant's role may do, where the rows
/// written can be told afterwards.
pub(super) fn writes_of(relation: &Relation) -> Grants {
    let told = relation.identity().is_some() || relation.is_wholly_readable();
    let written = match relation.kind {
        RelationKind::Table | RelationKind::ForeignTable => told,
        // A view's rows have no place, so that only a key tells them.
        RelationKind::View => relation.identity().is_some(),
        _ => false,
    };
    if !written || relation.comment.readonly {
        return Grants::NONE;
    }
    let columns = relation.columns.iter();
    let mut columns = columns.filter(|column| can_be_set(relation, column));
    Grants {
        // Who comes and who leaves is for the service to say: people are invited, and have accounts.
        insert: relation.grants.insert
            && columns.any(|column| column.grants.insert)
            && !relation.comment.users,
        update: relation.grants.update,
        delete: relation.grants.delete && !relation.comment.users,
    }
}

/// Whether a column may be given a value. What people may do is not for themselves to decide: the
/// role of the service's own table of users is left out, and so is the id, by which somebody could
/// take over the row of an owner. The address is the account's, which it was proved for.
pub(super) fn can_be_set(relation: &Relation, column: &Column) -> bool {
    let is_identity =
        relation.comment.users && matches!(column.name.as_str(), "id" | "role" | "email");
    !(column.generated || column.comment.readonly || column.comment.omit || is_identity)
        && column.computed.is_none()
        && column.ty.cast.is_some()
}

pub(super) fn mutation_result_type(name: &str) -> ObjectDef {
    let rows = Type::named(name).non_null().list().non_null();
    let fields = IndexMap::from([
        (
            "affectedCount".to_owned(),
            field(
                Type::named("Int").non_null(),
                FieldMeaning::AffectedCount,
                "How many rows were written.",
            ),
        ),
        (
            "nodes".to_owned(),
            field(
                rows,
                FieldMeaning::WrittenNodes,
                "The rows: new ones in the order of the input, others in the order of their key.",
            ),
        ),
    ]);
    ObjectDef {
        description: Some(format!("What a write to {name} rows did.")),
        fields,
        node: false,
    }
}
