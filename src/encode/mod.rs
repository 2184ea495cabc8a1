//! Rows in Postgres' binary form → JSON bytes of the response, written once, without a tree between.

mod array;
mod computed;
mod datetime;
mod error;
mod interval;
mod list;
mod numeric;
mod record;
mod row;
mod scalar;
mod slots;
#[cfg(test)]
mod testing;
mod text;
mod wire;
mod written;

pub use error::EncodeError;
pub use row::{FieldError, FieldErrorKind, PathSegment};
pub use scalar::{Codec, Label};
pub use text::write_str;

use serde_json::Value;

use crate::plan::{Bindings, LogInField, Root, RootRow, RootValue};
use crate::rows::{Row, Rows};
use list::Beside;
use row::{Encoder, Fault};
use slots::{Items, Slots};

/// The most bytes that are taken for a response before it is known to need them.
const MOST_AT_ONCE: usize = 1 << 20;

/// The `data` of a response under construction, with the errors of its fields.
pub struct Body<'a> {
    encoder: Encoder<'a>,
    count: usize,
    is_null: bool,
}

/// Where the value of a root field comes from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// It is known without asking.
    Plan,
    /// The rows of the result are the field's.
    Rows(&'a Rows),
    /// One column of the result's only row is the field's.
    Column(Row<'a>, usize),
    Json(&'a Value),
    LogIn {
        /// Neither token where cookies keep them.
        access_token: Option<&'a str>,
        refresh_token: Option<&'a str>,
        expires_in: u64,
        /// For each field `user` its rows.
        users: &'a [Rows],
    },
}

impl<'a> Body<'a> {
    /// `limit` is the most bytes that lists may fill; `source` is how many bytes the rows have.
    pub fn new(bindings: &'a Bindings, limit: usize, source: usize) -> Self {
        // Names and punctuation take about as much as values: seldom has the buffer to grow.
        let size = source.saturating_mul(2).min(limit).min(MOST_AT_ONCE) + 512;
        let mut encoder = Encoder::new(bindings, limit, Vec::with_capacity(size));
        encoder.out.extend_from_slice(b"{\"data\":{");
        Self {
            encoder,
            count: 0,
            is_null: false,
        }
    }

    /// Adds a root field. `Err` means that the rows are not what the plan expects.
    pub fn root(&mut self, root: &Root, source: Source<'_>) -> Result<(), EncodeError> {
        let encoder = &mut self.encoder;
        if self.count > 0 {
            encoder.out.push(b',');
        }
        self.count += 1;
        encoder.out.extend_from_slice(root.key.json());
        let (start, errors) = (encoder.out.len(), encoder.errors.len());
        let result = root_value(encoder, &root.value, source);
        let key = || PathSegment::Key(root.key.name().into());
        for error in &mut encoder.errors[errors..] {
            error.path.push(key());
        }
        match result {
            Ok(()) => Ok(()),
            Err(Fault::Broken(error)) => Err(error),
            Err(Fault::Field(mut error)) => {
                error.path.push(key());
                encoder.errors.push(error);
                encoder.out.truncate(start);
                encoder.out.extend_from_slice(b"null");
                // What may be null has caught its errors itself.
                self.is_null = true;
                Ok(())
            }
        }
    }

    /// Has the whole of the data be null: an error elsewhere went up to the top.
    pub fn nullify(&mut self) {
        self.is_null = true;
    }

    /// The response without its closing brace, and the errors of fields that became null.
    pub fn finish(self) -> (Vec<u8>, Vec<FieldError>) {
        let Encoder {
            mut out,
            mut errors,
            ..
        } = self.encoder;
        if self.is_null {
            out.clear();
            out.extend_from_slice(b"{\"data\":null");
        } else {
            out.push(b'}');
        }
        for error in &mut errors {
            error.path.reverse();
        }
        (out, errors)
    }
}

fn root_value(
    encoder: &mut Encoder<'_>,
    value: &RootValue,
    source: Source<'_>,
) -> Result<(), Fault> {
    match (value, source) {
        (RootValue::Typename(name), _) => write_str(name, &mut encoder.out),
        (RootValue::Connection(connection), Source::Rows(rows)) => {
            return encoder.list(connection, &Items::Flat(rows), &Beside::default());
        }
        (RootValue::Connection(connection), Source::Column(row, column)) => {
            let value = row
                .column(column)
                .ok_or(Fault::Broken(EncodeError::Malformed))?;
            return encoder.connection(connection, value);
        }
        (RootValue::Write(write), Source::Column(row, _)) => {
            return encoder.written(&write.answer, row);
        }
        (RootValue::Forbidden, _) => {
            return encoder.null_or_fault(false, FieldError::forbidden());
        }
        (RootValue::Row(row), source) => return root_row(encoder, row, source),
        (RootValue::Call(read), Source::Column(row, column)) => {
            return encoder.value(&read.codec, read.non_null, row.column(column));
        }
        (_, Source::Json(value)) => {
            // Writing to a Vec cannot fail, and the value was JSON before.
            let _ = serde_json::to_writer(&mut encoder.out, value);
        }
        (
            RootValue::LogIn(log_in),
            Source::LogIn {
                access_token,
                refresh_token,
                expires_in,
                users,
            },
        ) => {
            let mut users = users.iter();
            return encoder.object(&log_in.fields, |encoder, field| match field {
                LogInField::Typename(name) => {
                    write_str(name, &mut encoder.out);
                    Ok(())
                }
                LogInField::AccessToken => {
                    write_opt(access_token, &mut encoder.out);
                    Ok(())
                }
                LogInField::RefreshToken => {
                    write_opt(refresh_token, &mut encoder.out);
                    Ok(())
                }
                LogInField::ExpiresIn => {
                    let seconds = itoa::Buffer::new().format(expires_in).to_owned();
                    encoder.out.extend_from_slice(seconds.as_bytes());
                    Ok(())
                }
                LogInField::User(row) => {
                    let rows = users.next().map_or(Source::Plan, Source::Rows);
                    root_row(encoder, row, rows)
                }
            });
        }
        _ => encoder.out.extend_from_slice(b"null"),
    }
    Ok(())
}

fn write_opt(text: Option<&str>, out: &mut Vec<u8>) {
    match text {
        Some(text) => write_str(text, out),
        None => out.extend_from_slice(b"null"),
    }
}

/// One row or null.
fn root_row(encoder: &mut Encoder<'_>, row: &RootRow, source: Source<'_>) -> Result<(), Fault> {
    let slots = match source {
        Source::Rows(rows) => rows.first().map(Slots::row),
        Source::Column(row, column) => row.column(column).map(Slots::record).transpose()?,
        _ => None,
    };
    let Some(mut slots) = slots else {
        encoder.out.extend_from_slice(b"null");
        return Ok(());
    };
    let start = encoder.out.len();
    match encoder.selection(&row.selection, &mut slots) {
        Err(Fault::Field(error)) => {
            encoder.out.truncate(start);
            encoder.null_or_fault(false, error)
        }
        result => result,
    }
}
