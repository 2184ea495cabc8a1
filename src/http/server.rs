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
use tower_http::cors::Cors;
use tower_service::Service;

use super::client::Peer;
use super::{cors, endpoint};

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
    let api = Api(Arc::clone(&service));
    let api = match &service.origins[..] {
        [] => Entrance::Plain(api),
        origins => Entrance::Cors(Box::new(cors::around(api, origins))),
    };
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
            api: api.clone(),
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

/// What comes of a request.
type Answer = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// Tells each request of a connection who is at its other end, and takes those to `/graphql`, which are nearly
/// all, there without a look at the other routes.
#[derive(Clone)]
struct Front {
    api: Entrance,
    others: Router,
    peer: SocketAddr,
}

/// How requests come to `/graphql`.
#[derive(Clone)]
enum Entrance {
    Plain(Api),
    /// Browsers are told which pages may send them.
    Cors(Box<Cors<Api>>),
}

#[derive(Clone)]
struct Api(Arc<super::Service>);

impl Service<Request<Body>> for Api {
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        let service = Arc::clone(&self.0);
        Box::pin(async move { Ok(endpoint::graphql(service, request).await) })
    }
}

impl Service<Request<Incoming>> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // What a router is always.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(self.peer));
        match &mut self.api {
            _ if request.uri().path() != super::GRAPHQL => Box::pin(self.others.call(request)),
            Entrance::Plain(api) => api.call(request),
            Entrance::Cors(api) => Box::pin(api.call(request)),
        }
    }
}
