//! What goes wrong while a request is answered: one message for the client, another for the log.

mod code;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

pub(crate) use code::Code;

/// All that Postgres said, on one line, for the log and for operators; its own `Display` says only "db error".
pub(crate) fn postgres_reason(error: &tokio_postgres::Error) -> String {
    let mut text = match error.as_db_error() {
        Some(db) => format!("{} [{}]", db.message(), db.code().code()),
        None => error.to_string(),
    };
    match error.as_db_error() {
        Some(db) => {
            for more in [db.detail(), db.hint(), db.where_()].into_iter().flatten() {
                text.push_str(" · ");
                text.push_str(&more.replace('\n', " "));
            }
        }
        None => {
            if let Some(cause) = error.source() {
                text.push_str(": ");
                text.push_str(&cause.to_string());
            }
        }
    }
    text
}

/// The most bytes of one message, for a client and for a line of the log: messages quote what is wrong,
/// and that may be as long as the request.
const LONGEST_MESSAGE: usize = 2000;

/// The beginning of a text that is too long.
pub(crate) fn clipped(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST_MESSAGE {
        return text.into();
    }
    format!("{}…", &text[..text.floor_char_boundary(LONGEST_MESSAGE)]).into()
}

/// One step of the way to the field that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum PathSegment {
    Field(String),
    Index(usize),
}

/// What `extensions` holds beside the code; only what is known is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Details {
    /// The input field to correct.
    pub(crate) field: Option<Cow<'static, str>>,
    /// The violated constraint, by its name in Postgres.
    pub(crate) constraint: Option<String>,
    /// The input fields that the constraint covers.
    pub(crate) fields: Vec<String>,
    /// The least role that may do it.
    pub(crate) role: Option<&'static str>,
    /// What a function of the app's own has raised: its SQLSTATE, detail and hint.
    pub(crate) sql_state: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) hint: Option<String>,
    /// What an operation has too much of: how much there is, and how much may be.
    pub(crate) exceeded: Option<(u64, u64)>,
    /// Seconds after which another try makes sense.
    pub(crate) retry_after: Option<u32>,
    /// The host at which a tenant that has moved is now.
    pub(crate) moved_to: Option<String>,
    /// What an operator needs to find the failure in the log.
    pub(crate) request_id: Option<String>,
}

/// A failure on its way to the client: [`Failure::write_json`] is all that a client learns of it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    /// For the client: says what to do differently, and nothing about the inside of the service.
    pub(crate) message: Cow<'static, str>,
    pub(crate) path: Vec<PathSegment>,
    /// Line and column in the GraphQL document, both from 1.
    pub(crate) locations: Vec<(u32, u32)>,
    pub(crate) details: Box<Details>,
    /// The number of the statement's parameter that Postgres could not read, from one.
    pub(crate) parameter: Option<usize>,
    /// The statement, of which nothing was done, does not fit the tables: they may be of another version by now.
    pub(crate) outdated: bool,
    /// For the log only.
    pub(crate) log: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            path: Vec::new(),
            locations: Vec::new(),
            details: Box::default(),
            parameter: None,
            outdated: false,
            log: None,
        }
    }

    /// All of it, for an operator: what is kept from clients, too.
    pub(crate) fn reason(self) -> String {
        match self.log {
            Some(cause) => cause.to_string(),
            None => self.message.into_owned(),
        }
    }

    /// Something is wrong with the service: the client gets no reason, the log gets all of it.
    pub(crate) fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Code::Internal, "internal error").with_log(cause)
    }

    /// An input field holds what it cannot hold.
    pub(crate) fn bad_input(field: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::BadUserInput, message).with_field(field)
    }

    /// An input field asks for what somebody else has.
    pub(crate) fn conflict(field: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Conflict, message).with_field(field)
    }

    /// It takes a higher role than whoever asks has.
    pub(crate) fn takes_role(least: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        let mut failure = Self::new(Code::Forbidden, message);
        failure.details.role = Some(least);
        failure
    }

    pub(crate) fn unauthenticated(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Unauthenticated, message)
    }

    /// More work than the service takes on right now; another try makes sense after some seconds.
    pub(crate) fn overloaded(retry_after: u32) -> Self {
        let mut failure = Self::new(
            Code::Overloaded,
            "the service is overloaded: try again later",
        );
        failure.details.retry_after = Some(retry_after);
        failure
    }

    /// The tenant's tables are locked, by its migration most likely; another try makes sense after some seconds.
    pub(crate) fn migrating() -> Self {
        let message = "the tenant's tables are being changed: try again";
        let mut failure = Self::new(Code::TenantMigrating, message);
        failure.details.retry_after = Some(1);
        failure
    }

    /// More requests than this client, or this tenant, may send; another one is taken after some seconds.
    pub(crate) fn rate_limited(message: impl Into<Cow<'static, str>>, retry_after: u32) -> Self {
        let mut failure = Self::new(Code::RateLimited, message);
        failure.details.retry_after = Some(retry_after);
        failure
    }

    #[must_use]
    pub(crate) fn with_field(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.details.field = Some(field.into());
        self
    }

    #[must_use]
    pub(crate) fn with_path(mut self, path: Vec<PathSegment>) -> Self {
        self.path = path;
        self
    }

    #[must_use]
    pub(crate) fn with_log(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.log = Some(cause.into());
        self
    }

    /// Logs what the client is not told, under an id that the client is told.
    pub(crate) fn report(&mut self, request_id: &str) {
        let Some(cause) = &self.log else { return };
        let cause = cause.to_string();
        let cause = clipped(&cause);
        if self.code == Code::Internal {
            tracing::error!(request.id = request_id, error = %cause, "internal error");
        } else {
            tracing::warn!(request.id = request_id, error.code = self.code.as_str(), error = %cause, "request failed");
        }
        self.details.request_id = Some(request_id.to_owned());
    }

    /// Appends the GraphQL error object (GraphQL specification, §7.1.2).
    pub(crate) fn write_json(&self, out: &mut Vec<u8>) {
        serde_json::to_writer(out, self)
            .expect("strings and numbers go into a vector without error");
    }

    /// Calls `entry` with each member of `extensions`, in the order in which it is sent.
    pub(crate) fn each_extension<E>(
        &self,
        mut entry: impl FnMut(&'static str, serde_json::Value) -> Result<(), E>,
    ) -> Result<(), E> {
        let details = &*self.details;
        entry("code", self.code.as_str().into())?;
        if let Some(field) = &details.field {
            entry("field", field.as_ref().into())?;
        }
        if let Some(constraint) = &details.constraint {
            entry("constraint", constraint.as_str().into())?;
        }
        if !details.fields.is_empty() {
            entry("fields", details.fields.clone().into())?;
        }
        if let Some(role) = details.role {
            entry("role", role.into())?;
        }
        let raised = [
            ("sqlState", &details.sql_state),
            ("detail", &details.detail),
            ("hint", &details.hint),
        ];
        for (key, value) in raised {
            if let Some(value) = value {
                entry(key, value.as_str().into())?;
            }
        }
        if let Some((found, most)) = details.exceeded {
            entry("found", found.into())?;
            entry("limit", most.into())?;
        }
        if let Some(seconds) = details.retry_after {
            entry("retryAfter", seconds.into())?;
        }
        if let Some(host) = &details.moved_to {
            entry("movedTo", host.as_str().into())?;
        }
        if let Some(id) = &details.request_id {
            entry("requestId", id.as_str().into())?;
        }
        Ok(())
    }
}

/// The message for the client; the log prints [`Failure::log`] beside it.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut error = serializer.serialize_map(None)?;
        error.serialize_entry("message", &*clipped(&self.message))?;
        if !self.locations.is_empty() {
            let locations: Vec<_> = self.locations.iter().map(Location::from).collect();
            error.serialize_entry("locations", &locations)?;
        }
        if !self.path.is_empty() {
            error.serialize_entry("path", &self.path)?;
        }
        error.serialize_entry("extensions", &Extensions(self))?;
        error.end()
    }
}

struct Extensions<'a>(&'a Failure);

impl Serialize for Extensions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut extensions = serializer.serialize_map(None)?;
        self.0
            .each_extension(|key, value| extensions.serialize_entry(key, &value))?;
        extensions.end()
    }
}

#[derive(Serialize)]
struct Location {
    line: u32,
    column: u32,
}

impl From<&(u32, u32)> for Location {
    fn from(&(line, column): &(u32, u32)) -> Self {
        Self { line, column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(failure: &Failure) -> String {
        let mut out = Vec::new();
        failure.write_json(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_smallest_error_has_a_message_and_a_code() {
        assert_eq!(
            json(&Failure::unauthenticated("no")),
            r#"{"message":"no","extensions":{"code":"UNAUTHENTICATED"}}"#
        );
    }

    #[test]
    fn the_largest_error_follows_the_specification() {
        let mut failure = Failure::new(Code::UniqueViolation, "say \"hi\"").with_path(vec![
            PathSegment::Field("createIssues".into()),
            PathSegment::Index(2),
        ]);
        failure.locations.push((1, 3));
        *failure.details = Details {
            role: Some("admin"),
            field: Some("number".into()),
            constraint: Some("issues_number_key".into()),
            fields: vec!["projectId".into(), "number".into()],
            sql_state: Some("P0001".into()),
            detail: Some("d".into()),
            hint: Some("h".into()),
            exceeded: Some((7, 5)),
            retry_after: Some(3),
            moved_to: Some("m".into()),
            request_id: Some("r1".into()),
        };
        assert_eq!(
            json(&failure),
            concat!(
                r#"{"message":"say \"hi\"","locations":[{"line":1,"column":3}],"path":["createIssues",2],"#,
                r#""extensions":{"code":"UNIQUE_VIOLATION","field":"number","constraint":"issues_number_key","#,
                r#""fields":["projectId","number"],"role":"admin","sqlState":"P0001","detail":"d","hint":"h","found":7,"limit":5,"retryAfter":3,"movedTo":"m","requestId":"r1"}}"#
            )
        );
    }

    #[test]
    fn the_client_never_sees_what_is_for_the_log() {
        let failure = Failure::internal("password of host db-7 is wrong");
        assert!(!json(&failure).contains("db-7"));
        assert_eq!(
            failure.log.unwrap().to_string(),
            "password of host db-7 is wrong"
        );
    }

    #[test]
    fn messages_end_somewhere() {
        let failure = Failure::unauthenticated("é".repeat(5000));
        assert!(json(&failure).len() < 2200);
        assert_eq!(clipped("é"), "é");
    }

    #[test]
    fn codes_are_distinct_words_with_a_status() {
        let words: std::collections::HashSet<_> = Code::ALL.map(Code::as_str).into();
        assert_eq!(words.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| code.http_status() >= 300));
    }
}
