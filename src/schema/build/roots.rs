//! The fields of Query and Mutation.

use std::sync::Arc;

use indexmap::IndexMap;

use super::merge::Merged;
use super::{Builder, field, input};
use crate::model::{Key, RelationId};
use crate::schema::naming::{Clash, describe, describe_function, list_field, single_field};
use crate::schema::types::{
    FieldDef, FieldMeaning, InputFieldDef, InputMeaning, ObjectDef, Type, TypeDef,
};
use crate::schema::words::{pascal, singular};

impl Builder<'_> {
    pub(super) fn add_roots(&mut self, merged: Merged) -> Result<(), Clash> {
        let mut query: IndexMap<String, FieldDef> = IndexMap::new();
        let node_id = input(
            Type::named("ID").non_null(),
            InputMeaning::NodeId,
            "From any row.",
        );
        query.insert(
            "node".into(),
            FieldDef {
                args: IndexMap::from([(self.options.node_id_field.clone(), node_id)]),
                ..field(
                    Type::named("Node"),
                    FieldMeaning::Node,
                    "Any row, by its global id.",
                )
            },
        );
        if let Some(user) = self.users() {
            let user = Type::named(Arc::clone(user));
            query.insert(
                "viewer".into(),
                field(user, FieldMeaning::Viewer, "Who is asking."),
            );
        }
        query.extend(merged.query);
        let relations: Vec<_> = self
            .model
            .relation_ids()
            .filter(|id| self.model.relation(*id).kind.has_rows())
            .filter_map(|id| Some((id, self.names.of(id)?)))
            .collect();
        for &(id, name) in &relations {
            let readable = self.model.relation(id).is_readable();
            let ty = Type::named(self.names.connection(name)).non_null_if(readable);
            let def = FieldDef {
                description: self.describe_rows(id),
                deprecated: self.model.relation(id).comment.deprecated.clone(),
                args: self.list_args(id, name),
                ty,
                meaning: if readable {
                    FieldMeaning::List(id)
                } else {
                    FieldMeaning::Forbidden
                },
            };
            self.add_relation_root(&mut query, list_field(name), def, id)?;
        }
        for &(id, name) in &relations {
            for key in &self.model.relation(id).keys {
                self.add_lookup(&mut query, id, name, key)?;
            }
        }
        self.add_query_functions(&mut query)?;
        let description = Some("Everything that can be read.".to_owned());
        self.types.insert(
            "Query".into(),
            TypeDef::Object(ObjectDef {
                description,
                fields: query,
                node: false,
            }),
        );
        self.add_mutations(merged.mutation)
    }

    /// `issue(id:)` for the primary key, `issueByProjectIdAndNumber(…)` for the others.
    fn add_lookup(
        &self,
        query: &mut IndexMap<String, FieldDef>,
        id: RelationId,
        name: &str,
        key: &Key,
    ) -> Result<(), Clash> {
        let Some(args) = self.key_args(id, key) else {
            return Ok(());
        };
        let long = {
            let columns: Vec<_> = args.keys().map(|name| pascal(name)).collect();
            format!("{}By{}", single_field(name), columns.join("And"))
        };
        let short = single_field(name);
        // Where singular and plural are one word (`news`), the lookup takes its long name.
        let field_name = if key.primary && !query.contains_key(&short) {
            short
        } else {
            long
        };
        let ty = Type::named(Arc::from(name));
        let text = format!("The {} with this key, if there is one.", singular(name));
        let def = FieldDef {
            args,
            ..field(ty, FieldMeaning::ByKey(id, key.columns.clone()), &text)
        };
        self.add_relation_root(query, field_name, def, id)
    }

    /// The columns of a key as arguments; none when it has an omitted or an incomparable column,
    /// and so cannot be asked for.
    pub(super) fn key_args(
        &self,
        id: RelationId,
        key: &Key,
    ) -> Option<IndexMap<String, InputFieldDef>> {
        let relation = self.model.relation(id);
        let columns = key.columns.iter().map(|&column_id| {
            let column = relation.column(column_id);
            let field = self.column_field(column).filter(|_| column.ty.sortable)?;
            let def = InputFieldDef {
                description: None,
                ty: self.column_type(column).non_null(),
                meaning: InputMeaning::Key(column_id),
            };
            Some((field, def))
        });
        columns.collect()
    }

    pub(super) fn add_relation_root(
        &self,
        query: &mut IndexMap<String, FieldDef>,
        name: String,
        def: FieldDef,
        id: RelationId,
    ) -> Result<(), Clash> {
        let second = describe(self.model.relation(id));
        let remedy = format!("comment on {second} is '@name something_else'");
        self.add_root(query, name, def, second, remedy)
    }

    /// Adds a field that comes from `origin`, unless its name is taken.
    pub(super) fn add_root(
        &self,
        query: &mut IndexMap<String, FieldDef>,
        name: String,
        def: FieldDef,
        origin: String,
        remedy: String,
    ) -> Result<(), Clash> {
        let Some(other) = query.get(&name) else {
            query.insert(name, def);
            return Ok(());
        };
        let first = match &other.meaning {
            FieldMeaning::Function(other) => describe_function(self.model.function(*other)),
            FieldMeaning::List(other)
            | FieldMeaning::ByKey(other, _)
            | FieldMeaning::Write(other, _) => describe(self.model.relation(*other)),
            _ => "the service".into(),
        };
        Err(Clash {
            name,
            first,
            second: origin,
            remedy,
        })
    }
}
