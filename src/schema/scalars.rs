//! Scalars, and the GraphQL types of columns.

use std::sync::Arc;

use super::types::{ScalarDef, Type};
use crate::model::{ColumnType, TypeKind};

/// Scalars beyond GraphQL's own five: name, description, specification.
pub(super) const SCALARS: [(&str, &str, Option<&str>); 11] = [
    (
        "BigInt",
        "A 64-bit integer, as a string: JavaScript numbers lose digits beyond 2^53.",
        None,
    ),
    (
        "Bytes",
        "Binary data in base64.",
        Some("https://www.rfc-editor.org/rfc/rfc4648#section-4"),
    ),
    (
        "Cursor",
        "A place in a list, for `after` and `before`. Opaque; valid for the same `orderBy`.",
        None,
    ),
    (
        "Date",
        "A calendar date: `2026-11-21`.",
        Some("https://scalars.graphql.org/andimarek/local-date"),
    ),
    (
        "DateTime",
        "A moment in UTC: `2026-11-21T07:53:52.123Z`.",
        Some("https://scalars.graphql.org/andimarek/date-time"),
    ),
    ("Decimal", "A number of any precision, as a string.", None),
    (
        "Interval",
        "A span of time as an ISO 8601 duration: `P1DT2H`.",
        None,
    ),
    (
        "JSON",
        "Any JSON value.",
        Some("https://www.rfc-editor.org/rfc/rfc8259"),
    ),
    (
        "LocalDateTime",
        "A date and time without a time zone: `2026-11-21T07:53:52`.",
        None,
    ),
    (
        "Time",
        "A time of day without a time zone: `07:53:52`.",
        None,
    ),
    (
        "UUID",
        "A universally unique identifier.",
        Some("https://www.rfc-editor.org/rfc/rfc9562"),
    ),
];

pub(super) fn scalar_defs() -> impl Iterator<Item = (&'static str, ScalarDef)> {
    SCALARS.iter().map(|&(name, description, specified_by)| {
        (
            name,
            ScalarDef {
                description,
                specified_by,
            },
        )
    })
}

/// The GraphQL type of a column's values; `enum_name` names the type of a Postgres enum.
pub(super) fn graphql_type(ty: &ColumnType, enum_name: &dyn Fn(&str) -> Arc<str>) -> Type {
    match &ty.kind {
        TypeKind::Bool => Type::named("Boolean"),
        TypeKind::Int2 | TypeKind::Int4 => Type::named("Int"),
        TypeKind::Int8 | TypeKind::Oid => Type::named("BigInt"),
        TypeKind::Float4 | TypeKind::Float8 => Type::named("Float"),
        TypeKind::Numeric => Type::named("Decimal"),
        TypeKind::Text | TypeKind::Char | TypeKind::Range { .. } | TypeKind::Other(_) => {
            Type::named("String")
        }
        TypeKind::Uuid => Type::named("UUID"),
        TypeKind::TimestampTz => Type::named("DateTime"),
        TypeKind::Timestamp => Type::named("LocalDateTime"),
        TypeKind::Date => Type::named("Date"),
        TypeKind::Time => Type::named("Time"),
        TypeKind::Interval => Type::named("Interval"),
        TypeKind::Json | TypeKind::Jsonb | TypeKind::Hstore => Type::named("JSON"),
        TypeKind::Bytea => Type::named("Bytes"),
        TypeKind::Enum(ty) => Type::named(enum_name(ty.name.as_str())),
        TypeKind::Array {
            element,
            dimensions,
        } => {
            let mut list = graphql_type(element, enum_name);
            for _ in 0..*dimensions {
                list = list.list();
            }
            list
        }
    }
}
