//! Intervals as ISO 8601 durations, as Postgres prints them with `intervalstyle = iso_8601`.

use super::numeric::{two_digits, write_integer};

/// Appends an `interval`. Its three parts have signs of their own, and so do those of the text:
/// `P1Y-2M3DT-4H-5M-6.7S`.
pub(super) fn write_interval(micros: i64, days: i32, months: i32, out: &mut Vec<u8>) {
    let text: &[u8] = match (micros, days, months) {
        (0, 0, 0) => b"\"PT0S\"",
        // Since Postgres 17. Older versions have these as ordinary values, of 178 million years.
        (i64::MAX, i32::MAX, i32::MAX) => b"\"infinity\"",
        (i64::MIN, i32::MIN, i32::MIN) => b"\"-infinity\"",
        _ => return write_parts(micros, days, months, out),
    };
    out.extend_from_slice(text);
}

fn write_parts(micros: i64, days: i32, months: i32, out: &mut Vec<u8>) {
    let seconds = micros / 1_000_000;
    out.extend_from_slice(b"\"P");
    write_part(i64::from(months / 12), b'Y', out);
    write_part(i64::from(months % 12), b'M', out);
    write_part(i64::from(days), b'D', out);
    if micros != 0 {
        out.push(b'T');
        write_part(seconds / 3600, b'H', out);
        write_part(seconds / 60 % 60, b'M', out);
        write_seconds(micros % 60_000_000, out);
    }
    out.push(b'"');
}

fn write_part(n: i64, unit: u8, out: &mut Vec<u8>) {
    if n != 0 {
        write_integer(n, out);
        out.push(unit);
    }
}

/// Appends seconds and their fraction, without trailing zeros.
fn write_seconds(micros: i64, out: &mut Vec<u8>) {
    if micros == 0 {
        return;
    }
    if micros < 0 {
        out.push(b'-');
    }
    let micros = micros.unsigned_abs();
    write_integer(micros / 1_000_000, out);
    let mut fraction = micros % 1_000_000;
    if fraction > 0 {
        out.push(b'.');
    }
    while fraction > 0 {
        let [tens, units] = two_digits(fraction / 10_000);
        out.push(tens);
        fraction = fraction % 10_000 * 100;
        if fraction > 0 || units != b'0' {
            out.push(units);
        }
    }
    out.push(b'S');
}

#[cfg(test)]
mod tests {
    use crate::encode::scalar::Codec;
    use crate::encode::testing::check;

    #[test]
    fn intervals() {
        check(
            &Codec::Interval,
            &[
                ("00000000000000000000000000000000", r#""PT0S""#),
                (
                    "fffffffc93699120000000030000000a",
                    r#""P10M3DT-4H-5M-6.7S""#,
                ),
                ("000000000000000000000000fffffff3", r#""P-1Y-1M""#),
                ("00000014f46b04000000000000000000", r#""PT25H""#),
                ("fffffffffff85ee00000000000000000", r#""PT-0.5S""#),
                ("0000000003944a500000000000000000", r#""PT1M0.05S""#),
                ("00000000000000010000000000000000", r#""PT0.000001S""#),
                ("00000000009896800000000000000000", r#""PT10S""#),
                ("0000000141dd76000000000000000000", r#""PT1H30M""#),
                (
                    "0000000000000000800000007fffffff",
                    r#""P178956970Y7M-2147483648D""#,
                ),
            ],
        );
    }

    #[test]
    fn infinite_intervals() {
        // From the constants in the sources of Postgres 17, not from a server.
        check(
            &Codec::Interval,
            &[
                ("7fffffffffffffff7fffffff7fffffff", r#""infinity""#),
                ("80000000000000008000000080000000", r#""-infinity""#),
            ],
        );
    }
}
