//! Rows that are written together with those that they are linked to, level by level: each level is
//! one statement for all of its rows, whatever rows above they belong to.

use std::sync::Arc;

use super::create::{Level, Parent, add};
use super::{
    Assignment, At, Case, Cells, Conflict, Find, InputDef, InputMeaning, Insert, InsertColumn,
    Planner, Presence, Result, RowsSource, Slot, State, Update, WriteStep, rows_param,
};
use crate::model::{ColumnId, RelationId};
use crate::schema::{ListLink, Nested, Through};

/// Rows that a nested field names: kept in a slot, in the order in which they stand in the input.
pub(super) struct Named {
    pub(super) slot: Slot,
    pub(super) rows: RowsSource,
}

impl<'a> Planner<'_, 'a> {
    pub(super) fn input(&self, name: &str) -> Option<&'a InputDef> {
        self.env.api.blueprint.input(name)
    }

    pub(super) fn is_given(&self, rows: &RowsSource, field: &str) -> bool {
        self.presence(rows, field) != Presence::Nowhere
    }

    pub(super) fn has_rows(&self, rows: &RowsSource) -> bool {
        !rows.rows(self.env.inputs.variables).is_empty()
    }

    /// Links to rows that refer to these, as far as any row has them, and what those rows may have.
    pub(super) fn links_below(
        &self,
        rows: &RowsSource,
        def: &'a InputDef,
    ) -> Vec<(ListLink, &'a str, &'a InputDef)> {
        let mut links = Vec::new();
        for (name, field) in &def.fields {
            if let InputMeaning::ToMany(link) = &field.meaning
                && self.has_rows(&rows.field(name))
                && let Some(def) = self.input(field.ty.name())
            {
                links.push((link.clone(), name.as_str(), def));
            }
        }
        links
    }

    /// The rows that new ones refer to, written or looked up before them.
    pub(super) fn references(
        &mut self,
        state: &mut State,
        rows: &RowsSource,
        def: &'a InputDef,
    ) -> Result<Vec<InsertColumn>> {
        let mut columns = Vec::new();
        for (name, field) in &def.fields {
            let InputMeaning::ToOne(link) = &field.meaning else {
                continue;
            };
            let below = rows.field(name);
            let Some(def) = self
                .input(field.ty.name())
                .filter(|_| self.has_rows(&below))
            else {
                continue;
            };
            let theirs: Vec<_> = link.on.iter().map(|&(_, theirs)| theirs).collect();
            for named in self.named(state, link.target, (&below, def), &theirs, None)? {
                let positions = Cells::Positions(Box::new(named.rows.clone()));
                let number = rows_param(state, rows, positions, "int4");
                for &(ours, theirs) in &link.on {
                    let value = self.kept_value(named.slot, theirs);
                    add(
                        &mut columns,
                        ours,
                        Case::Kept(value, At::NumberIfAny(number)),
                    );
                }
            }
        }
        Ok(columns)
    }

    /// The rows that refer to new ones.
    pub(super) fn create_below(
        &mut self,
        state: &mut State,
        rows: &RowsSource,
        def: &'a InputDef,
        slot: Slot,
    ) -> Result<()> {
        for (link, name, def) in self.links_below(rows, def) {
            let below = rows.field(name);
            match &link {
                ListLink::Direct(link) => {
                    let parent = Parent {
                        slot,
                        rows,
                        on: &link.on,
                    };
                    let needed: &[ColumnId] = &[];
                    let named =
                        self.named(state, link.target, (&below, def), needed, Some(parent))?;
                    for named in named {
                        self.adopt(state, link.target, &named, parent);
                    }
                }
                ListLink::Through(link) => {
                    let theirs: Vec<_> = link.far.iter().map(|&(_, theirs)| theirs).collect();
                    for named in self.named(state, link.target, (&below, def), &theirs, None)? {
                        self.join(state, link, &named, rows, slot);
                    }
                }
            }
        }
        Ok(())
    }

    /// The rows of `create`, `connect` and `connectOrCreate`. With a parent, rows that are created
    /// belong to it at once and need no more; the others are returned.
    pub(super) fn named(
        &mut self,
        state: &mut State,
        relation: RelationId,
        (below, def): (&RowsSource, &'a InputDef),
        needed: &[ColumnId],
        parent: Option<Parent<'_>>,
    ) -> Result<Vec<Named>> {
        let mut all = Vec::new();
        for (name, field) in &def.fields {
            let InputMeaning::Nested(nested) = field.meaning else {
                continue;
            };
            let rows = below.field(name);
            let Some(def) = self.input(field.ty.name()).filter(|_| self.has_rows(&rows)) else {
                continue;
            };
            match nested {
                Nested::Create => {
                    let level = Level {
                        relation,
                        rows: &rows,
                        def,
                        parent,
                        needed,
                    };
                    let slot = self.create_rows(state, &level, None)?;
                    if parent.is_none() {
                        all.push(Named { slot, rows });
                    }
                }
                Nested::Connect => {
                    for key in self.key_kinds(def, &rows, &[]) {
                        let rows = rows.having(&[Arc::clone(&key.field)]);
                        let slot = self.look_up(state, relation, &rows, &key, needed, None);
                        all.push(Named { slot, rows });
                    }
                }
                Nested::ConnectOrCreate => {
                    let named =
                        self.find_or_create(state, relation, (&rows, def), needed, parent)?;
                    all.extend(named);
                }
                _ => {}
            }
        }
        Ok(all)
    }

    /// Has rows that exist refer to those above them.
    fn adopt(
        &mut self,
        state: &mut State,
        relation: RelationId,
        named: &Named,
        parent: Parent<'_>,
    ) {
        let number = Cells::Parents(named.rows.below(parent.rows));
        let number = rows_param(state, &named.rows, number, "int4");
        let set = parent.on.iter().map(|&(ours, theirs)| {
            let value = self.kept_value(parent.slot, theirs);
            (ours, Assignment::Kept(value, At::Number(number)))
        });
        let set = set.collect();
        let slot = self.slot(relation, &[]);
        self.steps.push(WriteStep::Update(Update {
            relation,
            find: Find::Kept(named.slot),
            set,
            missing: None,
            kept: self.kept(slot),
        }));
    }

    /// Adds rows to the junction between those above and those named; what is linked already stays so.
    fn join(
        &mut self,
        state: &mut State,
        link: &Through,
        named: &Named,
        above: &RowsSource,
        slot: Slot,
    ) {
        let number = Cells::Parents(named.rows.below(above));
        let number = rows_param(state, &named.rows, number, "int4");
        let mut columns = Vec::new();
        for &(ours, theirs) in &link.near {
            let value = self.kept_value(slot, theirs);
            add(&mut columns, ours, Case::Kept(value, At::Number(number)));
        }
        for &(ours, theirs) in &link.far {
            let value = self.kept_value(named.slot, theirs);
            add(&mut columns, ours, Case::Kept(value, At::Row));
        }
        let key: Vec<_> = columns.iter().map(|column| column.column).collect();
        let keys = &self.env.api.model.relation(link.junction).keys;
        let key = keys.iter().find(|known| {
            known.immediate
                && known.columns.len() == key.len()
                && known.columns.iter().all(|column| key.contains(column))
        });
        let conflict = key.map(|key| Conflict {
            key: key.columns.clone(),
            update: Vec::new(),
        });
        let count = rows_param(state, &named.rows, Cells::Count, "int8");
        let kept = self.slot(link.junction, &[]);
        self.steps.push(WriteStep::Insert(Insert {
            relation: link.junction,
            columns,
            count,
            conflict,
            unless: Vec::new(),
            complete: None,
            kept: self.kept(kept),
        }));
    }
}

/// The columns of a row that links to rows below it need.
pub(super) fn link_columns(link: &ListLink) -> Vec<ColumnId> {
    let on = match link {
        ListLink::Direct(link) => &link.on,
        ListLink::Through(link) => &link.near,
    };
    on.iter().map(|&(_, theirs)| theirs).collect()
}
