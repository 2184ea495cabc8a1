//! What the exit status says: 1 for what went wrong, 2 for a wrong command line, and what a script may want to know.

use std::process::ExitCode;

use crate::error::{Code, Failure};

/// What an operator asked for is not done, and why.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Refused {
    message: String,
    status: u8,
}

/// Nothing has that name.
const NOT_FOUND: u8 = 3;
/// It is not possible: a name is taken, a value is bad, the tenant is in another state.
const NOT_POSSIBLE: u8 = 4;
/// Nobody said yes.
const NOT_CONFIRMED: u8 = 5;
/// Clients of the API would break.
const BREAKING: u8 = 10;
/// There is something to say of migrations.
const FOUND: u8 = 10;

/// Why the fleet is not at the version of the migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum NotMigrated {
    /// Some tenants could not be migrated; others have been.
    TenantsFailed = 6,
    /// Some tenants could not be rehearsed; nothing has changed.
    RehearsalFailed = 7,
    /// Another run is at work.
    AnotherRun = 8,
    /// The files are none, or not those that the fleet has run.
    BadFiles = 9,
    /// Some tenants have not run all files.
    Behind = 10,
    /// Somebody has changed tables by hand.
    Drifted = 11,
}

impl Refused {
    pub(super) fn not_migrated(why: NotMigrated, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: why as u8,
        }
    }

    pub(super) fn not_possible(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: NOT_POSSIBLE,
        }
    }

    pub(super) fn not_confirmed(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: NOT_CONFIRMED,
        }
    }

    pub(super) fn breaking(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: BREAKING,
        }
    }

    pub(super) fn found(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: FOUND,
        }
    }
}

/// Here the operator is told what else only the log is.
impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        let status = match failure.code {
            Code::TenantNotFound => NOT_FOUND,
            Code::BadUserInput | Code::Conflict | Code::Forbidden => NOT_POSSIBLE,
            _ => 1,
        };
        let message = match failure.log {
            Some(cause) => cause.to_string(),
            None => failure.message.into_owned(),
        };
        Self { message, status }
    }
}

/// The exit status for an error.
pub(super) fn code(error: &anyhow::Error) -> ExitCode {
    let refused = error.downcast_ref::<Refused>();
    refused.map_or(ExitCode::FAILURE, |refused| ExitCode::from(refused.status))
}
