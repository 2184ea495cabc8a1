//! When tenants were last active: marked in memory by each request, written down every minute.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{Directory, Registry, RegistryError};

const EVERY: Duration = Duration::from_mins(1);

/// How long the end of the service waits for the last marks.
const LAST: Duration = Duration::from_secs(3);

impl Registry {
    /// Writes down which tenants were active on this replica; for ever.
    pub(crate) async fn keep_activity(&self, directory: &Directory) {
        let mut rounds = interval(EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            self.flush_activity(directory).await;
        }
    }

    /// Writes down who was active since the last time. What cannot be written is marked again.
    pub(crate) async fn flush_activity(&self, directory: &Directory) {
        let active = directory.take_marked();
        if active.is_empty() {
            return;
        }
        let ids: Vec<_> = active.iter().map(|tenant| tenant.id.0).collect();
        let problem = match timeout(LAST, self.write_activity(&ids)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the database did not answer in time".to_owned(),
        };
        tracing::warn!(problem, "when tenants were last active cannot be written");
        for tenant in active {
            tenant.meter.mark();
        }
    }

    /// In the order of their ids, as other replicas do: so none waits for one that waits for it.
    async fn write_activity(&self, ids: &[Uuid]) -> Result<(), RegistryError> {
        let statement = "insert into tenantry.activity (tenant_id, last_at) \
             select t.id, now() from tenantry.tenants t where t.id = any($1) order by t.id \
             on conflict (tenant_id) do update set last_at = excluded.last_at \
             where activity.last_at < excluded.last_at";
        let connection = self.connection().await?;
        connection
            .execute_typed(statement, &[(&ids, Type::UUID_ARRAY)])
            .await?;
        Ok(())
    }
}
