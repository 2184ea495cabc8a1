//! SQLSTATEs, classified in one table.
//! <https://www.postgresql.org/docs/current/errcodes-appendix.html>

use super::answer::ServerError;
use super::wire::Broken;
use crate::error::{Code, Failure};

/// What a row has violated, by the names that Postgres gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// None for a rule of a type: a domain.
    pub(crate) table: Option<String>,
    pub(crate) column: Option<String>,
    pub(crate) constraint: Option<String>,
}

/// Where in the transaction Postgres said no.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// Before the operation's own statement: the tenant's role or schema cannot be entered.
    #[error("the session could not be opened: {0}")]
    Settings(Box<ServerError>),
    #[error("the statement failed: {0}")]
    Statement(Box<ServerError>),
    /// The tables are not those that the statements were made for.
    #[error("{0}")]
    Outdated(Box<ServerError>),
    #[error("the audit log took no entry: {0}")]
    Audit(Box<ServerError>),
    /// Nothing was sent, for want of a connection.
    #[error("{0}")]
    Refused(Box<Failure>),
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error("the connection is gone")]
    Closed,
}

impl SessionError {
    /// The entry of the audit log was refused. It has no tenant where the tables are of another version; anything else
    /// that is against it is not about what the client sent.
    pub(super) fn of_entry(error: Box<ServerError>) -> Self {
        if error.code() == "23502" && error.column() == Some("tenant_id") {
            Self::Outdated(error)
        } else {
            Self::Audit(error)
        }
    }

    fn answer(&self) -> Option<&ServerError> {
        match self {
            Self::Settings(error)
            | Self::Statement(error)
            | Self::Outdated(error)
            | Self::Audit(error)
            | Self::Broken(Broken::Ended(error)) => Some(error),
            Self::Broken(_) | Self::Refused(_) | Self::Closed => None,
        }
    }

    fn state(&self) -> &str {
        self.answer().map_or("", |answer| answer.code())
    }

    /// The connection had died before the server took anything from it. One that ends in the
    /// middle does not count: what ended it might end the next one too.
    pub(super) fn is_dead_connection(&self) -> bool {
        use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, WriteZero};
        match self {
            Self::Broken(Broken::Io(error)) => matches!(
                error.kind(),
                BrokenPipe | ConnectionAborted | ConnectionReset | WriteZero
            ),
            _ => false,
        }
    }

    /// "cached plan must not change result type", or a statement that the server does not know.
    pub(super) fn is_stale_statement(&self) -> bool {
        matches!(self.state(), "0A000" | "26000")
    }

    /// The transaction was rolled back because of others, and may succeed the next time.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self.state(), "40001" | "40P01")
    }

    /// The session could not become the tenant's. While a backend walks its login's memberships, another grant may come,
    /// which Postgres then forgets to look at ("permission denied to set role", seen with 15): a fresh one knows better.
    pub(super) fn is_unopened(&self) -> bool {
        matches!(self, Self::Settings(_))
    }

    /// A lock was waited for in vain: on what, if any.
    pub(super) fn met_lock(&self) -> Option<Lock> {
        self.answer().and_then(Lock::of)
    }

    /// The statement does not fit the tables, which may be of another version than its plan by now.
    fn is_outdated(&self) -> bool {
        let answer = match self {
            Self::Outdated(_) => return true,
            Self::Statement(answer) => answer,
            _ => return false,
        };
        // Those of the app's own and those of values say nothing of tables.
        let is_ours = answer.routine() != Some(RAISE) && answer.parameter().is_none();
        is_ours && OUTDATED.contains(&answer.code())
    }

    /// Postgres said no, and lives on: whatever had been done has been undone. (One that is ended
    /// may have been so after COMMIT.)
    pub(super) fn is_undone(&self) -> bool {
        match self {
            Self::Broken(_) | Self::Closed => false,
            Self::Settings(_)
            | Self::Statement(_)
            | Self::Outdated(_)
            | Self::Audit(_)
            | Self::Refused(_) => true,
        }
    }

    /// What a row has violated.
    pub(super) fn violation(&self) -> Option<Violation> {
        let Self::Statement(answer) = self else {
            return None;
        };
        let text = |part: Option<&str>| part.map(str::to_owned);
        answer.code().starts_with("23").then(|| Violation {
            table: text(answer.table()),
            column: text(answer.column()),
            constraint: text(answer.constraint()),
        })
    }

    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::Refused(failure) => *failure,
            Self::Statement(ref answer) => {
                let mut failure = classify(answer, self.describe());
                failure.parameter = answer.parameter();
                failure.outdated = self.is_outdated();
                failure
            }
            Self::Settings(_) | Self::Audit(_) | Self::Outdated(_) => {
                let mut failure = Failure::internal(self.describe());
                failure.outdated = self.is_outdated();
                failure
            }
            Self::Broken(Broken::TooLarge) => Failure::new(
                Code::QueryTooComplex,
                "the answer is too large: ask for less at once",
            )
            .with_log(self.describe()),
            Self::Broken(_) | Self::Closed => Failure::overloaded(1).with_log(self.describe()),
        }
    }

    /// What Postgres said, without the details and hints, which may hold values.
    fn describe(&self) -> String {
        match self.answer() {
            Some(answer) => answer.to_string(),
            None => self.to_string(),
        }
    }
}

/// The function in Postgres' source that PL/pgSQL's `raise` ends in.
const RAISE: &str = "exec_stmt_raise";

/// What Postgres says of names that are gone or mean something else than they did.
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
const OUTDATED: [&str; 15] = [
    "0A000", // the result of what was prepared would change
    "26000", // what was prepared is unknown
    "42702", // a column's name means two
    "42703", // a column
    "42704", // a type, a collation
    "42725", // a function's name means two
    "42804", // a value is of another type than its column
    "42809", // a view is a table, or the other way round
    "42846", // a cast
    "42883", // a function, an operator
    "428C9", // a column is generated
    "42P01", // a table
    "42P10", // a key to have a conflict on
    "55000", // a view cannot be written to
    "XX000", // the catalog changed in the middle of it
];

/// A lock that was waited for in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    /// On a whole table, before the statement did anything.
    Table,
    /// The same for something that the statement has done for it, such as a trigger or a function.
    Inside,
    Row,
}

impl Lock {
    fn of(answer: &ServerError) -> Option<Self> {
        // `nowait` has the same SQLSTATE, and another place.
        let waited = answer.code() == "55P03" && answer.routine() == Some("ProcessInterrupts");
        waited.then(|| match answer.context() {
            None => Self::Table,
            Some(context) if mentions_row(context) => Self::Row,
            Some(_) => Self::Inside,
        })
    }
}

/// `while updating tuple (0,1) in relation "issues"`, in any language.
fn mentions_row(context: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    context.split('(').skip(1).any(|rest| {
        let place = rest
            .split_once(')')
            .and_then(|(place, _)| place.split_once(','));
        place.is_some_and(|(block, item)| number(block) && number(item))
    })
}

fn classify(answer: &ServerError, log: String) -> Failure {
    // A function of the app's own has said no: its words are meant for the client, and its SQLSTATE
    // may be any.
    if answer.routine() == Some(RAISE) {
        let mut failure = classify_state(answer, log);
        if matches!(failure.code, Code::Internal) {
            failure.code = Code::BadUserInput;
            failure.log = None;
        }
        failure.message = answer.message().to_owned().into();
        failure.details.sql_state = Some(answer.code().to_owned());
        failure.details.detail = answer.detail().map(str::to_owned);
        failure.details.hint = answer.hint().map(str::to_owned);
        return failure;
    }
    classify_state(answer, log)
}

fn classify_state(answer: &ServerError, log: String) -> Failure {
    let state = answer.code();
    let message = answer.message().to_owned();
    match (state.get(..2), state) {
        // The values do not fit their types: what Postgres says of them is what the client sent.
        (Some("22"), _) => Failure::new(Code::BadUserInput, message),
        // Some types call bad text a syntax error (tsquery, ltree). It has no place in the
        // statement, as one of ours would.
        (_, "42601" | "42622") if !answer.has_position() => {
            Failure::new(Code::BadUserInput, message)
        }
        // A parameter in binary that is too short or too long: somebody tampered with a cursor.
        (_, "08P01") => {
            Failure::new(Code::BadUserInput, "a value is not one of its type").with_log(log)
        }
        (_, "21000") if answer.routine() == Some("ExecOnConflictUpdate") => Failure::new(
            Code::BadUserInput,
            "two of the new rows have the same key: each can be written once only",
        ),
        // Rules of the tables do their work when they refuse: nothing that the log should tell of.
        (_, "23505") => Failure::new(Code::UniqueViolation, "a row with this key exists"),
        (_, "23503") => Failure::new(
            Code::ForeignKeyViolation,
            "a row that is referred to is missing",
        ),
        (_, "23502") => Failure::new(Code::NotNullViolation, "a value is required"),
        (_, "23514" | "23P01" | "44000") => {
            Failure::new(Code::CheckViolation, "a value breaks a rule of the table")
        }
        (_, "40001" | "40P01") => Failure::new(
            Code::Conflict,
            "somebody else changed the same rows: try again",
        )
        .with_log(log),
        (_, "42501" | "25006") => {
            Failure::new(Code::Forbidden, "this is not allowed").with_log(log)
        }
        (_, "57014") => Failure::new(Code::Timeout, "the operation took too long").with_log(log),
        (_, "54000" | "54001" | "54011" | "54023") => {
            Failure::new(Code::QueryTooComplex, "the operation is too complex").with_log(log)
        }
        (_, "55000") => Failure::new(
            Code::Conflict,
            "a view that this reads has not been filled yet: refresh materialized view …",
        )
        .with_log(log),
        (_, "55P03") if matches!(Lock::of(answer), Some(Lock::Table | Lock::Inside)) => {
            Failure::migrating().with_log(log)
        }
        (_, "55P03") => Failure::new(
            Code::Conflict,
            "somebody else is changing the same rows: try again",
        )
        .with_log(log),
        (Some("53" | "08"), _) | (_, "57P01" | "57P02" | "57P03") => {
            Failure::overloaded(1).with_log(log)
        }
        // Whatever a type's own SQLSTATE for text that it cannot read, a name of nothing among them.
        _ if answer.parameter().is_some() => Failure::new(Code::BadUserInput, message),
        _ => Failure::internal(log),
    }
}

#[cfg(test)]
mod tests {
    use super::mentions_row;

    #[test]
    fn rows_are_told_from_tables() {
        assert!(mentions_row(
            "while updating tuple (0,12) in relation \"issues\""
        ));
        assert!(mentions_row(
            "SQL function \"f(integer,text)\" statement 1\nbeim Sperren von Tupel (7,1) in Relation »t«"
        ));
        for table in [
            "",
            "SQL function \"f(integer,text)\" statement 1",
            "(",
            "(,)",
        ] {
            assert!(!mentions_row(table), "{table}");
        }
    }
}
