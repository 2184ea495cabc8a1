//! New rows: `createIssue`, `createIssues`.

use std::sync::Arc;

use super::nested::link_columns;
use super::{
    At, Case, Cells, Conflict, Input, InputDef, InputMeaning, Insert, InsertColumn, Lookup,
    ParamId, ParamSource, Planner, Presence, Result, RowsSource, Slot, State, TypeKind, WriteStep,
    filter, message, rows_param,
};
use crate::model::{ColumnId, RelationId, RelationKind};

/// The rows that new ones belong to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parent<'r> {
    pub(super) slot: Slot,
    pub(super) rows: &'r RowsSource,
    /// (column of the new row, column of its parent)
    pub(super) on: &'r [(ColumnId, ColumnId)],
}

/// New rows of one table, which one statement adds.
pub(super) struct Level<'r, 'a> {
    pub(super) relation: RelationId,
    pub(super) rows: &'r RowsSource,
    pub(super) def: &'a InputDef,
    pub(super) parent: Option<Parent<'r>>,
    /// Columns of theirs that others need.
    pub(super) needed: &'r [ColumnId],
}

impl<'a> Planner<'_, 'a> {
    pub(super) fn create(&mut self, state: &mut State) -> Result<Slot> {
        let conflict = self.conflict(state)?;
        let (rows, def) = self.rows(&InputMeaning::Rows)?;
        let relation = self.relation;
        let lookup = match &conflict {
            Some(conflict) if conflict.update.is_empty() => {
                if let Some((_, name, _)) = self.links_below(&rows, def).first() {
                    let message =
                        format!("{name}: rows that exist are left as they are, and so are theirs");
                    return Err(self.error(state, &message));
                }
                Some(self.lookup(state, relation, &conflict.key, &rows, def)?)
            }
            _ => None,
        };
        let level = Level {
            relation,
            rows: &rows,
            def,
            parent: None,
            needed: &[],
        };
        let slot = self.create_rows(state, &level, conflict)?;
        if let Some(key) = lookup {
            // Rows that have been there before are answered too, in their places.
            self.steps.push(WriteStep::Lookup(Lookup {
                relation,
                key,
                missing: None,
                scope: None,
                kept: self.kept(slot),
            }));
        }
        Ok(slot)
    }

    /// Rows, those that they refer to before them, and those that refer to them behind.
    pub(super) fn create_rows(
        &mut self,
        state: &mut State,
        level: &Level<'_, 'a>,
        conflict: Option<Conflict>,
    ) -> Result<Slot> {
        let Level {
            relation,
            rows,
            def,
            parent,
            needed,
        } = *level;
        self.bounded()?;
        let columns = self.columns(state, level)?;
        let below = self.links_below(rows, def);
        let mut needed = needed.to_vec();
        needed.extend(below.iter().flat_map(|(link, ..)| link_columns(link)));
        let slot = self.slot(relation, &needed);
        let skips = conflict
            .as_ref()
            .is_some_and(|conflict| conflict.update.is_empty());
        let relied_on = parent.is_some() || !needed.is_empty();
        let complete = (relied_on && !skips).then(|| {
            let text = format!("{}: not all of the rows have been added", rows.path());
            message(state, text)
        });
        let count = rows_param(state, rows, Cells::Count, "int8");
        self.steps.push(WriteStep::Insert(Insert {
            relation,
            columns,
            count,
            conflict,
            unless: Vec::new(),
            complete,
            kept: self.kept(slot),
        }));
        self.create_below(state, rows, def, slot)?;
        Ok(slot)
    }

    /// The columns that any row gives, by itself or by the rows that it is linked to; the others are
    /// left to their defaults.
    fn columns(&mut self, state: &mut State, level: &Level<'_, 'a>) -> Result<Vec<InsertColumn>> {
        let Level { rows, def, .. } = *level;
        let mut columns = self.references(state, rows, def)?;
        for (name, field) in &def.fields {
            let InputMeaning::Column(column) = field.meaning else {
                continue;
            };
            let others = links_by(def, column);
            let others = others.filter(|link| self.is_given(rows, link));
            let others: Vec<Arc<str>> = others.map(Arc::from).collect();
            if let Some(case) = self.given(state, level.relation, column, (rows, name), others) {
                self.default_is_known(state, level.relation, column, &case)?;
                add(&mut columns, column, case);
            }
        }
        let Some(parent) = level.parent else {
            return Ok(columns);
        };
        let number = Cells::Parents(rows.below(parent.rows));
        let number = rows_param(state, rows, number, "int4");
        for &(ours, theirs) in parent.on {
            if columns.iter().any(|column| column.column == ours) {
                let message = format!("{}: the row above says what these belong to", rows.path());
                return Err(self.error(state, &message));
            }
            let value = self.kept_value(parent.slot, theirs);
            add(&mut columns, ours, Case::Kept(value, At::Number(number)));
        }
        Ok(columns)
    }

    /// What a view's tables have for a default is known to Postgres only, which takes a statement's
    /// columns to be given in all of its rows.
    fn default_is_known(
        &self,
        state: &State,
        relation: RelationId,
        column: ColumnId,
        case: &Case,
    ) -> Result<()> {
        let def = self.env.api.model.relation(relation);
        let column = def.column(column);
        let is_view = def.kind == RelationKind::View && def.lockable;
        if is_view && column.default.is_none() && matches!(case, Case::Given { given: Some(_), .. })
        {
            let name = &column.name;
            let message = format!("either all rows of a view give {name}, or none does");
            return Err(self.error(state, &message));
        }
        Ok(())
    }

    /// What rows say of a column: an array of values, and of which rows give it, in the place of the
    /// others. None when none does.
    fn given(
        &self,
        state: &mut State,
        relation: RelationId,
        column: ColumnId,
        (rows, name): (&RowsSource, &str),
        others: Vec<Arc<str>>,
    ) -> Option<Case> {
        let cells = match self.presence(rows, name) {
            Presence::Nowhere => return None,
            _ if !others.is_empty() => Some(Cells::GivenAlone(name.into(), others)),
            Presence::InAll => None,
            Presence::InSome => Some(Cells::Given(name.into())),
        };
        let given = cells.map(|cells| rows_param(state, rows, cells, "bool"));
        let values = self.values(state, relation, column, rows, vec![name.into()]);
        Some(Case::Given { values, given })
    }

    /// An array of a column's values; of arrays their texts, as Postgres has no arrays of arrays.
    pub(super) fn values(
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

/// Adds a case to those of a column.
pub(super) fn add(columns: &mut Vec<InsertColumn>, column: ColumnId, case: Case) {
    match columns.iter_mut().find(|known| known.column == column) {
        Some(known) => known.cases.push(case),
        None => columns.push(InsertColumn {
            column,
            cases: vec![case],
        }),
    }
}

/// The fields of links that say what a column holds.
fn links_by(def: &InputDef, column: ColumnId) -> impl Iterator<Item = &str> {
    let fields = def.fields.iter();
    fields.filter_map(move |(name, field)| match &field.meaning {
        InputMeaning::ToOne(link) => {
            let holds = link.on.iter().any(|&(ours, _)| ours == column);
            holds.then_some(name.as_str())
        }
        _ => None,
    })
}
