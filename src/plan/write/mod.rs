//! Mutations of tables.

mod types;

use std::collections::HashSet;
use std::sync::Arc;

use async_graphql_value::Value as Ast;

pub use types::{
    Answer, AnswerField, Assignment, Find, Insert, InsertColumn, RowKey, Slot, Update, Write,
    WriteStep,
};

use super::data::{Cells, Data, RowsSource};
use super::params::ParamSource;
use super::types::{ParamId, Predicate, ResponseKey};
use super::{Env, Result, Selected, State, filter, row};
use crate::model::{ColumnId, RelationId, TypeKind};
use crate::schema::{FieldMeaning, InputDef, InputMeaning, WriteKind};
use crate::sql::Ident;

pub(super) fn plan(
    env: &Env<'_>,
    state: &mut State,
    relation: RelationId,
    kind: WriteKind,
    selected: &Selected<'_>,
) -> Result<Write> {
    let mut planner = Planner {
        env,
        selected,
        relation,
        slots: 0,
    };
    let slot = planner.slot();
    let (mut steps, mut delete) = (Vec::new(), None);
    match kind {
        WriteKind::Create | WriteKind::CreateMany => {
            planner.checked_arguments(state)?;
            let (rows, def) = planner.rows(&InputMeaning::Rows)?;
            steps.push(WriteStep::Insert(planner.insert(state, &rows, def, slot)));
        }
        WriteKind::Update | WriteKind::UpdateMany => {
            let find = planner.find(state)?;
            let (rows, def) = planner.rows(&InputMeaning::Set)?;
            let set = planner.assignments(state, &rows, def);
            steps.push(WriteStep::Update(Update {
                relation,
                find,
                set,
                slot,
            }));
        }
        WriteKind::Delete => delete = Some(planner.find(state)?),
        WriteKind::DeleteMany => {
            // Locked in the order of their keys first, so that two of these cannot lock each other out.
            let find = planner.find(state)?;
            steps.push(WriteStep::Update(Update {
                relation,
                find,
                set: Vec::new(),
                slot,
            }));
            delete = Some(Find::Kept(slot));
        }
    }
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
    slots: usize,
}

/// What of a field is given by the rows of a list.
enum Presence {
    Nowhere,
    InSome,
    InAll,
}

impl<'a> Planner<'_, 'a> {
    fn slot(&mut self) -> Slot {
        self.slots += 1;
        Slot(self.slots - 1)
    }

    /// Checks literals against their types; variables have been checked when their shape was taken.
    fn checked_arguments(&self, state: &State) -> Result<()> {
        self.env.arguments(state, self.selected).map(|_| ())
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

    /// The columns that any row gives; the others are left to their defaults.
    fn insert(&self, state: &mut State, rows: &RowsSource, def: &InputDef, slot: Slot) -> Insert {
        let count = ParamSource::Rows(rows.clone(), Cells::Count);
        let count = state.param(count, Some(Ident::new("int8")), false);
        let mut columns = Vec::new();
        for (name, field) in &def.fields {
            let InputMeaning::Column(column) = field.meaning else {
                continue;
            };
            let presence = self.presence(rows, name);
            if matches!(presence, Presence::Nowhere) {
                continue;
            }
            let field: Arc<str> = name.as_str().into();
            let given = matches!(presence, Presence::InSome).then(|| {
                let cells = Cells::Given(Arc::clone(&field));
                let source = ParamSource::Rows(rows.clone(), cells);
                state.param(source, Some(Ident::new("bool")), true)
            });
            columns.push(InsertColumn {
                column,
                values: self.values(state, rows, column, field),
                given,
            });
        }
        Insert {
            relation: self.relation,
            columns,
            count,
            slot,
        }
    }

    fn presence(&self, rows: &RowsSource, field: &str) -> Presence {
        let variables = self.env.inputs.variables;
        let rows = rows.rows(variables);
        let is_given = |row: &Data<'_>| row.field(field, variables).is_some();
        let given = rows.iter().filter(|row| is_given(row)).count();
        match given {
            0 => Presence::Nowhere,
            given if given == rows.len() => Presence::InAll,
            _ => Presence::InSome,
        }
    }

    /// An array of a column's values; of arrays their texts, as Postgres has no arrays of arrays.
    fn values(
        &self,
        state: &mut State,
        rows: &RowsSource,
        column: ColumnId,
        field: Arc<str>,
    ) -> ParamId {
        let ty = &self.env.api.model.relation(self.relation).column(column).ty;
        let format = filter::format(self.env, &ty.kind);
        let cast = match ty.kind {
            TypeKind::Array { .. } => None,
            _ => ty.cast.clone(),
        };
        let source = ParamSource::Rows(rows.clone(), Cells::Values(field, format));
        state.param(source, cast, true)
    }

    fn assignments(
        &self,
        state: &mut State,
        rows: &RowsSource,
        def: &InputDef,
    ) -> Vec<(ColumnId, Assignment)> {
        let mut set = Vec::new();
        for (name, field) in &def.fields {
            let InputMeaning::Column(column) = field.meaning else {
                continue;
            };
            if matches!(self.presence(rows, name), Presence::Nowhere) {
                continue;
            }
            let ty = &self.env.api.model.relation(self.relation).column(column).ty;
            let format = filter::format(self.env, &ty.kind);
            let cells = Cells::Value(name.as_str().into(), format);
            let source = ParamSource::Rows(rows.clone(), cells);
            let value = state.param(source, ty.cast.clone(), false);
            set.push((column, Assignment::Value(value)));
        }
        set
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
