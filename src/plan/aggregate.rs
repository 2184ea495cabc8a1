//! What is computed over the rows of a list.

use std::sync::Arc;

use super::computed::{AggregateRead, ComputedField};
use super::types::{ResponseKey, Wire};
use super::{Env, Result, Selected, State, row};
use crate::encode::Codec;
use crate::model::RelationId;
use crate::schema::{Aggregate, FieldMeaning};

/// The fields of an object of aggregates. What they read is added to `reads`, once for all fields
/// that want the same.
pub(super) fn fields(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    selected: &Selected<'_>,
    reads: &mut Vec<AggregateRead>,
) -> Result<Vec<(ResponseKey, ComputedField)>> {
    let mut fields = Vec::new();
    let Some(type_name) = selected.def.map(|def| def.ty.name()) else {
        return Ok(fields);
    };
    for field in env.selected(type_name, &selected.fields)? {
        let value = match field.def.map(|def| &def.meaning) {
            None => ComputedField::Typename(Arc::clone(type_name)),
            Some(FieldMeaning::Count) => {
                ComputedField::Aggregate(read(env, relation, Aggregate::Count, reads))
            }
            Some(FieldMeaning::Aggregate(function)) => {
                let mut columns = Vec::new();
                let Some(type_name) = field.def.map(|def| def.ty.name()) else {
                    continue;
                };
                for inner in env.selected(type_name, &field.fields)? {
                    let value = match inner.def.map(|def| &def.meaning) {
                        Some(FieldMeaning::Column(column)) => {
                            let aggregate = Aggregate::Of(*function, *column);
                            ComputedField::Aggregate(read(env, relation, aggregate, reads))
                        }
                        _ => ComputedField::Typename(Arc::clone(type_name)),
                    };
                    columns.push((ResponseKey::new(inner.key), value));
                }
                ComputedField::Object(columns)
            }
            Some(_) => return Err(state.error(&field, "not a field of aggregates")),
        };
        fields.push((ResponseKey::new(field.key), value));
    }
    Ok(fields)
}

/// The place of an aggregate among those that are read.
pub(super) fn read(
    env: &Env<'_>,
    relation: RelationId,
    aggregate: Aggregate,
    reads: &mut Vec<AggregateRead>,
) -> usize {
    if let Some(place) = reads.iter().position(|read| read.aggregate == aggregate) {
        return place;
    }
    let result = aggregate.result(env.api.model.relation(relation));
    let counts = aggregate.counts();
    let (codec, wire) = match result {
        Some(ty) if !counts => row::codec(env, &ty),
        _ => (Codec::Count, Wire::Binary),
    };
    reads.push(AggregateRead {
        aggregate,
        codec,
        wire,
        non_null: counts,
    });
    reads.len() - 1
}
