//! Model → GraphQL schema: first as plain data ([`Blueprint`]), then as an async-graphql schema.

mod aggregate;
mod build;
mod computed;
pub(crate) mod diff;
mod filters;
mod graphql;
mod links;
mod naming;
mod nearness;
mod operators;
#[cfg(test)]
mod operators_table;
mod scalars;
#[cfg(test)]
mod testing;
mod time;
mod types;
mod ways;
mod words;

use std::sync::atomic::{AtomicU64, Ordering};

use async_graphql::dynamic;

pub use aggregate::{Aggregate, AggregateFunction};
pub use build::SchemaError;
pub use naming::Clash;
pub use nearness::Nearness;
pub use operators::{Call, Offer, Operator, RightSide};
pub use time::TimeUnit;
pub use types::{
    Blueprint, Change, EnumMeaning, EnumNames, FieldDef, FieldMeaning, InputDef, InputFieldDef,
    InputMeaning, ListLink, LogInMeans, Nested, ObjectDef, Quantifier, Through, ToMany, ToOne,
    Type, TypeDef, WriteKind,
};
pub(crate) use words::{camel, pascal};

use crate::model::{AccessRules, Model};
use build::access_told;

/// A model and its GraphQL schema: all that planning needs, shared by every tenant at one schema
/// version.
pub struct Api {
    /// Distinguishes one API from another in cache keys; never reused in a process.
    pub id: u64,
    pub model: Model,
    /// Who may do what with it.
    pub access: AccessRules,
    pub blueprint: Blueprint,
    pub graphql: dynamic::Schema,
    pub options: Options,
}

/// What a deployment may choose about the schema.
#[derive(Debug, Clone)]
pub struct Options {
    /// Rows of a list when `first` and `last` are left out.
    pub default_limit: u32,
    /// The most rows that a list may be asked for.
    pub max_limit: u32,
    /// The field of `Node` that holds the global id.
    pub node_id_field: String,
    /// Whether errors may name what the client could have meant: whoever may not introspect is not
    /// told the schema word by word either.
    pub suggestions: bool,
    pub service: ServiceSchema,
}

/// The service's own part of every tenant's API.
#[derive(Debug, Clone, Copy)]
pub struct ServiceSchema {
    /// Its types and root fields, in GraphQL's schema language.
    pub sdl: &'static str,
    /// The root fields that are there for everybody, not only for members.
    pub public: &'static [&'static str],
}

impl Default for Options {
    fn default() -> Self {
        Self {
            default_limit: 50,
            max_limit: 1000,
            node_id_field: "nodeId".into(),
            suggestions: true,
            service: ServiceSchema {
                sdl: "",
                public: &[],
            },
        }
    }
}

impl Api {
    pub fn new(mut model: Model, options: Options) -> Result<Self, SchemaError> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        computed::add_columns(&mut model, &options.node_id_field);
        let access = AccessRules::of(&model)?;
        let blueprint = build::blueprint(&model, &access, &options)?;
        let graphql = graphql::schema(&blueprint, options.suggestions)?;
        Ok(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            model,
            access,
            blueprint,
            graphql,
            options,
        })
    }

    /// The schema in GraphQL's own language, sorted, so that equal schemas print equally.
    pub fn sdl(&self) -> String {
        graphql::sdl(&self.graphql)
    }
}
