//! One file of SQL, read at load, because the same file runs for every tenant.

use super::script::{self, Known, Note, ScriptError, Step};

#[derive(Debug, Clone)]
pub(crate) struct ScriptFile {
    pub(super) name: String,
    pub(super) body: Body,
    /// What has to exist before it runs.
    pub(super) extensions: Vec<String>,
    /// What its author should hear of.
    pub(super) notes: Vec<Note>,
}

/// What is sent to Postgres.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// The service's own SQL, which is right as it stands.
    Whole(String),
    /// Somebody's SQL, made to fit into a tenant's schema.
    Steps(Vec<Step>),
}

impl ScriptFile {
    /// Whether it goes to Postgres as one message.
    pub(super) fn is_one_message(&self) -> bool {
        match &self.body {
            Body::Whole(_) => true,
            Body::Steps(steps) => matches!(steps[..], [Step::Sql(_)]),
        }
    }

    pub(super) fn whole(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            body: Body::Whole(text.to_owned()),
            extensions: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// `known` is what the files before this one created.
    pub(super) fn parse(name: &str, text: &str, known: &mut Known) -> Result<Self, ScriptError> {
        let script = script::parse(text, known)?;
        Ok(Self {
            name: name.to_owned(),
            body: Body::Steps(script.steps),
            extensions: script.extensions,
            notes: script.notes,
        })
    }
}
