//! Changes of columns by what they hold: `increment`, `append`, `prepend`, `remove`.

use indexmap::IndexMap;

use super::Builder;
use super::writes::can_be_set;
use crate::model::{Column, Relation, TypeKind};
use crate::schema::types::{Change, InputDef, InputFieldDef, InputMeaning, Type, TypeDef};

/// Field, suffix of its type, description.
const CHANGES: [(Change, &str, &str, &str); 4] = [
    (
        Change::Increment,
        "increment",
        "Increment",
        "Adds to numbers; a negative one takes away, and null counts as 0.",
    ),
    (
        Change::Append,
        "append",
        "Append",
        "Adds items at the end of lists. A JSON object is merged into an object.",
    ),
    (
        Change::Prepend,
        "prepend",
        "Prepend",
        "Adds items at the start of lists.",
    ),
    (
        Change::Remove,
        "remove",
        "Remove",
        "Takes all items out of lists that equal one of these, or keys out of a JSON object.",
    ),
];

impl Builder<'_> {
    /// Adds the fields of changes to those of a patch, and returns their types.
    pub(super) fn changes(
        &self,
        relation: &Relation,
        name: &str,
        patch: &mut IndexMap<String, InputFieldDef>,
    ) -> Vec<(String, TypeDef)> {
        let mut types = Vec::new();
        for (change, field, suffix, text) in CHANGES {
            let fields: IndexMap<_, _> = relation
                .column_ids()
                .filter_map(|id| {
                    let column = relation.column(id);
                    let granted = Some(column).filter(|column| column.grants.update)?;
                    let name = self.column_field(granted)?;
                    let ty = self.changed_by(change, relation, column)?;
                    let def = InputFieldDef {
                        description: column.comment.description.clone(),
                        ty,
                        meaning: InputMeaning::Column(id),
                    };
                    Some((name, def))
                })
                .collect();
            if fields.is_empty() {
                continue;
            }
            let type_name = self.names.written(name, suffix);
            let def = InputFieldDef {
                description: Some(text.to_owned()),
                ty: Type::named(type_name.as_str()),
                meaning: InputMeaning::Change(change),
            };
            // A column of that name goes first.
            let mut field = field.to_owned();
            while patch.contains_key(&field) {
                field.push_str("Values");
            }
            patch.insert(field, def);
            let input = InputDef {
                description: Some(text.to_owned()),
                fields,
                one_of: false,
            };
            types.push((type_name, TypeDef::Data(input)));
        }
        types
    }

    /// The type of what a column can be changed by.
    fn changed_by(&self, change: Change, relation: &Relation, column: &Column) -> Option<Type> {
        if !can_be_set(relation, column) {
            return None;
        }
        let ty = self.column_type(column);
        let fits = match (&column.ty.kind, change) {
            (TypeKind::Jsonb, Change::Remove) => {
                return Some(Type::named("String").non_null().list());
            }
            (
                TypeKind::Int2
                | TypeKind::Int4
                | TypeKind::Int8
                | TypeKind::Float4
                | TypeKind::Float8
                | TypeKind::Numeric,
                change,
            ) => change == Change::Increment,
            (TypeKind::Jsonb, change) => change != Change::Increment,
            (
                TypeKind::Array {
                    dimensions: 1,
                    element,
                },
                change,
            ) => match change {
                Change::Increment => false,
                Change::Append | Change::Prepend => true,
                Change::Remove => element.sortable,
            },
            _ => false,
        };
        fits.then_some(ty)
    }
}
