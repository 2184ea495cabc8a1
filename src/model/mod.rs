//! Introspection: the catalog of one Postgres schema becomes a [`Model`].

mod comment;
mod declared;
mod functions;
mod introspect;
mod types;

pub use comment::Comment;
pub use introspect::{IntrospectionError, introspect};
pub use types::{
    Argument, Column, ColumnId, ColumnType, Constraint, EnumType, ForeignKey, ForeignKeyId,
    Function, FunctionId, FunctionResult, Key, Model, OtherText, OwnAggregates, Relation,
    RelationId, RelationKind, TypeKind,
};
