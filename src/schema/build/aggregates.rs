//! What is computed over the rows of a list: counts, sums, averages, extremes.

use indexmap::IndexMap;

use super::{Builder, field, undescribed};
use crate::model::{ColumnId, ColumnType, Relation, RelationId};
use crate::schema::aggregate::AggregateFunction;
use crate::schema::naming::{Clash, describe};
use crate::schema::scalars::graphql_type;
use crate::schema::types::{
    FieldDef, FieldMeaning, InputDef, InputMeaning, ObjectDef, Type, TypeDef,
};

/// Functions whose values over a column are of one type: they share the type of their fields.
pub(super) struct Family {
    pub(super) suffix: &'static str,
    pub(super) functions: &'static [AggregateFunction],
    /// Whether conditions and orders may name them.
    pub(super) compared: bool,
}

pub(super) static FAMILIES: [Family; 6] = {
    use AggregateFunction::{Avg, BoolAnd, BoolOr, CountDistinct, Max, Min, StdDev, Sum, Variance};
    const fn compared(suffix: &'static str, functions: &'static [AggregateFunction]) -> Family {
        Family {
            suffix,
            functions,
            compared: true,
        }
    }
    const fn shown(suffix: &'static str, functions: &'static [AggregateFunction]) -> Family {
        Family {
            suffix,
            functions,
            compared: false,
        }
    }
    [
        compared("CountDistinct", &[CountDistinct]),
        compared("Sum", &[Sum]),
        compared("Average", &[Avg]),
        compared("Extremes", &[Min, Max]),
        shown("Deviation", &[StdDev, Variance]),
        shown("Bools", &[BoolAnd, BoolOr]),
    ]
};

/// A column that functions of a family take.
pub(super) struct Aggregated {
    pub(super) name: String,
    pub(super) column: ColumnId,
    pub(super) result: ColumnType,
}

impl Builder<'_> {
    /// `IssueAggregates`, and the types of its fields.
    pub(super) fn add_aggregates(&mut self, id: RelationId, name: &str) -> Result<(), Clash> {
        let count = "How many rows there are.";
        let mut fields = IndexMap::from([(
            "count".to_owned(),
            field(Type::named("Int").non_null(), FieldMeaning::Count, count),
        )]);
        for family in &FAMILIES {
            let columns = self.aggregated(id, family);
            if columns.is_empty() {
                continue;
            }
            let type_name = self.names.derived_family(name, family.suffix);
            for &function in family.functions {
                let (name, text) = function.field();
                let ty = Type::named(type_name.as_str()).non_null();
                let meaning = FieldMeaning::Aggregate(function);
                fields.insert(name.to_owned(), field(ty, meaning, text));
            }
            let object = self.family_type(id, family, &columns);
            if family.compared {
                let filter = self.family_filter(&columns);
                self.add_derived(id, format!("{type_name}Filter"), TypeDef::Input(filter))?;
                let order = family_order(&columns);
                self.add_derived(id, format!("{type_name}Order"), TypeDef::Input(order))?;
            }
            self.add_derived(id, type_name, TypeDef::Object(object))?;
        }
        let object = ObjectDef {
            description: Some(format!("What is computed over {name} rows.")),
            fields,
            node: false,
        };
        let order = InputDef {
            description: Some(format!(
                "By a value over {name} rows; those without one come last, unless NULLS_FIRST is said."
            )),
            fields: self.aggregate_orders(id, name),
            one_of: true,
        };
        self.add_derived(id, self.names.aggregates_order(name), TypeDef::Input(order))?;
        let type_name = self.names.derived_family(name, "Aggregates");
        self.add_derived(id, type_name, TypeDef::Object(object))
    }

    /// The columns that the functions of a family take, with the type of the outcome.
    pub(super) fn aggregated(&self, id: RelationId, family: &Family) -> Vec<Aggregated> {
        let relation: &Relation = self.model.relation(id);
        let columns = relation.column_ids().filter_map(|column_id| {
            let column = relation.column(column_id);
            Some(Aggregated {
                name: self.column_field(column)?,
                column: column_id,
                result: family.functions.first()?.result(&column.ty)?,
            })
        });
        columns.collect()
    }

    fn family_type(&self, id: RelationId, family: &Family, columns: &[Aggregated]) -> ObjectDef {
        let counts = family.functions == [AggregateFunction::CountDistinct];
        let relation = self.model.relation(id);
        let fields = columns.iter().map(|aggregated| {
            let ty = self.graphql_type(&aggregated.result).non_null_if(counts);
            let column = relation.column(aggregated.column);
            let def = FieldDef {
                description: None,
                deprecated: column.comment.deprecated.clone(),
                args: IndexMap::new(),
                ty,
                meaning: FieldMeaning::Column(aggregated.column),
            };
            (aggregated.name.clone(), def)
        });
        ObjectDef {
            description: None,
            fields: fields.collect(),
            node: false,
        }
    }

    fn family_filter(&mut self, columns: &[Aggregated]) -> InputDef {
        let mut fields = IndexMap::new();
        for aggregated in columns {
            let filter = self.value_filter(&aggregated.result);
            let meaning = InputMeaning::Column(aggregated.column);
            fields.insert(
                aggregated.name.clone(),
                undescribed(Type::named(filter), meaning),
            );
        }
        InputDef {
            description: None,
            fields,
            one_of: false,
        }
    }

    pub(super) fn graphql_type(&self, ty: &ColumnType) -> Type {
        graphql_type(ty, &|name| std::sync::Arc::clone(&self.enums[name]))
    }

    /// Adds a type that comes with a table's own.
    pub(super) fn add_derived(
        &mut self,
        id: RelationId,
        name: String,
        def: TypeDef,
    ) -> Result<(), Clash> {
        let relation = self.model.relation(id);
        let remedy = format!(
            "comment on table {} is '@name something_else'",
            relation.name
        );
        self.add(name, def, describe(relation), &remedy)
    }
}

fn family_order(columns: &[Aggregated]) -> InputDef {
    let fields = columns.iter().map(|aggregated| {
        let meaning = InputMeaning::Column(aggregated.column);
        let order = undescribed(Type::named("SortOrder"), meaning);
        (aggregated.name.clone(), order)
    });
    InputDef {
        description: None,
        fields: fields.collect(),
        one_of: true,
    }
}
