//! Who sent a request: the address at the other end of the connection, or what trusted proxies say of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use uuid::{Builder, Uuid};

use crate::request::RequestInfo;

/// Tells clients by which name to ask about a request.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The most characters of a `User-Agent` that are kept.
const LONGEST_USER_AGENT: usize = 300;

/// The longest id that a proxy may give a request.
const LONGEST_ID: usize = 100;

/// The other end of the connection that a request came by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Which proxies are believed, and by which header they tell the client's address.
#[derive(Debug, Clone)]
pub(crate) struct Proxies {
    pub(crate) trusted: Vec<Network>,
    pub(crate) header: HeaderName,
}

impl Proxies {
    /// Where the request comes from, and what it is called.
    pub(super) fn client(&self, parts: &Parts) -> RequestInfo {
        let peer = parts.extensions.get::<Peer>();
        let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |Peer(peer)| {
            peer.ip().to_canonical()
        });
        let trusted = self.trusts(peer);
        let given = trusted.then(|| given_id(parts)).flatten();
        RequestInfo {
            ip: if trusted {
                self.behind(peer, parts)
            } else {
                peer
            },
            user_agent: user_agent(parts),
            id: given.unwrap_or_else(|| {
                let id = new_id().simple();
                Arc::from(&*id.encode_lower(&mut Uuid::encode_buffer()))
            }),
        }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// Each proxy appends whom it heard from. So they are read from the last to the first, up to
    /// whom nobody vouches for: what stands before may be made up.
    fn behind(&self, peer: IpAddr, parts: &Parts) -> IpAddr {
        let mut client = peer;
        let values = parts.headers.get_all(&self.header);
        let values: Vec<_> = values.iter().map(HeaderValue::to_str).collect();
        for value in values.into_iter().rev() {
            let Ok(value) = value else { return client };
            for hop in value.rsplit(',') {
                let address = if self.header == header::FORWARDED {
                    forwarded_for(hop)
                } else {
                    address(hop)
                };
                let Some(address) = address else {
                    return client;
                };
                client = address;
                if !self.trusts(client) {
                    return client;
                }
            }
        }
        client
    }
}

/// An address with or without its port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse::<IpAddr>();
    let address = address.or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    Some(address.ok()?.to_canonical())
}

/// The address in `for=192.0.2.43;proto=https` or `for="[2001:db8::1]:4711"` (RFC 7239, section 4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    address(node.trim().trim_matches('"'))
}

fn user_agent(parts: &Parts) -> Option<Arc<str>> {
    let text = super::header(&parts.headers, &header::USER_AGENT)?;
    Some(text[..text.floor_char_boundary(LONGEST_USER_AGENT)].into())
}

/// The id that a trusted proxy gave the request, if it is one that may stand in a log.
fn given_id(parts: &Parts) -> Option<Arc<str>> {
    let id = super::header(&parts.headers, &REQUEST_ID)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:+/=".contains(&b);
    let fits = (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(plain);
    fits.then(|| id.into())
}

/// Addresses that begin alike: `10.0.0.0/8`, `2001:db8::/32`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    /// The bits that are the same.
    bits: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a network is an address, or the beginning of addresses like 10.0.0.0/8")]
pub(crate) struct NetworkError;

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        let same = |a: u128, b: u128, width: u32| {
            // Shifting by the whole width is no shift at all.
            (a ^ b).checked_shr(width - self.bits).unwrap_or(0) == 0
        };
        match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(a.to_bits().into(), b.to_bits().into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128),
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, bits) = text.split_once('/').unwrap_or((text, ""));
        let address: IpAddr = address.trim().parse().map_err(|_| NetworkError)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits.trim() {
            "" if !text.contains('/') => width,
            bits => bits.parse().map_err(|_| NetworkError)?,
        };
        if bits > width {
            return Err(NetworkError);
        }
        Ok(Self { address, bits })
    }
}

/// A version 7 UUID, without the lock and the system call that [`Uuid::now_v7`] takes to count within a millisecond.
fn new_id() -> Uuid {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = now.map_or(0, |now| now.as_millis());
    let millis = u64::try_from(millis).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn client(proxies: &Proxies, peer: &str, headers: &[(&str, &str)]) -> RequestInfo {
        let mut request = Request::new(());
        let peer = Peer(format!("{peer}:4711").parse().unwrap());
        request.extensions_mut().insert(peer);
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        proxies.client(&request.into_parts().0)
    }

    fn proxies(trusted: &str, header: &'static str) -> Proxies {
        let networks = trusted.split(',').filter(|text| !text.is_empty());
        Proxies {
            trusted: networks.map(|text| text.parse().unwrap()).collect(),
            header: HeaderName::from_static(header),
        }
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let name = "x-forwarded-for";
        let none = proxies("", name);
        let forged = [(name, "1.2.3.4")];
        assert_eq!(
            client(&none, "192.0.2.7", &forged).ip.to_string(),
            "192.0.2.7"
        );
        let some = proxies("10.0.0.0/8,2001:db8::/32", name);
        for (peer, values, expected) in [
            ("192.0.2.7", &["1.2.3.4"][..], "192.0.2.7"),
            ("10.1.2.3", &[], "10.1.2.3"),
            ("10.1.2.3", &["1.2.3.4"], "1.2.3.4"),
            ("10.1.2.3", &["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
            ("10.1.2.3", &["6.6.6.6, 1.2.3.4, 10.9.9.9"], "1.2.3.4"),
            ("10.1.2.3", &["6.6.6.6", "1.2.3.4", "10.9.9.9"], "1.2.3.4"),
            ("10.1.2.3", &["10.2.2.2, 10.9.9.9"], "10.2.2.2"),
            ("10.1.2.3", &["1.2.3.4:5678"], "1.2.3.4"),
            ("10.1.2.3", &["[2001:db9::1]:80"], "2001:db9::1"),
            ("10.1.2.3", &["::ffff:1.2.3.4"], "1.2.3.4"),
            ("[::ffff:10.1.2.3]", &["1.2.3.4"], "1.2.3.4"),
            ("[2001:db8::7]", &["1.2.3.4"], "1.2.3.4"),
            // What is no address says nothing, and neither does what stands before it.
            ("10.1.2.3", &["1.2.3.4, unknown"], "10.1.2.3"),
            ("10.1.2.3", &["1.2.3.4, 10.9.9.9 '; drop"], "10.1.2.3"),
            ("10.1.2.3", &[""], "10.1.2.3"),
        ] {
            let headers: Vec<_> = values.iter().map(|value| (name, *value)).collect();
            let found = client(&some, peer, &headers).ip;
            assert_eq!(found.to_string(), expected, "{peer} {values:?}");
        }
    }

    #[test]
    fn the_header_of_rfc_7239_is_read_where_it_is_named() {
        let some = proxies("10.0.0.0/8", "forwarded");
        for (value, expected) in [
            ("for=1.2.3.4;proto=https;by=10.1.1.1", "1.2.3.4"),
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=6.6.6.6, proto=http; for=1.2.3.4", "1.2.3.4"),
            ("for=_hidden", "10.1.2.3"),
            ("proto=https", "10.1.2.3"),
        ] {
            let headers = [("forwarded", value), ("x-forwarded-for", "6.6.6.6")];
            let found = client(&some, "10.1.2.3", &headers).ip;
            assert_eq!(found.to_string(), expected, "{value}");
        }
    }

    #[test]
    fn a_request_has_the_id_of_the_proxy_or_a_new_one() {
        let some = proxies("10.1.2.3", "x-forwarded-for");
        let id = |peer, id| client(&some, peer, &[("x-request-id", id)]).id;
        assert_eq!(&*id("10.1.2.3", "abc-123"), "abc-123");
        let long = "x".repeat(101);
        for (peer, given) in [
            ("192.0.2.7", "abc-123"),
            ("10.1.2.3", "a b"),
            ("10.1.2.3", ""),
            ("10.1.2.3", &long),
        ] {
            assert_eq!(id(peer, given).len(), 32, "{given}");
        }
    }

    #[test]
    fn user_agents_end_somewhere() {
        let some = proxies("", "forwarded");
        let long = "x".repeat(5000);
        let agent = client(&some, "192.0.2.7", &[("user-agent", &long)]).user_agent;
        assert_eq!(agent.unwrap().len(), LONGEST_USER_AGENT);
    }

    #[test]
    fn networks_are_read_and_contain() {
        for (network, address, inside) in [
            ("0.0.0.0/0", "255.1.1.1", true),
            ("::/0", "2001:db8::1", true),
            ("::/0", "1.1.1.1", false),
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("192.0.2.128/25", "192.0.2.127", false),
            ("192.0.2.128/25", "192.0.2.129", true),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert_eq!(
                parsed.contains(address.parse().unwrap()),
                inside,
                "{network} {address}"
            );
        }
        for bad in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "::/129",
            "example.com",
            "10.0.0.0/x",
        ] {
            assert_eq!(bad.parse::<Network>(), Err(NetworkError), "{bad:?}");
        }
    }
}
