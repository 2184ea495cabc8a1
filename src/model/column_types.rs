//! The types of the catalog, and what they are to columns.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::Row;

use super::comment::Comment;
use super::introspect::Catalog;
use super::types::{ColumnType, EnumType, Equality, Operators, OtherText, OwnAggregates, TypeKind};
use crate::sql::Ident;

pub(super) struct CatalogType {
    pub(super) name: String,
    pub(super) typtype: String,
    pub(super) base: u32,
    /// The relation that it is the row type of.
    pub(super) relation: u32,
    pub(super) element: u32,
    not_null: bool,
    pub(super) home: String,
    shadowed: bool,
    sortable: bool,
    aggregates: OwnAggregates,
    equality: Equality,
    pub(super) operators: Operators,
    labels: Option<Vec<String>>,
    comment: Comment,
}

impl CatalogType {
    /// By their object ids, from the rows of both queries about types.
    pub(super) fn all(rows: &[Row], operators: &[Row]) -> HashMap<u32, Self> {
        let compared: HashMap<u32, &Row> =
            operators.iter().map(|row| (row.get("oid"), row)).collect();
        rows.iter()
            .map(|row| {
                let oid = row.get("oid");
                let compared = compared.get(&oid);
                let operators = compared
                    .map(|row| Operators::new(row.get("operators")))
                    .unwrap_or_default();
                let ty = CatalogType {
                    name: row.get("typname"),
                    typtype: row.get("typtype"),
                    base: row.get("typbasetype"),
                    relation: row.get("typrelid"),
                    element: row.get("element"),
                    not_null: row.get("typnotnull"),
                    home: row.get("home"),
                    shadowed: row.get("shadowed"),
                    sortable: row.get("sortable"),
                    aggregates: OwnAggregates {
                        extremes: row.get("has_extremes"),
                        sum: row.get("has_sum"),
                    },
                    equality: equality(compared, &operators, row.get("typname")),
                    operators,
                    labels: row.get("labels"),
                    comment: Comment::parse(row.get("comment")),
                };
                (oid, ty)
            })
            .collect()
    }
}

impl Catalog {
    /// A domain "not null" says so for its columns.
    pub(super) fn is_not_null(&self, oid: u32) -> bool {
        self.types
            .get(&oid)
            .is_some_and(|ty| ty.typtype == "d" && (ty.not_null || self.is_not_null(ty.base)))
    }

    pub(super) fn column_type(&mut self, oid: u32, dimensions: usize) -> ColumnType {
        let Some(ty) = self.types.get(&oid) else {
            return ColumnType::opaque();
        };
        if ty.typtype == "d" {
            // Values compare and travel as those of the base type.
            let ty = self.column_type(ty.base, dimensions);
            let enum_domain = matches!(ty.kind, TypeKind::Enum(_));
            return ColumnType { enum_domain, ..ty };
        }
        let reachable = ty.home == "catalog" || (ty.home != "elsewhere" && !ty.shadowed);
        if !reachable {
            let kind = self.kind(oid, dimensions);
            return ColumnType {
                kind,
                ..ColumnType::opaque()
            };
        }
        let mut found = ColumnType {
            cast: Some(Ident::new(&ty.name)),
            sortable: ty.sortable,
            equality: ty.equality,
            operators: ty.operators.clone(),
            aggregates: ty.aggregates,
            ..ColumnType::opaque()
        };
        found.kind = self.kind(oid, dimensions);
        match &found.kind {
            TypeKind::Array { element, .. } if element.cast.is_none() => ColumnType {
                kind: found.kind,
                ..ColumnType::opaque()
            },
            TypeKind::Array { element, .. } => ColumnType {
                sortable: element.sortable,
                equality: element.equality,
                aggregates: OwnAggregates::default(),
                ..found
            },
            // All texts have the same filter.
            TypeKind::Text | TypeKind::Char => ColumnType {
                operators: self.model.text_operators.clone(),
                ..found
            },
            _ => found,
        }
    }

    fn kind(&mut self, oid: u32, dimensions: usize) -> TypeKind {
        let ty = &self.types[&oid];
        if ty.element != 0 {
            let (element, typtype) = (ty.element, ty.typtype.clone());
            let element = Box::new(self.column_type(element, 0));
            return match typtype.as_str() {
                "r" | "m" => TypeKind::Range { element },
                _ => TypeKind::Array {
                    element,
                    dimensions: dimensions.max(1),
                },
            };
        }
        if let Some(labels) = &ty.labels {
            let made = self.enums.entry(oid).or_insert_with(|| {
                Arc::new(EnumType {
                    name: Ident::new(&ty.name),
                    labels: labels.clone(),
                    comment: ty.comment.clone(),
                })
            });
            return TypeKind::Enum(Arc::clone(made));
        }
        match (ty.home.as_str(), ty.name.as_str()) {
            ("catalog", name) => builtin(name),
            ("extensions", "citext") => TypeKind::Text,
            ("extensions", "hstore") => TypeKind::Hstore,
            _ => TypeKind::Other(OtherText::Cast),
        }
    }
}

/// What says that two values of a type are the same.
fn equality(row: Option<&&Row>, operators: &Operators, name: &str) -> Equality {
    if row.is_some_and(|row| row.get("equality")) {
        Equality::Native
    } else if operators.compare_alike(name) {
        Equality::None
    } else {
        Equality::Text
    }
}

fn builtin(name: &str) -> TypeKind {
    match name {
        "bool" => TypeKind::Bool,
        "int2" => TypeKind::Int2,
        "int4" => TypeKind::Int4,
        "int8" => TypeKind::Int8,
        "oid" => TypeKind::Oid,
        "float4" => TypeKind::Float4,
        "float8" => TypeKind::Float8,
        "numeric" => TypeKind::Numeric,
        "text" | "varchar" | "bpchar" | "name" => TypeKind::Text,
        "char" => TypeKind::Char,
        "uuid" => TypeKind::Uuid,
        "timestamptz" => TypeKind::TimestampTz,
        "timestamp" => TypeKind::Timestamp,
        "date" => TypeKind::Date,
        "time" => TypeKind::Time,
        "interval" => TypeKind::Interval,
        "json" => TypeKind::Json,
        "jsonb" => TypeKind::Jsonb,
        "bytea" => TypeKind::Bytea,
        "inet" | "cidr" => TypeKind::Other(OtherText::Output),
        _ => TypeKind::Other(OtherText::Cast),
    }
}
