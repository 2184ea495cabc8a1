//! Findings as text for people, as JSON, and as annotations of GitHub's workflows.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Finding, Level};

/// As compilers have it. `place` is the directory of the files.
pub(crate) fn text(findings: &[Finding], place: &str) -> String {
    let mut out = String::new();
    for finding in findings {
        let Finding {
            rule,
            level,
            file,
            line,
            excerpt,
            message,
            ..
        } = finding;
        let gutter = " ".repeat(line.to_string().len());
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{}[{}]: {}", level.name(), rule.id(), plain(message));
        let _ = writeln!(out, "{gutter}--> {place}{file}:{line}");
        if !excerpt.is_empty() {
            let _ = writeln!(out, "{gutter} |\n{line} | {}\n{gutter} |", plain(excerpt));
        }
        if let Some(safer) = &finding.safer {
            let _ = writeln!(out, "{gutter} = safer:");
            for line in safer.lines() {
                let _ = writeln!(out, "{gutter}     {}", plain(line));
            }
        }
        out.push('\n');
    }
    out
}

/// One object for each, with the path of its file.
pub(crate) fn json(findings: &[Finding], place: &str) -> Vec<Value> {
    let objects = findings.iter().map(|finding| {
        let mut object = json!(finding);
        object["file"] = format!("{place}{}", finding.file).into();
        object
    });
    objects.collect()
}

/// Workflow commands, which GitHub shows beside the lines that they are about.
pub(crate) fn github(findings: &[Finding], place: &str) -> String {
    let mut out = String::new();
    for finding in findings {
        let command = match finding.level {
            Level::Note => "notice",
            Level::Warning => "warning",
            Level::Error => "error",
        };
        let file = property(&format!("{place}{}", finding.file));
        let mut message = finding.message.clone();
        if let Some(safer) = &finding.safer {
            message.push_str("\nSafer:\n");
            message.push_str(safer);
        }
        let _ = writeln!(
            out,
            "::{command} file={file},line={},title={}::{}",
            finding.line,
            finding.rule.id(),
            data(&message)
        );
    }
    out
}

fn data(text: &str) -> String {
    let text = text.replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// What comes from files commands no terminal.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\t' { ' ' } else { c })
        .collect()
}
