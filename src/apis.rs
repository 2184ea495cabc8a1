//! Which API serves a tenant: one for each schema version, made as soon as a tenant has that
//! version, shared by all that have it, and let go when none is left.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::time::{sleep, timeout};

use crate::error::{Failure, postgres_reason};
use crate::migrate::{Migrations, SchemaVersion};
use crate::model::{IntrospectionError, introspect};
use crate::registry::{Directory, PrepareError, Registry, RegistryError, Tenant, locked_out};
use crate::schema::{Api, Options, SchemaError};

/// The tables in a tenant's schema that are the service's own business.
pub(crate) const HIDDEN_TABLES: [&str; 3] = [
    "tenantry_base_history",
    "tenantry_app_history",
    "tenantry_shared_history",
];

/// How long an API is kept that none of the tenants seems to need: the directory may be about to
/// hear of one.
const GRACE: Duration = Duration::from_secs(1);

/// After how long versions are looked at anew when nobody has told of a change.
const ROUND: Duration = Duration::from_secs(10);

/// The pause between two looks: a fleet migrates hundreds of tenants in a second.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct Apis {
    registry: Arc<Registry>,
    options: Options,
    /// Read by every request, without a lock.
    made: ArcSwap<HashMap<SchemaVersion, Made>>,
    /// Many first requests make one API: those for one version take turns, and find it made.
    turns: Mutex<HashMap<SchemaVersion, Arc<tokio::sync::Mutex<()>>>>,
}

#[derive(Clone)]
struct Made {
    api: Arc<Api>,
    at: Instant,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Introspection(#[from] IntrospectionError),
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error(transparent)]
    Migration(#[from] PrepareError),
    #[error("making the schema did not come to its end: {0}")]
    Task(#[from] tokio::task::JoinError),
    /// This copy of the tenant is older than its tables.
    #[error("the tenant has another schema version by now")]
    Outdated,
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Registry(error) => error.into(),
            ApiError::Introspection(IntrospectionError::Postgres(error)) if locked_out(&error) => {
                Self::migrating().with_log(postgres_reason(&error))
            }
            error => {
                let mut failure = Self::internal(error.to_string());
                failure.outdated = matches!(error, ApiError::Outdated);
                failure
            }
        }
    }
}

impl Apis {
    pub(crate) fn new(registry: Arc<Registry>, options: Options) -> Self {
        Self {
            registry,
            options,
            made: ArcSwap::default(),
            turns: Mutex::default(),
        }
    }

    /// The API of the tenant's schema version.
    pub(crate) async fn of(&self, tenant: &Tenant) -> Result<Arc<Api>, Failure> {
        Ok(self.load(tenant).await?)
    }

    pub(crate) async fn load(&self, tenant: &Tenant) -> Result<Arc<Api>, ApiError> {
        if let Some(api) = self.known(tenant.version) {
            return Ok(api);
        }
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(tenant.version).or_default())
        };
        let _turn = turn.lock().await;
        if let Some(api) = self.known(tenant.version) {
            return Ok(api);
        }
        let (version, api) = self.make(tenant).await?;
        if version == tenant.version {
            Ok(api)
        } else {
            Err(ApiError::Outdated)
        }
    }

    /// Has all of them made anew: the tables that tenants share are part of them, and of no tenant's version.
    pub(crate) fn renew(&self) {
        self.made.store(Arc::default());
    }

    /// Runs what has not run yet in a tenant's schema, makes the API of what comes of it, and takes all of it back.
    pub(crate) async fn rehearse(
        &self,
        tenant: &Tenant,
        migrations: &Migrations,
    ) -> Result<Api, ApiError> {
        let mut connection = self.registry.connection().await?;
        let transaction = connection.transaction().await;
        let transaction = transaction.map_err(RegistryError::from)?;
        let rehearsal = self.registry.rehearse(&transaction, migrations, tenant);
        let shared = rehearsal.await?;
        let (schema, role) = (tenant.schema.as_str(), tenant.role.as_str());
        let model = introspect(&*transaction, schema, shared, Some(role), &HIDDEN_TABLES).await?;
        transaction.rollback().await.map_err(RegistryError::from)?;
        Ok(Api::new(model, self.options.clone())?)
    }

    fn known(&self, version: SchemaVersion) -> Option<Arc<Api>> {
        let made = self.made.load();
        made.get(&version).map(|made| Arc::clone(&made.api))
    }

    /// Makes it of the catalog as it is while no migration is at work on it, and files it under the
    /// version of that moment.
    async fn make(&self, tenant: &Tenant) -> Result<(SchemaVersion, Arc<Api>), ApiError> {
        let started = Instant::now();
        let (catalog, version) = self.registry.at_rest(tenant).await?;
        if let Some(api) = self.known(version) {
            catalog.roll_back().await?;
            return Ok((version, api));
        }
        let (schema, role) = (tenant.schema.as_str(), tenant.role.as_str());
        let shared = self.registry.shared_schema();
        let model = introspect(&*catalog, schema, shared, Some(role), &HIDDEN_TABLES).await?;
        catalog.roll_back().await?;
        let (tables, options) = (model.relations.len(), self.options.clone());
        // Many types take milliseconds, for which requests would have to wait.
        let made = tokio::task::spawn_blocking(move || Api::new(model, options));
        let api = self.file(version, Arc::new(made.await??));
        tracing::info!(
            tables,
            base.version = version.base,
            app.version = version.app,
            duration_ms = started.elapsed().as_millis(),
            "made the API of a schema version"
        );
        Ok((version, api))
    }

    /// Whoever has made it first has made the one that counts.
    fn file(&self, version: SchemaVersion, api: Arc<Api>) -> Arc<Api> {
        let at = Instant::now();
        self.made.rcu(|made| {
            let mut made = HashMap::clone(made);
            made.entry(version).or_insert_with(|| Made {
                api: Arc::clone(&api),
                at,
            });
            made
        });
        self.known(version).unwrap_or(api)
    }

    /// Has an API ready for each schema version as soon as the directory hears of it, and tells
    /// `gone` of those that no tenant has any more; for ever.
    pub(crate) async fn keep(&self, directory: &Directory, gone: impl Fn(&Api)) {
        loop {
            for tenant in directory.of_each_version() {
                if let Err(error) = self.load(&tenant).await
                    && !matches!(error, ApiError::Outdated)
                {
                    tracing::warn!(tenant.subdomain = %tenant.subdomain, %error, "cannot make the API of a schema version");
                }
            }
            let alive = directory.of_each_version();
            let alive = alive.iter().map(|tenant| tenant.version).collect();
            self.retire(&alive).iter().for_each(|api| gone(api));
            let _ = timeout(ROUND, directory.versions_changed()).await;
            sleep(PAUSE).await;
        }
    }

    /// Lets go of the APIs of all other versions. Requests in flight keep theirs to their end.
    fn retire(&self, alive: &HashSet<SchemaVersion>) -> Vec<Arc<Api>> {
        let stays = |version: &SchemaVersion, made: &Made| {
            alive.contains(version) || made.at.elapsed() < GRACE
        };
        let made = self.made.load();
        let old = made.iter().filter(|(version, made)| !stays(version, made));
        let old: Vec<_> = old
            .map(|(version, made)| (*version, made.clone()))
            .collect();
        if old.is_empty() {
            return Vec::new();
        }
        self.made.rcu(|made| {
            let mut made = HashMap::clone(made);
            made.retain(|version, _| !old.iter().any(|(gone, _)| gone == version));
            made
        });
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        for (version, _) in &old {
            turns.remove(version);
            tracing::info!(
                base.version = version.base,
                app.version = version.app,
                "no tenant has this schema version any more: its API is gone"
            );
        }
        old.into_iter().map(|(_, made)| made.api).collect()
    }
}

#[cfg(test)]
mod tests;
