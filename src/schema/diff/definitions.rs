//! A schema in GraphQL's own language, taken apart.

use std::collections::{BTreeSet, HashSet};

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, SchemaDefinition, Type, TypeDefinition, TypeKind,
    TypeSystemDefinition,
};

/// Why a text is not taken for a schema.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnreadableSchema {
    #[error("this is not a GraphQL schema: {0}")]
    Syntax(#[from] async_graphql::parser::Error),
    #[error("this is not a whole GraphQL schema: it has no type Query")]
    NoQuery,
    #[error("this is not a whole GraphQL schema: it extends {0}")]
    Extension(String),
}

#[derive(Default)]
pub(super) struct Definitions {
    pub(super) types: Vec<TypeDefinition>,
    pub(super) directives: BTreeSet<String>,
    /// Of queries, mutations and subscriptions.
    roots: [Option<String>; 3],
}

impl Definitions {
    pub(super) fn read(sdl: &str) -> Result<Self, UnreadableSchema> {
        let mut read = Self::default();
        let mut declared = None;
        for definition in parse_schema(sdl)?.definitions {
            match definition {
                TypeSystemDefinition::Type(ty) if ty.node.extend => {
                    return Err(UnreadableSchema::Extension(ty.node.name.node.to_string()));
                }
                TypeSystemDefinition::Type(ty) => read.types.push(ty.node),
                TypeSystemDefinition::Directive(directive) => {
                    read.directives.insert(directive.node.name.node.to_string());
                }
                TypeSystemDefinition::Schema(schema) if schema.node.extend => {
                    return Err(UnreadableSchema::Extension("the schema".to_owned()));
                }
                TypeSystemDefinition::Schema(schema) => declared = Some(schema.node),
            }
        }
        read.roots = match declared {
            Some(schema) => roots(schema),
            // The names that count when nothing is said.
            None => ["Query", "Mutation", "Subscription"].map(|name| read.known(name)),
        };
        let query = read.roots[0].as_deref();
        match query.and_then(|name| read.known(name)) {
            Some(_) => Ok(read),
            None => Err(UnreadableSchema::NoQuery),
        }
    }

    fn known(&self, name: &str) -> Option<String> {
        let known = self.types.iter().any(|ty| ty.name.node == name);
        known.then(|| name.to_owned())
    }

    /// The root types of both schemas, under what they are for.
    pub(super) fn roots_beside<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = (&'static str, Option<&'a str>, Option<&'a str>)> {
        let kinds = ["query type", "mutation type", "subscription type"];
        let roots = self.roots.iter().zip(&other.roots);
        kinds
            .into_iter()
            .zip(roots)
            .map(|(kind, (one, other))| (kind, one.as_deref(), other.as_deref()))
    }

    /// The names of the types that fields answer with.
    pub(super) fn answered(&self) -> HashSet<&str> {
        let fields = self.types.iter().flat_map(|ty| fields(&ty.kind));
        fields.map(|field| named(&field.node.ty.node)).collect()
    }
}

fn roots(schema: SchemaDefinition) -> [Option<String>; 3] {
    [schema.query, schema.mutation, schema.subscription]
        .map(|root| root.map(|root| root.node.to_string()))
}

fn fields(kind: &TypeKind) -> &[Positioned<FieldDefinition>] {
    match kind {
        TypeKind::Object(object) => &object.fields,
        TypeKind::Interface(interface) => &interface.fields,
        _ => &[],
    }
}

fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => named(inner),
    }
}
