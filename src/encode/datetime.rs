//! Dates and times as JSON strings.
//!
//! The forms are those of RFC 3339 where it has one: `2026-11-21T07:53:52.123456Z`, the fraction without trailing
//! zeros. Years beyond 9999 have all their digits and years before Christ end in ` BC`, as Postgres prints them and
//! not as the expanded years of ISO 8601, because Postgres does not read those: what a client got it can send back.

use super::error::EncodeError;
use super::numeric::{two_digits, write_integer};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Appends a `timestamp` or `timestamptz`: microseconds since 2000-01-01. `zone` is empty or `Z`.
#[inline]
pub(super) fn write_timestamp(micros: i64, zone: &[u8], out: &mut Vec<u8>) {
    match micros {
        i64::MAX => return out.extend_from_slice(b"\"infinity\""),
        i64::MIN => return out.extend_from_slice(b"\"-infinity\""),
        _ => {}
    }
    let date = Date::from_days(micros.div_euclid(MICROS_PER_DAY));
    date.write(out);
    out.push(b'T');
    write_clock(micros.rem_euclid(MICROS_PER_DAY).unsigned_abs(), out);
    out.extend_from_slice(zone);
    date.write_end(out);
}

/// Appends a `date`: days since 2000-01-01.
#[inline]
pub(super) fn write_date(days: i32, out: &mut Vec<u8>) {
    match days {
        i32::MAX => return out.extend_from_slice(b"\"infinity\""),
        i32::MIN => return out.extend_from_slice(b"\"-infinity\""),
        _ => {}
    }
    let date = Date::from_days(i64::from(days));
    date.write(out);
    date.write_end(out);
}

/// Appends a `time`: microseconds since midnight, up to and including 24:00:00.
#[inline]
pub(super) fn write_time(micros: i64, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    write_time_of_day(micros, out)?;
    out.push(b'"');
    Ok(())
}

/// Appends a `timetz`: a `time` and the zone's seconds *west* of Greenwich. The offset is `Z` or `±hh:mm`, and
/// `±hh:mm:ss` where it has seconds.
pub(super) fn write_timetz(
    micros: i64,
    seconds_west: i32,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    const MAX_OFFSET: u64 = 16 * 3600;
    write_time_of_day(micros, out)?;
    let offset = u64::from(seconds_west.unsigned_abs());
    match offset {
        0 => out.push(b'Z'),
        1..MAX_OFFSET => {
            out.push(if seconds_west > 0 { b'-' } else { b'+' });
            out.extend_from_slice(&two_digits(offset / 3600));
            out.push(b':');
            out.extend_from_slice(&two_digits(offset / 60 % 60));
            if offset % 60 > 0 {
                out.push(b':');
                out.extend_from_slice(&two_digits(offset % 60));
            }
        }
        _ => return Err(EncodeError::Malformed),
    }
    out.push(b'"');
    Ok(())
}

/// Appends a quote and the time of day.
#[inline]
fn write_time_of_day(micros: i64, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if !(0..=MICROS_PER_DAY).contains(&micros) {
        return Err(EncodeError::Malformed);
    }
    out.push(b'"');
    write_clock(micros.unsigned_abs(), out);
    Ok(())
}

/// Appends `hh:mm:ss` and the fraction, without the zeros at its end.
///
/// Here and in dates the digits go out in arrays of a fixed size, which become plain stores into the buffer.
#[inline]
fn write_clock(micros: u64, out: &mut Vec<u8>) {
    let (seconds, mut fraction) = (micros / 1_000_000, micros % 1_000_000);
    let mut text = *b"00:00:00";
    text[..2].copy_from_slice(&two_digits(seconds / 3600));
    text[3..5].copy_from_slice(&two_digits(seconds / 60 % 60));
    text[6..].copy_from_slice(&two_digits(seconds % 60));
    out.extend_from_slice(&text);
    if fraction == 0 {
        return;
    }
    let mut text = *b".000000";
    text[1..3].copy_from_slice(&two_digits(fraction / 10_000));
    text[3..5].copy_from_slice(&two_digits(fraction / 100));
    text[5..].copy_from_slice(&two_digits(fraction));
    out.extend_from_slice(&text);
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        out.pop();
    }
}

/// A day of the proleptic Gregorian calendar, in which the year 0 is 1 BC.
struct Date {
    year: i64,
    month: u64,
    day: u64,
}

impl Date {
    /// From days since 2000-01-01, after Neri and Schneider, "Euclidean affine functions and their application to
    /// calendar algorithms" (2022): years begin in March, so that the leap day is the last one.
    #[inline]
    fn from_days(days: i64) -> Self {
        const DAYS_PER_ERA: i64 = 146_097;
        const YEARS_PER_ERA: i64 = 400;
        /// Enough that no day that Postgres can send is negative.
        const ERAS: i64 = 14_700;
        /// From 0000-03-01 to 2000-01-01.
        const EPOCH: i64 = 730_425;

        let since = (days + EPOCH + ERAS * DAYS_PER_ERA).unsigned_abs();
        let quarters = 4 * since + 3;
        let (century, of_century) = (quarters / 146_097, quarters % 146_097 / 4);
        // 2³² / 1461 rounded up: the upper half of the product is the year, the lower half the day in it.
        let product = 2_939_745 * (4 * of_century + 3);
        let (year_of_century, of_year) = (product >> 32, (product & 0xffff_ffff) / 2_939_745 / 4);
        // The same for months, which are 153 days in five.
        let months = 2141 * of_year + 197_913;
        let (month, day) = (months >> 16, (months & 0xffff) / 2141 + 1);
        let next_year = of_year >= 306;
        let year = (100 * century + year_of_century).cast_signed() - ERAS * YEARS_PER_ERA;
        Date {
            year: year + i64::from(next_year),
            month: if next_year { month - 12 } else { month },
            day,
        }
    }
    /// Appends a quote, the year in four digits or more, the month and the day.
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        let mut text = *b"\"0000-00-00";
        text[6..8].copy_from_slice(&two_digits(self.month));
        text[9..].copy_from_slice(&two_digits(self.day));
        if let 1..=9999 = self.year {
            let year = self.year.unsigned_abs();
            text[1..3].copy_from_slice(&two_digits(year / 100));
            text[3..5].copy_from_slice(&two_digits(year));
            out.extend_from_slice(&text);
        } else {
            self.write_far_year(out);
            out.extend_from_slice(&text[5..]);
        }
    }

    #[cold]
    fn write_far_year(&self, out: &mut Vec<u8>) {
        // There is no year 0: 1 BC comes before 1 AD.
        let year = match self.year {
            1.. => self.year,
            ..1 => 1 - self.year,
        };
        out.push(b'"');
        for power in [1000, 100, 10] {
            if year < power {
                out.push(b'0');
            }
        }
        write_integer(year, out);
    }

    /// Appends what Postgres puts after everything else, and the closing quote.
    #[inline]
    fn write_end(&self, out: &mut Vec<u8>) {
        if self.year < 1 {
            out.extend_from_slice(b" BC");
        }
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use crate::encode::scalar::{Codec, EncodeError};
    use crate::encode::testing::{check, json};

    #[test]
    fn timestamps() {
        check(
            &Codec::Timestamp,
            &[
                ("000303c36e2da640", r#""2026-11-21T07:53:52.123456""#),
                ("000303c36e336520", r#""2026-11-21T07:53:52.5""#),
                ("0000000000000000", r#""2000-01-01T00:00:00""#),
                ("ffffffffffffffff", r#""1999-12-31T23:59:59.999999""#),
                ("0002b582c478100a", r#""2024-02-29T12:00:00.00001""#),
                ("0380e70b913b7fff", r#""9999-12-31T23:59:59.999999""#),
                ("0380e70b913b8000", r#""10000-01-01T00:00:00""#),
                ("7fffff5bb3b29fff", r#""294276-12-31T23:59:59.999999""#),
                ("ff1fe2ffc59c6000", r#""0001-01-01T00:00:00""#),
                ("ff1fe2ffc58d1dc0", r#""0001-12-31T23:59:59 BC""#),
                ("fd0f7cc1411fa000", r#""4714-11-24T00:00:00 BC""#),
                ("7fffffffffffffff", r#""infinity""#),
                ("8000000000000000", r#""-infinity""#),
            ],
        );
        check(
            &Codec::TimestampTz,
            &[
                ("000303c36e2da640", r#""2026-11-21T07:53:52.123456Z""#),
                ("000303c1c1047c00", r#""2026-11-21T05:53:52Z""#),
                ("ff1af9e8fb4e7120", r#""0044-03-15T12:00:00.5Z BC""#),
                ("7fffffffffffffff", r#""infinity""#),
                ("8000000000000000", r#""-infinity""#),
            ],
        );
    }

    #[test]
    fn dates() {
        check(
            &Codec::Date,
            &[
                ("0000265d", r#""2026-11-21""#),
                ("ffff718e", r#""1900-02-28""#),
                ("0000003b", r#""2000-02-29""#),
                ("002c95d3", r#""9999-12-31""#),
                ("002c95d4", r#""10000-01-01""#),
                ("7fda970c", r#""5874897-12-31""#),
                ("fff4dac5", r#""0001-02-28 BC""#),
                ("ffda97a7", r#""4714-11-24 BC""#),
                ("7fffffff", r#""infinity""#),
                ("80000000", r#""-infinity""#),
            ],
        );
    }

    #[test]
    fn times() {
        check(
            &Codec::Time,
            &[
                ("0000000000000000", r#""00:00:00""#),
                ("000000069eafb8c0", r#""07:53:52.12""#),
                ("000000141dd75fff", r#""23:59:59.999999""#),
                ("000000141dd76000", r#""24:00:00""#),
            ],
        );
        // A microsecond after 24:00 and one before 0:00.
        assert_eq!(
            json(&Codec::Time, "000000141dd76001"),
            Err(EncodeError::Malformed)
        );
        assert_eq!(
            json(&Codec::Time, "ffffffffffffffff"),
            Err(EncodeError::Malformed)
        );
    }

    #[test]
    fn times_with_zones() {
        // Postgres prints +02 and +00 here, which RFC 3339 does not allow.
        check(
            &Codec::TimeTz,
            &[
                ("000000069eade40000000000", r#""07:53:52Z""#),
                ("000000069eade400ffffe3e0", r#""07:53:52+02:00""#),
                ("0000000a0eebb00000000708", r#""12:00:00-00:30""#),
                ("000000000007a120ffff1f01", r#""00:00:00.5+15:59:59""#),
                ("000000141dd7600000004d58", r#""24:00:00-05:30""#),
            ],
        );
        // Sixteen hours west of Greenwich.
        assert_eq!(
            json(&Codec::TimeTz, "00000000000000000000e100"),
            Err(EncodeError::Malformed)
        );
    }
}
