//! `just bench`: the service under load, beside the limit and the naive way, in one run.
//!
//! Everything that is compared is measured in the same run on the same rows. Each line is measured
//! in several rounds, of which the best counts: a machine that does other things only adds to times.

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "shared with the benchmark of the stages")]
mod common;

mod cell;
mod claims;
mod direct;
mod fleet;
mod machine;
mod migrate;
mod naive;
mod process;
mod report;
mod service;
mod wrk;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use tenantry::model::introspect;
use tenantry::schema::{Api, Options};

use cell::{Bench, Cell, Effort, Subject};
use common::{ISSUES, LIST, MUTATION, WORKLOADS};
use direct::Mode;
use fleet::Fleet;
use report::Line;
use wrk::Spread;

/// Measures the service under load.
#[derive(Debug, Parser)]
struct Arguments {
    /// Two seconds for each measurement, one round.
    #[arg(long)]
    quick: bool,

    /// How often each line is measured; the best counts.
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: usize,

    /// The size of the fleet.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    tenants: usize,

    /// How many of them have rows, and are asked; all, unless that takes too long.
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    filled: usize,

    /// Only lines whose name holds this text.
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,

    /// HTTP connections of the load tool.
    #[arg(long, value_name = "N", default_value_t = 32)]
    connections: usize,

    /// Connections to Postgres: lanes of the service, pools of what it is compared with.
    #[arg(long, value_name = "N", default_value_t = 32)]
    backends: usize,

    /// Flags for `tenantry serve`, such as "--threads 4".
    #[arg(
        long,
        value_name = "FLAGS",
        default_value = "",
        allow_hyphen_values = true
    )]
    serve: String,

    /// Where the private Postgres keeps the fleet between runs.
    #[arg(long, value_name = "DIR", default_value = "target/bench-data")]
    data_dir: PathBuf,

    /// Records a profile of the service with perf into this file, while it is under load.
    #[arg(long, value_name = "FILE")]
    perf: Option<PathBuf>,

    /// Measures what migrating the fleet costs instead.
    #[arg(long)]
    migrate: bool,

    /// Writes the results to this file too.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,

    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    // More than one crate offers cryptography to reqwest, so one has to be chosen.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Interrupted, it drops what it holds, which ends the processes it started.
    tokio::select! {
        result = run(&arguments) => result,
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments {
        data_dir,
        tenants,
        serve,
        backends,
        ..
    } = arguments;
    let flags = format!("--lanes {backends} --lane-connections 1 {serve}");
    let size = (*tenants, arguments.filled.min(*tenants));
    if arguments.migrate {
        let text = migrate::measure(data_dir, size, arguments.connections, &flags).await?;
        return publish(arguments, &text);
    }
    let fleet = Fleet::open(data_dir, size, &flags).await?;
    let schema = fleet.tenants[0].schema.as_str();
    let histories = [
        "tenantry_base_history",
        "tenantry_app_history",
        "tenantry_shared_history",
    ];
    let model = introspect(&fleet.client, schema, Some("shared"), None, &histories).await?;
    let bench = Bench {
        api: Api::new(model, Options::default())?,
        issues: issues(&fleet).await?,
        fleet,
        effort: Effort {
            warm_up: Duration::from_secs(if arguments.quick { 2 } else { 4 }),
            duration: Duration::from_secs(if arguments.quick { 2 } else { 8 }),
            connections: arguments.connections,
            backends: *backends,
        },
        perf: arguments.perf.clone(),
    };
    let mut lines: Vec<Line> = cells(arguments.tenants)
        .into_iter()
        .map(Line::new)
        .filter(|line| line.name().contains(&arguments.only))
        .collect();
    // Round by round, so that a bad minute of the machine does not fall on one line alone.
    let rounds = if arguments.quick { 1 } else { arguments.rounds };
    for round in 1..=rounds {
        for line in &mut lines {
            let measure = bench.measure(line.cell).await?;
            eprintln!(
                "{round}/{rounds} {}: {:.0}/s",
                line.name(),
                measure.per_second
            );
            line.rounds.push(measure);
        }
    }
    let machine = machine::describe(&bench.fleet.client).await?;
    let text = report::render(&machine, &bench.effort, rounds, &lines, size);
    publish(arguments, &text)?;
    bench.fleet.close().await
}

fn publish(arguments: &Arguments, text: &str) -> anyhow::Result<()> {
    println!("{text}");
    if let Some(file) = &arguments.save {
        std::fs::write(file, text)?;
    }
    Ok(())
}

/// Every line of the table.
fn cells(all: usize) -> Vec<Cell> {
    let mut cells = Vec::new();
    for workload in WORKLOADS {
        let mut add = |subject, tenants| {
            cells.push(Cell {
                workload,
                subject,
                tenants,
            });
        };
        add(Subject::Direct(Mode::Limit), 1);
        add(Subject::Service(Spread::Uniform), 1);
        if all > 100 {
            add(Subject::Service(Spread::Uniform), 100);
        }
        add(Subject::Service(Spread::Uniform), all);
        add(Subject::Service(Spread::Zipf), all);
        if *workload == LIST {
            add(Subject::ServiceWithSignUps, all);
            add(Subject::Neighbours { flood: false }, all);
            add(Subject::Neighbours { flood: true }, all);
        }
        for tenants in [1, all] {
            add(Subject::Naive, tenants);
            if *workload == LIST {
                add(Subject::Direct(Mode::Naive), tenants);
            }
        }
    }
    for tenants in [1, all] {
        cells.push(Cell {
            workload: &MUTATION,
            subject: Subject::Service(Spread::Uniform),
            tenants,
        });
    }
    cells
}

/// The ids of a tenant's issues, which are all tenants'.
async fn issues(fleet: &Fleet) -> anyhow::Result<Vec<String>> {
    let select = format!(
        "select id::text from {}.issues where title like 'Issue %' order by 1",
        fleet.tenants[0].schema
    );
    let rows = fleet.client.query(&select, &[]).await?;
    anyhow::ensure!(rows.len() == ISSUES, "{} issues", rows.len());
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
