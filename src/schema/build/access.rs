//! Which role a field takes, in its description: the schema is the same for all who ask.

use super::Builder;
use crate::model::{ColumnId, FunctionId, RelationId, Standing};

const PUBLIC: &str = "Can be read without a token.";
const TAKES: &str = "Takes the role ";

impl Builder<'_> {
    pub(super) fn describe_rows(&self, relation: RelationId) -> Option<String> {
        let description = self.model.relation(relation).comment.description.clone();
        read(description, self.access.rows(relation))
    }

    pub(super) fn describe_column(&self, relation: RelationId, id: ColumnId) -> Option<String> {
        let column = self.model.relation(relation).column(id);
        let description = column.comment.description.clone();
        read(description, self.access.read_column(relation, id))
    }

    pub(super) fn describe_written(&self, relation: RelationId, id: ColumnId) -> Option<String> {
        let column = self.model.relation(relation).column(id);
        let description = column.comment.description.clone();
        write(description, self.access.write_column(relation, id))
    }

    /// Of a mutation that adds or removes rows.
    pub(super) fn describe_write(&self, relation: RelationId, text: &str) -> Option<String> {
        write(Some(text.to_owned()), self.access.write(relation))
    }

    pub(super) fn describe_call(&self, id: FunctionId) -> Option<String> {
        let function = self.model.function(id);
        let description = function.comment.description.clone();
        if function.volatile {
            return write(description, self.access.execute(id));
        }
        read(description, self.access.execute(id))
    }
}

/// The sentence about access that a description ends with; empty where it has none.
pub(in crate::schema) fn access_told(description: &str) -> &str {
    if description.ends_with(PUBLIC) {
        return PUBLIC;
    }
    let at = description.rfind(TAKES).filter(|at| {
        let role = description[at + TAKES.len()..].strip_suffix('.');
        role.is_some_and(|role| role.bytes().all(|byte| byte.is_ascii_lowercase()))
    });
    at.map_or("", |at| &description[at..])
}

fn read(description: Option<String>, takes: Standing) -> Option<String> {
    match takes {
        Standing::Viewer => description,
        Standing::Stranger => Some(with(description, PUBLIC)),
        role => Some(with(description, &takes_role(role))),
    }
}

fn write(description: Option<String>, takes: Standing) -> Option<String> {
    match takes {
        Standing::Stranger | Standing::Viewer | Standing::Member => description,
        role => Some(with(description, &takes_role(role))),
    }
}

fn takes_role(role: Standing) -> String {
    format!("{TAKES}{}.", role.word())
}

fn with(description: Option<String>, sentence: &str) -> String {
    match description {
        None => sentence.to_owned(),
        Some(text) if text.ends_with(['.', '!', '?']) => format!("{text} {sentence}"),
        Some(text) => format!("{text}. {sentence}"),
    }
}
