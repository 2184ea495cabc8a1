//! What running an operation takes: the statements of its plan, printed.

use crate::model::RelationId;
use crate::plan::{LogInField, OperationKind, Plan, RootValue};
use crate::schema::Api;
use crate::session::Query;
use crate::sql::{self, Read};

/// What running the operation takes.
pub(crate) enum Work {
    /// Nothing: no table is touched.
    None,
    Read(Query),
    /// One log-in after the other, each with the statements that read its user: one for each field
    /// `user`, as two of them may select different things.
    LogIns(Vec<Vec<Query>>),
    /// All of them in one transaction.
    Write(Vec<WriteQuery>),
}

/// A statement of a mutation.
pub(crate) struct WriteQuery {
    /// The root field that it belongs to; the last one of a field brings its answer.
    pub(crate) root: usize,
    /// None where a function writes to who knows what.
    pub(crate) relation: Option<RelationId>,
    pub(crate) deletes: bool,
    pub(crate) query: Query,
}

/// Prints the statements of a plan.
pub(super) fn work(api: &Api, plan: &Plan) -> Work {
    let print = |reads: &[Read<'_>]| Query::new(sql::print(&api.model, &plan.params, reads));
    if plan.kind == OperationKind::Mutation {
        return mutation(api, plan);
    }
    let reads: Vec<_> = plan
        .roots
        .iter()
        .filter_map(|root| match &root.value {
            RootValue::Row(row) => Some(Read::Row(row)),
            RootValue::Connection(connection) => Some(Read::Connection(connection)),
            RootValue::Call(value) => Some(Read::Call(value)),
            _ => None,
        })
        .collect();
    if reads.is_empty() {
        Work::None
    } else {
        Work::Read(print(&reads))
    }
}

/// A mutation logs in or writes to tables, and never both.
fn mutation(api: &Api, plan: &Plan) -> Work {
    let print = |row| Query::new(sql::print(&api.model, &plan.params, &[Read::Row(row)]));
    let (mut log_ins, mut writes) = (Vec::new(), Vec::new());
    for (root, field) in plan.roots.iter().enumerate() {
        match &field.value {
            RootValue::LogIn(log_in) => {
                let users = log_in.fields.iter().filter_map(|(_, field)| match field {
                    LogInField::User(row) => Some(print(row)),
                    _ => None,
                });
                log_ins.push(users.collect());
            }
            RootValue::Write(write) => {
                let statements = sql::print_write(&api.model, &plan.params, write);
                writes.extend(statements.into_iter().map(|statement| WriteQuery {
                    root,
                    relation: statement.relation,
                    deletes: statement.deletes,
                    query: Query::new(statement.statement),
                }));
            }
            RootValue::Call(value) => writes.push(WriteQuery {
                root,
                relation: None,
                deletes: false,
                query: Query::new(sql::print(&api.model, &plan.params, &[Read::Call(value)])),
            }),
            _ => {}
        }
    }
    match (log_ins.is_empty(), writes.is_empty()) {
        (true, true) => Work::None,
        (true, false) => Work::Write(writes),
        _ => Work::LogIns(log_ins),
    }
}
