//! Lists: one page of rows, with the total and what lies behind it where that is asked for.

use std::sync::Arc;

use super::predicate::predicate;
use super::read::{Columns, Joins, Shape, Target, shaped, value};
use super::writer::{Alias, Writer};
use crate::model::RelationId;
use crate::plan::{Connection, CursorParams, Direction, Link, OrderKey, Wire};
use crate::schema::ToOne;

/// Whether the rows alone answer the list, each column in a type that the driver knows.
pub(super) fn is_flat(connection: &Connection) -> bool {
    let needs = connection.needs;
    let keys_known = !connection.cursors
        || connection
            .order
            .iter()
            .all(|key| matches!(key.wire, Wire::Binary | Wire::OwnType));
    needs.rows && !needs.total && !needs.behind && keys_known
}

/// A list as one value: the array of its rows, or, with more beside it, a record of
/// (rows, total, behind), each where it is needed.
pub(super) fn connection(writer: &mut Writer<'_>, connection: &Connection, parent: Option<Target>) {
    let needs = connection.needs;
    let parts = usize::from(needs.rows) + usize::from(needs.total) + usize::from(needs.behind);
    if parts != 1 {
        writer.push("row(");
    }
    let mut separator = "";
    if needs.rows {
        writer.push("array(");
        rows(writer, connection, parent, Shape::Record);
        writer.push(")");
        separator = ", ";
    }
    if needs.total {
        writer.push(separator);
        writer.push("(select count(*) from ");
        let base = Base::new(writer, connection, &[]);
        base.write(writer, connection, parent, Bounds::None);
        writer.push(")");
        separator = ", ";
    }
    if needs.behind {
        writer.push(separator);
        behind(writer, connection, parent);
    }
    if parts != 1 {
        writer.push(")");
    }
}

/// The rows of the page.
///
/// ```sql
/// select t0."id", t1."id" is not null, t1."name"
/// from (select t0.* from "issues" t0 where … order by t0."number" limit $1::"int8") t0
/// left join "users" t1 on t1."id" = t0."assignee_id"
/// order by t0."number"
/// ```
///
/// The page is cut before other rows are joined to it, so that they are looked up for its rows
/// only. Without joins there is nothing to cut before, and the inner query is all.
pub(super) fn rows(
    writer: &mut Writer<'_>,
    connection: &Connection,
    parent: Option<Target>,
    shape: Shape,
) {
    let base = Base::new(writer, connection, &connection.order);
    let target = Target {
        relation: connection.relation,
        alias: base.alias,
    };
    let joins = Joins::of(writer, target, &connection.groups);
    let backward = connection.page.direction == Direction::Backward;
    let wrapped = backward || !joins.is_empty();
    let keys = if wrapped {
        Keys::Outer(&base)
    } else {
        Keys::Inner(&base)
    };
    writer.push("select ");
    shaped(writer, shape, |writer| {
        let mut columns = Columns::new(shape, &joins);
        if connection.cursors {
            for (index, key) in connection.order.iter().enumerate() {
                columns.next(writer);
                // A cursor holds the binary form; of types without a fixed oid, text has the same.
                let wire = if key.wire == Wire::OwnType {
                    Wire::OwnType
                } else {
                    Wire::Binary
                };
                value(writer, shape, wire, |writer| keys.write(writer, index, key));
            }
        }
        for group in &connection.groups {
            columns.selection(writer, target, group);
        }
        columns.is_empty()
    });
    writer.push(" from ");
    if !wrapped {
        page(writer, connection, parent, &base);
        return;
    }
    writer.push("(select ");
    writer.display(base.alias);
    writer.push(".*");
    for (index, key) in connection
        .order
        .iter()
        .enumerate()
        .filter(|(_, key)| !key.hops.is_empty())
    {
        writer.push(", ");
        Keys::Inner(&base).write(writer, index, key);
        writer.push(" as ");
        base.exposed(writer, index);
    }
    writer.push(" from ");
    page(writer, connection, parent, &base);
    writer.push(") ");
    writer.display(base.alias);
    joins.write(writer);
    order_by(writer, connection, &keys, false);
}

/// `"issues" t0 where … order by … limit $1 offset $2`
fn page(writer: &mut Writer<'_>, connection: &Connection, parent: Option<Target>, base: &Base) {
    base.write(writer, connection, parent, Bounds::Page);
    let reverse = connection.page.direction == Direction::Backward;
    order_by(writer, connection, &Keys::Inner(base), reverse);
    writer.push(" limit ");
    writer.param(connection.page.limit_param);
    if let Some(offset) = connection.page.offset {
        writer.push(" offset ");
        writer.param(offset);
    }
    if let (false, Some(after)) = (connection.keyed, &connection.page.after) {
        writer.push(" offset ");
        writer.list(&after.0, |writer, place| writer.param(*place));
    }
}

fn order_by(writer: &mut Writer<'_>, connection: &Connection, keys: &Keys<'_>, reverse: bool) {
    if connection.order.is_empty() {
        return;
    }
    writer.push(" order by ");
    let indexed: Vec<_> = connection.order.iter().enumerate().collect();
    writer.list(&indexed, |writer, (index, key)| {
        keys.write(writer, *index, key);
        let descending = key.descending != reverse;
        let nulls_first = key.nulls_first != reverse;
        writer.push(if descending { " desc" } else { "" });
        // Postgres puts nulls first where the order is descending.
        if key.nullable && nulls_first != descending {
            writer.push(if nulls_first {
                " nulls first"
            } else {
                " nulls last"
            });
        }
    });
}

/// Whether there are rows on the side of the page that reading comes from.
fn behind(writer: &mut Writer<'_>, connection: &Connection, parent: Option<Target>) {
    let page = &connection.page;
    let exists = |writer: &mut Writer<'_>, bounds: Bounds| {
        writer.push("exists (select from ");
        let base = Base::new(writer, connection, &connection.order);
        base.write(writer, connection, parent, bounds);
        writer.push(")");
    };
    let cursor = match page.direction {
        Direction::Forward => &page.after,
        Direction::Backward => &page.before,
    };
    writer.push("(");
    match cursor {
        // The place of such a cursor is a number: rows lie before it, or it would not exist.
        Some(_) if !connection.keyed => writer.push("true"),
        Some(_) => exists(writer, Bounds::Beyond),
        None => {}
    }
    if let Some(offset) = page.offset {
        writer.push(if cursor.is_some() { " or (" } else { "(" });
        writer.param(offset);
        writer.push(" > 0 and ");
        exists(writer, Bounds::Page);
        writer.push(")");
    }
    writer.push(")");
}

/// Which rows of a list are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bounds {
    None,
    /// Between the cursors.
    Page,
    /// On the other side of the cursor that reading starts from.
    Beyond,
}

/// The tables that a list's rows come from: its own, a junction, and those its order looks at.
struct Base {
    relation: RelationId,
    alias: Alias,
    junction: Option<Alias>,
    hops: Vec<(Vec<Arc<ToOne>>, Alias)>,
    prefix: &'static str,
}

impl Base {
    fn new(writer: &mut Writer<'_>, connection: &Connection, order: &[OrderKey]) -> Self {
        let alias = writer.alias();
        let junction = matches!(connection.link, Link::Through(_)).then(|| writer.alias());
        let mut hops: Vec<(Vec<Arc<ToOne>>, Alias)> = Vec::new();
        for key in order {
            for length in 1..=key.hops.len() {
                let path = &key.hops[..length];
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
    fn write(
        &self,
        writer: &mut Writer<'_>,
        connection: &Connection,
        parent: Option<Target>,
        bounds: Bounds,
    ) {
        let relation = connection.relation;
        writer.table(relation, self.alias);
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
    fn owner(&self, relation: RelationId, path: &[Arc<ToOne>]) -> (RelationId, Alias) {
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
    fn exposed(&self, writer: &mut Writer<'_>, index: usize) {
        writer.display(crate::sql::Ident::new(&format!("{}{index}", self.prefix)));
    }
}

/// The values of the order's keys, inside the page's query or outside of it.
#[derive(Clone, Copy)]
enum Keys<'b> {
    Inner(&'b Base),
    Outer(&'b Base),
}

impl Keys<'_> {
    fn write(self, writer: &mut Writer<'_>, index: usize, key: &OrderKey) {
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

impl Base {
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
