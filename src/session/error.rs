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
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error("the connection is gone")]
    Closed,
}

impl SessionError {
    fn answer(&self) -> Option<&ServerError> {
        match self {
            Self::Settings(error) | Self::Statement(error) | Self::Broken(Broken::Ended(error)) => {
                Some(error)
            }
            Self::Broken(_) | Self::Closed => None,
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

    /// Postgres said no, and lives on: whatever had been done has been undone. (One that is ended
    /// may have been so after COMMIT.)
    pub(super) fn is_answered(&self) -> bool {
        matches!(self, Self::Settings(_) | Self::Statement(_))
    }

    /// What a row has violated.
    pub(super) fn violation(&self) -> Option<Violation> {
        let answer = self.answer()?;
        let text = |part: Option<&str>| part.map(str::to_owned);
        answer.code().starts_with("23").then(|| Violation {
            table: text(answer.table()),
            column: text(answer.column()),
            constraint: text(answer.constraint()),
        })
    }

    pub(super) fn into_failure(self) -> Failure {
        match &self {
            Self::Statement(answer) => {
                let mut failure = classify(answer, self.describe());
                failure.parameter = answer.parameter();
                failure
            }
            Self::Settings(_) => Failure::internal(self.describe()),
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

fn classify(answer: &ServerError, log: String) -> Failure {
    // A function of the app's own has said no: its words are meant for the client, and its SQLSTATE
    // may be any.
    if answer.routine() == Some("exec_stmt_raise") {
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
        (_, "55P03") => Failure::new(
            Code::TenantMigrating,
            "the tenant's tables are being changed: try again",
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
