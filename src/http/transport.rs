//! GraphQL over HTTP: what a request may look like, and with which status it is answered.
//! <https://graphql.github.io/graphql-over-http/draft/>

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::Value;

use crate::compile::Operation;
use crate::encode::{FieldError, PathSegment};
use crate::error::{self, Code, Failure};

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

/// Chooses by the Accept header: the better match wins, equal ones by their order.
pub(super) fn negotiate(headers: &HeaderMap) -> Result<Media, Response> {
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
        error_response(StatusCode::NOT_ACCEPTABLE, message)
    })
}

/// Reads the operation from the query string or the body.
pub(super) async fn read(
    parts: &Parts,
    body: Body,
    max_body: usize,
) -> Result<(Method, Operation), Response> {
    if parts.method == axum::http::Method::GET {
        let operation = from_query(parts.uri.query().unwrap_or_default())?;
        return Ok((Method::Get, operation));
    }
    if parts.method != axum::http::Method::POST {
        let mut response = error_response(
            StatusCode::METHOD_NOT_ALLOWED,
            "GraphQL is served by GET and POST",
        );
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
        return Err(response);
    }
    // Browsers send application/json to other origins only after having asked: no forged requests.
    let content_type = super::header(&parts.headers, &header::CONTENT_TYPE).unwrap_or_default();
    if !is_json(content_type) {
        let message = "send the request as Content-Type: application/json (in UTF-8)";
        return Err(error_response(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let bytes = axum::body::to_bytes(body, max_body).await.map_err(|_| {
        let message =
            format!("the request body must arrive whole and have at most {max_body} bytes");
        error_response(StatusCode::PAYLOAD_TOO_LARGE, &message)
    })?;
    let value = serde_json::from_slice(&bytes).map_err(|error| {
        error_response(
            StatusCode::BAD_REQUEST,
            &format!("the request body is not JSON: {error}"),
        )
    })?;
    let operation =
        from_json(value).map_err(|message| error_response(StatusCode::BAD_REQUEST, message))?;
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

fn from_query(query: &str) -> Result<Operation, Response> {
    let bad = |message: &str| error_response(StatusCode::BAD_REQUEST, message);
    let mut operation = Operation::default();
    let mut has_query = false;
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "query" => {
                operation.query = value.into_owned();
                has_query = true;
            }
            "operationName" if !value.is_empty() => operation.name = Some(value.into_owned()),
            "variables" if !value.is_empty() => {
                let value =
                    serde_json::from_str(&value).map_err(|_| bad("variables are not JSON"))?;
                operation.variables =
                    object(value).ok_or_else(|| bad("variables must be a JSON object"))?;
            }
            "extensions" if !value.is_empty() => {
                let value =
                    serde_json::from_str(&value).map_err(|_| bad("extensions are not JSON"))?;
                object(value).ok_or_else(|| bad("extensions must be a JSON object"))?;
            }
            _ => {}
        }
    }
    if has_query {
        Ok(operation)
    } else {
        Err(bad("the parameter query is missing"))
    }
}

fn from_json(value: Value) -> Result<Operation, &'static str> {
    let Value::Object(mut members) = value else {
        return Err("the request must be a JSON object with a query; batches are not served");
    };
    let Some(Value::String(query)) = members.remove("query") else {
        return Err("the member query is missing or not a string");
    };
    let name = match members.remove("operationName") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
        Some(_) => return Err("the member operationName is not a string"),
    };
    let variables = object(members.remove("variables").unwrap_or_default())
        .ok_or("the member variables is not an object")?;
    object(members.remove("extensions").unwrap_or_default())
        .ok_or("the member extensions is not an object")?;
    Ok(Operation {
        query,
        name,
        variables,
    })
}

/// Null counts as no members at all.
fn object(value: Value) -> Option<serde_json::Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        Value::Null => Some(serde_json::Map::new()),
        _ => None,
    }
}

/// A refusal that only HTTP knows: the right status is told by [`failed`].
pub(super) fn mutation_by_get() -> Failure {
    Failure::new(Code::BadUserInput, MUTATION_BY_GET)
}

const MUTATION_BY_GET: &str = "mutations are served by POST";

/// An answer with `data`.
pub(super) fn response(media: Media, body: Vec<u8>) -> Response {
    respond(StatusCode::OK, media, body)
}

/// The end of a response body: errors of fields, if any, and the closing brace.
pub(super) fn close(out: &mut Vec<u8>, errors: Vec<FieldError>) {
    let count = errors.len();
    for (index, error) in errors.into_iter().enumerate() {
        out.extend_from_slice(if index == 0 { b",\"errors\":[" } else { b"," });
        let path = error.path.into_iter().map(|segment| match segment {
            PathSegment::Key(key) => error::PathSegment::Field(key.into()),
            PathSegment::Index(index) => error::PathSegment::Index(index),
        });
        Failure::new(Code::Internal, error.message)
            .with_path(path.collect())
            .write_json(out);
    }
    out.extend_from_slice(if count > 0 { b"]}" } else { b"}" });
}

/// An answer without `data`: the request failed as a whole.
pub(super) fn failed(media: Media, mut failures: Vec<Failure>) -> Response {
    for failure in &mut failures {
        report(failure);
    }
    let mut body = b"{\"errors\":[".to_vec();
    for (index, failure) in failures.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        failure.write_json(&mut body);
    }
    body.extend_from_slice(b"]}");
    let mut response = respond(status(media, &failures), media, body);
    let retry = failures
        .iter()
        .find_map(|failure| failure.details.retry_after);
    if let Some(seconds) = retry {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// What is wrong with GraphQL itself is no concern of HTTP where the client only knows JSON.
fn status(media: Media, failures: &[Failure]) -> StatusCode {
    let Some(first) = failures.first() else {
        return StatusCode::INTERNAL_SERVER_ERROR;
    };
    if first.message == MUTATION_BY_GET {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    let of_graphql = matches!(
        first.code,
        Code::GraphqlParseFailed | Code::GraphqlValidationFailed | Code::BadUserInput
    );
    if media == Media::Json && of_graphql {
        return StatusCode::OK;
    }
    StatusCode::from_u16(first.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Logs what the client is not told, under an id that the client is told.
fn report(failure: &mut Failure) {
    let Some(cause) = &failure.log else { return };
    let id = uuid::Uuid::now_v7().simple().to_string();
    if failure.code == Code::Internal {
        tracing::error!(request.id = id, error = %cause, "internal error");
    } else {
        tracing::warn!(request.id = id, error.code = failure.code.as_str(), error = %cause, "request failed");
    }
    failure.details.request_id = Some(id);
}

/// A refusal outside of GraphQL requests.
pub(super) fn refusal(media: Media, failure: &Failure) -> Response {
    let mut body = b"{\"errors\":[".to_vec();
    failure.write_json(&mut body);
    body.extend_from_slice(b"]}");
    let status = StatusCode::from_u16(failure.code.http_status())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    respond(status, media, body)
}

fn error_response(status: StatusCode, message: &str) -> Response {
    let mut body = b"{\"errors\":[".to_vec();
    Failure::new(Code::BadUserInput, message.to_owned()).write_json(&mut body);
    body.extend_from_slice(b"]}");
    respond(status, Media::Json, body)
}

fn respond(status: StatusCode, media: Media, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media.content_type());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
