//! Orders by how near a value is to what somebody looks for.

use indexmap::IndexMap;

use super::types::{InputDef, InputFieldDef, InputMeaning, Type};
use crate::model::{ColumnType, TypeKind};

/// What says how near a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nearness {
    /// `ts_rank` of a search.
    Rank,
    /// Groups of three letters in common, by `pg_trgm`.
    Similarity,
    /// `<->` between two of the same type.
    Distance,
}

impl Nearness {
    pub(super) fn of(ty: &ColumnType) -> Option<Self> {
        let has = |signature| ty.operators.has(signature);
        if ty.search.is_some() || has("tsvector @@ tsquery") {
            return Some(Self::Rank);
        }
        match ty.kind {
            TypeKind::Text if has("text % text") => Some(Self::Similarity),
            // Each of them has `<->`.
            TypeKind::Other(_)
                if has("point ~= point") || has("cube @> cube") || has("vector = vector") =>
            {
                Some(Self::Distance)
            }
            _ => None,
        }
    }

    /// What is added to the column's name.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Rank => "Rank",
            Self::Similarity => "Similarity",
            Self::Distance => "Distance",
        }
    }

    /// The input's type, and what it holds.
    pub(super) fn input(self) -> (&'static str, InputDef) {
        let (name, field, description, direction) = match self {
            Self::Rank => (
                "SearchRankOrder",
                "matches",
                "What is searched for, as people type it.",
                "DESC when left out: the best match first.",
            ),
            Self::Similarity => (
                "TextSimilarityOrder",
                "to",
                "The text that is looked for.",
                "DESC when left out: the most similar first.",
            ),
            Self::Distance => (
                "ValueDistanceOrder",
                "from",
                "A value of the column's type.",
                "ASC when left out: the nearest first.",
            ),
        };
        let entry = |name: &str, ty, meaning, description: &str| {
            let def = InputFieldDef {
                description: Some(description.to_owned()),
                ty,
                meaning,
            };
            (name.to_owned(), def)
        };
        let string = Type::named("String").non_null();
        let order = Type::named("SortOrder");
        let fields = IndexMap::from([
            entry(field, string, InputMeaning::NearTo, description),
            entry("direction", order, InputMeaning::Direction, direction),
        ]);
        let def = InputDef {
            description: None,
            fields,
            one_of: false,
        };
        (name, def)
    }
}
