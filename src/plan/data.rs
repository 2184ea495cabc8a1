//! Rows in an argument, wherever they stand: in the document, in a variable, or partly in both.
//!
//! A plan says where to find the rows, never what they are: their number and their values are looked
//! up when it is bound.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use async_graphql_value::Value as Ast;
use serde_json::Value;

use super::error::InputError;
use super::format::{Format, write_quoted};
use super::params::{Bound, Variables, fill};

/// A value as it stands in the document, or in a variable.
#[derive(Debug, Clone, Copy)]
pub(super) enum Data<'v> {
    Ast(&'v Ast),
    Json(&'v Value),
}

impl<'v> Data<'v> {
    /// None for a variable without a value, which counts as left out.
    pub(super) fn of(value: &'v Ast, variables: &'v Variables) -> Option<Self> {
        match value {
            Ast::Variable(name) => variables.get(name.as_str()).map(Self::Json),
            value => Some(Self::Ast(value)),
        }
    }

    pub(super) fn field(self, name: &str, variables: &'v Variables) -> Option<Self> {
        match self {
            Self::Ast(Ast::Object(members)) => Self::of(members.get(name)?, variables),
            Self::Json(value) => value.get(name).map(Self::Json),
            Self::Ast(_) => None,
        }
    }

    pub(super) fn is_null(self) -> bool {
        matches!(self, Self::Ast(Ast::Null) | Self::Json(Value::Null))
    }

    /// The items of a list; a single value stands for a list of one, null for none.
    pub(super) fn items(self, variables: &'v Variables) -> Vec<Self> {
        match self {
            Self::Ast(Ast::List(items)) => items
                .iter()
                .filter_map(|item| Self::of(item, variables))
                .collect(),
            Self::Json(Value::Array(items)) => items.iter().map(Self::Json).collect(),
            single if single.is_null() => Vec::new(),
            single => vec![single],
        }
    }

    /// A scalar, or a list of such.
    fn value(self, variables: &Variables) -> Cow<'v, Value> {
        match self {
            Self::Json(value) => Cow::Borrowed(value),
            Self::Ast(value) => Cow::Owned(fill(value, variables)),
        }
    }
}

/// Where rows stand: in an argument, some fields down.
#[derive(Debug, Clone)]
pub struct RowsSource {
    argument: Arc<Argument>,
    path: Vec<Arc<str>>,
}

#[derive(Debug)]
struct Argument {
    name: String,
    value: Ast,
}

/// What a parameter takes of rows.
#[derive(Debug, Clone)]
pub enum Cells {
    /// A field's value in each row, as an array: null where it is null or left out.
    Values(Arc<str>, Format),
    /// Whether each row has the field, as an array.
    Given(Arc<str>),
    /// A field's value in the only row.
    Value(Arc<str>, Format),
    /// How many rows there are.
    Count,
}

impl RowsSource {
    pub(super) fn new(name: &str, value: &Ast) -> Self {
        Self {
            argument: Arc::new(Argument {
                name: name.to_owned(),
                value: value.clone(),
            }),
            path: Vec::new(),
        }
    }

    pub(super) fn rows<'v>(&'v self, variables: &'v Variables) -> Vec<Data<'v>> {
        let mut rows = Data::of(&self.argument.value, variables)
            .map(|value| value.items(variables))
            .unwrap_or_default();
        for name in &self.path {
            let inner = rows.iter().filter_map(|row| row.field(name, variables));
            rows = inner.flat_map(|value| value.items(variables)).collect();
        }
        rows
    }

    pub(super) fn bind(&self, cells: &Cells, variables: &Variables) -> Result<Bound, InputError> {
        let rows = self.rows(variables);
        Ok(match cells {
            Cells::Count => Bound::Text(rows.len().to_string()),
            Cells::Value(field, format) => {
                let Some(value) = rows.first().and_then(|row| row.field(field, variables)) else {
                    return Ok(Bound::Null);
                };
                let value = value.value(variables);
                if value.is_null() {
                    return Ok(Bound::Null);
                }
                let mut text = String::new();
                format
                    .write(&value, &mut text)
                    .map_err(|problem| self.error(None, field, &problem))?;
                Bound::Text(text)
            }
            Cells::Given(field) => {
                let given = rows.iter().map(|row| row.field(field, variables).is_some());
                array(given, |given, out| {
                    out.push(if given { 't' } else { 'f' });
                    Ok(())
                })?
            }
            Cells::Values(field, format) => {
                let mut text = String::new();
                array(rows.iter().enumerate(), |(index, row), out| {
                    let value = row.field(field, variables);
                    let value = value.map(|value| value.value(variables));
                    let Some(value) = value.filter(|value| !value.is_null()) else {
                        out.push_str("NULL");
                        return Ok(());
                    };
                    text.clear();
                    format
                        .write(&value, &mut text)
                        .map_err(|problem| self.error(Some(index), field, &problem))?;
                    write_quoted(&text, out);
                    Ok(())
                })?
            }
        })
    }

    /// Names the place as the client wrote it: `inputs[17].title`.
    fn error(&self, index: Option<usize>, field: &str, problem: &str) -> InputError {
        let mut message = self.argument.name.clone();
        for name in &self.path {
            let _ = write!(message, ".{name}");
        }
        if let Some(index) = index.filter(|_| !self.is_single()) {
            let _ = write!(message, "[{index}]");
        }
        let _ = write!(message, ".{field}: {problem}");
        InputError::new(message)
    }

    /// Whether the argument is an object and no list.
    fn is_single(&self) -> bool {
        self.path.is_empty() && matches!(self.argument.name.as_str(), "input" | "set" | "patch")
    }

    /// About as many bytes as it takes.
    pub(super) fn bytes(&self) -> usize {
        64 + self.argument.name.len() + self.path.len() * 32
    }
}

/// An array literal.
fn array<T>(
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(T, &mut String) -> Result<(), InputError>,
) -> Result<Bound, InputError> {
    let mut out = String::from("{");
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, &mut out)?;
    }
    out.push('}');
    Ok(Bound::Text(out))
}
