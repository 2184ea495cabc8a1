//! The columns of one row, read one after the other, and the rows of one list.

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::error::EncodeError;
use super::record::{Elements, Record};

/// The bytes of a column as they came, whatever its type.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a>(pub &'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl<'a> Raw<'a> {
    /// The bytes of a column; none for null, or where the row has no such column.
    pub fn of(row: &'a Row, column: usize) -> Option<&'a [u8]> {
        row.try_get::<_, Option<Raw<'a>>>(column)
            .ok()
            .flatten()
            .map(|raw| raw.0)
    }
}

/// Where the columns of a row are read from.
#[derive(Clone)]
pub(super) struct Slots<'a> {
    source: Source<'a>,
    position: usize,
}

#[derive(Clone)]
enum Source<'a> {
    Row(&'a Row),
    Record(Record<'a>),
}

impl<'a> Slots<'a> {
    pub(super) fn row(row: &'a Row) -> Self {
        Self {
            source: Source::Row(row),
            position: 0,
        }
    }

    pub(super) fn record(value: &'a [u8]) -> Result<Self, EncodeError> {
        Ok(Self {
            source: Source::Record(Record::new(value)?),
            position: 0,
        })
    }

    pub(super) fn next(&mut self) -> Result<Option<&'a [u8]>, EncodeError> {
        self.position += 1;
        match &mut self.source {
            Source::Row(row) => {
                if self.position > row.len() {
                    return Err(EncodeError::Malformed);
                }
                Ok(Raw::of(row, self.position - 1))
            }
            Source::Record(record) => record.next(),
        }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Goes on at a later column.
    pub(super) fn advance_to(&mut self, position: usize) -> Result<(), EncodeError> {
        let distance = position.saturating_sub(self.position);
        self.position += distance;
        match &mut self.source {
            Source::Row(_) => Ok(()),
            Source::Record(record) => record.skip(distance),
        }
    }
}

/// The rows of a list.
pub(super) enum Rows<'a> {
    Flat(&'a [Row]),
    Array(Elements<'a>),
}

impl<'a> Rows<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Flat(rows) => rows.len(),
            Self::Array(elements) => elements.len(),
        }
    }

    /// Calls `f` with each row of the range, and its place in the range.
    pub(super) fn each<E: From<EncodeError>>(
        &self,
        range: std::ops::Range<usize>,
        mut f: impl FnMut(usize, &mut Slots<'a>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Flat(rows) => {
                for (index, row) in rows.get(range).unwrap_or_default().iter().enumerate() {
                    f(index, &mut Slots::row(row))?;
                }
            }
            Self::Array(elements) => {
                let mut elements = elements.clone();
                for index in 0..range.end {
                    let element = elements.next()?.flatten().ok_or(EncodeError::Malformed)?;
                    if index >= range.start {
                        f(index - range.start, &mut Slots::record(element)?)?;
                    }
                }
            }
        }
        Ok(())
    }
}
