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

    /// The field some objects down.
    fn at(self, path: &[Arc<str>], variables: &'v Variables) -> Option<Self> {
        path.iter()
            .try_fold(self, |value, name| value.field(name, variables))
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

/// Where rows stand: in an argument, some steps down.
#[derive(Debug, Clone)]
pub struct RowsSource {
    argument: Arc<Argument>,
    path: Vec<RowStep>,
}

#[derive(Debug)]
struct Argument {
    name: String,
    value: Ast,
}

#[derive(Debug, Clone)]
enum RowStep {
    /// The items of a field, one row after the other.
    Field(Arc<str>),
    /// Only rows that have the field, which may lie some objects down.
    Having(Vec<Arc<str>>),
}

/// What a parameter takes of rows.
#[derive(Debug, Clone)]
pub enum Cells {
    /// A field's value in each row, as an array: null where it is null or left out. The field may
    /// lie some objects down.
    Values(Vec<Arc<str>>, Format),
    /// Whether each row has the field, as an array.
    Given(Arc<str>),
    /// The same, of rows that must not have any of the others besides.
    GivenAlone(Arc<str>, Vec<Arc<str>>),
    /// A field's value in the only row.
    Value(Arc<str>, Format),
    /// The same, which must not be null.
    Operand(Arc<str>, Format),
    /// Nothing, but every row that has the field must say true.
    True(Arc<str>),
    /// Nothing, but there must not be a second row.
    Single(Arc<str>),
    /// How many rows there are.
    Count,
    /// The number of the row above that each row stands in, from one; rows are so many steps below those.
    Parents(usize),
    /// The number that each row's only row among those has, from one; null where it has none.
    Positions(Box<RowsSource>),
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

    /// The rows in a field of these.
    pub(super) fn field(&self, name: &str) -> Self {
        self.step(RowStep::Field(name.into()))
    }

    /// Those of these that have a field.
    pub(super) fn having(&self, path: &[Arc<str>]) -> Self {
        self.step(RowStep::Having(path.to_vec()))
    }

    fn step(&self, step: RowStep) -> Self {
        let mut below = self.clone();
        below.path.push(step);
        below
    }

    /// Whether there may be any number of rows, and not the one of an argument.
    pub(super) fn is_nested(&self) -> bool {
        !self.path.is_empty()
    }

    /// How many steps these rows lie below those.
    pub(super) fn below(&self, above: &Self) -> usize {
        self.path.len() - above.path.len()
    }

    pub(super) fn rows<'v>(&'v self, variables: &'v Variables) -> Vec<Data<'v>> {
        let rows = self.within(self.path.len(), variables);
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// The rows with the number, from zero, of the row so many steps above that each stands in.
    fn within<'v>(&'v self, steps: usize, variables: &'v Variables) -> Vec<(usize, Data<'v>)> {
        let start = self.path.len().saturating_sub(steps);
        let rows = Data::of(&self.argument.value, variables)
            .map(|value| value.items(variables))
            .unwrap_or_default();
        let mut rows: Vec<_> = rows.into_iter().enumerate().collect();
        for (index, step) in self.path.iter().enumerate() {
            if index == start {
                rows = rows.into_iter().map(|(_, row)| row).enumerate().collect();
            }
            rows = step.apply(rows, variables);
        }
        if start == self.path.len() {
            rows = rows.into_iter().map(|(_, row)| row).enumerate().collect();
        }
        rows
    }

    pub(super) fn bind(&self, cells: &Cells, variables: &Variables) -> Result<Bound, InputError> {
        Ok(match cells {
            Cells::Count => Bound::Number(self.rows(variables).len() as u64),
            Cells::Value(field, format) => self
                .only(field, format, variables)?
                .map_or(Bound::Null, Bound::Text),
            Cells::Operand(field, format) => {
                let value = self.only(field, format, variables)?;
                Bound::Text(value.ok_or_else(|| self.error(None, field, "must not be null"))?)
            }
            Cells::Given(field) => {
                let rows = self.rows(variables).into_iter();
                array(rows.map(|row| row.field(field, variables)), |given, out| {
                    out.push(if given.is_some() { 't' } else { 'f' });
                    Ok(())
                })?
            }
            Cells::GivenAlone(field, others) => {
                for (index, row) in self.within(self.path.len(), variables) {
                    let has = |name: &Arc<str>| {
                        let value = row.field(name, variables);
                        value.is_some_and(|value| !value.is_null())
                    };
                    if let Some(other) = others.iter().find(|other| has(other) && has(field)) {
                        let problem = format!("say either {field} or {other}");
                        return Err(self.error(Some(index), field, &problem));
                    }
                }
                return self.bind(&Cells::Given(Arc::clone(field)), variables);
            }
            Cells::True(field) => {
                for (index, row) in self.within(self.path.len(), variables) {
                    let value = row
                        .field(field, variables)
                        .map(|value| value.value(variables));
                    if value.is_some_and(|value| *value != Value::Bool(true)) {
                        let problem = "leave it out, or say true";
                        return Err(self.error(Some(index), field, problem));
                    }
                }
                Bound::Null
            }
            Cells::Single(field) => {
                if self.rows(variables).len() > 1 {
                    let problem = "is changed with one row at a time";
                    return Err(self.error(None, field, problem));
                }
                Bound::Null
            }
            Cells::Values(path, format) => self.values(path, format, variables)?,
            Cells::Parents(steps) => array(
                self.within(*steps, variables).into_iter(),
                |(above, _), out| {
                    let _ = write!(out, "{}", above + 1);
                    Ok(())
                },
            )?,
            Cells::Positions(below) => {
                let mut positions = vec![None; self.rows(variables).len()];
                let rows = below.within(below.below(self), variables);
                for (number, (above, _)) in rows.into_iter().enumerate() {
                    positions[above] = Some(number + 1);
                }
                array(positions.into_iter(), |position, out| {
                    let _ = match position {
                        Some(number) => write!(out, "{number}"),
                        None => write!(out, "NULL"),
                    };
                    Ok(())
                })?
            }
        })
    }

    /// The text of a field in the only row; none where it is null.
    fn only(
        &self,
        field: &str,
        format: &Format,
        variables: &Variables,
    ) -> Result<Option<String>, InputError> {
        let rows = self.rows(variables);
        let value = rows.first().and_then(|row| row.field(field, variables));
        let value = value.map(|value| value.value(variables));
        let Some(value) = value.filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let mut text = String::new();
        format
            .write(&value, &mut text)
            .map_err(|problem| self.error(None, field, &problem))?;
        Ok(Some(text))
    }

    fn values(
        &self,
        path: &[Arc<str>],
        format: &Format,
        variables: &Variables,
    ) -> Result<Bound, InputError> {
        let mut text = String::new();
        let rows = self.within(self.path.len(), variables);
        array(rows.into_iter(), |(above, row), out| {
            let value = row.at(path, variables);
            let value = value.map(|value| value.value(variables));
            let Some(value) = value.filter(|value| !value.is_null()) else {
                out.push_str("NULL");
                return Ok(());
            };
            text.clear();
            format
                .write(&value, &mut text)
                .map_err(|problem| self.error(Some(above), &path.join("."), &problem))?;
            write_quoted(&text, out);
            Ok(())
        })
    }

    /// Names the place much as the client wrote it: `inputs[17].comments.create.body`.
    pub(super) fn error(&self, index: Option<usize>, field: &str, problem: &str) -> InputError {
        let mut place = self.argument.name.clone();
        if let (Some(index), Ast::List(_) | Ast::Variable(_), "inputs") =
            (index, &self.argument.value, place.as_str())
        {
            let _ = write!(place, "[{index}]");
        }
        InputError::new(format!("{}.{field}: {problem}", self.place(place)))
    }

    /// The fields that lead here: `input.comments.create`.
    pub(super) fn path(&self) -> String {
        self.place(self.argument.name.clone())
    }

    fn place(&self, argument: String) -> String {
        let fields = self.path.iter().filter_map(|step| match step {
            RowStep::Field(name) => Some(name),
            RowStep::Having(_) => None,
        });
        fields.fold(argument, |mut place, name| {
            let _ = write!(place, ".{name}");
            place
        })
    }

    /// About as many bytes as it takes.
    pub(super) fn bytes(&self) -> usize {
        64 + self.argument.name.len() + self.path.len() * 32
    }
}

impl RowStep {
    fn apply<'v>(
        &'v self,
        rows: Vec<(usize, Data<'v>)>,
        variables: &'v Variables,
    ) -> Vec<(usize, Data<'v>)> {
        let mut below = Vec::with_capacity(rows.len());
        for (above, row) in rows {
            match self {
                Self::Field(name) => {
                    let items = row
                        .field(name, variables)
                        .map(|value| value.items(variables));
                    below.extend(items.into_iter().flatten().map(|item| (above, item)));
                }
                Self::Having(path) => {
                    let value = row.at(path, variables);
                    if value.is_some_and(|value| !value.is_null()) {
                        below.push((above, row));
                    }
                }
            }
        }
        below
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
