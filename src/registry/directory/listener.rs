//! Hears of changed tenants on a connection of its own, and knows whether it would hear of one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client};
use uuid::Uuid;

use super::legible;
use super::table::Table;
use crate::names::TenantId;
use crate::postgres::Database;
use crate::registry::RegistryError;
use crate::registry::tenant::select_tenants;

/// How long an answered ping vouches for the entries; longer than the pause between two pings.
pub(super) const TRUST: Duration = Duration::from_millis(750);

const PING_EVERY: Duration = Duration::from_millis(200);
const RECONNECT_AFTER: Duration = Duration::from_millis(250);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Until when the listener vouches for what the table holds.
pub(super) struct Health {
    start: Instant,
    /// Milliseconds since `start`; 0 for not at all.
    until: AtomicU64,
}

impl Health {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            until: AtomicU64::new(0),
        }
    }

    pub(super) fn vouches(&self, now: Instant) -> bool {
        self.millis(now) < self.until.load(Ordering::Acquire)
    }

    fn vouch(&self, pinged: Instant) {
        self.until
            .store(self.millis(pinged + TRUST), Ordering::Release);
    }

    fn withdraw(&self) {
        self.until.store(0, Ordering::Release);
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.duration_since(self.start).as_millis()).unwrap_or(u64::MAX)
    }
}

/// Listens for ever; connects again whenever the connection is lost.
pub(super) async fn run(database: Database, table: Arc<Table>, health: Arc<Health>) {
    loop {
        let ended = listen(&database, &table, &health).await;
        health.withdraw();
        if let Err(error) = ended {
            tracing::warn!(error = %error, "the tenant listener lost its connection");
        }
        sleep(RECONNECT_AFTER).await;
    }
}

async fn listen(database: &Database, table: &Table, health: &Health) -> Result<(), RegistryError> {
    let mut config = database.config().clone();
    config.application_name("tenantry listener"); // for whoever looks at pg_stat_activity
    let connect = config.connect(database.tls());
    let (client, mut connection) = in_time(connect).await?;
    let (sender, changed) = mpsc::unbounded_channel();
    let drive = async move {
        let mut messages = stream::poll_fn(|context| connection.poll_message(context));
        while let Some(message) = messages.next().await {
            match message {
                Ok(AsyncMessage::Notification(note)) => {
                    if let Ok(id) = note.payload().parse() {
                        let _ = sender.send(id);
                    }
                }
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    };
    tokio::select! {
        ended = drive => Ok(ended?),
        ended = follow(&client, table, health, changed) => ended,
    }
}

/// First listens, then reads everything: what changes in between is read again.
async fn follow(
    client: &Client,
    table: &Table,
    health: &Health,
    mut changed: mpsc::UnboundedReceiver<Uuid>,
) -> Result<(), RegistryError> {
    in_time(client.batch_execute("listen tenantry_tenants")).await?;
    let rows = in_time(client.query_typed(select_tenants!(""), &[])).await?;
    table.replace(legible(&rows));
    let mut pings = interval(PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ids = Vec::new();
    loop {
        tokio::select! {
            biased; // changes first: what vouches for the table comes after them
            _ = changed.recv_many(&mut ids, 1000) => {}
            _ = pings.tick() => {}
        }
        let asked = Instant::now();
        if ids.is_empty() {
            in_time(client.batch_execute("")).await?;
        } else {
            read_again(client, table, &ids, asked).await?;
            ids.clear();
        }
        // Notifications arrive before the answer to whatever is sent after them, so there was nothing else.
        if changed.is_empty() {
            health.vouch(asked);
        }
    }
}

async fn read_again(
    client: &Client,
    table: &Table,
    ids: &[Uuid],
    asked: Instant,
) -> Result<(), RegistryError> {
    let rows = in_time(client.query_typed(
        select_tenants!("where id = any($1)"),
        &[(&ids, Type::UUID_ARRAY)],
    ))
    .await?;
    let tenants = legible(&rows);
    let gone = |id: &&Uuid| !tenants.iter().any(|tenant| tenant.id.0 == **id);
    for id in ids.iter().filter(gone) {
        table.forget(TenantId(*id));
    }
    for tenant in tenants {
        table.put(tenant, asked);
    }
    Ok(())
}

/// A connection that does not answer any more is as good as lost.
async fn in_time<T>(
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, RegistryError> {
    match timeout(ANSWER_WITHIN, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(RegistryError::Busy),
    }
}
