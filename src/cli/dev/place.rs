//! Where the data of a `dev` are, and the files beside them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rand::distr::{Alphanumeric, SampleString as _};

use super::Arguments;
use crate::config::TenantSql;
use crate::postgres::{Cluster, ClusterOptions, Database};

/// Where the data is: a private cluster, or a database that was given.
pub(super) struct Place {
    pub(super) database: Database,
    cluster: Option<Cluster>,
    pub(super) secret: String,
    /// A file with the database's URL, for psql.
    pub(super) url_file: Option<PathBuf>,
}

impl Place {
    pub(super) async fn open(arguments: &Arguments) -> anyhow::Result<Self> {
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

    pub(super) async fn close(self) -> anyhow::Result<()> {
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
pub(in crate::cli) fn temporary_directory() -> anyhow::Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = std::env::temp_dir().join(format!("tenantry-{}", uuid::Uuid::now_v7().simple()));
    std::fs::create_dir(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(path)
}
