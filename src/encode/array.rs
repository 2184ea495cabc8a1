//! Postgres arrays as JSON lists.

use super::error::EncodeError;
use super::scalar::Codec;
use super::wire::Reader;

/// Postgres' own limit (`MAXDIM`).
const MAX_DIMENSIONS: usize = 6;

/// The shape of an array, which precedes its elements.
///
/// On the wire (`array_send`): the number of dimensions, a flag, the elements' oid, then per dimension its size and
/// its lower bound. JSON lists have no lower bounds, so that is dropped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    sizes: [usize; MAX_DIMENSIONS],
    dimensions: usize,
    /// How many elements follow.
    pub(super) total: usize,
}

impl Shape {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, EncodeError> {
        let dimensions = reader.count()?;
        let _flag_and_oid: [u8; 8] = reader.array()?;
        let mut shape = Shape {
            sizes: [0; MAX_DIMENSIONS],
            dimensions,
            total: usize::from(dimensions > 0),
        };
        let sizes = shape.sizes.get_mut(..dimensions);
        for size in sizes.ok_or(EncodeError::Malformed)? {
            *size = reader.count()?;
            let _lower_bound: [u8; 4] = reader.array()?;
            shape.total = shape
                .total
                .checked_mul(*size)
                .ok_or(EncodeError::Malformed)?;
        }
        // Each element has a length at least; a total that can't be true would make the caller loop or allocate.
        if shape.total > reader.remaining() / size_of::<i32>() {
            return Err(EncodeError::Malformed);
        }
        Ok(shape)
    }

    /// The sizes; none for an empty array, also one like the empty `oidvector`, whose one dimension has size 0.
    pub(super) fn sizes(&self) -> &[usize] {
        match self.total {
            0 => &[],
            _ => &self.sizes[..self.dimensions],
        }
    }
}

/// Appends an array as lists nested `declared` deep. Postgres does not enforce a column's dimensions: what is deeper
/// is flattened from within, and what is flatter becomes the only element of what is missing around it.
pub(super) fn write_array(
    value: &[u8],
    element: &Codec,
    declared: usize,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let mut reader = Reader::new(value);
    let shape = Shape::read(&mut reader)?;
    match shape.sizes() {
        [] => out.extend_from_slice(b"[]"),
        sizes if sizes.len() == declared => write_list(sizes, &mut reader, element, out)?,
        sizes => write_list(&fitted(sizes, declared), &mut reader, element, out)?,
    }
    reader.end()
}

/// Sizes of the same total with as many dimensions as are declared.
fn fitted(sizes: &[usize], declared: usize) -> Vec<usize> {
    let kept = sizes.len().min(declared.saturating_sub(1));
    let mut fitted = vec![1; declared.saturating_sub(sizes.len())];
    fitted.extend_from_slice(&sizes[..kept]);
    if fitted.len() < declared {
        fitted.push(sizes[kept..].iter().product());
    }
    fitted
}

fn write_list(
    sizes: &[usize],
    reader: &mut Reader<'_>,
    element: &Codec,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let Some((&size, inner)) = sizes.split_first() else {
        return write_element(reader.nullable()?, element, out);
    };
    out.push(b'[');
    for index in 0..size {
        if index > 0 {
            out.push(b',');
        }
        write_list(inner, reader, element, out)?;
    }
    out.push(b']');
    Ok(())
}

fn write_element(
    value: Option<&[u8]>,
    element: &Codec,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if let Some(value) = value {
        return element.write(value, out);
    }
    out.extend_from_slice(b"null");
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::encode::scalar::{Codec, EncodeError};
    use crate::encode::testing::{check, json};

    /// `{{1,2},{3,null}}`
    const MATRIX: &str = "00000002000000010000001700000002000000010000000200000001000000040000000100000004000000020000000400000003ffffffff";

    fn list_of(element: Codec, dimensions: usize) -> Codec {
        Codec::Array {
            element: Box::new(element),
            dimensions,
        }
    }

    #[test]
    fn lists() {
        check(
            &list_of(Codec::Int4, 1),
            &[
                (
                    "000000010000000100000017000000040000000100000004000000010000000400000002ffffffff00000004fffffffd",
                    "[1,2,null,-3]",
                ),
                ("000000000000000000000017", "[]"),
                (
                    "000000010000000000000017000000020000000500000004000000070000000400000008",
                    "[7,8]",
                ),
            ],
        );
        check(
            &list_of(Codec::Text, 1),
            &[(
                "000000010000000100000019000000040000000100000003612262ffffffff00000000000000044e554c4c",
                r#"["a\"b",null,"","NULL"]"#,
            )],
        );
    }

    #[test]
    fn nested_lists() {
        check(&list_of(Codec::Int4, 2), &[(MATRIX, "[[1,2],[3,null]]")]);
        check(
            &list_of(Codec::Int4, 3),
            &[(
                "0000000300000000000000170000000200000001000000020000000100000001000000010000000400000001000000040000000200000004000000030000000400000004",
                "[[[1],[2]],[[3],[4]]]",
            )],
        );
    }

    #[test]
    fn empty_arrays_of_any_shape() {
        for dimensions in 1..4 {
            let codec = list_of(Codec::Int4, dimensions);
            check(&codec, &[("000000000000000000000017", "[]")]);
        }
        // An empty oidvector has one dimension, of size 0.
        let oidvector = "00000001000000000000001a0000000000000000";
        check(&list_of(Codec::Oid, 1), &[(oidvector, "[]")]);
    }

    #[test]
    fn other_dimensions_than_declared() {
        check(&list_of(Codec::Int4, 1), &[(MATRIX, "[1,2,3,null]")]);
        check(
            &list_of(Codec::Int4, 3),
            &[
                (MATRIX, "[[[1,2],[3,null]]]"),
                (
                    "00000001000000000000001700000001000000010000000400000007",
                    "[[[7]]]",
                ),
            ],
        );
        let cube = "000000030000000000000017000000020000000100000001000000010000000200000001\
                    00000004000000010000000400000002000000040000000300000004000000040";
        let cube = &cube[..cube.len() - 1];
        check(&list_of(Codec::Int4, 2), &[(cube, "[[1,2],[3,4]]")]);
    }

    #[test]
    fn malformed_arrays_are_refused() {
        let codec = list_of(Codec::Int4, 1);
        let malformed = [
            ("", "nothing"),
            ("00000007000000000000001700000001", "seven dimensions"),
            (
                "ffffffff0000000000000017",
                "a negative number of dimensions",
            ),
            (
                "000000010000000000000017ffffffff00000001",
                "a negative size",
            ),
            (
                "0000000100000000000000177fffffff00000001",
                "two billion elements, none there",
            ),
            (
                "00000003000000000000001740000000000000014000000000000001400000000000000100",
                "more elements than a number can count",
            ),
            (
                "000000010000000000000017000000010000000100000004000000",
                "half an element",
            ),
            ("00000000000000000000001700", "a byte too many"),
        ];
        for (value, why) in malformed {
            assert_eq!(json(&codec, value), Err(EncodeError::Malformed), "{why}");
        }
    }
}
