//! Accepts connections, and gives slow ones up.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower_service::Service;

use super::client::Peer;
use super::endpoint;

/// How long a client may take to send the head of a request, or to begin with the next one; longer
/// than proxies keep idle connections, so that it is they who close them.
const HEAD: Duration = Duration::from_secs(75);

/// The pause after a connection could not be accepted: the next try would fail like it at once.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` is over; then takes no more requests, and finishes those in flight.
pub(crate) async fn serve(
    listener: TcpListener,
    service: Arc<super::Service>,
    stop: impl Future<Output = ()>,
) {
    let others = super::router(Arc::clone(&service));
    let mut protocol = auto::Builder::new(TokioExecutor::new());
    protocol
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD);
    protocol
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD);
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // Answers are small and complete: nothing is gained by waiting for more of them.
        let _ = stream.set_nodelay(true);
        let front = TowerToHyperService::new(Front {
            service: Arc::clone(&service),
            others: others.clone(),
            peer,
        });
        let connection = protocol.serve_connection(TokioIo::new(stream), front);
        let connection = connections.watch(connection.into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    connections.shutdown().await;
}

/// Tells each request of a connection who is at its other end, and takes those to `/graphql`, which are nearly
/// all, there without a look at the other routes, unless browsers are to be told which pages may send them.
#[derive(Clone)]
struct Front {
    service: Arc<super::Service>,
    others: Router,
    peer: SocketAddr,
}

impl Service<Request<Incoming>> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // What a router is always.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(self.peer));
        if request.uri().path() == super::GRAPHQL && self.service.origins.is_empty() {
            let service = Arc::clone(&self.service);
            Box::pin(async move { Ok(endpoint::graphql(service, request).await) })
        } else {
            Box::pin(self.others.call(request))
        }
    }
}
