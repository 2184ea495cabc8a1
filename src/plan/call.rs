//! Calls of functions: their arguments, and what becomes of that which they return.

use super::filter;
use super::input::Input;
use super::params::ParamSource;
use super::row::codec;
use super::types::{Call, CallArgument, CallPage, CallValue, ParamId};
use super::{Env, Result, Selected, State};
use crate::encode::Codec;
use crate::model::{ColumnType, Function, FunctionId};
use crate::schema::InputMeaning;
use crate::sql::Ident;

/// The call that a field stands for.
///
/// Arguments are named, so that those with a default can be left out. In SQL, those without a name
/// come first, and none before them may be missing.
pub(super) fn call(
    env: &Env<'_>,
    state: &mut State,
    id: FunctionId,
    selected: &Selected<'_>,
) -> Result<Call> {
    let function = env.api.model.function(id);
    let mut given: Vec<Option<ParamId>> = vec![None; function.arguments.len()];
    for (meaning, value) in env.arguments(state, selected)? {
        let InputMeaning::Argument(index) = meaning else {
            continue;
        };
        let ty = &function.arguments[*index].ty;
        let param = filter::value_param(env, state, ty, ty.cast.clone(), value)
            .map_err(|error| state.error(selected, &error.message))?;
        given[*index] = Some(param);
    }
    let arguments = arguments(function, &given)
        .map_err(|missing| state.error(selected, &format!("{missing} must be given too")))?;
    Ok(Call {
        function: id,
        arguments,
    })
}

/// `Err` has the name of an argument that cannot be left out.
fn arguments(function: &Function, given: &[Option<ParamId>]) -> Result<Vec<CallArgument>, String> {
    let all = || function.arguments.iter().zip(given).enumerate();
    let positional = all()
        .filter(|(_, (argument, param))| argument.name.is_none() && param.is_some())
        .map(|(index, _)| index + 1)
        .max()
        .unwrap_or(0);
    let mut arguments = Vec::with_capacity(given.len());
    for (index, (argument, param)) in all() {
        let Some(param) = *param else {
            if index < positional {
                let name = argument.name.as_ref().map(Ident::as_str);
                return Err(name.map_or_else(|| format!("arg{}", index + 1), str::to_owned));
            }
            continue;
        };
        arguments.push(CallArgument {
            name: argument.name.clone().filter(|_| index >= positional),
            param,
            variadic: argument.variadic,
        });
    }
    Ok(arguments)
}

/// A function that returns a value, or a list of values.
pub(super) fn value(
    env: &Env<'_>,
    state: &mut State,
    id: FunctionId,
    (ty, not_null): (&ColumnType, bool),
    selected: &Selected<'_>,
) -> Result<CallValue> {
    let call = call(env, state, id, selected)?;
    let (codec, wire) = codec(env, ty);
    if !env.api.model.function(id).set {
        return Ok(CallValue {
            call,
            codec,
            wire,
            non_null: not_null,
            page: None,
        });
    }
    let (mut first, mut offset) = (None, None);
    for (meaning, value) in env.arguments(state, selected)? {
        let Input::Leaf(source) = value else {
            continue;
        };
        match meaning {
            InputMeaning::First => first = Some(source),
            InputMeaning::Offset => offset = Some(source),
            _ => {}
        }
    }
    let (options, path) = (&env.api.options, state.path());
    let limits = (options.default_limit, options.max_limit);
    let limit = state.limits.add(first, "first", limits.0, limits.1, path);
    let int8 = || Some(Ident::new("int8"));
    let page = CallPage {
        limit: state.param(ParamSource::Limit(limit, false), int8(), false),
        offset: offset.map(|source| state.param(ParamSource::Offset(source), int8(), false)),
    };
    Ok(CallValue {
        call,
        codec: Codec::Array {
            element: Box::new(codec),
            dimensions: 1,
        },
        wire,
        non_null: true,
        page: Some(page),
    })
}
