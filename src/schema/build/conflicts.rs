//! What becomes of new rows whose key exists: `onConflict: {on: …, update: […]}`.

use std::sync::Arc;

use indexmap::IndexMap;

use super::writes::can_be_set;
use super::{Builder, input};
use crate::model::{ColumnId, Key, Relation, RelationKind};
use crate::schema::types::{EnumDef, EnumMeaning, InputDef, InputMeaning, Type, TypeDef};
use crate::schema::words::pascal;

impl Builder<'_> {
    /// `IssueOnConflict`, `IssueUniqueKey` and `IssueColumn`; none where no key can be met.
    pub(super) fn conflict_types(&self, relation: &Relation, name: &str) -> Vec<(String, TypeDef)> {
        let keys = self.unique_keys(relation, |key| key.immediate);
        let columns = relation.column_ids().filter_map(|id| {
            let column = relation.column(id);
            let field = self.column_field(column)?;
            let granted = column.grants.update && can_be_set(relation, column);
            granted.then_some((field, id))
        });
        let columns: IndexMap<_, _> = columns.filter(|(name, _)| is_enum_value(name)).collect();
        // Triggers know no conflicts, and what a view's comment calls unique no index may be.
        let is_view = relation.kind == RelationKind::View;
        if is_view || keys.is_empty() || columns.is_empty() {
            return Vec::new();
        }
        let keyword = |description: &str, values: Vec<String>| {
            TypeDef::Enum(EnumDef {
                description: Some(description.to_owned()),
                values,
                meaning: EnumMeaning::Keyword,
            })
        };
        let (key_type, column_type) = (
            self.names.written(name, "UniqueKey"),
            self.names.written(name, "Column"),
        );
        let key_names = keys.keys().cloned().collect();
        let column_names = columns.keys().cloned().collect();
        let fields = IndexMap::from([
            (
                "on".to_owned(),
                input(
                    Type::named(key_type.as_str()).non_null(),
                    InputMeaning::UniqueKey(Arc::new(keys)),
                    "The key that may exist.",
                ),
            ),
            (
                "update".to_owned(),
                input(
                    Type::named(column_type.as_str())
                        .non_null()
                        .list()
                        .non_null(),
                    InputMeaning::Columns(Arc::new(columns)),
                    "The columns that a row which exists takes from the new one. None: it stays as it is, \
                     is answered, and does not count as affected.",
                ),
            ),
        ]);
        let conflict = InputDef {
            description: Some(format!("What becomes of a new {name} whose key exists.")),
            fields,
            one_of: false,
        };
        vec![
            (
                key_type,
                keyword("Columns that no two rows have in common.", key_names),
            ),
            (
                column_type,
                keyword("Columns that can be written.", column_names),
            ),
            (
                self.names.written(name, "OnConflict"),
                TypeDef::Input(conflict),
            ),
        ]
    }

    /// The keys by their names: `id`, `projectIdAndNumber`.
    pub(super) fn unique_keys(
        &self,
        relation: &Relation,
        wanted: impl Fn(&Key) -> bool,
    ) -> IndexMap<String, Vec<ColumnId>> {
        let keys = relation.keys.iter().filter(|key| wanted(key));
        let named = keys.filter_map(|key| {
            let fields = key.columns.iter().map(|&id| {
                let column = relation.column(id);
                self.column_field(column).filter(|_| column.ty.sortable)
            });
            let fields: Vec<_> = fields.collect::<Option<_>>()?;
            let (first, rest) = fields.split_first()?;
            let mut name = first.clone();
            for field in rest {
                name.push_str("And");
                name.push_str(&pascal(field));
            }
            is_enum_value(&name).then(|| (name, key.columns.clone()))
        });
        named.collect()
    }

    pub(super) fn has_unique_key(&self, relation: &Relation) -> bool {
        !self.unique_keys(relation, |_| true).is_empty()
    }
}

/// GraphQL keeps three words for itself.
fn is_enum_value(name: &str) -> bool {
    !matches!(name, "true" | "false" | "null")
}
