//! What running an operation brings, and how it becomes the response's body.

mod access;
mod violation;

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::compile::{Compiled, Operation, Work};
use crate::encode::{Body, EncodeError, FieldError, FieldErrorKind, PathSegment, Source};
use crate::error::{self, Code, Failure};
use crate::guard::{CookieChange, Cookies, Credentials, Granted, Guard, TenantContext};
use crate::limits::{Limit, Limits};
use crate::plan::{self, Bindings, Bound, LogIn, OperationKind, Root, RootValue};
use crate::request::RequestInfo;
use crate::rows::Rows;
use crate::schema::{Api, LogInMeans};
use crate::service::{self, ServiceContext};
use crate::session::{Lanes, Note, WriteFailure};
use crate::sql::Layout;

pub(crate) use access::permit;

/// What the operation's work brought.
pub(crate) enum Outcome {
    Nothing,
    Rows(Rows, Layout),
    LogIns(Vec<LoggedIn>),
    /// What each statement of a mutation brought.
    Written(Vec<Rows>),
}

impl Outcome {
    /// How many bytes of rows there are.
    fn size(&self) -> usize {
        match self {
            Self::Rows(rows, _) => rows.size(),
            Self::Written(results) => results.first().map_or(0, Rows::size),
            Self::Nothing | Self::LogIns(_) => 0,
        }
    }

    fn may_be_read_again(&self) -> bool {
        matches!(self, Self::Rows(..) | Self::LogIns(_))
    }
}

/// One `logIn`: the tokens, and for each field `user` the rows, as the user may see them.
pub(crate) struct LoggedIn {
    granted: Granted,
    /// Whether the browser keeps the tokens.
    kept: bool,
    users: Vec<Rows>,
}

/// Who asks to be let in: from where, and with which cookies.
pub(crate) struct Visitor<'r> {
    pub(crate) client: &'r RequestInfo,
    pub(crate) cookies: &'r Cookies,
    pub(crate) let_in: &'r LetIn,
}

/// Those whom this request has let in so far, in the order of its `logIn` fields. When a migration overtakes it, they are
/// read anew: they must not log in again, as a refresh token is good for one use.
#[derive(Default)]
pub(crate) struct LetIn(Mutex<Vec<(TenantContext, Granted, bool)>>);

impl LetIn {
    fn get(&self, index: usize) -> Option<(TenantContext, Granted, bool)> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(index).cloned()
    }

    fn push(&self, context: &TenantContext, granted: &Granted, kept: bool) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.push((context.clone(), granted.clone(), kept));
    }
}

/// Runs the `logIn` fields one after the other, and reads each user on that user's behalf.
pub(crate) async fn log_in(
    (guard, lanes): (&Guard, &Lanes),
    visitor: &Visitor<'_>,
    context: &TenantContext,
    (api, compiled): (&Api, &Compiled),
    operation: &Operation,
    limits: &Limits,
) -> Result<Outcome, Failure> {
    let Work::LogIns(statements) = &compiled.work else {
        return Ok(Outcome::Nothing);
    };
    let log_ins = compiled
        .plan
        .roots
        .iter()
        .filter_map(|root| match &root.value {
            RootValue::LogIn(log_in) => Some((root.key.name(), log_in)),
            _ => None,
        });
    let given = compiled.bind(&operation.variables, context.identity(), limits)?;
    let mut done = Vec::with_capacity(statements.len());
    for (index, ((key, log_in), queries)) in log_ins.zip(statements).enumerate() {
        let at =
            |failure: Failure| failure.with_path(vec![error::PathSegment::Field(key.to_owned())]);
        let (context, granted, kept) = match visitor.let_in.get(index) {
            Some((person, granted, kept)) => (person.by_now(context), granted, kept),
            None => let_in(guard, visitor, context, log_in, &given)
                .await
                .map_err(at)?,
        };
        access::permit_user(api, key, log_in, context.identity())?;
        let bindings = compiled.bind(&operation.variables, context.identity(), limits)?;
        let mut users = Vec::with_capacity(queries.len());
        for query in queries {
            users.push(lanes.read(&context, query, &bindings).await?);
        }
        done.push(LoggedIn {
            granted,
            kept,
            users,
        });
    }
    Ok(Outcome::LogIns(done))
}

/// Checks what was shown, and begins a session or goes on with one.
async fn let_in(
    guard: &Guard,
    visitor: &Visitor<'_>,
    context: &TenantContext,
    log_in: &LogIn,
    given: &Bindings,
) -> Result<(TenantContext, Granted, bool), Failure> {
    if log_in.cookie {
        visitor.cookies.own()?;
    }
    let credentials = credentials(log_in, given, visitor.cookies)?;
    let kept = log_in.cookie || matches!(credentials, Credentials::Kept(_));
    let (context, granted) = guard.log_in(context, credentials, visitor.client).await?;
    if kept {
        visitor.cookies.keep(&granted);
    }
    visitor.let_in.push(&context, &granted, kept);
    Ok((context, granted, kept))
}

/// What was shown: texts of the input, or what the browser kept.
fn credentials<'a>(
    log_in: &LogIn,
    given: &'a Bindings,
    cookies: &'a Cookies,
) -> Result<Credentials<'a>, Failure> {
    let text = |name| match log_in.text(name).map(|param| given.params.get(param.0)) {
        Some(Some(Bound::Text(text))) => Some(text.as_str()),
        _ => None,
    };
    let required = |name| text(name).unwrap_or_default();
    Ok(match log_in.means {
        LogInMeans::Password => Credentials::Password {
            email: required("email"),
            password: required("password"),
        },
        LogInMeans::Reset => Credentials::Reset {
            token: required("token"),
            password: required("password"),
        },
        LogInMeans::Refresh => match text("refreshToken") {
            Some(token) => Credentials::Refresh(token),
            None => Credentials::Kept(cookies.refresh()?),
        },
    })
}

fn source(done: &LoggedIn) -> Source<'_> {
    let shown = !done.kept;
    Source::LogIn {
        access_token: shown.then(|| done.granted.access.as_str()),
        refresh_token: shown.then(|| done.granted.refresh.as_str()),
        expires_in: done.granted.expires_in,
        users: &done.users,
    }
}

/// Runs the statements of a mutation, all or none, and an entry in the audit log that names the client, where there is to be
/// one.
pub(crate) async fn write(
    lanes: &Lanes,
    context: &TenantContext,
    api: &Api,
    compiled: &Compiled,
    bindings: &Bindings,
    client: Option<&RequestInfo>,
) -> Result<Outcome, Failure> {
    let Work::Write(writes) = &compiled.work else {
        return Ok(Outcome::Nothing);
    };
    let queries: Vec<_> = writes.iter().map(|write| &write.query).collect();
    let note = client.zip(compiled.trail.as_ref());
    let note = note.map(|(request, trail)| Note {
        request,
        action: &trail.action,
        details: &trail.details,
        kept: &trail.kept,
    });
    let failed = match lanes.write(context, &queries, bindings, note).await {
        Ok(rows) => return Ok(Outcome::Written(rows)),
        Err(failed) => failed,
    };
    let WriteFailure {
        statement,
        mut failure,
        violation,
    } = failed;
    let write = statement.and_then(|statement| writes.get(statement));
    if let Some(violation) = violation {
        violation::explain(api, write, violation, &mut failure);
    }
    if let Some(root) = write.and_then(|write| compiled.plan.roots.get(write.root)) {
        failure.path = vec![error::PathSegment::Field(root.key.name().to_owned())];
    }
    if let Some(write) = write {
        failure = compiled.blame(&write.query.statement, failure);
    }
    Err(failure)
}

/// The parts of the answer that async-graphql's executor gives.
#[derive(Default)]
pub(crate) struct Resolved {
    /// `__schema` and `__type`.
    introspection: Option<Value>,
    /// The service's own fields; null where an error went up to the top.
    service: Option<Value>,
    /// Beside the data.
    pub(crate) errors: Vec<Failure>,
    /// What the browser is to be told.
    pub(crate) cookies: Option<CookieChange>,
}

/// Has those parts of the operation answered that no statement brings.
pub(crate) async fn resolve(
    api: &Api,
    schema: &service::Schema,
    context: impl FnOnce() -> ServiceContext,
    compiled: &Compiled,
    operation: &Operation,
) -> Result<Resolved, Vec<Failure>> {
    let Some(document) = &compiled.document else {
        return Ok(Resolved::default());
    };
    let selected = document.operation(operation.name.as_deref());
    let selected = selected.map_err(|error| vec![error.into()])?;
    let mut resolved = Resolved::default();
    if compiled.introspects {
        let response = plan::introspect(api, document, selected, &operation.variables).await;
        if let Some(error) = response.errors.first() {
            let message = error.message.clone();
            return Err(vec![Failure::new(Code::GraphqlValidationFailed, message)]);
        }
        resolved.introspection = Some(json(response.data)?);
    }
    if compiled.service {
        let part = plan::service_part(api, document, selected, &operation.variables);
        let variables = Value::Object(operation.variables.clone());
        let variables = async_graphql::Variables::from_json(variables);
        let answer = match compiled.plan.kind {
            OperationKind::Query => service::read(schema, context(), part, variables).await,
            OperationKind::Mutation => service::write(schema, context(), part, variables).await?,
        };
        let data = json(answer.data)?;
        let data = plan::complete(api, document, selected, &operation.variables, data);
        resolved.service = Some(data);
        resolved.errors = answer.errors;
        resolved.cookies = answer.cookies;
    }
    Ok(resolved)
}

fn json(data: async_graphql::Value) -> Result<Value, Vec<Failure>> {
    data.into_json()
        .map_err(|error| vec![Failure::internal(error)])
}

/// Writes the body: the root fields in their order, each from where its value is. Tells, too, whether what was read is not
/// what the plan says; what was written stays written.
pub(crate) fn encode(
    compiled: &Compiled,
    bindings: &Bindings,
    outcome: &Outcome,
    resolved: Resolved,
    limits: &Limits,
) -> Result<(Vec<u8>, bool), Failure> {
    // What has been written is told, however long that takes: an error would have it written again.
    let limit = match outcome {
        Outcome::Written(_) => usize::MAX,
        _ => limits.bytes(Limit::Response),
    };
    let mut body = Body::new(bindings, limit, outcome.size());
    let (mut columns, mut log_ins) = (0.., 0..);
    for (index, root) in compiled.plan.roots.iter().enumerate() {
        let source = match (&root.value, outcome) {
            (RootValue::Introspection, _) => of_root(resolved.introspection.as_ref(), root),
            (RootValue::Service { .. }, _) => of_root(resolved.service.as_ref(), root),
            (
                RootValue::Connection(_) | RootValue::Row(_) | RootValue::Call(_),
                Outcome::Rows(rows, layout),
            ) => match layout {
                Layout::Flat => Some(Source::Rows(rows)),
                Layout::Columns => rows
                    .first()
                    .zip(columns.next())
                    .map(|(row, column)| Source::Column(row, column)),
            },
            (RootValue::Write(_) | RootValue::Call(_), Outcome::Written(rows)) => {
                answer_of(compiled, index)
                    .and_then(|statement| rows.get(statement)?.first())
                    .map(|row| Source::Column(row, 0))
            }
            (RootValue::LogIn(_), Outcome::LogIns(done)) => log_ins
                .next()
                .and_then(|index: usize| done.get(index))
                .map(source),
            _ => None,
        };
        body.root(root, source.unwrap_or(Source::Plan))
            .map_err(|error| match error {
                EncodeError::TooLarge => limits.exceeded(Limit::Response, None),
                error => unexpected(error, outcome),
            })?;
    }
    if resolved.service.is_some_and(|data| data.is_null()) {
        body.nullify();
    }
    let (mut out, errors) = body.finish();
    let broken = |error: &FieldError| error.kind == FieldErrorKind::Broken;
    let outdated = outcome.may_be_read_again() && errors.iter().any(broken);
    let errors = errors.into_iter().map(field_failure);
    close(&mut out, errors.chain(resolved.errors));
    Ok((out, outdated))
}

/// A value is not what its column had been; that of a row that was written stays written.
fn unexpected(error: EncodeError, outcome: &Outcome) -> Failure {
    let mut failure = Failure::internal(error);
    failure.outdated = outcome.may_be_read_again();
    failure
}

fn of_root<'v>(data: Option<&'v Value>, root: &Root) -> Option<Source<'v>> {
    data?.get(root.key.name()).map(Source::Json)
}

/// The statement that brought the answer of a root field.
fn answer_of(compiled: &Compiled, root: usize) -> Option<usize> {
    match &compiled.work {
        Work::Write(writes) => writes.iter().rposition(|write| write.root == root),
        _ => None,
    }
}
/// The most errors beside data. A field that fails for one row may fail for every row.
const MOST_FIELD_ERRORS: usize = 100;

/// The end of the body: errors of fields that became null, if any, and the closing brace.
fn close(out: &mut Vec<u8>, errors: impl Iterator<Item = Failure>) {
    let start = out.len();
    for error in errors.take(MOST_FIELD_ERRORS) {
        let first = out.len() == start;
        out.extend_from_slice(if first { b",\"errors\":[" } else { b"," });
        error.write_json(out);
    }
    let any = out.len() > start;
    out.extend_from_slice(if any { b"]}" } else { b"}" });
}

fn field_failure(error: FieldError) -> Failure {
    let path = error.path.into_iter().map(|segment| match segment {
        PathSegment::Key(key) => error::PathSegment::Field(key.into()),
        PathSegment::Index(index) => error::PathSegment::Index(index),
    });
    let code = match error.kind {
        FieldErrorKind::Forbidden => Code::Forbidden,
        FieldErrorKind::Broken => Code::Internal,
    };
    Failure::new(code, error.message).with_path(path.collect())
}
