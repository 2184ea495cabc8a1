//! Which API serves a tenant: one for each schema version, made when the first tenant of that
//! version is asked for, and shared by all of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{Mutex, OnceCell};

use crate::error::Failure;
use crate::migrate::{Migrations, SchemaVersion};
use crate::model::{IntrospectionError, introspect};
use crate::registry::{PrepareError, Registry, RegistryError, Tenant};
use crate::schema::{Api, Options, SchemaError};

/// The tables in a tenant's schema that are the service's own business.
pub(crate) const HIDDEN_TABLES: [&str; 3] = [
    "tenantry_base_history",
    "tenantry_app_history",
    "tenantry_shared_history",
];

pub(crate) struct Apis {
    registry: Arc<Registry>,
    options: Options,
    /// A cell for each version, so that many first requests make one API.
    versions: Mutex<HashMap<SchemaVersion, Arc<OnceCell<Arc<Api>>>>>,
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
}

impl Apis {
    pub(crate) fn new(registry: Arc<Registry>, options: Options) -> Self {
        Self {
            registry,
            options,
            versions: Mutex::default(),
        }
    }

    /// The API of the tenant's schema version.
    pub(crate) async fn of(&self, tenant: &Tenant) -> Result<Arc<Api>, Failure> {
        self.load(tenant).await.map_err(|error| match error {
            ApiError::Registry(error) => error.into(),
            error => Failure::internal(error),
        })
    }

    pub(crate) async fn load(&self, tenant: &Tenant) -> Result<Arc<Api>, ApiError> {
        let cell = Arc::clone(
            self.versions
                .lock()
                .await
                .entry(tenant.version)
                .or_default(),
        );
        cell.get_or_try_init(|| self.make(tenant)).await.cloned()
    }

    /// Has all of them made anew: the tables that tenants share are part of them, and of no tenant's version.
    pub(crate) async fn renew(&self) {
        self.versions.lock().await.clear();
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

    async fn make(&self, tenant: &Tenant) -> Result<Arc<Api>, ApiError> {
        let started = Instant::now();
        let connection = self.registry.connection().await?;
        let (schema, role) = (tenant.schema.as_str(), tenant.role.as_str());
        let shared = self.registry.shared_schema();
        let model = introspect(&**connection, schema, shared, Some(role), &HIDDEN_TABLES).await?;
        let tables = model.relations.len();
        let api = Api::new(model, self.options.clone())?;
        tracing::info!(
            tables,
            base.version = tenant.version.base,
            app.version = tenant.version.app,
            duration_ms = started.elapsed().as_millis(),
            "made the API of a schema version"
        );
        Ok(Arc::new(api))
    }
}
