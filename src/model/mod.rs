//! Introspection: the catalog of one Postgres schema becomes a [`Model`].

mod column_types;
mod comment;
mod declared;
mod functions;
mod introspect;
mod types;

pub use comment::Comment;
pub use introspect::{IntrospectionError, introspect};
pub use types::{
    Argument, Column, ColumnId, ColumnType, Constraint, EnumType, Equality, ForeignKey,
    ForeignKeyId, Function, FunctionId, FunctionResult, Key, Model, Operators, OtherText,
    OwnAggregates, Relation, RelationId, RelationKind, TypeKind,
};
