//! The rows of lists, and values over them joined to the rows that the lists belong to.

use super::aggregate::exact;
use super::predicate::{and_also, predicate};
use super::writer::{Alias, Writer};
use crate::model::{ColumnId, RelationId};
use crate::plan::Predicate;
use crate::schema::{Aggregate, ListLink};

/// The rows of a list, and those of the junction that leads to them.
pub(super) struct ListRows<'l> {
    link: &'l ListLink,
    pub(super) alias: Alias,
    junction: Alias,
}

impl<'l> ListRows<'l> {
    pub(super) fn new(writer: &mut Writer<'_>, link: &'l ListLink) -> Self {
        let alias = writer.alias();
        let junction = match link {
            ListLink::Direct(_) => alias,
            ListLink::Through(_) => writer.alias(),
        };
        Self {
            link,
            alias,
            junction,
        }
    }

    /// ` from "comments" t1 where t1."issue_id" = t0."id"`: of all owners, or of one.
    pub(super) fn write(&self, writer: &mut Writer<'_>, owner: Option<(RelationId, Alias)>) {
        writer.push(" from ");
        let (referring, keys) = match self.link {
            ListLink::Direct(link) => {
                writer.table(link.target, self.alias);
                (link.target, &link.on)
            }
            ListLink::Through(link) => {
                writer.table(link.junction, self.junction);
                writer.push(" join ");
                writer.table(link.target, self.alias);
                writer.push(" on ");
                let far: Vec<_> = link
                    .far
                    .iter()
                    .map(|&(ours, theirs)| (theirs, ours))
                    .collect();
                let target = (link.target, self.alias);
                writer.join_condition(target, (link.junction, self.junction), &far);
                (link.junction, &link.near)
            }
        };
        if let Some(owner) = owner {
            writer.push(" where ");
            writer.join_condition((referring, self.junction), owner, keys);
        }
    }

    /// A column that refers to the owner.
    pub(super) fn key(&self, writer: &mut Writer<'_>, column: ColumnId) {
        let referring = match self.link {
            ListLink::Direct(link) => link.target,
            ListLink::Through(link) => link.junction,
        };
        writer.column(referring, self.junction, column);
    }
}

/// How the values come to their rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strategy {
    /// All lists are computed at once. One scan and a hash join beat a look-up for each row, where
    /// all rows are wanted.
    Grouped,
    /// Each list is looked up by itself, through an index.
    Lateral,
}

/// The values over one list, whose rows' owner a path leads to.
pub(super) struct ListJoin<'p> {
    link: &'p ListLink,
    values: Vec<Aggregate>,
    alias: Alias,
    strategy: Strategy,
}

impl<'p> ListJoin<'p> {
    /// `all` tells that all rows are wanted.
    pub(super) fn new(writer: &mut Writer<'_>, link: &'p ListLink, all: bool) -> Self {
        Self {
            link,
            values: Vec::new(),
            alias: writer.alias(),
            strategy: if all || !link.is_indexed() {
                Strategy::Grouped
            } else {
                Strategy::Lateral
            },
        }
    }

    pub(super) fn is_of(&self, link: &ListLink) -> bool {
        self.link == link
    }

    pub(super) fn is_grouped(&self) -> bool {
        self.strategy == Strategy::Grouped
    }

    pub(super) fn add(&mut self, value: Aggregate) {
        if !self.values.contains(&value) {
            self.values.push(value);
        }
    }

    /// The list's values beside its owner's row.
    ///
    /// ```sql
    /// left join (select t2."issue_id" as "k0", count(*) as "a0" from "comments" t2 group by t2."issue_id") t1
    ///   on t1."k0" = t0."id"
    /// cross join lateral (select count(*) as "a0" from "comments" t2 where t2."issue_id" = t0."id") t1
    /// ```
    pub(super) fn write(&self, writer: &mut Writer<'_>, owner: (RelationId, Alias)) {
        let rows = ListRows::new(writer, self.link);
        if self.strategy == Strategy::Lateral {
            writer.push(" cross join lateral (select ");
            self.values(writer, &rows);
            rows.write(writer, Some(owner));
            writer.push(") ");
            writer.display(self.alias);
            return;
        }
        grouped(writer, &rows, (self.alias, owner), None, |writer| {
            self.values(writer, &rows);
        });
    }

    fn values(&self, writer: &mut Writer<'_>, rows: &ListRows<'_>) {
        let values: Vec<_> = self.values.iter().enumerate().collect();
        let target = self.link.target();
        writer.list(&values, |writer, (index, value)| {
            exact(writer, target, rows.alias, **value);
            writer.push(" as ");
            name(writer, "a", *index);
        });
    }

    /// One of the values, where the join has been written.
    pub(super) fn value(&self, writer: &mut Writer<'_>, value: Aggregate) {
        let place = self.values.iter().position(|known| *known == value);
        // A list without rows is no group.
        let absent = self.strategy == Strategy::Grouped && value.counts();
        writer.push(if absent { "coalesce(" } else { "" });
        writer.display(self.alias);
        writer.push(".");
        name(writer, "a", place.unwrap_or_default());
        writer.push(if absent { ", 0)" } else { "" });
    }
}

/// A condition on what is computed over lists that no index finds the rows of: all lists are judged
/// at once, and the outcome is joined to their owners.
pub(super) struct ListFilter<'p> {
    condition: &'p Predicate,
    alias: Alias,
}

impl<'p> ListFilter<'p> {
    /// Those of a filter on a row, as far as they are on the row's own lists.
    pub(super) fn of(writer: &mut Writer<'_>, filter: &'p Predicate) -> Vec<Self> {
        let mut found = Vec::new();
        unindexed(filter, &mut found);
        found
            .into_iter()
            .map(|condition| Self {
                condition,
                alias: writer.alias(),
            })
            .collect()
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>, owner: (RelationId, Alias)) {
        let Predicate::Over(link, chosen, values) = self.condition else {
            return;
        };
        let rows = ListRows::new(writer, link);
        grouped(writer, &rows, (self.alias, owner), Some(chosen), |writer| {
            predicate(writer, link.target(), rows.alias, values);
            writer.push(" as ");
            name(writer, "a", 0);
        });
        writer.judge(self.condition, self.alias);
    }
}

/// Whether a filter has conditions that are judged in a join.
pub(super) fn judges_all(filter: &Predicate) -> bool {
    let mut found = Vec::new();
    unindexed(filter, &mut found);
    !found.is_empty()
}

fn unindexed<'p>(filter: &'p Predicate, found: &mut Vec<&'p Predicate>) {
    match filter {
        Predicate::And(inner) | Predicate::Or(inner) => {
            for inner in inner {
                unindexed(inner, found);
            }
        }
        Predicate::Not(inner) => unindexed(inner, found),
        Predicate::Over(link, ..) if !link.is_indexed() => found.push(filter),
        _ => {}
    }
}

/// Whether the values over a list meet a condition.
///
/// ```sql
/// (select count(*) > $1::"int8" from "comments" t1 where t1."issue_id" = t0."id")
/// ```
///
/// Where all lists have been judged at once, one without rows still has to be:
///
/// ```sql
/// case when t1."k0" is null then (select count(*) > $1::"int8" from "comments" t2 where false) else t1."a0" end
/// ```
pub(super) fn over(
    writer: &mut Writer<'_>,
    owner: (RelationId, Alias),
    condition: &Predicate,
    (link, chosen, values): (&ListLink, &Predicate, &Predicate),
) {
    let judged = writer.judged(condition);
    if let Some(alias) = judged {
        writer.push("case when ");
        writer.display(alias);
        writer.push(".\"k0\" is null then ");
    }
    let rows = ListRows::new(writer, link);
    writer.push("(select ");
    predicate(writer, link.target(), rows.alias, values);
    if let Some(alias) = judged {
        writer.push(" from ");
        writer.table(link.target(), rows.alias);
        writer.push(" where false) else ");
        writer.display(alias);
        writer.push(".\"a0\" end");
        return;
    }
    rows.write(writer, Some(owner));
    and_also(writer, link.target(), rows.alias, chosen);
    writer.push(")");
}

/// ` left join (select t2."issue_id" as "k0", … from "comments" t2 group by t2."issue_id") t1 on t1."k0" = t0."id"`
fn grouped(
    writer: &mut Writer<'_>,
    rows: &ListRows<'_>,
    (alias, owner): (Alias, (RelationId, Alias)),
    chosen: Option<&Predicate>,
    values: impl FnOnce(&mut Writer<'_>),
) {
    let keys: Vec<_> = rows.link.keys().iter().enumerate().collect();
    writer.push(" left join (select ");
    writer.list(&keys, |writer, (index, (column, _))| {
        rows.key(writer, *column);
        writer.push(" as ");
        name(writer, "k", *index);
    });
    writer.push(", ");
    values(writer);
    rows.write(writer, None);
    if let Some(chosen) = chosen.filter(|chosen| !chosen.is_always()) {
        writer.push(" where ");
        predicate(writer, rows.link.target(), rows.alias, chosen);
    }
    writer.push(" group by ");
    writer.list(&keys, |writer, (_, (column, _))| rows.key(writer, *column));
    writer.push(") ");
    writer.display(alias);
    writer.push(" on ");
    writer.separated(&keys, " and ", |writer, (index, (_, column))| {
        writer.display(alias);
        writer.push(".");
        name(writer, "k", *index);
        writer.push(" = ");
        writer.column(owner.0, owner.1, *column);
    });
}

/// `"a0"`
fn name(writer: &mut Writer<'_>, letter: &'static str, index: usize) {
    writer.push("\"");
    writer.push(letter);
    writer.display(index);
    writer.push("\"");
}
