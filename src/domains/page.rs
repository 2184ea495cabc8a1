//! A page that the owner of a domain puts there, fetched so that nothing else can be reached by it: from public addresses
//! only, by a plain GET at port 80, without following anybody anywhere.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::address::is_public;
use crate::dns::{Dns, DnsError};
use crate::names::DomainName;

const CONNECT_WITHIN: Duration = Duration::from_secs(2);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The most bytes that are read of an answer, its head included.
const LARGEST: u64 = 16 << 10;

/// Addresses of one domain that are tried.
const MOST_ADDRESSES: usize = 3;

/// Fetches pages.
pub(super) struct Pages {
    proxy: Option<SocketAddr>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    #[error(transparent)]
    Dns(#[from] DnsError),
    #[error("the domain has no public address")]
    NotPublic,
    #[error("no answer: {0}")]
    Io(#[from] io::Error),
    #[error("no answer in time")]
    Late,
}

impl Pages {
    pub(super) fn new(proxy: Option<SocketAddr>) -> Self {
        Self { proxy }
    }

    /// Whether a page of a domain has this line.
    pub(super) async fn has_line(
        &self,
        dns: &Dns,
        name: &DomainName,
        path: &str,
        line: &str,
    ) -> Result<bool, PageError> {
        let (addresses, target) = match self.proxy {
            Some(proxy) => (vec![proxy], format!("http://{name}{path}")),
            None => (public_addresses(dns, name).await?, path.to_owned()),
        };
        let fetch = fetch(&addresses, name, &target);
        let answer = timeout(ANSWER_WITHIN, fetch).await;
        Ok(shows(&answer.map_err(|_| PageError::Late)??, line))
    }
}

/// What the name leads to is asked once: the connection goes there, whatever it leads to a moment later.
async fn public_addresses(dns: &Dns, name: &DomainName) -> Result<Vec<SocketAddr>, PageError> {
    let found = dns.addresses(name.as_str()).await?;
    let public = found.into_iter().filter(|address| is_public(*address));
    let addresses: Vec<_> = public.take(MOST_ADDRESSES).collect();
    if addresses.is_empty() {
        return Err(PageError::NotPublic);
    }
    Ok(addresses
        .into_iter()
        .map(|address| SocketAddr::new(address, 80))
        .collect())
}

async fn fetch(
    addresses: &[SocketAddr],
    name: &DomainName,
    target: &str,
) -> Result<Vec<u8>, PageError> {
    let mut stream = Err(PageError::NotPublic);
    for address in addresses {
        stream = match timeout(CONNECT_WITHIN, TcpStream::connect(address)).await {
            Ok(stream) => stream.map_err(PageError::Io),
            Err(_) => Err(PageError::Late),
        };
        if stream.is_ok() {
            break;
        }
    }
    let mut stream = stream?;
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: tenantry/{}\r\nAccept: text/plain\r\nConnection: close\r\n\r\n",
        env!("CARGO_PKG_VERSION")
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(LARGEST).read_to_end(&mut answer).await?;
    Ok(answer)
}

/// Whether an answer is a page with the line. Lines are looked at one by one, so that it does not matter whether the
/// body comes as a whole or in chunks.
fn shows(answer: &[u8], line: &str) -> bool {
    let answer = String::from_utf8_lossy(answer);
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return false;
    };
    let mut status = head.lines().next().unwrap_or_default().split(' ');
    let is_http = status
        .next()
        .is_some_and(|version| version.starts_with("HTTP/1."));
    is_http && status.next() == Some("200") && body.lines().any(|found| found.trim() == line)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn only_a_page_that_is_there_counts() {
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\nA: b\r\n\r\nproof", true),
            ("HTTP/1.0 200\r\n\r\nproof\n", true),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nproof\r\n0\r\n\r\n",
                true,
            ),
            ("HTTP/1.1 404 Not Found\r\n\r\nproof", false),
            ("HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\nproof", false),
            ("HTTP/1.1 200 OK\r\nX: proof\r\n\r\n", false),
            ("HTTP/1.1 200 OK\r\n\r\nno proof here", false),
            ("HTTP/1.1 200 OK\r\n\r\n<p>proof</p>", false),
            ("SSH-2.0 200 \r\n\r\nproof", false),
            ("proof", false),
            ("", false),
        ] {
            assert_eq!(shows(answer.as_bytes(), "proof"), expected, "{answer:?}");
        }
    }

    #[tokio::test]
    async fn an_answer_without_end_is_cut_off() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"GET /x HTTP/1.1\r\nHost: app.acme.test\r\n"));
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        });
        let name = DomainName::parse("app.acme.test").unwrap();
        let closed = SocketAddr::from(([127, 0, 0, 1], 1));
        let answer = fetch(&[closed, address], &name, "/x").await.unwrap();
        assert_eq!(answer.len(), 16 << 10);
    }
}
