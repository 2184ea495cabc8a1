//! What a request costs on the way to Postgres: one round trip when warm, none when it touches no table.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::Service;

const NESTED: &str =
    "{ projects { totalCount nodes { name issues(first: 2) { nodes { title assignee { name }
    comments { totalCount } } } } } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warm_query_takes_one_round_trip() {
    let service = Service::dev(&[]);
    let login = "create role counted login noinherit password 'counted'";
    service.psql().await.batch_execute(login).await.unwrap();
    let database = service.dir().read("database-url");
    let server = database.rsplit(['@', '/']).nth(1).unwrap();
    let proxy = Proxy::start(server.to_owned()).await;

    let requests = format!(
        "postgresql://counted:counted@127.0.0.1:{}/tenantry",
        proxy.port
    );
    let arguments = &["--lanes", "1", "--lane-connections", "1"];
    let replica = service.beside("counted", Some(&requests), arguments).await;

    let ada = service.tenant("acme").owner().await.at(&replica);
    for _ in 0..3 {
        ada.query(NESTED).await.data();
    }
    for _ in 0..5 {
        proxy.reset();
        ada.query(NESTED).await.data();
        assert_eq!(proxy.round_trips(), 1);
        proxy.reset();
        ada.query("{ __typename __schema { queryType { name } } }")
            .await
            .data();
        assert_eq!(proxy.round_trips(), 0);
    }
    // The second use of a query prepares it beside running it; the first does not even that.
    proxy.reset();
    ada.query("{ labels { nodes { name } } }").await.data();
    assert_eq!(proxy.round_trips(), 1);
}

/// Passes bytes between the service and Postgres, and counts how often the service speaks after it
/// has listened.
struct Proxy {
    port: u16,
    count: Arc<Count>,
}

#[derive(Default)]
struct Count {
    round_trips: AtomicUsize,
    service_speaks: AtomicBool,
}

impl Proxy {
    async fn start(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let count = Arc::new(Count::default());
        let counting = Arc::clone(&count);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(pass(from_client, to_server, Arc::clone(&counting), true));
                tokio::spawn(pass(from_server, to_client, Arc::clone(&counting), false));
            }
        });
        Self { port, count }
    }

    fn reset(&self) {
        self.count.round_trips.store(0, Ordering::SeqCst);
    }

    fn round_trips(&self) -> usize {
        self.count.round_trips.load(Ordering::SeqCst)
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    count: Arc<Count>,
    service: bool,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if service != count.service_speaks.swap(service, Ordering::SeqCst) && service {
            count.round_trips.fetch_add(1, Ordering::SeqCst);
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
