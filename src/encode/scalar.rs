//! One column's value, from Postgres' binary wire format to JSON.

use std::sync::Arc;

pub(super) use super::error::EncodeError;
use super::wire::{Reader, fixed};
use super::{array, datetime, interval, numeric, text};

/// How the binary form of one column becomes JSON. Built once per plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Codec {
    Bool,
    Int2,
    Int4,
    /// A string: JavaScript's numbers would lose digits.
    Int8,
    /// A number of rows, in 64 bits: a number in JSON too.
    Count,
    /// A string, as the unsigned number is a `BigInt`.
    Oid,
    Float4,
    Float8,
    /// A string with all digits; also `NaN`, `Infinity` and `-Infinity`.
    Numeric,
    /// Every type whose binary form is its text: text, varchar, bpchar, name, citext, enum labels that keep their
    /// names.
    Text,
    /// Postgres' one-byte type `"char"`.
    Char,
    Uuid,
    /// RFC 3339 in UTC.
    TimestampTz,
    /// RFC 3339 without an offset.
    Timestamp,
    Date,
    Time,
    TimeTz,
    /// ISO 8601 duration.
    Interval,
    Json,
    Jsonb,
    /// Base64.
    Bytea,
    Enum(Arc<[Label]>),
    /// Lists nested `dimensions` deep.
    Array {
        element: Box<Codec>,
        dimensions: usize,
    },
}

/// An enum's label in Postgres and its name in GraphQL.
pub type Label = (Box<[u8]>, Box<[u8]>);

impl Codec {
    /// Appends `value`, which is not null, as JSON. After an error `out` ends in a part of it, which the caller
    /// removes.
    #[inline]
    pub(crate) fn write(&self, value: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Codec::Bool => return write_bool(value, out),
            Codec::Int2 => numeric::write_integer(i16::from_be_bytes(fixed(value)?), out),
            Codec::Int4 => numeric::write_integer(i32::from_be_bytes(fixed(value)?), out),
            Codec::Int8 => numeric::write_big_integer(i64::from_be_bytes(fixed(value)?), out),
            Codec::Count => numeric::write_integer(i64::from_be_bytes(fixed(value)?), out),
            Codec::Oid => numeric::write_big_integer(u32::from_be_bytes(fixed(value)?), out),
            Codec::Float4 => numeric::write_float4(f32::from_be_bytes(fixed(value)?), out),
            Codec::Float8 => numeric::write_float8(f64::from_be_bytes(fixed(value)?), out),
            Codec::Numeric => return numeric::write_numeric(value, out),
            Codec::Text => return text::write_text(value, out),
            Codec::Char => text::write_char(u8::from_be_bytes(fixed(value)?), out),
            Codec::Uuid => text::write_uuid(fixed(value)?, out),
            Codec::TimestampTz => {
                datetime::write_timestamp(i64::from_be_bytes(fixed(value)?), b"Z", out);
            }
            Codec::Timestamp => {
                datetime::write_timestamp(i64::from_be_bytes(fixed(value)?), b"", out);
            }
            Codec::Date => datetime::write_date(i32::from_be_bytes(fixed(value)?), out),
            Codec::Time => return datetime::write_time(i64::from_be_bytes(fixed(value)?), out),
            Codec::TimeTz => return write_timetz(value, out),
            Codec::Interval => return write_interval(value, out),
            Codec::Json => return text::write_json(value, out),
            Codec::Jsonb => return write_jsonb(value, out),
            Codec::Bytea => return text::write_base64(value, out),
            Codec::Enum(labels) => return write_enum(value, labels, out),
            Codec::Array {
                element,
                dimensions,
            } => return array::write_array(value, element, *dimensions, out),
        }
        Ok(())
    }
}

#[inline]
fn write_bool(value: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    // Two copies of a known size are faster than one of either size.
    match value {
        [0] => out.extend_from_slice(b"false"),
        [1] => out.extend_from_slice(b"true"),
        _ => return Err(EncodeError::Malformed),
    }
    Ok(())
}

/// A version, which is 1, and the text.
#[inline]
fn write_jsonb(value: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match value {
        [1, json @ ..] => text::write_json(json, out),
        _ => Err(EncodeError::Malformed),
    }
}

fn write_timetz(value: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let mut reader = Reader::new(value);
    let micros = i64::from_be_bytes(reader.array()?);
    let seconds_west = i32::from_be_bytes(reader.array()?);
    reader.end()?;
    datetime::write_timetz(micros, seconds_west, out)
}

fn write_interval(value: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let mut reader = Reader::new(value);
    let micros = i64::from_be_bytes(reader.array()?);
    let days = i32::from_be_bytes(reader.array()?);
    let months = i32::from_be_bytes(reader.array()?);
    reader.end()?;
    interval::write_interval(micros, days, months, out);
    Ok(())
}

/// Enums are short, so a search from the start beats a hash.
#[inline]
fn write_enum(value: &[u8], labels: &[Label], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let (_, name) = labels
        .iter()
        .find(|(label, _)| **label == *value)
        .ok_or(EncodeError::UnknownEnumLabel)?;
    text::write_string(name, out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::record::{Elements, Record};
    use crate::encode::testing::{Noise, check, json};

    fn moods() -> Codec {
        let labels = [("sad", "SAD"), ("o\"k", "OK")];
        Codec::Enum(
            labels
                .map(|(label, name)| (label.as_bytes().into(), name.as_bytes().into()))
                .into(),
        )
    }

    fn every_codec() -> Vec<Codec> {
        let mut codecs = vec![
            Codec::Bool,
            Codec::Int2,
            Codec::Int4,
            Codec::Int8,
            Codec::Count,
            Codec::Oid,
            Codec::Float4,
            Codec::Float8,
            Codec::Numeric,
            Codec::Text,
            Codec::Char,
            Codec::Uuid,
            Codec::TimestampTz,
            Codec::Timestamp,
            Codec::Date,
            Codec::Time,
            Codec::TimeTz,
            Codec::Interval,
            Codec::Json,
            Codec::Jsonb,
            Codec::Bytea,
            moods(),
        ];
        for dimensions in 1..3 {
            for element in [Codec::Int2, Codec::Text, Codec::Numeric] {
                codecs.push(Codec::Array {
                    element: Box::new(element),
                    dimensions,
                });
            }
        }
        codecs
    }

    #[test]
    fn booleans() {
        check(&Codec::Bool, &[("00", "false"), ("01", "true")]);
        assert_eq!(json(&Codec::Bool, "02"), Err(EncodeError::Malformed));
    }

    #[test]
    fn enum_labels_become_names() {
        check(&moods(), &[("736164", r#""SAD""#), ("6f226b", r#""OK""#)]);
        assert_eq!(json(&moods(), "7361"), Err(EncodeError::UnknownEnumLabel));
    }

    #[test]
    fn json_is_copied() {
        check(&Codec::Json, &[("7b2261223a310a7d", "{\"a\":1\n}")]);
        check(&Codec::Jsonb, &[("015b6e756c6c5d", "[null]")]);
        assert_eq!(json(&Codec::Jsonb, "025b5d"), Err(EncodeError::Malformed));
        assert_eq!(json(&Codec::Jsonb, "01"), Err(EncodeError::Malformed));
    }

    #[test]
    fn values_of_another_size_are_refused() {
        for codec in every_codec() {
            if !matches!(
                codec,
                Codec::Text | Codec::Json | Codec::Bytea | Codec::Enum(_)
            ) {
                assert_eq!(json(&codec, ""), Err(EncodeError::Malformed), "{codec:?}");
                let long = "01".repeat(17);
                let refused = json(&codec, &long).is_err() || codec == Codec::Jsonb;
                assert!(refused, "{codec:?}");
            }
        }
    }

    #[test]
    fn noise_is_an_error_or_json() {
        let mut noise = Noise::new();
        let mut out = Vec::new();
        for codec in every_codec() {
            for _ in 0..20_000 {
                let value = noise.value();
                out.clear();
                // The text of JSON values is trusted.
                let trusted = matches!(codec, Codec::Json | Codec::Jsonb);
                if codec.write(&value, &mut out).is_ok() && !trusted {
                    let parsed: Result<serde_json::Value, _> = serde_json::from_slice(&out);
                    assert!(parsed.is_ok(), "{codec:?} {value:?}");
                }
            }
        }
    }

    #[test]
    fn noise_does_not_stop_a_walk() {
        let mut noise = Noise::new();
        for _ in 0..50_000 {
            let value = noise.value();
            if let Ok(mut record) = Record::new(&value) {
                while record.next().is_ok() {}
            }
            if let Ok(mut elements) = Elements::new(&value) {
                while let Ok(Some(_)) = elements.next() {}
            }
        }
    }
}
