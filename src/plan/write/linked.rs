//! Changes of rows that are linked to those a patch is about: `update`, `disconnect`, `delete`.

use super::{
    Assignment, At, Between, Cells, Delete, Find, Follow, InputDef, InputMeaning, ParamSource,
    Planner, Result, RowsSource, Scope, Slot, State, Update, WriteStep, message, rows_param,
};
use crate::model::{ColumnId, RelationId};
use crate::schema::{ListLink, Nested, Through, ToMany, Type};

/// A field of what is nested in a patch.
struct NestedField<'a> {
    nested: Nested,
    name: &'a str,
    /// The type of its objects; none for a flag.
    def: Option<&'a InputDef>,
    /// Of several rows, which it names by their keys.
    many: bool,
}

impl<'a> Planner<'_, 'a> {
    /// The columns that links of a patch need of its rows.
    pub(super) fn columns_of_links(&self, rows: &RowsSource, def: &'a InputDef) -> Vec<ColumnId> {
        let mut columns = Vec::new();
        for (name, field) in &def.fields {
            if !self.has_rows(&rows.field(name)) {
                continue;
            }
            match &field.meaning {
                InputMeaning::ToOne(link) => columns.extend(link.on.iter().map(|on| on.0)),
                InputMeaning::ToMany(ListLink::Direct(link)) => {
                    columns.extend(link.on.iter().map(|on| on.1));
                }
                InputMeaning::ToMany(ListLink::Through(link)) => {
                    columns.extend(link.near.iter().map(|on| on.1));
                }
                _ => {}
            }
        }
        columns
    }

    /// The fields of nested changes that any row has.
    fn changes(&self, below: &RowsSource, def: &'a InputDef) -> Vec<NestedField<'a>> {
        let fields = def.fields.iter().filter_map(|(name, field)| {
            let InputMeaning::Nested(nested) = field.meaning else {
                return None;
            };
            self.is_given(below, name).then(|| NestedField {
                nested,
                name,
                def: self.input(field.ty.name()),
                many: matches!(field.ty, Type::List { .. }),
            })
        });
        fields.collect()
    }

    /// What happens to the rows that those of a patch refer to. Returns what is to be removed once
    /// nothing refers to it any more.
    pub(super) fn change_references(
        &mut self,
        state: &mut State,
        rows: &RowsSource,
        def: &'a InputDef,
        slot: Slot,
        set: &mut Vec<(ColumnId, Assignment)>,
    ) -> Result<Vec<Delete>> {
        let mut removed = Vec::new();
        for (name, field) in &def.fields {
            let (InputMeaning::ToOne(link), Some(def)) =
                (&field.meaning, self.input(field.ty.name()))
            else {
                continue;
            };
            let below = rows.field(name);
            for NestedField {
                nested,
                name: field,
                def,
                ..
            } in self.changes(&below, def)
            {
                if !matches!(nested, Nested::Update | Nested::Disconnect | Nested::Delete) {
                    continue;
                }
                only_row(state, rows, name);
                if matches!(nested, Nested::Disconnect | Nested::Delete) {
                    demand(state, &below, field);
                    set.extend(link.on.iter().map(|&(ours, _)| (ours, Assignment::Null)));
                }
                if nested == Nested::Disconnect {
                    continue;
                }
                let on: Vec<_> = link
                    .on
                    .iter()
                    .map(|&(ours, theirs)| (theirs, ours))
                    .collect();
                let (target, patch) = (link.target, below.field(field));
                let linked = self.follow(
                    state,
                    target,
                    (&on, slot),
                    &below,
                    def.map(|def| (&patch, def)),
                );
                match def.filter(|_| nested == Nested::Update) {
                    Some(def) => {
                        self.update_rows(state, target, (&patch, def), linked)?;
                    }
                    None => removed.push(Delete {
                        relation: target,
                        slot: linked,
                        between: None,
                    }),
                }
            }
        }
        Ok(removed)
    }

    /// What happens to the rows that refer to those of a patch.
    pub(super) fn change_below(
        &mut self,
        state: &mut State,
        rows: &RowsSource,
        def: &'a InputDef,
        slot: Slot,
    ) -> Result<()> {
        for (link, name, def) in self.links_below(rows, def) {
            let below = rows.field(name);
            for field in self.changes(&below, def) {
                match (field.nested, &link, field.def) {
                    (Nested::Create | Nested::Connect | Nested::ConnectOrCreate, ..) => {}
                    (nested, link, Some(def)) if field.many => {
                        let list = below.field(field.name);
                        self.change_some(state, link, (nested, &list, def), (rows, slot))?;
                    }
                    (_, ListLink::Direct(link), _) => {
                        only_row(state, rows, name);
                        self.change_only(state, link, &below, &field, slot)?;
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The only row that refers to another one.
    fn change_only(
        &mut self,
        state: &mut State,
        link: &ToMany,
        below: &RowsSource,
        field: &NestedField<'a>,
        slot: Slot,
    ) -> Result<()> {
        let NestedField {
            nested,
            name: field,
            def,
            ..
        } = *field;
        let patch = below.field(field);
        let inner = def.map(|def| (&patch, def));
        let linked = self.follow(state, link.target, (&link.on, slot), below, inner);
        match (nested, def) {
            (Nested::Update, Some(def)) => {
                self.update_rows(state, link.target, (&patch, def), linked)?;
            }
            (Nested::Delete, _) => {
                demand(state, below, field);
                self.remove(link.target, linked);
            }
            _ => {
                demand(state, below, field);
                self.release(link, linked);
            }
        }
        Ok(())
    }

    /// Some of the rows that are linked to another one, by their keys.
    fn change_some(
        &mut self,
        state: &mut State,
        link: &ListLink,
        (nested, list, def): (Nested, &RowsSource, &'a InputDef),
        (rows, slot): (&RowsSource, Slot),
    ) -> Result<()> {
        let (relation, on) = match link {
            ListLink::Direct(link) => (link.target, &link.on),
            ListLink::Through(link) => (link.target, &link.near),
        };
        let field = |wanted: fn(&InputMeaning) -> bool| {
            let mut fields = def.fields.iter();
            let (name, field) = fields.find(|(_, field)| wanted(&field.meaning))?;
            Some((name.as_str(), self.input(field.ty.name())?))
        };
        let set = field(|meaning| matches!(meaning, InputMeaning::Set));
        let key = field(|meaning| matches!(meaning, InputMeaning::Nested(Nested::Connect)));
        // A key by itself, or beside new values.
        let (path, key_def) = match key {
            Some((name, def)) => (vec![name.into()], def),
            None => (Vec::new(), def),
        };
        for key in self.key_kinds(key_def, list, &path) {
            let mut full = path.clone();
            full.push(key.field.clone());
            let named = list.having(&full);
            let set = set.map(|(name, def)| (named.field(name), def));
            let needed = match (nested, link, &set) {
                (Nested::Update, _, Some((rows, def))) => self.columns_of_links(rows, def),
                (Nested::Disconnect, ListLink::Through(link), _) => {
                    link.far.iter().map(|&(_, theirs)| theirs).collect()
                }
                _ => Vec::new(),
            };
            let number = Cells::Parents(named.below(rows));
            let scope = Scope {
                link: link.clone(),
                parent: on
                    .iter()
                    .map(|&(_, theirs)| self.kept_value(slot, theirs))
                    .collect(),
                number: rows_param(state, &named, number.clone(), "int4"),
            };
            let found = self.look_up(state, relation, &named, &key, &needed, Some(scope));
            match (nested, link, &set) {
                (Nested::Update, _, Some((rows, def))) => {
                    self.update_rows(state, relation, (rows, *def), found)?;
                }
                (Nested::Disconnect, ListLink::Direct(link), _) => self.release(link, found),
                (Nested::Disconnect, ListLink::Through(link), _) => {
                    let number = rows_param(state, &named, number, "int4");
                    self.separate(link, (slot, At::Number(number)), found);
                }
                _ => self.remove(relation, found),
            }
        }
        Ok(())
    }

    /// The rows that are linked to those kept.
    fn follow(
        &mut self,
        state: &mut State,
        relation: RelationId,
        (on, slot): (&[(ColumnId, ColumnId)], Slot),
        below: &RowsSource,
        patch: Option<(&RowsSource, &'a InputDef)>,
    ) -> Slot {
        let needed = patch.map_or_else(Vec::new, |(rows, def)| self.columns_of_links(rows, def));
        let linked = self.slot(relation, &needed);
        let text = format!("{}: there is no row that is linked", below.path());
        let on = on
            .iter()
            .map(|&(theirs, ours)| (theirs, self.kept_value(slot, ours)));
        let follow = Follow {
            relation,
            on: on.collect(),
            missing: message(state, text),
            kept: self.kept(linked),
        };
        self.steps.push(WriteStep::Follow(follow));
        linked
    }

    fn remove(&mut self, relation: RelationId, slot: Slot) {
        self.steps.push(WriteStep::Delete(Delete {
            relation,
            slot,
            between: None,
        }));
    }

    /// Ends the references of rows, which stay.
    fn release(&mut self, link: &ToMany, slot: Slot) {
        let set = link
            .on
            .iter()
            .map(|&(theirs, _)| (theirs, Assignment::Null));
        let set = set.collect();
        let released = self.slot(link.target, &[]);
        self.steps.push(WriteStep::Update(Update {
            relation: link.target,
            find: Find::Kept(slot),
            set,
            missing: None,
            kept: self.kept(released),
        }));
    }

    /// Removes the rows of a junction between those above and those found.
    fn separate(&mut self, link: &Through, (above, at): (Slot, At), found: Slot) {
        let near = link
            .near
            .iter()
            .map(|&(ours, theirs)| (ours, self.kept_value(above, theirs), at));
        let far = link
            .far
            .iter()
            .map(|&(ours, theirs)| (ours, self.kept_value(found, theirs), At::Row));
        let between = Between(near.chain(far).collect());
        self.steps.push(WriteStep::Delete(Delete {
            relation: link.junction,
            slot: found,
            between: Some(between),
        }));
    }
}

/// Rows that are linked one to one are changed with one row at a time.
fn only_row(state: &mut State, rows: &RowsSource, name: &str) {
    let source = ParamSource::Rows(rows.clone(), Cells::Single(name.into()));
    state.param(source, None, false);
}

/// Has a flag be true.
fn demand(state: &mut State, rows: &RowsSource, field: &str) {
    let source = ParamSource::Rows(rows.clone(), Cells::True(field.into()));
    state.param(source, None, false);
}
