//! What is wrong with an operation or its variables.

use std::fmt::Write as _;

use super::params::Step;

/// A value that does not fit. The client's fault, told to the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InputError {
    pub message: String,
    /// It fits, but there is too much of it.
    too_complex: bool,
}

impl InputError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            too_complex: false,
        }
    }

    pub(super) fn too_complex(self) -> Self {
        Self {
            too_complex: true,
            ..self
        }
    }

    pub(super) fn in_variable(name: &str, path: &[Step], problem: &str) -> Self {
        let mut message = format!("variable ${name}");
        for step in path {
            let _ = match step {
                Step::Field(field) => write!(message, ".{field}"),
                Step::Item(index) => write!(message, "[{index}]"),
            };
        }
        let _ = write!(message, ": {problem}");
        Self::new(message)
    }
}

/// Why an operation has no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PlanError {
    pub kind: PlanErrorKind,
    pub message: String,
    /// Response keys down to the field.
    pub path: Vec<String>,
    /// Line and column, from one.
    pub locations: Vec<(usize, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanErrorKind {
    Parse,
    Validation,
    BadInput,
    /// More work than one operation may ask for.
    TooComplex,
    /// Valid GraphQL that this endpoint does not run, such as a subscription over HTTP.
    Unsupported,
}

impl PlanError {
    pub(super) fn bad_input(message: impl Into<String>) -> Self {
        Self {
            kind: PlanErrorKind::BadInput,
            message: message.into(),
            path: vec![],
            locations: vec![],
        }
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self {
            kind: PlanErrorKind::Validation,
            ..Self::bad_input(message)
        }
    }
}

impl From<InputError> for PlanError {
    fn from(error: InputError) -> Self {
        let plain = Self::bad_input(error.message);
        if error.too_complex {
            return Self {
                kind: PlanErrorKind::TooComplex,
                ..plain
            };
        }
        plain
    }
}
