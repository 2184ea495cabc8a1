//! Asks the DNS for texts, which the owner of a domain and nobody else can put there, and for addresses.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};

const ANSWER_WITHIN: Duration = Duration::from_secs(2);
const ATTEMPTS: usize = 2;

/// Asks the name servers of this machine, or one that is given.
pub(crate) struct Dns(TokioResolver);

#[derive(Debug, thiserror::Error)]
#[error("the DNS did not answer: {0}")]
pub(crate) struct DnsError(#[from] NetError);

impl Dns {
    pub(crate) fn new(server: Option<SocketAddr>) -> Result<Self, DnsError> {
        let mut builder = match server {
            None => TokioResolver::builder_tokio()?,
            Some(server) => {
                let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
                for connection in &mut connections {
                    connection.port = server.port();
                }
                let server = NameServerConfig::new(server.ip(), true, connections);
                let config = ResolverConfig::from_name_servers(vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        let options = builder.options_mut();
        options.timeout = ANSWER_WITHIN;
        options.attempts = ATTEMPTS;
        options.cache_size = 0; // people try again as soon as they have set the record
        Ok(Self(builder.build()?))
    }

    /// The addresses of a host; none where there is no such name.
    pub(crate) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, DnsError> {
        match self.0.lookup_ip(format!("{name}.")).await {
            Ok(found) => Ok(found.iter().collect()),
            Err(error) if error.is_no_records_found() => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// The texts at a name, which is taken as it is; none where there is no such name.
    pub(crate) async fn texts(&self, name: &str) -> Result<Vec<String>, DnsError> {
        let found = self.0.lookup(format!("{name}."), RecordType::TXT).await;
        let lookup = match found {
            Ok(lookup) => lookup,
            Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let texts = lookup
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                // Long texts come in pieces.
                RData::TXT(text) => {
                    Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned())
                }
                _ => None,
            });
        Ok(texts.collect())
    }
}
