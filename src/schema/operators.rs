//! The operators of filters: what their fields are called, what they take, and for which types of
//! Postgres they stand.

use crate::model::{ColumnType, Equality, TypeKind};

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Eq,
    Ne,
    In,
    NotIn,
    IsNull,
    IsEmpty,
    Lt,
    Lte,
    Gt,
    Gte,
    Like,
    ILike,
    StartsWith,
    EndsWith,
    Contains,
    IStartsWith,
    IEndsWith,
    IContains,
    IEq,
    IIn,
    Regex,
    IRegex,
    Offer(&'static Offer),
}

/// A condition that a filter has where the catalog has its operator.
#[derive(Debug, PartialEq, Eq)]
pub struct Offer {
    /// The types on its sides and its symbol, as in [`crate::model::Operators`].
    pub(super) signature: &'static str,
    name: &'static str,
    description: &'static str,
    /// What is made of the text that a client sends.
    pub call: Option<Call>,
}

/// A function that reads an operand's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// What people type into a search box.
    WebSearch,
    /// Postgres' own language of queries.
    TsQuery,
}

/// What an operator takes beside the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RightSide {
    /// A value of the same type.
    Own,
    /// What an array or a range holds.
    Element,
    Named(&'static str),
}

const fn offer(signature: &'static str, name: &'static str, description: &'static str) -> Offer {
    Offer {
        signature,
        name,
        description,
        call: None,
    }
}

const fn search(call: Call, name: &'static str, description: &'static str) -> Offer {
    Offer {
        signature: "tsvector @@ tsquery",
        name,
        description,
        call: Some(call),
    }
}

#[rustfmt::skip]
pub(super) static OFFERS: [Offer; 98] = [
    search(Call::WebSearch, "matches", "Matches a search as people type it: `red shoes \"low price\" -leather or sandals`."),
    search(Call::TsQuery, "matchesQuery", "Matches a `tsquery`: `red & (shoe:* | sandal)`."),

    offer("text % text", "similarTo", "Similar to this text: they share enough groups of three letters (pg_trgm)."),
    offer("text %> text", "hasWordSimilarTo", "Has words similar to this text (pg_trgm)."),

    offer("jsonb @> jsonb", "contains", "Contains this JSON value."),
    offer("jsonb <@ jsonb", "containedBy", "Is contained in this JSON value."),
    offer("jsonb ? text", "hasKey", "Has this key, or this string as an element."),
    offer("jsonb ?| _text", "hasKeysAny", "Has any of these keys, or of these strings as elements."),
    offer("jsonb ?& _text", "hasKeysAll", "Has all of these keys, or of these strings as elements."),
    offer("jsonb @? jsonpath", "matchesPath", "Has something at this SQL/JSON path: `$.items[*] ? (@.price > 10)`."),

    offer("hstore @> hstore", "contains", "Has these keys with these values."),
    offer("hstore <@ hstore", "containedBy", "Has nothing but these keys with these values."),
    offer("hstore ? text", "hasKey", "Has this key."),
    offer("hstore ?| _text", "hasKeysAny", "Has any of these keys."),
    offer("hstore ?& _text", "hasKeysAll", "Has all of these keys."),

    offer("anyarray @> anyarray", "contains", "Contains all of these."),
    offer("anyarray <@ anyarray", "containedBy", "Contains nothing but these."),
    offer("anyarray && anyarray", "overlaps", "Contains any of these."),

    offer("anyrange @> anyelement", "containsElement", "Contains this value."),
    offer("anyrange @> anyrange", "contains", "Contains this range."),
    offer("anyrange <@ anyrange", "containedBy", "Lies within this range."),
    offer("anyrange && anyrange", "overlaps", "Has values in common with this range."),
    offer("anyrange << anyrange", "strictlyLeftOf", "Ends before this range begins."),
    offer("anyrange >> anyrange", "strictlyRightOf", "Begins after this range ends."),
    offer("anyrange &< anyrange", "notExtendsRightOf", "Ends where this range ends, or before."),
    offer("anyrange &> anyrange", "notExtendsLeftOf", "Begins where this range begins, or after."),
    offer("anyrange -|- anyrange", "adjacentTo", "Touches this range, with nothing between the two."),

    offer("anymultirange @> anyelement", "containsElement", "Contains this value."),
    offer("anymultirange @> anymultirange", "contains", "Contains these ranges."),
    offer("anymultirange <@ anymultirange", "containedBy", "Lies within these ranges."),
    offer("anymultirange && anymultirange", "overlaps", "Has values in common with these ranges."),
    offer("anymultirange << anymultirange", "strictlyLeftOf", "Ends before these ranges begin."),
    offer("anymultirange >> anymultirange", "strictlyRightOf", "Begins after these ranges end."),
    offer("anymultirange &< anymultirange", "notExtendsRightOf", "Ends where these ranges end, or before."),
    offer("anymultirange &> anymultirange", "notExtendsLeftOf", "Begins where these ranges begin, or after."),
    offer("anymultirange -|- anymultirange", "adjacentTo", "Touches these ranges, with nothing between."),

    offer("inet >>= inet", "contains", "Contains this address or network, or equals it."),
    offer("inet <<= inet", "containedBy", "Lies within this network, or equals it."),
    offer("inet && inet", "overlaps", "Contains this network or lies within it."),

    offer("ltree @> ltree", "ancestorOf", "Leads to this path, or equals it."),
    offer("ltree <@ ltree", "descendantOf", "Begins with this path, or equals it."),
    offer("ltree ~ lquery", "matches", "Matches an `lquery`: `*.astronomy.*{1,2}`."),
    offer("ltree ? _lquery", "matchesAny", "Matches any of these `lquery` patterns."),
    offer("ltree @ ltxtquery", "matchesText", "Matches an `ltxtquery`, words in any place: `europe & !transport`."),

    offer("point ~= point", "sameAs", "The same point."),
    offer("point <@ box", "withinBox", "Lies in this box: `(1,1),(0,0)`."),
    offer("point <@ circle", "withinCircle", "Lies in this circle: `<(0,0),5>`."),
    offer("point <@ polygon", "withinPolygon", "Lies in this polygon: `((0,0),(1,0),(1,1))`."),
    offer("point <@ path", "onPath", "Lies on this path: `[(0,0),(1,1)]`."),
    offer("point << point", "strictlyLeftOf", "Lies left of this point."),
    offer("point >> point", "strictlyRightOf", "Lies right of this point."),
    offer("point <<| point", "strictlyBelow", "Lies below this point."),
    offer("point |>> point", "strictlyAbove", "Lies above this point."),

    offer("box ~= box", "sameAs", "The same box."),
    offer("box @> box", "contains", "Contains this box."),
    offer("box @> point", "containsPoint", "Contains this point."),
    offer("box <@ box", "containedBy", "Lies within this box."),
    offer("box && box", "overlaps", "Has points in common with this box."),
    offer("box << box", "strictlyLeftOf", "Lies left of this box."),
    offer("box >> box", "strictlyRightOf", "Lies right of this box."),
    offer("box <<| box", "strictlyBelow", "Lies below this box."),
    offer("box |>> box", "strictlyAbove", "Lies above this box."),

    offer("polygon ~= polygon", "sameAs", "The same polygon."),
    offer("polygon @> polygon", "contains", "Contains this polygon."),
    offer("polygon @> point", "containsPoint", "Contains this point."),
    offer("polygon <@ polygon", "containedBy", "Lies within this polygon."),
    offer("polygon && polygon", "overlaps", "Has points in common with this polygon."),
    offer("polygon << polygon", "strictlyLeftOf", "Lies left of this polygon."),
    offer("polygon >> polygon", "strictlyRightOf", "Lies right of this polygon."),
    offer("polygon <<| polygon", "strictlyBelow", "Lies below this polygon."),
    offer("polygon |>> polygon", "strictlyAbove", "Lies above this polygon."),

    offer("circle ~= circle", "sameAs", "The same circle."),
    offer("circle @> circle", "contains", "Contains this circle."),
    offer("circle @> point", "containsPoint", "Contains this point."),
    offer("circle <@ circle", "containedBy", "Lies within this circle."),
    offer("circle && circle", "overlaps", "Has points in common with this circle."),
    offer("circle << circle", "strictlyLeftOf", "Lies left of this circle."),
    offer("circle >> circle", "strictlyRightOf", "Lies right of this circle."),
    offer("circle <<| circle", "strictlyBelow", "Lies below this circle."),
    offer("circle |>> circle", "strictlyAbove", "Lies above this circle."),

    offer("lseg = lseg", "sameAs", "The same line segment."),
    offer("lseg ?# lseg", "intersects", "Crosses or touches this line segment."),
    offer("lseg ?# box", "intersectsBox", "Crosses or touches this box."),
    offer("lseg <@ box", "withinBox", "Lies in this box."),
    offer("line = line", "sameAs", "The same line."),
    offer("line ?# line", "intersects", "Crosses this line."),
    offer("line ?|| line", "parallelTo", "Is parallel to this line."),
    offer("line ?-| line", "perpendicularTo", "Is perpendicular to this line."),
    offer("path ?# path", "intersects", "Crosses or touches this path."),
    offer("path @> point", "containsPoint", "Contains this point."),

    offer("cube @> cube", "contains", "Contains this cube or point."),
    offer("cube <@ cube", "containedBy", "Lies within this cube."),
    offer("cube && cube", "overlaps", "Has points in common with this cube."),
    offer("seg @> seg", "contains", "Contains this interval."),
    offer("seg <@ seg", "containedBy", "Lies within this interval."),
    offer("seg && seg", "overlaps", "Has values in common with this interval."),
    offer("geometry && geometry", "overlapsBox", "Its bounding box has points in common with that of this geometry, in WKT or GeoJSON."),
    offer("geography && geography", "overlapsBox", "Its bounding box has points in common with that of this geography, in WKT or GeoJSON."),
];

/// What all texts have.
pub(super) const TEXT: [Operator; 12] = [
    Operator::Like,
    Operator::ILike,
    Operator::StartsWith,
    Operator::EndsWith,
    Operator::Contains,
    Operator::IStartsWith,
    Operator::IEndsWith,
    Operator::IContains,
    Operator::IEq,
    Operator::IIn,
    Operator::Regex,
    Operator::IRegex,
];

/// What filters of a type have, in their order.
pub(super) fn of(ty: &ColumnType) -> Vec<Operator> {
    use Operator::{Eq, Gt, Gte, In, IsEmpty, IsNull, Lt, Lte, Ne, NotIn};
    let mut all = Vec::new();
    let searched = ty.operators.has("tsvector @@ tsquery");
    if ty.equality != Equality::None && !searched {
        all.extend([Eq, Ne]);
        if !matches!(ty.kind, TypeKind::Bool | TypeKind::Array { .. }) {
            all.extend([In, NotIn]);
        }
    }
    let ordered = !matches!(
        ty.kind,
        TypeKind::Bool | TypeKind::Array { .. } | TypeKind::Jsonb | TypeKind::Hstore
    );
    if ty.sortable && ordered && !searched {
        all.extend([Lt, Lte, Gt, Gte]);
    }
    if matches!(ty.kind, TypeKind::Text | TypeKind::Char) {
        all.extend(
            TEXT.iter()
                .filter(|operator| !ty.folds || !operator.is_pattern()),
        );
    }
    all.extend(offers(ty).map(Operator::Offer));
    if matches!(ty.kind, TypeKind::Array { .. } | TypeKind::Range { .. }) {
        all.push(IsEmpty);
    }
    all.push(IsNull);
    all
}

/// Whether nothing is known of a type but that its values have texts.
pub(super) fn is_opaque(ty: &ColumnType) -> bool {
    ty.equality == Equality::Text && offers(ty).next().is_none()
}

fn offers(ty: &ColumnType) -> impl Iterator<Item = &'static Offer> + use<'_> {
    // Postgres compares arrays by their elements.
    let comparable = !matches!(ty.kind, TypeKind::Array { .. }) || ty.equality == Equality::Native;
    OFFERS.iter().filter(move |offer| {
        // A text with an index for searches is searched like a `tsvector`.
        let indexed = ty.search.is_some() && offer.call.is_some();
        comparable && (indexed || ty.operators.has(offer.signature))
    })
}

impl Offer {
    /// ` @> `
    pub fn symbol(&self) -> &'static str {
        self.signature.split(' ').nth(1).unwrap_or_default()
    }

    pub fn right_side(&self) -> RightSide {
        let mut words = self.signature.split(' ');
        match (words.next(), words.next_back()) {
            (_, Some("anyelement")) => RightSide::Element,
            (Some(left), Some(right)) if left != right => RightSide::Named(right),
            _ => RightSide::Own,
        }
    }
}

impl Operator {
    /// The input field's name and description.
    pub(super) fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Eq => ("eq", "Equal."),
            Self::Ne => (
                "ne",
                "Not equal; a row without a value is not equal either.",
            ),
            Self::In => ("in", "One of these."),
            Self::NotIn => ("notIn", "None of these; a row without a value matches."),
            Self::IsNull => ("isNull", "`true`: has no value. `false`: has one."),
            Self::IsEmpty => (
                "isEmpty",
                "`true`: there is nothing in it. `false`: there is something.",
            ),
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
            Self::IIn => ("iIn", "One of these, whatever the case."),
            Self::Regex => ("regex", "Matches a POSIX regular expression."),
            Self::IRegex => ("iRegex", "Like `regex`, whatever the case."),
            Self::Offer(offer) => (offer.name, offer.description),
        }
    }

    /// Whether it is one of texts, which Postgres has for the type text.
    pub fn is_textual(self) -> bool {
        matches!(
            self,
            Self::Like
                | Self::ILike
                | Self::StartsWith
                | Self::EndsWith
                | Self::Contains
                | Self::IStartsWith
                | Self::IEndsWith
                | Self::IContains
                | Self::IEq
                | Self::IIn
                | Self::Regex
                | Self::IRegex
        )
    }

    /// Whether Postgres refuses it for texts of a collation that lets different texts be equal.
    fn is_pattern(self) -> bool {
        self.is_textual() && !matches!(self, Self::IEq | Self::IIn)
    }
}
