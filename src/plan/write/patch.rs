//! New values of rows that exist: `updateIssue`, `updateIssues`.

use super::{
    Assignment, Case, Cells, Find, Format, Ident, InputDef, InputMeaning, ParamSource, Pattern,
    Planner, Presence, Result, RowsSource, Slot, State, Update, WriteStep, filter, message,
    rows_param,
};
use crate::model::{ColumnId, RelationId, TypeKind};
use crate::schema::Change;

impl<'a> Planner<'_, 'a> {
    pub(super) fn update(&mut self, state: &mut State) -> Result<Slot> {
        let relation = self.relation;
        let find = self.find(state)?;
        let (rows, def) = self.rows(&InputMeaning::Set)?;
        let nested = def.fields.iter().find(|(name, field)| {
            let links = matches!(
                field.meaning,
                InputMeaning::ToOne(_) | InputMeaning::ToMany(_)
            );
            links && self.has_rows(&rows.field(name))
        });
        let Some((name, _)) = nested else {
            let set = self.assignments(state, relation, (&rows, def))?;
            let slot = self.slot(relation, &[]);
            self.steps.push(WriteStep::Update(Update {
                relation,
                find,
                set,
                missing: None,
                kept: self.kept(slot),
            }));
            return Ok(slot);
        };
        if matches!(find, Find::Filter(_)) {
            let message =
                format!("set.{name}: linked rows are written with one row, named by its key");
            return Err(self.error(state, &message));
        }
        // Found and locked at first: what is linked to a row needs it to be there.
        let slot = self.slot(relation, &self.columns_of_links(&rows, def));
        let type_name = self.env.api.blueprint.type_names[relation.0].clone();
        let name = type_name.as_deref().unwrap_or("row");
        let text = format!("there is no such {name} that others could be linked to");
        let missing = message(state, text);
        self.steps.push(WriteStep::Update(Update {
            relation,
            find,
            set: Vec::new(),
            missing: Some(missing),
            kept: self.kept(slot),
        }));
        self.update_rows(state, relation, (&rows, def), slot)
    }

    /// New values of rows that were kept, and of what is linked to them.
    pub(super) fn update_rows(
        &mut self,
        state: &mut State,
        relation: RelationId,
        (rows, def): (&RowsSource, &'a InputDef),
        slot: Slot,
    ) -> Result<Slot> {
        self.bounded()?;
        let mut set = Vec::new();
        for column in self.references(state, rows, def)? {
            for case in column.cases {
                if let Case::Kept(value, at) = case {
                    set.push((column.column, Assignment::Kept(value, at)));
                }
            }
        }
        let removed = self.change_references(state, rows, def, slot, &mut set)?;
        set.extend(self.assignments(state, relation, (rows, def))?);
        self.check_once(state, relation, &set)?;
        let slot = if set.is_empty() {
            slot
        } else {
            let updated = self.slot(relation, &self.columns_of_links(rows, def));
            self.steps.push(WriteStep::Update(Update {
                relation,
                find: Find::Kept(slot),
                set,
                missing: None,
                kept: self.kept(updated),
            }));
            // Of several, the order of the input counts, in which they were found.
            if rows.is_nested() { slot } else { updated }
        };
        self.steps
            .extend(removed.into_iter().map(WriteStep::Delete));
        self.change_below(state, rows, def, slot)?;
        self.create_below(state, rows, def, slot)?;
        Ok(slot)
    }

    fn assignments(
        &self,
        state: &mut State,
        relation: RelationId,
        (rows, def): (&RowsSource, &'a InputDef),
    ) -> Result<Vec<(ColumnId, Assignment)>> {
        let mut set: Vec<(ColumnId, Assignment)> = Vec::new();
        for (name, field) in &def.fields {
            if !self.is_given(rows, name) {
                continue;
            }
            match field.meaning {
                InputMeaning::Column(column) if rows.is_nested() => {
                    let presence = self.presence(rows, name);
                    let given = (presence == Presence::InSome).then(|| {
                        rows_param(state, rows, Cells::Given(name.as_str().into()), "bool")
                    });
                    let path = vec![name.as_str().into()];
                    let values = self.values(state, relation, column, rows, path);
                    let each = Assignment::Each {
                        values,
                        given,
                        change: None,
                    };
                    set.push((column, each));
                }
                InputMeaning::Column(column) => {
                    let (format, cast) = self.value_of(relation, column);
                    let cells = Cells::Value(name.as_str().into(), format);
                    let source = ParamSource::Rows(rows.clone(), cells);
                    let value = state.param(source, cast, false);
                    set.push((column, Assignment::Value(value)));
                }
                InputMeaning::Change(change) => {
                    let Some(def) = self.input(field.ty.name()) else {
                        continue;
                    };
                    for (inner, field) in &def.fields {
                        let InputMeaning::Column(column) = field.meaning else {
                            continue;
                        };
                        if !self.is_given(&rows.field(name), inner) {
                            continue;
                        }
                        let assignment =
                            self.change(state, relation, (change, column), (rows, name, inner));
                        set.push((column, assignment));
                    }
                }
                _ => {}
            }
        }
        self.check_once(state, relation, &set)?;
        Ok(set)
    }

    /// A column may be changed in one way only.
    fn check_once(
        &self,
        state: &State,
        relation: RelationId,
        set: &[(ColumnId, Assignment)],
    ) -> Result<()> {
        let mut columns: Vec<_> = set.iter().map(|(column, _)| column).collect();
        columns.sort();
        if let Some(pair) = columns.windows(2).find(|pair| pair[0] == pair[1]) {
            let column = self.env.api.model.relation(relation).column(*pair[0]);
            let name = column.name.as_str();
            return Err(self.error(
                state,
                &format!("set: the column {name} is changed in two ways"),
            ));
        }
        Ok(())
    }

    fn value_of(&self, relation: RelationId, column: ColumnId) -> (Format, Option<Ident>) {
        let ty = &self.env.api.model.relation(relation).column(column).ty;
        (filter::format(self.env, &ty.kind), ty.cast.clone())
    }

    fn change(
        &self,
        state: &mut State,
        relation: RelationId,
        (change, column): (Change, ColumnId),
        (rows, field, inner): (&RowsSource, &str, &str),
    ) -> Assignment {
        let (mut format, mut cast) = self.value_of(relation, column);
        let ty = &self.env.api.model.relation(relation).column(column).ty;
        if change == Change::Remove && matches!(ty.kind, TypeKind::Jsonb) {
            let text = Format::Text(Pattern::None);
            (format, cast) = (Format::List(Box::new(text)), Some(Ident::new("_text")));
        }
        if rows.is_nested() {
            let path = vec![field.into(), inner.into()];
            let cast = cast.filter(|_| !matches!(format, Format::List(_)));
            let source = ParamSource::Rows(rows.clone(), Cells::Values(path, format));
            return Assignment::Each {
                values: state.param(source, cast, true),
                given: None,
                change: Some(change),
            };
        }
        let source = ParamSource::Rows(rows.field(field), Cells::Operand(inner.into(), format));
        Assignment::Change(change, state.param(source, cast, false))
    }
}
