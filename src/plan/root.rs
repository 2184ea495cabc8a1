//! The fields of Query and Mutation.

use async_graphql::parser::types::OperationType;

use super::document::SelectedOperation;
use super::error::{PlanError, PlanErrorKind};
use super::input::Input;
use super::params::ParamSource;
use super::parse::too_complex;
use super::types::{
    CallValue, Link, OperationKind, ParamId, ResponseKey, Root, RootRow, RootValue, RowSource, Wire,
};
use super::{
    Env, Result, Selected, State, call, connection, filter, log_in, node_id, row, service, write,
};
use crate::encode::Codec;
use crate::model::{ColumnId, FunctionId, FunctionResult, RelationId};
use crate::schema::{FieldMeaning, InputMeaning};
use crate::sql::Ident;

/// Passwords are slow to check, so that guessing them is: an operation is not to check thousands.
const MOST_LOG_INS: usize = 3;

pub(super) fn kind(operation: SelectedOperation<'_>) -> Result<OperationKind> {
    match operation.definition.ty {
        OperationType::Query => Ok(OperationKind::Query),
        OperationType::Mutation => Ok(OperationKind::Mutation),
        OperationType::Subscription => Err(PlanError {
            kind: PlanErrorKind::Unsupported,
            ..PlanError::bad_input("subscriptions are not served over this transport")
        }),
    }
}

pub(super) fn roots(
    env: &Env<'_>,
    state: &mut State,
    operation: SelectedOperation<'_>,
) -> Result<Vec<Root>> {
    let type_name = match kind(operation)? {
        OperationKind::Query => "Query",
        OperationKind::Mutation => "Mutation",
    };
    let object = env.api.blueprint.object(type_name);
    let set = &operation.definition.selection_set.node;
    let fields = env
        .collector()
        .fields(type_name, false, std::iter::once(set));
    let mut roots = Vec::with_capacity(fields.len());
    for (key, fields) in fields {
        let name = fields[0].node.name.node.as_str();
        let def = object.and_then(|object| object.fields.get(name));
        let selected = Selected { key, fields, def };
        let value = state.within(key, |state| root(env, state, type_name, name, &selected))?;
        roots.push(Root {
            key: ResponseKey::new(key),
            field: name.into(),
            value,
        });
    }
    if kind(operation)? == OperationKind::Mutation {
        service::check_mutation(&roots)?;
    }
    let count = |wanted: fn(&RootValue) -> bool| {
        let values = roots.iter().map(|root| &root.value);
        values.filter(|value| wanted(value)).count()
    };
    let log_ins = count(|value| matches!(value, RootValue::LogIn(_)));
    if log_ins > 0 && count(|value| matches!(value, RootValue::Write(_) | RootValue::Call(_))) > 0 {
        // Whoever logs in is not the one whose token came with the request.
        let message =
            "logIn stands in an operation of its own: send it first, and the others with its token";
        return Err(PlanError::bad_input(message));
    }
    if log_ins > MOST_LOG_INS {
        return Err(too_complex(format!(
            "an operation may log in at most {MOST_LOG_INS} times"
        )));
    }
    Ok(roots)
}

fn root(
    env: &Env<'_>,
    state: &mut State,
    type_name: &str,
    name: &str,
    selected: &Selected<'_>,
) -> Result<RootValue> {
    let Some(def) = selected.def else {
        return match name {
            "__typename" => Ok(RootValue::Typename(type_name.into())),
            "__schema" | "__type" => Ok(RootValue::Introspection),
            _ => Err(PlanError::validation(format!(
                "{type_name} has no field {name}"
            ))),
        };
    };
    match &def.meaning {
        FieldMeaning::List(relation) => {
            let list = connection::plan(env, state, *relation, Link::All, selected)?;
            Ok(RootValue::Connection(Box::new(list)))
        }
        FieldMeaning::Function(id) => function(env, state, *id, selected),
        FieldMeaning::Forbidden => Ok(RootValue::Forbidden),
        FieldMeaning::ByKey(relation, columns) => by_key(env, state, *relation, columns, selected),
        FieldMeaning::Node => node(env, state, selected),
        FieldMeaning::Viewer => {
            let Some((relation, key)) = viewer_key(env, state) else {
                return Ok(RootValue::Null);
            };
            let key = RowSource::Key(key);
            Ok(RootValue::Row(root_row(
                env, state, relation, key, selected,
            )?))
        }
        FieldMeaning::Write(relation, kind) => {
            let write = write::plan(env, state, *relation, *kind, selected)?;
            Ok(RootValue::Write(Box::new(write)))
        }
        FieldMeaning::LogIn(means) => log_in::plan(env, state, *means, selected),
        FieldMeaning::Service(takes) => Ok(RootValue::Service {
            takes: *takes,
            values: service::plan(env, def, selected)?,
        }),
        _ => Err(PlanError::validation(format!(
            "{type_name} has no field {name}"
        ))),
    }
}

fn by_key(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    columns: &[ColumnId],
    selected: &Selected<'_>,
) -> Result<RootValue> {
    let mut key = Vec::with_capacity(columns.len());
    for (meaning, value) in env.arguments(state, selected)? {
        let (InputMeaning::Key(column), value) = (meaning, value) else {
            continue;
        };
        let param = filter::column_param(env, state, relation, *column, value)
            .map_err(|error| state.error(selected, &error.message))?;
        key.push((*column, param));
    }
    let key = RowSource::Key(key);
    Ok(RootValue::Row(root_row(
        env, state, relation, key, selected,
    )?))
}

pub(super) fn root_row(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    source: RowSource,
    selected: &Selected<'_>,
) -> Result<RootRow> {
    let selection = row::selection(env, state, relation, &selected.fields)?;
    Ok(RootRow {
        relation,
        source,
        selection,
    })
}

/// What a function returns: a list of rows, a row, or a value.
fn function(
    env: &Env<'_>,
    state: &mut State,
    id: FunctionId,
    selected: &Selected<'_>,
) -> Result<RootValue> {
    let function = env.api.model.function(id);
    if let (true, FunctionResult::Row(relation)) = (function.volatile, &function.result) {
        let write = write::call(env, state, id, *relation, selected)?;
        return Ok(RootValue::Write(Box::new(write)));
    }
    Ok(match &function.result {
        FunctionResult::Nothing => RootValue::Call(CallValue {
            call: call::call(env, state, id, selected)?,
            codec: Codec::Bool,
            wire: Wire::Binary,
            non_null: true,
            page: None,
        }),
        FunctionResult::Value { ty, not_null } => {
            let ty = (ty, *not_null);
            RootValue::Call(call::value(env, state, id, ty, selected)?)
        }
        FunctionResult::Row(relation) => {
            let call = call::call(env, state, id, selected)?;
            if function.set {
                let link = Link::Call(call);
                let list = connection::plan(env, state, *relation, link, selected)?;
                RootValue::Connection(Box::new(list))
            } else {
                let source = RowSource::Call(call);
                RootValue::Row(root_row(env, state, *relation, source, selected)?)
            }
        }
    })
}

/// `node` reads the table that the id names; an id that names none finds nothing.
fn node(env: &Env<'_>, state: &mut State, selected: &Selected<'_>) -> Result<RootValue> {
    let mut arguments = env.arguments(state, selected)?;
    let Some((_, Input::Leaf(id))) = arguments.pop() else {
        return Err(state.error(selected, "an id is required"));
    };
    let type_name = node_id::type_name(&id.resolve(env.inputs.variables));
    let Some(type_name) = type_name else {
        return Err(state.error(selected, "not an id of this service"));
    };
    let Some(relation) = env.api.blueprint.relation_of(&type_name) else {
        return Ok(RootValue::Null);
    };
    let Some(identity) = env.api.model.relation(relation).identity() else {
        return Ok(RootValue::Null);
    };
    let mut key = Vec::with_capacity(identity.columns.len());
    for (index, &column) in identity.columns.iter().enumerate() {
        let ty = &env.api.model.relation(relation).column(column).ty;
        let format = filter::format(env, &ty.kind);
        let source = ParamSource::NodeIdKey {
            id: id.clone(),
            index,
            format,
        };
        key.push((column, state.param(source, ty.cast.clone(), false)));
    }
    let key = RowSource::Key(key);
    Ok(RootValue::Row(root_row(
        env, state, relation, key, selected,
    )?))
}

/// The row of the user who asks.
pub(super) fn viewer_key(
    env: &Env<'_>,
    state: &mut State,
) -> Option<(RelationId, Vec<(ColumnId, ParamId)>)> {
    let model = &env.api.model;
    let relation = model
        .relation_ids()
        .find(|&id| model.relation(id).comment.users)?;
    let column = model
        .relation(relation)
        .column_ids()
        .find(|&id| model.relation(relation).column(id).name.as_str() == "id")?;
    let param = state.param(ParamSource::Viewer, Some(Ident::new("uuid")), false);
    Some((relation, vec![(column, param)]))
}
