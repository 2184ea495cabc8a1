//! `just bench-migrate`: what migrating the fleet costs, and what requests notice of it.

use std::cell::Cell;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::process::Command;

use crate::claims::{self, Bound};
use crate::common::{BY_KEY, LIST, MUTATION, NESTED};
use crate::fleet::Fleet;
use crate::machine;
use crate::service::Service;
use crate::wrk::{self, Report, Spread};

/// Connections of the runner.
const JOBS: &str = "4";

/// How long the load tool runs at a time; the worst of such times counts while tenants are migrated.
const WINDOW: Duration = Duration::from_secs(2);

/// Windows before anything is migrated.
const BEFORE: usize = 5;

/// How often what changes nothing is measured.
const ROUNDS: usize = 5;

/// The app's migrations, to which each measurement adds one.
struct Files(PathBuf);

impl Files {
    /// Those of the example app, copied once; what was added by earlier runs is still there.
    fn open(directory: &Path) -> anyhow::Result<Self> {
        let sql = directory.join("sql");
        for name in ["tenant", "shared"] {
            let to = sql.join(name);
            if to.exists() {
                continue;
            }
            std::fs::create_dir_all(&to)?;
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql").join(name);
            for file in std::fs::read_dir(from)? {
                let file = file?;
                std::fs::copy(file.path(), to.join(file.file_name()))?;
            }
        }
        Ok(Self(std::path::absolute(sql)?))
    }

    fn tenant_sql(&self) -> PathBuf {
        self.0.join("tenant")
    }

    /// One more column for every tenant.
    fn add_column(&self) -> anyhow::Result<()> {
        let versions = std::fs::read_dir(self.tenant_sql())?.filter_map(|file| {
            let name = file.ok()?.file_name().into_string().ok()?;
            let (version, _) = name.strip_prefix('V')?.split_once("__")?;
            version.parse::<u32>().ok()
        });
        let version = versions.max().unwrap_or_default() + 1;
        let file = format!("V{version}__bench.sql");
        let text = format!("alter table issues add column bench_{version} integer;\n");
        Ok(std::fs::write(self.tenant_sql().join(file), text)?)
    }
}

/// What is wanted, and what was measured; seconds, but for the ratio and the count.
#[derive(Default)]
struct Figures {
    nothing: f64,
    rehearsed: f64,
    not_rehearsed: f64,
    under_load: f64,
    failed: f64,
    p99_before: f64,
    p99_during: f64,
    status: Option<f64>,
    sign_up: f64,
    sign_up_of_ten: f64,
}

/// Measures a fleet of `count` tenants in a directory of its own, and gives a table.
pub(crate) async fn measure(
    directory: &Path,
    (count, filled): (usize, usize),
    connections: usize,
    serve: &str,
) -> anyhow::Result<String> {
    let files = Files::open(directory)?;
    let flags = format!("--tenant-sql {} {serve}", files.tenant_sql().display());
    let mut figures = Figures::default();

    let ten = Fleet::open(&directory.join("ten"), (10, 10), &flags).await?;
    figures.sign_up_of_ten = sign_up(&ten).await?;
    ten.close().await?;

    let fleet = Fleet::open(&directory.join(count.to_string()), (count, filled), &flags).await?;
    let migrate = |arguments: &'static [&'static str]| run(&fleet, &files, "migrate", arguments);
    // What an interrupted run has left is done first.
    migrate(&["--jobs", JOBS]).await?;
    figures.sign_up = sign_up(&fleet).await?;
    figures.nothing = median(ROUNDS, || migrate(&[])).await?;
    figures.status = median(ROUNDS, || run(&fleet, &files, "status", &[]))
        .await
        .ok();
    files.add_column()?;
    figures.not_rehearsed = migrate(&["--jobs", JOBS, "--no-rehearsal"]).await?;
    files.add_column()?;
    figures.rehearsed = migrate(&["--jobs", JOBS]).await?;
    let load = async || {
        files.add_column()?;
        migrate(&["--jobs", JOBS]).await
    };
    under_load(&fleet, connections, load, &mut figures).await?;

    let machine = machine::describe(&fleet.client).await?;
    fleet.close().await?;
    Ok(render(&machine, (count, filled), connections, &figures))
}

/// Requests to random tenants, before the fleet is migrated and while it is.
async fn under_load(
    fleet: &Fleet,
    connections: usize,
    migrate: impl AsyncFn() -> anyhow::Result<f64>,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let service = fleet.service().await?;
    let requests = fleet.directory.join("requests");
    let issues = crate::issues(fleet).await?;
    let workloads = [&LIST, &BY_KEY, &NESTED, &MUTATION];
    wrk::write_requests(&requests, &workloads, &fleet.tenants, &issues)?;
    let window = || {
        wrk::run(
            service.port,
            &requests,
            Spread::Uniform,
            connections,
            WINDOW,
        )
    };
    let mut before = Vec::new();
    // The first ones warm up.
    for _ in 0..2 * BEFORE {
        before.push(window().await?);
    }
    let before = before.split_off(BEFORE);
    let done = Cell::new(false);
    let migrated = async {
        let took = migrate().await;
        done.set(true);
        took
    };
    let asked = async {
        let mut during = Vec::new();
        while !done.get() {
            during.push(window().await?);
        }
        anyhow::Ok(during)
    };
    let (took, during) = tokio::join!(migrated, asked);
    let during = during?;
    figures.under_load = took?;
    let failed = before.iter().chain(&during).map(|report| report.failed);
    figures.failed = failed.sum();
    figures.p99_before = worst(&before);
    figures.p99_during = worst(&during);
    service.stop().await?;
    Ok(())
}

fn worst(reports: &[Report]) -> f64 {
    let p99 = reports.iter().map(|report| report.p99);
    p99.fold(0.0, f64::max) / 1e6
}

/// How many seconds a command takes, the start of its process included.
async fn run(
    fleet: &Fleet,
    files: &Files,
    command: &str,
    arguments: &[&str],
) -> anyhow::Result<f64> {
    let started = Instant::now();
    let inherited = std::env::vars().filter(|(name, _)| !name.starts_with("TENANTRY_"));
    let output = Command::new(env!("CARGO_BIN_EXE_tenantry"))
        .arg(command)
        .args(arguments)
        .arg("--tenant-sql")
        .arg(files.tenant_sql())
        .env_clear()
        .envs(inherited)
        .env("DATABASE_URL", fleet.url())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let took = started.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "tenantry {command}: {said}");
    eprintln!("tenantry {command} {}: {took:.2} s", arguments.join(" "));
    Ok(took)
}

/// The seconds that signing up takes, one after the other, once the service has workspaces in stock.
async fn sign_up(fleet: &Fleet) -> anyhow::Result<f64> {
    let service = fleet.service().await?;
    // Those of before a migration are nobody's, and go.
    let stock = "select count(*) filter (where ready) > 8 and bool_and(ready and s.app_version = newest.version) \
         from tenantry.spare_workspaces s, (select max(app_version) as version from tenantry.tenants) as newest";
    while !fleet
        .client
        .query_one(stock, &[])
        .await?
        .try_get::<_, Option<bool>>(0)?
        .unwrap_or_default()
    {
        tokio::time::sleep(WINDOW).await;
    }
    let took = median(ROUNDS, || sign_up_once(&service)).await?;
    service.stop().await?;
    Ok(took)
}

async fn sign_up_once(service: &Service) -> anyhow::Result<f64> {
    let subdomain = format!("late-{}", uuid::Uuid::now_v7().simple());
    let started = Instant::now();
    service.sign_up(&subdomain).await?;
    Ok(started.elapsed().as_secs_f64())
}

async fn median<F: Future<Output = anyhow::Result<f64>>>(
    rounds: usize,
    measure: impl Fn() -> F,
) -> anyhow::Result<f64> {
    let mut all = Vec::new();
    for _ in 0..rounds {
        all.push(measure().await?);
    }
    all.sort_by(f64::total_cmp);
    all.get(rounds / 2).copied().context("nothing was measured")
}

fn render(
    machine: &str,
    (count, filled): (usize, usize),
    connections: usize,
    figures: &Figures,
) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "# What migrating {count} tenants costs\n\n\
         `just bench-migrate --tenants {count} --filled {filled}` wrote this on {machine}. Load tool (wrk, {connections} connections: lists, look-ups by key and \
         mutations at random tenants), service, runner ({JOBS} jobs) and Postgres share the machine. {filled} tenants have 200 issues and 1,000 \
         comments each, and are asked. Times of commands include the start of their process. p99 is that of the worst {} s.",
        WINDOW.as_secs(),
    );
    let large = count > 1000;
    let nothing = if large { 3.0 } else { 0.5 };
    let size = f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / 1000.0;
    let rows = [
        (
            "migrate, nothing to do, s",
            Some(figures.nothing),
            Bound::AtMost(nothing),
        ),
        ("status, s", figures.status, Bound::AtMost(3.0)),
        (
            "add a column, without a rehearsal, s",
            Some(figures.not_rehearsed),
            Bound::AtMost(10.0 * size.max(1.0)),
        ),
        (
            "add a column, with a rehearsal, s",
            Some(figures.rehearsed),
            Bound::AtMost(20.0 * size.max(1.0)),
        ),
        (
            "the same under load, s",
            Some(figures.under_load),
            Bound::Any,
        ),
        ("failed requests", Some(figures.failed), Bound::AtMost(0.0)),
        ("p99 before, ms", Some(figures.p99_before * 1e3), Bound::Any),
        (
            "p99 meanwhile, ms",
            Some(figures.p99_during * 1e3),
            Bound::Any,
        ),
        (
            "p99 meanwhile, as a multiple of p99 before",
            Some(figures.p99_during / figures.p99_before),
            Bound::AtMost(5.0),
        ),
        (
            "sign-up, ms",
            Some(figures.sign_up * 1e3),
            Bound::AtMost(60.0),
        ),
        (
            "sign-up, as a multiple of what it takes with ten tenants",
            Some(figures.sign_up / figures.sign_up_of_ten),
            Bound::AtMost(1.5),
        ),
    ];
    text.push('\n');
    claims::table(&mut text, rows);
    text
}
