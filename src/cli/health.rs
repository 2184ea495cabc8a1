//! `tenantry health`: asks the service on this machine whether it is well, for images that have no curl.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

/// Shorter than what container runtimes wait by default.
const LIMIT: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where the service listens.
    #[arg(
        long,
        env = "TENANTRY_LISTEN",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8080"
    )]
    listen: SocketAddr,

    /// Asks whether it can answer requests (/readyz), and not only whether it runs (/healthz).
    #[arg(long)]
    ready: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let path = if arguments.ready {
        "/readyz"
    } else {
        "/healthz"
    };
    let address = reachable(arguments.listen);
    let answer = ask(address, path).with_context(|| format!("no answer from {address}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    // "HTTP/1.1 200 OK"
    let status = head.split(' ').nth(1).unwrap_or_default();
    anyhow::ensure!(status == "200", "{status} {}", body.trim());
    Ok(())
}

/// All addresses of this machine are no address to connect to.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    match listen {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    listen
}

fn ask(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Asks a server that gives this answer; the result is the outcome and what it was asked.
    fn health(answer: &'static str) -> (anyhow::Result<()>, String) {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let listen = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let outcome = run(&Arguments {
            listen,
            ready: true,
        });
        (outcome, server.join().unwrap())
    }

    #[test]
    fn only_200_is_well() {
        let (outcome, request) = health("HTTP/1.1 200 OK\r\n\r\nready\n");
        outcome.unwrap();
        assert!(request.starts_with("GET /readyz HTTP/1.1\r\n"), "{request}");

        let answer = "HTTP/1.1 503 Service Unavailable\r\n\r\nthe database does not answer\n";
        let refused = health(answer).0.unwrap_err().to_string();
        assert_eq!(refused, "503 the database does not answer");

        health("").0.unwrap_err();
    }

    #[test]
    fn nobody_there_is_not_well() {
        let gone = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = gone.local_addr().unwrap();
        drop(gone);
        let refused = run(&Arguments {
            listen,
            ready: false,
        });
        assert!(refused.unwrap_err().to_string().starts_with("no answer"));
    }
}
