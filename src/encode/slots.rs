//! The columns of one row, read one after the other, and the rows of one list.

use super::error::EncodeError;
use super::record::{Elements, Record};
use crate::rows::{Columns, NoSuchColumn, Row, Rows};

impl From<NoSuchColumn> for EncodeError {
    fn from(_: NoSuchColumn) -> Self {
        Self::Malformed
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
    Row(Columns<'a>),
    Record(Record<'a>),
}

impl<'a> Slots<'a> {
    pub(super) fn row(row: Row<'a>) -> Self {
        Self {
            source: Source::Row(row.columns()),
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
            Source::Row(columns) => Ok(columns.next()?),
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
            Source::Row(columns) => {
                for _ in 0..distance {
                    columns.next()?;
                }
                Ok(())
            }
            Source::Record(record) => record.skip(distance),
        }
    }
}

/// The rows of a list, wherever they are.
pub(super) enum Items<'a> {
    None,
    Flat(&'a Rows),
    Array(Elements<'a>),
}

impl<'a> Items<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::None => 0,
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
            Self::None => {}
            Self::Flat(rows) => {
                for (index, row) in range.filter_map(|place| rows.get(place)).enumerate() {
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
