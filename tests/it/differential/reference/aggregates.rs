//! What is computed over all rows of a list, one value after the other.

use async_graphql::dynamic::{FieldValue, Object, ResolverContext, TypeRef};

use super::filter::order;
use super::{any, field, json};
use crate::differential::world::{Cell, Kind, World, decimal};

/// All rows of a list.
#[derive(Clone)]
pub(super) struct Rows {
    pub(super) table: usize,
    pub(super) rows: std::sync::Arc<[usize]>,
}

/// The function of an aggregate, by its field's name.
const FUNCTIONS: [&str; 4] = ["countDistinct", "min", "max", "sum"];

pub(super) fn type_name(name: &str) -> String {
    format!("{name}Aggregates")
}

/// The object of all functions, and for each the object of its columns; those without columns are
/// left out.
pub(super) fn types(world: &World, table: usize) -> Vec<Object> {
    let name = type_name(&world.tables[table].type_name());
    let count = field("count", any().nn(), |context, _| {
        Ok(Some(FieldValue::value(this(context).rows.len())))
    });
    let mut whole = Object::new(&name).field(count);
    let mut all = Vec::new();
    for function in FUNCTIONS {
        let inner = format!("{name}_{function}");
        let columns = world.tables[table].columns.iter().enumerate();
        let columns: Vec<_> = columns
            .filter(|(_, column)| column.kind.has(function))
            .collect();
        if columns.is_empty() {
            continue;
        }
        let mut object = Object::new(&inner);
        for (place, column) in columns {
            let kind = column.kind;
            let nullable = function != "countDistinct";
            let computed = field(
                &column.field(),
                any().of(nullable),
                move |context, world| {
                    let Rows { table, rows } = this(context);
                    let cells = rows
                        .iter()
                        .map(|&row| world.tables[*table].rows[row][place].clone());
                    let cells: Vec<_> = cells.filter(|cell| *cell != Cell::Null).collect();
                    Ok(compute(function, kind, cells).map(FieldValue::value))
                },
            );
            object = object.field(computed);
        }
        whole = whole.field(field(function, TypeRef::named_nn(&inner), |context, _| {
            Ok(Some(FieldValue::owned_any(this(context).clone())))
        }));
        all.push(object);
    }
    all.push(whole);
    all
}

fn this<'c>(context: &'c ResolverContext<'_>) -> &'c Rows {
    context.parent_value.downcast_ref().unwrap()
}

fn compute(function: &str, kind: Kind, mut cells: Vec<Cell>) -> Option<async_graphql::Value> {
    if function == "sum" {
        let numbers = cells.iter().map(|cell| match cell {
            Cell::Int(number) => i128::from(*number),
            _ => 0,
        });
        let sum: i128 = numbers.sum();
        let shown = match kind {
            Kind::Decimal => decimal(i64::try_from(sum).unwrap()),
            _ => sum.to_string(),
        };
        return (!cells.is_empty()).then(|| shown.into());
    }
    cells.sort_by(order);
    match function {
        "min" => json(kind, cells.first()?),
        "max" => json(kind, cells.last()?),
        _ => {
            cells.dedup();
            Some(cells.len().into())
        }
    }
}
