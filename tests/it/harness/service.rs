//! One replica of the service, and the ways to talk to it.

use std::process::{Command, ExitStatus};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::caller::{Answer, Caller, Tenant};
use super::process::{DataDir, Process, tenantry};
use super::token::Secret;

/// The secret of replicas that a test starts beside a `dev` is that `dev`'s.
pub(crate) struct Service {
    process: Process,
    port: u16,
    printed: Vec<String>,
    data: Data,
}

/// Whose data it serves.
enum Data {
    /// A private cluster in a directory of its own.
    Own(DataDir),
    /// Those of the service that all tests share.
    Shared,
}

impl Service {
    /// The `tenantry dev` that all tests share.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Service> = OnceLock::new();
        SHARED.get_or_init(|| Self::dev_in(DataDir::new().kept(), &[]))
    }

    /// A `tenantry dev` of the test's own.
    pub(crate) fn dev(arguments: &[&str]) -> Self {
        Self::dev_in(DataDir::new(), arguments)
    }

    /// A `tenantry dev` on the tables of one migration.
    pub(crate) fn with_tables(sql: &str) -> Self {
        let dir = DataDir::new();
        let tables = dir.join("tables");
        std::fs::create_dir(&tables).unwrap();
        std::fs::write(tables.join("V1__tables.sql"), sql).unwrap();
        Self::dev_in(dir, &["--tenant-sql", tables.to_str().unwrap()])
    }

    pub(crate) fn dev_in(dir: DataDir, arguments: &[&str]) -> Self {
        let process = Process::start(&dev_command(&dir, arguments), &dir, "dev.log");
        let mut printed = Vec::new();
        let url = loop {
            let Some(line) = process.line("") else {
                panic!("`tenantry dev` did not start:\n{}", process.log_text());
            };
            match line.strip_prefix("ready ") {
                Some(url) => break url.to_owned(),
                None => printed.push(line),
            }
        };
        let port = url.rsplit(':').next().unwrap().parse().unwrap();
        Self {
            process,
            port,
            printed,
            data: Data::Own(dir),
        }
    }

    /// A second replica on the database of the shared service: `tenantry serve`.
    pub(crate) async fn replica(arguments: &[&str]) -> Self {
        Self::replica_named("replica", arguments).await
    }

    /// The same, with a name that `pg_stat_activity` shows as `application_name`.
    pub(crate) async fn replica_named(name: &str, arguments: &[&str]) -> Self {
        Self::shared().beside(name, None, arguments).await
    }

    /// A replica on the database of this service; with `requests`, its requests go to that URL.
    pub(crate) async fn beside(
        &self,
        name: &str,
        requests: Option<&str>,
        arguments: &[&str],
    ) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let dir = self.dir();
        let mut command = tenantry(&["serve", "--listen", "127.0.0.1:0"]);
        command
            .args(["--base-domain", "localhost", "--public-scheme", "http"])
            .args(arguments)
            .env(
                "DATABASE_URL",
                format!("{}?application_name={name}", dir.read("database-url")),
            )
            .env("TENANTRY_JWT_SECRET", dir.read("jwt-secret"));
        if let Some(url) = requests {
            command.env("TENANTRY_API_DATABASE_URL", url);
        }
        let log = format!("serve-{}.log", NEXT.fetch_add(1, Ordering::Relaxed));
        let process = Process::start_beside(&command, dir, &log);
        let port = super::eventually("a replica serves", async || {
            let events = process.events();
            let serving = events.iter().find(|event| event["message"] == "serving")?;
            let listen = serving["listen"].as_str()?;
            listen.rsplit(':').next()?.parse().ok()
        });
        let port = port.await;
        Self {
            process,
            port,
            printed: Vec::new(),
            data: Data::Shared,
        }
    }

    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What `dev` said before it was ready.
    pub(crate) fn printed(&self) -> &[String] {
        &self.printed
    }

    /// Waits for the end of a process that has been told to stop, or was killed.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }

    /// Stops the service, and gives back where its data are.
    pub(crate) fn stop(self) -> DataDir {
        let Self { process, data, .. } = self;
        drop(process);
        match data {
            Data::Own(dir) => dir,
            Data::Shared => panic!("a replica has no data of its own"),
        }
    }

    pub(crate) fn dir(&self) -> &DataDir {
        match &self.data {
            Data::Own(dir) => dir,
            Data::Shared => Self::shared().dir(),
        }
    }

    /// What signs the tokens of this service.
    pub(crate) fn secret(&self) -> Secret {
        Secret(self.dir().read("jwt-secret"))
    }

    /// The service itself, at the base domain.
    pub(crate) fn platform(&self) -> Caller {
        Caller::new(self.port, "localhost".to_owned(), None)
    }

    /// Whatever answers at this Host header.
    pub(crate) fn host(&self, host: &str) -> Caller {
        Caller::new(self.port, host.to_owned(), None)
    }

    pub(crate) fn tenant(&self, subdomain: &str) -> Tenant {
        let owner = match subdomain {
            "acme" => "ada",
            "globex" => "grace",
            _ => "owner",
        };
        Tenant::new(self.port, subdomain, owner)
    }

    /// Sends `signUp` for a subdomain, with the owner `owner@<subdomain>.test`.
    pub(crate) async fn try_sign_up(&self, subdomain: &str) -> Answer {
        let input = json!({
            "organization": format!("{subdomain} Inc."),
            "subdomain": subdomain,
            "name": "Olga Owner",
            "email": format!("owner@{subdomain}.test"),
            "password": "demo-password",
        });
        self.sign_up_with(input).await
    }

    pub(crate) async fn sign_up_with(&self, input: Value) -> Answer {
        let mutation = "mutation ($input: SignUpInput!) { signUp(input: $input) {
            tenant { id name subdomain status } url accessToken } }";
        self.platform().ask(mutation, json!({"input": input})).await
    }

    /// Signs up a tenant that no other test has, and gives its owner.
    pub(crate) async fn sign_up(&self, prefix: &str) -> Caller {
        let subdomain = unique(prefix);
        let answer = self.try_sign_up(&subdomain).await;
        let token = &answer.data()["signUp"]["accessToken"];
        self.tenant(&subdomain).with_token(token.as_str().unwrap())
    }
}

/// A subdomain that no other test of this run has.
pub(crate) fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{prefix}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The command line of a `dev` in a directory.
pub(crate) fn dev_command(dir: &DataDir, arguments: &[&str]) -> Command {
    let mut command = tenantry(&["dev", "--port", "0", "--data-dir"]);
    command.arg(dir.data()).args(arguments);
    command
}
