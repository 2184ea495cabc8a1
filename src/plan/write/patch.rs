//! New values of rows that exist: `updateIssue`, `updateIssues`.

use std::sync::Arc;

use super::{
    Assignment, Cells, Format, Ident, InputDef, InputMeaning, ParamSource, Pattern, Planner,
    Presence, Result, RowsSource, Slot, State, Update, WriteStep, filter,
};
use crate::model::{ColumnId, TypeKind};
use crate::schema::Change;

impl<'a> Planner<'_, 'a> {
    pub(super) fn update(&mut self, state: &mut State) -> Result<Slot> {
        let relation = self.relation;
        let find = self.find(state)?;
        let (rows, def) = self.rows(&InputMeaning::Set)?;
        let set = self.assignments(state, &rows, def)?;
        let slot = self.slot(relation, &[]);
        let kept = self.kept(slot);
        self.steps.push(WriteStep::Update(Update {
            relation,
            find,
            set,
            kept,
        }));
        Ok(slot)
    }

    fn assignments(
        &self,
        state: &mut State,
        rows: &RowsSource,
        def: &'a InputDef,
    ) -> Result<Vec<(ColumnId, Assignment)>> {
        let mut set: Vec<(ColumnId, Assignment)> = Vec::new();
        for (name, field) in &def.fields {
            if self.presence(rows, name) == Presence::Nowhere {
                continue;
            }
            match field.meaning {
                InputMeaning::Column(column) => {
                    let (format, cast) = self.value_of(column);
                    let cells = Cells::Value(name.as_str().into(), format);
                    let source = ParamSource::Rows(rows.clone(), cells);
                    let value = state.param(source, cast, false);
                    set.push((column, Assignment::Value(value)));
                }
                InputMeaning::Change(change) => {
                    let Some(def) = self.env.api.blueprint.input(field.ty.name()) else {
                        continue;
                    };
                    let rows = rows.field(name);
                    for (name, field) in &def.fields {
                        let InputMeaning::Column(column) = field.meaning else {
                            continue;
                        };
                        if self.presence(&rows, name) == Presence::Nowhere {
                            continue;
                        }
                        let assignment = self.change(state, change, column, &rows, name);
                        set.push((column, assignment));
                    }
                }
                _ => {}
            }
        }
        let mut columns: Vec<_> = set.iter().map(|(column, _)| column).collect();
        columns.sort();
        if let Some(pair) = columns.windows(2).find(|pair| pair[0] == pair[1]) {
            let column = self.env.api.model.relation(self.relation).column(*pair[0]);
            let message = format!(
                "set: the column {} is changed in two ways",
                column.name.as_str()
            );
            return Err(self.error(state, &message));
        }
        Ok(set)
    }

    fn value_of(&self, column: ColumnId) -> (Format, Option<Ident>) {
        let ty = &self.env.api.model.relation(self.relation).column(column).ty;
        (filter::format(self.env, &ty.kind), ty.cast.clone())
    }

    fn change(
        &self,
        state: &mut State,
        change: Change,
        column: ColumnId,
        rows: &RowsSource,
        field: &str,
    ) -> Assignment {
        let (format, cast) = self.value_of(column);
        let column = self.env.api.model.relation(self.relation).column(column);
        let keys = change == Change::Remove && matches!(column.ty.kind, TypeKind::Jsonb);
        let (format, cast) = if keys {
            let text = Format::Text(Pattern::None);
            (Format::List(Box::new(text)), Some(Ident::new("_text")))
        } else {
            (format, cast)
        };
        let field: Arc<str> = field.into();
        let source = ParamSource::Rows(rows.clone(), Cells::Operand(field, format));
        Assignment::Change(change, state.param(source, cast, false))
    }
}
