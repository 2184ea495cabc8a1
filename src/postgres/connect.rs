//! A database address with its login and TLS choice, and the connections made with it.

use std::error::Error;
use std::fmt::Write;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config};

use super::conninfo;
use super::error::DatabaseUrlError;
use super::tls::{self, Tls};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A peer that vanished is noticed after about a minute and a half, rather than after the two hours of the standard.
const KEEPALIVE_IDLE: Duration = Duration::from_mins(1);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;
/// What tokio-postgres says when the URL says nothing.
const STANDARD_KEEPALIVE_IDLE: Duration = Duration::from_hours(2);

/// A parsed database URL. Its `Debug` form never shows the password.
#[derive(Clone)]
pub struct Database {
    config: Config,
    tls: Tls,
}

/// Why a connection could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("{address} did not answer within {} s: check the database URL and the network", limit.as_secs())]
    Timeout { address: String, limit: Duration },

    #[error("cannot connect to {address} ({}): {advice}", whole(error))]
    Failed {
        address: String,
        advice: &'static str,
        /// Not a `source`, because the message tells it with all its causes.
        error: tokio_postgres::Error,
    },
}

impl Database {
    /// Reads a URL (`postgresql://…`) or libpq's `keyword=value` form, and the root certificates that it names.
    pub fn parse(url: &str) -> Result<Database, DatabaseUrlError> {
        let (mut config, trust) = conninfo::parse(url)?;
        fill_in(&mut config);
        Ok(Database {
            config,
            tls: tls::connector(&trust)?,
        })
    }

    /// What tokio-postgres and deadpool need to connect, together with [`Database::tls`].
    pub fn config(&self) -> &Config {
        &self.config
    }

    pub fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// The same database for another user.
    #[must_use]
    pub fn with_login(&self, user: &str, password: &str) -> Database {
        let mut database = self.clone();
        database.config.user(user).password(password);
        database
    }

    /// The same database, whose sessions start with these settings (`-c name=value`) besides the URL's.
    #[must_use]
    pub fn with_options(&self, options: &str) -> Database {
        let mut database = self.clone();
        let given = database.config.get_options().unwrap_or_default();
        let options = format!("{given} {options}");
        database.config.options(options);
        database
    }

    /// The same database, whose sessions `pg_stat_activity` shows by this name.
    #[must_use]
    pub fn with_application_name(&self, name: &str) -> Database {
        let mut database = self.clone();
        database.config.application_name(name);
        database
    }

    /// The same database for another user with the same password.
    #[must_use]
    pub fn with_user(&self, user: &str) -> Database {
        let mut database = self.clone();
        database.config.user(user);
        database
    }

    /// Another database on the same server.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Database {
        let mut database = self.clone();
        database.config.dbname(name);
        database
    }

    /// Connects, and drives the connection in a task that ends when the client is dropped or the server goes away.
    pub async fn connect(&self) -> Result<(Client, JoinHandle<()>), ConnectError> {
        // tokio-postgres' own limit covers one host's TCP handshake; ours covers TLS and the login too.
        let hosts = u32::try_from(self.config.get_hosts().len()).unwrap_or(u32::MAX);
        let limit = self
            .config
            .get_connect_timeout()
            .map_or(CONNECT_TIMEOUT, |limit| *limit)
            .saturating_mul(hosts);
        let connecting = self.config.connect(self.tls());
        let (client, connection) = tokio::time::timeout(limit, connecting)
            .await
            .map_err(|_| ConnectError::Timeout {
                address: self.address(),
                limit,
            })?
            .map_err(|error| ConnectError::Failed {
                address: self.address(),
                advice: advice(&error),
                error,
            })?;
        let task = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(%error, "a database connection broke");
            }
        });
        Ok((client, task))
    }

    /// The database's name and place, for messages.
    fn address(&self) -> String {
        let config = &self.config;
        let mut text = match (config.get_dbname(), config.get_user()) {
            (Some(name), Some(user)) => format!("database {name:?} as {user:?} at "),
            (Some(name), None) => format!("database {name:?} at "),
            (None, Some(user)) => format!("the database as {user:?} at "),
            (None, None) => "the database at ".to_owned(),
        };
        let ports = config.get_ports();
        for (index, host) in config.get_hosts().iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let port = ports.get(index).or(ports.first()).unwrap_or(&5432);
            // Writing to a string cannot fail.
            let _ = match host {
                Host::Tcp(name) => write!(text, "{separator}{name}:{port}"),
                Host::Unix(path) => write!(text, "{separator}{}", path.display()),
            };
        }
        text
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // tokio-postgres leaves the password out of this.
        f.debug_struct("Database")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// Sets what the URL leaves open.
fn fill_in(config: &mut Config) {
    if config.get_application_name().is_none() {
        config.application_name("tenantry");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_keepalives_idle() == STANDARD_KEEPALIVE_IDLE {
        config.keepalives_idle(KEEPALIVE_IDLE);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(KEEPALIVE_INTERVAL);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(KEEPALIVE_RETRIES);
    }
}

/// The error and its causes: the outer ones say where, the innermost says what.
fn whole(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

fn advice(error: &tokio_postgres::Error) -> &'static str {
    match error.code() {
        Some(&(SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION)) => {
            "check the user and the password in the database URL, and the server's pg_hba.conf"
        }
        Some(&SqlState::INVALID_CATALOG_NAME) => {
            "create the database, or correct its name in the URL"
        }
        Some(&SqlState::TOO_MANY_CONNECTIONS) => {
            "raise max_connections, or close other connections"
        }
        Some(_) => "see the server's log",
        None if error.to_string().contains("TLS") => {
            "check sslmode and sslrootcert in the database URL"
        }
        None => "check the database URL, and that Postgres runs there",
    }
}
