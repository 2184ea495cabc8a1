//! JSON values written as the text that Postgres' input functions read, each checked first.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::error::InputError;
use super::params::ValueSource;
use crate::schema::EnumNames;

/// Long ones take Postgres memory and time before they match anything.
const MOST_OF_A_REGEX: usize = 1000;

/// How a value of one GraphQL type becomes text.
#[derive(Debug, Clone)]
pub enum Format {
    Boolean,
    /// A GraphQL Int.
    Int,
    BigInt,
    Float,
    Decimal,
    Text(Pattern),
    Uuid,
    /// Dates, times, intervals and types without a scalar: Postgres itself judges the text.
    Literal,
    Enum(Arc<EnumNames>),
    Json,
    /// An object of texts and nulls.
    Hstore,
    Bytes,
    List(Box<Format>),
}

/// A text as it is, or as a `LIKE` pattern that matches it literally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    None,
    StartsWith,
    EndsWith,
    Contains,
    /// A regular expression as it is, of a length that nobody writes by hand at most.
    Regex,
}

impl Format {
    /// Appends the text of `value`, which is not null; `Err` says what was expected.
    pub(super) fn write(&self, value: &Value, out: &mut String) -> Result<(), String> {
        match (self, value) {
            (Self::Boolean, Value::Bool(yes)) => out.push(if *yes { 't' } else { 'f' }),
            (Self::Int, Value::Number(number)) => match integer(number).map(i32::try_from) {
                Some(Ok(number)) => append(out, number),
                _ => return Err(format!("{number} is not a 32-bit integer")),
            },
            (Self::BigInt, value) => write_big_int(value, out)?,
            (Self::Float | Self::Decimal | Self::Literal, Value::Number(number)) => {
                append(out, number);
            }
            (Self::Decimal, Value::String(text)) if is_decimal(text) => out.push_str(text),
            (Self::Text(pattern), Value::String(text)) => {
                if *pattern == Pattern::Regex && text.len() > MOST_OF_A_REGEX {
                    return Err(format!(
                        "a regular expression may have at most {MOST_OF_A_REGEX} bytes"
                    ));
                }
                pattern.write(text, out);
            }
            (Self::Uuid, Value::String(text)) => match uuid::Uuid::try_parse(text) {
                Ok(id) => append(out, id.as_hyphenated()),
                Err(_) => return Err(format!("{value} is not a UUID")),
            },
            (Self::Literal, Value::String(text)) => out.push_str(text),
            (Self::Enum(names), Value::String(name)) => {
                let position = names.names.iter().position(|known| known == name);
                let label = position.and_then(|position| names.ty.labels.get(position));
                out.push_str(
                    label
                        .ok_or_else(|| format!("{value} is none of {}", names.names.join(", ")))?,
                );
            }
            (Self::Json, value) => append(out, value),
            (Self::Hstore, Value::Object(members)) => write_hstore(members, out)?,
            (Self::Bytes, Value::String(text)) => {
                let bytes = STANDARD.decode(text).map_err(|_| "not base64".to_owned())?;
                out.push_str("\\x");
                for byte in bytes {
                    let _ = write!(out, "{byte:02x}");
                }
            }
            (Self::List(element), Value::Array(items)) => {
                out.push('{');
                for (index, item) in items.iter().enumerate() {
                    write_element(element, item, index, out)?;
                }
                out.push('}');
            }
            // A single value stands for a list of one.
            (Self::List(element), single) => {
                out.push('{');
                write_element(element, single, 0, out)?;
                out.push('}');
            }
            _ => return Err(format!("{value} is not {}", self.expectation())),
        }
        Ok(())
    }

    fn expectation(&self) -> &'static str {
        match self {
            Self::Boolean => "a Boolean",
            Self::Int => "an Int",
            Self::BigInt => "a BigInt",
            Self::Float => "a Float",
            Self::Decimal => "a Decimal",
            Self::Text(_) | Self::Literal => "a string",
            Self::Uuid => "a UUID",
            Self::Enum(_) => "a value of the enum",
            Self::Json => "JSON",
            Self::Hstore => "an object of strings",
            Self::Bytes => "base64",
            Self::List(_) => "a list",
        }
    }
}

/// The array literal of values from several places.
pub(super) fn write_array(
    items: &[(&ValueSource, Cow<'_, Value>)],
    format: &Format,
    out: &mut String,
) -> Result<(), InputError> {
    out.push('{');
    for (index, (source, value)) in items.iter().enumerate() {
        write_element(format, value, index, out).map_err(|problem| source.error(problem))?;
    }
    out.push('}');
    Ok(())
}

/// One element of an array literal: nested arrays as they are, everything else in quotes.
///
/// <https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO>
fn write_element(
    format: &Format,
    value: &Value,
    index: usize,
    out: &mut String,
) -> Result<(), String> {
    if index > 0 {
        out.push(',');
    }
    if value.is_null() {
        out.push_str("NULL");
        return Ok(());
    }
    if matches!(format, Format::List(_)) {
        return format.write(value, out);
    }
    let mut text = String::new();
    format.write(value, &mut text)?;
    write_quoted(&text, out);
    Ok(())
}

/// An element of an array literal in quotes.
pub(super) fn write_quoted(text: &str, out: &mut String) {
    out.push('"');
    for part in text.split_inclusive(['"', '\\']) {
        match part.chars().next_back() {
            Some(last @ ('"' | '\\')) => {
                out.push_str(&part[..part.len() - 1]);
                out.push('\\');
                out.push(last);
            }
            _ => out.push_str(part),
        }
    }
    out.push('"');
}

/// `"key"=>"text", "other"=>NULL`
///
/// <https://www.postgresql.org/docs/current/hstore.html#HSTORE-EXTERNAL-REP>
fn write_hstore(members: &Map<String, Value>, out: &mut String) -> Result<(), String> {
    for (index, (key, value)) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_quoted(key, out);
        out.push_str("=>");
        match value {
            Value::Null => out.push_str("NULL"),
            Value::String(text) => write_quoted(text, out),
            Value::Bool(_) | Value::Number(_) => write_quoted(&value.to_string(), out),
            _ => return Err(format!("{value} is not a string, at the key {key:?}")),
        }
    }
    Ok(())
}

fn append(out: &mut String, value: impl std::fmt::Display) {
    let _ = write!(out, "{value}");
}

/// GraphQL coerces `1.0` to the Int 1.
fn integer(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        // Exact by the check: every integer of 53 bits is a float.
        #[expect(clippy::cast_possible_truncation, reason = "bounded by the condition")]
        (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
    })
}

fn write_big_int(value: &Value, out: &mut String) -> Result<(), String> {
    let number = match value {
        Value::Number(number) => integer(number),
        Value::String(text) => text.parse::<i64>().ok(),
        _ => None,
    };
    append(
        out,
        number.ok_or_else(|| format!("{value} is not a 64-bit integer"))?,
    );
    Ok(())
}

fn is_decimal(text: &str) -> bool {
    // What a `numeric` can hold beside digits, as it is written in answers.
    if matches!(text, "NaN" | "Infinity" | "-Infinity") {
        return true;
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole)
        && all_digits(fraction)
        && all_digits(exponent)
        && !(whole.is_empty() && fraction.is_empty())
        && (1..=4).contains(&exponent.len())
}

impl Pattern {
    /// Backslash is LIKE's escape; it goes before `%`, `_` and itself.
    fn write(self, text: &str, out: &mut String) {
        if matches!(self, Self::None | Self::Regex) {
            out.push_str(text);
            return;
        }
        if matches!(self, Self::EndsWith | Self::Contains) {
            out.push('%');
        }
        for c in text.chars() {
            if matches!(c, '%' | '_' | '\\') {
                out.push('\\');
            }
            out.push(c);
        }
        if matches!(self, Self::StartsWith | Self::Contains) {
            out.push('%');
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(format: &Format, value: &Value) -> Result<String, String> {
        let mut out = String::new();
        format.write(value, &mut out).map(|()| out)
    }

    #[test]
    fn numbers_keep_their_range() {
        assert_eq!(
            written(&Format::Int, &json!(2_147_483_647)).unwrap(),
            "2147483647"
        );
        assert!(written(&Format::Int, &json!(2_147_483_648_i64)).is_err());
        assert!(written(&Format::Int, &json!("1")).is_err());
        assert_eq!(
            written(&Format::BigInt, &json!("9223372036854775807")).unwrap(),
            "9223372036854775807"
        );
        assert!(written(&Format::BigInt, &json!("9223372036854775808")).is_err());
        for good in ["1", "-1.50", ".5", "1e10", "+3.", "NaN", "-Infinity"] {
            assert_eq!(written(&Format::Decimal, &json!(good)).unwrap(), good);
        }
        for bad in [
            "", ".", "1e", "0x1", "1 or 1=1", "nan", "inf", "--1", "1e99999",
        ] {
            assert!(written(&Format::Decimal, &json!(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn arrays_quote_their_elements() {
        let texts = Format::List(Box::new(Format::Text(Pattern::None)));
        let value = json!(["a", "b\"c\\", null, "NULL", "{x,y}"]);
        assert_eq!(
            written(&texts, &value).unwrap(),
            r#"{"a","b\"c\\",NULL,"NULL","{x,y}"}"#
        );
        assert_eq!(written(&texts, &json!("single")).unwrap(), r#"{"single"}"#);
        let nested = Format::List(Box::new(Format::List(Box::new(Format::Int))));
        assert_eq!(
            written(&nested, &json!([[1, 2], [3, 4]])).unwrap(),
            r#"{{"1","2"},{"3","4"}}"#
        );
    }

    #[test]
    fn patterns_match_literally() {
        let contains = Format::Text(Pattern::Contains);
        assert_eq!(written(&contains, &json!(r"50%_\")).unwrap(), r"%50\%\_\\%");
    }
}
