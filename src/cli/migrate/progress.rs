//! What is seen of a run while it runs: a bar on a terminal, a line now and then elsewhere, or JSON.

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use serde_json::json;

use super::summary::failed_json;
use super::warnings::{self, Scale};
use crate::cli::output;
use crate::fleet::{Behind, Event, Mode, Phase, Watch};
use crate::lint::{self, Finding};
use crate::migrate::Migrations;
use crate::postgres::Database;
use crate::registry::Registry;

/// Without a terminal, a line is written after so long, or so many in a hundred.
const SELDOM: Duration = Duration::from_secs(5);
const STEP: usize = 10;

pub(super) enum Progress {
    Bar(ProgressBar),
    Lines(Mutex<Pace>),
    Json,
}

impl Progress {
    pub(super) fn new(json: bool) -> Self {
        if json {
            return Self::Json;
        }
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::no_length();
            let template = "{msg} {wide_bar} {pos}/{len}  {rate}  {eta} left";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.with_key("rate", rate));
            }
            return Self::Bar(bar);
        }
        Self::Lines(Mutex::new(Pace::new(0, "")))
    }

    /// Clears the bar away.
    pub(super) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }

    fn say(&self, text: &str) {
        match self {
            // Before the first phase there is none to be kept apart from.
            Self::Bar(bar) if bar.length().is_some() => bar.println(text),
            Self::Bar(_) | Self::Lines(_) => eprintln!("{text}"),
            Self::Json => {}
        }
    }

    fn begin(&self, phase: Phase, tenants: usize) {
        let name = word(phase);
        match self {
            Self::Bar(bar) => {
                bar.reset();
                bar.set_length(tenants as u64);
                bar.set_message(name);
            }
            Self::Lines(pace) => {
                *pace.lock().unwrap_or_else(PoisonError::into_inner) = Pace::new(tenants, name);
            }
            Self::Json => {
                output::json_line(&json!({"event": "phase", "phase": name, "tenants": tenants}));
            }
        }
    }

    fn step(&self) {
        match self {
            Self::Bar(bar) => bar.inc(1),
            Self::Lines(pace) => {
                let mut pace = pace.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(line) = pace.step() {
                    eprintln!("{line}");
                }
            }
            Self::Json => {}
        }
    }
}

impl Watch for Progress {
    fn see(&self, event: &Event<'_>) {
        match event {
            Event::Phase(phase, tenants) => self.begin(*phase, *tenants),
            Event::Done { .. } | Event::NotBehind | Event::Failed { .. } => self.step(),
            Event::Started { .. }
            | Event::Waiting(_)
            | Event::PutOff { .. }
            | Event::FewerJobs { .. } => {}
        }
        if matches!(self, Self::Json) {
            tell(event);
        } else if let Some(line) = line(event) {
            self.say(&line);
        }
    }

    async fn look(
        &self,
        registry: &Registry,
        migrations: &Migrations,
        behind: &[Behind],
    ) -> Option<String> {
        let found = warnings::find(registry, migrations, behind, Scale::Fleet).await;
        let reason = warnings::reason_against(&found);
        self.tell(found);
        reason
    }
}

impl Progress {
    /// Says what the files would do to tables in use, or that nobody knows: no reason not to migrate.
    pub(super) fn tell(&self, found: anyhow::Result<Vec<Finding>>) {
        match found {
            Ok(findings) if matches!(self, Self::Json) => {
                let events = findings.iter().map(warnings::as_json);
                events.for_each(|event| output::json_line(&event));
            }
            Ok(findings) => {
                let loud = warnings::loud(findings);
                if !loud.is_empty() {
                    self.say(lint::text(&loud, "").trim_end());
                }
            }
            Err(error) if matches!(self, Self::Json) => {
                output::json_line(
                    &json!({"event": "notLooked", "message": warnings::unknown(&error)}),
                );
            }
            Err(error) => self.say(&warnings::unknown(&error)),
        }
    }
}

/// How many tenants are done in a second.
fn rate(state: &ProgressState, out: &mut dyn fmt::Write) {
    let rate = state.per_sec();
    let digits = usize::from(rate < 10.0);
    // The bar is a string, and writing to it cannot fail.
    let _ = write!(out, "{rate:.digits$}/s");
}

/// How many are done, and since when.
pub(super) struct Pace {
    phase: &'static str,
    all: usize,
    done: usize,
    began: Instant,
    /// When a line was last written, and how many were done then.
    told: (Instant, usize),
}

impl Pace {
    fn new(all: usize, phase: &'static str) -> Self {
        let now = Instant::now();
        Self {
            phase,
            all,
            done: 0,
            began: now,
            told: (now, 0),
        }
    }

    /// One more is done; the line to write, if it is time for one.
    fn step(&mut self) -> Option<String> {
        self.done += 1;
        let (at, done) = self.told;
        let due = (self.done - done) * 100 >= self.all * STEP || at.elapsed() >= SELDOM;
        if !due && self.done != self.all {
            return None;
        }
        self.told = (Instant::now(), self.done);
        let elapsed = self.began.elapsed();
        let each = elapsed / u32::try_from(self.done).unwrap_or(u32::MAX);
        let left = each * u32::try_from(self.all.saturating_sub(self.done)).unwrap_or(u32::MAX);
        let rate = 1.0 / each.as_secs_f64().max(1e-6);
        let Self {
            phase, done, all, ..
        } = self;
        Some(format!(
            "{phase}: {done} of {all}, {rate:.0}/s, {} s left",
            left.as_secs()
        ))
    }
}

fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Rehearsal => "rehearsal",
        Phase::Canaries => "canaries",
        Phase::All => "migration",
    }
}

/// What an operator should hear of at once.
fn line(event: &Event<'_>) -> Option<String> {
    match event {
        Event::Waiting(Some(run)) => Some(format!(
            "another run is at work: {run}; waiting for its end"
        )),
        Event::Waiting(None) => Some("another run is at work; waiting for its end".to_owned()),
        Event::PutOff {
            tenant,
            tries: 1,
            reason,
        } => Some(format!("{}: {reason}; trying again", tenant.subdomain)),
        Event::Failed { failure, .. } => Some(format!("{}: {failure}", failure.tenant.subdomain)),
        Event::FewerJobs {
            connections,
            prepared,
        } => Some(fewer_jobs(*connections, *prepared)),
        _ => None,
    }
}

fn fewer_jobs(connections: usize, prepared: usize) -> String {
    let work = match connections {
        1 => "one connection migrates all tenants".to_owned(),
        _ => format!("{connections} connections migrate all tenants"),
    };
    format!(
        "{work}: more of them take prepared transactions, and the server has {prepared} left (max_prepared_transactions)"
    )
}

/// The event as a line of JSON.
fn tell(event: &Event<'_>) {
    let value = match event {
        Event::Waiting(run) => json!({"event": "waiting", "for": run.map(ToString::to_string)}),
        Event::Started { tenants, version } => json!({
            "event": "started", "behind": tenants, "appVersion": version.app, "baseVersion": version.base,
        }),
        Event::Done { tenant, mode, took } => json!({
            "event": if *mode == Mode::Rehearsal { "rehearsed" } else { "migrated" },
            "tenant": tenant.subdomain.as_str(), "id": tenant.id.to_string(),
            "fromAppVersion": tenant.version.app, "ms": took.as_millis(),
        }),
        Event::PutOff {
            tenant,
            tries,
            reason,
        } => json!({
            "event": "putOff", "tenant": tenant.subdomain.as_str(), "tries": tries, "reason": reason,
        }),
        Event::Failed { failure, mode } => {
            let mut value = failed_json(failure, false);
            value["event"] = json!("failed");
            value["rehearsal"] = json!(*mode == Mode::Rehearsal);
            value
        }
        Event::FewerJobs {
            connections,
            prepared,
        } => json!({
            "event": "fewerJobs", "connections": connections, "preparedTransactions": prepared,
        }),
        Event::Phase(..) | Event::NotBehind => return,
    };
    output::json_line(&value);
}

/// What `serve --migrate` and `dev` have of it: the log.
pub(in crate::cli) struct Logged(pub(in crate::cli) Scale);

impl Watch for Logged {
    fn see(&self, event: &Event<'_>) {
        match event {
            Event::Waiting(_) | Event::PutOff { .. } | Event::FewerJobs { .. } => {
                if let Some(line) = line(event) {
                    tracing::info!("{line}");
                }
            }
            Event::Phase(phase, tenants) => {
                tracing::info!(tenants, phase = word(*phase), "migrating the fleet");
            }
            Event::Failed { failure, .. } => {
                let tenant = failure.tenant.subdomain.as_str();
                tracing::error!(tenant.subdomain = tenant, "not migrated: {failure}");
            }
            Event::Started { .. } | Event::Done { .. } | Event::NotBehind => {}
        }
    }

    async fn look(
        &self,
        registry: &Registry,
        migrations: &Migrations,
        behind: &[Behind],
    ) -> Option<String> {
        let found = warnings::find(registry, migrations, behind, self.0).await;
        let reason = warnings::reason_against(&found);
        Self::tell(found);
        reason
    }
}

impl Logged {
    /// The same of tables that tenants share, before their files run.
    pub(in crate::cli) async fn look_at_shared(
        &self,
        database: &Database,
        migrations: &Migrations,
    ) {
        Self::tell(warnings::find_shared(database, migrations, self.0).await);
    }

    fn tell(found: anyhow::Result<Vec<Finding>>) {
        match found {
            Ok(findings) => {
                for finding in warnings::loud(findings) {
                    tracing::warn!("{}", warnings::as_line(&finding));
                }
            }
            Err(error) => tracing::warn!("{}", warnings::unknown(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_terminal_there_is_a_line_now_and_then() {
        let lines = |tenants: usize| {
            let mut pace = Pace::new(tenants, "migration");
            let lines = (0..tenants).filter_map(|_| pace.step());
            lines.collect::<Vec<_>>()
        };
        assert_eq!(lines(1000).len(), 10);
        assert_eq!(lines(3).len(), 3);
        assert!(lines(1000)[4].starts_with("migration: 500 of 1000, "));
        assert!(lines(1)[0].ends_with(" 0 s left"));
    }
}
