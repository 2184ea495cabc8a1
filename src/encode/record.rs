//! Zero-copy walks over the records and arrays in which relations arrive.

use super::array::Shape;
use super::error::EncodeError;
use super::wire::Reader;

/// Walks the fields of a record, `row(…)`.
///
/// On the wire (`record_send`): the number of fields, then per field its type's oid, its length and its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Record<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Record<'a> {
    #[inline]
    pub(crate) fn new(value: &'a [u8]) -> Result<Self, EncodeError> {
        let mut reader = Reader::new(value);
        let left = reader.count()?;
        Ok(Record { reader, left })
    }

    /// The next field, `None` for SQL null. A record with fewer fields than the plan reads is malformed.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<&'a [u8]>, EncodeError> {
        self.left = self.left.checked_sub(1).ok_or(EncodeError::Malformed)?;
        let _oid: [u8; 4] = self.reader.array()?;
        self.reader.nullable()
    }

    pub(crate) fn skip(&mut self, n: usize) -> Result<(), EncodeError> {
        for _ in 0..n {
            self.next()?;
        }
        Ok(())
    }
}

/// Walks the elements of an array of at most one dimension, `array(select row(…))`.
#[derive(Debug, Clone)]
pub(crate) struct Elements<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Elements<'a> {
    #[inline]
    pub(crate) fn new(value: &'a [u8]) -> Result<Self, EncodeError> {
        let mut reader = Reader::new(value);
        let shape = Shape::read(&mut reader)?;
        if shape.sizes().len() > 1 {
            return Err(EncodeError::Dimensions);
        }
        Ok(Elements {
            reader,
            left: shape.total,
        })
    }

    /// How many elements are left.
    pub(crate) fn len(&self) -> usize {
        self.left
    }

    /// The next element, `Some(None)` for SQL null; `None` after the last.
    #[inline]
    #[expect(clippy::option_option, reason = "the end is not SQL null")]
    pub(crate) fn next(&mut self) -> Result<Option<Option<&'a [u8]>>, EncodeError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        self.reader.nullable().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::testing::hex;

    /// `row(7, null::text, 'héllo'::text, array[true, false])`
    const ROW: &str = "0000000400000017000000040000000700000019ffffffff000000190000000668c3a96c6c6f000003e80000001e000000010000000000000010000000020000000100000001010000000100";
    /// `array[row(1, 'a'), null, row(2, null)]`
    const ROWS: &str = "0000000100000001000008c900000003000000010000001900000002000000170000000400000001000002c10000000161ffffffff0000001800000002000000170000000400000002000002c1ffffffff";

    #[test]
    fn fields_in_order() {
        let value = hex(ROW);
        let mut record = Record::new(&value).unwrap();
        assert_eq!(record.next(), Ok(Some(&[0, 0, 0, 7][..])));
        assert_eq!(record.next(), Ok(None));
        assert_eq!(record.next(), Ok(Some("héllo".as_bytes())));
        assert_eq!(record.next().unwrap().map(<[u8]>::len), Some(30));
        assert_eq!(record.next(), Err(EncodeError::Malformed));
    }

    #[test]
    fn fields_are_skipped() {
        let value = hex(ROW);
        let mut record = Record::new(&value).unwrap();
        record.skip(2).unwrap();
        assert_eq!(record.next(), Ok(Some("héllo".as_bytes())));
        assert_eq!(record.skip(2), Err(EncodeError::Malformed));
    }

    #[test]
    fn elements_twice() {
        let value = hex(ROWS);
        let elements = Elements::new(&value).unwrap();
        for mut pass in [elements.clone(), elements] {
            assert_eq!(pass.len(), 3);
            let mut first = Record::new(pass.next().unwrap().unwrap().unwrap()).unwrap();
            assert_eq!(first.next(), Ok(Some(&[0, 0, 0, 1][..])));
            assert_eq!(first.next(), Ok(Some(&b"a"[..])));
            assert_eq!(pass.next(), Ok(Some(None)));
            let mut last = Record::new(pass.next().unwrap().unwrap().unwrap()).unwrap();
            last.skip(1).unwrap();
            assert_eq!(last.next(), Ok(None));
            assert_eq!((pass.len(), pass.next()), (0, Ok(None)));
        }
    }

    #[test]
    fn an_empty_array_has_no_elements() {
        let value = hex("0000000000000000000008c9");
        let mut elements = Elements::new(&value).unwrap();
        assert_eq!((elements.len(), elements.next()), (0, Ok(None)));
    }

    #[test]
    fn a_matrix_is_refused() {
        let value = hex(
            "00000002000000010000001700000002000000010000000200000001000000040000000100000004000000020000000400000003ffffffff",
        );
        assert_eq!(Elements::new(&value).err(), Some(EncodeError::Dimensions));
    }

    #[test]
    fn every_truncation_is_noticed() {
        let (row, rows) = (hex(ROW), hex(ROWS));
        let read = |value| Record::new(value).and_then(|mut record| record.skip(4));
        assert_eq!(read(&row), Ok(()));
        for length in 0..row.len() {
            assert_eq!(read(&row[..length]), Err(EncodeError::Malformed));
        }
        let read = |value| {
            Elements::new(value).and_then(|mut elements| {
                while elements.next()?.is_some() {}
                Ok(())
            })
        };
        assert_eq!(read(&rows), Ok(()));
        for length in 0..rows.len() {
            assert_eq!(read(&rows[..length]), Err(EncodeError::Malformed));
        }
    }
}
