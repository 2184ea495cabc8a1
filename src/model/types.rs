//! What a tenant schema consists of, as introspection found it.

use std::sync::Arc;

use super::comment::Comment;
use super::function_types::{Function, FunctionId};
use crate::sql::{Expression, Ident};

/// The tables of one schema version. The same for every tenant at that version: it holds names,
/// never object ids.
#[derive(Debug, Default)]
pub struct Model {
    pub relations: Vec<Relation>,
    pub foreign_keys: Vec<ForeignKey>,
    pub enums: Vec<Arc<EnumType>>,
    pub functions: Vec<Function>,
    pub constraints: Vec<Constraint>,
    /// The operators of the type text, which all texts share.
    pub text_operators: Operators,
    /// Functions of the app may run any statement.
    pub runs_anything: bool,
}

/// Index into [`Model::relations`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelationId(pub usize);

/// Index into [`Relation::columns`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnId(pub usize);

/// Index into [`Model::foreign_keys`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ForeignKeyId(pub usize);

#[derive(Debug)]
pub struct Relation {
    pub name: Ident,
    /// The schema that it lies in, where that is not the tenant's own.
    pub elsewhere: Option<Ident>,
    pub kind: RelationKind,
    pub comment: Comment,
    pub grants: Grants,
    /// Its rows can be locked, which takes the right to update them; not those that triggers write.
    pub lockable: bool,
    /// Policies decide which rows there are: one that is referred to may not be among them.
    pub row_security: bool,
    pub columns: Vec<Column>,
    /// The primary key first, when there is one.
    pub keys: Vec<Key>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKind {
    Table,
    View,
    MaterializedView,
    ForeignTable,
    /// A type that consists of columns: rows of it come from functions only.
    Composite,
    /// The rows of a function with columns of its own, `returns table (…)`; it has the function's name.
    Result,
}

impl RelationKind {
    /// Whether rows of the relation lie somewhere, so that they can be listed.
    pub fn has_rows(self) -> bool {
        !matches!(self, Self::Composite | Self::Result)
    }
}

/// What the tenant's role may do with a relation; reading is granted by the column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grants {
    pub insert: bool,
    pub update: bool,
    pub delete: bool,
}

impl Grants {
    pub const NONE: Self = Self {
        insert: false,
        update: false,
        delete: false,
    };
}

/// What the tenant's role may do with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnGrants {
    pub select: bool,
    pub insert: bool,
    pub update: bool,
}

impl ColumnGrants {
    pub const READ: Self = Self {
        select: true,
        insert: false,
        update: false,
    };
}

#[derive(Debug)]
pub struct Column {
    pub name: Ident,
    pub ty: ColumnType,
    pub not_null: bool,
    /// Written by Postgres alone: a generated column, or an identity "always".
    pub generated: bool,
    pub has_default: bool,
    /// The function that makes the value of the row; such a column is none of the table's own.
    pub computed: Option<Ident>,
    /// What the default computes; none where it is null, or is not known.
    pub default: Option<Expression>,
    pub grants: ColumnGrants,
    pub comment: Comment,
}

/// The type of a column, reduced to what reading and comparing it needs.
#[derive(Debug, Clone)]
pub struct ColumnType {
    pub kind: TypeKind,
    /// What a parameter is cast to; none when an unqualified name would not find the type, and
    /// then its values are compared as text.
    pub cast: Option<Ident>,
    /// Has a default btree order, and so `=` and `<`.
    pub sortable: bool,
    pub equality: Equality,
    pub operators: Operators,
    /// A domain over an enum: Postgres compares it with nothing before it is cast to the enum.
    pub enum_domain: bool,
    pub aggregates: OwnAggregates,
    /// Texts that differ can be equal, by their collation; Postgres has no patterns for those.
    pub folds: bool,
    /// The configuration that a `tsvector` is made by, or a text with an index for searches.
    pub search: Option<Expression>,
}

/// Which aggregates Postgres has for a type by name; those of types with a [`TypeKind`] of their
/// own are known without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnAggregates {
    /// `min` and `max`.
    pub extremes: bool,
    pub sum: bool,
}

/// How a type tells whether two values are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Equality {
    /// By the operator of its default index, which has an equal sign.
    Native,
    /// By the values' texts.
    Text,
    /// Not at all: what it calls equal is something else, such as the size of boxes.
    None,
}

/// The conditions that the catalog has for a type, as `jsonb @> jsonb`.
#[derive(Debug, Clone, Default)]
pub struct Operators(Arc<[String]>);

impl Operators {
    pub fn new(signatures: Vec<String>) -> Self {
        Self(signatures.into())
    }

    pub fn has(&self, signature: &str) -> bool {
        self.0.iter().any(|known| known == signature)
    }

    /// Whether values of the type have an operator of their own that calls them equal.
    pub(super) fn compare_alike(&self, name: &str) -> bool {
        self.has(&format!("{name} = {name}")) || self.has(&format!("{name} ~= {name}"))
    }
}

/// How values of a type look on the wire and in GraphQL.
#[derive(Debug, Clone)]
pub enum TypeKind {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    Text,
    /// The one-byte type `"char"`.
    Char,
    Uuid,
    TimestampTz,
    Timestamp,
    Date,
    Time,
    Interval,
    Json,
    Jsonb,
    Bytea,
    Enum(Arc<EnumType>),
    Array {
        element: Box<ColumnType>,
        /// As declared; Postgres does not enforce it.
        dimensions: usize,
    },
    /// A range or a multirange; travels as its text.
    Range {
        /// What it holds.
        element: Box<ColumnType>,
    },
    /// Keys and values, as an object of JSON.
    Hstore,
    /// Anything else travels as its text.
    Other(OtherText),
}

/// How a type without a decoder becomes text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherText {
    /// `::text` is the type's output function.
    Cast,
    /// `::text` prints something else (an `inet` gets a `/32`), so the output function is asked by
    /// way of `to_jsonb`.
    Output,
}

#[derive(Debug)]
pub struct EnumType {
    pub name: Ident,
    pub labels: Vec<String>,
    pub comment: Comment,
}

/// Columns that identify a row together.
#[derive(Debug, Clone)]
pub struct Key {
    pub columns: Vec<ColumnId>,
    pub primary: bool,
    /// A row that breaks it can be met at once: it is a constraint that is never deferred, and no
    /// declaration.
    pub immediate: bool,
}

#[derive(Debug)]
pub struct ForeignKey {
    pub name: Ident,
    pub comment: Comment,
    pub from: RelationId,
    pub from_columns: Vec<ColumnId>,
    pub to: RelationId,
    pub to_columns: Vec<ColumnId>,
    /// Whether it holds for all rows: not those that were there before a `not valid` one.
    pub validated: bool,
    /// Whether an index finds the rows that refer to one.
    pub indexed: bool,
}

/// What a row can violate.
#[derive(Debug)]
pub struct Constraint {
    pub relation: RelationId,
    pub name: String,
    /// The columns that it is about; none where it is about an expression alone.
    pub columns: Vec<ColumnId>,
}

impl Model {
    pub fn relation(&self, id: RelationId) -> &Relation {
        &self.relations[id.0]
    }

    /// The relation of a name, as Postgres' errors have it.
    pub fn relation_named(&self, name: &str) -> Option<RelationId> {
        self.relation_ids()
            .find(|&id| self.relation(id).name.as_str() == name)
    }

    pub fn constraint(&self, relation: RelationId, name: &str) -> Option<&Constraint> {
        self.constraints
            .iter()
            .find(|constraint| constraint.relation == relation && constraint.name == name)
    }

    pub fn foreign_key(&self, id: ForeignKeyId) -> &ForeignKey {
        &self.foreign_keys[id.0]
    }

    pub fn function(&self, id: FunctionId) -> &Function {
        &self.functions[id.0]
    }

    pub fn relation_ids(&self) -> impl Iterator<Item = RelationId> + use<> {
        (0..self.relations.len()).map(RelationId)
    }

    /// Whether every row on the child's side has its parent: the key holds for all of them, none of
    /// its columns is nullable, and no policy hides the parent.
    pub fn is_required(&self, key: &ForeignKey) -> bool {
        let child = self.relation(key.from);
        let mut columns = key.from_columns.iter();
        key.validated
            && !self.relation(key.to).row_security
            && columns.all(|&column| child.column(column).not_null)
    }

    /// Whether the columns on both sides may be read.
    pub fn is_readable(&self, key: &ForeignKey) -> bool {
        let sides = [(key.from, &key.from_columns), (key.to, &key.to_columns)];
        sides.into_iter().all(|(relation, columns)| {
            let relation = self.relation(relation);
            let mut columns = columns.iter();
            columns.all(|&column| relation.column(column).grants.select)
        })
    }

    /// Whether a parent has at most one child by this key.
    pub fn is_one_to_one(&self, key: &ForeignKey) -> bool {
        self.relation(key.from).keys.iter().any(|unique| {
            unique
                .columns
                .iter()
                .all(|column| key.from_columns.contains(column))
        })
    }
}

impl ColumnType {
    pub fn is_array(&self) -> bool {
        matches!(self.kind, TypeKind::Array { .. })
    }

    /// A type that no parameter can be of.
    pub fn opaque() -> Self {
        Self {
            kind: TypeKind::Other(OtherText::Cast),
            cast: None,
            sortable: false,
            equality: Equality::Text,
            operators: Operators::default(),
            enum_domain: false,
            aggregates: OwnAggregates::default(),
            folds: false,
            search: None,
        }
    }

    /// The same type with a collation.
    #[must_use]
    pub fn folding(mut self, folds: bool) -> Self {
        if let TypeKind::Array { element, .. } = &mut self.kind {
            element.folds = folds;
        }
        Self { folds, ..self }
    }

    /// A type of Postgres' own that can be sorted.
    pub fn builtin(kind: TypeKind, name: &str) -> Self {
        Self {
            kind,
            cast: Some(Ident::new(name)),
            sortable: true,
            equality: Equality::Native,
            ..Self::opaque()
        }
    }
}

impl Relation {
    pub fn column(&self, id: ColumnId) -> &Column {
        &self.columns[id.0]
    }

    /// All columns, those that functions compute included.
    pub fn column_ids(&self) -> impl Iterator<Item = ColumnId> + use<> {
        (0..self.columns.len()).map(ColumnId)
    }

    /// The key that names a row to clients: the primary key, else the first unique key without
    /// nullable columns; one that may be read.
    pub fn identity(&self) -> Option<&Key> {
        self.keys.iter().find(|key| {
            let columns = || key.columns.iter().map(|&column| self.column(column));
            columns().all(|column| column.grants.select)
                && (key.primary || columns().all(|column| column.not_null))
        })
    }

    /// Whether the tenant's role may read all of the columns, as a whole row takes.
    pub fn is_wholly_readable(&self) -> bool {
        self.columns.iter().all(|column| column.grants.select)
    }

    pub fn is_readable(&self) -> bool {
        self.columns.iter().any(|column| column.grants.select)
    }
}
