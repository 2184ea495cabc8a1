//! Committing in two phases, and finishing what somebody else had decided.

use futures_util::future::join_all;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error};
use uuid::Uuid;

use super::{APPLICATION_NAME, NotAtomic};
use crate::error::postgres_reason;
use crate::fleet::work::Crew;
use crate::fleet::{FleetError, Watch};
use crate::names::TenantId;
use crate::registry::record_files;

/// What a prepared transaction is called: Postgres keeps the name until somebody ends it.
pub(super) fn name(run: Uuid, number: usize) -> String {
    format!("tenantry-{run}-{number}")
}

/// The names that [`name`] makes, and nobody else.
pub(super) const NAMES: &str = "^tenantry-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9]+$";

/// How many more transactions the server can prepare. Most are set up for none.
pub(super) async fn available(client: &Client) -> Result<usize, Error> {
    let statement = "select current_setting('max_prepared_transactions')::int8 - count(*) from pg_prepared_xacts";
    let row = client.query_typed_one(statement, &[]).await?;
    Ok(usize::try_from(row.try_get::<_, i64>(0)?).unwrap_or(0))
}

impl<W: Watch> Crew<'_, W> {
    /// Commits the open transactions of several connections: all of them or none.
    pub(super) async fn commit_prepared(
        &self,
        registry: &Client,
        run: Uuid,
        clients: &[Client],
        migrated: &[TenantId],
    ) -> Result<(), FleetError> {
        let prepared = each(clients, |number| {
            format!("prepare transaction '{}'", name(run, number))
        });
        if let Some(Err(error)) = prepared.await.into_iter().find(Result::is_err) {
            roll_back(clients, run).await;
            return Err(NotAtomic::not_prepared(&error).into());
        }
        if let Err(error) = self.decide(registry, run).await {
            if error.as_db_error().is_none() {
                return Err(NotAtomic::undecided(error));
            }
            let _ = registry.batch_execute("rollback").await;
            roll_back(clients, run).await;
            return Err(error.into());
        }
        let committed = each(clients, |number| {
            format!("commit prepared '{}'", name(run, number))
        });
        for (number, committed) in committed.await.into_iter().enumerate() {
            if committed.is_err() {
                // Another connection may do it as well.
                let commit = format!("commit prepared '{}'", name(run, number));
                let committed = registry.batch_execute(&commit).await;
                let reason = committed.map_err(|error| postgres_reason(&error));
                reason.map_err(NotAtomic::Undecided)?;
            }
        }
        Ok(tell(registry, migrated).await?)
    }

    /// From here on there is no way back.
    async fn decide(&self, registry: &Client, run: Uuid) -> Result<(), Error> {
        registry.batch_execute("begin").await?;
        record_files(registry, self.env.migrations).await?;
        let decided = "update tenantry.migration_runs set state = 'committing' where id = $1";
        registry
            .execute_typed(decided, &[(&run, Type::UUID)])
            .await?;
        registry.batch_execute("commit").await
    }
}

/// Runs a statement on each connection, by its number.
async fn each(clients: &[Client], statement: impl Fn(usize) -> String) -> Vec<Result<(), Error>> {
    let ran = clients.iter().enumerate().map(|(number, client)| {
        let statement = statement(number);
        async move { client.batch_execute(&statement).await }
    });
    join_all(ran).await
}

/// Undoes whatever has come as far as being prepared. What is left, as a connection has gone, the next run undoes.
async fn roll_back(clients: &[Client], run: Uuid) {
    let undone = each(clients, |number| {
        format!("rollback prepared '{}'", name(run, number))
    });
    for error in undone.await.into_iter().filter_map(Result::err) {
        tracing::debug!(
            reason = postgres_reason(&error),
            "a transaction was not prepared"
        );
    }
}

/// Tells all replicas of the tenants' new versions.
pub(super) async fn tell(client: &Client, tenants: &[TenantId]) -> Result<(), Error> {
    let tenants: Vec<Uuid> = tenants.iter().map(|tenant| tenant.0).collect();
    let statement = "select pg_notify('tenantry_tenants', id::text) from unnest($1) as id";
    client
        .query_typed(statement, &[(&tenants, Type::UUID_ARRAY)])
        .await?;
    Ok(())
}

/// Commits what a killed run had decided to commit, and undoes the rest of what it has prepared.
///
/// Whoever calls this holds the lock of the runs: connections of another one have nobody who listens to them.
pub(in crate::fleet) async fn recover(client: &Client) -> Result<(), Error> {
    let left = "select exists (select from pg_prepared_xacts where database = current_database() and gid ~ $2) \
           or exists (select from tenantry.migration_runs where state = 'committing') \
           or exists (select from pg_stat_activity where datname = current_database() and application_name = $1)";
    let application: (&(dyn ToSql + Sync), Type) = (&APPLICATION_NAME, Type::TEXT);
    let names: (&(dyn ToSql + Sync), Type) = (&NAMES, Type::TEXT);
    if !client
        .query_typed_one(left, &[application.clone(), names.clone()])
        .await?
        .try_get::<_, bool>(0)?
    {
        return Ok(());
    }
    // What they prepare from now on nobody would end.
    let end = "select pg_terminate_backend(pid, 60000) from pg_stat_activity \
         where datname = current_database() and application_name = $1";
    client.query_typed(end, &[application]).await?;
    let prepared = "select case when r.id is null then 'rollback' else 'commit' end || ' prepared ' || quote_literal(gid) \
         from pg_prepared_xacts left join tenantry.migration_runs as r \
           on r.state = 'committing' and starts_with(gid, 'tenantry-' || r.id || '-') \
         where database = current_database() and gid ~ $1";
    for row in client.query_typed(prepared, &[names]).await? {
        let statement: &str = row.try_get(0)?;
        tracing::warn!(statement, "ending a transaction of a run that was killed");
        client.batch_execute(statement).await?;
    }
    let done = "with done as (update tenantry.migration_runs set state = 'done', finished_at = now() \
           where state = 'committing' returning started_at) \
         select pg_notify('tenantry_tenants', id::text) from tenantry.tenants \
         where updated_at >= (select min(started_at) from done)";
    client.query_typed(done, &[]).await?;
    Ok(())
}
