//! The fields of one row.

use std::sync::Arc;

use async_graphql::Positioned;
use async_graphql::parser::types::Field;

use super::types::{
    ColumnRead, FieldValue, Link, NodeId, ResponseKey, RowJoin, SelectedField, Selection, ToOneRow,
    Wire,
};
use super::{Env, Result, Selected, State};
use super::{call, connection};
use crate::encode::Codec;
use crate::model::{
    ColumnId, ColumnType, FunctionId, FunctionResult, OtherText, RelationId, TypeKind,
};
use crate::schema::{EnumMeaning, FieldMeaning, TypeDef};

pub(super) fn selection<'a>(
    env: &Env<'a>,
    state: &mut State,
    relation: RelationId,
    fields: &[&'a Positioned<Field>],
) -> Result<Selection> {
    let Some(type_name) = env.api.blueprint.type_names[relation.0].clone() else {
        return Ok(Selection::default());
    };
    let mut selection = Selection::default();
    for selected in env.selected(&type_name, fields)? {
        let value = state.within(selected.key, |state| {
            field(env, state, relation, &type_name, &selected)
        })?;
        selection.fields.push(SelectedField {
            key: ResponseKey::new(selected.key),
            value,
        });
    }
    Ok(selection)
}

fn field(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    type_name: &Arc<str>,
    selected: &Selected<'_>,
) -> Result<FieldValue> {
    let Some(def) = selected.def else {
        return Ok(FieldValue::Typename(Arc::clone(type_name)));
    };
    Ok(match &def.meaning {
        FieldMeaning::Column(column) => FieldValue::Column(column_read(env, relation, *column)),
        FieldMeaning::NodeId => {
            let key = env.api.model.relation(relation).identity();
            let columns = key.map_or(&[][..], |key| &key.columns);
            let key = columns
                .iter()
                .map(|&column| column_read(env, relation, column))
                .collect();
            FieldValue::NodeId(NodeId {
                type_name: Arc::clone(type_name),
                key,
            })
        }
        FieldMeaning::ToOne(link) => FieldValue::ToOne(Box::new(ToOneRow {
            target: link.target,
            join: RowJoin::On(link.on.clone()),
            selection: selection(env, state, link.target, &selected.fields)?,
            non_null: link.required,
        })),
        FieldMeaning::ToOneReverse(link) => FieldValue::ToOne(Box::new(ToOneRow {
            target: link.target,
            join: RowJoin::On(
                link.on
                    .iter()
                    .map(|&(theirs, ours)| (ours, theirs))
                    .collect(),
            ),
            selection: selection(env, state, link.target, &selected.fields)?,
            non_null: false,
        })),
        FieldMeaning::ToMany(link) => {
            let target = link.target;
            let link = Link::Children(Arc::clone(link));
            FieldValue::Connection(Box::new(connection::plan(
                env, state, target, link, selected,
            )?))
        }
        FieldMeaning::Through(link) => {
            let target = link.target;
            let link = Link::Through(Arc::clone(link));
            FieldValue::Connection(Box::new(connection::plan(
                env, state, target, link, selected,
            )?))
        }
        FieldMeaning::Function(id) => function(env, state, *id, selected)?,
        FieldMeaning::Forbidden => FieldValue::Forbidden,
        _ => return Err(state.error(selected, "not a field of a row")),
    })
}

/// What a function of the row returns.
fn function(
    env: &Env<'_>,
    state: &mut State,
    id: FunctionId,
    selected: &Selected<'_>,
) -> Result<FieldValue> {
    let function = env.api.model.function(id);
    let relation = match &function.result {
        FunctionResult::Row(relation) => *relation,
        FunctionResult::Value { ty, not_null } => {
            let value = call::value(env, state, id, (ty, *not_null), selected)?;
            return Ok(FieldValue::Call(Box::new(value)));
        }
        FunctionResult::Nothing => return Err(state.error(selected, "not a field of a row")),
    };
    let call = call::call(env, state, id, selected)?;
    if function.set {
        let list = connection::plan(env, state, relation, Link::Call(call), selected)?;
        return Ok(FieldValue::Connection(Box::new(list)));
    }
    Ok(FieldValue::ToOne(Box::new(ToOneRow {
        target: relation,
        join: RowJoin::Call(call),
        selection: selection(env, state, relation, &selected.fields)?,
        non_null: false,
    })))
}

pub(super) fn column_read(env: &Env<'_>, relation: RelationId, column: ColumnId) -> ColumnRead {
    let def = env.api.model.relation(relation).column(column);
    let (codec, wire) = codec(env, &def.ty);
    ColumnRead {
        column,
        codec,
        wire,
        non_null: def.not_null,
    }
}

/// How values of a type leave Postgres, and how they become JSON.
pub(super) fn codec(env: &Env<'_>, ty: &ColumnType) -> (Codec, Wire) {
    let codec = match &ty.kind {
        TypeKind::Bool => Codec::Bool,
        TypeKind::Int2 => Codec::Int2,
        TypeKind::Int4 => Codec::Int4,
        TypeKind::Int8 => Codec::Int8,
        TypeKind::Oid => Codec::Oid,
        TypeKind::Float4 => Codec::Float4,
        TypeKind::Float8 => Codec::Float8,
        TypeKind::Numeric => Codec::Numeric,
        TypeKind::Text => {
            // citext has no fixed oid; the built-in texts do.
            let own = ty
                .cast
                .as_ref()
                .is_some_and(|name| name.as_str() == "citext");
            return (Codec::Text, if own { Wire::OwnType } else { Wire::Binary });
        }
        TypeKind::Char => Codec::Char,
        TypeKind::Uuid => Codec::Uuid,
        TypeKind::TimestampTz => Codec::TimestampTz,
        TypeKind::Timestamp => Codec::Timestamp,
        TypeKind::Date => Codec::Date,
        TypeKind::Time => Codec::Time,
        TypeKind::Interval => Codec::Interval,
        TypeKind::Json => Codec::Json,
        TypeKind::Jsonb => Codec::Jsonb,
        TypeKind::Bytea => Codec::Bytea,
        TypeKind::Enum(ty) => return (enum_codec(env, ty.name.as_str()), Wire::OwnType),
        TypeKind::Array {
            element,
            dimensions,
        } => {
            let (element, wire) = codec(env, element);
            let codec = Codec::Array {
                element: Box::new(element),
                dimensions: *dimensions,
            };
            let wire = match wire {
                Wire::Binary => Wire::Binary,
                Wire::Json { .. } => Wire::Json { array: true },
                _ => Wire::Text { array: true },
            };
            return (codec, wire);
        }
        TypeKind::Hstore => return (Codec::Jsonb, Wire::Json { array: false }),
        TypeKind::Range { .. } | TypeKind::Other(OtherText::Cast) => {
            return (Codec::Text, Wire::Text { array: false });
        }
        TypeKind::Other(OtherText::Output) => return (Codec::Text, Wire::Output),
    };
    (codec, Wire::Binary)
}

fn enum_codec(env: &Env<'_>, name: &str) -> Codec {
    let names = env.api.blueprint.types.values().find_map(|def| match def {
        TypeDef::Enum(def) => match &def.meaning {
            EnumMeaning::Labels(names) if names.ty.name.as_str() == name => Some(names),
            _ => None,
        },
        _ => None,
    });
    let labels = names.map(|names| {
        let pairs = names.ty.labels.iter().zip(&names.names);
        pairs
            .map(|(label, name)| (label.as_bytes().into(), name.as_bytes().into()))
            .collect()
    });
    Codec::Enum(labels.unwrap_or_else(|| Arc::from([])))
}
