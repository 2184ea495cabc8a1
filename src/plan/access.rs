//! What a plan looks at and what it changes, and the standing that this takes.
//!
//! The finished plan is walked, whatever it was made from: what is filtered or sorted by counts as
//! much as what is selected, so that nothing can be guessed that may not be read.

mod write;

use super::types::{
    AggregateRead, Call, CallValue, ComputedField, Connection, ConnectionField, EdgeField,
    FieldValue, GroupValue, Grouping, Link, Operand, OperationKind, OrderKey, OrderValue, Plan,
    Predicate, Root, RootRow, RootValue, RowJoin, RowSource, Selection, ToOneRow,
};
use super::{LogIn, LogInField};
use crate::model::{AccessRules, ColumnId, FunctionId, RelationId, Standing};
use crate::schema::{Aggregate, ListLink, ToOne};

/// What is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Rows(RelationId),
    Column(RelationId, ColumnId),
    WrittenRows(RelationId),
    WrittenColumn(RelationId, ColumnId),
    Function(FunctionId),
    /// Whatever is changed.
    Mutation,
    /// One of the service's own fields, and what it takes.
    Service(Standing),
}

/// A use of something, at a field.
#[derive(Debug)]
pub struct Use<'p> {
    /// Response keys down to the field.
    pub path: Vec<&'p str>,
    pub subject: Subject,
    pub takes: Standing,
}

/// What the whole operation takes. What `logIn` answers is not part of it: that is read on behalf
/// of whoever has logged in then.
pub(super) fn needs(rules: &AccessRules, kind: OperationKind, roots: &[Root]) -> Standing {
    let mut most = Standing::Stranger;
    each(rules, kind, roots, &mut |_, _, takes| {
        most = most.max(takes);
    });
    most
}

/// The uses that take more than somebody's standing: for each field the one that takes the most.
pub fn refused<'p>(rules: &AccessRules, plan: &'p Plan, standing: Standing) -> Vec<Use<'p>> {
    let mut uses = Vec::new();
    each(
        rules,
        plan.kind,
        &plan.roots,
        &mut |path, subject, takes| {
            add_refused(&mut uses, standing, path, (subject, takes));
        },
    );
    uses
}

/// The same, of what a `logIn` answers about the user.
pub fn refused_user<'p>(
    rules: &AccessRules,
    log_in: &'p LogIn,
    standing: Standing,
) -> Vec<Use<'p>> {
    let mut uses = Vec::new();
    let mut found = |path: &[&'p str], subject, takes| {
        add_refused(&mut uses, standing, path, (subject, takes));
    };
    let mut walk = Walk {
        rules,
        path: Vec::new(),
        found: &mut found,
    };
    for (key, field) in &log_in.fields {
        if let LogInField::User(row) = field {
            walk.within(key.name(), |walk| walk.root_row(row));
        }
    }
    uses
}

fn add_refused<'p>(
    uses: &mut Vec<Use<'p>>,
    standing: Standing,
    path: &[&'p str],
    (subject, takes): (Subject, Standing),
) {
    if takes <= standing {
        return;
    }
    match uses.iter_mut().find(|known| known.path == path) {
        Some(known) if known.takes >= takes => {}
        Some(known) => (known.subject, known.takes) = (subject, takes),
        None => uses.push(Use {
            path: path.to_vec(),
            subject,
            takes,
        }),
    }
}

type Found<'f, 'p> = &'f mut dyn FnMut(&[&'p str], Subject, Standing);

fn each<'p>(rules: &AccessRules, kind: OperationKind, roots: &'p [Root], found: Found<'_, 'p>) {
    let mut walk = Walk {
        rules,
        path: Vec::new(),
        found,
    };
    for root in roots {
        walk.within(root.key.name(), |walk| walk.root(kind, &root.value));
    }
}

struct Walk<'w, 'p> {
    rules: &'w AccessRules,
    path: Vec<&'p str>,
    found: Found<'w, 'p>,
}

impl<'p> Walk<'_, 'p> {
    fn within(&mut self, key: &'p str, f: impl FnOnce(&mut Self)) {
        self.path.push(key);
        f(self);
        self.path.pop();
    }

    fn takes(&mut self, subject: Subject) {
        let rules = self.rules;
        let takes = match subject {
            Subject::Rows(relation) => rules.rows(relation),
            Subject::Column(relation, column) => rules.read_column(relation, column),
            Subject::WrittenRows(relation) => rules.write(relation),
            Subject::WrittenColumn(relation, column) => rules.write_column(relation, column),
            Subject::Function(function) => rules.execute(function),
            Subject::Mutation => Standing::Member,
            Subject::Service(takes) => takes,
        };
        (self.found)(&self.path, subject, takes);
    }

    fn column(&mut self, relation: RelationId, column: ColumnId) {
        self.takes(Subject::Column(relation, column));
    }

    fn call(&mut self, call: &Call) {
        self.takes(Subject::Function(call.function));
    }

    fn root(&mut self, kind: OperationKind, value: &'p RootValue) {
        match value {
            RootValue::Typename(_)
            | RootValue::Forbidden
            | RootValue::Null
            | RootValue::LogIn(_)
            | RootValue::Introspection => {}
            RootValue::Service { takes, .. } => self.takes(Subject::Service(*takes)),
            RootValue::Connection(list) => self.connection(None, list),
            RootValue::Row(row) => self.root_row(row),
            RootValue::Call(CallValue { call, .. }) => {
                if kind == OperationKind::Mutation {
                    self.takes(Subject::Mutation);
                }
                self.call(call);
            }
            RootValue::Write(write) => {
                self.takes(Subject::Mutation);
                self.write(write);
            }
        }
    }

    fn root_row(&mut self, row: &'p RootRow) {
        match &row.source {
            RowSource::Key(key) => {
                for (column, _) in key {
                    self.column(row.relation, *column);
                }
            }
            RowSource::Call(call) => self.call(call),
        }
        self.row(row.relation, &row.selection);
    }

    fn row(&mut self, relation: RelationId, selection: &'p Selection) {
        self.takes(Subject::Rows(relation));
        for field in &selection.fields {
            self.within(field.key.name(), |walk| walk.field(relation, &field.value));
        }
    }

    fn field(&mut self, relation: RelationId, value: &'p FieldValue) {
        match value {
            FieldValue::Typename(_) | FieldValue::Forbidden => {}
            FieldValue::NodeId(id) => {
                for read in &id.key {
                    self.column(relation, read.column);
                }
            }
            FieldValue::Column(read) => self.column(relation, read.column),
            FieldValue::Call(value) => self.call(&value.call),
            FieldValue::ToOne(row) => self.joined_row(relation, row),
            FieldValue::Connection(list) => self.connection(Some(relation), list),
        }
    }

    fn joined_row(&mut self, relation: RelationId, row: &'p ToOneRow) {
        match &row.join {
            RowJoin::On(on) => self.join(relation, row.target, on),
            RowJoin::Call(call) => self.call(call),
        }
        self.row(row.target, &row.selection);
    }

    /// Which row belongs to which shows what their columns hold.
    fn join(&mut self, ours: RelationId, theirs: RelationId, on: &[(ColumnId, ColumnId)]) {
        for &(our, their) in on {
            self.column(ours, our);
            self.column(theirs, their);
        }
    }

    fn hop(&mut self, relation: RelationId, link: &ToOne) -> RelationId {
        self.join(relation, link.target, &link.on);
        self.takes(Subject::Rows(link.target));
        link.target
    }

    fn list_link(&mut self, relation: RelationId, link: &ListLink) -> RelationId {
        match link {
            ListLink::Direct(link) => self.join(link.target, relation, &link.on),
            ListLink::Through(link) => {
                self.join(link.junction, relation, &link.near);
                self.join(link.junction, link.target, &link.far);
            }
        }
        self.takes(Subject::Rows(link.target()));
        link.target()
    }

    fn connection(&mut self, parent: Option<RelationId>, list: &'p Connection) {
        let relation = list.relation;
        self.takes(Subject::Rows(relation));
        let link = match &list.link {
            Link::All => None,
            Link::Children(link) => Some(ListLink::Direct(link.clone())),
            Link::Through(link) => Some(ListLink::Through(link.clone())),
            Link::Call(call) => {
                self.call(call);
                None
            }
        };
        if let (Some(parent), Some(link)) = (parent, link) {
            self.list_link(parent, &link);
        }
        self.predicate(relation, &list.filter);
        let page = &list.page;
        // A cursor holds the values of all keys.
        let told = list.keyed && (list.cursors || page.after.is_some() || page.before.is_some());
        let keys = if told {
            list.order.len()
        } else {
            list.asked_keys
        };
        for key in &list.order[..keys] {
            self.order(relation, key);
        }
        for (key, field) in &list.fields {
            self.within(key.name(), |walk| walk.list_field(list, field));
        }
    }

    fn list_field(&mut self, list: &'p Connection, field: &'p ConnectionField) {
        let relation = list.relation;
        match field {
            ConnectionField::Typename(_)
            | ConnectionField::PageInfo(_)
            | ConnectionField::TotalCount(_) => {}
            ConnectionField::Nodes(index) => self.row(relation, &list.groups[*index]),
            ConnectionField::Edges(fields) => {
                for (key, field) in fields {
                    if let EdgeField::Node(index) = field {
                        let rows = &list.groups[*index];
                        self.within(key.name(), |walk| walk.row(relation, rows));
                    }
                }
            }
            ConnectionField::Aggregates(fields) => {
                for (key, field) in fields {
                    self.within(key.name(), |walk| {
                        walk.computed(relation, field, &list.totals);
                    });
                }
            }
            ConnectionField::Groups(index) => self.grouping(relation, &list.groupings[*index]),
        }
    }

    fn grouping(&mut self, relation: RelationId, grouping: &'p Grouping) {
        for key in &grouping.keys {
            let hops = key.hops.iter();
            let last = hops.fold(relation, |relation, link| self.hop(relation, link));
            self.column(last, key.column);
        }
        self.predicate(relation, &grouping.having);
        for key in &grouping.order {
            if let GroupValue::Aggregate(aggregate) = key.value {
                self.aggregate(relation, aggregate);
            }
        }
        for (key, field) in &grouping.fields {
            self.within(key.name(), |walk| {
                walk.computed(relation, field, &grouping.reads);
            });
        }
    }

    fn computed(
        &mut self,
        relation: RelationId,
        field: &'p ComputedField,
        reads: &[AggregateRead],
    ) {
        match field {
            ComputedField::Typename(_) | ComputedField::Null | ComputedField::Key(_) => {}
            ComputedField::Aggregate(index) => self.aggregate(relation, reads[*index].aggregate),
            ComputedField::Object(fields) => {
                for (key, field) in fields {
                    self.within(key.name(), |walk| walk.computed(relation, field, reads));
                }
            }
        }
    }

    fn aggregate(&mut self, relation: RelationId, aggregate: Aggregate) {
        match aggregate {
            Aggregate::Count => self.takes(Subject::Rows(relation)),
            Aggregate::Of(_, column) => self.column(relation, column),
        }
    }

    fn order(&mut self, relation: RelationId, key: &OrderKey) {
        let hops = key.hops.iter();
        let last = hops.fold(relation, |relation, link| self.hop(relation, link));
        match &key.value {
            OrderValue::Column(column) | OrderValue::Near(column, ..) => {
                self.column(last, *column);
            }
            OrderValue::Aggregate(link, aggregate) => {
                let target = self.list_link(last, link);
                self.aggregate(target, *aggregate);
            }
        }
    }

    fn predicate(&mut self, relation: RelationId, predicate: &Predicate) {
        match predicate {
            Predicate::And(parts) | Predicate::Or(parts) => {
                for part in parts {
                    self.predicate(relation, part);
                }
            }
            Predicate::Not(inner) => self.predicate(relation, inner),
            Predicate::IsNull(operand, _)
            | Predicate::IsEmpty(operand, _)
            | Predicate::Compare { operand, .. } => match *operand {
                Operand::Aggregate(aggregate) => self.aggregate(relation, aggregate),
                Operand::Column(column)
                | Operand::Length(column)
                | Operand::Element(column)
                | Operand::At(column, _)
                | Operand::TextAt(column, _) => self.column(relation, column),
            },
            Predicate::AnyElement(column, inner) => {
                self.column(relation, *column);
                self.predicate(relation, inner);
            }
            Predicate::ToOne(link, inner) => {
                let target = self.hop(relation, link);
                self.predicate(target, inner);
            }
            Predicate::Any(link, inner) => {
                let target = self.list_link(relation, link);
                self.predicate(target, inner);
            }
            Predicate::Over(link, rows, values) => {
                let target = self.list_link(relation, link);
                self.predicate(target, rows);
                self.predicate(target, values);
            }
        }
    }
}
