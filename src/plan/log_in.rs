//! The planned mutations that let people in: `logIn`, `refreshSession`, `resetPassword`.

use std::sync::Arc;

use super::compare::is_true;
use super::format::{Format, Pattern};
use super::input::Input;
use super::params::ParamSource;
use super::root::{root_row, viewer_key};
use super::types::{ParamId, ResponseKey, RootRow, RootValue, RowSource};
use super::{Env, Result, Selected, State};
use crate::schema::{FieldMeaning, LogInMeans};

/// A mutation that lets somebody in, which the service answers; only `user` is read from the tenant's tables.
#[derive(Debug)]
pub struct LogIn {
    pub means: LogInMeans,
    /// What was given of the input's texts, by name.
    pub given: Vec<(Box<str>, ParamId)>,
    /// Whether the browser is to keep the tokens.
    pub cookie: bool,
    pub fields: Vec<(ResponseKey, LogInField)>,
}

#[derive(Debug)]
pub enum LogInField {
    Typename(Arc<str>),
    AccessToken,
    RefreshToken,
    ExpiresIn,
    User(RootRow),
}

impl LogIn {
    /// The parameter that holds a text of the input; none when it was left out.
    pub fn text(&self, name: &str) -> Option<ParamId> {
        let given = self.given.iter().find(|(known, _)| &**known == name);
        given.map(|(_, param)| *param)
    }
}

pub(super) fn plan(
    env: &Env<'_>,
    state: &mut State,
    means: LogInMeans,
    selected: &Selected<'_>,
) -> Result<RootValue> {
    let (mut given, mut cookie) = (Vec::new(), false);
    for (_, value) in env.arguments(state, selected)? {
        let Input::Object(members) = value else {
            continue;
        };
        for member in members {
            match member.value {
                value if member.name == "cookie" => cookie = is_true(env, &value),
                // Nulls are part of the variables' shape.
                Input::Leaf(source) if !source.resolve(env.inputs.variables).is_null() => {
                    let source = ParamSource::Value(source, Format::Text(Pattern::None));
                    given.push((member.name.into(), state.param(source, None, false)));
                }
                _ => {}
            }
        }
    }
    let mut fields = Vec::new();
    for field in env.selected("LogInPayload", &selected.fields)? {
        let value = match field.def.map(|def| &def.meaning) {
            None => LogInField::Typename(Arc::from("LogInPayload")),
            Some(FieldMeaning::LoggedInUser) => {
                let Some((relation, key)) = viewer_key(env, state) else {
                    continue;
                };
                let user = state.within(field.key, |state| {
                    root_row(env, state, relation, RowSource::Key(key), &field)
                })?;
                LogInField::User(user)
            }
            Some(FieldMeaning::RefreshToken) => LogInField::RefreshToken,
            Some(FieldMeaning::ExpiresIn) => LogInField::ExpiresIn,
            Some(_) => LogInField::AccessToken,
        };
        fields.push((ResponseKey::new(field.key), value));
    }
    Ok(RootValue::LogIn(Box::new(LogIn {
        means,
        given,
        cookie,
        fields,
    })))
}
