//! Mutations of tables.

mod create;
mod keys;
mod linked;
mod nested;
mod patch;
mod types;

use std::collections::HashSet;
use std::sync::Arc;

use async_graphql_value::Value as Ast;

pub use types::{
    Answer, AnswerField, Assignment, At, Between, CallStep, Case, Conflict, Delete, Find, Follow,
    Insert, InsertColumn, Kept, KeptColumn, KeptValue, Lookup, Scope, Slot, Update, Write,
    WriteStep, row_key,
};

use super::data::{Cells, Data, RowsSource};
use super::format::{Format, Pattern};
use super::input::Input;
use super::params::{ParamSource, ValueSource};
use super::parse::too_complex;
use super::types::{ParamId, Predicate, ResponseKey};
use super::{Env, Result, Selected, State, filter, row};
use crate::model::{ColumnId, FunctionId, RelationId, TypeKind};
use crate::schema::{FieldMeaning, InputDef, InputMeaning, WriteKind};
use crate::sql::Ident;

pub(super) fn plan(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    kind: WriteKind,
    selected: &Selected<'_>,
) -> Result<Write> {
    let mut planner = Planner::new(env, state, relation, selected);
    let mut delete = None;
    let slot = match kind {
        WriteKind::Create | WriteKind::CreateMany => planner.create(state)?,
        WriteKind::Update | WriteKind::UpdateMany => planner.update(state)?,
        WriteKind::Delete => {
            delete = Some(planner.find(state)?);
            planner.slot(relation, &[])
        }
        WriteKind::DeleteMany => {
            // Locked in the order of their keys first, so that two of these cannot lock each other out.
            let find = planner.find(state)?;
            let slot = planner.slot(relation, &[]);
            let kept = planner.kept(slot);
            planner.steps.push(WriteStep::Update(Update {
                relation,
                find,
                set: Vec::new(),
                missing: None,
                kept,
            }));
            delete = Some(Find::Kept(slot));
            slot
        }
    };
    let Planner { steps, slots, .. } = planner;
    state.slots += slots.len();
    let answer = match kind {
        WriteKind::Create | WriteKind::Update | WriteKind::Delete => {
            Answer::Row(row::selection(env, state, relation, &selected.fields)?)
        }
        _ => answer(env, state, relation, selected)?,
    };
    Ok(Write {
        relation,
        steps,
        slot,
        delete,
        answer,
    })
}

/// The rows of a function that writes, read again once it has.
pub(super) fn call(
    env: &Env<'_>,
    state: &mut State,
    id: FunctionId,
    relation: RelationId,
    selected: &Selected<'_>,
) -> Result<Write> {
    let mut planner = Planner::new(env, state, relation, selected);
    let slot = planner.slot(relation, &[]);
    state.slots += 1;
    let step = CallStep {
        relation,
        call: super::call::call(env, state, id, selected)?,
        kept: planner.kept(slot),
    };
    let answer = if env.api.model.function(id).set {
        answer(env, state, relation, selected)?
    } else {
        Answer::Row(row::selection(env, state, relation, &selected.fields)?)
    };
    Ok(Write {
        relation,
        steps: vec![WriteStep::Call(step)],
        slot,
        delete: None,
        answer,
    })
}

/// `affectedCount` and `nodes`.
fn answer(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    selected: &Selected<'_>,
) -> Result<Answer> {
    let (mut fields, mut groups, mut count) = (Vec::new(), Vec::new(), false);
    if let Some(type_name) = selected.def.map(|def| def.ty.name()) {
        for field in env.selected(type_name, &selected.fields)? {
            let value = match field.def.map(|def| &def.meaning) {
                None => AnswerField::Typename(Arc::clone(type_name)),
                Some(FieldMeaning::AffectedCount) => {
                    count = true;
                    AnswerField::AffectedCount
                }
                Some(_) => {
                    groups.push(state.within(field.key, |state| {
                        row::selection(env, state, relation, &field.fields)
                    })?);
                    AnswerField::Nodes(groups.len() - 1)
                }
            };
            fields.push((ResponseKey::new(field.key), value));
        }
    }
    Ok(Answer::Rows {
        fields,
        groups,
        count,
    })
}

struct Planner<'e, 'a> {
    env: &'e Env<'a>,
    selected: &'e Selected<'a>,
    relation: RelationId,
    steps: Vec<WriteStep>,
    /// The first of its slots: each field has its own, so that all can be told what was written.
    first: usize,
    /// What is kept of which rows.
    slots: Vec<(RelationId, Vec<KeptColumn>)>,
}

impl<'e, 'a> Planner<'e, 'a> {
    fn new(
        env: &'e Env<'a>,
        state: &State,
        relation: RelationId,
        selected: &'e Selected<'a>,
    ) -> Self {
        Self {
            env,
            selected,
            relation,
            steps: Vec::new(),
            first: state.slots,
            slots: Vec::new(),
        }
    }
}

/// The most statements of one field. Rows are without number, but each way to nest them is a
/// statement, and a thousand of those are no use to anybody.
const MOST_STEPS: usize = 300;

/// What of a field is given by the rows of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Nowhere,
    InSome,
    InAll,
}

impl<'a> Planner<'_, 'a> {
    /// A place for what finds rows again, and for some of their columns.
    fn slot(&mut self, relation: RelationId, columns: &[ColumnId]) -> Slot {
        let mut kept = row_key(&self.env.api.model, relation);
        for &column in columns {
            if !kept.contains(&KeptColumn::Column(column)) {
                kept.push(KeptColumn::Column(column));
            }
        }
        self.slots.push((relation, kept));
        Slot(self.first + self.slots.len() - 1)
    }

    fn kept(&self, slot: Slot) -> Kept {
        Kept {
            slot,
            columns: self.kept_in(slot).1.clone(),
        }
    }

    fn kept_in(&self, slot: Slot) -> &(RelationId, Vec<KeptColumn>) {
        &self.slots[slot.0 - self.first]
    }

    /// A column of the rows kept in a slot, which was made to have it.
    fn kept_value(&self, slot: Slot, column: ColumnId) -> KeptValue {
        let (relation, columns) = self.kept_in(slot);
        let wanted = KeptColumn::Column(column);
        KeptValue {
            slot,
            index: columns
                .iter()
                .position(|kept| *kept == wanted)
                .unwrap_or_default(),
            relation: *relation,
            column,
        }
    }

    /// Stops where nested rows take too many statements.
    fn bounded(&self) -> Result<()> {
        if self.steps.len() > MOST_STEPS {
            return Err(too_complex(format!(
                "nested rows may take at most {MOST_STEPS} statements: write them by several fields"
            )));
        }
        Ok(())
    }

    fn error(&self, state: &State, message: &str) -> super::PlanError {
        state.error(self.selected, message)
    }

    /// The argument that holds rows, and the type of each.
    fn rows(&self, wanted: &InputMeaning) -> Result<(RowsSource, &'a InputDef)> {
        let missing = || super::PlanError::bad_input("an argument is missing");
        let def = self.selected.def.ok_or_else(missing)?;
        let wanted = std::mem::discriminant(wanted);
        let (name, arg) = def
            .args
            .iter()
            .find(|(_, arg)| std::mem::discriminant(&arg.meaning) == wanted)
            .ok_or_else(missing)?;
        let input = self.env.api.blueprint.input(arg.ty.name());
        let value = self.selected.fields[0].node.get_argument(name);
        let null = Ast::Null;
        let value = value.map_or(&null, |value| &value.node);
        Ok((RowsSource::new(name, value), input.ok_or_else(missing)?))
    }

    fn presence(&self, rows: &RowsSource, field: &str) -> Presence {
        let variables = self.env.inputs.variables;
        let rows = rows.rows(variables);
        let is_given = |row: &&Data<'_>| row.field(field, variables).is_some();
        match rows.iter().filter(is_given).count() {
            0 => Presence::Nowhere,
            given if given == rows.len() => Presence::InAll,
            _ => Presence::InSome,
        }
    }

    /// The rows that a key or a filter names.
    fn find(&self, state: &mut State) -> Result<Find> {
        let (mut key, mut predicate) = (Vec::new(), None);
        for (meaning, value) in self.env.arguments(state, self.selected)? {
            match meaning {
                InputMeaning::Key(column) => {
                    let param =
                        filter::column_param(self.env, state, self.relation, *column, value)
                            .map_err(|error| state.error(self.selected, &error.message))?;
                    key.push((*column, param));
                }
                InputMeaning::Where => {
                    let planned = filter::plan(self.env, state, self.relation, value)
                        .map_err(|error| state.error(self.selected, &format!("where.{error}")))?;
                    predicate = Some(planned);
                }
                _ => {}
            }
        }
        match predicate {
            None => Ok(Find::Key(key)),
            Some(predicate) if constant(&predicate).is_some() => Err(state.error(
                self.selected,
                "where: an empty filter would mean all rows, or none; name a condition",
            )),
            Some(predicate) => Ok(Find::Filter(predicate)),
        }
    }
}

/// A parameter that takes something of rows.
fn rows_param(state: &mut State, rows: &RowsSource, cells: Cells, ty: &str) -> ParamId {
    let array = !matches!(cells, Cells::Count);
    let source = ParamSource::Rows(rows.clone(), cells);
    state.param(source, Some(Ident::new(ty)), array)
}

/// A parameter that holds what is said when a statement fails.
fn message(state: &mut State, text: String) -> ParamId {
    let source = ValueSource::Literal(text.into());
    let source = ParamSource::Value(source, Format::Text(Pattern::None));
    state.param(source, None, false)
}

/// What a condition comes to that looks at nothing.
fn constant(predicate: &Predicate) -> Option<bool> {
    let all = |parts: &[Predicate]| parts.iter().map(constant).collect::<HashSet<_>>();
    match predicate {
        Predicate::And(parts) => match all(parts) {
            parts if parts.contains(&Some(false)) => Some(false),
            parts if parts.contains(&None) => None,
            _ => Some(true),
        },
        Predicate::Or(parts) => match all(parts) {
            parts if parts.contains(&Some(true)) => Some(true),
            parts if parts.contains(&None) => None,
            _ => Some(false),
        },
        Predicate::Not(inner) => constant(inner).map(|yes| !yes),
        // Every list has its values, one without rows too.
        Predicate::Over(_, _, values) => constant(values),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Operand;

    #[test]
    fn conditions_that_look_at_nothing_are_known() {
        let real = || Predicate::IsNull(Operand::Column(ColumnId(0)), true);
        let not = |inner| Predicate::Not(Box::new(inner));
        let (and, or) = (Predicate::And, Predicate::Or);
        assert_eq!(constant(&Predicate::ALWAYS), Some(true));
        assert_eq!(
            constant(&and(vec![and(vec![]), not(or(vec![]))])),
            Some(true)
        );
        assert_eq!(constant(&or(vec![])), Some(false));
        assert_eq!(constant(&not(and(vec![]))), Some(false));
        assert_eq!(constant(&or(vec![real(), and(vec![])])), Some(true));
        assert_eq!(constant(&not(and(vec![real(), or(vec![])]))), Some(true));
        assert_eq!(constant(&and(vec![real(), and(vec![])])), None);
        assert_eq!(constant(&not(or(vec![real()]))), None);
    }
}
