//! The tables that all tenants share: made when the registry is opened, and kept apart where their
//! rows belong to tenants.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Transaction};

use super::open::{OpenError, Upgrade};
use super::{InTransaction, Registry};
use crate::migrate::{self, MigrationFile, MigrationSet, Migrations};
use crate::names::SchemaName;

/// Where they are; names of theirs are qualified, as no search path leads there.
pub(crate) const SHARED_SCHEMA: &str = "shared";

/// What is known of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct SharedTables {
    /// Some have rows that belong to tenants.
    protected: bool,
}

impl SharedTables {
    /// What there is; none where no migrations have made any.
    pub(super) async fn find(client: &Client) -> Result<Option<Self>, Error> {
        let statement = "select exists (select from pg_policy where polname = 'tenantry_bound') \
             where to_regclass('shared.tenantry_shared_history') is not null";
        let row = client.query_typed_opt(statement, &[]).await?;
        row.map(|row| {
            let protected = row.try_get(0)?;
            Ok(Self { protected })
        })
        .transpose()
    }

    /// Brings them up to date, where that may be done now.
    pub(super) async fn open(
        transaction: &Transaction<'_>,
        set: &MigrationSet,
        upgrade: Upgrade,
    ) -> Result<(), OpenError> {
        transaction
            .batch_execute("select tenantry.open_shared()")
            .await?;
        let schema = SchemaName::parse(SHARED_SCHEMA)?;
        let history = format!("{}.{}", schema.quoted(), set.history());
        let applied = applied(transaction.client(), &history).await?;
        let is_pending = applied < set.len();
        if upgrade == Upgrade::Refuse && is_pending {
            return Err(OpenError::SharedBehind {
                pending: set.len() - applied,
            });
        }
        if upgrade == Upgrade::Refuse && applied > set.len() {
            tracing::warn!("the tables that tenants share are of a newer release");
            return Ok(());
        }
        if is_pending {
            let share = "select tenantry.share_new_tables(true)";
            transaction.batch_execute(share).await?;
        }
        // Files that have run are looked at, too: they must not have changed.
        let run = migrate::run(transaction, &schema, set).await;
        run.map_err(OpenError::Shared)?;
        if is_pending {
            let close = format!(
                "select tenantry.share_new_tables(false); revoke all on {history} from public"
            );
            transaction.batch_execute(&close).await?;
        }
        let protect = "select tenantry.protect_shared()";
        Ok(transaction.batch_execute(protect).await?)
    }
}

/// The files for shared tables that have not run.
pub(crate) async fn pending_shared<'m>(
    client: &Client,
    migrations: &'m Migrations,
) -> Result<&'m [MigrationFile], Error> {
    let Some(set) = &migrations.shared else {
        return Ok(&[]);
    };
    let history = format!("{SHARED_SCHEMA}.{}", set.history());
    let applied = applied(client, &history).await?;
    Ok(set.skip(applied))
}

impl Registry {
    /// Has views of a tenant that read shared rows show that tenant's only.
    pub(crate) async fn protect_views(
        &self,
        transaction: &impl InTransaction,
        schema: &SchemaName,
    ) -> Result<(), Error> {
        if self.shared.load().is_some_and(|shared| shared.protected) {
            let statement = "select tenantry.protect_views(to_regnamespace(quote_ident($1)))";
            let schema = schema.as_str();
            transaction
                .client()
                .query_typed(statement, &[(&schema, Type::TEXT)])
                .await?;
        }
        Ok(())
    }
}

/// How many of the migrations have run.
async fn applied(client: &Client, history: &str) -> Result<usize, Error> {
    let known = client
        .query_typed_one(
            "select to_regclass($1) is not null",
            &[(&history, Type::TEXT)],
        )
        .await?;
    if !known.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let count = format!("select count(*) from {history}");
    let row = client.query_typed_one(&count, &[]).await?;
    Ok(usize::try_from(row.try_get::<_, i64>(0)?).unwrap_or(0))
}
