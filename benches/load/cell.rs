//! One line of the table: who is asked for what, how it is measured, and what came out.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use tenantry::postgres::Database;
use tenantry::schema::Api;

use crate::common::{self, Compiled, Workload};
use crate::direct::{Direct, Mode};
use crate::fleet::Fleet;
use crate::service::Service;
use crate::wrk::{self, Spread};
use crate::{naive, process};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Service(Spread),
    /// The same, while a tenant signs up every two seconds.
    ServiceWithSignUps,
    /// All tenants but the first are asked on few connections, while the first floods the service on
    /// many, or does nothing.
    Neighbours {
        flood: bool,
    },
    /// The naive way behind HTTP.
    Naive,
    Direct(Mode),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) workload: &'static Workload,
    pub(crate) subject: Subject,
    pub(crate) tenants: usize,
}

/// How long and how hard to ask.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
    /// HTTP connections.
    pub(crate) connections: usize,
    /// Connections to Postgres.
    pub(crate) backends: usize,
}

/// Times are in microseconds, memory is in bytes.
#[derive(Debug, Clone)]
pub(crate) struct Measure {
    pub(crate) per_second: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Processor time of Postgres' backends for each request.
    pub(crate) postgres_cpu: f64,
    /// Private memory of a backend, on average.
    pub(crate) backend: f64,
    /// None where the service is not what is measured.
    pub(crate) service: Option<ServiceMeasure>,
}

#[derive(Debug, Clone)]
pub(crate) struct ServiceMeasure {
    pub(crate) cpu: f64,
    pub(crate) resident: f64,
    pub(crate) start: Duration,
}

/// Backends of this process' own connections.
const OWN: &str = "application_name = 'bench'";

/// How often each tenant is asked on average before anything counts: most of them then have been
/// asked on all of their connections, often enough for whatever is kept there.
const WARM: usize = 50;

/// What the load tool is pointed at.
struct Target<'a> {
    port: u16,
    pid: u32,
    /// A condition on `pg_stat_activity`.
    backends: &'static str,
    service: Option<&'a Service>,
}

/// What all cells are measured on.
pub(crate) struct Bench {
    pub(crate) fleet: Fleet,
    pub(crate) api: Api,
    /// Ids of issues: the same in all tenants.
    pub(crate) issues: Vec<String>,
    pub(crate) effort: Effort,
    /// Where a profile of the service goes.
    pub(crate) perf: Option<PathBuf>,
}

/// HTTP connections of the neighbours of a flood, and of the flood.
pub(crate) const NEIGHBOURS: usize = 8;
pub(crate) const FLOOD: usize = 64;

impl Bench {
    pub(crate) async fn measure(&self, cell: Cell) -> anyhow::Result<Measure> {
        match cell.subject {
            Subject::Direct(mode) => self.direct(cell, mode).await,
            Subject::Naive => self.naive(cell).await,
            Subject::Service(_) | Subject::ServiceWithSignUps | Subject::Neighbours { .. } => {
                self.service(cell).await
            }
        }
    }

    async fn direct(&self, cell: Cell, mode: Mode) -> anyhow::Result<Measure> {
        let compiled = self.compile(cell.workload)?;
        let bindings = self
            .issues
            .iter()
            .map(|issue| common::bind(&compiled.plan, &cell.workload.variables(issue)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let tenants = self.fleet.first(cell.tenants);
        let (login, backends) = (self.own_login()?, self.effort.backends);
        let direct = Direct::open(mode, &login, tenants, &compiled, &bindings, backends).await?;
        direct.warm_up().await?;
        let before = self.backends(OWN).await?;
        let mut latencies = direct.run(self.effort.duration).await?;
        let after = self.backends(OWN).await?;
        latencies.sort_unstable();
        let requests = f64::from(u32::try_from(latencies.len())?);
        let percentile = |n| f64::from(latencies[(latencies.len() - 1) * n / 100]);
        Ok(Measure {
            per_second: requests / self.effort.duration.as_secs_f64(),
            p50: percentile(50),
            p99: percentile(99),
            postgres_cpu: after.cpu_since(&before) * 1e6 / requests,
            backend: after.private,
            service: None,
        })
    }

    async fn naive(&self, cell: Cell) -> anyhow::Result<Measure> {
        let tenants = self.fleet.first(cell.tenants);
        let compiled = self.compile(cell.workload)?;
        let (port, server) =
            naive::serve(&self.own_login()?, tenants, compiled, self.effort.backends).await?;
        let target = Target {
            port,
            pid: std::process::id(),
            backends: OWN,
            service: None,
        };
        let measure = self.drive(cell, &target).await?;
        server.abort();
        Ok(measure)
    }

    async fn service(&self, cell: Cell) -> anyhow::Result<Measure> {
        let service = self.fleet.service().await?;
        self.check(&service, cell.workload).await?;
        let target = Target {
            port: service.port,
            pid: service.pid,
            // Here only the logins of requests are no superusers.
            backends: "datname = 'bench' and usename in (select rolname from pg_roles where not rolsuper)",
            service: Some(&service),
        };
        let measure = self.drive(cell, &target).await?;
        service.stop().await?;
        Ok(measure)
    }

    /// Puts load on it by HTTP.
    async fn drive(&self, cell: Cell, target: &Target<'_>) -> anyhow::Result<Measure> {
        let file = self.fleet.directory.join("requests");
        let mut tenants = self.fleet.first(cell.tenants);
        let mut connections = self.effort.connections;
        if let Subject::Neighbours { .. } = cell.subject {
            (tenants, connections) = (&tenants[1..], NEIGHBOURS);
        }
        wrk::write_requests(&file, &[cell.workload], tenants, &self.issues)?;
        let spread = match cell.subject {
            Subject::Service(spread) => spread,
            _ => Spread::Uniform,
        };
        let load = |time| wrk::run(target.port, &file, spread, connections, time);
        let (mut warm, enough) = (0.0, f64::from(u32::try_from(tenants.len() * WARM)?));
        while warm < enough {
            warm += load(self.effort.warm_up).await?.requests;
        }
        let before = self.backends(target.backends).await?;
        let cpu = process::cpu_seconds(target.pid)?;
        let duration = self.effort.duration;
        let mut flooded = 0.0;
        let report = match (cell.subject, target.service, &self.perf) {
            (Subject::ServiceWithSignUps, Some(service), _) => tokio::select! {
                report = load(duration) => report?,
                failed = sign_up_for_ever(service) => return Err(failed),
            },
            (Subject::Neighbours { flood: true }, ..) => {
                let file = self.fleet.directory.join("flood");
                let first = self.fleet.first(1);
                wrk::write_requests(&file, &[cell.workload], first, &self.issues)?;
                let flood = wrk::run(target.port, &file, spread, FLOOD, duration);
                let (report, flood) = tokio::join!(load(duration), flood);
                flooded = flood?.requests;
                report?
            }
            (_, Some(service), Some(perf)) => {
                let (report, recorded) =
                    tokio::join!(load(duration), process::record(service.pid, perf, duration));
                recorded?;
                report?
            }
            _ => load(duration).await?,
        };
        let cpu = process::cpu_seconds(target.pid)? - cpu;
        let after = self.backends(target.backends).await?;
        anyhow::ensure!(report.failed == 0.0, "{} requests failed", report.failed);
        let requests = report.requests + flooded;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let resident = process::resident(target.pid)? as f64;
        Ok(Measure {
            per_second: report.requests / report.seconds,
            p50: report.p50,
            p99: report.p99,
            postgres_cpu: after.cpu_since(&before) * 1e6 / requests,
            backend: after.private,
            service: Some(ServiceMeasure {
                cpu: cpu * 1e6 / requests,
                resident,
                start: target
                    .service
                    .map_or(Duration::ZERO, |service| service.start),
            }),
        })
    }

    /// The answers must be what is thought to be measured.
    async fn check(&self, service: &Service, workload: &Workload) -> anyhow::Result<()> {
        let tenant = &self.fleet.tenants[0];
        let variables = workload.variables(&self.issues[0]);
        let body = serde_json::json!({ "query": workload.query, "variables": variables });
        let answer = service
            .ask(&tenant.host(), Some(&tenant.token), &body)
            .await?;
        let issues = answer.matches("\"number\"").count();
        anyhow::ensure!(issues == workload.issues, "{issues} issues: {answer}");
        Ok(())
    }

    fn compile(&self, workload: &Workload) -> anyhow::Result<Compiled> {
        let variables = workload.variables(&self.issues[0]);
        common::compile(&self.api, workload.query, &variables)
    }

    /// The owner's login, by a name that tells its backends from others.
    fn own_login(&self) -> anyhow::Result<Database> {
        let url = format!("{}?application_name=bench", self.fleet.url());
        Ok(Database::parse(&url)?)
    }

    /// The backends of `pg_stat_activity` that the condition selects.
    async fn backends(&self, condition: &str) -> anyhow::Result<Backends> {
        let select = format!("select pid from pg_stat_activity where {condition}");
        let rows = self.fleet.client.query(&select, &[]).await?;
        let (mut cpu, mut private) = (HashMap::new(), 0);
        for row in &rows {
            let pid = row.get::<_, i32>(0).try_into()?;
            cpu.insert(pid, process::cpu_seconds(pid)?);
            private += process::private(pid)?;
        }
        let count = f64::from(u32::try_from(rows.len())?);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let private = private as f64 / count;
        Ok(Backends { cpu, private })
    }
}

/// Backends at one moment.
struct Backends {
    cpu: HashMap<u32, f64>,
    private: f64,
}

impl Backends {
    fn cpu_since(&self, before: &Self) -> f64 {
        let spent = |(pid, now): (&u32, &f64)| now - before.cpu.get(pid).unwrap_or(&0.0);
        self.cpu.iter().map(spent).sum()
    }
}

/// Returns only when one fails.
async fn sign_up_for_ever(service: &Service) -> anyhow::Error {
    loop {
        let subdomain = format!("late-{}", uuid::Uuid::now_v7().simple());
        let signed_up = service.sign_up(&subdomain).await;
        if let Err(error) = signed_up.context("signing up under load") {
            return error;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}
