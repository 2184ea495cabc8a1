//! Applies SQL files as they are written, while the service goes on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::files::Files;
use crate::cli::documents;
use crate::cli::exit::told_once;
use crate::http::{News, Service};
use crate::migrate::{self, SchemaVersion};
use crate::plan;
use crate::registry::{Tenant, newest_version};
use crate::schema::diff::{Impact, diff};

pub(super) struct Reloader {
    files: Files,
    /// What new tenants are made with.
    migrations: Arc<migrate::Current>,
    /// Tells open `GraphiQL`s; they hear of the end when it is dropped.
    telling: watch::Sender<News>,
    /// The GraphQL schema of the tables as they are.
    sdl: String,
}

impl Reloader {
    pub(super) async fn new(
        files: Files,
        migrations: Arc<migrate::Current>,
        telling: watch::Sender<News>,
        service: &Service,
    ) -> anyhow::Result<Self> {
        let mut reloader = Self {
            files,
            migrations,
            telling,
            sdl: String::new(),
        };
        reloader.sdl = reloader.served(service).await?.unwrap_or_default();
        reloader.tell(None);
        Ok(reloader)
    }

    /// For as long as it is polled.
    pub(super) async fn run(mut self, service: &Service) {
        loop {
            self.files.changed().await;
            let problem = match self.apply(service).await {
                Ok(problem) => problem,
                Err(error) => Some(told_once(&error)),
            };
            if let Some(problem) = &problem {
                tracing::error!("{problem}");
            }
            self.tell(problem);
        }
    }

    /// Has all tenants run what is new. Tells what is wrong all the same.
    async fn apply(&mut self, service: &Service) -> anyhow::Result<Option<String>> {
        let started = Instant::now();
        let registry = &service.registry;
        let run = newest_version(registry.database()).await?;
        let migrations = Arc::new(self.files.read(run)?);
        // Tables that make no API would leave tenants without one, as what has run stays.
        if let Some(tenant) = newest(service) {
            service.apis.rehearse(&tenant, &migrations).await?;
        }
        let database = registry.database();
        super::AUTHORS.look_at_shared(database, &migrations).await;
        registry.prepare(&migrations).await?;
        // Who signs up from now on has the new tables; those who are there get them.
        let before = self.migrations.swap(Arc::clone(&migrations));
        super::migrate(service, &migrations, true).await?;
        heard(service, migrations.version()).await;
        service.apis.renew();
        let sdl = self.served(service).await?.unwrap_or_default();
        let new = migrations.beyond(&before).join(", ");
        tracing::info!(
            new,
            duration_ms = started.elapsed().as_millis(),
            "read the SQL files again"
        );
        self.compare(&sdl)?;
        self.sdl = sdl;
        let problems = documents::misfits(service).await?;
        Ok((!problems.is_empty()).then(|| {
            let problems = problems.join("\n");
            format!("trusted documents do not fit the tables any more:\n{problems}")
        }))
    }

    /// Says what has changed for clients.
    fn compare(&self, sdl: &str) -> anyhow::Result<()> {
        if self.sdl.is_empty() || self.sdl == sdl {
            return Ok(());
        }
        let changes = diff(&self.sdl, sdl)?;
        for change in &changes {
            if change.rule.impact() == Impact::Breaking {
                tracing::warn!("{} {}: this breaks clients", change.path, change.message);
            }
        }
        let [breaking, dangerous, safe] = Impact::ALL.map(|impact| {
            let of = changes
                .iter()
                .filter(|change| change.rule.impact() == impact);
            of.count()
        });
        tracing::info!(breaking, dangerous, safe, "the API has changed");
        Ok(())
    }

    /// The GraphQL schema that is served from now on; none without tenants.
    async fn served(&self, service: &Service) -> anyhow::Result<Option<String>> {
        match newest(service) {
            Some(tenant) => Ok(Some(service.apis.load(&tenant).await?.sdl())),
            None => Ok(None),
        }
    }

    fn tell(&self, problem: Option<String>) {
        let schema = plan::sha256(&self.sdl);
        self.telling.send_if_modified(|news| {
            let told = News { schema, problem };
            let is_new = *news != told;
            *news = told;
            is_new
        });
    }
}

/// Waits a moment for the directory to be told of what has been done, so that whoever is told next finds it so.
async fn heard(service: &Service, version: SchemaVersion) {
    for _ in 0..20 {
        let tenants = service.directory.of_each_version();
        if tenants.iter().all(|tenant| tenant.version == version) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A tenant of the newest version.
fn newest(service: &Service) -> Option<Arc<Tenant>> {
    let tenants = service.directory.of_each_version();
    tenants.into_iter().max_by_key(|tenant| tenant.version)
}
