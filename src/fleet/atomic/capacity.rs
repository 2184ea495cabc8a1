//! Whether the server's table of locks has room for all tenants at once: it is of a fixed size, and running out of it fails
//! everybody's transactions, not only ours.

use std::time::Duration;

use tokio_postgres::{Client, Error};

use super::NotAtomic;
use crate::fleet::tenant::{Done, Env, TenantError, migrate_tenant};
use crate::fleet::work::Crew;
use crate::fleet::{Behind, Failure, FleetError, Mode, Watch};

/// How many locks one connection holds.
#[derive(Debug, Clone, Copy)]
struct Locks {
    /// With the first tenant.
    first: i64,
    /// More with each other one.
    next: i64,
}

/// The server's table.
#[derive(Debug, Clone, Copy)]
struct Table {
    /// `max_locks_per_transaction`.
    setting: i64,
    /// How many transactions that is meant for.
    transactions: i64,
    used: i64,
}

impl<W: Watch> Crew<'_, W> {
    /// Measures what a tenant takes by migrating one or two, and undoing that.
    pub(super) async fn check_capacity(
        &self,
        tenants: &[Behind],
        connections: usize,
    ) -> Result<Result<(), Box<Failure>>, FleetError> {
        let client = self.connect().await?;
        client.batch_execute("begin").await?;
        let mut held = Vec::new();
        for tenant in tenants.iter().take(2) {
            match self.try_patiently(&client, &self.env, tenant).await {
                Ok(Done::UpTo(file)) => return Err(NotAtomic::from(file).into()),
                Ok(Done::Migrated | Done::NotBehind) => held.push(locks(&client).await?),
                Err(error) => {
                    let failure = Failure::new(tenant, &error, self.env.migrations);
                    return Ok(Err(Box::new(failure)));
                }
            }
        }
        client.batch_execute("rollback").await?;
        let first = held.first().copied().unwrap_or_default();
        let next = held.get(1).map_or(0, |both| both - first);
        let table = table(&client).await?;
        Ok(Ok(fits(
            Locks { first, next },
            table,
            tenants.len(),
            connections,
        )?))
    }

    pub(super) async fn try_patiently<'e>(
        &self,
        client: &Client,
        env: &Env<'e>,
        tenant: &Behind,
    ) -> Result<Done<'e>, TenantError> {
        let mut tries = 0;
        loop {
            let outcome = migrate_tenant(client, env, tenant, Mode::Joint).await;
            let again = |error: &TenantError| error.is_passing() && !client.is_closed();
            match outcome {
                Err(error) if again(&error) && tries < self.options.lock_retries => tries += 1,
                outcome => return outcome,
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// All of them, as those that do without the shared table move into it when their transaction is prepared.
async fn locks(client: &Client) -> Result<i64, Error> {
    let statement = "select count(*) from pg_locks where pid = pg_backend_pid()";
    client.query_typed_one(statement, &[]).await?.try_get(0)
}

async fn table(client: &Client) -> Result<Table, Error> {
    let statement = "select current_setting('max_locks_per_transaction')::int8, \
           current_setting('max_connections')::int8 + current_setting('max_prepared_transactions')::int8, \
           (select count(*) from pg_locks where not fastpath)";
    let row = client.query_typed_one(statement, &[]).await?;
    Ok(Table {
        setting: row.try_get(0)?,
        transactions: row.try_get(1)?,
        used: row.try_get(2)?,
    })
}

/// The size is that of the manual, without the little that the server has in reserve.
fn fits(locks: Locks, table: Table, tenants: usize, connections: usize) -> Result<(), NotAtomic> {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let others = count(tenants.saturating_sub(connections));
    let needed = locks
        .first
        .saturating_mul(count(connections))
        .saturating_add(locks.next.saturating_mul(others));
    let room = table.setting.saturating_mul(table.transactions);
    let all = needed.saturating_add(table.used);
    if all <= room {
        return Ok(());
    }
    Err(NotAtomic::LockTable {
        tenants,
        needed,
        room,
        used: table.used,
        // A tenth more, for those who work meanwhile.
        wanted: (all + all / 10).div_euclid(table.transactions.max(1)) + 1,
        setting: table.setting,
    })
}

#[cfg(test)]
mod tests {
    use super::{Locks, NotAtomic, Table, fits};

    #[test]
    fn many_tenants_need_a_large_table() {
        let locks = Locks {
            first: 120,
            next: 100,
        };
        let table = Table {
            setting: 64,
            transactions: 100,
            used: 40,
        };
        assert!(fits(locks, table, 60, 1).is_ok());
        let refused = fits(locks, table, 1000, 4).unwrap_err();
        let NotAtomic::LockTable {
            needed,
            room,
            wanted,
            ..
        } = refused
        else {
            panic!("{refused}")
        };
        assert_eq!((needed, room), (4 * 120 + 996 * 100, 6400));
        let larger = Table {
            setting: wanted,
            ..table
        };
        assert!(fits(locks, larger, 1000, 4).is_ok());
        assert!(wanted < 1200, "{wanted}");
    }
}
