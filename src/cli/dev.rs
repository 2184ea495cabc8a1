//! `tenantry dev`: everything on one machine, with two tenants to look at.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use rand::distr::{Alphanumeric, SampleString as _};
use tokio::net::TcpListener;

use super::documents;
use super::migrate::{Logged, refusal};
use super::service::{self, Parts, Stop};
use crate::config::{Serving, TenantSql};
use crate::error::Failure;
use crate::fleet::{self, End, Options};
use crate::guard::{BaseDomain, JwtSecret, PublicUrl, Scheme};
use crate::http::{Introspection, Service};
use crate::mail::Mailer;
use crate::migrate::Migrations;
use crate::names::Subdomain;
use crate::postgres::{Cluster, ClusterOptions, Database};
use crate::registry::{Content, NewTenant, Upgrade};

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

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let stop = Stop::on_signals()?;
    let migrations = Arc::new(arguments.tenant_sql.load()?);
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
        result = start(&arguments, &place, &migrations, &listener) => result,
        () = stop.wait() => Err(anyhow::anyhow!("stopped while starting")),
    };
    let result = match result {
        Ok(service) => service::serve(service, listener, stop).await,
        Err(error) => Err(error),
    };
    place.close().await?;
    result
}

async fn start(
    arguments: &Arguments,
    place: &Place,
    migrations: &Arc<Migrations>,
    listener: &TcpListener,
) -> anyhow::Result<Arc<Service>> {
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
        migrations: Arc::clone(migrations),
        base_domain,
        public_url: public_url.clone(),
        secret: JwtSecret::parse(&place.secret)?,
        serving: arguments.serving.clone(),
        default_introspection: Introspection::Public,
        default_mailer: Mailer::log(),
        // Schemas are to be called as their tenants are.
        default_spare_workspaces: 0,
        upgrade: Upgrade::Run,
    })
    .await?;
    migrate(&service, migrations).await?;
    for demo in DEMO {
        prepare_demo(&service, migrations, demo).await?;
    }
    let problems = documents::misfits(&service).await?;
    anyhow::ensure!(
        problems.is_empty(),
        "trusted documents do not fit the tables:\n{}",
        problems.join("\n")
    );
    announce(&arguments.tenant_sql, place, &public_url, port);
    Ok(service)
}

/// Brings all tenants up. Whoever wrote the migrations sits in front of it: a rehearsal would tell the same.
async fn migrate(service: &Service, migrations: &Migrations) -> anyhow::Result<()> {
    let options = Options {
        rehearsal: false,
        ..Options::default()
    };
    let summary = fleet::migrate(&service.registry, migrations, &options, &Logged).await?;
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
    match failure.log {
        Some(cause) => anyhow::anyhow!("{cause}"),
        None => anyhow::anyhow!("{}", failure.message),
    }
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
    print!("{out}");
    let _ = std::io::stdout().flush();
}

/// Where the data is: a private cluster, or a database that was given.
struct Place {
    database: Database,
    cluster: Option<Cluster>,
    secret: String,
    /// A file with the database's URL, for psql.
    url_file: Option<PathBuf>,
}

impl Place {
    async fn open(arguments: &Arguments) -> anyhow::Result<Self> {
        if let Some(url) = &arguments.database_url {
            let secret = random_secret();
            return Ok(Self {
                database: Database::parse(url)?,
                cluster: None,
                secret,
                url_file: None,
            });
        }
        let data_dir = &arguments.data_dir;
        let (secret_file, url_file) = (data_dir.join("jwt-secret"), data_dir.join("database-url"));
        let cluster = Cluster::start(ClusterOptions {
            data_dir: data_dir.clone(),
            reset: arguments.reset,
            settings: Vec::new(),
        })
        .await?;
        let opened = async {
            if arguments.reset {
                let _ = std::fs::remove_file(&secret_file);
            }
            let name = database_name(&arguments.tenant_sql)?;
            create_database(&Database::parse(&cluster.url("postgres"))?, &name).await?;
            let url = cluster.url(&name);
            write_private(&url_file, &url)?;
            let secret = if let Ok(secret) = std::fs::read_to_string(&secret_file) {
                secret
            } else {
                let secret = random_secret();
                write_private(&secret_file, &secret)?;
                secret
            };
            anyhow::Ok((Database::parse(&url)?, secret))
        }
        .await;
        match opened {
            Ok((database, secret)) => Ok(Self {
                database,
                cluster: Some(cluster),
                secret,
                url_file: Some(url_file),
            }),
            Err(error) => {
                cluster.stop().await?;
                Err(error)
            }
        }
    }

    async fn close(self) -> anyhow::Result<()> {
        if let Some(cluster) = self.cluster {
            cluster.stop().await?;
        }
        Ok(())
    }
}

/// One database for each app, so that trying another one needs no reset.
fn database_name(tenant_sql: &TenantSql) -> anyhow::Result<String> {
    let Some(dir) = &tenant_sql.tenant_sql else {
        return Ok("tenantry".into());
    };
    let path = dir
        .canonicalize()
        .with_context(|| format!("cannot open {}", dir.display()))?;
    let words: String = path
        .to_string_lossy()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    // The end of a path tells more than its beginning; a digest of all of it tells it apart.
    let digest = path
        .to_string_lossy()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    let tail = &words[words.len().saturating_sub(30)..];
    Ok(format!("tenantry_{}_{digest:016x}", tail.trim_matches('_')))
}

async fn create_database(server: &Database, name: &str) -> anyhow::Result<()> {
    let (client, _) = server.connect().await?;
    let known = client
        .query_opt("select from pg_database where datname = $1", &[&name])
        .await?;
    if known.is_none() {
        let name = crate::sql::Ident::new(name);
        client
            .batch_execute(&format!("create database {name}"))
            .await?;
    }
    Ok(())
}

fn random_secret() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), 48)
}

/// Writes a file that nobody else may read.
fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let _ = std::fs::remove_file(path);
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// A new directory that Postgres' own user can reach.
pub(super) fn temporary_directory() -> anyhow::Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = std::env::temp_dir().join(format!("tenantry-{}", uuid::Uuid::now_v7().simple()));
    std::fs::create_dir(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(path)
}
