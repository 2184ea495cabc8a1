//! Few look-ups at a time: whoever tries tokens is not to take all of the registry's connections.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::registry::RegistryError;

const AT_ONCE: usize = 2;

/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Lookups(Semaphore);

impl Lookups {
    pub(super) fn new() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }

    /// Waits until one may look up, as long as the permit is held.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, RegistryError> {
        let turn = timeout(PATIENCE, self.0.acquire()).await;
        turn.map_err(|_| RegistryError::Busy)?
            .map_err(|_| RegistryError::Busy)
    }
}
