//! Connections to Postgres: how many, and for how long.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

use crate::session::{LanesConfig, Preparing};

const LANES_PER_CORE: usize = 8;

#[derive(Debug, Clone, Args)]
pub(super) struct LaneFlags {
    /// Lanes: pools of connections, each for a part of the tenants. When left out, eight for each core,
    /// but not more than a third of the connections that Postgres allows.
    #[arg(long, env = "TENANTRY_LANES", value_name = "N")]
    lanes: Option<NonZeroUsize>,

    /// Connections to Postgres in each lane.
    #[arg(
        long,
        env = "TENANTRY_LANE_CONNECTIONS",
        value_name = "N",
        default_value = "1"
    )]
    lane_connections: NonZeroUsize,

    /// Statements that each connection keeps prepared.
    #[arg(
        long,
        env = "TENANTRY_PREPARED_STATEMENTS",
        value_name = "N",
        default_value = "500"
    )]
    prepared_statements: NonZeroUsize,

    /// After how many seconds a connection is replaced by a fresh one.
    #[arg(
        long,
        env = "TENANTRY_CONNECTION_LIFETIME",
        value_name = "S",
        default_value_t = 3600
    )]
    connection_lifetime: u64,

    /// After how many seconds without use a connection is closed.
    #[arg(
        long,
        env = "TENANTRY_CONNECTION_IDLE",
        value_name = "S",
        default_value_t = 300
    )]
    connection_idle: u64,

    /// The database is behind a pooler in transaction mode, such as `PgBouncer`: nothing is prepared.
    #[arg(long, env = "TENANTRY_POOLER")]
    pooler: bool,

    /// How many milliseconds a request waits for a connection before it is answered OVERLOADED.
    #[arg(
        long,
        env = "TENANTRY_CONNECTION_WAIT",
        value_name = "MS",
        default_value_t = 2000
    )]
    connection_wait: u64,

    /// After how many milliseconds Postgres gives a statement up, answered TIMEOUT.
    #[arg(
        long,
        env = "TENANTRY_STATEMENT_TIMEOUT",
        value_name = "MS",
        default_value_t = 10_000
    )]
    pub(super) statement_timeout: u64,

    /// How many milliseconds a request waits for locks before it is answered `TENANT_MIGRATING`, with
    /// hardly a connection meanwhile. 0: it waits in Postgres, up to the statement timeout.
    #[arg(
        long,
        env = "TENANTRY_LOCK_WAIT",
        value_name = "MS",
        default_value_t = 5000
    )]
    lock_wait: u64,
}

impl LaneFlags {
    /// The server allows so many connections.
    pub(super) fn config(&self, max_connections: usize) -> LanesConfig {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let most = max_connections / 3 / self.lane_connections;
        let fitting = NonZeroUsize::new(most.min(cores * LANES_PER_CORE));
        LanesConfig {
            lanes: self.lanes.or(fitting).unwrap_or(NonZeroUsize::MIN),
            connections_per_lane: self.lane_connections,
            preparing: if self.pooler {
                Preparing::Nothing
            } else {
                Preparing::Statements(self.prepared_statements)
            },
            wait: Duration::from_millis(self.connection_wait),
            statement_timeout: Duration::from_millis(self.statement_timeout),
            lock_wait: Duration::from_millis(self.lock_wait),
            lifetime: Duration::from_secs(self.connection_lifetime),
            idle: Duration::from_secs(self.connection_idle),
        }
    }
}
