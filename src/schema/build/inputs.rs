//! What a list takes: its arguments, filters and orders.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{Builder, input, is_sortable, undescribed};
use crate::model::{ColumnType, Relation, RelationId};
use crate::schema::Options;
use crate::schema::filters::Filters;
use crate::schema::links::LinkField;
use crate::schema::naming::{Clash, describe};
use crate::schema::nearness::Nearness;
use crate::schema::types::{
    FieldMeaning, InputDef, InputFieldDef, InputMeaning, ListLink, Quantifier, Type, TypeDef,
};

impl Builder<'_> {
    pub(super) fn list_args(
        &self,
        relation: RelationId,
        name: &str,
    ) -> IndexMap<String, InputFieldDef> {
        let int = || Type::named("Int");
        let cursor = || Type::named("Cursor");
        let mut args = IndexMap::new();
        let mut add = |name: &str, ty: Type, meaning: InputMeaning, description: String| {
            args.insert(
                name.to_owned(),
                InputFieldDef {
                    description: Some(description),
                    ty,
                    meaning,
                },
            );
        };
        let Options {
            default_limit,
            max_limit,
            ..
        } = self.options;
        add(
            "where",
            Type::named(self.names.filter(name)),
            InputMeaning::Where,
            "Only rows that match.".into(),
        );
        if is_sortable(self.model.relation(relation)) {
            let order = Type::named(self.names.order(name)).non_null().list();
            add(
                "orderBy",
                order,
                InputMeaning::OrderBy,
                "The first key decides, then the next. By primary key when left out.".into(),
            );
        }
        add(
            "first",
            int(),
            InputMeaning::First,
            format!(
                "At most so many rows, from the start. {default_limit} when left out, {max_limit} at most."
            ),
        );
        add(
            "after",
            cursor(),
            InputMeaning::After,
            "Only rows behind this place.".into(),
        );
        add(
            "last",
            int(),
            InputMeaning::Last,
            "At most so many rows, from the end.".into(),
        );
        add(
            "before",
            cursor(),
            InputMeaning::Before,
            "Only rows before this place.".into(),
        );
        add(
            "offset",
            int(),
            InputMeaning::Offset,
            "Skips so many rows. Cursors are faster and stable.".into(),
        );
        args
    }

    /// What a list of values takes, as a function returns them.
    pub(super) fn value_list_args(&self) -> IndexMap<String, InputFieldDef> {
        let Options {
            default_limit,
            max_limit,
            ..
        } = self.options;
        let first =
            format!("At most so many values. {default_limit} when left out, {max_limit} at most.");
        let int = || Type::named("Int");
        let offset = "Skips so many values.";
        IndexMap::from([
            (
                "first".to_owned(),
                input(int(), InputMeaning::First, &first),
            ),
            (
                "offset".to_owned(),
                input(int(), InputMeaning::Offset, offset),
            ),
        ])
    }

    pub(super) fn filter_type(
        &mut self,
        id: RelationId,
        name: &str,
        links: &[LinkField],
    ) -> Result<InputDef, Clash> {
        let relation = self.model.relation(id);
        let own = Type::named(self.names.filter(name));
        let mut fields = IndexMap::new();
        let list = own.clone().non_null().list();
        fields.insert(
            "and".to_owned(),
            input(list.clone(), InputMeaning::And, "All of these hold."),
        );
        fields.insert(
            "or".to_owned(),
            input(list, InputMeaning::Or, "At least one of these holds."),
        );
        fields.insert(
            "not".to_owned(),
            input(own, InputMeaning::Not, "This does not hold."),
        );
        for column_id in relation.column_ids() {
            let column = relation.column(column_id);
            let Some(field_name) = self.column_field(column) else {
                continue;
            };
            let filter = self.value_filter(&column.ty);
            let def = InputFieldDef {
                description: self.describe_column(id, column_id),
                ty: Type::named(filter),
                meaning: InputMeaning::Column(column_id),
            };
            if fields.insert(field_name.clone(), def).is_some() {
                return Err(Clash {
                    name: field_name,
                    first: format!("the filter's own and, or, not on {}", describe(relation)),
                    second: format!("column {}.{}", relation.name, column.name),
                    remedy: format!(
                        "comment on column {}.{} is '@name something_else'",
                        relation.name, column.name
                    ),
                });
            }
        }
        for (name, def) in self.link_filters(links) {
            fields.entry(name).or_insert(def);
        }
        let description = Some(format!(
            "Selects {name} rows; all given conditions must hold."
        ));
        Ok(InputDef {
            description,
            fields,
            one_of: false,
        })
    }

    /// The filter that compares values of a type.
    pub(super) fn value_filter(&mut self, ty: &ColumnType) -> String {
        let mut filters = Filters {
            text_operators: &self.model.text_operators,
            value: &|ty| self.graphql_type(ty),
            made: IndexMap::new(),
        };
        let filter = filters.of(ty);
        for (name, def) in filters.made {
            self.origins
                .entry(name.clone())
                .or_insert_with(|| "the service".into());
            self.types.entry(name).or_insert(TypeDef::Input(def));
        }
        filter
    }

    /// Conditions on the rows that links lead to.
    fn link_filters(&self, links: &[LinkField]) -> Vec<(String, InputFieldDef)> {
        let mut filters = Vec::with_capacity(links.len());
        for link in links {
            let Some(target) = self.names.of(link.target) else {
                continue;
            };
            let (ty, meaning) = match &link.meaning {
                FieldMeaning::ToOne(to_one) => (
                    self.names.filter(target),
                    InputMeaning::ToOne(Arc::clone(to_one)),
                ),
                FieldMeaning::ToOneReverse(link) | FieldMeaning::ToMany(link) => (
                    self.names.list_filter(target),
                    InputMeaning::ToMany(ListLink::Direct(Arc::clone(link))),
                ),
                FieldMeaning::Through(link) => (
                    self.names.list_filter(target),
                    InputMeaning::ToMany(ListLink::Through(Arc::clone(link))),
                ),
                _ => continue,
            };
            let def = InputFieldDef {
                description: None,
                ty: Type::named(ty),
                meaning,
            };
            filters.push((link.name.clone(), def));
        }
        filters
    }

    pub(super) fn order_type(&mut self, relation: &Relation, links: &[LinkField]) -> InputDef {
        let mut fields = IndexMap::new();
        for column_id in relation.column_ids() {
            let column = relation.column(column_id);
            if let Some(name) = self.column_field(column).filter(|_| column.ty.sortable) {
                let ty = Type::named("SortOrder");
                fields.insert(
                    name,
                    InputFieldDef {
                        description: None,
                        ty,
                        meaning: InputMeaning::Column(column_id),
                    },
                );
            }
        }
        if fields.is_empty() {
            return InputDef {
                description: None,
                fields,
                one_of: true,
            };
        }
        fields.extend(links.iter().filter_map(|link| self.link_order(link)));
        for (name, def) in self.near_orders(relation) {
            fields.entry(name).or_insert(def);
        }
        InputDef {
            description: Some("One key to sort by.".into()),
            fields,
            one_of: true,
        }
    }

    /// By how near columns are to what somebody looks for.
    fn near_orders(&mut self, relation: &Relation) -> Vec<(String, InputFieldDef)> {
        let mut orders = Vec::new();
        for column_id in relation.column_ids() {
            let column = relation.column(column_id);
            let name = self.column_field(column);
            let (Some(name), Some(nearness)) = (name, Nearness::of(&column.ty)) else {
                continue;
            };
            let (ty, def) = nearness.input();
            self.types
                .entry(ty.into())
                .or_insert_with(|| TypeDef::Input(def));
            let meaning = InputMeaning::Near(column_id, nearness);
            let name = format!("{name}{}", nearness.suffix());
            orders.push((name, undescribed(Type::named(ty), meaning)));
        }
        orders
    }

    /// By a row that is referred to, or by what is computed over a list.
    fn link_order(&self, link: &LinkField) -> Option<(String, InputFieldDef)> {
        let target = self.names.of(link.target)?;
        let over = |link| {
            (
                self.names.aggregates_order(target),
                InputMeaning::ToMany(link),
            )
        };
        let (ty, meaning) = match &link.meaning {
            FieldMeaning::ToOne(to_one) if is_sortable(self.model.relation(link.target)) => (
                self.names.order(target),
                InputMeaning::ToOne(Arc::clone(to_one)),
            ),
            FieldMeaning::ToMany(link) => over(ListLink::Direct(Arc::clone(link))),
            FieldMeaning::Through(link) => over(ListLink::Through(Arc::clone(link))),
            _ => return None,
        };
        Some((link.name.clone(), undescribed(Type::named(ty), meaning)))
    }

    /// Conditions on the rows of a list, and on what is computed over them.
    pub(super) fn list_filter_type(&mut self, id: RelationId, name: &str) -> InputDef {
        let filter = Type::named(self.names.filter(name));
        let quantifiers = [
            (
                "some",
                Quantifier::Some,
                "At least one of the rows matches.",
            ),
            (
                "every",
                Quantifier::Every,
                "All of the rows match; so do none at all.",
            ),
            ("none", Quantifier::None, "None of the rows matches."),
        ];
        let quantifiers = quantifiers.map(|(name, quantifier, text)| {
            let meaning = InputMeaning::Quantifier(quantifier);
            (name.to_owned(), input(filter.clone(), meaning, text))
        });
        let mut fields = IndexMap::from(quantifiers);
        let text = "Which of the rows `count`, `sum` and the others look at; all when left out.";
        fields.insert("where".to_owned(), input(filter, InputMeaning::Where, text));
        fields.extend(self.aggregate_filters(id, name));
        InputDef {
            description: None,
            fields,
            one_of: false,
        }
    }
}
