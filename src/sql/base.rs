//! The tables that a list's rows come from, and the conditions that choose among them.

use std::sync::Arc;

use super::Ident;
use super::predicate::predicate;
use super::read::Target;
use super::writer::{Alias, Writer};
use crate::model::RelationId;
use crate::plan::{Connection, CursorParams, Direction, Link, OrderKey};
use crate::schema::ToOne;

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
pub(super) struct Base {
    relation: RelationId,
    pub(super) alias: Alias,
    junction: Option<Alias>,
    hops: Vec<(Vec<Arc<ToOne>>, Alias)>,
    prefix: &'static str,
}

impl Base {
    /// `paths` lead from a row to other rows that are looked at.
    pub(super) fn new<'p>(
        writer: &mut Writer<'_>,
        connection: &Connection,
        paths: impl Iterator<Item = &'p [Arc<ToOne>]>,
    ) -> Self {
        let alias = writer.alias();
        let junction = matches!(connection.link, Link::Through(_)).then(|| writer.alias());
        let mut hops: Vec<(Vec<Arc<ToOne>>, Alias)> = Vec::new();
        for path in paths {
            for length in 1..=path.len() {
                let path = &path[..length];
                if !hops.iter().any(|(known, _)| known == path) {
                    hops.push((path.to_vec(), writer.alias()));
                }
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
        self.conditions(writer, connection, parent, bounds);
    }

    /// The table that a path of hops arrives at.
    pub(super) fn owner(&self, relation: RelationId, path: &[Arc<ToOne>]) -> (RelationId, Alias) {
        let hop = self.hops.iter().find(|(known, _)| known == path);
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
        keys: &[(usize, (&OrderKey, &crate::plan::ParamId))],
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

    /// The table that a key is a column of.
    fn key_relation(&self, key: &OrderKey) -> (RelationId, Alias) {
        let relation = key.hops.last().map(|hop| hop.target);
        match relation {
            Some(target) => {
                let alias = self
                    .hops
                    .iter()
                    .find(|(path, _)| *path == key.hops)
                    .map_or(self.alias, |(_, alias)| *alias);
                (target, alias)
            }
            None => (self.relation, self.alias),
        }
    }
}

/// The values of the order's keys, inside the page's query or outside of it.
#[derive(Clone, Copy)]
pub(super) enum Keys<'b> {
    Inner(&'b Base),
    Outer(&'b Base),
}

impl Keys<'_> {
    pub(super) fn write(self, writer: &mut Writer<'_>, index: usize, key: &OrderKey) {
        match self {
            Self::Outer(base) if !key.hops.is_empty() => {
                writer.display(base.alias);
                writer.push(".");
                base.exposed(writer, index);
            }
            Self::Outer(base) | Self::Inner(base) => {
                let relation = base.key_relation(key);
                writer.operand(relation.0, relation.1, key.column);
            }
        }
    }
}
