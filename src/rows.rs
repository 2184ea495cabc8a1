//! The rows of a result, as they came over the wire: one buffer, and where each row starts in it.

use bytes::{BufMut as _, Bytes, BytesMut};

/// The bodies of the `DataRow` messages of one result.
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html>
#[derive(Debug, Clone, Default)]
pub struct Rows {
    bytes: Bytes,
    starts: Vec<u32>,
}

/// One row, whose columns are read one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a>(&'a [u8]);

/// What is left of a row.
#[derive(Debug, Clone)]
pub(crate) struct Columns<'a> {
    left: u16,
    bytes: &'a [u8],
}

/// A row has fewer columns than were read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoSuchColumn;

impl Rows {
    /// Rows start at `starts`, with the number of their columns.
    pub(crate) fn new(bytes: Bytes, starts: Vec<u32>) -> Self {
        Self { bytes, starts }
    }

    /// How many bytes came; those of other results of the same answer count too.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Rows that did not come over the wire.
    pub fn from_columns<'a, R, C>(rows: R) -> Self
    where
        R: IntoIterator<Item = C>,
        C: IntoIterator<Item = Option<&'a [u8]>>,
    {
        let (mut bytes, mut starts) = (BytesMut::new(), Vec::new());
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        for row in rows {
            let start = bytes.len();
            starts.push(length(&bytes));
            bytes.put_u16(0);
            let mut count = 0_u16;
            for column in row {
                count += 1;
                match column {
                    Some(value) => {
                        bytes.put_u32(length(value));
                        bytes.put_slice(value);
                    }
                    None => bytes.put_i32(-1),
                }
            }
            bytes[start..start + 2].copy_from_slice(&count.to_be_bytes());
        }
        Self::new(bytes.freeze(), starts)
    }

    pub fn len(&self) -> usize {
        self.starts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    pub fn get(&self, index: usize) -> Option<Row<'_>> {
        let start = usize::try_from(*self.starts.get(index)?).ok()?;
        Some(Row(self.bytes.get(start..)?))
    }

    pub fn first(&self) -> Option<Row<'_>> {
        self.get(0)
    }

    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

impl<'a> Row<'a> {
    pub(crate) fn columns(self) -> Columns<'a> {
        match self.0 {
            [first, second, bytes @ ..] => Columns {
                left: u16::from_be_bytes([*first, *second]),
                bytes,
            },
            _ => Columns {
                left: 0,
                bytes: &[],
            },
        }
    }

    /// The bytes of a column; none for null, or where the row has no such column.
    pub fn column(self, index: usize) -> Option<&'a [u8]> {
        let mut columns = self.columns();
        for _ in 0..index {
            columns.next().ok()?;
        }
        columns.next().ok()?
    }
}

impl<'a> Columns<'a> {
    /// The bytes of the next column, `None` for null.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<&'a [u8]>, NoSuchColumn> {
        self.left = self.left.checked_sub(1).ok_or(NoSuchColumn)?;
        let (length, rest) = self.bytes.split_first_chunk().ok_or(NoSuchColumn)?;
        // A negative length stands for null.
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.bytes = rest;
            return Ok(None);
        };
        let (value, rest) = rest.split_at_checked(length).ok_or(NoSuchColumn)?;
        self.bytes = rest;
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_in_order_and_end() {
        let rows = Rows::from_columns([
            vec![Some(&b"one"[..]), None, Some(b"")],
            vec![Some(&b"two"[..])],
        ]);
        assert_eq!(rows.len(), 2);
        let mut columns = rows.first().unwrap().columns();
        assert_eq!(columns.next(), Ok(Some(&b"one"[..])));
        assert_eq!(columns.next(), Ok(None));
        assert_eq!(columns.next(), Ok(Some(&b""[..])));
        assert_eq!(columns.next(), Err(NoSuchColumn));
        let second = rows.get(1).unwrap();
        assert_eq!(second.column(0), Some(&b"two"[..]));
        assert_eq!(second.column(1), None);
        assert!(rows.get(2).is_none());
    }

    #[test]
    fn a_row_that_is_cut_short_is_noticed() {
        let whole = Rows::from_columns([[Some(&b"value"[..])]]);
        for length in 0..whole.bytes.len() {
            let rows = Rows::new(whole.bytes.slice(..length), vec![0]);
            let mut columns = rows.first().unwrap().columns();
            assert_eq!(columns.next(), Err(NoSuchColumn), "{length}");
        }
    }
}
