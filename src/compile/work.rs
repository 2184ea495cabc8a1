//! What running an operation takes: the statements of its plan, printed.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::model::RelationId;
use crate::plan::{LogInField, OperationKind, Plan, RootValue};
use crate::schema::Api;
use crate::session::Query;
use crate::sql::{self, Constants, Read};

/// What running the operation takes.
pub(crate) enum Work {
    /// Nothing: no table is touched.
    None,
    Read(ReadWork),
    /// One log-in after the other, each with the statements that read its user: one for each field
    /// `user`, as two of them may select different things.
    LogIns(Vec<Vec<Query>>),
    /// All of them in one transaction.
    Write(Vec<WriteQuery>),
}

/// The statement of a query: for all limits, and for those that are asked for.
pub(crate) struct ReadWork {
    any: Arc<Query>,
    /// Few, and seldom added to.
    limited: ArcSwap<Vec<(Constants, Arc<Query>)>>,
}

impl ReadWork {
    /// The most statements for limits of their own. With several lists their combinations are many.
    const MOST: usize = 4;

    fn new(api: &Api, plan: &Plan) -> Self {
        Self {
            any: query(api, plan, &Constants::default()),
            limited: ArcSwap::default(),
        }
    }

    /// The statement for lists with these limits.
    pub(crate) fn query(&self, api: &Api, plan: &Plan, limits: &[u32]) -> Arc<Query> {
        let known = self.limited.load();
        if let Some((_, query)) = known.iter().find(|(own, _)| own.are_among(limits)) {
            return Arc::clone(query);
        }
        let Some(constants) = Constants::among(limits).filter(|_| known.len() < Self::MOST) else {
            return Arc::clone(&self.any);
        };
        let query = query(api, plan, &constants);
        self.limited.rcu(|known| {
            let mut known = Vec::clone(known);
            // Another request may have been quicker.
            if known.len() < Self::MOST && !known.iter().any(|(own, _)| *own == constants) {
                known.push((constants.clone(), Arc::clone(&query)));
            }
            known
        });
        query
    }

    /// The bytes of all texts that there may be.
    pub(super) fn bytes(&self) -> usize {
        self.any.statement.text.len() * (1 + Self::MOST)
    }
}

fn query(api: &Api, plan: &Plan, limits: &Constants) -> Arc<Query> {
    let statement = sql::print(&api.model, &plan.params, &sql::reads(plan), limits);
    Arc::new(Query::new(statement))
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
    if plan.kind == OperationKind::Mutation {
        return mutation(api, plan);
    }
    if sql::reads(plan).is_empty() {
        Work::None
    } else {
        Work::Read(ReadWork::new(api, plan))
    }
}

/// A mutation logs in or writes to tables, and never both.
fn mutation(api: &Api, plan: &Plan) -> Work {
    let print = |read| {
        let any = Constants::default();
        Query::new(sql::print(&api.model, &plan.params, &[read], &any))
    };
    let (mut log_ins, mut writes) = (Vec::new(), Vec::new());
    for (root, field) in plan.roots.iter().enumerate() {
        match &field.value {
            RootValue::LogIn(log_in) => {
                let users = log_in.fields.iter().filter_map(|(_, field)| match field {
                    LogInField::User(row) => Some(print(Read::Row(row))),
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
                query: print(Read::Call(value)),
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
