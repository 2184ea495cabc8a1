//! What the exit status says: 1 for what went wrong, 2 for a wrong command line, and what a script may want to know.

use std::process::ExitCode;

use crate::error::{Code, Failure};
use crate::fleet::FleetError;
use crate::migrate::LoadError;
use crate::registry::{FilesError, OpenError};

/// What was asked for is not done, or not as it should be, and why.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Refused {
    message: String,
    status: Status,
}

/// Each means the same in all commands; `docs/exit-status.md` has them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Status {
    /// It went wrong.
    Failed = 1,
    /// Nothing has that name.
    NotFound = 3,
    /// It is not possible: a name is taken, a value is bad, the tenant is in another state.
    NotPossible = 4,
    /// Nobody said yes.
    NotConfirmed = 5,
    /// Some tenants could not be migrated; others have been.
    TenantsFailed = 6,
    /// It was tried and could not be done; no tenant has changed.
    RehearsalFailed = 7,
    /// Another run is at work.
    AnotherRun = 8,
    /// The files are none, or not those that the fleet has run.
    BadFiles = 9,
    /// Clients of the API would break.
    Breaking = 10,
    /// Somebody has changed tables by hand.
    Drifted = 11,
    /// Some tenants have not run all files.
    Behind = 12,
    /// There is something to say of migrations.
    Findings = 13,
}

impl Refused {
    pub(super) fn new(status: Status, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { message, status }
    }

    pub(super) fn not_possible(message: impl Into<String>) -> Self {
        Self::new(Status::NotPossible, message)
    }
}

/// Here the operator is told what else only the log is.
impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        let status = match failure.code {
            Code::TenantNotFound => Status::NotFound,
            Code::BadUserInput | Code::Conflict | Code::Forbidden => Status::NotPossible,
            _ => Status::Failed,
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
    ExitCode::from(status(error) as u8)
}

fn status(error: &anyhow::Error) -> Status {
    if let Some(refused) = error.downcast_ref::<Refused>() {
        return refused.status;
    }
    if let Some(OpenError::Shared(_)) = error.downcast_ref() {
        return Status::RehearsalFailed;
    }
    let files = match (error.downcast_ref(), error.downcast_ref()) {
        (Some(OpenError::Files(files)), _) | (_, Some(FleetError::Files(files))) => Some(files),
        _ => error.downcast_ref::<FilesError>(),
    };
    let unlike = files.is_some_and(FilesError::is_about_files);
    if unlike || error.downcast_ref::<LoadError>().is_some() {
        return Status::BadFiles;
    }
    Status::Failed
}

#[cfg(test)]
mod tests {
    use super::Status;

    /// All that there are, in their order.
    const ALL: [Status; 12] = [
        Status::Failed,
        Status::NotFound,
        Status::NotPossible,
        Status::NotConfirmed,
        Status::TenantsFailed,
        Status::RehearsalFailed,
        Status::AnotherRun,
        Status::BadFiles,
        Status::Breaking,
        Status::Drifted,
        Status::Behind,
        Status::Findings,
    ];

    #[test]
    fn the_documentation_has_a_line_for_each() {
        let documentation = include_str!("../../docs/exit-status.md");
        let cells = |line: &str| line.split('|').nth(1).map(|cell| cell.trim().to_owned());
        let lines = documentation.lines().filter_map(cells);
        let told: Vec<u8> = lines.filter_map(|cell| cell.parse().ok()).collect();
        let mut known: Vec<u8> = ALL.iter().map(|status| *status as u8).collect();
        known.extend([0, 2]);
        known.sort_unstable();
        assert_eq!(told, known);
    }
}
