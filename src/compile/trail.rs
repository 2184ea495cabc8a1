//! What the audit log is told of a mutation: the part of it that the plan knows.

use serde_json::{Value, json};

use crate::model::RelationId;
use crate::plan::{KeptColumn, Plan, RootValue, Slot, Write, WriteStep, row_key};
use crate::schema::Api;
use crate::session::Note;

/// The longest name of an operation that is told; of several fields, their names.
const LONGEST_ACTION: usize = 200;

/// The same for all requests of a plan: their values are in none of it.
#[derive(Debug)]
pub(crate) struct Trail {
    /// What the client calls the operation; without a name, what it consists of.
    pub(crate) action: String,
    /// `{"document": "…", "fields": [{"field": "createIssue", "rows": [{"table": "issues", "action": "insert", "columns": 1}]}]}`
    pub(crate) details: String,
    /// `tenantry.kept_0_0`, …: the settings in which the keys of these rows are kept. Each set of rows has
    /// as many as its `columns` say; one without a key has one, which tells their number.
    pub(crate) kept: Vec<String>,
    /// Whether anything but deletions may be among it.
    pub(crate) adds: bool,
}

impl Trail {
    pub(super) fn new(api: &Api, plan: &Plan, document: &str, operation: Option<&str>) -> Self {
        let fields = || plan.roots.iter().map(|root| &*root.field);
        let mut action = match operation {
            Some(name) => name.to_owned(),
            None => fields().collect::<Vec<_>>().join(", "),
        };
        action.truncate(action.floor_char_boundary(LONGEST_ACTION));
        let mut kept = Vec::new();
        let fields = plan.roots.iter().map(|root| {
            let rows = match &root.value {
                RootValue::Write(write) => row_sets(api, write, &mut kept),
                _ => Vec::new(),
            };
            json!({"field": root.field, "rows": rows})
        });
        let details = json!({"document": document, "fields": fields.collect::<Vec<_>>()});
        let adds = plan.roots.iter().any(|root| adds(&root.value));
        Self {
            adds,
            action,
            details: details.to_string(),
            kept,
        }
    }
}

fn adds(value: &RootValue) -> bool {
    match value {
        RootValue::Write(write) => (write.steps.iter()).any(|step| match step {
            WriteStep::Insert(_) | WriteStep::Call(_) => true,
            WriteStep::Update(update) => !update.set.is_empty(),
            WriteStep::Lookup(_) | WriteStep::Follow(_) | WriteStep::Delete(_) => false,
        }),
        RootValue::Call(_) => true,
        _ => false,
    }
}

/// The rows that each statement writes, as far as their keys are known.
fn row_sets(api: &Api, write: &Write, kept: &mut Vec<String>) -> Vec<Value> {
    let steps = write.steps.iter().filter_map(|step| match step {
        WriteStep::Insert(step) => Some((step.relation, step.kept.slot, "insert")),
        WriteStep::Update(step) if !step.set.is_empty() => {
            Some((step.relation, step.kept.slot, "update"))
        }
        // What a junction loses is told by neither of its sides.
        WriteStep::Delete(step) if step.between.is_none() => {
            Some((step.relation, step.slot, "delete"))
        }
        WriteStep::Call(step) => Some((step.relation, step.kept.slot, "call")),
        _ => None,
    });
    let answer = write.delete.is_some();
    let answer = answer.then_some((write.relation, write.slot, "delete"));
    let sets = steps.chain(answer);
    let sets =
        sets.map_while(|(relation, slot, action)| row_set(api, relation, slot, action, kept));
    sets.collect()
}

/// None where the entry has all keys that it can have.
fn row_set(
    api: &Api,
    relation: RelationId,
    slot: Slot,
    action: &str,
    kept: &mut Vec<String>,
) -> Option<Value> {
    let key = row_key(&api.model, relation);
    // Where a row is stored means nothing to anybody.
    let is_column = |column: &&KeptColumn| matches!(column, KeptColumn::Column(_));
    let columns = key.iter().filter(is_column).count();
    let settings = columns.max(1);
    if kept.len() + settings > Note::MOST_KEYS {
        return None;
    }
    kept.extend((0..settings).map(|index| format!("tenantry.kept_{}_{index}", slot.0)));
    let table = api.model.relation(relation).name.as_str();
    Some(json!({"table": table, "action": action, "columns": columns}))
}
