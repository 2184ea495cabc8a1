//! `tenantry serve`: the service on somebody's database.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use clap::Args;
use tokio::net::TcpListener;

use super::migrate::{Logged, Scale, complete, refusal};
use super::service::{self, Parts, Stop};
use super::{documents, stragglers};
use crate::config::{Serving, TenantSql};
use crate::fleet::{self, End, Options};
use crate::guard::{BaseDomain, JwtSecret, PublicUrl, Scheme};
use crate::http::Introspection;
use crate::mail::Mailer;
use crate::postgres::Database;
use crate::registry::{FilesError, OpenError, Registry, Upgrade};

/// Enough for a busy minute: half of them are gone before more are made.
const SPARE_WORKSPACES: usize = 16;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The database, with the login that owns it: it may create schemas and roles, and runs
    /// migrations. `sslmode` and `sslrootcert` mean what they mean to libpq.
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: String,

    /// The same database for requests, with a login that can see nothing (NOINHERIT, no grants).
    /// When left out the service makes one, `tenantry_api`, and keeps its password in the registry.
    #[arg(
        long,
        env = "TENANTRY_API_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    api_database_url: Option<String>,

    /// The domain whose subdomains are the tenants: `example.com`.
    #[arg(long, env = "TENANTRY_BASE_DOMAIN", value_name = "DOMAIN")]
    base_domain: String,

    /// Signs access tokens: at least 32 characters that nobody can guess (`openssl rand -base64 48`).
    #[arg(
        long,
        env = "TENANTRY_JWT_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        required_unless_present = "jwt_secret_file"
    )]
    jwt_secret: Option<String>,

    /// A file with that secret.
    #[arg(
        long,
        env = "TENANTRY_JWT_SECRET_FILE",
        value_name = "FILE",
        conflicts_with = "jwt_secret"
    )]
    jwt_secret_file: Option<PathBuf>,

    /// Where to listen.
    #[arg(
        long,
        env = "TENANTRY_LISTEN",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8080"
    )]
    listen: SocketAddr,

    /// Whether people reach the service by https (as behind a proxy that ends TLS) or http.
    #[arg(long, env = "TENANTRY_PUBLIC_SCHEME", value_enum, default_value_t = Scheme::Https)]
    public_scheme: Scheme,

    /// The port that people reach the service at, when it is not the scheme's own.
    #[arg(long, env = "TENANTRY_PUBLIC_PORT", value_name = "PORT")]
    public_port: Option<u16>,

    /// Migrates the registry, the tables that tenants share and all tenants before it listens, as `tenantry migrate`
    /// does, and afterwards whoever signs up by a replica with older files. Without it, nothing is migrated but an empty
    /// database.
    #[arg(long, env = "TENANTRY_MIGRATE")]
    migrate: bool,

    #[command(flatten)]
    tenant_sql: TenantSql,

    #[command(flatten)]
    serving: Serving,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let stop = Stop::on_signals()?;
    let secret = match (&arguments.jwt_secret, &arguments.jwt_secret_file) {
        (Some(secret), _) => secret.clone(),
        (None, Some(file)) => std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the secret from {}", file.display()))?,
        (None, None) => anyhow::bail!("--jwt-secret is missing"),
    };
    let base_domain = BaseDomain::parse(&arguments.base_domain)?;
    let parts = Parts {
        owner: Database::parse(&arguments.database_url)?,
        requests: arguments
            .api_database_url
            .as_deref()
            .map(Database::parse)
            .transpose()?,
        migrations: Arc::new(ArcSwap::from_pointee(arguments.tenant_sql.load()?)),
        public_url: PublicUrl {
            scheme: arguments.public_scheme,
            base_domain: base_domain.clone(),
            port: arguments.public_port,
        },
        base_domain,
        secret: JwtSecret::parse(secret.trim())?,
        serving: arguments.serving,
        default_introspection: Introspection::Members,
        default_mailer: Mailer::nowhere(),
        default_spare_workspaces: SPARE_WORKSPACES,
        upgrade: Upgrade::Refuse,
        news: None,
    };
    if arguments.migrate {
        tokio::select! {
            migrated = migrate(&parts) => migrated?,
            () = stop.wait() => return Ok(()),
        }
    }
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let service = service::build(parts).await?;
    stragglers::warn(&service).await;
    // Some tenants may be at another version yet, for whose tables they are not meant.
    for problem in documents::misfits(&service).await? {
        tracing::warn!("a trusted document does not fit: {problem}");
    }
    tracing::info!(listen = %listener.local_addr()?, version = env!("CARGO_PKG_VERSION"), "serving");
    tokio::select! {
        served = Box::pin(service::serve(Arc::clone(&service), listener, stop)) => served?,
        () = Box::pin(stragglers::keep(&service, arguments.migrate)) => {}
    }
    tracing::info!("stopped");
    Ok(())
}

/// Brings everything to the version of the migrations, unless that of a newer replica has come first.
async fn migrate(parts: &Parts) -> anyhow::Result<()> {
    let (owner, migrations) = (parts.owner.clone(), parts.migrations.load_full());
    let watch = Logged(Scale::Fleet);
    watch.look_at_shared(&owner, &migrations).await;
    let opened = Registry::open(owner, parts.login()?, &migrations, Upgrade::Run).await;
    let registry = match opened {
        Err(error @ (OpenError::Ahead { .. } | OpenError::Files(FilesError::Gone(_)))) => {
            tracing::warn!("nothing is migrated: {error}");
            return Ok(());
        }
        opened => opened?,
    };
    let summary = fleet::migrate(&registry, &migrations, &Options::default(), &watch).await?;
    if summary.end != End::Done {
        return Err(refusal(&summary, false).into());
    }
    tracing::info!("{}", complete(&summary).trim_end());
    Ok(())
}
