//! What the server says when it refuses.

use std::fmt;
use std::io;

use postgres_protocol::message::backend::ErrorResponseBody;
use tokio_postgres::fallible_iterator::FallibleIterator as _;

/// An `ErrorResponse`.
/// <https://www.postgresql.org/docs/current/protocol-error-fields.html>
#[derive(Debug, Clone, Default)]
pub(crate) struct ServerError {
    code: String,
    message: String,
    constraint: Option<String>,
    table: Option<String>,
    column: Option<String>,
    detail: Option<String>,
    hint: Option<String>,
    routine: Option<String>,
    context: Option<String>,
    has_position: bool,
}

impl ServerError {
    pub(super) fn read(body: &ErrorResponseBody) -> io::Result<Self> {
        let mut error = Self::default();
        let mut fields = body.fields();
        while let Some(field) = fields.next()? {
            let value = || String::from_utf8_lossy(field.value_bytes()).into_owned();
            match field.type_() {
                b'C' => error.code = value(),
                b'M' => error.message = value(),
                b'n' => error.constraint = Some(value()),
                b't' => error.table = Some(value()),
                b'c' => error.column = Some(value()),
                b'D' => error.detail = Some(value()),
                b'H' => error.hint = Some(value()),
                b'W' => error.context = Some(value()),
                b'R' => error.routine = Some(value()),
                b'P' => error.has_position = true,
                _ => {}
            }
        }
        Ok(error)
    }

    /// The SQLSTATE.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn constraint(&self) -> Option<&str> {
        self.constraint.as_deref()
    }

    pub(crate) fn table(&self) -> Option<&str> {
        self.table.as_deref()
    }

    pub(crate) fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }

    pub(crate) fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The number of the parameter that could not be read, from one. A line of the context says it, in any language:
    /// `unnamed portal parameter $2 = '...'`.
    pub(crate) fn parameter(&self) -> Option<usize> {
        self.context.as_ref()?.lines().find_map(|line| {
            let (_, rest) = line.split_once(" $")?;
            let (number, value) = rest.split_once(' ').unwrap_or((rest, ""));
            let number = number.parse().ok()?;
            (value.is_empty() || value.starts_with("= '")).then_some(number)
        })
    }

    /// What the statement was doing, when that was done by something else for it: by a function, a trigger, Postgres itself.
    pub(crate) fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// The function in Postgres' source that said it.
    pub(crate) fn routine(&self) -> Option<&str> {
        self.routine.as_deref()
    }

    /// Whether the message is about a place in the statement.
    pub(crate) fn has_position(&self) -> bool {
        self.has_position
    }
}

/// Without the details and hints, which may hold values.
impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        let place = [&self.constraint, &self.table, &self.column];
        for name in place.into_iter().flatten() {
            write!(f, " ({name})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::ServerError;

    #[test]
    fn the_context_says_which_parameter() {
        let of = |context: &str| {
            let context = Some(context.to_owned());
            let error = ServerError {
                context,
                ..ServerError::default()
            };
            error.parameter()
        };
        assert_eq!(of("unnamed portal parameter $12 = '...'"), Some(12));
        assert_eq!(of("Portal »p« Parameter $3"), Some(3));
        assert_eq!(
            of("JSON data, line 1: {a\nunnamed portal parameter $2 = 'x\n $7'"),
            Some(2)
        );
        assert_eq!(of("PL/pgSQL function f(text) line 3 at RAISE"), None);
        assert_eq!(of("SQL statement \"select $1 + x\""), None);
    }
}
