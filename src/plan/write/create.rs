//! New rows: `createIssue`, `createIssues`.

use std::sync::Arc;

use super::{
    Case, Cells, Conflict, Ident, Input, InputDef, InputMeaning, Insert, InsertColumn, Lookup,
    ParamId, ParamSource, Planner, Presence, Result, RowsSource, Slot, State, TypeKind, WriteStep,
    filter,
};
use crate::model::{ColumnId, RelationId};

impl Planner<'_, '_> {
    pub(super) fn create(&mut self, state: &mut State, slot: Slot) -> Result<()> {
        let conflict = self.conflict(state)?;
        let (rows, def) = self.rows(&InputMeaning::Rows)?;
        let relation = self.relation;
        let lookup = match &conflict {
            Some(conflict) if conflict.update.is_empty() => {
                Some(self.lookup(state, relation, &conflict.key, &rows, def)?)
            }
            _ => None,
        };
        let insert = Insert {
            columns: self.columns(state, relation, &rows, def),
            ..self.insert(state, relation, &rows, conflict, slot)
        };
        self.steps.push(WriteStep::Insert(insert));
        if let Some(key) = lookup {
            // Rows that have been there before are answered too, in their places.
            let kept = self.kept(relation, slot);
            self.steps.push(WriteStep::Lookup(Lookup {
                relation,
                key,
                kept,
            }));
        }
        Ok(())
    }

    fn insert(
        &self,
        state: &mut State,
        relation: RelationId,
        rows: &RowsSource,
        conflict: Option<Conflict>,
        slot: Slot,
    ) -> Insert {
        let count = ParamSource::Rows(rows.clone(), Cells::Count);
        Insert {
            relation,
            columns: Vec::new(),
            count: state.param(count, Some(Ident::new("int8")), false),
            conflict,
            kept: self.kept(relation, slot),
        }
    }

    /// The columns that any row gives; the others are left to their defaults.
    fn columns(
        &self,
        state: &mut State,
        relation: RelationId,
        rows: &RowsSource,
        def: &InputDef,
    ) -> Vec<InsertColumn> {
        let mut columns = Vec::new();
        for (name, field) in &def.fields {
            let InputMeaning::Column(column) = field.meaning else {
                continue;
            };
            let given = match self.presence(rows, name) {
                Presence::Nowhere => continue,
                Presence::InAll => None,
                Presence::InSome => {
                    let cells = Cells::Given(name.as_str().into());
                    let source = ParamSource::Rows(rows.clone(), cells);
                    Some(state.param(source, Some(Ident::new("bool")), true))
                }
            };
            let path = vec![name.as_str().into()];
            let values = self.values(state, relation, column, rows, path);
            columns.push(InsertColumn {
                column,
                cases: vec![Case::Given { values, given }],
            });
        }
        columns
    }

    /// An array of a column's values; of arrays their texts, as Postgres has no arrays of arrays.
    fn values(
        &self,
        state: &mut State,
        relation: RelationId,
        column: ColumnId,
        rows: &RowsSource,
        path: Vec<Arc<str>>,
    ) -> ParamId {
        let ty = &self.env.api.model.relation(relation).column(column).ty;
        let format = filter::format(self.env, &ty.kind);
        let cast = match ty.kind {
            TypeKind::Array { .. } => None,
            _ => ty.cast.clone(),
        };
        let source = ParamSource::Rows(rows.clone(), Cells::Values(path, format));
        state.param(source, cast, true)
    }

    /// `onConflict: {on: …, update: […]}`. Checks the other arguments on the way.
    fn conflict(&self, state: &State) -> Result<Option<Conflict>> {
        let mut conflict = None;
        for (meaning, value) in self.env.arguments(state, self.selected)? {
            let (InputMeaning::OnConflict, Input::Object(members)) = (meaning, value) else {
                continue;
            };
            let (mut key, mut update) = (Vec::new(), Vec::new());
            for member in members {
                match (&member.def.meaning, member.value) {
                    (InputMeaning::UniqueKey(keys), Input::Keyword(name)) => {
                        key = keys.get(&name).cloned().unwrap_or_default();
                    }
                    (InputMeaning::Columns(columns), Input::List(names)) => {
                        for name in names {
                            if let Input::Keyword(name) = name
                                && let Some(&column) = columns.get(&name)
                                && !update.contains(&column)
                            {
                                update.push(column);
                            }
                        }
                    }
                    _ => {}
                }
            }
            conflict = Some(Conflict { key, update });
        }
        Ok(conflict)
    }

    /// The values of a key in all rows.
    fn lookup(
        &self,
        state: &mut State,
        relation: RelationId,
        key: &[ColumnId],
        rows: &RowsSource,
        def: &InputDef,
    ) -> Result<Vec<(ColumnId, ParamId)>> {
        let mut params = Vec::with_capacity(key.len());
        for &column in key {
            let is_it = |meaning: &InputMeaning| matches!(meaning, InputMeaning::Column(id) if *id == column);
            let field = def.fields.iter().find(|(_, def)| is_it(&def.meaning));
            let given = field
                .map(|(name, _)| name)
                .filter(|name| self.presence(rows, name) == Presence::InAll);
            let Some(name) = given else {
                let message = "onConflict: a row that is left as it is can only be found when all rows give the columns of `on`";
                return Err(self.error(state, message));
            };
            let path = vec![name.as_str().into()];
            params.push((column, self.values(state, relation, column, rows, path)));
        }
        Ok(params)
    }
}
