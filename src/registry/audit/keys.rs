//! The keys of an entry, as the transaction has kept them: the text of an array.

use serde_json::{Value, json};

/// The most keys that are shown of one array.
const SHOWN: usize = 100;

/// `[2, ["7", "8"]]` of `{7,8}`, and `[20000, ["1", …]]` of `20000 {1,…}`, which is what there is of very many.
///
/// Null of what is neither. Functions of the app can write over what a transaction keeps: then its entry has no keys,
/// and all others can still be read.
pub(super) fn told(kept: &str) -> Value {
    let whole = || Some((None, elements(kept)?));
    let beginning = || {
        let (count, rest) = kept.split_once(' ')?;
        Some((Some(count.parse().ok()?), elements(rest)?))
    };
    let Some((count, mut keys)) = whole().or_else(beginning) else {
        return Value::Null;
    };
    let count = count.unwrap_or(keys.len() as u64);
    keys.truncate(SHOWN);
    json!([count, keys])
}

/// The elements of an array's text, each as its own text. An array among them is kept as it is written.
/// <https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO>
fn elements(array: &str) -> Option<Vec<String>> {
    let inner = array.strip_prefix('{')?.strip_suffix('}')?;
    let mut elements = Vec::new();
    if inner.is_empty() {
        return Some(elements);
    }
    let (mut element, mut depth, mut quoted) = (String::new(), 0_usize, false);
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' if depth == 0 => element.push(chars.next()?),
            '\\' => element.extend([char, chars.next()?]),
            '"' => {
                quoted = !quoted;
                if depth > 0 {
                    element.push(char);
                }
            }
            ',' if depth == 0 && !quoted => elements.push(std::mem::take(&mut element)),
            _ => {
                if !quoted {
                    depth = match char {
                        '{' => depth + 1,
                        '}' => depth.checked_sub(1)?,
                        _ => depth,
                    };
                }
                element.push(char);
            }
        }
    }
    elements.push(element);
    (depth == 0 && !quoted).then_some(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_elements_of_an_array() {
        for (kept, expected) in [
            ("{}", json!([0, []])),
            ("{7}", json!([1, ["7"]])),
            (
                r#"{a b,"c,d","{\"e\"}","\\","",ü}"#,
                json!([6, ["a b", "c,d", "{\"e\"}", "\\", "", "ü"]]),
            ),
            // Of keys that are arrays themselves.
            (
                r#"{{1,2},{"a}","b\"c"}}"#,
                json!([2, ["{1,2}", "{\"a}\",\"b\\\"c\"}"]]),
            ),
            ("20000 {1,2}", json!([20000, ["1", "2"]])),
        ] {
            assert_eq!(told(kept), expected, "{kept}");
        }
        let many: Vec<_> = (0..300).map(|number| number.to_string()).collect();
        let many = told(&format!("{{{}}}", many.join(",")));
        assert_eq!((&many[0], &many[1][99]), (&json!(300), &json!("99")));
        assert_eq!(many[1].as_array().unwrap().len(), SHOWN);
    }

    #[test]
    fn what_is_no_array_has_no_keys() {
        for kept in [
            "",
            " ",
            "x",
            "{",
            "}",
            "{a",
            "a}",
            "{{a}",
            "{a}}",
            "{\"a}",
            "{a\\",
            "{a\\}",
            "-1 {a}",
            "1 a",
            " {a}",
            "[0:0]={a}",
            "99999999999999999999 {a}",
        ] {
            assert_eq!(told(kept), Value::Null, "{kept:?}");
        }
    }
}
