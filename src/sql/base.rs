//! The tables that a list's rows come from, and the conditions that choose among them.

use std::sync::Arc;

use super::Ident;
use super::lists::{ListFilter, ListJoin};
use super::predicate::predicate;
use super::read::Target;
use super::search;
use super::writer::{Alias, Writer};
use crate::model::{ColumnId, RelationId};
use crate::plan::{Connection, CursorParams, Direction, Link, OrderKey, OrderValue, ParamId, Way};
use crate::schema::{Call, Nearness, ToOne};

/// Which rows of a list are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bounds {
    None,
    /// Between the cursors.
    Page,
    /// On the other side of the cursor that reading starts from.
    Beyond,
}

/// The tables that a list's rows come from: its own, a junction, and those its order looks at.
pub(super) struct Base<'p> {
    relation: RelationId,
    pub(super) alias: Alias,
    junction: Option<Alias>,
    hops: Vec<(&'p [Arc<ToOne>], Alias)>,
    /// The lists whose values are looked at, with the way to their owners.
    lists: Vec<(&'p [Arc<ToOne>], ListJoin<'p>)>,
    prefix: &'static str,
}

impl<'p> Base<'p> {
    /// `ways` lead from a row to what is looked at beyond it.
    pub(super) fn new(
        writer: &mut Writer<'_>,
        connection: &Connection,
        ways: impl Iterator<Item = Way<'p>>,
    ) -> Self {
        let alias = writer.alias();
        let junction = matches!(connection.link, Link::Through(_)).then(|| writer.alias());
        let all = matches!(connection.link, Link::All) && connection.filter.is_always();
        let mut hops: Vec<(&[Arc<ToOne>], Alias)> = Vec::new();
        let mut lists: Vec<(&[Arc<ToOne>], ListJoin<'p>)> = Vec::new();
        for way in ways {
            for length in 1..=way.hops.len() {
                let path = &way.hops[..length];
                if !hops.iter().any(|(known, _)| *known == path) {
                    hops.push((path, writer.alias()));
                }
            }
            let Some((link, value)) = way.list else {
                continue;
            };
            let known = lists
                .iter_mut()
                .find(|(path, list)| *path == way.hops && list.is_of(link));
            if let Some((_, list)) = known {
                list.add(value);
            } else {
                let mut list = ListJoin::new(writer, link, all);
                list.add(value);
                lists.push((way.hops, list));
            }
        }
        // A name that none of the table's columns has.
        let columns = &writer.model.relation(connection.relation).columns;
        let prefixes = ["key ", "order key ", "tenantry order key "];
        let is_free = |prefix: &&str| {
            columns
                .iter()
                .all(|column| !column.name.as_str().starts_with(prefix))
        };
        let prefix = prefixes.into_iter().find(is_free).unwrap_or(prefixes[0]);
        Self {
            relation: connection.relation,
            alias,
            junction,
            hops,
            lists,
            prefix,
        }
    }

    /// `"issues" t0 left join "users" t1 on … where …`
    pub(super) fn write(
        &self,
        writer: &mut Writer<'_>,
        connection: &Connection,
        parent: Option<Target>,
        bounds: Bounds,
    ) {
        let relation = connection.relation;
        if let Link::Call(call) = &connection.link {
            writer.call(call, parent.map(|parent| parent.alias));
            writer.push(" ");
            writer.display(self.alias);
        } else {
            writer.table(relation, self.alias);
        }
        if let (Link::Through(link), Some(junction)) = (&connection.link, self.junction) {
            writer.push(" join ");
            writer.table(link.junction, junction);
            writer.push(" on ");
            writer.join_condition((link.junction, junction), (relation, self.alias), &link.far);
        }
        for (path, alias) in &self.hops {
            let Some((hop, before)) = path.split_last() else {
                continue;
            };
            let from = self.owner(relation, before);
            writer.push(" left join ");
            writer.table(hop.target, *alias);
            writer.push(" on ");
            let on: Vec<_> = hop
                .on
                .iter()
                .map(|&(ours, theirs)| (theirs, ours))
                .collect();
            writer.join_condition((hop.target, *alias), from, &on);
        }
        for (path, list) in &self.lists {
            list.write(writer, self.owner(relation, path));
        }
        let judged = ListFilter::of(writer, &connection.filter);
        for list in &judged {
            list.write(writer, (relation, self.alias));
        }
        self.conditions(writer, connection, parent, bounds);
        writer.forget_judged(judged.len());
    }

    /// Whether all lists are computed before the first row.
    pub(super) fn joins_all_lists(&self) -> bool {
        self.lists.iter().any(|(_, list)| list.is_grouped())
    }

    /// The table that a path of hops arrives at.
    pub(super) fn owner(&self, relation: RelationId, path: &[Arc<ToOne>]) -> (RelationId, Alias) {
        let hop = self.hops.iter().find(|(known, _)| *known == path);
        hop.and_then(|(path, alias)| Some((path.last()?.target, *alias)))
            .unwrap_or((relation, self.alias))
    }

    /// `where … and …`: the link to the parent row, the filter, the cursors.
    fn conditions(
        &self,
        writer: &mut Writer<'_>,
        connection: &Connection,
        parent: Option<Target>,
        bounds: Bounds,
    ) {
        let relation = connection.relation;
        let mut glue = [" where "].into_iter().chain(std::iter::repeat(" and "));
        let mut next = |writer: &mut Writer<'_>| writer.push(glue.next().unwrap_or(" and "));
        match (&connection.link, parent, self.junction) {
            (Link::Children(link), Some(parent), _) => {
                next(writer);
                let parent = (parent.relation, parent.alias);
                writer.join_condition((relation, self.alias), parent, &link.on);
            }
            (Link::Through(link), Some(parent), Some(junction)) => {
                next(writer);
                let parent = (parent.relation, parent.alias);
                writer.join_condition((link.junction, junction), parent, &link.near);
            }
            _ => {}
        }
        if !connection.filter.is_always() {
            next(writer);
            predicate(writer, relation, self.alias, &connection.filter);
        }
        if !connection.keyed {
            return;
        }
        let page = &connection.page;
        let cursors = [(&page.after, false), (&page.before, true)];
        match bounds {
            Bounds::None => {}
            Bounds::Page => {
                for (cursor, before) in cursors {
                    if let Some(cursor) = cursor {
                        next(writer);
                        self.beyond(writer, &connection.order, cursor, before);
                    }
                }
            }
            Bounds::Beyond => {
                let (cursor, before) = cursors[usize::from(page.direction == Direction::Backward)];
                if let Some(cursor) = cursor {
                    next(writer);
                    writer.push("(");
                    self.beyond(writer, &connection.order, cursor, before);
                    writer.push(") is not true");
                }
            }
        }
    }

    /// Rows that come after the cursor's, or before it.
    fn beyond(
        &self,
        writer: &mut Writer<'_>,
        order: &[OrderKey],
        cursor: &CursorParams,
        before: bool,
    ) {
        let keys: Vec<_> = order.iter().zip(&cursor.0).enumerate().collect();
        let Some((_, (first, first_param))) = keys.first().copied() else {
            writer.push("true");
            return;
        };
        let uniform = order
            .iter()
            .all(|key| !key.nullable && key.descending == first.descending);
        let symbol = |key: &OrderKey| {
            if key.descending == before {
                " > "
            } else {
                " < "
            }
        };
        if uniform {
            // Row comparison is what an index over the keys can seek by.
            writer.push("(");
            writer.list(&keys, |writer, (index, (key, _))| {
                Keys::Inner(self).write(writer, *index, key);
            });
            writer.push(")");
            writer.push(symbol(first));
            writer.push("(");
            writer.list(&keys, |writer, (_, (_, param))| writer.param(**param));
            writer.push(")");
            return;
        }
        writer.push("(");
        if !first.nullable {
            // Says nothing new, but lets an index on the first key seek.
            Keys::Inner(self).write(writer, 0, first);
            writer.push(if first.descending == before {
                " >= "
            } else {
                " <= "
            });
            writer.param(*first_param);
            writer.push(" and ");
        }
        self.lexicographic(writer, &keys, before);
        writer.push(")");
    }

    /// `(a > $1 or (a = $1 and (b > $2 or …)))`
    fn lexicographic(
        &self,
        writer: &mut Writer<'_>,
        keys: &[(usize, (&OrderKey, &ParamId))],
        before: bool,
    ) {
        let Some(((index, (key, param)), rest)) = keys.split_first() else {
            return;
        };
        let expression = |writer: &mut Writer<'_>| Keys::Inner(self).write(writer, *index, key);
        writer.push("(");
        expression(writer);
        writer.push(if key.descending == before {
            " > "
        } else {
            " < "
        });
        writer.param(**param);
        if key.nullable {
            // Nulls lie at one end of the order: beyond every value, or every value beyond them.
            let nulls_beyond = key.nulls_first == before;
            writer.push(" or (");
            expression(writer);
            writer.push(if nulls_beyond {
                " is null and "
            } else {
                " is not null and "
            });
            writer.param(**param);
            writer.push(if nulls_beyond {
                " is not null)"
            } else {
                " is null)"
            });
        }
        if !rest.is_empty() {
            writer.push(" or (");
            expression(writer);
            writer.push(if key.nullable {
                " is not distinct from "
            } else {
                " = "
            });
            writer.param(**param);
            writer.push(" and ");
            self.lexicographic(writer, rest, before);
            writer.push(")");
        }
        writer.push(")");
    }

    /// The name that a key of another table has outside of the page's query.
    pub(super) fn exposed(&self, writer: &mut Writer<'_>, index: usize) {
        writer.display(Ident::new(&format!("{}{index}", self.prefix)));
    }

    /// A name for what the page's query adds to the table's columns.
    pub(super) fn named(&self, what: &'static str) -> Ident {
        Ident::new(&format!("{}{what}", self.prefix))
    }

    /// The value of a key, inside the page's query.
    fn key(&self, writer: &mut Writer<'_>, key: &OrderKey) {
        match &key.value {
            OrderValue::Column(column) => {
                let (relation, alias) = self.owner(self.relation, &key.hops);
                writer.operand(relation, alias, *column);
            }
            OrderValue::Near(column, nearness, param) => {
                let owner = self.owner(self.relation, &key.hops);
                near(writer, owner, *column, (*nearness, *param));
            }
            OrderValue::Aggregate(link, value) => {
                let list = self
                    .lists
                    .iter()
                    .find(|(path, list)| *path == key.hops && list.is_of(link));
                if let Some((_, list)) = list {
                    list.value(writer, *value);
                }
            }
        }
    }
}

/// `ts_rank(t0."search", …)` or `t0."title" <-> $1::text`
fn near(
    writer: &mut Writer<'_>,
    (relation, alias): (RelationId, Alias),
    column: ColumnId,
    (nearness, param): (Nearness, ParamId),
) {
    if nearness != Nearness::Rank {
        writer.push("(");
        writer.column(relation, alias, column);
        writer.push(" <-> ");
        writer.param(param);
        writer.push(")");
        return;
    }
    let ty = &writer.model.relation(relation).column(column).ty;
    writer.push("ts_rank(");
    search::words(writer, ty, |writer| writer.column(relation, alias, column));
    writer.push(", ");
    search::query(writer, ty, Call::WebSearch, param);
    writer.push(")");
}

/// The values of the order's keys, inside the page's query or outside of it.
#[derive(Clone, Copy)]
pub(super) enum Keys<'b> {
    Inner(&'b Base<'b>),
    Outer(&'b Base<'b>),
}

impl Keys<'_> {
    pub(super) fn write(self, writer: &mut Writer<'_>, index: usize, key: &OrderKey) {
        match self {
            Self::Outer(base) if key.own_column().is_none() => {
                writer.display(base.alias);
                writer.push(".");
                base.exposed(writer, index);
            }
            Self::Outer(base) | Self::Inner(base) => base.key(writer, key),
        }
    }
}
