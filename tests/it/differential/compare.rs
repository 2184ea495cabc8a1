//! Whether two answers are the same: fields in the same order, and the same values.

use serde_json::Value;

/// The number of equal values, or where the first difference is. Cursors are each side's own.
pub(crate) fn difference(found: &Value, expected: &Value) -> Result<usize, String> {
    at("data", found, expected)
}

fn at(path: &str, found: &Value, expected: &Value) -> Result<usize, String> {
    let differ = || Err(format!("{path}: {found} and not {expected}"));
    match (found, expected) {
        (Value::Object(left), Value::Object(right)) => {
            let right: Vec<_> = right.iter().filter(|(key, _)| *key != "filler").collect();
            if !left.keys().eq(right.iter().map(|(key, _)| *key)) {
                return differ();
            }
            let members = left.iter().zip(right);
            let counts =
                members.map(|((key, left), (_, right))| at(&format!("{path}.{key}"), left, right));
            counts.sum()
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let items = left.iter().zip(right).enumerate();
            items
                .map(|(index, (left, right))| at(&format!("{path}.{index}"), left, right))
                .sum()
        }
        (Value::String(_), Value::String(_)) if path.to_lowercase().ends_with("cursor") => Ok(1),
        (Value::Number(left), Value::Number(right)) if left.as_f64() == right.as_f64() => Ok(1),
        _ if found == expected => Ok(1),
        _ => differ(),
    }
}
