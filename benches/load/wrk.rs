//! wrk, the load tool: <https://github.com/wg/wrk>.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use tokio::process::Command;

use crate::common::{ISSUES, Workload};
use crate::fleet::Tenant;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/load/wrk.lua");

/// How the tenant of a request is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    Uniform,
    /// The second is asked half as often as the first, the third a third as often, and so on.
    Zipf,
}

/// What wrk measured.
pub(crate) struct Report {
    pub(crate) requests: f64,
    pub(crate) seconds: f64,
    /// In microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) failed: f64,
}

/// Writes the requests that are drawn from: every tenant and every workload as often as the others.
pub(crate) fn write_requests(
    file: &Path,
    workloads: &[&Workload],
    tenants: &[Tenant],
    issues: &[String],
) -> anyhow::Result<()> {
    let mut text = String::new();
    // A multiple of the tenants, and enough for many ids.
    for number in 0..tenants.len() * ISSUES.div_ceil(tenants.len()) {
        let (tenant, issue) = (
            &tenants[number % tenants.len()],
            &issues[number % issues.len()],
        );
        for workload in workloads {
            let variables = workload.variables(issue);
            let body = json!({ "query": workload.query, "variables": variables });
            writeln!(text, "{}\t{}\t{body}", tenant.host(), tenant.token)?;
        }
    }
    Ok(std::fs::write(file, text)?)
}

pub(crate) async fn run(
    port: u16,
    requests: &Path,
    spread: Spread,
    connections: usize,
    duration: Duration,
) -> anyhow::Result<Report> {
    let spread = match spread {
        Spread::Uniform => "uniform",
        Spread::Zipf => "zipf",
    };
    let output = Command::new("wrk")
        .args(["--threads", "2", "--connections", &connections.to_string()])
        .args([
            "--duration",
            &format!("{}s", duration.as_secs()),
            "--script",
            SCRIPT,
        ])
        .arg(format!("http://127.0.0.1:{port}"))
        .arg("--")
        .arg(requests)
        .arg(spread)
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot run wrk: install it (Debian's package is called wrk)")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("result "));
    let line = line.with_context(|| {
        format!(
            "wrk failed: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        )
    })?;
    let numbers: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    let [requests, microseconds, p50, p99, failed] = numbers[..] else {
        anyhow::bail!("not what the script prints: {line}");
    };
    Ok(Report {
        requests,
        seconds: microseconds / 1e6,
        p50,
        p99,
        failed,
    })
}
