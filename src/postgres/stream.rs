//! An authenticated connection's bare byte stream, for who speaks the protocol from there on.
//!
//! tokio-postgres does what is hard to get right and done once: TLS, SCRAM, the startup. It is lent
//! the socket for that time, and takes nothing along.

use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio_postgres::config::{Host, LoadBalanceHosts, TargetSessionAttrs};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{Client, Config, Connection, SimpleQueryMessage};

use super::connect::Database;
use super::tls::Tls;

/// A byte stream in both directions.
pub trait Socket: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Socket for T {}

pub type Stream = Box<dyn Socket>;

/// Why there is no stream.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    #[error("the server is not of the kind that target_session_attrs asks for")]
    OtherKind,
}

impl Database {
    /// Connects and logs in, to the first host that lets us.
    pub async fn stream(&self) -> Result<Stream, StreamError> {
        let config = self.config();
        let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
        let mut order: Vec<_> = (0..hosts.len().max(addresses.len())).collect();
        if config.get_load_balance_hosts() == LoadBalanceHosts::Random {
            use rand::seq::SliceRandom as _;
            order.shuffle(&mut rand::rng());
        }
        let mut failure = io::Error::other("the database URL names no host").into();
        for index in order {
            let ports = config.get_ports();
            let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
            let name = match hosts.get(index) {
                Some(Host::Unix(directory)) => {
                    match self.unix(directory.join(format!(".s.PGSQL.{port}"))).await {
                        Ok(stream) => return Ok(stream),
                        Err(error) => failure = error,
                    }
                    continue;
                }
                Some(Host::Tcp(name)) => Some(name.as_str()),
                None => None,
            };
            let address = addresses.get(index).map(ToString::to_string);
            let Some(target) = address.as_deref().or(name) else {
                continue;
            };
            match lookup_host((target, port)).await {
                Ok(found) => {
                    for address in found {
                        match self.tcp(address, name).await {
                            Ok(stream) => return Ok(stream),
                            Err(error) => failure = error,
                        }
                    }
                }
                Err(error) => failure = error.into(),
            }
        }
        Err(failure)
    }

    async fn unix(&self, path: std::path::PathBuf) -> Result<Stream, StreamError> {
        let socket = within(self.config(), UnixStream::connect(path)).await?;
        log_in(socket, None, self.config(), self.tls()).await
    }

    async fn tcp(
        &self,
        address: std::net::SocketAddr,
        name: Option<&str>,
    ) -> Result<Stream, StreamError> {
        let config = self.config();
        let socket = within(config, TcpStream::connect(address)).await?;
        socket.set_nodelay(true)?;
        let options = SockRef::from(&socket);
        if config.get_keepalives() {
            let mut keepalive = TcpKeepalive::new().with_time(config.get_keepalives_idle());
            if let Some(interval) = config.get_keepalives_interval() {
                keepalive = keepalive.with_interval(interval);
            }
            if let Some(retries) = config.get_keepalives_retries() {
                keepalive = keepalive.with_retries(retries);
            }
            options.set_tcp_keepalive(&keepalive)?;
        }
        #[cfg(target_os = "linux")]
        options.set_tcp_user_timeout(config.get_tcp_user_timeout().copied())?;
        log_in(socket, name, config, self.tls()).await
    }
}

async fn within<T>(
    config: &Config,
    connecting: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    let limit = config.get_connect_timeout().copied();
    tokio::time::timeout(limit.unwrap_or(Duration::MAX), connecting)
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

async fn log_in<S: Socket + 'static>(
    socket: S,
    name: Option<&str>,
    config: &Config,
    tls: Tls,
) -> Result<Stream, StreamError> {
    let plain = Lent::new(socket);
    let encrypted = Lent::empty();
    let tls = LendingTls {
        inner: make_tls::<S>(tls, name.unwrap_or_default())?,
        encrypted: encrypted.clone(),
    };
    let (client, mut connection) = config.connect_raw(plain.clone(), tls).await?;
    check_kind(&client, &mut connection, config.get_target_session_attrs()).await?;
    // The server has said that it is ready and will not speak before it is asked: nothing is lost
    // with what tokio-postgres keeps beside the socket.
    drop((client, connection));
    if let Some(stream) = encrypted.take() {
        return Ok(Box::new(stream)); // with the socket lent to it
    }
    match plain.take() {
        Some(stream) => Ok(Box::new(stream)),
        None => Err(io::Error::from(io::ErrorKind::NotConnected).into()),
    }
}

fn make_tls<S: Socket + 'static>(
    mut tls: Tls,
    name: &str,
) -> io::Result<<Tls as MakeTlsConnect<Lent<S>>>::TlsConnect> {
    MakeTlsConnect::<Lent<S>>::make_tls_connect(&mut tls, name).map_err(io::Error::other)
}

/// Whether the server is as `target_session_attrs` wants it.
async fn check_kind<S, T>(
    client: &Client,
    connection: &mut Connection<S, T>,
    wanted: TargetSessionAttrs,
) -> Result<(), StreamError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: TlsStream + Unpin,
{
    if wanted == TargetSessionAttrs::Any {
        return Ok(());
    }
    let mut asked = pin!(client.simple_query("show transaction_read_only"));
    let messages = tokio::select! {
        messages = &mut asked => messages?,
        ended = connection => {
            ended?;
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    };
    let read_only = messages
        .iter()
        .any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("on")));
    if read_only == (wanted == TargetSessionAttrs::ReadOnly) {
        Ok(())
    } else {
        Err(StreamError::OtherKind)
    }
}

/// A stream that can be taken back from whoever it was lent to.
struct Lent<S>(Arc<Mutex<Option<S>>>);

impl<S> Lent<S> {
    fn new(stream: S) -> Self {
        Self(Arc::new(Mutex::new(Some(stream))))
    }

    fn empty() -> Self {
        Self(Arc::default())
    }

    fn slot(&self) -> MutexGuard<'_, Option<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<S> {
        self.slot().take()
    }
}

impl<S> Clone for Lent<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Unpin> Lent<S> {
    fn poll<T>(&self, f: impl FnOnce(Pin<&mut S>) -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match self.slot().as_mut() {
            Some(stream) => f(Pin::new(stream)),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lent<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_read(context, buffer))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lent<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll(|stream| stream.poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_shutdown(context))
    }
}

impl<S: TlsStream + Unpin> TlsStream for Lent<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.slot()
            .as_ref()
            .map_or_else(ChannelBinding::none, TlsStream::channel_binding)
    }
}

/// A TLS handshake whose stream can be taken back too.
struct LendingTls<T, E> {
    inner: T,
    encrypted: Lent<E>,
}

impl<S, T> TlsConnect<S> for LendingTls<T, T::Stream>
where
    T: TlsConnect<S>,
    T::Future: Send + 'static,
    T::Stream: Send + 'static,
{
    type Stream = Lent<T::Stream>;
    type Error = T::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, T::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let handshake = self.inner.connect(stream);
        let encrypted = self.encrypted;
        Box::pin(async move {
            let stream = handshake.await?;
            *encrypted.slot() = Some(stream);
            Ok(encrypted)
        })
    }
}
