//! The private cluster: what it takes to get one, in order, and the handle that stands for it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio_postgres::NoTls;

use super::binaries::{self, Binaries, Wanted};
use super::directory::DataDirectory;
use super::error::ClusterError;
use super::files::write_private;
use super::home::Home;
use super::init::init;
use super::launch::Launch;
use super::supervisor::{Supervisor, shut_down};
use super::{running, settings};

/// How to start a [`Cluster`].
#[derive(Debug, Clone, Default)]
pub struct ClusterOptions {
    /// Holds everything, e.g. `.tenantry`; made if it does not exist.
    pub data_dir: PathBuf,
    /// Removes all data first.
    pub reset: bool,
    /// Settings for `postgresql.conf` that go before our own.
    pub settings: Vec<(String, String)>,
}

/// A running private Postgres server that this process owns. It is started again if it dies.
///
/// Dropping it kills the server at once; [`Cluster::stop`] is the polite way.
pub struct Cluster {
    home: Home,
    port: u16,
    binaries: Binaries,
    password: String,
    /// Taken by `stop`, so that dropping a stopped cluster does nothing more.
    supervisor: Option<Supervisor>,
    /// Last, so that the directory stays locked until the server has gone.
    directory: DataDirectory,
}

impl Cluster {
    /// Finds the binaries, makes the cluster or recovers it, and returns when the server accepts connections.
    pub async fn start(options: ClusterOptions) -> Result<Cluster, ClusterError> {
        let directory = DataDirectory::open(&options.data_dir)?;
        let mut home = Home::open(&directory)?;
        stop_orphan(&home).await?;

        let existing = if options.reset { None } else { home.version()? };
        let wanted = Wanted {
            existing: existing.map(|major| (directory.path(), major)),
            account: home.account,
        };
        let binaries = binaries::find(wanted).await?;
        if options.reset {
            home.remove(&directory)?;
            directory.clear();
            home = Home::open(&directory)?;
        }
        let password = match (existing, directory.password()?) {
            (_, Some(password)) => password,
            (None, None) => directory.new_password()?,
            (Some(_), None) => return Err(damaged(&directory, "its file `password` is missing")),
        };
        if existing.is_none() {
            init(&binaries, &home, &password).await?;
        }
        let conf = settings::render(&options.settings);
        write_private(&home.data().join("postgresql.conf"), &conf)?;

        let mut launch = Launch {
            binaries,
            log: directory.log(),
            port: directory.port().unwrap_or(0),
            home: home.clone(),
        };
        launch.log.trim();
        let mut child = launch.start().await?;
        let mut cluster = Cluster {
            home,
            port: launch.port,
            binaries: launch.binaries.clone(),
            password,
            supervisor: None,
            directory,
        };
        if let Err(problem) = cluster.log_in().await {
            shut_down(&mut child).await?;
            return Err(damaged(&cluster.directory, &problem));
        }
        cluster.directory.keep_port(cluster.port)?;
        cluster.supervisor = Some(Supervisor::start(launch, child));
        Ok(cluster)
    }

    /// The address of a database for the superuser, with the password: never log it.
    pub fn url(&self, database: &str) -> String {
        let Cluster { password, port, .. } = self;
        let database = utf8_percent_encode(database, NON_ALPHANUMERIC);
        format!("postgresql://postgres:{password}@127.0.0.1:{port}/{database}")
    }

    /// The same address by the server's socket, which takes less time than TCP; none when the path of the
    /// data directory is too long for one.
    pub fn socket_url(&self, database: &str) -> Option<String> {
        let directory = self.home.sockets()?.to_string_lossy();
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        Some(format!(
            "postgresql://postgres:{}@{}:{}/{}",
            self.password,
            encode(&directory),
            self.port,
            encode(database)
        ))
    }

    /// The loopback port, the same after a restart of the server.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The major version of the server.
    pub fn version(&self) -> u32 {
        self.binaries.version.major
    }

    /// The programs that it runs as.
    pub(super) fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// The superuser's.
    pub(super) fn password(&self) -> &str {
        &self.password
    }

    /// Shuts the server down, after the statements in progress were cancelled, and waits; the data stays.
    pub async fn stop(mut self) -> Result<(), ClusterError> {
        match self.supervisor.take() {
            Some(supervisor) => supervisor.stop().await,
            None => Ok(()),
        }
    }

    /// Stops the server and removes all that it kept, for tests.
    pub async fn destroy(mut self) -> Result<(), ClusterError> {
        if let Some(supervisor) = self.supervisor.take() {
            supervisor.stop().await?;
        }
        self.home.remove(&self.directory)?;
        self.directory.clear();
        Ok(())
    }

    /// Removes a cluster whose owner has gone, with a server that has outlived it. Nobody else may have it then.
    pub(crate) fn clear_away(data_dir: &Path) -> Result<(), ClusterError> {
        let directory = DataDirectory::open(data_dir)?;
        let home = Home::open(&directory)?;
        // Nobody wants its data.
        running::quit_now(&home.data());
        home.remove(&directory)?;
        directory.clear();
        Ok(())
    }

    /// Proves that the server is ours and that the password fits.
    async fn log_in(&self) -> Result<(), String> {
        let url = self.url("postgres");
        let login = tokio_postgres::connect(&url, NoTls);
        match tokio::time::timeout(Duration::from_secs(20), login).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(format!("logging in failed: {error}")),
            Err(_) => Err("logging in took too long".to_owned()),
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The supervisor sees that its other end has gone, and does not start the server again.
        if self.supervisor.take().is_some() {
            running::quit_now(&self.home.data());
        }
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("directory", &self.directory.path())
            .field("port", &self.port)
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}

/// We hold the lock, so a server that still runs lost its owner to a crash.
async fn stop_orphan(home: &Home) -> Result<(), ClusterError> {
    let data = home.data();
    let Some(pid) = running::find(&data) else {
        return Ok(());
    };
    tracing::warn!(
        postgres.pid = pid.as_raw(),
        "stopping a server that outlived its owner"
    );
    running::stop(pid, &data).await
}

fn damaged(directory: &DataDirectory, problem: &str) -> ClusterError {
    ClusterError::Damaged {
        directory: directory.path().to_owned(),
        problem: problem.to_owned(),
    }
}
