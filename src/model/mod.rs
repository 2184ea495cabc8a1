//! Introspection: the catalog of one Postgres schema becomes a [`Model`].

mod access;
mod bare;
mod column_types;
mod comment;
mod declared;
mod function_types;
mod functions;
mod introspect;
mod keys;
mod types;

pub use access::{AccessRules, Standing};
pub use comment::{Comment, Marks};
pub use declared::DeclarationError;
pub use function_types::{Argument, Function, FunctionId, FunctionResult};
pub use introspect::{IntrospectionError, introspect};
pub use types::{
    Column, ColumnGrants, ColumnId, ColumnType, Constraint, EnumType, Equality, ForeignKey,
    ForeignKeyId, Grants, Key, Model, Operators, OtherText, OwnAggregates, Relation, RelationId,
    RelationKind, TypeKind,
};
