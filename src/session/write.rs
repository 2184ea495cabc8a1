//! Writing: several statements in one transaction, sent at once.

use super::connection::{Access, Transaction};
use super::error::{SessionError, Violation};
use super::{Query, Session};
use crate::error::{Code, Failure};
use crate::plan::Bindings;
use crate::rows::Rows;

/// Why nothing was written.
#[derive(Debug)]
pub(crate) struct WriteFailure {
    /// The statement that failed; none when it was the transaction as a whole.
    pub(crate) statement: Option<usize>,
    pub(crate) failure: Failure,
    pub(crate) violation: Option<Violation>,
}

/// The same, before it is known whether another try makes sense.
pub(super) struct Failed {
    statement: Option<usize>,
    pub(super) error: SessionError,
}

impl Session<'_> {
    /// Runs the statements one after the other, in a transaction of their own: all of them, or none.
    pub(super) async fn write(
        &mut self,
        queries: &[&Query],
        bindings: &Bindings,
    ) -> Result<Vec<Rows>, Failed> {
        let tenant = self.context.tenant();
        for query in queries {
            tracing::debug!(
                tenant.subdomain = %tenant.subdomain,
                db.statement = query.statement.text,
                "statement"
            );
        }
        let connection = self.connection.connection().ok_or(SessionError::Closed)?;
        let transaction = Transaction {
            access: Access::of(self.context.identity()),
            queries,
            bindings,
        };
        let written = connection.write(&self.settings, tenant.id, &transaction);
        let answer = match written {
            Ok(before) => (connection.wire.exchange(before).await).map(|answer| (before, answer)),
            Err(error) => Err(error.into()),
        };
        let (before, mut answer) = match answer {
            Ok(answer) => answer,
            Err(broken) => {
                self.connection.close();
                return Err(SessionError::from(broken).into());
            }
        };
        let Some(error) = answer.error.take() else {
            connection.committed(&transaction);
            return Ok(answer.into_rows().take(queries.len()).collect());
        };
        let Some(statement) = answer.done.checked_sub(before) else {
            return Err(SessionError::Settings(error).into());
        };
        // It may be older than the tables; and what comes after it has not been prepared.
        for query in queries.iter().skip(statement) {
            connection.forget(tenant.id, query.id);
        }
        Err(Failed {
            // The last one is COMMIT.
            statement: Some(statement).filter(|&statement| statement < queries.len()),
            error: SessionError::Statement(error),
        })
    }
}

impl From<SessionError> for Failed {
    fn from(error: SessionError) -> Self {
        Self {
            statement: None,
            error,
        }
    }
}

impl From<Failed> for WriteFailure {
    fn from(failed: Failed) -> Self {
        let violation = failed.error.violation();
        let failure = if failed.error.is_answered() {
            failed.error.into_failure()
        } else {
            // Whether COMMIT had been reached is not known.
            let message = "the connection to the database was lost: look whether this has been done before trying again";
            Failure::new(Code::Overloaded, message).with_log(failed.error)
        };
        Self {
            statement: failed.statement,
            failure,
            violation,
        }
    }
}

impl From<Failure> for WriteFailure {
    fn from(failure: Failure) -> Self {
        Self {
            statement: None,
            failure,
            violation: None,
        }
    }
}
