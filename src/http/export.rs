//! `/exports/<token>`, at the base domain: the archive of a tenant, to whom an operator's one-time address was given.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use tokio::io::{AsyncReadExt as _, DuplexStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::Service;
use crate::error::Failure;
use crate::guard::Site;
use crate::registry::TakenOffer;
use crate::request::RequestInfo;

/// Archives that one replica makes at the same time; each holds a connection, and the rows of one moment.
pub(crate) const AT_ONCE: usize = 2;

/// An archive takes no longer than that.
const LONGEST: Duration = Duration::from_hours(1);

/// A client that takes nothing for so long is gone.
const PATIENCE: Duration = Duration::from_mins(1);

const PIECE: usize = 64 << 10;

pub(super) async fn archive(
    State(service): State<Arc<Service>>,
    Path(token): Path<String>,
    request: Request<Body>,
) -> Response {
    let (parts, _) = request.into_parts();
    let client = service.proxies.client(&parts);
    let host = super::host(&parts.uri, &parts.headers).unwrap_or_default();
    // Whoever only looks (HEAD) leaves the address as it is.
    if parts.method != Method::GET {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")]).into_response();
    }
    if service.guard.site(host) != Site::Platform {
        return StatusCode::NOT_FOUND.into_response();
    }
    if service.addresses.arrive(client.ip).is_err() {
        return later(StatusCode::TOO_MANY_REQUESTS);
    }
    // First the place, then the offer, which there is only once.
    let Ok(place) = Arc::clone(&service.exports).try_acquire_owned() else {
        return later(StatusCode::SERVICE_UNAVAILABLE);
    };
    match service.registry.take_offer(&token).await {
        Ok(Some(offer)) => send(&service, offer, client, place),
        Ok(None) => {
            let message = "this address was used, or is too old: ask for another one\n";
            (StatusCode::NOT_FOUND, message).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "an archive cannot be offered");
            later(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

fn later(status: StatusCode) -> Response {
    (status, [(header::RETRY_AFTER, "10")], "try again later\n").into_response()
}

fn send(
    service: &Arc<Service>,
    offer: TakenOffer,
    client: RequestInfo,
    place: OwnedSemaphorePermit,
) -> Response {
    let name = format!("attachment; filename=\"{}.tar\"", offer.subdomain);
    let (writer, reader) = tokio::io::duplex(PIECE);
    let registry = Arc::clone(&service.registry);
    let pieces = Arc::new(AtomicU64::new(0));
    let taken = Arc::clone(&pieces);
    let write = async move {
        let _place = place;
        let fetch = async {
            tokio::select! {
                written = registry.fetch_export(&offer, client, writer) => written.map(drop),
                () = stalled(&taken) => Err(Failure::internal("the client takes nothing")),
            }
        };
        match timeout(LONGEST, fetch).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(failure)) => {
                let log = failure.log.as_ref().map(ToString::to_string);
                tracing::warn!(error = %failure, log, "an archive was not sent to its end");
                Err(io::Error::other("the archive cannot be made"))
            }
            Err(_) => Err(io::Error::other("the archive took too long")),
        }
    };
    let sending = Sending {
        reader,
        pieces,
        // Dropped with the body: when the client is gone, so is whoever writes for it.
        writing: Some(AbortOnDropHandle::new(tokio::spawn(write))),
    };
    let body = Body::from_stream(stream::unfold(sending, Sending::piece));
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_TYPE, "application/x-tar"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let fixed = fixed.map(|(name, value)| (name, HeaderValue::from_static(value)));
    headers.extend::<[(HeaderName, HeaderValue); 3]>(fixed);
    headers.extend(HeaderValue::try_from(name).map(|name| (header::CONTENT_DISPOSITION, name)));
    response
}

/// Ends when no piece has been taken for a while.
async fn stalled(taken: &AtomicU64) {
    let mut before = None;
    loop {
        let now = Some(taken.load(Ordering::Relaxed));
        if now == before {
            return;
        }
        before = now;
        sleep(PATIENCE).await;
    }
}

/// An archive on its way.
struct Sending {
    reader: DuplexStream,
    /// How many have been taken.
    pieces: Arc<AtomicU64>,
    writing: Option<AbortOnDropHandle<io::Result<()>>>,
}

impl Sending {
    /// The next piece. What has not come to its end is cut off, so that the client knows.
    async fn piece(mut self) -> Option<(io::Result<Bytes>, Self)> {
        let mut piece = vec![0; PIECE];
        match self.reader.read(&mut piece).await {
            Ok(0) => match self.writing.take()?.await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some((Err(error), self)),
                Err(error) => Some((Err(io::Error::other(error)), self)),
            },
            Ok(length) => {
                self.pieces.fetch_add(1, Ordering::Relaxed);
                piece.truncate(length);
                Some((Ok(piece.into()), self))
            }
            Err(error) => Some((Err(error), self)),
        }
    }
}
