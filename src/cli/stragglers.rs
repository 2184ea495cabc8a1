//! Tenants that replicas with older files have signed up since the fleet was migrated.

use std::collections::BTreeSet;
use std::time::Duration;

use super::migrate::{Logged, Scale, refusal};
use crate::fleet::{self, End, Event, FleetError, Options, Waiting, Watch};
use crate::http::Service;
use crate::migrate::SchemaVersion;

/// How often the directory, which is in memory, is asked whether there are any.
const LOOK: Duration = Duration::from_secs(2);

/// The pause after they could not be migrated.
const PAUSE: Duration = Duration::from_mins(1);

/// Migrates them, or says that they are there; for ever. They are served at their own version meanwhile.
pub(super) async fn keep(service: &Service, migrate: bool) {
    let mut known = versions_behind(service);
    loop {
        let found = versions_behind(service);
        if !migrate && found.iter().any(|version| !known.contains(version)) {
            warn(service).await;
        }
        let mut pause = LOOK;
        if migrate
            && !found.is_empty()
            && let Err(error) = bring_up(service).await
        {
            tracing::error!("tenants stay behind: {error:#}");
            pause = PAUSE;
        }
        known = found;
        tokio::time::sleep(pause).await;
    }
}

/// Where somebody has run other files late, or is ahead, nobody here knows better.
fn versions_behind(service: &Service) -> BTreeSet<(i32, i32)> {
    let pair = |version: SchemaVersion| (version.base, version.app);
    let (base, app) = pair(service.stock.migrations.load().version());
    let tenants = service.directory.of_each_version();
    let versions = tenants.iter().map(|tenant| pair(tenant.version));
    versions
        .filter(|version| version.0 <= base && version.1 <= app && *version != (base, app))
        .collect()
}

/// Says how many tenants are behind, if any is.
pub(super) async fn warn(service: &Service) {
    let migrations = service.stock.migrations.load_full();
    let counted = async {
        let connection = service.registry.connection().await?;
        fleet::count_behind(&connection, &migrations).await
    };
    match counted.await {
        Ok(0) => {}
        Ok(tenants) => tracing::warn!(
            tenants,
            "some tenants are behind: `tenantry migrate` brings them up"
        ),
        Err(error) => tracing::warn!(%error, "it is not known which tenants are behind"),
    }
}

async fn bring_up(service: &Service) -> anyhow::Result<()> {
    let migrations = service.stock.migrations.load_full();
    let options = Options {
        waiting: Waiting::NotAtAll,
        ..Options::default()
    };
    let watch = Quiet(Logged(Scale::Fleet));
    match fleet::migrate(&service.registry, &migrations, &options, &watch).await {
        // Another replica does it.
        Err(FleetError::AtWork(_)) => Ok(()),
        Ok(summary) if summary.end == End::Done => {
            tracing::info!(
                tenants = summary.migrated,
                "brought tenants up that an older replica had signed up"
            );
            Ok(())
        }
        Ok(summary) => Err(refusal(&summary, false).into()),
        Err(error) => Err(error.into()),
    }
}

/// The files have been looked at when the others ran them.
struct Quiet(Logged);

impl Watch for Quiet {
    fn see(&self, event: &Event<'_>) {
        self.0.see(event);
    }
}
