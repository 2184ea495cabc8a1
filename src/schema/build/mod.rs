//! The types of one model: rows, connections, filters, orders, and the roots.

mod access;
mod aggregates;
mod changes;
mod conflicts;
mod functions;
mod groups;
mod inputs;
mod log_in;
mod merge;
mod mutations;
mod nested;
mod roots;
mod rows;
mod service;
mod time;
mod writes;

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::Options;
use super::links::{LinkField, link_fields};
use super::naming::{Clash, TypeNames, column_field, enum_name};
use super::scalars::SCALARS;
use super::types::{
    Blueprint, EnumDef, EnumMeaning, EnumNames, FieldDef, FieldMeaning, InputFieldDef,
    InputMeaning, Type, TypeDef,
};
use super::words::constants;
use crate::model::{AccessRules, Column, DeclarationError, EnumType, Model, Relation, RelationId};
pub(super) use access::access_told;
use merge::Merged;

#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    #[error(transparent)]
    Clash(#[from] Clash),
    #[error(transparent)]
    Access(#[from] DeclarationError),
    #[error("async-graphql refuses the schema: {0}")]
    Refused(String),
}

/// Type names that the service itself defines.
const RESERVED: [&str; 25] = [
    "Query",
    "Mutation",
    "Subscription",
    "Node",
    "PageInfo",
    "SortOrder",
    "TimeUnit",
    "DateUnit",
    "DateGrouping",
    "DateTimeGrouping",
    "LocalDateTimeGrouping",
    "LogIn",
    "Int",
    "Float",
    "String",
    "Boolean",
    "ID",
    "Upload",
    "Opaque",
    "JSONPath",
    "CollatedString",
    "SearchedString",
    "SearchRank",
    "TextSimilarity",
    "ValueDistance",
];

/// The directions a list can be sorted in.
pub(crate) const SORT_ORDERS: [&str; 6] = [
    "ASC",
    "ASC_NULLS_FIRST",
    "ASC_NULLS_LAST",
    "DESC",
    "DESC_NULLS_FIRST",
    "DESC_NULLS_LAST",
];

pub(super) fn blueprint(
    model: &Model,
    access: &AccessRules,
    options: &Options,
) -> Result<Blueprint, SchemaError> {
    let mut merged = Merged::read(options.service.sdl, options.service.public)?;
    let is_reserved = |name: &str| {
        RESERVED.contains(&name)
            || merged.reserves(name)
            || SCALARS.iter().any(|(scalar, ..)| *scalar == name)
            // Filters of types without a scalar are called after those: `PgInetFilter`.
            || name.strip_prefix("Pg").is_some_and(|rest| rest.starts_with(char::is_uppercase))
    };
    let names = TypeNames::new(model, is_reserved)?;
    let links = link_fields(model, &names, &options.node_id_field)?;
    let mut builder = Builder {
        model,
        access,
        options,
        enums: enum_names(model, &names, is_reserved),
        names: &names,
        types: IndexMap::new(),
        origins: HashMap::new(),
    };
    builder.add_service_types()?;
    builder.add_merged(&mut merged)?;
    builder.add_enums()?;
    for id in model.relation_ids() {
        if let Some(name) = names.of(id) {
            builder.add_relation(id, name, &links[id.0])?;
        }
    }
    builder.add_roots(merged)?;
    let types = builder.types;
    Ok(Blueprint {
        types,
        type_names: names.into_inner(),
    })
}

/// The GraphQL name of each Postgres enum; a table of the same name goes first.
fn enum_names(
    model: &Model,
    names: &TypeNames,
    is_reserved: impl Fn(&str) -> bool,
) -> HashMap<String, Arc<str>> {
    let tables: Vec<_> = model.relation_ids().filter_map(|id| names.of(id)).collect();
    let name_of = |ty: &EnumType| {
        let mut name = enum_name(ty);
        if is_reserved(&name) || tables.iter().any(|table| ***table == name) {
            name.push_str("Enum");
        }
        name
    };
    model
        .enums
        .iter()
        .map(|ty| (ty.name.as_str().to_owned(), name_of(ty).into()))
        .collect()
}

struct Builder<'m> {
    model: &'m Model,
    access: &'m AccessRules,
    options: &'m Options,
    names: &'m TypeNames,
    enums: HashMap<String, Arc<str>>,
    types: IndexMap<String, TypeDef>,
    /// What each type comes from, for a clash's message.
    origins: HashMap<String, String>,
}

impl Builder<'_> {
    fn add(
        &mut self,
        name: String,
        def: TypeDef,
        origin: String,
        remedy: &str,
    ) -> Result<(), Clash> {
        if let Some(first) = self.origins.get(&name) {
            let (first, remedy) = (first.clone(), remedy.to_owned());
            return Err(Clash {
                name,
                first,
                second: origin,
                remedy,
            });
        }
        self.origins.insert(name.clone(), origin);
        self.types.insert(name, def);
        Ok(())
    }

    /// The type of the service's own table of users.
    fn users(&self) -> Option<&Arc<str>> {
        let id = self
            .model
            .relations
            .iter()
            .position(|relation| relation.comment.users)?;
        self.names.of(RelationId(id))
    }

    fn add_enums(&mut self) -> Result<(), Clash> {
        for ty in &self.model.enums {
            let name = self.enums[ty.name.as_str()].to_string();
            let values = constants(&ty.labels);
            let names = EnumNames {
                ty: Arc::clone(ty),
                names: values.clone(),
            };
            let def = EnumDef {
                description: ty.comment.description.clone(),
                values,
                meaning: EnumMeaning::Labels(Arc::new(names)),
            };
            let remedy = format!("comment on type {} is '@name something_else'", ty.name);
            self.add(
                name,
                TypeDef::Enum(def),
                format!("enum {}", ty.name),
                &remedy,
            )?;
        }
        Ok(())
    }

    fn add_relation(
        &mut self,
        id: RelationId,
        name: &Arc<str>,
        links: &[LinkField],
    ) -> Result<(), Clash> {
        let relation = self.model.relation(id);
        let row = self.row_type(id, relation, links)?;
        let filter = self.filter_type(id, name, links)?;
        let order = self.order_type(relation, links);
        let edge_name = self.names.edge(name);
        let connection = self.connection_type(id, name, &edge_name);
        let edge = rows::edge_type(name);
        let list_filter = self.list_filter_type(id, name);
        let mut types = vec![
            (name.to_string(), TypeDef::Object(row)),
            (self.names.connection(name), TypeDef::Object(connection)),
            (edge_name, TypeDef::Object(edge)),
            (self.names.filter(name), TypeDef::Input(filter)),
            (self.names.list_filter(name), TypeDef::Input(list_filter)),
        ];
        if !order.fields.is_empty() {
            types.push((self.names.order(name), TypeDef::Input(order)));
        }
        types.extend(self.write_types(id, name, links));
        for (name, def) in types {
            self.add_derived(id, name, def)?;
        }
        self.add_aggregates(id, name)?;
        self.add_groups(id, name, links)
    }

    /// The name of a column that can be read, for all that looks at its values.
    fn column_field(&self, column: &Column) -> Option<String> {
        let readable = Some(column).filter(|column| column.grants.select);
        column_field(readable?, &self.options.node_id_field)
    }

    fn column_type(&self, column: &Column) -> Type {
        self.graphql_type(&column.ty)
    }
}

/// Whether a list of these rows can be ordered by anything.
fn is_sortable(relation: &Relation) -> bool {
    relation
        .columns
        .iter()
        .any(|column| column.ty.sortable && column.grants.select && !column.comment.omit)
}

fn field(ty: Type, meaning: FieldMeaning, description: &str) -> FieldDef {
    FieldDef {
        description: Some(description.into()),
        deprecated: None,
        args: IndexMap::new(),
        ty,
        meaning,
    }
}

fn input(ty: Type, meaning: InputMeaning, description: &str) -> InputFieldDef {
    InputFieldDef {
        description: Some(description.into()),
        ty,
        meaning,
    }
}

/// An input field that its type says everything of.
fn undescribed(ty: Type, meaning: InputMeaning) -> InputFieldDef {
    InputFieldDef {
        description: None,
        ty,
        meaning,
    }
}

fn described(ty: Type, description: &str) -> InputFieldDef {
    InputFieldDef {
        description: Some(description.to_owned()),
        ..plain(ty)
    }
}

fn plain(ty: Type) -> InputFieldDef {
    undescribed(ty, InputMeaning::Plain)
}
