//! Introspection: the catalog of one Postgres schema becomes a [`Model`].

mod comment;
mod introspect;
mod types;

pub use comment::Comment;
pub use introspect::{IntrospectionError, introspect};
pub use types::{
    Column, ColumnId, ColumnType, EnumType, ForeignKey, ForeignKeyId, Key, Model, OtherText,
    OwnAggregates, Relation, RelationId, RelationKind, TypeKind,
};
