//! The base domain's API, which async-graphql executes itself.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Variables};
use serde_json::Value;

use super::Service;
use super::transport::{Method, Refusal, Reply};
use crate::compile::Operation;
use crate::error::{self, Code, Failure};
use crate::guard::{Cookies, PlatformIdentity};
use crate::plan;
use crate::request::RequestInfo;

/// Who sent the request, from where, and with which cookies.
pub(super) struct Visit<'r> {
    pub(super) client: &'r RequestInfo,
    pub(super) identity: PlatformIdentity,
    pub(super) cookies: Cookies,
}

pub(super) async fn answer(
    service: &Service,
    visit: Visit<'_>,
    method: Method,
    operation: Operation,
) -> Result<Reply, Refusal> {
    let client = visit.client;
    let cookies = Arc::new(visit.cookies);
    // The base domain keeps no documents; a client that hears this sends the text.
    if operation.query.is_empty() {
        let failure = Failure::new(Code::PersistedQueryNotFound, "PersistedQueryNotFound");
        return Err(failure.into());
    }
    let document = plan::parse(&operation.query).map_err(Failure::from)?;
    let mutates = document.operations.iter().any(|(name, definition)| {
        let selected = operation
            .name
            .as_deref()
            .is_none_or(|wanted| name.is_some_and(|name| name == wanted));
        selected && definition.node.ty != OperationType::Query
    });
    if method == Method::Get && mutates {
        return Err(Refusal::mutation_by_get());
    }
    let mut request = Request::new(String::new())
        .variables(Variables::from_json(Value::Object(operation.variables)))
        .data(client.clone())
        .data(visit.identity)
        .data(Arc::clone(&cookies));
    if let Some(name) = operation.name {
        request = request.operation_name(name);
    }
    request.set_parsed_query(document);
    let mut response = service.platform.execute(request).await;
    for error in &mut response.errors {
        log(client, error);
    }
    // No path: it failed before anything was executed.
    if response.errors.iter().any(|error| error.path.is_empty()) {
        let failures: Vec<_> = response.errors.iter().map(invalid).collect();
        return Err(failures.into());
    }
    Ok(Reply {
        body: serde_json::to_vec(&response).map_err(Failure::internal)?,
        outdated: false,
        complexity: None,
        cookies: service.cookies.changed(&cookies),
    })
}

fn invalid(error: &async_graphql::ServerError) -> Failure {
    let mut failure = Failure::new(Code::GraphqlValidationFailed, error.message.clone());
    let number = |value: usize| u32::try_from(value).unwrap_or_default();
    failure.locations = error
        .locations
        .iter()
        .map(|pos| (number(pos.line), number(pos.column)))
        .collect();
    failure
}

/// What the client is not told goes to the log, under an id that the client is told.
fn log(client: &RequestInfo, error: &mut async_graphql::ServerError) {
    if let Some(failure) = error.source::<Failure>()
        && let Some(cause) = &failure.log
    {
        let cause = cause.to_string();
        tracing::error!(
            request.id = &*client.id, error.code = failure.code.as_str(), error = %error::clipped(&cause),
            "request failed"
        );
        let extensions = error.extensions.get_or_insert_default();
        extensions.set("requestId", &*client.id);
    }
}
