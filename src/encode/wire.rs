//! Bounds-checked reading of Postgres' binary wire format (all integers are big-endian).

use super::error::EncodeError;

/// The bytes of a type of fixed size.
#[inline]
pub(super) fn fixed<const N: usize>(value: &[u8]) -> Result<[u8; N], EncodeError> {
    value.try_into().map_err(|_| EncodeError::Malformed)
}

/// What is left to read of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(value: &'a [u8]) -> Self {
        Reader { rest: value }
    }

    #[inline]
    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], EncodeError> {
        let (head, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(EncodeError::Malformed)?;
        self.rest = rest;
        Ok(head)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], EncodeError> {
        let (head, rest) = self
            .rest
            .split_first_chunk()
            .ok_or(EncodeError::Malformed)?;
        self.rest = rest;
        Ok(*head)
    }

    /// A count or a size: an `i32` that is never negative.
    #[inline]
    pub(super) fn count(&mut self) -> Result<usize, EncodeError> {
        usize::try_from(i32::from_be_bytes(self.array()?)).map_err(|_| EncodeError::Malformed)
    }

    /// An `i32` length and that many bytes; length -1 is SQL null, `None`.
    #[inline]
    pub(super) fn nullable(&mut self) -> Result<Option<&'a [u8]>, EncodeError> {
        match i32::from_be_bytes(self.array()?) {
            -1 => Ok(None),
            length => {
                let length = usize::try_from(length).map_err(|_| EncodeError::Malformed)?;
                self.bytes(length).map(Some)
            }
        }
    }

    pub(super) fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Refuses bytes that nothing has read.
    pub(super) fn end(&self) -> Result<(), EncodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(EncodeError::Malformed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::testing::hex;

    #[test]
    fn nothing_is_read_beyond_the_end() {
        assert_eq!(Reader::new(&[0, 0, 0]).count(), Err(EncodeError::Malformed));
        assert_eq!(Reader::new(&[1, 2]).bytes(3), Err(EncodeError::Malformed));
        assert_eq!(fixed::<4>(&[1, 2, 3]), Err(EncodeError::Malformed));
        assert_eq!(fixed::<2>(&[1, 2, 3]), Err(EncodeError::Malformed));
    }

    #[test]
    fn a_length_is_null_or_within_bounds() {
        let null = hex("ffffffff");
        assert_eq!(Reader::new(&null).nullable(), Ok(None));
        let negative = hex("fffffffe0000");
        assert_eq!(
            Reader::new(&negative).nullable(),
            Err(EncodeError::Malformed)
        );
        let long = hex("7fffffff00");
        assert_eq!(Reader::new(&long).nullable(), Err(EncodeError::Malformed));
        let empty = hex("00000000");
        assert_eq!(Reader::new(&empty).nullable(), Ok(Some(&[][..])));
    }
}
