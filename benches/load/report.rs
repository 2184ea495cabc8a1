//! The table, and what it shows.

use std::fmt::Write as _;

use crate::cell::{Cell, Effort, FLOOD, Measure, NEIGHBOURS, ServiceMeasure, Subject};
use crate::claims;
use crate::direct::Mode;
use crate::wrk::Spread;

/// A cell with what its rounds brought.
pub(crate) struct Line {
    pub(crate) cell: Cell,
    pub(crate) rounds: Vec<Measure>,
}

impl Line {
    pub(crate) fn new(cell: Cell) -> Self {
        Self {
            cell,
            rounds: Vec::new(),
        }
    }

    pub(crate) fn name(&self) -> String {
        let Cell {
            workload, tenants, ..
        } = self.cell;
        let s = if tenants == 1 { "" } else { "s" };
        format!(
            "{} | {} | {tenants} tenant{s}",
            workload.name,
            self.subject()
        )
    }

    fn subject(&self) -> &'static str {
        match self.cell.subject {
            Subject::Service(Spread::Uniform) => "service",
            Subject::Service(Spread::Zipf) => "service, zipf",
            Subject::ServiceWithSignUps => "service, with sign-ups",
            Subject::Neighbours { flood: false } => "service, neighbours",
            Subject::Neighbours { flood: true } => "service, neighbours of a flood",
            Subject::Direct(Mode::Limit) => "limit",
            Subject::Naive => "naive",
            Subject::Direct(Mode::Naive) => "naive, no HTTP",
        }
    }

    pub(crate) fn best(&self) -> Option<&Measure> {
        self.rounds
            .iter()
            .max_by(|a, b| a.per_second.total_cmp(&b.per_second))
    }
}

pub(crate) fn render(
    machine: &str,
    effort: &Effort,
    rounds: usize,
    lines: &[Line],
    (tenants, filled): (usize, usize),
) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "# What a tenant costs\n\n\
         `just bench` wrote this on {machine}. Load tool (wrk, {} connections), service and Postgres share the machine.\n\
         Every line is the best of {rounds} rounds of {} s, each after a warm-up, with a service just started.\n\n\
         - **limit**: the service's SQL for one tenant, prepared once, on {backends} connections from the benchmark's own process; no HTTP, no transaction, rows received and dropped\n\
         - **naive**: a web service that trusts everybody and knows one operation: any tenant on any of {backends} connections, `set search_path` for the session and \
         a statement prepared once, in one round trip; no transaction, no role of the tenant's, JSON made by the service's encoder; **no HTTP**: the same, called directly\n\
         - **with sign-ups**: a tenant signs up every two seconds meanwhile\n\
         - **neighbours of a flood**: all tenants but one, on {} connections, while that one asks on {}; **neighbours**: the same without the flood\n",
        effort.connections,
        effort.duration.as_secs(),
        NEIGHBOURS,
        FLOOD,
        backends = effort.backends,
    );
    if filled < tenants {
        let _ = writeln!(
            text,
            "Of {tenants} tenants, {filled} have rows, and those are asked.\n"
        );
    }
    table(&mut text, lines);
    claims::check(&mut text, lines, tenants);
    text
}

fn table(text: &mut String, lines: &[Line]) {
    text.push_str(
        "| operation | | | requests/s | p50 ms | p99 ms | CPU µs per request: service | Postgres | memory MB: service | per backend |\n\
         |---|---|---|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for line in lines {
        let Some(best) = line.best() else { continue };
        let service = |f: fn(&ServiceMeasure) -> f64| {
            best.service
                .as_ref()
                .map_or_else(String::new, |service| format!("{:.0}", f(service)))
        };
        let _ = writeln!(
            text,
            "| {} | {:.0} | {:.2} | {:.2} | {} | {:.0} | {} | {:.1} |",
            line.name(),
            best.per_second,
            best.p50 / 1e3,
            best.p99 / 1e3,
            service(|service| service.cpu),
            best.postgres_cpu,
            service(|service| service.resident / 1e6),
            best.backend / 1e6,
        );
    }
}
