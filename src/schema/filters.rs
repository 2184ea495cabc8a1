//! The filters of columns: input types with a field for each operator that Postgres has.

use indexmap::IndexMap;

use super::operators::{self, Operator, RightSide};
use super::types::{InputDef, InputFieldDef, InputMeaning, Quantifier, Type};
use super::words::pascal;
use crate::model::{ColumnType, Equality, Operators, TypeKind};

/// The filters that columns ask for, each made once.
pub(super) struct Filters<'a> {
    /// What texts are compared by, those in JSON included.
    pub(super) text_operators: &'a Operators,
    /// How a type is written in GraphQL.
    pub(super) value: &'a dyn Fn(&ColumnType) -> Type,
    pub(super) made: IndexMap<String, InputDef>,
}

impl Filters<'_> {
    /// The name of the filter of a type, which is made along with those that it refers to.
    pub(super) fn of(&mut self, ty: &ColumnType) -> String {
        let value = (self.value)(ty);
        let name = format!("{}Filter", stem(ty, &value));
        if self.made.contains_key(&name) {
            return name;
        }
        let mut fields = self.operators(ty, &value, &operators::of(ty));
        match &ty.kind {
            TypeKind::Array { element, .. } => self.add_elements(element, &mut fields),
            TypeKind::Json | TypeKind::Jsonb => self.add_paths(ty, &value, &mut fields),
            _ => {}
        }
        let description = format!("Compares {value} values; all given operators must hold.");
        self.made.insert(name.clone(), def(&description, fields));
        name
    }

    fn operators(
        &self,
        ty: &ColumnType,
        value: &Type,
        operators: &[Operator],
    ) -> IndexMap<String, InputFieldDef> {
        let field = |&operator: &Operator| {
            let (name, description) = operator.name();
            let ty = self.operand(operator, ty, value);
            let meaning = InputMeaning::Operator(operator);
            (name.to_owned(), input(ty, meaning, description))
        };
        operators.iter().map(field).collect()
    }

    fn operand(&self, operator: Operator, ty: &ColumnType, value: &Type) -> Type {
        match operator {
            Operator::In | Operator::NotIn | Operator::IIn => value.clone().non_null().list(),
            Operator::IsNull | Operator::IsEmpty => Type::named("Boolean"),
            Operator::Offer(offer) => match (offer.right_side(), &ty.kind) {
                (RightSide::Own, _) => value.clone(),
                (RightSide::Element, TypeKind::Range { element }) => (self.value)(element),
                (RightSide::Named(name), _) if name.starts_with('_') => {
                    Type::named("String").non_null().list()
                }
                _ => Type::named("String"),
            },
            _ => value.clone(),
        }
    }

    /// An array's own conditions: on its length, and on its elements as on related rows.
    fn add_elements(&mut self, element: &ColumnType, fields: &mut IndexMap<String, InputFieldDef>) {
        let length = Type::named(self.of(&ColumnType::builtin(TypeKind::Int4, "int4")));
        fields.insert(
            "length".into(),
            input(length, InputMeaning::Length, "How many elements it has."),
        );
        let filter = Type::named(self.of(element));
        for (name, quantifier, description) in [
            (
                "some",
                Quantifier::Some,
                "At least one of its elements matches.",
            ),
            (
                "every",
                Quantifier::Every,
                "All of its elements match; so do none at all.",
            ),
            ("none", Quantifier::None, "None of its elements matches."),
        ] {
            let meaning = InputMeaning::Elements(quantifier);
            fields.insert(name.into(), input(filter.clone(), meaning, description));
        }
    }

    /// Conditions on what a JSON value has at a path.
    fn add_paths(
        &mut self,
        ty: &ColumnType,
        value: &Type,
        fields: &mut IndexMap<String, InputFieldDef>,
    ) {
        let text = ColumnType {
            operators: self.text_operators.clone(),
            ..ColumnType::builtin(TypeKind::Text, "text")
        };
        let text = Type::named(self.of(&text));
        let path = Type::named("String").non_null().list().non_null();
        let path_text = "Keys, and places in lists, counted from 0: `[\"items\", \"0\"]`.";
        let mut at = IndexMap::from([
            (
                "path".to_owned(),
                input(path, InputMeaning::Path, path_text),
            ),
            (
                "text".to_owned(),
                input(text, InputMeaning::TextAt, "As a text, without quotes."),
            ),
        ]);
        let order = [Operator::Lt, Operator::Lte, Operator::Gt, Operator::Gte];
        at.extend(self.operators(ty, value, &operators::of(ty)));
        at.extend(self.operators(ty, value, &order));
        let description = "Compares what a JSON value has at a path. `isNull: true` is nothing at all; \
             values of different kinds are neither less nor greater.";
        self.made
            .insert("JSONPathFilter".into(), def(description, at));
        let ty = Type::named("JSONPathFilter").non_null().list();
        let description = "What it has at paths; all of these hold.";
        fields.insert("at".into(), input(ty, InputMeaning::At, description));
    }
}

/// What the filter of a type is called after.
fn stem(ty: &ColumnType, value: &Type) -> String {
    match (&ty.kind, &ty.cast) {
        (TypeKind::Text | TypeKind::Char, _) if ty.folds => "CollatedString".into(),
        (TypeKind::Text, _) if ty.search.is_some() => "SearchedString".into(),
        (
            TypeKind::Array {
                element,
                dimensions,
            },
            _,
        ) => {
            let element_type = Type::named(value.name().clone());
            let stem = stem(element, &element_type);
            match dimensions {
                1 => format!("{stem}Array"),
                // Its values are lists of lists.
                more => format!("{stem}Array{more}"),
            }
        }
        (TypeKind::Other(_), Some(_)) if operators::is_opaque(ty) => "Opaque".into(),
        (TypeKind::Other(_) | TypeKind::Range { .. } | TypeKind::Hstore, Some(name)) => {
            format!("Pg{}", pascal(name.as_str()))
        }
        (TypeKind::Other(_) | TypeKind::Range { .. } | TypeKind::Hstore, None) => "Opaque".into(),
        // A type of the tenant's own that Postgres' hides.
        (_, None) if ty.equality == Equality::Text => format!("{}Text", value.name()),
        _ => value.name().to_string(),
    }
}

fn def(description: &str, fields: IndexMap<String, InputFieldDef>) -> InputDef {
    InputDef {
        description: Some(description.to_owned()),
        fields,
        one_of: false,
    }
}

fn input(ty: Type, meaning: InputMeaning, description: &str) -> InputFieldDef {
    InputFieldDef {
        description: Some(description.to_owned()),
        ty,
        meaning,
    }
}
