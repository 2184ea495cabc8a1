//! `/graphql`: the way of a request, in the order of its stages.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;
use tokio_postgres::Row;

use super::transport::{self, Method};
use super::{Introspection, Service, platform};
use crate::compile::{Compiled, Operation, Work};
use crate::encode::{self, Source};
use crate::error::{Code, Failure};
use crate::guard::{AccessToken, Admission, Identity, TenantContext};
use crate::plan::{Bindings, Bound, OperationKind, RootValue, introspect};
use crate::schema::Api;
use crate::sql::Layout;

pub(super) async fn graphql(
    State(service): State<Arc<Service>>,
    request: Request<Body>,
) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let media = match transport::negotiate(&parts.headers) {
        Ok(media) => media,
        Err(response) => return response,
    };
    let host = parts
        .uri
        .host()
        .or_else(|| super::header(&parts.headers, &header::HOST))
        .map(Cow::Borrowed);
    let authorization = super::header(&parts.headers, &header::AUTHORIZATION);
    let result = match service.guard.admit(host.as_deref(), authorization).await {
        Err(failure) => Err(vec![failure]),
        Ok(admission) => match transport::read(&parts, body, service.max_body).await {
            Err(response) => return response,
            Ok((method, operation)) => match admission {
                Admission::Platform => platform::answer(&service, method, operation).await,
                Admission::Tenant(context) => answer(&service, &context, method, operation).await,
            },
        },
    };
    tracing::debug!(
        http.host = host.as_deref(),
        duration_ms = started.elapsed().as_secs_f64() * 1e3,
        ok = result.is_ok(),
        "request"
    );
    match result {
        Ok(body) => transport::response(media, body),
        Err(failures) => transport::failed(media, failures),
    }
}

/// The architecture in one function: a request of a tenant, from its text to the bytes of its answer.
async fn answer(
    service: &Service,
    context: &TenantContext,
    method: Method,
    mut operation: Operation,
) -> Result<Vec<u8>, Vec<Failure>> {
    let api = service.apis.of(context.tenant()).await.map_err(one)?;
    let compiled = service.compiler.compile(&api, &mut operation)?;
    admit_operation(service, context, method, &compiled).map_err(one)?;
    let viewer = viewer(context);
    let bindings = compiled
        .bind(&operation.variables, viewer.as_deref())
        .map_err(one)?;
    let outcome = match &compiled.work {
        Work::None => Outcome::Nothing,
        Work::Read(statement) => {
            let session = service.sessions.open(context).await.map_err(one)?;
            Outcome::Rows(
                session.read(statement, &bindings).await.map_err(one)?,
                statement.layout,
            )
        }
        Work::LogIns(_) => Outcome::LogIns(
            log_in(service, context, &compiled, &operation, &bindings)
                .await
                .map_err(one)?,
        ),
    };
    let introspection = introspection(&api, &compiled, &operation).await?;
    encode(&compiled, &bindings, &outcome, introspection.as_ref()).map_err(one)
}

fn one(failure: Failure) -> Vec<Failure> {
    vec![failure]
}

/// Whether this operation may be run by this method, by this identity.
fn admit_operation(
    service: &Service,
    context: &TenantContext,
    method: Method,
    compiled: &Compiled,
) -> Result<(), Failure> {
    if method == Method::Get && compiled.plan.kind != OperationKind::Query {
        return Err(transport::mutation_by_get());
    }
    let anonymous = matches!(context.identity(), Identity::Anonymous);
    if anonymous && matches!(compiled.work, Work::Read(_)) {
        return Err(Failure::unauthenticated(
            "log in first: send the header Authorization: Bearer <accessToken>",
        ));
    }
    let hidden = match service.introspection {
        Introspection::Public => false,
        Introspection::Members => anonymous,
        Introspection::Off => true,
    };
    if hidden && compiled.introspects() {
        return Err(Failure::new(
            Code::Forbidden,
            "introspection is switched off here",
        ));
    }
    Ok(())
}

fn viewer(context: &TenantContext) -> Option<String> {
    match context.identity() {
        Identity::Anonymous => None,
        Identity::Member { user, .. } => Some(user.to_string()),
    }
}

/// What running the operation brought.
enum Outcome {
    Nothing,
    Rows(Vec<Row>, Layout),
    LogIns(Vec<(AccessToken, Vec<Row>)>),
}

/// Runs the `logIn` fields in their order, and reads each user as that user.
async fn log_in(
    service: &Service,
    context: &TenantContext,
    compiled: &Compiled,
    operation: &Operation,
    bindings: &Bindings,
) -> Result<Vec<(AccessToken, Vec<Row>)>, Failure> {
    let Work::LogIns(statements) = &compiled.work else {
        return Ok(Vec::new());
    };
    let mut done = Vec::with_capacity(statements.len());
    let log_ins = compiled
        .plan
        .roots
        .iter()
        .filter_map(|root| match &root.value {
            RootValue::LogIn(log_in) => Some((root, log_in)),
            _ => None,
        });
    for ((root, log_in), statement) in log_ins.zip(statements) {
        let text = |param: crate::plan::ParamId| match bindings.params.get(param.0) {
            Some(Bound::Text(text)) => text.as_str(),
            _ => "",
        };
        let at_root = |failure: Failure| {
            failure.with_path(vec![crate::error::PathSegment::Field(
                root.key.name().to_owned(),
            )])
        };
        let (context, token) = service
            .guard
            .log_in(context, text(log_in.email), text(log_in.password))
            .await
            .map_err(at_root)?;
        let rows = match statement {
            Some(statement) => {
                let bindings = compiled.bind(&operation.variables, viewer(&context).as_deref())?;
                service
                    .sessions
                    .open(&context)
                    .await?
                    .read(statement, &bindings)
                    .await?
            }
            None => Vec::new(),
        };
        done.push((token, rows));
    }
    Ok(done)
}

/// The part of the answer that async-graphql gives.
async fn introspection(
    api: &Api,
    compiled: &Compiled,
    operation: &Operation,
) -> Result<Option<serde_json::Value>, Vec<Failure>> {
    if !compiled.introspects() {
        return Ok(None);
    }
    let selected = compiled
        .document
        .operation(operation.name.as_deref())
        .map_err(|error| one(error.into()))?;
    let response = introspect(api, &compiled.document, selected, &operation.variables).await;
    if let Some(error) = response.errors.first() {
        return Err(one(Failure::new(
            Code::GraphqlValidationFailed,
            error.message.clone(),
        )));
    }
    response
        .data
        .into_json()
        .map(Some)
        .map_err(|error| one(Failure::internal(error)))
}

fn encode(
    compiled: &Compiled,
    bindings: &Bindings,
    outcome: &Outcome,
    introspection: Option<&serde_json::Value>,
) -> Result<Vec<u8>, Failure> {
    let mut body = encode::Body::new(bindings);
    let (mut column, mut log_in) = (0, 0);
    for root in &compiled.plan.roots {
        let source = match (&root.value, outcome) {
            (RootValue::Introspection, _) => {
                let value = introspection.and_then(|data| data.get(root.key.name()));
                value.map_or(Source::Plan, Source::Json)
            }
            (RootValue::Connection(_) | RootValue::Row(_), Outcome::Rows(rows, Layout::Flat)) => {
                Source::Rows(rows)
            }
            (
                RootValue::Connection(_) | RootValue::Row(_),
                Outcome::Rows(rows, Layout::Columns),
            ) => {
                column += 1;
                rows.first()
                    .map_or(Source::Plan, |row| Source::Column(row, column - 1))
            }
            (RootValue::LogIn(_), Outcome::LogIns(done)) => {
                log_in += 1;
                done.get(log_in - 1)
                    .map_or(Source::Plan, |(token, user)| Source::LogIn {
                        access_token: token.as_str(),
                        user,
                    })
            }
            _ => Source::Plan,
        };
        body.root(root, source).map_err(Failure::internal)?;
    }
    let (mut out, errors) = body.finish();
    transport::close(&mut out, errors);
    Ok(out)
}
