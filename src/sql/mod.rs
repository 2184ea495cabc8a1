//! Plan → [`Statement`]: pure. SQL text consists of static syntax, quoted identifiers from the
//! catalog, and parameters; nothing that a client sent becomes part of it.

mod aggregate;
mod base;
mod constants;
mod group;
mod ident;
mod lists;
mod page;
mod predicate;
mod read;
mod search;
mod write;
mod writer;

pub use constants::Constants;
pub use ident::{Expression, Ident};

pub use write::{WriteStatement, print_write};

use crate::model::Model;
use crate::plan::{CallValue, Connection, ParamId, Params, Plan, RootRow, RootValue};
use writer::Writer;

/// SQL text with the parameters it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub text: String,
    /// `$1`, `$2`, …
    pub params: Vec<ParamId>,
    pub layout: Layout,
    /// Functions of the app may run while it reads: whatever they leave in the session is thrown away.
    pub runs_functions: bool,
    /// Those may run any statement: the connection's prepared ones are not to be relied on after it.
    pub runs_anything: bool,
}

/// How the answer's values are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Each row of the result is a row of the only root field.
    Flat,
    /// One row, with a column for each root field.
    Columns,
}

/// What a root field reads.
#[derive(Debug, Clone, Copy)]
pub enum Read<'a> {
    Row(&'a RootRow),
    Connection(&'a Connection),
    Call(&'a CallValue),
}

/// What the root fields of a query read.
pub fn reads(plan: &Plan) -> Vec<Read<'_>> {
    let reads = plan.roots.iter().filter_map(|root| match &root.value {
        RootValue::Row(row) => Some(Read::Row(row)),
        RootValue::Connection(connection) => Some(Read::Connection(connection)),
        RootValue::Call(value) => Some(Read::Call(value)),
        _ => None,
    });
    reads.collect()
}

/// Prints the statement that answers all of `reads` in one snapshot.
///
/// Limits that stand in `limits` are part of the text: see [`Constants`].
///
/// A single list or row is read as it is:
///
/// ```sql
/// select t0."id", t0."title" from "issues" t0 order by t0."id" limit $1::"int8"
/// ```
///
/// Several, or a list with its total, become columns of one row:
///
/// ```sql
/// select (select row(array(select row(t0."id") from "issues" t0 …), (select count(*) from "issues" t1))),
///        (select row(t2."name") from "users" t2 where t2."id" = $2::"uuid")
/// ```
pub fn print(model: &Model, params: &Params, reads: &[Read<'_>], limits: &Constants) -> Statement {
    let mut writer = Writer::new(model, params);
    writer.limits = Some(limits);
    let layout = match reads {
        [Read::Row(row)] => {
            read::row(&mut writer, row, read::Shape::Columns);
            Layout::Flat
        }
        [Read::Connection(connection)] if page::is_flat(connection) => {
            page::rows(&mut writer, connection, None, read::Shape::Columns);
            Layout::Flat
        }
        reads => {
            writer.push("select ");
            writer.list(reads, |writer, read| match read {
                Read::Row(row) => {
                    writer.push("(");
                    read::row(writer, row, read::Shape::Record);
                    writer.push(")");
                }
                Read::Connection(connection) => page::connection(writer, connection, None),
                Read::Call(value) => read::call(writer, read::Shape::Columns, None, value),
            });
            Layout::Columns
        }
    };
    writer.finish(layout)
}
