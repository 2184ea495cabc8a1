//! A file and its statements: which of them a finding is about, and what its comments allow.

use super::Finding;
use super::allow;
use super::drafts::Draft;
use super::rules::Rule;
use crate::migrate::{MigrationFile, Statement};

/// Where findings are.
pub(super) struct Place<'a> {
    pub(super) file: &'a MigrationFile,
    pub(super) statements: &'a [Statement],
}

impl Place<'_> {
    /// The lines of a statement as its author wrote them, in lower case.
    pub(super) fn raw(&self, statement: &Statement) -> String {
        let lines = self.file.text().lines();
        let lines = lines.take(statement.last_line() as usize);
        let lines: Vec<_> = lines.skip(statement.line as usize - 1).collect();
        lines.join("\n").to_lowercase()
    }

    /// The first statement with the name of what `message` says is made (`… public.name outside …`), or else the first
    /// block, whose statements nobody has read before.
    pub(super) fn that_makes(&self, message: &str) -> Option<&Statement> {
        let made = message
            .split([' ', '('])
            .find_map(|word| word.split_once('.'));
        let name = made.map_or("", |(_, name)| name.trim_matches('"'));
        let named = |statement: &&Statement| statement.text().contains(name);
        let mut statements = self.statements.iter();
        let found = statements.find(named).filter(|_| !name.is_empty());
        let mut statements = self.statements.iter();
        found
            .or_else(|| statements.find(|statement| statement.verb() == "DO"))
            .or(self.statements.first())
    }

    /// The first statement that makes something of a name that the message has, or else the first.
    pub(super) fn that_mentions(&self, message: &str) -> Option<&Statement> {
        let of_message = |word: &str| {
            word.len() > 2
                && message
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .any(|w| w == word)
        };
        let mentions = |statement: &&Statement| {
            let text = statement.text();
            let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
            words
                .filter(|word| word.chars().any(char::is_lowercase))
                .any(of_message)
        };
        let changing = |statement: &&Statement| ["CREATE", "ALTER"].contains(&statement.verb());
        let mut changing_ones = self.statements.iter().filter(changing);
        changing_ones.find(mentions).or(self.statements.first())
    }

    /// Without what comments allow, and with what is wrong with those.
    pub(super) fn finish(&self, found: Vec<(&Statement, Draft)>) -> Vec<Finding> {
        let allows = allow::read(self.file.text());
        let allowed = |line: u32, rule: Rule| {
            allows.iter().any(|allow| {
                allow.rule == Ok(rule) && allow::subject(allow.line, self.statements) == Some(line)
            })
        };
        let found = found.into_iter();
        let found = found.filter(|(statement, draft)| !allowed(statement.line, draft.rule));
        let mut findings: Vec<Finding> = found
            .map(|(statement, draft)| self.finding(statement.line, excerpt(statement), draft))
            .collect();
        for (line, message) in self.file.remarks() {
            // What is left out is no statement that a comment could be above.
            let meant = allows.iter().any(|allow| {
                allow.rule == Ok(Rule::ReadOtherwise) && (line - 1..=line).contains(&allow.line)
            });
            if !meant {
                let draft = Draft::plain(Rule::ReadOtherwise, message.to_owned());
                findings.push(self.finding(line, self.line(line), draft));
            }
        }
        for allow in &allows {
            if let Err(message) = &allow.rule {
                let draft = Draft::plain(Rule::BadAllow, message.clone());
                findings.push(self.finding(allow.line, self.line(allow.line), draft));
            }
        }
        findings.sort_by_key(|finding| finding.line);
        findings
    }

    /// A line as it was written.
    fn line(&self, number: u32) -> String {
        let line = self.file.text().lines().nth(number as usize - 1);
        let line = line.unwrap_or_default().trim();
        line.chars().take(120).collect()
    }

    fn finding(&self, line: u32, excerpt: String, draft: Draft) -> Finding {
        Finding {
            rule: draft.rule,
            level: draft.level,
            file: self.file.name().to_owned(),
            line,
            excerpt,
            table: draft.table,
            message: draft.message,
            safer: draft.safer,
        }
    }
}

fn excerpt(statement: &Statement) -> String {
    let first = statement.text().lines().next().unwrap_or_default();
    first.chars().take(120).collect()
}
