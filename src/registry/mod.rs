//! The shared tables: tenants, accounts and memberships, reached by the owner's connections only.

mod access;
mod accounts;
mod activity;
mod api_keys;
mod arrivals;
mod at_rest;
mod attach;
pub(crate) mod audit;
mod directory;
pub(crate) mod domains;
mod drift;
mod email_changes;
mod guesses;
mod known;
mod lanes;
mod lifecycle;
mod login;
mod members;
mod new_tenant;
mod open;
mod operators;
mod password;
mod prepare;
mod provision;
mod provisioning;
mod resets;
mod session_list;
mod sessions;
mod shared;
mod spares;
mod status;
mod support;
mod tenant;
mod transaction;
mod turns;
mod usage;
mod versions;

use std::time::Duration;

use arc_swap::ArcSwap;
use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
};
use tokio::sync::Notify;
use tokio_postgres::error::SqlState;

use crate::error::{Failure, postgres_reason};
use crate::names::{DomainNameError, NameError, RoleName, SubdomainError};
use crate::postgres::Database;
use crate::sql::Ident;
use guesses::Guesses;
use shared::SharedTables;

#[cfg(test)]
pub(crate) use access::access_changed;
pub(crate) use accounts::LoggedIn;
pub(crate) use api_keys::{ApiKey, KEY_PREFIX, NewApiKey};
pub(crate) use arrivals::Arrival;
use audit::Backlog;
pub(crate) use directory::{Directory, Place};
pub(crate) use domains::{Domain, DueDomain, Lost, PAGES};
pub(crate) use drift::DoNotRun;
#[cfg(test)]
pub(crate) use drift::Look;
pub(crate) use email_changes::{EmailChange, EmailChanged};
pub(crate) use known::{FilesError, check as check_files, record as record_files};
pub(crate) use lifecycle::{
    By, Change, CopyName, Filter, Listing, NewLimit, Page, Purged, Reason, Sort, TakenOffer,
    TenantRecord, TenantRef,
};
pub(crate) use login::RequestLogin;
pub(crate) use members::{Acceptance, Actor as MemberActor, Invitation, Member};
pub(crate) use new_tenant::{Content, NewTenant};
pub(crate) use open::{OpenError, Upgrade, version as registry_version};
pub(crate) use operators::{OPERATOR_TOKEN, Operator, OperatorSession};
pub(crate) use password::{Hasher, Password};
pub(crate) use prepare::PrepareError;
pub(crate) use provision::SignedUp;
pub(crate) use provisioning::{Provisioning, ProvisioningMode};
pub(crate) use resets::set_password;
pub(crate) use session_list::SessionRow;
pub(crate) use sessions::{Refreshed, Session, TokenHashes, Which, end as end_sessions};
pub(crate) use shared::{SHARED_SCHEMA, pending_shared};
pub(crate) use spares::{Lanes, Stock};
pub(crate) use status::{Difference, Drift, MigrationFailure, Sides, TenantTables};
pub(crate) use support::{SUPPORT_TOKEN, SupportAccess, Visit};
pub(crate) use tenant::{Tenant, TenantStatus};
pub(crate) use transaction::{Access, InTransaction, OwnerTransaction};
pub(crate) use versions::newest_version;

/// Owner connections of one replica: for directory look-ups, log-ins and sign-ups.
const CONNECTIONS: usize = 8;

/// The registry of one database.
#[derive(Debug)]
pub(crate) struct Registry {
    database: Database,
    pool: Pool,
    hasher: Hasher,
    guesses: Guesses,
    request_role: RoleName,
    request_password: Option<String>,
    /// Where entries of the audit log go that are part of no transaction.
    pub(crate) backlog: Backlog,
    /// The service's own table of users in every tenant schema.
    users_table: Ident,
    /// Tells who keeps workspaces in stock.
    spare_taken: Notify,
    /// None without tables that tenants share; they may come while `dev` runs.
    shared: ArcSwap<Option<SharedTables>>,
}

/// How often a connection is used. Each sign-up touches tables that no other one touches, and backends
/// forget none.
const USES: usize = 500;

/// Why the registry could not be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegistryError {
    #[error("no connection to the registry: {}", pool_reason(.0))]
    Pool(#[from] deadpool_postgres::PoolError),
    #[error("the registry answered: {}", postgres_reason(.0))]
    Postgres(#[from] tokio_postgres::Error),
    #[error("the registry holds a name that is none: {0}")]
    Name(#[from] NameError),
    #[error("the registry holds a domain that is none: {0}")]
    Domain(#[from] DomainNameError),
    #[error("the registry holds a subdomain that is none: {0}")]
    Subdomain(#[from] SubdomainError),
    #[error("the registry holds the unknown status {0}")]
    Status(String),
    #[error("too many requests wait for the registry")]
    Busy,
}

/// Without the registry nobody can be served; when it is only busy, another try is worth it.
impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Busy | RegistryError::Pool(_) => Self::overloaded(1).with_log(error),
            RegistryError::Postgres(error) if locked_out(&error) => {
                Self::migrating().with_log(postgres_reason(&error))
            }
            _ => Self::internal(error),
        }
    }
}

/// Whether others were in the way, so that another try may go through.
pub(crate) fn locked_out(error: &tokio_postgres::Error) -> bool {
    let others = [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
    ];
    error.code().is_some_and(|code| others.contains(code))
}

impl Registry {
    /// The database, with the owner's login.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// The role that request connections log in as.
    #[cfg(test)]
    pub(crate) fn request_role(&self) -> &RoleName {
        &self.request_role
    }

    /// User and password for request connections; none when the operator configured that login.
    pub(crate) fn request_login(&self) -> Option<(&RoleName, &str)> {
        let password = self.request_password.as_deref()?;
        Some((&self.request_role, password))
    }

    /// The schema of the tables that tenants share, if there are any.
    pub(crate) fn shared_schema(&self) -> Option<&'static str> {
        self.shared.load().map(|_| SHARED_SCHEMA)
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), RegistryError> {
        Ok(self.connection().await?.batch_execute("").await?)
    }

    /// An owner's connection: sees every tenant, so never for a request's own statements.
    pub(crate) async fn connection(&self) -> Result<Object, RegistryError> {
        checkout(&self.pool).await
    }
}

#[expect(clippy::disallowed_methods, reason = "the registry's door to its pool")]
async fn checkout(pool: &Pool) -> Result<Object, RegistryError> {
    Ok(pool.get().await?)
}

/// Closes a connection that has made or changed a tenant's tables. A backend never forgets a table that it
/// has met: after a thousand tenants it has gigabytes.
pub(crate) fn retire(connection: Object) {
    drop(Object::take(connection));
}

fn pool_reason(error: &deadpool_postgres::PoolError) -> String {
    match error {
        deadpool_postgres::PoolError::Backend(error) => postgres_reason(error),
        other => other.to_string(),
    }
}

/// Scripts of others run on these connections and may change their settings, hence `Clean`.
fn pool(database: &Database) -> Result<Pool, deadpool_postgres::BuildError> {
    let recycling = ManagerConfig {
        recycling_method: RecyclingMethod::Clean,
    };
    let manager = Manager::from_config(database.config().clone(), database.tls(), recycling);
    Pool::builder(manager)
        .max_size(CONNECTIONS)
        .pre_recycle(Hook::sync_fn(|_, metrics| {
            if metrics.recycle_count < USES {
                return Ok(());
            }
            Err(HookError::message("has been used often enough"))
        }))
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(Duration::from_secs(10)))
        .create_timeout(Some(Duration::from_secs(10)))
        .recycle_timeout(Some(Duration::from_secs(5)))
        .build()
}

#[cfg(test)]
mod tests;
