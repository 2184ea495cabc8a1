//! The GraphQL schema of a tenant as plain data: what async-graphql registers, and what planning
//! looks fields up in. Every definition carries its meaning, so that nothing is found by its name
//! twice.

use std::sync::Arc;

use async_graphql::parser::types::{BaseType, Type as AstType};
use indexmap::IndexMap;

use super::aggregate::AggregateFunction;
use super::nearness::Nearness;
use super::operators::Operator;
pub use super::ways::{ListLink, Through, ToMany, ToOne};
use crate::model::{ColumnId, EnumType, FunctionId, RelationId, Standing};

/// All types by name.
#[derive(Debug, Default)]
pub struct Blueprint {
    pub types: IndexMap<String, TypeDef>,
    /// The object type of each relation; none when it is omitted.
    pub type_names: Vec<Option<Arc<str>>>,
}

#[derive(Debug)]
pub enum TypeDef {
    Scalar(ScalarDef),
    Enum(EnumDef),
    Object(ObjectDef),
    Interface(ObjectDef),
    Input(InputDef),
    /// An input whose objects are rows: a plan serves any number of them.
    Data(InputDef),
}

#[derive(Debug)]
pub struct ScalarDef {
    pub description: &'static str,
    pub specified_by: Option<&'static str>,
}

#[derive(Debug)]
pub struct EnumDef {
    pub description: Option<String>,
    /// GraphQL names, in order.
    pub values: Vec<String>,
    pub meaning: EnumMeaning,
}

#[derive(Debug, Clone)]
pub enum EnumMeaning {
    /// A Postgres enum: a value, which a parameter carries.
    Labels(Arc<EnumNames>),
    /// A word of the query language itself, which shapes the statement.
    Keyword,
}

/// The labels of a Postgres enum beside their GraphQL names.
#[derive(Debug)]
pub struct EnumNames {
    pub ty: Arc<EnumType>,
    pub names: Vec<String>,
}

#[derive(Debug)]
pub struct ObjectDef {
    pub description: Option<String>,
    pub fields: IndexMap<String, FieldDef>,
    /// Whether it implements `Node`.
    pub node: bool,
}

#[derive(Debug)]
pub struct FieldDef {
    pub description: Option<String>,
    pub deprecated: Option<String>,
    pub args: IndexMap<String, InputFieldDef>,
    pub ty: Type,
    pub meaning: FieldMeaning,
}

/// What selecting a field asks for.
#[derive(Debug, Clone)]
pub enum FieldMeaning {
    // on Query and Mutation
    List(RelationId),
    ByKey(RelationId, Vec<ColumnId>),
    Node,
    Viewer,
    LogIn(LogInMeans),
    // on Query, Mutation, and on a row
    Function(FunctionId),
    Write(RelationId, WriteKind),
    // on what a write to many rows answers
    AffectedCount,
    WrittenNodes,
    /// What the tenant's role may not read.
    Forbidden,
    // on a row
    NodeId,
    Column(ColumnId),
    ToOne(Arc<ToOne>),
    ToOneReverse(Arc<ToMany>),
    ToMany(Arc<ToMany>),
    Through(Arc<Through>),
    // on a connection, an edge, a page
    Nodes,
    Edges,
    TotalCount,
    Aggregates,
    Groups,
    PageInfo,
    Cursor,
    EdgeNode,
    HasNextPage,
    HasPreviousPage,
    StartCursor,
    EndCursor,
    // on what is computed over rows; the columns that a function takes are its object's fields
    Count,
    Aggregate(AggregateFunction),
    // on a group
    GroupKey,
    /// The service's own, which a schema of its own answers, and what it takes to ask for it at all.
    Service(Standing),
    // on the payload of logIn
    AccessToken,
    RefreshToken,
    ExpiresIn,
    LoggedInUser,
}

/// What somebody shows to get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogInMeans {
    Password,
    Refresh,
    Reset,
}

/// What a mutation does to the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteKind {
    Create,
    CreateMany,
    /// The row with a key.
    Update,
    /// The rows that match a filter.
    UpdateMany,
    Delete,
    DeleteMany,
}

/// How a column's new value comes from the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Increment,
    Append,
    Prepend,
    Remove,
}

/// What a write does to rows that are linked to those it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nested {
    Create,
    /// Rows with a key.
    Connect,
    /// Rows with a key, which are made where there are none.
    ConnectOrCreate,
    Disconnect,
    Delete,
    Update,
}

#[derive(Debug)]
pub struct InputDef {
    pub description: Option<String>,
    pub fields: IndexMap<String, InputFieldDef>,
    pub one_of: bool,
}

#[derive(Debug, Clone)]
pub struct InputFieldDef {
    pub description: Option<String>,
    pub ty: Type,
    pub meaning: InputMeaning,
}

/// What an argument or an input field says.
#[derive(Debug, Clone)]
pub enum InputMeaning {
    // arguments
    Where,
    OrderBy,
    First,
    After,
    Last,
    Before,
    Offset,
    Key(ColumnId),
    NodeId,
    /// Of a function: the place among its arguments.
    Argument(usize),
    /// A new row, or a list of them.
    Rows,
    /// New values of rows that exist.
    Set,
    /// What becomes of new rows whose key exists.
    OnConflict,
    /// One of the unique keys, by its name.
    UniqueKey(Arc<IndexMap<String, Vec<ColumnId>>>),
    /// Columns, by their names.
    Columns(Arc<IndexMap<String, ColumnId>>),
    /// Columns that are changed by what they hold.
    Change(Change),
    /// What happens to rows that are linked to this one.
    Nested(Nested),
    /// A unique key of several columns, which are the fields of its value.
    CompositeKey,
    // a filter on a relation
    And,
    Or,
    Not,
    Column(ColumnId),
    ToOne(Arc<ToOne>),
    ToMany(ListLink),
    Quantifier(Quantifier),
    Operator(Operator),
    // of groups: what they are made by, which are wanted
    By,
    Truncate,
    TimeZone,
    Having,
    // of what is computed over rows
    Count,
    Aggregate(AggregateFunction),
    GroupKey,
    // a filter on an array: how many elements it has, and what they are
    Length,
    Elements(Quantifier),
    // a filter on JSON: what it has at a path, and that as a text
    At,
    Path,
    TextAt,
    // an order by nearness: to what, and in which direction
    Near(ColumnId, Nearness),
    NearTo,
    Direction,
    // the service's own inputs
    Plain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    Some,
    Every,
    None,
}

/// A GraphQL type reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    Named { name: Arc<str>, non_null: bool },
    List { element: Box<Type>, non_null: bool },
}

impl Type {
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        Self::Named {
            name: name.into(),
            non_null: false,
        }
    }

    #[must_use]
    pub fn list(self) -> Self {
        Self::List {
            element: Box::new(self),
            non_null: false,
        }
    }

    #[must_use]
    pub fn non_null(self) -> Self {
        match self {
            Self::Named { name, .. } => Self::Named {
                name,
                non_null: true,
            },
            Self::List { element, .. } => Self::List {
                element,
                non_null: true,
            },
        }
    }

    #[must_use]
    pub fn non_null_if(self, required: bool) -> Self {
        if required { self.non_null() } else { self }
    }

    #[must_use]
    pub fn nullable(self) -> Self {
        match self {
            Self::Named { name, .. } => Self::named(name),
            Self::List { element, .. } => element.list(),
        }
    }

    pub fn is_non_null(&self) -> bool {
        match self {
            Self::Named { non_null, .. } | Self::List { non_null, .. } => *non_null,
        }
    }

    /// The innermost name.
    pub fn name(&self) -> &Arc<str> {
        match self {
            Self::Named { name, .. } => name,
            Self::List { element, .. } => element.name(),
        }
    }
}

impl From<&AstType> for Type {
    fn from(ty: &AstType) -> Self {
        let inner = match &ty.base {
            BaseType::Named(name) => Self::named(name.as_str()),
            BaseType::List(element) => Self::from(&**element).list(),
        };
        inner.non_null_if(!ty.nullable)
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Named { name, .. } => f.write_str(name)?,
            Self::List { element, .. } => write!(f, "[{element}]")?,
        }
        if self.is_non_null() {
            f.write_str("!")
        } else {
            Ok(())
        }
    }
}

impl Blueprint {
    pub fn object(&self, name: &str) -> Option<&ObjectDef> {
        match self.types.get(name)? {
            TypeDef::Object(def) | TypeDef::Interface(def) => Some(def),
            _ => None,
        }
    }

    pub fn input(&self, name: &str) -> Option<&InputDef> {
        match self.types.get(name)? {
            TypeDef::Input(def) | TypeDef::Data(def) => Some(def),
            _ => None,
        }
    }

    /// The relation behind an object type, for `node`.
    pub fn relation_of(&self, type_name: &str) -> Option<RelationId> {
        self.type_names
            .iter()
            .position(|name| name.as_deref() == Some(type_name))
            .map(RelationId)
    }
}
