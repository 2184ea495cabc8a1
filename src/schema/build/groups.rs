//! Groups of rows: what they are made by, what they answer with, which are wanted and in which order.

use std::sync::Arc;

use indexmap::IndexMap;

use super::aggregates::{FAMILIES, Family};
use super::{Builder, field, input, is_sortable};
use crate::model::{ColumnType, RelationId, TypeKind};
use crate::schema::links::LinkField;
use crate::schema::naming::Clash;
use crate::schema::types::{
    FieldDef, FieldMeaning, InputDef, InputFieldDef, InputMeaning, ObjectDef, Type, TypeDef,
};

impl Builder<'_> {
    /// `IssueGroup`, `IssueGroupBy`, `IssueGroupKey`, `IssueGroupOrder` and `IssueHaving`.
    pub(super) fn add_groups(
        &mut self,
        id: RelationId,
        name: &str,
        links: &[LinkField],
    ) -> Result<(), Clash> {
        if !is_sortable(self.model.relation(id)) {
            return Ok(());
        }
        let group = self.names.derived_family(name, "Group");
        let key = format!("{group}Key");
        let order = self.group_order_type(id, name);
        let having = self.having_type(id, name);
        let types = [
            (
                format!("{group}By"),
                TypeDef::Input(self.by_type(id, links)),
            ),
            (key.clone(), TypeDef::Object(self.key_type(id, links))),
            (format!("{group}Order"), TypeDef::Input(order)),
            (
                self.names.derived_family(name, "Having"),
                TypeDef::Input(having),
            ),
            (group, TypeDef::Object(self.group_type(name, key))),
        ];
        for (name, def) in types {
            self.add_derived(id, name, def)?;
        }
        Ok(())
    }

    /// `groups(by: …, having: …, …): [IssueGroup!]!`; none where there is nothing to group by.
    pub(super) fn groups_field(&self, id: RelationId, name: &str) -> Option<FieldDef> {
        if !is_sortable(self.model.relation(id)) {
            return None;
        }
        let group = self.names.derived_family(name, "Group");
        let list = |name: String| Type::named(name).non_null().list();
        let (default, max) = (self.options.default_limit, self.options.max_limit);
        let args = [
            (
                "by",
                list(format!("{group}By")).non_null(),
                InputMeaning::By,
                "What rows of a group have in common.",
            ),
            (
                "having",
                Type::named(self.names.derived_family(name, "Having")),
                InputMeaning::Having,
                "Only groups that match.",
            ),
            (
                "orderBy",
                list(format!("{group}Order")),
                InputMeaning::OrderBy,
                "The first key decides, then the next. By the groups' keys when left out.",
            ),
            (
                "first",
                Type::named("Int"),
                InputMeaning::First,
                &format!("At most so many groups. {default} when left out, {max} at most."),
            ),
            (
                "offset",
                Type::named("Int"),
                InputMeaning::Offset,
                "Skips so many groups.",
            ),
        ];
        let args =
            args.map(|(name, ty, meaning, text)| (name.to_owned(), input(ty, meaning, text)));
        let text = "The rows that match, on all pages, put into groups.";
        let ty = Type::named(group).non_null().list().non_null();
        Some(FieldDef {
            args: IndexMap::from(args),
            ..field(ty, FieldMeaning::Groups, text)
        })
    }

    /// What rows can be grouped by: columns, and columns of the rows that they refer to.
    fn by_type(&self, id: RelationId, links: &[LinkField]) -> InputDef {
        let relation = self.model.relation(id);
        let mut fields = IndexMap::new();
        for column_id in relation.column_ids() {
            let column = relation.column(column_id);
            let Some(name) = self.column_field(column).filter(|_| column.ty.sortable) else {
                continue;
            };
            fields.insert(
                name,
                InputFieldDef {
                    description: None,
                    ty: Type::named(grouping(&column.ty)),
                    meaning: InputMeaning::Column(column_id),
                },
            );
        }
        for (link, target) in self.grouped_links(links) {
            let FieldMeaning::ToOne(to_one) = &link.meaning else {
                continue;
            };
            fields.insert(
                link.name.clone(),
                InputFieldDef {
                    description: None,
                    ty: Type::named(format!("{}By", self.names.derived_family(&target, "Group"))),
                    meaning: InputMeaning::ToOne(Arc::clone(to_one)),
                },
            );
        }
        InputDef {
            description: Some(
                "One thing to group by; `true` stands for the value as it is.".into(),
            ),
            fields,
            one_of: true,
        }
    }

    fn key_type(&self, id: RelationId, links: &[LinkField]) -> ObjectDef {
        let relation = self.model.relation(id);
        let mut fields = IndexMap::new();
        for column_id in relation.column_ids() {
            let column = relation.column(column_id);
            if let Some(name) = self.column_field(column).filter(|_| column.ty.sortable) {
                let def = FieldDef {
                    description: None,
                    deprecated: column.comment.deprecated.clone(),
                    args: IndexMap::new(),
                    ty: self.column_type(column),
                    meaning: FieldMeaning::Column(column_id),
                };
                fields.insert(name, def);
            }
        }
        for (link, target) in self.grouped_links(links) {
            let key = format!("{}Key", self.names.derived_family(&target, "Group"));
            let def = FieldDef {
                description: None,
                deprecated: None,
                args: IndexMap::new(),
                ty: Type::named(key).non_null(),
                meaning: link.meaning.clone(),
            };
            fields.insert(link.name.clone(), def);
        }
        ObjectDef {
            description: Some(
                "What the rows of a group have in common; null where it is not among `by`.".into(),
            ),
            fields,
            node: false,
        }
    }

    /// To-one relations to rows that can be grouped by something, with the name of their type.
    fn grouped_links<'l>(&self, links: &'l [LinkField]) -> Vec<(&'l LinkField, Arc<str>)> {
        let links = links.iter().filter_map(|link| {
            let grouped = matches!(link.meaning, FieldMeaning::ToOne(_))
                && is_sortable(self.model.relation(link.target));
            let target = self.names.of(link.target).filter(|_| grouped)?;
            Some((link, Arc::clone(target)))
        });
        links.collect()
    }

    fn group_type(&self, name: &str, key: String) -> ObjectDef {
        let aggregates = Type::named(self.names.derived_family(name, "Aggregates"));
        let fields = [
            (
                "key",
                field(
                    Type::named(key).non_null(),
                    FieldMeaning::GroupKey,
                    "What the rows have in common.",
                ),
            ),
            (
                "count",
                field(
                    Type::named("Int").non_null(),
                    FieldMeaning::Count,
                    "How many rows there are.",
                ),
            ),
            (
                "aggregates",
                field(
                    aggregates.non_null(),
                    FieldMeaning::Aggregates,
                    "What is computed over the rows.",
                ),
            ),
        ];
        ObjectDef {
            description: Some(format!("{name} rows that have something in common.")),
            fields: fields
                .into_iter()
                .map(|(name, def)| (name.to_owned(), def))
                .collect(),
            node: false,
        }
    }

    fn group_order_type(&mut self, id: RelationId, name: &str) -> InputDef {
        let key = Type::named(self.names.order(name));
        let text = "By something that the groups are made by.";
        let mut fields =
            IndexMap::from([("key".to_owned(), input(key, InputMeaning::GroupKey, text))]);
        fields.extend(self.aggregate_orders(id, name));
        InputDef {
            description: Some(
                "One key to sort groups by. What has no value comes last, unless NULLS_FIRST is said of an aggregate.".into(),
            ),
            fields,
            one_of: true,
        }
    }

    /// `count: SortOrder`, `sum: IssueSumOrder`, …
    pub(super) fn aggregate_orders(
        &self,
        id: RelationId,
        name: &str,
    ) -> IndexMap<String, InputFieldDef> {
        let count = input(
            Type::named("SortOrder"),
            InputMeaning::Count,
            "By the number of rows.",
        );
        let mut fields = IndexMap::from([("count".to_owned(), count)]);
        for family in self.compared_families(id) {
            let ty = format!("{}Order", self.names.derived_family(name, family.suffix));
            fields.extend(functions(family, &ty));
        }
        fields
    }

    fn having_type(&mut self, id: RelationId, name: &str) -> InputDef {
        let own = Type::named(self.names.derived_family(name, "Having"));
        let list = own.clone().non_null().list();
        let mut fields = IndexMap::from([
            (
                "and".to_owned(),
                input(list.clone(), InputMeaning::And, "All of these hold."),
            ),
            (
                "or".to_owned(),
                input(list, InputMeaning::Or, "At least one of these holds."),
            ),
            (
                "not".to_owned(),
                input(own, InputMeaning::Not, "This does not hold."),
            ),
        ]);
        fields.extend(self.aggregate_filters(id, name));
        InputDef {
            description: Some(format!(
                "Selects groups of {name} rows; all given conditions must hold."
            )),
            fields,
            one_of: false,
        }
    }

    /// `count: IntFilter`, `sum: IssueSumFilter`, …
    pub(super) fn aggregate_filters(
        &mut self,
        id: RelationId,
        name: &str,
    ) -> IndexMap<String, InputFieldDef> {
        let ty = Type::named(self.value_filter(&ColumnType::builtin(TypeKind::Int4, "int8")));
        let count = input(ty, InputMeaning::Count, "How many rows there are.");
        let mut fields = IndexMap::from([("count".to_owned(), count)]);
        for family in self.compared_families(id) {
            let ty = format!("{}Filter", self.names.derived_family(name, family.suffix));
            fields.extend(functions(family, &ty));
        }
        fields
    }

    /// The families that conditions and orders may name and that the relation has columns for.
    fn compared_families(&self, id: RelationId) -> Vec<&'static Family> {
        let families = FAMILIES.iter();
        families
            .filter(|family| family.compared && !self.aggregated(id, family).is_empty())
            .collect()
    }
}

/// A field for each function of a family.
fn functions(
    family: &'static Family,
    ty: &str,
) -> impl Iterator<Item = (String, InputFieldDef)> + use<> {
    let ty = Type::named(ty);
    family.functions.iter().map(move |&function| {
        let (name, text) = function.field();
        let meaning = InputMeaning::Aggregate(function);
        (name.to_owned(), input(ty.clone(), meaning, text))
    })
}

/// How values of a type are grouped: dates and times may be truncated.
fn grouping(ty: &ColumnType) -> &'static str {
    match ty.kind {
        TypeKind::TimestampTz => "DateTimeGrouping",
        TypeKind::Timestamp => "LocalDateTimeGrouping",
        TypeKind::Date => "DateGrouping",
        _ => "Boolean",
    }
}
