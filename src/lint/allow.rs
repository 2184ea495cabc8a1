//! Comments by which authors allow what a rule is against: `-- tenantry: allow drops-column nobody reads it since May`.

use super::rules::Rule;
use crate::migrate::Statement;

const MARK: &str = "-- tenantry: allow";

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Allow {
    /// Of the comment.
    pub(super) line: u32,
    pub(super) rule: Result<Rule, String>,
}

/// All of a file.
pub(super) fn read(text: &str) -> Vec<Allow> {
    let lines = (1..).zip(text.lines());
    let found = lines.filter_map(|(line, text)| {
        let rest = text.split_once(MARK)?.1;
        rest.starts_with(|c: char| c.is_whitespace() || c == ':')
            .then(|| Allow {
                line,
                rule: parse(rest.trim_start_matches(':').trim()),
            })
    });
    found.collect()
}

fn parse(text: &str) -> Result<Rule, String> {
    let (id, reason) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rule = Rule::find(id).ok_or_else(|| {
        let ids = Rule::ALL.into_iter().filter(|rule| rule.may_be_allowed());
        let ids: Vec<_> = ids.map(Rule::id).collect();
        format!("no rule is called {id:?}: they are {}", ids.join(", "))
    })?;
    if !rule.may_be_allowed() {
        return Err(format!(
            "{id} cannot be allowed: no tenant could be migrated"
        ));
    }
    if reason.trim().is_empty() {
        return Err(format!("say why: `{MARK} {id} REASON`"));
    }
    Ok(rule)
}

/// The statement that a comment is about: the one that it stands in or behind, or else the next.
pub(super) fn subject(line: u32, statements: &[Statement]) -> Option<u32> {
    let around = statements
        .iter()
        .rfind(|statement| statement.line <= line && line <= statement.last_line());
    let next = statements.iter().find(|statement| statement.line > line);
    around.or(next).map(|statement| statement.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_names_a_rule_and_a_reason() {
        let text = "-- tenantry: allow drops-column nobody reads it\n\
            select 1; -- tenantry: allow: drops-table gone since May\n\
            -- tenantry: allowance\n-- tenantry: allow drops-view x\n-- tenantry: allow drops-column \n\
            -- tenantry: allow fails so what\n";
        let found = read(text);
        let rules: Vec<_> = found
            .iter()
            .map(|allow| (allow.line, allow.rule.is_ok()))
            .collect();
        assert_eq!(
            rules,
            [(1, true), (2, true), (4, false), (5, false), (6, false)]
        );
        assert_eq!(found[0].rule, Ok(Rule::DropsColumn));
        let said = |n: usize| found[n].rule.clone().unwrap_err();
        assert!(said(2).contains("drops-view") && said(2).contains("renames-table"));
        assert!(said(3).contains("say why") && said(4).contains("cannot be allowed"));
    }
}
