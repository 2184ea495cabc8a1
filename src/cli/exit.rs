//! What the exit status says: 1 for what went wrong, 2 for a wrong command line, and what a script may want to know.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::output;
use crate::error::{Code, Failure};
use crate::fleet::FleetError;
use crate::migrate::LoadError;
use crate::registry::{DoNotRun, FilesError, OpenError};

/// What was asked for is not done, or not as it should be, and why.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Refused {
    message: String,
    status: Status,
    /// The word for it in the API, where it is told there, too.
    code: Option<Code>,
    /// The JSON that was asked for has been printed.
    is_told: bool,
}

/// What is printed on standard output, in which programs look for how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Printing {
    Text,
    /// One value of JSON.
    Document,
    /// An object on each line.
    Events,
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
    /// A run that was killed holds tables until the next one.
    Unsettled = 14,
}

impl Status {
    /// The word for it in JSON.
    fn code(self) -> &'static str {
        match self {
            Self::Failed => "FAILED",
            Self::NotFound => "NOT_FOUND",
            Self::NotPossible => "NOT_POSSIBLE",
            Self::NotConfirmed => "NOT_CONFIRMED",
            Self::TenantsFailed => "TENANTS_FAILED",
            Self::RehearsalFailed => "REHEARSAL_FAILED",
            Self::AnotherRun => "ANOTHER_RUN",
            Self::BadFiles => "BAD_FILES",
            Self::Breaking => "BREAKING",
            Self::Drifted => "DRIFTED",
            Self::Behind => "BEHIND",
            Self::Findings => "FINDINGS",
            Self::Unsettled => "UNSETTLED",
        }
    }
}

impl Refused {
    pub(super) fn new(status: Status, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status,
            code: None,
            is_told: false,
        }
    }

    pub(super) fn not_possible(message: impl Into<String>) -> Self {
        Self::new(Status::NotPossible, message)
    }

    /// Without the word that the API has for it, which speaks of tenants.
    pub(super) fn plainly(self) -> Self {
        Self { code: None, ..self }
    }

    /// The JSON that has been printed says so, or is all that there is to say.
    pub(super) fn told(self) -> Self {
        Self {
            is_told: true,
            ..self
        }
    }

    pub(super) fn as_json(&self) -> Value {
        ending(self.status, self.word(), &self.message)
    }

    fn word(&self) -> &'static str {
        self.code.map_or(self.status.code(), Code::as_str)
    }
}

/// How it ended: the value of `error` in all JSON that is printed.
fn ending(status: Status, code: &str, message: &str) -> Value {
    json!({"code": code, "message": message, "exitStatus": status as u8})
}

/// Here the operator is told what else only the log is.
impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        let status = match failure.code {
            Code::TenantNotFound => Status::NotFound,
            Code::BadUserInput | Code::Conflict | Code::Forbidden => Status::NotPossible,
            _ if DoNotRun::of(&failure).is_some() => Status::RehearsalFailed,
            _ => Status::Failed,
        };
        let code = Some(failure.code).filter(|code| *code != Code::Internal);
        let message = match DoNotRun::of(&failure) {
            Some(reason) => reason.sentence(),
            None => failure.reason(),
        };
        Self {
            code,
            ..Self::new(status, message)
        }
    }
}

/// Says in one sentence what went wrong, to programs, too. What it returns is the exit status.
pub(super) fn tell(error: &anyhow::Error, printing: Printing) -> ExitCode {
    let message = told_once(error);
    let status = status(error);
    let refused = error.downcast_ref::<Refused>();
    let word = refused.map_or(status.code(), Refused::word);
    let is_told = refused.is_some_and(|refused| refused.is_told);
    let error = ending(status, word, &message);
    match printing {
        Printing::Document if !is_told => output::json(&json!({"error": error})),
        Printing::Events if !is_told => {
            output::json_line(&json!({"event": "error", "error": error}));
        }
        _ => {}
    }
    match refused.and_then(|refused| refused.code) {
        Some(code) => eprintln!("error: {message} [{}]", code.as_str()),
        None => eprintln!("error: {message}"),
    }
    ExitCode::from(status as u8)
}

/// The same of a command line that nobody understands, or that asks for help.
pub(super) fn wrong_command_line(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        let message = text.split("\n\n").next().unwrap_or_default();
        let message = message.strip_prefix("error: ").unwrap_or(message);
        let error = json!({"code": "WRONG_COMMAND_LINE", "message": message, "exitStatus": 2});
        output::json_line(&json!({"error": error}));
    }
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// The error with its causes, except those that it has told already.
pub(super) fn told_once(error: &anyhow::Error) -> String {
    let mut text = String::new();
    let mut told = false;
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !told && !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        } else {
            // What it tells it tells with all that is below.
            told = true;
        }
    }
    text
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
    const ALL: [Status; 13] = [
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
        Status::Unsettled,
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
