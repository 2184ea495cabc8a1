//! The directory: the in-memory view of the tenants, kept true by notifications and doubted without them.

mod listener;
mod table;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::tenant::select_tenants;
use super::{Registry, RegistryError, Tenant, TenantStatus};
use crate::names::Subdomain;
use listener::Health;
use table::Table;

/// How long an entry counts without a listener. Together with [`listener::TRUST`] less than the second
/// within which a suspension takes effect everywhere.
const DOUBTFUL_AFTER: Duration = Duration::from_millis(500);

/// Look-ups at the same time, of each kind: a flood of unknown names leaves the registry's pool to others.
const LOOKUPS: usize = 2;

/// How long a request waits for its turn to look up.
const PATIENCE: Duration = Duration::from_secs(2);

/// Knows every tenant. Cheap to ask: without I/O and without a lock, as long as the listener is well.
pub(crate) struct Directory {
    registry: Arc<Registry>,
    table: Arc<Table>,
    health: Arc<Health>,
    unknown: Semaphore,
    doubtful: Semaphore,
    listener: AbortHandle,
}

impl Directory {
    /// Loads all tenants, and goes on listening for changes until the directory is dropped.
    pub(crate) async fn start(registry: Arc<Registry>) -> Result<Self, RegistryError> {
        let table = Arc::new(Table::default());
        let health = Arc::new(Health::new());
        table.replace(all_tenants(&registry).await?);
        let listen = listener::run(
            registry.database().clone(),
            Arc::clone(&table),
            Arc::clone(&health),
        );
        Ok(Self {
            registry,
            table,
            health,
            unknown: Semaphore::new(LOOKUPS),
            doubtful: Semaphore::new(LOOKUPS),
            listener: tokio::spawn(listen).abort_handle(),
        })
    }

    /// The tenant at a subdomain, whatever its status; a deleted one is not found any more.
    pub(crate) async fn find(
        &self,
        subdomain: &Subdomain,
    ) -> Result<Option<Arc<Tenant>>, RegistryError> {
        let tenant = self.row(subdomain).await?;
        // The table keeps deleted tenants, so that an older copy of the row cannot bring one back.
        Ok(tenant.filter(|tenant| tenant.status != TenantStatus::Deleted))
    }

    /// Whether a new tenant could not have the subdomain, because there is or was one.
    pub(crate) async fn is_taken(&self, subdomain: &Subdomain) -> Result<bool, RegistryError> {
        Ok(self.row(subdomain).await?.is_some())
    }

    /// One active tenant of each schema version.
    pub(crate) fn of_each_version(&self) -> Vec<Arc<Tenant>> {
        self.table.of_each_version()
    }

    /// Takes in a tenant that this replica has just made.
    pub(crate) fn learn(&self, tenant: Tenant) {
        self.table.put(tenant, Instant::now());
    }

    /// Whether changes made by others are heard of at once; for `/readyz` and for tests.
    pub(crate) fn is_listening(&self) -> bool {
        self.health.vouches(Instant::now())
    }

    /// Asks the database about unknown subdomains, because another replica may have made the tenant just now,
    /// and about known ones when the listener cannot vouch for them.
    async fn row(&self, subdomain: &Subdomain) -> Result<Option<Arc<Tenant>>, RegistryError> {
        if let Some(tenant) = self.known(subdomain) {
            return Ok(Some(tenant));
        }
        if subdomain.is_reserved() {
            return Ok(None);
        }
        let queue = match self.table.get(subdomain) {
            Some(_) => &self.doubtful,
            None => &self.unknown,
        };
        let turn = timeout(PATIENCE, queue.acquire()).await;
        let _turn = turn
            .map_err(|_| RegistryError::Busy)?
            .map_err(|_| RegistryError::Busy)?;
        // The request before in the queue may have asked for the same tenant.
        if let Some(tenant) = self.known(subdomain) {
            return Ok(Some(tenant));
        }
        self.look_up(subdomain).await
    }

    fn known(&self, subdomain: &Subdomain) -> Option<Arc<Tenant>> {
        let entry = self.table.get(subdomain)?;
        let now = Instant::now();
        let fresh = self.health.vouches(now) || now.duration_since(entry.checked) < DOUBTFUL_AFTER;
        fresh.then_some(entry.tenant)
    }

    async fn look_up(&self, subdomain: &Subdomain) -> Result<Option<Arc<Tenant>>, RegistryError> {
        let asked = Instant::now(); // before the question: what it sees is at least as new
        let row = self
            .registry
            .connection()
            .await?
            .query_typed_opt(
                select_tenants!("where subdomain = $1"),
                &[(&subdomain.as_str(), Type::TEXT)],
            )
            .await?;
        let Some(row) = row else {
            self.table.remove(subdomain);
            return Ok(None);
        };
        Ok(self.table.put(Tenant::from_row(&row)?, asked))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn all_tenants(registry: &Registry) -> Result<Vec<Tenant>, RegistryError> {
    let rows = registry
        .connection()
        .await?
        .query_typed(select_tenants!(""), &[])
        .await?;
    Ok(legible(&rows))
}

/// The tenants of these rows; a row that somebody broke by hand takes only its own tenant down.
fn legible(rows: &[Row]) -> Vec<Tenant> {
    let read = |row| {
        Tenant::from_row(row).map_err(|error| {
            tracing::error!(%error, "a tenant's registry row is unreadable");
        })
    };
    rows.iter().filter_map(|row| read(row).ok()).collect()
}
