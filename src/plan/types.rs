//! A compiled operation: what is read, and how the answer is laid out. SQL is printed from it and
//! rows are encoded by it, in the same order, so that neither needs to look anything up.

use std::sync::Arc;

pub use super::computed::*;
use super::cost::Cost;
pub use super::list::*;
use super::log_in::LogIn;
use super::params::{Limits, Params};
pub use super::predicate::{Operand, Predicate};
use super::write::Write;
use crate::encode::Codec;
use crate::model::{ColumnId, FunctionId, RelationId, Standing};
use crate::sql::Ident;

#[derive(Debug)]
pub struct Plan {
    pub kind: OperationKind,
    pub roots: Vec<Root>,
    /// What it takes to run it.
    pub needs: Standing,
    pub cost: Cost,
    pub params: Params,
    pub limits: Limits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    Query,
    Mutation,
}

/// A field of the operation itself.
#[derive(Debug)]
pub struct Root {
    pub key: ResponseKey,
    /// What the schema calls it.
    pub field: Box<str>,
    pub value: RootValue,
}

#[derive(Debug)]
pub enum RootValue {
    Typename(Arc<str>),
    /// Null, with an error that says so.
    Forbidden,
    /// Known to be null without asking, such as `node` with an id that names no type.
    Null,
    Connection(Box<Connection>),
    Row(RootRow),
    /// What a function returns that is no row.
    Call(CallValue),
    LogIn(Box<LogIn>),
    Write(Box<Write>),
    /// Answered by the service's own schema, with so many values at most.
    Service {
        takes: Standing,
        values: u64,
    },
    /// Answered by async-graphql.
    Introspection,
}

/// One row or none.
#[derive(Debug)]
pub struct RootRow {
    pub relation: RelationId,
    pub source: RowSource,
    pub selection: Selection,
}

/// Where a root field's row comes from.
#[derive(Debug)]
pub enum RowSource {
    /// The relation's row with this key.
    Key(Vec<(ColumnId, ParamId)>),
    /// The row that a function returns.
    Call(Call),
}

/// A call of a function. One of a row has that row before its arguments.
#[derive(Debug)]
pub struct Call {
    pub function: FunctionId,
    pub arguments: Vec<CallArgument>,
}

#[derive(Debug)]
pub struct CallArgument {
    /// None where its position says which it is.
    pub name: Option<Ident>,
    pub param: ParamId,
    /// The list stands for any number of arguments.
    pub variadic: bool,
}

/// A value that a function returns, or a list of them.
#[derive(Debug)]
pub struct CallValue {
    pub call: Call,
    pub codec: Codec,
    /// Of one value.
    pub wire: Wire,
    pub non_null: bool,
    /// None for a single value.
    pub page: Option<CallPage>,
}

/// Which of the values that a function returns.
#[derive(Debug)]
pub struct CallPage {
    pub limit: ParamId,
    pub offset: Option<ParamId>,
}

/// Fields of one row, in the order of the answer.
#[derive(Debug, Default)]
pub struct Selection {
    pub fields: Vec<SelectedField>,
}

#[derive(Debug)]
pub struct SelectedField {
    pub key: ResponseKey,
    pub value: FieldValue,
}

#[derive(Debug)]
pub enum FieldValue {
    Typename(Arc<str>),
    NodeId(NodeId),
    /// Null, with an error that says so.
    Forbidden,
    Column(ColumnRead),
    Call(Box<CallValue>),
    ToOne(Box<ToOneRow>),
    Connection(Box<Connection>),
}

#[derive(Debug)]
pub struct ColumnRead {
    pub column: ColumnId,
    pub codec: Codec,
    pub wire: Wire,
    pub non_null: bool,
}

/// The form in which a column leaves Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// In the binary form of its type.
    Binary,
    /// Binary too, of a type that has no fixed oid: inside a record nobody cares, but as a column
    /// of its own the driver would look the type up, so there it is cast to text.
    OwnType,
    /// As text, or as an array of texts.
    Text { array: bool },
    /// As `jsonb`, or as an array of such.
    Json { array: bool },
    /// As what the type's output function prints.
    Output,
}

/// A global id: the type's name and the values of its key.
#[derive(Debug)]
pub struct NodeId {
    pub type_name: Arc<str>,
    pub key: Vec<ColumnRead>,
}

/// A related row, joined to its parent's row: a column that says whether it is there, then its own.
#[derive(Debug)]
pub struct ToOneRow {
    pub target: RelationId,
    pub join: RowJoin,
    pub selection: Selection,
    pub non_null: bool,
}

/// How a related row is found.
#[derive(Debug)]
pub enum RowJoin {
    /// By (column of the parent, column of the target).
    On(Vec<(ColumnId, ColumnId)>),
    /// A function of the parent's row returns it.
    Call(Call),
}

/// A parameter of the statement, in the order of [`Params`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamId(pub usize);

/// A limit that the encoder needs to know too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitId(pub usize);

/// A field's name in the answer, ready to be written: `"name":`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseKey(Box<str>);

impl ResponseKey {
    /// GraphQL names need no escaping in JSON.
    pub fn new(name: &str) -> Self {
        Self(format!("\"{name}\":").into())
    }

    pub fn json(&self) -> &[u8] {
        self.0.as_bytes()
    }

    pub fn name(&self) -> &str {
        &self.0[1..self.0.len() - 2]
    }
}

impl Selection {
    /// How many columns the selection takes of its row.
    pub fn width(&self) -> usize {
        self.fields
            .iter()
            .map(|field| match &field.value {
                FieldValue::Typename(_) | FieldValue::Forbidden => 0,
                FieldValue::NodeId(id) => id.key.len(),
                FieldValue::Column(_) | FieldValue::Call(_) | FieldValue::Connection(_) => 1,
                FieldValue::ToOne(row) => 1 + row.selection.width(),
            })
            .sum()
    }
}
