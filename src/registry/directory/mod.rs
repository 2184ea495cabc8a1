//! The directory: the in-memory view of the tenants, kept true by notifications and doubted without them.

mod index;
mod listener;
mod table;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::tenant::select_tenants;
use super::{Registry, RegistryError, Tenant, TenantStatus};
use crate::names::{DomainName, Subdomain, TenantId};
use listener::Health;
use table::Table;

/// How long an entry counts without a listener. Together with [`listener::TRUST`] less than the second
/// within which a suspension takes effect everywhere.
const DOUBTFUL_AFTER: Duration = Duration::from_millis(500);

/// Look-ups at the same time, of each kind: a flood of unknown names leaves the registry's pool to others.
const LOOKUPS: usize = 2;

/// How long a request waits for its turn to look up.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is at a subdomain.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    Tenant(Arc<Tenant>),
    /// A tenant was here, and is to be found at another subdomain now.
    Moved(Subdomain),
    Free,
}

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

    /// Who is at a subdomain. A deleted tenant is not found any more.
    pub(crate) async fn look(&self, subdomain: &Subdomain) -> Result<Place, RegistryError> {
        Ok(match self.row(subdomain).await? {
            // The table keeps deleted tenants, so that an older copy of the row cannot bring one back.
            Place::Tenant(tenant) if tenant.status == TenantStatus::Deleted => Place::Free,
            place => place,
        })
    }

    /// The tenant at a subdomain, if there is one that is not deleted.
    pub(crate) async fn find(
        &self,
        subdomain: &Subdomain,
    ) -> Result<Option<Arc<Tenant>>, RegistryError> {
        Ok(match self.look(subdomain).await? {
            Place::Tenant(tenant) => Some(tenant),
            Place::Moved(_) | Place::Free => None,
        })
    }

    /// The tenant of an id, if there is one that is not deleted.
    pub(crate) async fn find_by_id(
        &self,
        id: TenantId,
    ) -> Result<Option<Arc<Tenant>>, RegistryError> {
        if let Some(subdomain) = self.table.place(id)
            && let Some(tenant) = self.find(&subdomain).await?
            && tenant.id == id
        {
            return Ok(Some(tenant));
        }
        let statement = select_tenants!("where id = $1");
        self.ask(statement, (&id.0, Type::UUID)).await
    }

    /// The tenant that has a verified domain, if it is not deleted.
    ///
    /// Any name may stand in a Host header, so that unknown ones are asked for only while nobody would hear of
    /// new ones.
    pub(crate) async fn find_by_domain(
        &self,
        domain: &DomainName,
    ) -> Result<Option<Arc<Tenant>>, RegistryError> {
        if let Some(subdomain) = self.table.of_domain(domain) {
            let tenant = self.find(&subdomain).await?;
            return Ok(tenant.filter(|tenant| tenant.domains.contains(domain)));
        }
        if self.is_listening() {
            return Ok(None);
        }
        let statement = select_tenants!(
            "where id = (select tenant_id from tenantry.domains where domain = $1 and verified_at is not null)"
        );
        self.ask(statement, (&domain.as_str(), Type::TEXT)).await
    }

    /// Looks a tenant up that is not known here.
    async fn ask(
        &self,
        statement: &str,
        parameter: (&(dyn ToSql + Sync), Type),
    ) -> Result<Option<Arc<Tenant>>, RegistryError> {
        let _turn = turn(&self.unknown).await?;
        let asked = Instant::now();
        let connection = self.registry.connection().await?;
        let row = connection.query_typed_opt(statement, &[parameter]).await?;
        let Some(row) = row else { return Ok(None) };
        let tenant = self.table.put(Tenant::from_row(&row)?, asked);
        Ok(tenant.filter(|tenant| tenant.status != TenantStatus::Deleted))
    }

    /// Whether a new tenant could not have the subdomain, because there is or was one.
    pub(crate) async fn is_taken(&self, subdomain: &Subdomain) -> Result<bool, RegistryError> {
        Ok(!matches!(self.row(subdomain).await?, Place::Free))
    }

    /// The tenants that have been active since this was last asked.
    pub(in crate::registry) fn take_marked(&self) -> Vec<Arc<Tenant>> {
        self.table.take_marked()
    }

    /// One active tenant of each schema version.
    pub(crate) fn of_each_version(&self) -> Vec<Arc<Tenant>> {
        self.table.of_each_version()
    }

    /// Waits until tenants have come, gone or changed their versions, since this was last asked.
    pub(crate) async fn versions_changed(&self) {
        self.table.versions_changed.notified().await;
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
    async fn row(&self, subdomain: &Subdomain) -> Result<Place, RegistryError> {
        if let Some(tenant) = self.known(subdomain) {
            return Ok(Place::Tenant(tenant));
        }
        if subdomain.is_reserved() {
            return Ok(Place::Free);
        }
        let queue = match self.table.get(subdomain) {
            Some(_) => &self.doubtful,
            None => &self.unknown,
        };
        let _turn = turn(queue).await?;
        // The request before in the queue may have asked for the same tenant.
        if let Some(tenant) = self.known(subdomain) {
            return Ok(Place::Tenant(tenant));
        }
        self.look_up(subdomain).await
    }

    fn known(&self, subdomain: &Subdomain) -> Option<Arc<Tenant>> {
        let entry = self.table.get(subdomain)?;
        let now = Instant::now();
        let fresh = self.health.vouches(now) || now.duration_since(entry.checked) < DOUBTFUL_AFTER;
        fresh.then_some(entry.tenant)
    }

    async fn look_up(&self, subdomain: &Subdomain) -> Result<Place, RegistryError> {
        let asked = Instant::now(); // before the question: what it sees is at least as new
        let connection = self.registry.connection().await?;
        let name = [(&subdomain.as_str() as &(dyn ToSql + Sync), Type::TEXT)];
        // Both go out at once.
        let (tenant, moved) = tokio::try_join!(
            connection.query_typed_opt(select_tenants!("where subdomain = $1"), &name),
            connection.query_typed_opt(MOVED, &name),
        )?;
        if let Some(row) = tenant {
            let tenant = self.table.put(Tenant::from_row(&row)?, asked);
            return Ok(tenant.map_or(Place::Free, Place::Tenant));
        }
        self.table.remove(subdomain);
        match moved {
            None => Ok(Place::Free),
            Some(row) => Ok(Place::Moved(Subdomain::parse(row.try_get(0)?)?)),
        }
    }

    /// Asks the database about a tenant that may have changed before this replica has heard of it.
    pub(crate) async fn look_closely(&self, id: TenantId) -> Result<(), RegistryError> {
        let _turn = turn(&self.doubtful).await?;
        self.look_again(id).await
    }

    /// Takes in what this replica itself has just changed about a tenant.
    pub(crate) async fn look_again(&self, id: TenantId) -> Result<(), RegistryError> {
        let asked = Instant::now();
        let connection = self.registry.connection().await?;
        let id = [(&id.0 as &(dyn ToSql + Sync), Type::UUID)];
        let row = connection
            .query_typed_opt(select_tenants!("where id = $1"), &id)
            .await?;
        if let Some(row) = row {
            self.table.put(Tenant::from_row(&row)?, asked);
        }
        Ok(())
    }
}

/// Where the tenant that was at a subdomain is now.
const MOVED: &str = "select t.subdomain from tenantry.redirections r join tenantry.tenants t on t.id = r.tenant_id \
     where r.subdomain = $1 and r.until > now() and t.status <> 'deleted'";

impl Drop for Directory {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn turn(queue: &Semaphore) -> Result<SemaphorePermit<'_>, RegistryError> {
    let turn = timeout(PATIENCE, queue.acquire()).await;
    turn.map_err(|_| RegistryError::Busy)?
        .map_err(|_| RegistryError::Busy)
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
