//! Reads a SQL migration as people have them (written by hand, by `pg_dump`, for psql) and says what to run for a tenant.
//!
//! Migrations are written for a database of their own, most often for its schema `public`. A tenant has one schema instead,
//! and a migration is one transaction in it. So a script is taken apart into statements, and each is judged by its first
//! words: what is about the database, its roles or the session is left out ([`rules`], [`settings`]), schema names are
//! taken out of the rest ([`qualify`]), and the data of `COPY … FROM stdin` becomes a step of its own. All changes are made on
//! tokens; a statement that needs no change arrives at Postgres byte by byte as it was written.
//!
//! When migrations create schemas of their own, these move into the tenant's schema too. Should two schemas have an object
//! of the same name, the later one is called `<schema>_<name>`.
//!
//! Known limits: names that a tenant's schema shares with `pg_catalog` (a function `public.now()`) mean the built-in ones once
//! they are unqualified; SQL that a function puts together at run time is changed only where it is one literal.

mod batch;
mod concurrently;
mod decode;
mod edit;
mod enums;
mod keywords;
mod left_out;
mod lex;
mod literals;
mod marker;
mod mode;
mod names;
mod privileges;
mod qualify;
mod rules;
mod settings;
mod split;
mod tokens;

use std::collections::HashSet;
use std::ops::Range;
use std::rc::Rc;

pub(crate) use batch::{Batch, CopyIn, Step};
pub(crate) use concurrently::Effect;
pub(crate) use decode::decode;
pub(crate) use enums::added_values;
pub(crate) use names::Known;

use edit::{Edit, apply};
use lex::{Token, line_at};
use mode::Mode;
use names::{Group, PUBLIC, created};
use qualify::Scope;
use rules::{Seen, Verdict};
use tokens::Tokens;

/// What a migration does in each tenant.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) steps: Vec<Step>,
    /// The same for a new schema, where all files run in one transaction, if that is not the same.
    pub(crate) new: Option<Vec<Step>>,
    /// The same for a schema that is in use, of a file that is marked to run without a transaction.
    pub(crate) alone: Option<Vec<Single>>,
    /// The extensions it wants, in order; they have to exist before the steps run.
    pub(crate) extensions: Vec<String>,
    /// What was left out or changed in a way that its author should hear of.
    pub(crate) notes: Vec<Note>,
    /// What was left out besides, and surprises nobody who knows how files are read.
    pub(crate) left_out: Vec<Note>,
}

/// A statement that runs by itself.
#[derive(Debug, Clone)]
pub(crate) struct Single {
    pub(crate) step: Step,
    pub(crate) effect: Effect,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) line: u32,
    pub(crate) message: String,
}

/// Why a script can't be run for a tenant.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {message}")]
pub(crate) struct ScriptError {
    pub(crate) line: u32,
    pub(crate) message: String,
}

impl ScriptError {
    fn new(line: u32, message: impl Into<String>) -> Self {
        Self {
            line,
            message: message.into(),
        }
    }
}

/// Reads one migration. The migrations of a directory share `known`, in their order, so that a later one may name what an
/// earlier one created.
pub(crate) fn parse(sql: &str, known: &mut Known) -> Result<Script, ScriptError> {
    let sql = sql.strip_prefix('\u{feff}').unwrap_or(sql);
    if !marker::is_marked(sql)? {
        let mut script = read(sql, known, Mode::Transaction)?;
        if known.enums.concern(sql) {
            script.new = Some(read(sql, known, Mode::Unseen)?.steps);
        }
        return Ok(script);
    }
    let mut script = read(sql, known, Mode::Unseen)?;
    let alone = read(sql, known, Mode::Autocommit)?;
    script.alone = alone.alone;
    for note in alone.notes {
        if !script.notes.contains(&note) {
            script.notes.push(note);
        }
    }
    Ok(script)
}

fn read(sql: &str, known: &mut Known, mode: Mode) -> Result<Script, ScriptError> {
    let statements = statements(sql, split::split(sql)?, known);
    let mut writer = Writer {
        sql,
        mode,
        position: (0, 1),
        script: Script::default(),
        batch: Batch::default(),
    };
    let fresh = survey(sql, &statements, known, &mut writer.script.notes);
    if mode == Mode::Autocommit {
        writer.script.alone = Some(Vec::new());
    }
    for (at, statement) in statements.iter().enumerate() {
        writer.statement(statement, known, &fresh, &statements[at + 1..])?;
    }
    writer.flush();
    Ok(writer.script)
}

/// Whether there is no statement in it, but comments at most.
pub(crate) fn is_blank(sql: &str) -> bool {
    let sql = sql.strip_prefix('\u{feff}').unwrap_or(sql);
    split::split(sql).is_ok_and(|pieces| pieces.is_empty())
}

/// The key words and names of a statement that stand outside of parentheses, in capitals.
pub(crate) fn words(sql: &str) -> Vec<String> {
    let all = lex::tokens(sql).unwrap_or_default();
    let tokens = Tokens {
        text: sql,
        all: &all,
    };
    let words = tokens.outside_parentheses();
    let words = words.filter(|at| tokens.kind(*at) == Some(lex::Kind::Word));
    words
        .map(|at| tokens.raw(at).to_ascii_uppercase())
        .collect()
}

/// A statement and the circumstances it stands in.
struct Statement {
    tokens: Vec<Token>,
    data: Option<Range<usize>>,
    /// The schema that its unqualified names are in.
    home: Rc<str>,
}

impl Statement {
    fn tokens<'a>(&'a self, sql: &'a str) -> Tokens<'a> {
        Tokens {
            text: sql,
            all: &self.tokens,
        }
    }
}

/// Follows the schemas that are created and the `search_path`; `CREATE SCHEMA x CREATE TABLE …` becomes several statements.
fn statements(sql: &str, pieces: Vec<split::Piece>, known: &mut Known) -> Vec<Statement> {
    let mut home: Rc<str> = PUBLIC.into();
    let mut statements = Vec::with_capacity(pieces.len());
    for split::Piece {
        tokens: mut all,
        data,
    } in pieces
    {
        let tokens = Tokens {
            text: sql,
            all: &all,
        };
        if let Some(schema) = other_schema(tokens) {
            known.add_schema(&schema);
        }
        if let Some(new) = settings::home(tokens, known) {
            home = new.into();
        }
        let Some(schema) = created_schema(tokens) else {
            let home = Rc::clone(&home);
            statements.push(Statement {
                tokens: all,
                data,
                home,
            });
            continue;
        };
        known.add_schema(&schema);
        let inner: Rc<str> = schema.into();
        let mut starts: Vec<usize> = tokens
            .outside_parentheses()
            .filter(|at| *at > 0 && tokens.is_any(*at, &["CREATE", "GRANT"]))
            .collect();
        let first = statements.len();
        while let Some(start) = starts.pop() {
            statements.push(Statement {
                tokens: all.split_off(start),
                data: None,
                home: Rc::clone(&inner),
            });
        }
        statements[first..].reverse();
        let head = Statement {
            tokens: all,
            data: None,
            home: Rc::clone(&home),
        };
        statements.insert(first, head);
    }
    statements
}

/// `CREATE SCHEMA [IF NOT EXISTS] [name] [AUTHORIZATION role]`
fn created_schema(tokens: Tokens<'_>) -> Option<String> {
    if !tokens.are(0, &["CREATE", "SCHEMA"]) {
        return None;
    }
    let at = if tokens.are(2, &["IF", "NOT", "EXISTS"]) {
        5
    } else {
        2
    };
    let name = at + usize::from(tokens.is(at, "AUTHORIZATION"));
    Some(tokens.name(name)?.into_owned())
}

/// `CREATE EXTENSION x SCHEMA name` and `ALTER SCHEMA x RENAME TO name`
fn other_schema(tokens: Tokens<'_>) -> Option<String> {
    let at = if tokens.are(0, &["CREATE", "EXTENSION"]) {
        (3..tokens.all.len()).find(|at| tokens.is(*at, "SCHEMA"))? + 1
    } else if tokens.are(0, &["ALTER", "SCHEMA"]) && tokens.are(3, &["RENAME", "TO"]) {
        5
    } else {
        return None;
    };
    Some(tokens.name(at)?.into_owned())
}

/// Registers what the script creates; returns the names of its tables. An object of `public` is the last to give way.
fn survey(
    sql: &str,
    statements: &[Statement],
    known: &mut Known,
    notes: &mut Vec<Note>,
) -> HashSet<String> {
    let mut objects = Vec::new();
    for statement in statements {
        if let Some(object) = created(statement.tokens(sql)) {
            let schema = object.schema.unwrap_or_else(|| statement.home.to_string());
            objects.push((object.group, schema, object.name, statement.tokens[0].start));
        }
    }
    objects.sort_by_key(|(_, schema, ..)| schema != PUBLIC);
    for (group, schema, name, start) in &objects {
        let before = known.renamed(schema, name).is_some();
        known.add_object(*group, schema, name);
        if let (false, Some(new)) = (before, known.renamed(schema, name)) {
            let message = [
                schema,
                ".",
                name,
                " is called ",
                &new,
                ": another schema has the name too",
            ]
            .concat();
            notes.push(Note {
                line: line_at(sql, *start),
                message,
            });
        }
    }
    let relations = objects
        .into_iter()
        .filter(|(group, ..)| *group == Group::Relation);
    relations.map(|(_, _, name, _)| name).collect()
}

/// Collects the steps.
struct Writer<'a> {
    sql: &'a str,
    mode: Mode,
    /// A byte of the text and its line, from which the next line is counted.
    position: (usize, u32),
    script: Script,
    batch: Batch,
}

impl Writer<'_> {
    fn statement(
        &mut self,
        statement: &Statement,
        known: &Known,
        fresh: &HashSet<String>,
        later: &[Statement],
    ) -> Result<(), ScriptError> {
        let tokens = statement.tokens(self.sql);
        let line = self.line(tokens.all[0].start);
        match rules::judge(tokens, self.mode, Seen { fresh, known }) {
            Verdict::Skip => {
                let later = later.iter().map(|statement| statement.tokens(self.sql));
                if let Some(remark) = left_out::remark(tokens, known, later) {
                    self.script.remark(line, remark);
                }
            }
            Verdict::SkipAndTell(message) => self.script.notes.push(Note { line, message }),
            Verdict::Refuse(message) => return Err(ScriptError { line, message }),
            Verdict::Extension(name) => {
                if !self.script.extensions.contains(&name) {
                    self.script.extensions.push(name);
                }
            }
            Verdict::RunAndTell(edits, message) => {
                self.script.notes.push(Note { line, message });
                self.run(statement, edits, known, line);
            }
            Verdict::Run(edits) => self.run(statement, edits, known, line),
        }
        Ok(())
    }

    fn run(&mut self, statement: &Statement, mut edits: Vec<Edit>, known: &Known, line: u32) {
        let tokens = statement.tokens(self.sql);
        let home = &statement.home;
        edits.extend(qualify::statement(tokens, Scope { known, home }));
        let range = tokens.all[0].start..tokens.all[tokens.all.len() - 1].end;
        let text = apply(self.sql, range, edits);
        let effect = concurrently::effect(tokens, &text);
        if let Some(data) = statement.data.clone() {
            self.flush();
            let data = self.sql[data].to_owned();
            self.push(
                Step::CopyIn(CopyIn {
                    statement: text,
                    data,
                    line,
                }),
                effect,
            );
            return;
        }
        self.batch.push(&text, line);
        if self.mode == Mode::Autocommit {
            let batch = std::mem::take(&mut self.batch);
            return self.push(Step::Sql(batch), effect);
        }
        // Postgres splits a message into statements before it runs the first, so a new way to read strings needs a new one.
        let rereads = tokens.is(0, "SET")
            && text
                .to_ascii_lowercase()
                .contains("standard_conforming_strings");
        if rereads || self.batch.is_full() {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        if !batch.is_empty() {
            self.script.steps.push(Step::Sql(batch));
        }
    }

    fn push(&mut self, step: Step, effect: Effect) {
        match &mut self.script.alone {
            Some(alone) => alone.push(Single { step, effect }),
            None => self.script.steps.push(step),
        }
    }

    /// The line of a byte that is not before the last one asked for.
    fn line(&mut self, offset: usize) -> u32 {
        let (from, line) = self.position;
        let line = line + line_at(&self.sql[from..], offset - from) - 1;
        self.position = (offset, line);
        line
    }
}

#[cfg(test)]
mod tests;
