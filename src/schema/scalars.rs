//! Scalars and enums, and the filters that compare them.

use std::sync::Arc;

use super::types::{InputDef, InputFieldDef, InputMeaning, Operator, ScalarDef, Type};
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
        TypeKind::Text | TypeKind::Char | TypeKind::Other(_) => Type::named("String"),
        TypeKind::Uuid => Type::named("UUID"),
        TypeKind::TimestampTz => Type::named("DateTime"),
        TypeKind::Timestamp => Type::named("LocalDateTime"),
        TypeKind::Date => Type::named("Date"),
        TypeKind::Time => Type::named("Time"),
        TypeKind::Interval => Type::named("Interval"),
        TypeKind::Json | TypeKind::Jsonb => Type::named("JSON"),
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

/// The filter of a column: its name and its operators.
pub(super) fn filter_def(ty: &ColumnType, value: &Type) -> (String, InputDef) {
    use Operator::{
        ArrayContainedBy, ArrayContains, ArrayOverlaps, Contains, EndsWith, Eq, Gt, Gte, HasKey,
        IContains, IEndsWith, IEq, ILike, IRegex, IStartsWith, In, JsonContains, Like, Lt, Lte, Ne,
        NotIn, Regex, StartsWith,
    };
    const EQUALITY: &[Operator] = &[Eq, Ne, In, NotIn];
    const ORDER: &[Operator] = &[Lt, Lte, Gt, Gte];
    const TEXT: &[Operator] = &[
        Like,
        ILike,
        StartsWith,
        EndsWith,
        Contains,
        IStartsWith,
        IEndsWith,
        IContains,
        IEq,
        Regex,
        IRegex,
    ];
    let base = value.name();
    let (name, groups): (String, &[&[Operator]]) = match &ty.kind {
        TypeKind::Text | TypeKind::Char => ("StringFilter".into(), &[EQUALITY, ORDER, TEXT]),
        TypeKind::Other(_) => ("OpaqueFilter".into(), &[EQUALITY]),
        TypeKind::Json => ("JSONTextFilter".into(), &[]),
        TypeKind::Jsonb => ("JSONFilter".into(), &[&[Eq, Ne, JsonContains, HasKey]]),
        TypeKind::Bool => ("BooleanFilter".into(), &[&[Eq, Ne]]),
        TypeKind::Array {
            element,
            dimensions,
        } if element.sortable => (
            match dimensions {
                1 => format!("{base}ArrayFilter"),
                // Its values are lists of lists.
                more => format!("{base}Array{more}Filter"),
            },
            &[&[Eq, Ne, ArrayContains, ArrayContainedBy, ArrayOverlaps]],
        ),
        TypeKind::Array { .. } => ("OpaqueArrayFilter".into(), &[]),
        _ => (format!("{base}Filter"), &[EQUALITY, ORDER]),
    };
    let mut fields = indexmap::IndexMap::new();
    for &operator in groups.iter().copied().flatten() {
        let (name, description) = operator.name();
        fields.insert(
            name.to_owned(),
            input(operator_type(operator, value), operator, description),
        );
    }
    let (isnull, description) = Operator::IsNull.name();
    fields.insert(
        isnull.to_owned(),
        input(Type::named("Boolean"), Operator::IsNull, description),
    );
    let description = Some(format!(
        "Compares {value} values; all given operators must hold."
    ));
    (
        name,
        InputDef {
            description,
            fields,
            one_of: false,
        },
    )
}

fn input(ty: Type, operator: Operator, description: &str) -> InputFieldDef {
    InputFieldDef {
        description: Some(description.to_owned()),
        ty,
        meaning: InputMeaning::Operator(operator),
    }
}

fn operator_type(operator: Operator, value: &Type) -> Type {
    match operator {
        Operator::In | Operator::NotIn => value.clone().non_null().list(),
        Operator::HasKey => Type::named("String"),
        _ => value.clone(),
    }
}

impl Operator {
    /// The input field's name and description.
    fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Eq => ("eq", "Equal."),
            Self::Ne => (
                "ne",
                "Not equal; a row without a value is not equal either.",
            ),
            Self::In => ("in", "One of these."),
            Self::NotIn => ("notIn", "None of these; a row without a value matches."),
            Self::IsNull => ("isNull", "`true`: has no value. `false`: has one."),
            Self::Lt => ("lt", "Less than."),
            Self::Lte => ("lte", "Less than or equal."),
            Self::Gt => ("gt", "Greater than."),
            Self::Gte => ("gte", "Greater than or equal."),
            Self::Like => (
                "like",
                "Matches a pattern: `%` is any text, `_` any character.",
            ),
            Self::ILike => ("ilike", "Like `like`, whatever the case."),
            Self::StartsWith => ("startsWith", "Starts with this text."),
            Self::EndsWith => ("endsWith", "Ends with this text."),
            Self::Contains => ("contains", "Contains this text."),
            Self::IStartsWith => ("iStartsWith", "Starts with this text, whatever the case."),
            Self::IEndsWith => ("iEndsWith", "Ends with this text, whatever the case."),
            Self::IContains => ("iContains", "Contains this text, whatever the case."),
            Self::IEq => ("iEq", "Equal, whatever the case."),
            Self::Regex => ("regex", "Matches a POSIX regular expression."),
            Self::IRegex => ("iRegex", "Like `regex`, whatever the case."),
            Self::JsonContains => ("contains", "Contains this JSON value (`@>`)."),
            Self::HasKey => ("hasKey", "Has this key, or this string as an element."),
            Self::ArrayContains => ("contains", "Contains all of these."),
            Self::ArrayContainedBy => ("containedBy", "Contains nothing but these."),
            Self::ArrayOverlaps => ("overlaps", "Contains any of these."),
        }
    }
}
