//! One file of SQL, read at load, because the same file runs for every tenant.

use super::script::{self, Known, Note, ScriptError, Single, Step};

#[derive(Debug, Clone)]
pub(crate) struct ScriptFile {
    pub(super) name: String,
    body: Body,
    /// How it runs in a new schema, where all files run in one transaction, if that is not the same.
    pub(super) new: Option<Body>,
    /// How it runs in a schema that is in use, when it is marked to run without a transaction.
    pub(super) alone: Option<Vec<Single>>,
    /// What has to exist before it runs.
    pub(super) extensions: Vec<String>,
    /// What its author should hear of.
    pub(super) notes: Vec<Note>,
    /// What goes without saying, for the linter.
    left_out: Vec<Note>,
}

/// Where a file runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SchemaState {
    /// All files run in it, one after the other, before anybody sees it.
    New,
    InUse,
}

/// What is sent to Postgres.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// The service's own SQL, which is right as it stands.
    Whole(String),
    /// Somebody's SQL, made to fit into a tenant's schema.
    Steps(Vec<Step>),
}

impl Body {
    /// Whether it goes to Postgres as one message.
    pub(super) fn is_one_message(&self) -> bool {
        match self {
            Self::Whole(_) => true,
            Self::Steps(steps) => matches!(steps[..], [Step::Sql(_)]),
        }
    }
}

impl ScriptFile {
    /// All that was left out, or changed, by line.
    pub(crate) fn remarks(&self) -> impl Iterator<Item = (u32, &str)> {
        let notes = self.notes.iter().chain(&self.left_out);
        notes.map(|note| (note.line, note.message.as_str()))
    }

    pub(super) fn body(&self, schema: SchemaState) -> &Body {
        match (schema, &self.new) {
            (SchemaState::New, Some(body)) => body,
            _ => &self.body,
        }
    }

    pub(super) fn whole(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            body: Body::Whole(text.to_owned()),
            new: None,
            alone: None,
            extensions: Vec::new(),
            notes: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// `known` is what the files before this one created.
    pub(super) fn parse(name: &str, text: &str, known: &mut Known) -> Result<Self, ScriptError> {
        let script = script::parse(text, known)?;
        Ok(Self {
            name: name.to_owned(),
            body: Body::Steps(script.steps),
            new: script.new.map(Body::Steps),
            alone: script.alone,
            extensions: script.extensions,
            notes: script.notes,
            left_out: script.left_out,
        })
    }
}
