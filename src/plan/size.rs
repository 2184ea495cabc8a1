//! How large a plan is, roughly, for a cache that is bounded by bytes.

use serde_json::Value;

use super::Answer;
use super::LogInField;
use super::params::{ParamSource, Params, Step, ValueSource};
use super::types::{
    ComputedField, Connection, ConnectionField, FieldValue, Plan, ResponseKey, RootValue, Selection,
};

impl Plan {
    /// The fields of the answer, each row of a list counted once. The statement says nothing of
    /// them: `__typename` under ten thousand names takes none of its text.
    pub fn fields(&self) -> usize {
        let fields = self.roots.iter().map(|root| match &root.value {
            RootValue::Connection(connection) => of_connection(connection),
            RootValue::Row(row) => of_selection(&row.selection),
            RootValue::LogIn(log_in) => {
                let fields = log_in.fields.iter().map(|(_, field)| match field {
                    LogInField::User(row) => 1 + of_selection(&row.selection),
                    LogInField::Typename(_) | LogInField::AccessToken => 1,
                });
                fields.sum()
            }
            RootValue::Write(write) => match &write.answer {
                Answer::Row(selection) => of_selection(selection),
                Answer::Rows { fields, groups, .. } => {
                    fields.len() + groups.iter().map(of_selection).sum::<usize>()
                }
            },
            RootValue::Typename(_)
            | RootValue::Null
            | RootValue::Call(_)
            | RootValue::Introspection => 0,
        });
        self.roots.len() + fields.sum::<usize>()
    }
}

fn of_selection(selection: &Selection) -> usize {
    let inner = selection.fields.iter().map(|field| match &field.value {
        FieldValue::ToOne(row) => of_selection(&row.selection),
        FieldValue::Connection(connection) => of_connection(connection),
        FieldValue::Typename(_)
        | FieldValue::NodeId(_)
        | FieldValue::Column(_)
        | FieldValue::Call(_) => 0,
    });
    selection.fields.len() + inner.sum::<usize>()
}

fn of_connection(connection: &Connection) -> usize {
    let own = connection.fields.iter().map(|(_, field)| match field {
        ConnectionField::Edges(fields) => 1 + fields.len(),
        ConnectionField::PageInfo(fields) => 1 + fields.len(),
        ConnectionField::Aggregates(fields) => 1 + of_computed(fields),
        ConnectionField::Typename(_)
        | ConnectionField::Nodes(_)
        | ConnectionField::TotalCount(_)
        | ConnectionField::Groups(_) => 1,
    });
    let rows = connection.groups.iter().map(of_selection);
    let groups = connection.groupings.iter();
    let groups = groups.map(|grouping| of_computed(&grouping.fields));
    own.sum::<usize>() + rows.sum::<usize>() + groups.sum::<usize>()
}

fn of_computed(fields: &[(ResponseKey, ComputedField)]) -> usize {
    let inner = fields.iter().map(|(_, field)| match field {
        ComputedField::Object(fields) => of_computed(fields),
        ComputedField::Typename(_)
        | ComputedField::Null
        | ComputedField::Key(_)
        | ComputedField::Aggregate(_) => 0,
    });
    fields.len() + inner.sum::<usize>()
}

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
