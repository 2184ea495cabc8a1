//! Why nothing was written, as far as that is known.

use super::Failed;
use super::error::Violation;
use crate::error::{Code, Failure};

/// Why nothing was written.
#[derive(Debug)]
pub(crate) struct WriteFailure {
    /// The statement that failed; none when it was the transaction as a whole.
    pub(crate) statement: Option<usize>,
    pub(crate) failure: Failure,
    pub(crate) violation: Option<Violation>,
}

impl From<Failed> for WriteFailure {
    fn from(failed: Failed) -> Self {
        let violation = failed.error.violation();
        let failure = if failed.error.is_undone() {
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
