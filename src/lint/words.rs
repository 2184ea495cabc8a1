//! The words that suggestions are made of: names and comments as SQL has to have them.

use std::fmt::Write as _;

use super::snapshot::{Index, Relation};
use crate::schema::{camel, pascal};

/// `NAMEDATALEN - 1`: Postgres cuts longer names off, and with them what tells this one from another.
const MAX_NAME: usize = 63;

/// A name made of names, which come as SQL has them.
pub(super) fn joined(parts: &[&str], suffix: &str) -> String {
    let quoted = parts.iter().any(|part| part.starts_with('"'));
    let names: Vec<_> = parts.iter().map(|part| bare(part)).collect();
    let mut name = names.join("_");
    let mut end = name.len().min(MAX_NAME - 1 - suffix.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    let name = format!("{name}_{suffix}");
    if quoted {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name
    }
}

/// Without the quotes around it and those doubled within.
pub(super) fn bare(name: &str) -> String {
    let inner = name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'));
    inner.map_or_else(|| name.to_owned(), |name| name.replace("\"\"", "\""))
}

/// What a column is called in the API, for a comment: as it is, unless there is more in it than a word.
pub(super) fn field_name(column: &str) -> String {
    let name = bare(column);
    if is_word(&name) { name } else { camel(&name) }
}

/// The same of a table.
pub(super) fn type_name(table: &str) -> String {
    if is_word(table) {
        table.to_owned()
    } else {
        pascal(table)
    }
}

fn is_word(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    name.bytes().all(plain)
}

/// Adds a tag to a comment, and keeps what it says. `object` is a kind and a name.
pub(super) fn tag(object: &str, tag: &str, comment: Option<&str>) -> String {
    let text = match comment {
        Some(comment) => format!("{tag}\n{comment}"),
        None => tag.to_owned(),
    };
    format!("comment on {object} is {};", literal(&text))
}

/// On one line, so that no indentation gets into it.
fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if !quoted.contains(|c: char| c == '\\' || c.is_control()) {
        return format!("'{quoted}'");
    }
    let mut escaped = String::with_capacity(quoted.len());
    for c in quoted.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            // Writing to a string cannot fail.
            c if c.is_control() => drop(write!(escaped, "\\u{:04x}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    format!("E'{escaped}'")
}

/// The statement that makes an index, with other words behind `create index`.
pub(super) fn create_index(table: &Relation, index: &Index, how: &str) -> String {
    let unique = if index.is_unique() { "unique " } else { "" };
    let create = format!("create {unique}index{how} if not exists");
    let on = if table.is_partitioned() { "only " } else { "" };
    let postgres = on.to_ascii_uppercase();
    let head = format!("INDEX {} ON {postgres}{} USING ", index.sql, table.sql);
    let Some((_, rest)) = index.definition.split_once(&head) else {
        let rest = index.definition.split_once("INDEX ");
        return format!("{create} {}", rest.map_or("", |(_, rest)| rest));
    };
    let method = match rest.strip_prefix("btree ") {
        Some(rest) => rest.to_owned(),
        None => format!("using {rest}"),
    };
    format!("{create} {} on {on}{} {method}", index.sql, table.sql)
}

/// The sequence, as SQL has it, that a default takes numbers from.
pub(super) fn sequence_of(default: &str) -> Option<String> {
    let inner = default.strip_prefix("nextval('")?;
    let inner = inner.strip_suffix("'::regclass)")?;
    Some(inner.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_as_one_and_end_as_they_should() {
        assert_eq!(joined(&["orders", "state"], "new"), "orders_state_new");
        assert_eq!(
            joined(&["orders", "\"a \"\"b\""], "x"),
            "\"orders_a \"\"b_x\""
        );
        let long = "ä".repeat(31);
        let name = joined(&[&format!("\"{long}\"")], "not_null");
        assert!(bare(&name).ends_with("ä_not_null") && bare(&name).len() <= MAX_NAME);
    }

    #[test]
    fn what_the_api_is_to_call_it_is_one_word() {
        for (column, field) in [("state", "state"), ("\"Odd \"\"State\"\"\"", "oddState")] {
            assert_eq!(field_name(column), field);
            assert_eq!(camel(&field_name(column)), camel(&bare(column)));
        }
        assert_eq!(type_name("Odd 'Orders'"), "OddOrders");
        assert_eq!(type_name("orders"), "orders");
    }

    #[test]
    fn a_comment_stays_what_it_was() {
        let said = tag("table t", "@omit", Some("It's a \\ so\nto say"));
        assert_eq!(
            said,
            "comment on table t is E'@omit\\nIt''s a \\\\ so\\nto say';"
        );
        assert_eq!(
            tag("table t", "@omit", None),
            "comment on table t is '@omit';"
        );
    }
}
