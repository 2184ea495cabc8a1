//! Integers, floats and decimals as JSON.

use super::error::EncodeError;
use super::wire::Reader;

/// "00", "01", … "99": formatting two digits at a time halves the divisions.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n as usize] = [b'0' + n / 10, b'0' + n % 10];
        n += 1;
    }
    pairs
};

/// The last two decimal digits of `n`.
#[inline]
pub(super) fn two_digits(n: u64) -> [u8; 2] {
    PAIRS[(n % 100) as usize]
}

#[inline]
pub(super) fn write_integer(n: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
}

/// Appends an integer that can exceed 2⁵³, and with it JavaScript's numbers, as a string.
#[inline]
pub(super) fn write_big_integer(n: impl itoa::Integer, out: &mut Vec<u8>) {
    out.push(b'"');
    write_integer(n, out);
    out.push(b'"');
}

#[inline]
pub(super) fn write_float4(n: f32, out: &mut Vec<u8>) {
    if n.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(n).as_bytes());
    } else {
        write_beyond_numbers(n.is_nan(), n.is_sign_positive(), out);
    }
}

#[inline]
pub(super) fn write_float8(n: f64, out: &mut Vec<u8>) {
    if n.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(n).as_bytes());
    } else {
        write_beyond_numbers(n.is_nan(), n.is_sign_positive(), out);
    }
}

/// NaN and infinities as strings, as Postgres' own JSON has them: there are no such numbers in JSON, and a row that
/// holds one should be readable.
#[cold]
fn write_beyond_numbers(nan: bool, positive: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(match (nan, positive) {
        (true, _) => b"\"NaN\"",
        (_, true) => b"\"Infinity\"",
        (_, false) => b"\"-Infinity\"",
    });
}

/// Appends a `numeric` as a string with all its digits and its scale, as Postgres prints it.
///
/// On the wire (`numeric_send`): four 16-bit fields (number of digits, weight of the first digit, sign, scale), then
/// the digits in base 10,000. Zeros at either end are not sent.
#[inline]
pub(super) fn write_numeric(value: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    const MAX_SCALE: u16 = 0x3fff;
    let mut reader = Reader::new(value);
    let count = u16::from_be_bytes(reader.array()?);
    let weight = i16::from_be_bytes(reader.array()?);
    let sign = u16::from_be_bytes(reader.array()?);
    let scale = u16::from_be_bytes(reader.array()?);
    let (digits, odd) = reader.bytes(reader.remaining())?.as_chunks::<2>();
    if digits.len() != usize::from(count) || !odd.is_empty() || scale > MAX_SCALE {
        return Err(EncodeError::Malformed);
    }
    let opening: &[u8] = match sign {
        0x0000 => b"\"",
        0x4000 => b"\"-",
        0xc000 => return write_special(b"\"NaN\"", out),
        0xd000 => return write_special(b"\"Infinity\"", out),
        0xf000 => return write_special(b"\"-Infinity\"", out),
        _ => return Err(EncodeError::Malformed),
    };
    out.extend_from_slice(opening);
    let mut groups = Groups {
        digits,
        leading_zeros: usize::from((-1_i16).saturating_sub(weight).max(0).unsigned_abs()),
    };
    write_whole(&mut groups, weight, out)?;
    if scale > 0 {
        write_fraction(&mut groups, usize::from(scale), out)?;
    }
    out.push(b'"');
    Ok(())
}

#[cold]
#[expect(clippy::unnecessary_wraps, reason = "ends a function that can fail")]
fn write_special(text: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    out.extend_from_slice(text);
    Ok(())
}

/// The groups of four decimal digits from the first of the number, or from the first of its fraction when there is no
/// whole part; without end, since zeros follow.
struct Groups<'a> {
    digits: &'a [[u8; 2]],
    leading_zeros: usize,
}

impl Groups<'_> {
    #[inline]
    fn next(&mut self) -> Result<u64, EncodeError> {
        if self.leading_zeros > 0 {
            self.leading_zeros -= 1;
            return Ok(0);
        }
        let Some((first, rest)) = self.digits.split_first() else {
            return Ok(0);
        };
        self.digits = rest;
        match u16::from_be_bytes(*first) {
            group @ 0..=9999 => Ok(u64::from(group)),
            _ => Err(EncodeError::Malformed),
        }
    }
}

#[inline]
fn four_digits(group: u64) -> [u8; 4] {
    let ([a, b], [c, d]) = (two_digits(group / 100), two_digits(group));
    [a, b, c, d]
}

/// Appends what is left of the decimal point: the groups whose weights are `weight` down to 0.
#[inline]
fn write_whole(groups: &mut Groups<'_>, weight: i16, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if weight < 0 {
        out.push(b'0');
        return Ok(());
    }
    write_integer(groups.next()?, out);
    for _ in 0..weight {
        out.extend_from_slice(&four_digits(groups.next()?));
    }
    Ok(())
}

#[inline]
fn write_fraction(
    groups: &mut Groups<'_>,
    scale: usize,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    out.push(b'.');
    for _ in 0..scale / 4 {
        out.extend_from_slice(&four_digits(groups.next()?));
    }
    let odd = scale % 4;
    if odd > 0 {
        out.extend_from_slice(&four_digits(groups.next()?)[..odd]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::encode::scalar::{Codec, EncodeError};
    use crate::encode::testing::{check, json};

    #[test]
    fn integers() {
        check(&Codec::Int2, &[("8000", "-32768"), ("7fff", "32767")]);
        check(
            &Codec::Int4,
            &[
                ("80000000", "-2147483648"),
                ("00000000", "0"),
                ("7fffffff", "2147483647"),
            ],
        );
        check(
            &Codec::Int8,
            &[
                ("7fffffffffffffff", r#""9223372036854775807""#),
                ("8000000000000000", r#""-9223372036854775808""#),
                ("0000000000000000", r#""0""#),
            ],
        );
        check(&Codec::Oid, &[("ffffffff", r#""4294967295""#)]);
    }

    #[test]
    fn floats_have_the_fewest_digits_that_read_back() {
        // Postgres prints 1 and -1.5e-07 for 1.0 and -1.5e-7; the numbers are the same.
        check(
            &Codec::Float8,
            &[
                ("3ff0000000000000", "1.0"),
                ("3fb999999999999a", "0.1"),
                ("be8421f5f40d8376", "-1.5e-7"),
                ("444b1ae4d6e2ef50", "1e+21"),
                ("7fefffffffffffff", "1.7976931348623157e+308"),
                ("0000000000000001", "5e-324"),
            ],
        );
        check(
            &Codec::Float4,
            &[
                ("3f800000", "1.0"),
                ("3dcccccd", "0.1"),
                ("c0200000", "-2.5"),
                ("7f7fffff", "3.4028235e+38"),
            ],
        );
    }

    #[test]
    fn floats_beyond_numbers_are_strings() {
        check(
            &Codec::Float8,
            &[
                ("7ff0000000000000", "\"Infinity\""),
                ("fff0000000000000", "\"-Infinity\""),
                ("7ff8000000000000", "\"NaN\""),
            ],
        );
        check(&Codec::Float4, &[("7fc00000", "\"NaN\"")]);
    }

    #[test]
    fn decimals_keep_their_digits_and_scale() {
        check(
            &Codec::Numeric,
            &[
                ("0000000000000000", r#""0""#),
                ("0000000000000002", r#""0.00""#),
                ("0000000000000001", r#""0.0""#),
                ("00010000000000000001", r#""1""#),
                ("0002000040000002000103e8", r#""-1.10""#),
                ("0001000000000000270f", r#""9999""#),
                ("00010001000000000001", r#""10000""#),
                ("00010002000000080001", r#""100000000.00000000""#),
                ("0001ffff000000040001", r#""0.0001""#),
                ("0001ffff000000050001", r#""0.00010""#),
                ("0002fffe4000000904d21388", r#""-0.000012345""#),
                ("000400010000000504d2162e23341388", r#""12345678.90125""#),
                (
                    "0009000700000001000c0d801ed204d2162e23340d801ed21388",
                    r#""123456789012345678901234567890.5""#,
                ),
                ("00010005000000000001", r#""100000000000000000000""#),
                ("0002000200000000000107d0", r#""120000000""#),
                ("00000000c0000000", r#""NaN""#),
                ("00000000d0000020", r#""Infinity""#),
                ("00000000f0000020", r#""-Infinity""#),
            ],
        );
    }

    #[test]
    fn malformed_decimals_are_refused() {
        let malformed = [
            ("0001000000000000", "fewer digits than announced"),
            ("00000000000000000001", "more digits than announced"),
            ("000100000000000000", "half a digit"),
            ("00010000000000002710", "a digit of 10,000"),
            ("0000000012340000", "an unknown sign"),
            ("0000000000004000", "a scale beyond the limit"),
        ];
        for (value, why) in malformed {
            assert_eq!(
                json(&Codec::Numeric, value),
                Err(EncodeError::Malformed),
                "{why}"
            );
        }
    }
}
