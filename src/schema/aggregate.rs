//! Aggregates: which ones a column has, and what type their values are of.

use crate::model::{ColumnId, ColumnType, Relation, TypeKind};

/// One value over many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// How many rows there are.
    Count,
    Of(AggregateFunction, ColumnId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AggregateFunction {
    CountDistinct,
    Sum,
    Avg,
    Min,
    Max,
    StdDev,
    Variance,
    BoolAnd,
    BoolOr,
}

impl Aggregate {
    /// Its type over the rows of a relation; none where there is no such aggregate.
    pub fn result(self, relation: &Relation) -> Option<ColumnType> {
        match self {
            // A GraphQL Int, which Postgres counts in 64 bits.
            Self::Count => Some(ColumnType::builtin(TypeKind::Int4, "int8")),
            Self::Of(function, column) => function.result(&relation.column(column).ty),
        }
    }

    /// The type of the same value, exact: the same from scan to scan.
    pub fn exact_result(self, relation: &Relation) -> Option<ColumnType> {
        match self {
            Self::Of(function, column) if function.is_inexact(&relation.column(column).ty) => {
                Some(ColumnType::builtin(TypeKind::Numeric, "numeric"))
            }
            _ => self.result(relation),
        }
    }

    /// Whether it is a count, which is never null.
    pub fn counts(self) -> bool {
        matches!(
            self,
            Self::Count | Self::Of(AggregateFunction::CountDistinct, _)
        )
    }
}

impl AggregateFunction {
    /// The type of the value over a column's values; none where the type has no such aggregate.
    ///
    /// Sums are of the type that Postgres gives them. Averages of what GraphQL has as numbers (Int
    /// and Float) are numbers, and of what it has as strings (`BigInt` and Decimal) they are strings.
    pub fn result(self, ty: &ColumnType) -> Option<ColumnType> {
        use TypeKind::{
            Bool, Date, Enum, Float4, Float8, Int2, Int4, Int8, Interval, Numeric, Oid, Other,
            Text, Time, Timestamp, TimestampTz,
        };
        Some(match (self, &ty.kind) {
            (Self::CountDistinct, _) if ty.sortable => ColumnType::builtin(Int4, "int8"),
            (Self::Sum, Int2 | Int4) => ColumnType::builtin(Int8, "int8"),
            (Self::Sum, Int8 | Numeric) => ColumnType::builtin(Numeric, "numeric"),
            (Self::Sum, Float4) => ColumnType::builtin(Float4, "float4"),
            (Self::Sum, Float8) => ColumnType::builtin(Float8, "float8"),
            (Self::Avg | Self::StdDev | Self::Variance, Int2 | Int4 | Float4 | Float8) => {
                ColumnType::builtin(Float8, "float8")
            }
            (Self::Avg | Self::StdDev | Self::Variance, Int8 | Numeric) => {
                ColumnType::builtin(Numeric, "numeric")
            }
            (Self::Sum | Self::Avg, Interval) => ColumnType::builtin(Interval, "interval"),
            (Self::Sum, Other(_)) if ty.aggregates.sum => ty.clone(),
            (Self::Min | Self::Max, Text) => text(ty),
            (
                Self::Min | Self::Max,
                Int2 | Int4 | Int8 | Oid | Float4 | Float8 | Numeric | TimestampTz | Timestamp
                | Date | Time | Interval | Enum(_),
            ) => ColumnType {
                enum_domain: false,
                ..ty.clone()
            },
            (Self::Min | Self::Max, Other(_)) if ty.aggregates.extremes => ty.clone(),
            (Self::BoolAnd | Self::BoolOr, Bool) => ColumnType::builtin(Bool, "bool"),
            _ => return None,
        })
    }

    /// Whether Postgres' own result is cast to `float8`: averages of integers are `numeric` there.
    pub fn is_cast_to_float(self, ty: &ColumnType) -> bool {
        let average = matches!(self, Self::Avg | Self::StdDev | Self::Variance);
        let integer = matches!(ty.kind, TypeKind::Int2 | TypeKind::Int4);
        average && integer
    }

    /// Whether the outcome hangs on the order in which values are taken: sums of floats do, in their
    /// last digits.
    pub fn is_inexact(self, ty: &ColumnType) -> bool {
        let adds = matches!(self, Self::Sum | Self::Avg | Self::StdDev | Self::Variance);
        adds && matches!(ty.kind, TypeKind::Float4 | TypeKind::Float8)
    }

    /// The name of the field, and what it says.
    pub fn field(self) -> (&'static str, &'static str) {
        match self {
            Self::CountDistinct => (
                "countDistinct",
                "How many different values there are, rows without one aside.",
            ),
            Self::Sum => ("sum", "Sums; null where no row has a value."),
            Self::Avg => ("avg", "Averages; null where no row has a value."),
            Self::Min => ("min", "Least values; null where no row has one."),
            Self::Max => ("max", "Greatest values; null where no row has one."),
            Self::StdDev => (
                "stddev",
                "Standard deviations of a sample; null for less than two values.",
            ),
            Self::Variance => (
                "variance",
                "Variances of a sample; null for less than two values.",
            ),
            Self::BoolAnd => (
                "boolAnd",
                "Whether all values are true; null where no row has one.",
            ),
            Self::BoolOr => (
                "boolOr",
                "Whether any value is true; null where no row has one.",
            ),
        }
    }
}

/// The extremes of a `varchar` or a `name` are `text`.
fn text(ty: &ColumnType) -> ColumnType {
    match &ty.cast {
        Some(name) if matches!(name.as_str(), "bpchar" | "citext") => ty.clone(),
        _ => ColumnType::builtin(TypeKind::Text, "text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OtherText;

    fn of(function: AggregateFunction, kind: TypeKind, name: &str) -> Option<String> {
        let result = function.result(&ColumnType::builtin(kind, name))?;
        Some(result.cast?.as_str().to_owned())
    }

    #[test]
    fn values_have_the_types_that_postgres_gives_them() {
        use AggregateFunction::{Avg, CountDistinct, Max, Min, StdDev, Sum};
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(of(CountDistinct, TypeKind::Uuid, "uuid"), some("int8"));
        assert_eq!(of(Sum, TypeKind::Int2, "int2"), some("int8"));
        assert_eq!(of(Sum, TypeKind::Int8, "int8"), some("numeric"));
        assert_eq!(of(Avg, TypeKind::Int4, "int4"), some("float8"));
        assert_eq!(of(Avg, TypeKind::Int8, "int8"), some("numeric"));
        assert_eq!(of(Avg, TypeKind::Interval, "interval"), some("interval"));
        assert_eq!(of(StdDev, TypeKind::Interval, "interval"), None);
        assert_eq!(of(Min, TypeKind::Text, "varchar"), some("text"));
        assert_eq!(of(Max, TypeKind::Text, "citext"), some("citext"));
        for kind in [TypeKind::Uuid, TypeKind::Bool, TypeKind::Jsonb] {
            assert_eq!(of(Max, kind, "any"), None);
        }
    }

    #[test]
    fn types_without_a_kind_have_what_the_catalog_says() {
        let mut money = ColumnType::builtin(TypeKind::Other(OtherText::Cast), "money");
        assert!(AggregateFunction::Sum.result(&money).is_none());
        money.aggregates.sum = true;
        assert!(AggregateFunction::Sum.result(&money).is_some());
        assert!(AggregateFunction::Min.result(&money).is_none());
        assert!(AggregateFunction::Avg.result(&money).is_none());
    }

    #[test]
    fn averages_of_integers_are_cast_to_what_is_decoded() {
        let is_cast = |kind, name: &str| {
            AggregateFunction::Avg.is_cast_to_float(&ColumnType::builtin(kind, name))
        };
        assert!(is_cast(TypeKind::Int4, "int4"));
        assert!(!is_cast(TypeKind::Int8, "int8"));
    }
}
