//! GraphQL over HTTP: what a request may look like, and with which status it is answered.
//! <https://graphql.github.io/graphql-over-http/draft/>

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value};

use super::client::REQUEST_ID;
use crate::documents::{DocumentId, Operation};
use crate::error::{Code, Failure};
use crate::request::RequestInfo;

/// The most errors of an answer without data.
const MOST_ERRORS: usize = 20;

/// Tells clients how close they are to the limit.
pub(super) const COMPLEXITY: HeaderName = HeaderName::from_static("x-complexity");

/// How long a client may take to send a request's body.
const READ_BODY: Duration = Duration::from_secs(30);

/// The media type of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status says how it went.
    GraphqlResponse,
    /// `application/json`: a well-formed request is answered with 200, whatever came of it.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
}

impl Media {
    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }
}

/// Why there is no answer with `data`.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The request is not one of GraphQL over HTTP.
    Http(StatusCode, Cow<'static, str>),
    /// It is, and failed as a whole.
    Graphql(Vec<Failure>),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Graphql(vec![failure])
    }
}

impl From<Vec<Failure>> for Refusal {
    fn from(failures: Vec<Failure>) -> Self {
        Self::Graphql(failures)
    }
}

impl Refusal {
    pub(super) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Http(StatusCode::BAD_REQUEST, message.into())
    }

    /// The host at which a tenant that has moved is now.
    pub(super) fn moved_to(&self) -> Option<&str> {
        match self {
            Self::Http(..) => None,
            Self::Graphql(failures) => failures.first()?.details.moved_to.as_deref(),
        }
    }

    /// The tenant's tables may be of another version than what the request was answered by, and nothing was done.
    pub(super) fn is_outdated(&self) -> bool {
        match self {
            Self::Http(..) => false,
            Self::Graphql(failures) => failures.first().is_some_and(|failure| failure.outdated),
        }
    }

    /// GET is for reading, so that links and prefetches change nothing.
    pub(super) fn mutation_by_get() -> Self {
        Self::Http(
            StatusCode::METHOD_NOT_ALLOWED,
            "mutations are served by POST".into(),
        )
    }
}

/// Chooses by the Accept header: the better match wins, equal ones by their order.
pub(super) fn negotiate(headers: &HeaderMap) -> Result<Media, Refusal> {
    let Some(accept) = super::header(headers, &header::ACCEPT) else {
        return Ok(Media::Json);
    };
    let mut best: Option<(Media, f32)> = None;
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let media = match parts
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
            .as_str()
        {
            "application/graphql-response+json" => Media::GraphqlResponse,
            "application/json" | "application/*" | "*/*" => Media::Json,
            _ => continue,
        };
        let quality = parts
            .find_map(|part| part.strip_prefix("q=")?.parse().ok())
            .unwrap_or(1.0);
        if quality > best.map_or(0.0, |(_, quality)| quality) {
            best = Some((media, quality));
        }
    }
    best.map(|(media, _)| media).ok_or_else(|| {
        let message = "answers are application/graphql-response+json or application/json";
        Refusal::Http(StatusCode::NOT_ACCEPTABLE, message.into())
    })
}

/// Reads the operation from the query string or the body.
pub(super) async fn read(
    parts: &Parts,
    body: Body,
    max_body: usize,
) -> Result<(Method, Operation), Refusal> {
    if parts.method == axum::http::Method::GET {
        let operation = from_query(parts.uri.query().unwrap_or_default())?;
        return Ok((Method::Get, operation));
    }
    if parts.method != axum::http::Method::POST {
        let message = "GraphQL is served by GET and POST";
        return Err(Refusal::Http(
            StatusCode::METHOD_NOT_ALLOWED,
            message.into(),
        ));
    }
    // Browsers send application/json to other origins only after having asked: no forged requests.
    let content_type = super::header(&parts.headers, &header::CONTENT_TYPE).unwrap_or_default();
    if !is_json(content_type) {
        let message = "send the request as Content-Type: application/json (in UTF-8)";
        return Err(Refusal::Http(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            message.into(),
        ));
    }
    let reading = tokio::time::timeout(READ_BODY, axum::body::to_bytes(body, max_body));
    let bytes = reading.await.map_err(|_| {
        let message = "the request body did not arrive in time";
        Refusal::Http(StatusCode::REQUEST_TIMEOUT, message.into())
    })?;
    let bytes = bytes.map_err(|_| {
        let message =
            format!("the request body must arrive whole and have at most {max_body} bytes");
        Refusal::Http(StatusCode::PAYLOAD_TOO_LARGE, message.into())
    })?;
    let operation = from_json(members_of(&bytes)?).map_err(Refusal::bad_request)?;
    Ok((Method::Post, operation))
}

fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let json = parts
        .next()
        .is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    json && parts.all(|part| {
        let charset = part.to_ascii_lowercase();
        charset
            .strip_prefix("charset=")
            .is_none_or(|name| matches!(name.trim_matches('"'), "utf-8" | "utf8"))
    })
}

fn from_query(query: &str) -> Result<Operation, Refusal> {
    let mut operation = Operation::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "query" => operation.query = value.into_owned(),
            "documentId" if !value.is_empty() => {
                operation.document = Some(DocumentId::Id(value.into_owned()));
            }
            "operationName" if !value.is_empty() => operation.name = Some(value.into_owned()),
            "variables" if !value.is_empty() => operation.variables = members("variables", &value)?,
            "extensions" if !value.is_empty() => {
                let extensions = members("extensions", &value)?;
                let hash = persisted(&extensions).map_err(Refusal::bad_request)?;
                operation.document = operation.document.or(hash);
            }
            _ => {}
        }
    }
    if operation.query.is_empty() && operation.document.is_none() {
        return Err(Refusal::bad_request("the parameter query is missing"));
    }
    Ok(operation)
}

/// A parameter of the query string that holds a JSON object.
fn members(name: &str, text: &str) -> Result<Map<String, Value>, Refusal> {
    let value = serde_json::from_str(text)
        .map_err(|_| Refusal::bad_request(format!("the parameter {name} is not JSON")))?;
    object(value)
        .ok_or_else(|| Refusal::bad_request(format!("the parameter {name} is not an object")))
}

/// What a request may have. Others are left alone, as the specification wants it.
#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Members {
    query: Value,
    document_id: Value,
    operation_name: Value,
    variables: Value,
    extensions: Value,
}

fn members_of(body: &[u8]) -> Result<Members, Refusal> {
    let not_read = |error: serde_json::Error| {
        let problem = if error.is_data() {
            "cannot be read"
        } else {
            "is not JSON"
        };
        Refusal::bad_request(format!("the request body {problem}: {error}"))
    };
    if body.trim_ascii_start().starts_with(b"{") {
        return serde_json::from_slice(body).map_err(not_read);
    }
    serde_json::from_slice::<Value>(body).map_err(not_read)?;
    let message = "the request must be a JSON object with a query; batches are not served";
    Err(Refusal::bad_request(message))
}

fn from_json(members: Members) -> Result<Operation, Cow<'static, str>> {
    let query = match members.query {
        Value::Null => String::new(),
        Value::String(query) => query,
        _ => return Err("the member query is not a string".into()),
    };
    let id = match members.document_id {
        Value::Null => None,
        Value::String(id) => Some(DocumentId::Id(id)),
        _ => return Err("the member documentId is not a string".into()),
    };
    let name = match members.operation_name {
        Value::Null => None,
        Value::String(name) => Some(name).filter(|name| !name.is_empty()),
        _ => return Err("the member operationName is not a string".into()),
    };
    let variables = object(members.variables).ok_or("the member variables is not an object")?;
    let extensions = object(members.extensions).ok_or("the member extensions is not an object")?;
    let document = match id {
        Some(id) => Some(id),
        None => persisted(&extensions)?,
    };
    if query.is_empty() && document.is_none() {
        return Err("the member query is missing".into());
    }
    Ok(Operation {
        query,
        document,
        name,
        variables,
    })
}

/// The hash in `extensions.persistedQuery`.
fn persisted(extensions: &Map<String, Value>) -> Result<Option<DocumentId>, Cow<'static, str>> {
    let persisted = extensions.get("persistedQuery");
    let Some(persisted) = persisted.filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    match (&persisted["version"], &persisted["sha256Hash"]) {
        (Value::Number(version), Value::String(hash)) if version.as_u64() == Some(1) => {
            Ok(Some(DocumentId::Hash(hash.clone())))
        }
        _ => Err("extensions.persistedQuery must be {version: 1, sha256Hash: \"…\"}".into()),
    }
}

/// Null counts as no members at all.
fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        Value::Null => Some(Map::new()),
        _ => None,
    }
}

/// An answer with `data`.
pub(super) struct Reply {
    pub(super) body: Vec<u8>,
    /// Some of what was read is not what the API says: it may be that of another version.
    pub(super) outdated: bool,
    /// How many values it could have had.
    pub(super) complexity: Option<u64>,
    pub(super) cookies: Vec<HeaderValue>,
}

pub(super) fn response(media: Media, client: &RequestInfo, reply: Reply) -> Response {
    let mut response = respond(StatusCode::OK, media, client, reply.body);
    if let Some(complexity) = reply.complexity {
        response.headers_mut().insert(COMPLEXITY, complexity.into());
    }
    for cookie in reply.cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// An answer without `data`.
pub(super) fn refused(media: Media, client: &RequestInfo, refusal: Refusal) -> Response {
    let (status, failures) = match refusal {
        Refusal::Http(status, message) => (status, vec![Failure::new(Code::BadUserInput, message)]),
        Refusal::Graphql(mut failures) => {
            cap(&mut failures);
            for failure in &mut failures {
                failure.report(&client.id);
            }
            (status(media, &failures), failures)
        }
    };
    let mut body = b"{\"errors\":[".to_vec();
    for (index, failure) in failures.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        failure.write_json(&mut body);
    }
    body.extend_from_slice(b"]}");
    let mut response = respond(status, media, client, body);
    let headers = response.headers_mut();
    if let Some(seconds) = failures
        .iter()
        .find_map(|failure| failure.details.retry_after)
    {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
    }
    response
}

/// What is wrong with GraphQL itself is no concern of HTTP where the client only knows JSON.
fn status(media: Media, failures: &[Failure]) -> StatusCode {
    let code = failures
        .first()
        .map_or(Code::Internal, |failure| failure.code);
    let of_graphql = matches!(
        code,
        Code::GraphqlParseFailed
            | Code::GraphqlValidationFailed
            | Code::PersistedQueryNotFound
            | Code::BadUserInput
    );
    if media == Media::Json && of_graphql {
        return StatusCode::OK;
    }
    StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A few errors tell what is wrong; thousands of them would be a larger answer than any request
/// deserves.
fn cap(failures: &mut Vec<Failure>) {
    let more = failures.len().saturating_sub(MOST_ERRORS);
    failures.truncate(MOST_ERRORS);
    if let Some(last) = failures.last_mut().filter(|_| more > 0) {
        last.message = format!("{} (and {more} more errors)", last.message).into();
    }
}

fn respond(status: StatusCode, media: Media, client: &RequestInfo, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media.content_type());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(&client.id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
