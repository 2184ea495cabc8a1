//! A file without a transaction, in one tenant's schema: how far it has come stands in the registry, so that a run that was
//! cut short goes on there.

use std::time::Duration;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error};

use super::Behind;
use super::tenant::Env;
use crate::migrate::{AutocommitFile, MigrationError, Start};

/// Runs what is left of the file. It is not in the schema's history yet afterwards: that takes a transaction.
pub(super) async fn run(
    client: &Client,
    env: &Env<'_>,
    tenant: &Behind,
    file: AutocommitFile<'_>,
) -> Result<(), MigrationError> {
    // For whoever looks at `pg_stat_activity`, the next run among them.
    let name = format!("tenantry autocommit {}", tenant.id);
    let named = "select set_config('application_name', $1, false)";
    client.query_typed(named, &[(&name, Type::TEXT)]).await?;
    file.enter(client, &tenant.schema).await?;
    let ran = run_statements(client, env, tenant, file).await;
    let left = AutocommitFile::leave(client).await;
    ran?;
    Ok(left?)
}

async fn run_statements(
    client: &Client,
    env: &Env<'_>,
    tenant: &Behind,
    file: AutocommitFile<'_>,
) -> Result<(), MigrationError> {
    let known = known(client, tenant, file).await?;
    if known.start == Start::CutShort {
        wait_for_orphan(client).await?;
    }
    for at in file.remaining(known.done) {
        let start = if at == known.done {
            known.start
        } else {
            Start::Fresh
        };
        // Settings are done again each time.
        if at >= known.done {
            note(client, tenant, file, at, true).await?;
        }
        let ran = file
            .run(client, &tenant.schema, at, start, env.lock_timeout)
            .await;
        if let Err(error) = ran {
            // Without a connection the next run does that.
            if let Err(left) = undo(client, tenant, file, at).await {
                let reason = crate::error::postgres_reason(&left);
                tracing::warn!(tenant.subdomain = %tenant.subdomain, file = file.name(), reason, "something is left of a failed statement");
            }
            return Err(error);
        }
    }
    Ok(note(client, tenant, file, file.len(), false).await?)
}

/// The server finishes a statement whose client was killed. Meanwhile nobody knows what it will leave, and the same
/// must not be done twice at once.
async fn wait_for_orphan(client: &Client) -> Result<(), Error> {
    let statement = "select from pg_stat_activity where datname = current_database() \
         and application_name = current_setting('application_name') and pid <> pg_backend_pid()";
    let mut told = false;
    while !client.query_typed(statement, &[]).await?.is_empty() {
        if !told {
            tracing::info!(
                "waiting for a statement of a run that was killed, which Postgres still works on"
            );
            told = true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn undo(
    client: &Client,
    tenant: &Behind,
    file: AutocommitFile<'_>,
    at: usize,
) -> Result<(), Error> {
    file.clean_up(client, &tenant.schema, at).await?;
    note(client, tenant, file, at, false).await
}

/// Where to go on.
struct Known {
    done: usize,
    start: Start,
}

async fn known(client: &Client, tenant: &Behind, file: AutocommitFile<'_>) -> Result<Known, Error> {
    let statement = "select done, running from tenantry.unfinished_migrations \
         where tenant_id = $1 and version = $2 and checksum = $3";
    let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
        (&tenant.id.0, Type::UUID),
        (&file.version(), Type::INT4),
        (&file.checksum().to_string(), Type::TEXT),
    ];
    let Some(row) = client.query_typed_opt(statement, &parameters).await? else {
        return Ok(Known {
            done: 0,
            start: Start::Fresh,
        });
    };
    let start = if row.try_get(1)? {
        Start::CutShort
    } else {
        Start::Fresh
    };
    let done = usize::try_from(row.try_get::<_, i32>(0)?).unwrap_or(0);
    Ok(Known { done, start })
}

async fn note(
    client: &Client,
    tenant: &Behind,
    file: AutocommitFile<'_>,
    done: usize,
    running: bool,
) -> Result<(), Error> {
    let statement = "insert into tenantry.unfinished_migrations (tenant_id, version, checksum, done, running) \
         values ($1, $2, $3, $4, $5) on conflict (tenant_id) do update set version = excluded.version, \
           checksum = excluded.checksum, done = excluded.done, running = excluded.running";
    let done = i32::try_from(done).unwrap_or(i32::MAX);
    client
        .execute_typed(
            statement,
            &[
                (&tenant.id.0, Type::UUID),
                (&file.version(), Type::INT4),
                (&file.checksum().to_string(), Type::TEXT),
                (&done, Type::INT4),
                (&running, Type::BOOL),
            ],
        )
        .await?;
    Ok(())
}

/// Forgets how far a file had come, in the transaction that adds it to the history.
pub(super) async fn forget(client: &Client, tenant: &Behind) -> Result<(), Error> {
    let statement = "delete from tenantry.unfinished_migrations where tenant_id = $1";
    client
        .execute_typed(statement, &[(&tenant.id.0, Type::UUID)])
        .await?;
    Ok(())
}
