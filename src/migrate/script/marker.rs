//! The comment at the top of a file by which its author says that it runs without a transaction.

use super::ScriptError;

pub(super) const MARKER: &str = "-- tenantry: no transaction";

/// Whether the file is marked. A mark that would not count is an error, as its author relies on it.
pub(super) fn is_marked(sql: &str) -> Result<bool, ScriptError> {
    let mut is_top = true;
    let mut marked = false;
    for (number, line) in (1..).zip(sql.lines()) {
        match directive(line) {
            Some(Directive::NoTransaction) if is_top => marked = true,
            Some(Directive::NoTransaction) => {
                let message = format!("{MARKER:?} has to stand before the first statement");
                return Err(ScriptError::new(number, message));
            }
            Some(Directive::Misspelt) if is_top => {
                let message = format!("is this to say {MARKER:?}?");
                return Err(ScriptError::new(number, message));
            }
            Some(Directive::Misspelt) | None => {
                let line = line.trim();
                is_top &= line.is_empty() || line.starts_with("--");
            }
        }
    }
    Ok(marked)
}

enum Directive {
    NoTransaction,
    Misspelt,
}

fn directive(line: &str) -> Option<Directive> {
    let comment = line.trim().strip_prefix("--")?.trim_start_matches('-');
    let (ours, words) = comment.split_once(':')?;
    if !ours.trim().eq_ignore_ascii_case("tenantry") {
        return None;
    }
    let words = words.to_ascii_lowercase().replace('-', " ");
    let words: Vec<&str> = words.split_whitespace().collect();
    match *words {
        ["no", "transaction"] => Some(Directive::NoTransaction),
        // Directives of another kind have arguments of their own.
        ["allow", ..] => None,
        _ => (words.iter().any(|word| word.contains("transaction"))).then_some(Directive::Misspelt),
    }
}

#[cfg(test)]
mod tests {
    use super::is_marked;

    #[test]
    fn the_mark_stands_in_the_first_comment_lines() {
        for sql in [
            "-- tenantry: no transaction\nselect 1;",
            "\n-- Ann, May 2026\n--\n--Tenantry:  no-transaction  \r\nselect 1;",
        ] {
            assert!(is_marked(sql).unwrap(), "{sql}");
        }
        for sql in [
            "select 1;",
            "-- no transaction\nselect 1;",
            "-- tenantry: allow not-null in a transaction\nselect 1;",
            "select 'tenantry: no transaction';",
        ] {
            assert!(!is_marked(sql).unwrap(), "{sql}");
        }
    }

    #[test]
    fn a_mark_that_would_not_count_is_told() {
        let late = "select 1;\n-- tenantry: no transaction\n";
        assert_eq!(is_marked(late).unwrap_err().line, 2);
        let misspelt = "-- tenantry: without transactions\nselect 1;";
        assert!(
            is_marked(misspelt)
                .unwrap_err()
                .to_string()
                .contains("no transaction")
        );
    }
}
