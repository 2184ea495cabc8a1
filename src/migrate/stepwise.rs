//! A script statement by statement, for those who look at what each one does.

use tokio_postgres::Client;

use super::file::{Body, SchemaState, ScriptFile};
use super::runner::{MigrationError, position, run_step};
use super::script::{Batch, CopyIn, Step, words};
use super::{MigrationFile, MigrationSet};
use crate::error::postgres_reason;

/// What is sent to Postgres by itself.
pub(crate) struct Statement {
    /// Where it starts in the file.
    pub(crate) line: u32,
    /// Its key words and names outside of parentheses, in capitals.
    words: Vec<String>,
    step: Step,
}

impl Statement {
    /// What it begins with, in capitals.
    pub(crate) fn verb(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Whether this word, in capitals, stands in it outside of parentheses and literals.
    pub(crate) fn says(&self, word: &str) -> bool {
        self.words.iter().any(|other| other == word)
    }

    /// Without the rows of a COPY.
    pub(crate) fn text(&self) -> &str {
        match &self.step {
            Step::Sql(batch) => batch.text().trim_end_matches([';', '\n']),
            Step::CopyIn(copy) => &copy.statement,
        }
    }

    pub(crate) fn last_line(&self) -> u32 {
        let more = self.text().matches('\n').count();
        self.line + u32::try_from(more).unwrap_or(0)
    }

    /// Runs it in a transaction that is set up as `runner::enter` does it.
    pub(crate) async fn run(&self, file: &str, client: &Client) -> Result<(), MigrationError> {
        let outcome = run_step(client, &self.step).await;
        outcome.map_err(|(completed, source)| {
            let place = self.step.locate(completed, position(&source));
            MigrationError::Statement {
                file: file.to_owned(),
                line: place.line,
                excerpt: place.excerpt.to_owned(),
                reason: postgres_reason(&source),
                source,
            }
        })
    }
}

impl ScriptFile {
    /// Empty for the service's own SQL.
    pub(crate) fn statements(&self) -> Vec<Statement> {
        let Body::Steps(steps) = self.body(SchemaState::InUse) else {
            return Vec::new();
        };
        let mut statements = Vec::new();
        for step in steps {
            match step {
                Step::Sql(batch) => {
                    for (line, text) in batch.statements() {
                        let mut one = Batch::default();
                        one.push(text, line);
                        statements.push(Statement {
                            line,
                            words: words(text),
                            step: Step::Sql(one),
                        });
                    }
                }
                Step::CopyIn(CopyIn { line, .. }) => statements.push(Statement {
                    line: *line,
                    words: vec!["COPY".to_owned()],
                    step: step.clone(),
                }),
            }
        }
        statements
    }
}

impl MigrationFile {
    /// The file's name.
    pub(crate) fn name(&self) -> &str {
        &self.script.name
    }

    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        self.migration.sql().unwrap_or_default()
    }

    pub(crate) fn version(&self) -> i32 {
        self.migration.version()
    }

    pub(crate) fn statements(&self) -> Vec<Statement> {
        self.script.statements()
    }

    /// What of it was left out, or changed, by line.
    pub(crate) fn remarks(&self) -> impl Iterator<Item = (u32, &str)> {
        self.script.remarks()
    }

    /// Whether it runs without a transaction, statement by statement.
    pub(crate) fn is_alone(&self) -> bool {
        self.script.alone.is_some()
    }
}

impl MigrationSet {
    /// The files after a version.
    pub(crate) fn after(&self, version: i32) -> &[MigrationFile] {
        let at = self.files.partition_point(|file| file.version() <= version);
        &self.files[at..]
    }

    /// The files but for the first ones.
    pub(crate) fn skip(&self, count: usize) -> &[MigrationFile] {
        self.files.get(count..).unwrap_or_default()
    }

    /// The files of other versions than these.
    pub(crate) fn besides(&self, ran: &[i32]) -> Vec<MigrationFile> {
        let files = self.files.iter();
        files
            .filter(|file| !ran.contains(&file.version()))
            .cloned()
            .collect()
    }

    /// The name of the last file.
    pub(crate) fn last(&self) -> Option<&str> {
        self.files.last().map(MigrationFile::name)
    }

    /// The last version up to this one. The first file makes the first tables, and harms nobody: its version is the least,
    /// or that of the baseline where the first files are gone.
    pub(crate) fn settled(&self, version: i32) -> i32 {
        let mut versions = self.files.iter().map(MigrationFile::version);
        let gone = self.files.iter().any(MigrationFile::is_gone);
        let baseline = self.baseline().filter(|_| gone);
        let first = baseline.map_or(versions.next().unwrap_or(0), |(_, version)| version);
        let until = version.max(first);
        versions
            .take_while(|known| *known <= until)
            .last()
            .unwrap_or(first)
    }
}
