//! What `dev` and `serve` have in common: a service put together, and served until it is stopped.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::apis::Apis;
use crate::compile::Compiler;
use crate::config::Serving;
use crate::domains::Watch;
use crate::guard::{BaseDomain, Guard, Hosts, ISSUER, JwtSecret, PublicUrl, Tokens};
use crate::http::{self, CookiePolicy, Introspection, News, Service};
use crate::limits::{Addresses, Limit};
use crate::mail::Mailer;
use crate::migrate;
use crate::names::RoleName;
use crate::oidc::Issuers;
use crate::platform::{self, Platform};
use crate::postgres::Database;
use crate::registry::{Directory, Registry, RequestLogin, Stock, Upgrade};
use crate::resets::Resets;
use crate::service::{self, Environment};
use crate::session::{Lanes, Preparing};

/// How long requests in flight may take once the service is told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// What a service is made of.
pub(super) struct Parts {
    pub(super) owner: Database,
    /// The request login; managed by the service when none.
    pub(super) requests: Option<Database>,
    pub(super) migrations: Arc<migrate::Current>,
    pub(super) base_domain: BaseDomain,
    pub(super) public_url: PublicUrl,
    pub(super) secret: JwtSecret,
    pub(super) serving: Serving,
    pub(super) default_introspection: Introspection,
    pub(super) default_mailer: Mailer,
    pub(super) default_spare_workspaces: usize,
    /// Whether the registry may be migrated.
    pub(super) upgrade: Upgrade,
    /// What `GraphiQL` is told of while it is open.
    pub(super) news: Option<watch::Receiver<News>>,
}

impl Parts {
    /// Whose login requests have.
    pub(super) fn login(&self) -> anyhow::Result<RequestLogin> {
        let Some(database) = &self.requests else {
            return Ok(RequestLogin::Managed);
        };
        let user = database.config().get_user();
        let user = user.context("the request URL names no user")?;
        Ok(RequestLogin::Given(RoleName::parse(user)?))
    }
}

/// Opens the registry and builds everything that requests need.
pub(super) async fn build(parts: Parts) -> anyhow::Result<Arc<Service>> {
    let (owner, login) = (parts.owner.clone(), parts.login()?);
    let migrations = parts.migrations.load_full();
    let registry = Registry::open(owner, login, &migrations, parts.upgrade).await?;
    let requests = match (parts.requests, registry.request_login()) {
        (Some(database), _) => database,
        (None, Some((user, password))) => parts.owner.with_login(user.as_str(), password),
        (None, None) => anyhow::bail!("there is no request login"),
    };
    // Behind a pooler there is one login for all, as the pooler has to know it.
    let lanes = parts.serving.lanes(registry.max_connections().await?);
    let lane_roles = match lanes.preparing {
        Preparing::Statements(_) => registry.lane_roles(lanes.lanes.get()).await?,
        Preparing::Nothing => Vec::new(),
    };
    let registry = Arc::new(registry);
    let directory = Arc::new(Directory::start(Arc::clone(&registry)).await?);
    let tokens = Tokens::new(&parts.secret, parts.serving.lifetimes());
    let guard = Arc::new(Guard::new(
        Hosts::new(parts.base_domain, parts.serving.hosts.api_host.as_deref())?,
        Arc::clone(&registry),
        Arc::clone(&directory),
        tokens,
        Issuers::start(parts.serving.oidc.issuers()?, ISSUER)?,
    ));
    let origins = parts.serving.hosts.cors_origin.clone();
    let cookies = CookiePolicy::new(
        parts.public_url.scheme,
        parts.serving.lifetimes().session,
        origins.clone(),
    );
    let mailer = Arc::new(match &parts.serving.mail_webhook {
        Some(url) => Mailer::webhook(url.clone())?,
        None => parts.default_mailer,
    });
    let resets = Resets::new(
        Arc::clone(&registry),
        Arc::clone(&mailer),
        parts.public_url.clone(),
    );
    let platform = platform::schema(Platform {
        registry: Arc::clone(&registry),
        directory: Arc::clone(&directory),
        guard: Arc::clone(&guard),
        migrations: Arc::clone(&parts.migrations),
        public_url: parts.public_url.clone(),
        resets: Arc::clone(&resets),
    });
    let domains = Arc::new(parts.serving.hosts.proofs.domains()?);
    let watch = Watch {
        domains: Arc::clone(&domains),
        registry: Arc::clone(&registry),
        mailer: Arc::clone(&mailer),
        public_url: parts.public_url.clone(),
        days: parts.serving.hosts.domain_days,
    };
    let environment = Arc::new(Environment {
        mailer,
        resets,
        registry: Arc::clone(&registry),
        guard: Arc::clone(&guard),
        public_url: parts.public_url,
        limits: parts.serving.limits(),
        domains: Arc::clone(&domains),
    });
    let introspection = parts
        .serving
        .introspection
        .unwrap_or(parts.default_introspection);
    Ok(Arc::new(Service {
        apis: Apis::new(Arc::clone(&registry), parts.serving.options(introspection)?),
        compiler: Compiler::new(
            parts.serving.plan_cache,
            super::documents::policy(&parts.serving)?,
        ),
        lanes: Lanes::new(Arc::clone(&registry), &requests, lane_roles, &lanes)?,
        introspection,
        cookies,
        origins,
        limits: parts.serving.limits(),
        own_schema: service::schema(),
        environment,
        proxies: parts.serving.proxies()?,
        stock: Stock {
            migrations: parts.migrations,
            wanted: (parts.serving.spare_workspaces).unwrap_or(parts.default_spare_workspaces),
        },
        addresses: Addresses::new(parts.serving.rates.anonymous()),
        exports: Arc::new(Semaphore::new(http::EXPORTS_AT_ONCE)),
        audit: parts.serving.audit,
        audit_days: parts.serving.audit_days,
        news: parts.news,
        watch,
        guard,
        registry,
        directory,
        platform,
    }))
}

/// Answers requests until `stop` says so, then finishes those in flight.
pub(super) async fn serve(
    service: Arc<Service>,
    listener: TcpListener,
    stop: Stop,
) -> anyhow::Result<()> {
    let stopping = stop.clone();
    let server = http::serve(listener, Arc::clone(&service), async move {
        stopping.wait().await;
    });
    let registry = &service.registry;
    tokio::select! {
        () = service.lanes.tidy() => {}
        () = service.apis.keep(&service.directory, |api| service.compiler.forget(api)) => {}
        () = registry.keep_spares(&service.stock, &service.lanes) => {}
        () = registry.keep_measuring(service.limits.own(Limit::Storage)) => {}
        () = registry.forget_old_entries(service.audit_days) => {}
        () = Box::pin(registry.keep_activity(&service.directory)) => {}
        () = Box::pin(service.watch.keep()) => {}
        () = server => {}
        () = async { stop.wait().await; tokio::time::sleep(DRAIN).await } => {
            tracing::warn!("some requests did not finish in time");
        }
    }
    service.lanes.close();
    registry.flush_activity(&service.directory).await;
    tokio::join!(
        registry.backlog.written(),
        service.environment.mailer.finish()
    );
    Ok(())
}

/// Tells when the process is to stop: SIGINT or SIGTERM.
#[derive(Clone)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    pub(super) fn on_signals() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            let _ = sender.send(true);
        });
        Ok(Self(receiver))
    }

    pub(super) async fn wait(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
