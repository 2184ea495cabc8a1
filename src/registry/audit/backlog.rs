//! Entries of what failed: there is no transaction that they could be part of, so a task writes them, off the way
//! of requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool_postgres::Pool;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::{Entry, record};
use crate::registry::{RegistryError, checkout};

/// Entries that wait. A flood of failures is told of by its beginning and a number.
const WAITING: usize = 1000;

/// Entries of one transaction.
const BATCH: usize = 100;

/// How long the end of the service waits for what has not been written yet.
const LAST: Duration = Duration::from_secs(3);

/// The way to the task; it ends with the last of these.
#[derive(Debug)]
pub(crate) struct Backlog {
    sender: mpsc::Sender<Message>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Message {
    Entry(Box<Entry>),
    /// Tells when all before it have been written.
    Written(oneshot::Sender<()>),
}

impl Backlog {
    pub(in crate::registry) fn start(pool: Pool) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let lost = Arc::default();
        tokio::spawn(write(pool, receiver, Arc::clone(&lost)));
        Self { sender, lost }
    }

    /// Has an entry written soon. When too many wait it is counted instead, and the log tells how many were.
    pub(crate) fn add(&self, entry: Entry) {
        let message = Message::Entry(Box::new(entry));
        if self.sender.try_send(message).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until what was added so far has been written, though not for ever.
    pub(crate) async fn written(&self) {
        let wait = async {
            let (sender, receiver) = oneshot::channel();
            if self.sender.send(Message::Written(sender)).await.is_ok() {
                let _ = receiver.await;
            }
        };
        let _ = timeout(LAST, wait).await;
    }
}

async fn write(pool: Pool, mut receiver: mpsc::Receiver<Message>, lost: Arc<AtomicU64>) {
    let mut messages = Vec::with_capacity(BATCH);
    while receiver.recv_many(&mut messages, BATCH).await > 0 {
        let (mut entries, mut waiting) = (Vec::new(), Vec::new());
        for message in messages.drain(..) {
            match message {
                Message::Entry(entry) => entries.push(entry),
                Message::Written(sender) => waiting.push(sender),
            }
        }
        if let Err(error) = write_all(&pool, &entries).await {
            lost.fetch_add(entries.len() as u64, Ordering::Relaxed);
            tracing::error!(%error, "the audit log cannot be written");
        }
        for sender in waiting {
            let _ = sender.send(());
        }
        let count = lost.swap(0, Ordering::Relaxed);
        if count > 0 {
            tracing::error!(count, "failed operations are missing from the audit log");
        }
    }
}

async fn write_all(pool: &Pool, entries: &[Box<Entry>]) -> Result<(), RegistryError> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut connection = checkout(pool).await?;
    let transaction = connection.transaction().await?;
    for entry in entries {
        record(&transaction, entry).await?;
    }
    Ok(transaction.commit().await?)
}
