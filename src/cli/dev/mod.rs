//! `tenantry dev`: everything on one machine, with two tenants to look at.

mod files;
mod place;
mod reload;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::migrate::{Logged, Scale, refusal};
use super::service::{self, Parts, Stop};
use super::{documents, output};
use crate::config::{Serving, TenantSql};
use crate::error::Failure;
use crate::fleet::{self, End, Options};
use crate::guard::{BaseDomain, JwtSecret, PublicUrl, Scheme};
use crate::http::{Introspection, News, Service};
use crate::mail::Mailer;
use crate::migrate::Migrations;
use crate::names::Subdomain;
use crate::registry::{Content, NewTenant, Upgrade, newest_version};
use files::Files;
use place::Place;
use reload::Reloader;

pub(super) use place::temporary_directory;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The port to serve on; 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,

    /// Where the private Postgres keeps its data.
    #[arg(long, value_name = "DIR", default_value = ".tenantry")]
    data_dir: PathBuf,

    /// Starts anew: forgets all tenants and their data.
    #[arg(long)]
    reset: bool,

    /// Uses this database instead of a private one.
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        hide_env_values = true,
        conflicts_with = "reset"
    )]
    database_url: Option<String>,

    #[command(flatten)]
    tenant_sql: TenantSql,

    #[command(flatten)]
    serving: Serving,
}

/// The people of the demonstration: subdomain, organization, owner, email.
const DEMO: [(&str, &str, &str, &str); 2] = [
    ("acme", "Acme", "Ada", "ada@acme.test"),
    ("globex", "Globex", "Grace", "grace@globex.test"),
];
const DEMO_PASSWORD: &str = "demo-password";

/// Whoever writes the migrations reads the log.
const AUTHORS: Logged = Logged(Scale::Elsewhere);

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let stop = Stop::on_signals()?;
    let mut files = Files::of(&arguments.tenant_sql);
    // What is wrong with them is told before a server is started.
    files.read(0)?;
    let listener = TcpListener::bind(("127.0.0.1", arguments.port))
        .await
        .with_context(|| {
            format!(
                "cannot listen on port {}; choose another with --port",
                arguments.port
            )
        })?;
    let place = tokio::select! {
        place = Place::open(&arguments) => place?,
        () = stop.wait() => return Ok(()),
    };
    let result = tokio::select! {
        result = start(&arguments, &place, files, &listener) => result,
        () = stop.wait() => Err(anyhow::anyhow!("stopped while starting")),
    };
    let result = match result {
        Ok((service, reloader)) => {
            let (stopping, served) = (stop.clone(), Arc::clone(&service));
            tokio::spawn(async move {
                tokio::select! {
                    () = reloader.run(&served) => {}
                    () = stopping.wait() => {}
                }
            });
            service::serve(service, listener, stop).await
        }
        Err(error) => Err(error),
    };
    place.close().await?;
    result
}

async fn start(
    arguments: &Arguments,
    place: &Place,
    mut files: Files,
    listener: &TcpListener,
) -> anyhow::Result<(Arc<Service>, Reloader)> {
    let migrations = Arc::new(files.read(newest_version(&place.database).await?)?);
    AUTHORS.look_at_shared(&place.database, &migrations).await;
    let current = Arc::new(ArcSwap::new(Arc::clone(&migrations)));
    let (telling, news) = watch::channel(News::default());
    let port = listener.local_addr()?.port();
    let base_domain = BaseDomain::parse("localhost")?;
    let public_url = PublicUrl {
        scheme: Scheme::Http,
        base_domain: base_domain.clone(),
        port: Some(port),
    };
    let service = service::build(Parts {
        owner: place.database.clone(),
        requests: None,
        migrations: Arc::clone(&current),
        base_domain,
        public_url: public_url.clone(),
        secret: JwtSecret::parse(&place.secret)?,
        serving: arguments.serving.clone(),
        default_introspection: Introspection::Public,
        default_mailer: Mailer::log(),
        // Schemas are to be called as their tenants are.
        default_spare_workspaces: 0,
        upgrade: Upgrade::Run,
        news: Some(news),
    })
    .await?;
    // Whoever wrote the migrations sits in front of it: a rehearsal would tell the same.
    migrate(&service, &migrations, false).await?;
    for demo in DEMO {
        prepare_demo(&service, &migrations, demo).await?;
    }
    let problems = documents::misfits(&service).await?;
    anyhow::ensure!(
        problems.is_empty(),
        "trusted documents do not fit the tables:\n{}",
        problems.join("\n")
    );
    let reloader = Reloader::new(files, current, telling, &service).await?;
    announce(&arguments.tenant_sql, place, &public_url, port);
    Ok((service, reloader))
}

/// Brings all tenants up.
async fn migrate(
    service: &Service,
    migrations: &Migrations,
    rehearsal: bool,
) -> anyhow::Result<()> {
    let options = Options {
        rehearsal,
        ..Options::default()
    };
    let summary = fleet::migrate(&service.registry, migrations, &options, &AUTHORS).await?;
    match summary.end {
        End::Done => Ok(()),
        End::RehearsalFailed | End::Failed => Err(refusal(&summary, true).into()),
    }
}

/// Makes the tenant if it is not there, and its API, so that the first request finds it ready.
async fn prepare_demo(
    service: &Service,
    migrations: &Migrations,
    (subdomain, organization, name, email): (&str, &str, &str, &str),
) -> anyhow::Result<()> {
    let known = service
        .directory
        .find(&Subdomain::parse(subdomain)?)
        .await?;
    let tenant = if let Some(tenant) = known {
        tenant
    } else {
        let mut new = NewTenant::parse(organization, Some(subdomain), name, email, DEMO_PASSWORD)
            .map_err(explain)?;
        new.content = Content::Demo;
        let tenant = service
            .registry
            .sign_up(migrations, new)
            .await
            .map_err(explain)?
            .tenant;
        service.directory.learn(tenant.clone());
        Arc::new(tenant)
    };
    service.apis.load(&tenant).await?;
    Ok(())
}

/// A failure with its cause: here the operator and the client are one person.
pub(super) fn explain(failure: Failure) -> anyhow::Error {
    anyhow::Error::msg(failure.reason())
}

fn announce(tenant_sql: &TenantSql, place: &Place, url: &PublicUrl, port: u16) {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    let platform = url.of_platform();
    line("");
    line("Sign up a tenant");
    line(&format!("  {platform}/graphiql"));
    line("Demo tenants");
    for (subdomain, _, _, email) in DEMO {
        line(&format!(
            "  http://{subdomain}.localhost:{port}/graphiql    {email} / {DEMO_PASSWORD}"
        ));
    }
    line("Log in from a shell");
    line(&format!(
        "  curl -s http://acme.localhost:{port}/graphql -H 'Content-Type: application/json' \
         -d '{{\"query\":\"mutation {{ logIn(input: {{email: \\\"ada@acme.test\\\", password: \\\"{DEMO_PASSWORD}\\\"}}) {{ accessToken user {{ name }} }} }}\"}}'"
    ));
    if let Some(file) = &place.url_file {
        line("Look into the database");
        line(&format!("  psql \"$(cat {})\"", file.display()));
    }
    if let Some(dir) = &tenant_sql.tenant_sql {
        line(&format!("Tables from {}", dir.display()));
    }
    line("");
    line(&format!("ready {platform}"));
    output::write(&out);
}
