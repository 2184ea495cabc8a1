//! Parameters: where each value of a statement comes from, and how it becomes Postgres' input.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::cursor;
use super::data::{Cells, RowsSource};
use super::error::{InputError, PlanError};
use super::format::Format;
use super::node_id;
use super::types::{LimitId, ParamId};
use crate::sql::Ident;

/// Values of variables as the request sent them, with the operation's defaults filled in.
pub type Variables = Map<String, Value>;

/// The parameters of one statement.
#[derive(Debug, Default)]
pub struct Params {
    list: Vec<Param>,
}

#[derive(Debug)]
pub struct Param {
    pub source: ParamSource,
    /// The type it is cast to; text when none.
    pub cast: Option<Ident>,
    /// Whether it is an array of that type.
    pub array: bool,
    /// The field whose argument it is, for errors.
    path: FieldPath,
}

/// Response keys down to a field.
pub(super) type FieldPath = Box<[String]>;

#[derive(Debug)]
pub enum ParamSource {
    /// A value, or a whole list where the format says so.
    Value(ValueSource, Format),
    /// A list put together from several places.
    List(Vec<ValueSource>, Format),
    /// So many rows, and one more if the flag is set.
    Limit(LimitId, bool),
    Offset(ValueSource),
    CursorKey {
        cursor: ValueSource,
        fingerprint: u64,
        keys: usize,
        index: usize,
    },
    /// The place that a cursor of a list without keys stands for.
    CursorOffset {
        cursor: ValueSource,
        fingerprint: u64,
    },
    NodeIdKey {
        id: ValueSource,
        index: usize,
        format: Format,
    },
    /// The id of the user who asks.
    Viewer,
    /// Something of every row that is written.
    Rows(RowsSource, Cells),
}

/// Where a value stands.
#[derive(Debug, Clone)]
pub enum ValueSource {
    Literal(Value),
    /// A JSON literal with variables inside.
    Template(Arc<async_graphql_value::Value>),
    /// A variable's name and the way into its value.
    Variable {
        name: Arc<str>,
        path: Vec<Step>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Field(String),
    Item(usize),
}

/// How many rows a list may have.
#[derive(Debug, Default)]
pub struct Limits {
    list: Vec<LimitSource>,
}

#[derive(Debug)]
struct LimitSource {
    value: Option<ValueSource>,
    default: u32,
    max: u32,
    name: &'static str,
    path: FieldPath,
}

/// A parameter as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    Null,
    /// A text like any other, in digits.
    Number(u64),
    Text(String),
    Binary(Vec<u8>),
}

/// All values of one execution.
#[derive(Debug, Default)]
pub struct Bindings {
    pub params: Vec<Bound>,
    pub limits: Vec<u32>,
}

impl Params {
    pub(super) fn add(
        &mut self,
        source: ParamSource,
        cast: Option<Ident>,
        array: bool,
        path: FieldPath,
    ) -> ParamId {
        self.list.push(Param {
            source,
            cast,
            array,
            path,
        });
        ParamId(self.list.len() - 1)
    }

    pub fn get(&self, id: ParamId) -> &Param {
        &self.list[id.0]
    }

    /// What is wrong with a value, told as if it had been found when it was bound.
    pub fn blame(&self, id: ParamId, problem: &str) -> PlanError {
        let param = self.get(id);
        let source = match &param.source {
            ParamSource::Value(source, _)
            | ParamSource::Offset(source)
            | ParamSource::CursorKey { cursor: source, .. }
            | ParamSource::CursorOffset { cursor: source, .. }
            | ParamSource::NodeIdKey { id: source, .. } => Some(source),
            _ => None,
        };
        let error = match source {
            Some(source) => source.error(problem.to_owned()),
            None => InputError::new(problem),
        };
        PlanError {
            path: param.path.to_vec(),
            ..error.into()
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Param> {
        self.list.iter()
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl Limits {
    pub(super) fn add(
        &mut self,
        value: Option<ValueSource>,
        name: &'static str,
        default: u32,
        max: u32,
        path: FieldPath,
    ) -> LimitId {
        self.list.push(LimitSource {
            value,
            default,
            max,
            name,
            path,
        });
        LimitId(self.list.len() - 1)
    }
}

/// Takes the values of one request: checks each, and writes it as Postgres reads it.
///
/// `viewer` is the id of the user who asks; `rows` is how many a list may have, where that is not
/// what the schema says.
pub fn bind(
    params: &Params,
    limits: &Limits,
    variables: &Variables,
    viewer: Option<&dyn Display>,
    rows: Option<u32>,
) -> Result<Bindings, PlanError> {
    let at = |path: &FieldPath| {
        let path = path.to_vec();
        move |error: InputError| PlanError {
            path,
            ..error.into()
        }
    };
    let limits = limits
        .list
        .iter()
        .map(|limit| {
            limit
                .bind(variables, rows.unwrap_or(limit.max))
                .map_err(at(&limit.path))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let params = params
        .list
        .iter()
        .map(|param| {
            let bound = param.source.bind(variables, &limits, viewer);
            bound.map_err(at(&param.path))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Bindings { params, limits })
}

impl LimitSource {
    fn bind(&self, variables: &Variables, most: u32) -> Result<u32, InputError> {
        let Some(source) = &self.value else {
            return Ok(self.default.min(most));
        };
        let value = source.resolve(variables);
        if value.is_null() {
            return Ok(self.default.min(most));
        }
        let number = value
            .as_i64()
            .ok_or_else(|| source.error(format!("{} must be an integer", self.name)))?;
        u32::try_from(number)
            .ok()
            .filter(|number| *number <= most)
            .ok_or_else(|| {
                source.error(format!(
                    "{} must be between 0 and {most}, and is {number}",
                    self.name
                ))
            })
    }
}

impl ParamSource {
    fn bind(
        &self,
        variables: &Variables,
        limits: &[u32],
        viewer: Option<&dyn Display>,
    ) -> Result<Bound, InputError> {
        match self {
            Self::Value(source, format) => {
                let value = source.resolve(variables);
                if value.is_null() {
                    return Ok(Bound::Null);
                }
                let mut text = String::new();
                format
                    .write(&value, &mut text)
                    .map_err(|problem| source.error(problem))?;
                Ok(Bound::Text(text))
            }
            Self::List(sources, format) => {
                let mut items = Vec::with_capacity(sources.len());
                for source in sources {
                    items.push((source, source.resolve(variables)));
                }
                let mut text = String::new();
                super::format::write_array(&items, format, &mut text)?;
                Ok(Bound::Text(text))
            }
            Self::Limit(id, one_more) => Ok(Bound::Number(
                u64::from(limits[id.0]) + u64::from(*one_more),
            )),
            Self::Offset(source) => {
                let value = source.resolve(variables);
                match value.as_u64() {
                    _ if value.is_null() => Ok(Bound::Number(0)),
                    Some(number) if i32::try_from(number).is_ok() => Ok(Bound::Number(number)),
                    _ => Err(source.error("offset must be an integer and not negative".into())),
                }
            }
            Self::CursorKey {
                cursor,
                fingerprint,
                keys,
                index,
            } => {
                let value = cursor.resolve(variables);
                cursor::key(
                    value.as_str().unwrap_or_default(),
                    *fingerprint,
                    *keys,
                    *index,
                )
                .map_err(|problem| cursor.error(problem.into()))
                .map(|key| key.map_or(Bound::Null, Bound::Binary))
            }
            Self::CursorOffset {
                cursor,
                fingerprint,
            } => {
                let value = cursor.resolve(variables);
                let place = cursor::offset(value.as_str().unwrap_or_default(), *fingerprint)
                    .map_err(|problem| cursor.error(problem.into()))?;
                Ok(Bound::Number(u64::from(place) + 1))
            }
            Self::NodeIdKey { id, index, format } => {
                let value = node_id::key(&id.resolve(variables), *index)
                    .ok_or_else(|| id.error("not an id of this service".into()))?;
                let mut text = String::new();
                format
                    .write(&value, &mut text)
                    .map_err(|_| id.error("not an id of this service".into()))?;
                Ok(Bound::Text(text))
            }
            Self::Rows(rows, cells) => rows.bind(cells, variables),
            Self::Viewer => Ok(viewer.map_or(Bound::Null, |id| Bound::Text(id.to_string()))),
        }
    }
}

static NULL: Value = Value::Null;

impl ValueSource {
    /// The value; null where there is none.
    pub(super) fn resolve<'v>(&'v self, variables: &'v Variables) -> Cow<'v, Value> {
        match self {
            Self::Literal(value) => Cow::Borrowed(value),
            Self::Template(value) => Cow::Owned(fill(value, variables)),
            Self::Variable { name, path } => {
                let mut value = variables.get(&**name).unwrap_or(&NULL);
                for step in path {
                    let inner = match step {
                        Step::Field(name) => value.get(name),
                        Step::Item(index) => value.get(index),
                    };
                    value = inner.unwrap_or(&NULL);
                }
                Cow::Borrowed(value)
            }
        }
    }

    pub(super) fn error(&self, problem: String) -> InputError {
        match self {
            Self::Literal(_) | Self::Template(_) => InputError::new(problem),
            Self::Variable { name, path } => InputError::in_variable(name, path, &problem),
        }
    }
}

/// Puts variables into a JSON literal; one without a value is null.
pub(super) fn fill(value: &async_graphql_value::Value, variables: &Variables) -> Value {
    use async_graphql_value::Value as Ast;
    match value {
        Ast::Variable(name) => variables.get(name.as_str()).cloned().unwrap_or_default(),
        Ast::List(items) => items.iter().map(|item| fill(item, variables)).collect(),
        Ast::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| (name.to_string(), fill(value, variables)))
                .collect(),
        ),
        plain => plain.clone().into_json().unwrap_or_default(),
    }
}
