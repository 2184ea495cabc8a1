//! The private Postgres cluster of `tenantry dev` and of the tests, and the way from a database URL to a connection.

mod account;
mod binaries;
mod cluster;
mod connect;
mod conninfo;
mod directory;
mod download;
mod dump;
mod error;
mod files;
mod home;
mod init;
mod launch;
mod log;
mod pairs;
mod running;
mod settings;
mod stream;
mod supervisor;
mod tls;
mod transaction;

pub use cluster::{Cluster, ClusterOptions};
pub use connect::{ConnectError, Database};
pub use error::{ClusterError, DatabaseUrlError};
pub use stream::{Stream, StreamError};
pub use tls::Tls;
pub(crate) use transaction::InTransaction;

#[cfg(test)]
mod tests;
