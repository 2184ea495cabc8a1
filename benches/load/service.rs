//! The service under test: the release build as a process of its own.

use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

pub(crate) const BASE_DOMAIN: &str = "bench.localhost";

pub(crate) struct Service {
    child: Child,
    pub(crate) pid: u32,
    pub(crate) port: u16,
    /// How long it took until it was ready.
    pub(crate) start: Duration,
    http: reqwest::Client,
}

impl Service {
    /// Starts it and waits until it is ready. Its log goes to a file.
    pub(crate) async fn start(
        database_url: &str,
        secret: &str,
        flags: &[String],
        log: &Path,
    ) -> anyhow::Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?
            .local_addr()?
            .port();
        let started = Instant::now();
        let inherited = std::env::vars().filter(|(name, _)| !name.starts_with("TENANTRY_"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_tenantry"))
            .args(["serve", "--migrate", "--base-domain", BASE_DOMAIN])
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(flags)
            .env_clear()
            .envs(inherited)
            .env("DATABASE_URL", database_url)
            .env("TENANTRY_JWT_SECRET", secret)
            .stdin(Stdio::null())
            .stderr(File::create(log)?)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().context("the service has ended")?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        let ready = format!("http://127.0.0.1:{port}/readyz");
        while !is_ok(http.get(&ready).send().await) {
            let log = log.display();
            if let Some(status) = child.try_wait()? {
                anyhow::bail!("the service has ended ({status}): see {log}");
            }
            anyhow::ensure!(
                started.elapsed() < Duration::from_mins(1),
                "not ready: see {log}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(Self {
            child,
            pid,
            port,
            start: started.elapsed(),
            http,
        })
    }

    /// Sends one operation to a host, and returns the body of the answer.
    pub(crate) async fn ask(
        &self,
        host: &str,
        token: Option<&str>,
        body: &Value,
    ) -> anyhow::Result<String> {
        let url = format!("http://127.0.0.1:{}/graphql", self.port);
        let mut request = self.http.post(url).header("Host", host).json(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await?.text().await?;
        anyhow::ensure!(!answer.contains("\"errors\""), "{answer}");
        Ok(answer)
    }

    pub(crate) async fn sign_up(&self, subdomain: &str) -> anyhow::Result<()> {
        let query = "mutation ($input: SignUpInput!) { signUp(input: $input) { url } }";
        let input = json!({
            "organization": format!("Organization {subdomain}"),
            "subdomain": subdomain,
            "name": "Bea",
            "email": format!("bea@{subdomain}.test"),
            "password": format!("{subdomain} for load"),
        });
        let body = json!({ "query": query, "variables": { "input": input } });
        self.ask(BASE_DOMAIN, None, &body).await?;
        Ok(())
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<ExitStatus> {
        kill(Pid::from_raw(self.pid.try_into()?), Signal::SIGTERM)?;
        Ok(self.child.wait().await?)
    }
}

fn is_ok(answer: reqwest::Result<reqwest::Response>) -> bool {
    answer.is_ok_and(|answer| answer.status().is_success())
}
