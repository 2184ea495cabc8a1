//! How large a plan's parameters are, roughly, for a cache that is bounded by bytes.

use serde_json::Value;

use super::params::{ParamSource, Params, Step, ValueSource};

impl Params {
    /// About as many bytes as they take, the literals among them included.
    pub fn bytes(&self) -> usize {
        self.iter()
            .map(|param| 128 + of_source(&param.source))
            .sum()
    }
}

fn of_source(source: &ParamSource) -> usize {
    match source {
        ParamSource::Value(value, _)
        | ParamSource::Offset(value)
        | ParamSource::CursorKey { cursor: value, .. }
        | ParamSource::CursorOffset { cursor: value, .. }
        | ParamSource::NodeIdKey { id: value, .. } => of_value(value),
        ParamSource::List(values, _) => values.iter().map(of_value).sum(),
        ParamSource::Rows(rows, _) => rows.bytes(),
        ParamSource::Limit(..) | ParamSource::Viewer => 0,
    }
}

fn of_value(value: &ValueSource) -> usize {
    let inner = match value {
        ValueSource::Literal(value) => of_literal(value),
        ValueSource::Template(value) => value.to_string().len() * 8,
        ValueSource::Variable { path, .. } => {
            let steps = path.iter().map(|step| match step {
                Step::Field(name) => 32 + name.len(),
                Step::Item(_) => 32,
            });
            steps.sum()
        }
    };
    size_of::<ValueSource>() + inner
}

fn of_literal(value: &Value) -> usize {
    let inner: usize = match value {
        Value::Array(items) => items.iter().map(of_literal).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| 32 + name.len() + of_literal(value))
            .sum(),
        Value::String(text) => text.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    size_of::<Value>() + inner
}
