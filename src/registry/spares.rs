//! Spare workspaces: schemas, roles and tables made before anybody signs up for them.
//!
//! Whatever changes `pg_namespace` has every backend throw all of its plans away, and whatever
//! changes roles has it look at its memberships again. With 1,000 tenants that is a second of work
//! for each sign-up, which everybody's requests pay. So schemas and roles are made several at a
//! time, seldom, and signing up takes one that is ready.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_postgres::Transaction;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::provision::{SignUpError, furnish};
use super::{Registry, retire};
use crate::migrate::{self, Migrations};
use crate::names::{RoleName, SchemaName, TenantId};

/// Has one replica at a time make schemas.
const MAKING_SPARES: i64 = 0x7370_6172_6500_0001;

/// How long to wait, when nobody signs up, until the stock is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// A workspace without a tenant.
pub(super) struct Spare {
    pub(super) tenant: TenantId,
    pub(super) schema: SchemaName,
    pub(super) role: RoleName,
}

/// What is kept in stock, and how many.
pub(crate) struct Stock {
    pub(crate) migrations: Arc<migrate::Current>,
    pub(crate) wanted: usize,
}

/// How workspaces are let into the lanes that will serve them: the names of the lanes' logins.
pub(crate) trait Lanes {
    fn logins(&self, tenant: TenantId) -> Vec<RoleName>;
}

impl Registry {
    /// Takes a workspace that is ready, if there is one, for the tenant that the transaction makes.
    pub(super) async fn take_spare(
        transaction: &Transaction<'_>,
        migrations: &Migrations,
    ) -> Result<Option<Spare>, SignUpError> {
        let row = transaction
            .query_typed_opt(
                "delete from tenantry.spare_workspaces where tenant_id = ( \
                   select tenant_id from tenantry.spare_workspaces where ready and migrations = $1 \
                   order by made_at limit 1 for update skip locked) \
                 returning tenant_id, schema_name, role_name",
                &[(&migrations.digest(), Type::TEXT)],
            )
            .await?;
        row.map(|row| spare(&row)).transpose()
    }

    /// Keeps workspaces in stock, for ever.
    pub(crate) async fn keep_spares(&self, stock: &Stock, lanes: &impl Lanes) {
        if stock.wanted == 0 {
            std::future::pending::<()>().await;
        }
        loop {
            let migrations = stock.migrations.load_full();
            if let Err(error) = self.restock(&migrations, lanes, stock.wanted).await {
                tracing::warn!(%error, "no workspaces could be made ahead");
            }
            let _ = tokio::time::timeout(LOOK_AGAIN, self.spare_taken.notified()).await;
        }
    }

    /// Fills the stock up when half of it is gone.
    pub(super) async fn restock(
        &self,
        migrations: &Migrations,
        lanes: &impl Lanes,
        wanted: usize,
    ) -> Result<(), SignUpError> {
        self.drop_outdated_spares(migrations).await?;
        self.make_spares(migrations, lanes, wanted).await?;
        loop {
            let started = Instant::now();
            if !self.furnish_spare(migrations).await? {
                return Ok(());
            }
            // At most a quarter of one core: nobody waits for it.
            tokio::time::sleep(started.elapsed() * 3).await;
        }
    }

    /// Workspaces of an older version are not brought up to date: nothing is in them. Those of a newer
    /// one belong to a newer replica.
    async fn drop_outdated_spares(&self, migrations: &Migrations) -> Result<(), SignUpError> {
        let version = migrations.version();
        self.connection()
            .await?
            .query_typed(
                "select tenantry.drop_spare(tenant_id) from ( \
                   select tenant_id from tenantry.spare_workspaces \
                   where migrations <> $1 and base_version <= $2 and app_version <= $3 \
                   for update skip locked) as outdated",
                &[
                    (&migrations.digest(), Type::TEXT),
                    (&version.base, Type::INT4),
                    (&version.app, Type::INT4),
                ],
            )
            .await?;
        Ok(())
    }

    /// Makes the schemas and roles that are missing, in one transaction, once half of them are.
    pub(super) async fn make_spares(
        &self,
        migrations: &Migrations,
        lanes: &impl Lanes,
        wanted: usize,
    ) -> Result<(), SignUpError> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await?;
        let row = transaction
            .query_typed_one(
                "select pg_try_advisory_xact_lock($1), count(*) from tenantry.spare_workspaces \
                 where migrations = $2",
                &[
                    (&MAKING_SPARES, Type::INT8),
                    (&migrations.digest(), Type::TEXT),
                ],
            )
            .await?;
        let stock = usize::try_from(row.try_get::<_, i64>(1)?).unwrap_or(usize::MAX);
        if !row.try_get::<_, bool>(0)? || stock > wanted / 2 {
            return Ok(());
        }
        let version = migrations.version();
        for _ in stock..wanted {
            let tenant = TenantId(Uuid::now_v7());
            let row = transaction
                .query_typed_one(
                    "select tenantry.create_spare($1, $2, $3, $4)",
                    &[
                        (&tenant.0, Type::UUID),
                        (&version.base, Type::INT4),
                        (&version.app, Type::INT4),
                        (&migrations.digest(), Type::TEXT),
                    ],
                )
                .await?;
            let role = RoleName::parse(row.try_get::<_, String>(0)?)?;
            super::lanes::admit(&*transaction, &lanes.logins(tenant), &role).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Makes the tables of one workspace. False when all have them.
    async fn furnish_spare(&self, migrations: &Migrations) -> Result<bool, SignUpError> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await?;
        let row = transaction
            .query_typed_opt(
                "select tenant_id, schema_name, role_name from tenantry.spare_workspaces \
                 where not ready and migrations = $1 order by made_at limit 1 for update skip locked",
                &[(&migrations.digest(), Type::TEXT)],
            )
            .await?;
        let Some(row) = row else { return Ok(false) };
        let Spare {
            tenant,
            schema,
            role,
        } = spare(&row)?;
        furnish(&transaction, migrations, &schema, &role, &self.users_table).await?;
        self.protect_views(&transaction, &schema).await?;
        transaction
            .query_typed(
                "update tenantry.spare_workspaces set ready = true where tenant_id = $1",
                &[(&tenant.0, Type::UUID)],
            )
            .await?;
        transaction.commit().await?;
        retire(connection);
        Ok(true)
    }
}

fn spare(row: &tokio_postgres::Row) -> Result<Spare, SignUpError> {
    Ok(Spare {
        tenant: TenantId(row.try_get(0)?),
        schema: SchemaName::parse(row.try_get::<_, String>(1)?)?,
        role: RoleName::parse(row.try_get::<_, String>(2)?)?,
    })
}
