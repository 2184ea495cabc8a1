//! What a write takes and answers: new rows, patches, and how many rows there were.

use indexmap::IndexMap;

use super::{Builder, field};
use crate::model::{Column, ColumnId, Relation, RelationId, RelationKind};
use crate::schema::links::LinkField;
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
        if !is_writable(relation) {
            return types;
        }
        let mut fields = self.columns(relation, links, true);
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
        types.extend(self.nested_types(relation, name));
        let mut fields = self.columns(relation, links, false);
        fields.extend(self.nested_fields(relation, links, "Patch"));
        types.extend(self.changes(relation, name, &mut fields));
        if !fields.is_empty() {
            let patch = InputDef {
                description: Some(format!(
                    "New values of a {name}. What is left out stays as it is; null is a value."
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

    /// The columns that can be written. In a new row, those without a default are required, unless
    /// they refer to another row, which may be given in another way.
    fn columns(
        &self,
        relation: &Relation,
        links: &[LinkField],
        new: bool,
    ) -> IndexMap<String, InputFieldDef> {
        let refers = |column: ColumnId| {
            links.iter().any(|link| match &link.meaning {
                FieldMeaning::ToOne(link) => {
                    link.on.iter().any(|&(ours, _)| ours == column)
                        && is_writable(self.model.relation(link.target))
                }
                _ => false,
            })
        };
        let mut fields = IndexMap::new();
        for column_id in relation.column_ids() {
            let column = relation.column(column_id);
            let Some(name) = self
                .column_field(column)
                .filter(|_| can_be_set(relation, column))
            else {
                continue;
            };
            let required = new && column.not_null && !column.has_default && !refers(column_id);
            let def = InputFieldDef {
                description: column.comment.description.clone(),
                ty: self.column_type(column).non_null_if(required),
                meaning: InputMeaning::Column(column_id),
            };
            fields.insert(name, def);
        }
        fields
    }
}

/// Whether the API offers to write to a relation at all.
pub(super) fn is_writable(relation: &Relation) -> bool {
    matches!(
        relation.kind,
        RelationKind::Table | RelationKind::ForeignTable
    ) && !relation.comment.readonly
        && relation
            .columns
            .iter()
            .any(|column| can_be_set(relation, column))
}

/// Whether a column may be given a value. What people may do is not for themselves to decide: the
/// role of the service's own table of users is left out.
pub(super) fn can_be_set(relation: &Relation, column: &Column) -> bool {
    let own_role = relation.comment.users && column.name.as_str() == "role";
    !(column.generated || column.comment.readonly || column.comment.omit || own_role)
        && column.computed.is_none()
        && column.ty.cast.is_some()
}

fn mutation_result_type(name: &str) -> ObjectDef {
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
