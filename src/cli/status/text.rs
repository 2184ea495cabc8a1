//! The standing for people: the versions, then whoever stands out, those together of whom the same is to be said.

use std::collections::BTreeMap;

use super::{Line, Standing, State};
use crate::cli::migrate::killed;
use crate::cli::output::{self, moment};
use crate::fleet::Runs;
use crate::migrate::SchemaVersion;
use crate::registry::{Drift, MigrationFailure};

/// What is said of a tenant without a schema.
pub(in crate::cli) const GONE: &str = "its schema is gone: bring it back from a backup of the database, or make the tenant anew \
     of an archive (tenantry tenant delete, purge and import)";

pub(super) fn of(standing: &Standing) -> String {
    let wanted = standing.wanted;
    let mut text = vec![format!(
        "the migrations' version is {} (base {})",
        wanted.app, wanted.base
    )];
    match &standing.runs {
        Runs::None => {}
        Runs::AtWork(Some(run)) => text.push(format!("a run is at work: {run}")),
        Runs::AtWork(None) => text.push("a run is at work".to_owned()),
        Runs::Killed(runs) => text.extend(runs.iter().map(killed::told)),
    }
    if let Some(error) = &standing.refused {
        text.push(format!("`tenantry migrate` refuses these files: {error}"));
    }
    text.extend(versions(&standing.lines));
    for say in [failed, behind, otherwise, uncompared] {
        text.extend(together(&standing.lines, say));
    }
    text.push(String::new());
    text.join("\n")
}

/// How many tenants are at each, the newest first.
fn versions(lines: &[Line]) -> Vec<String> {
    let mut versions: BTreeMap<_, usize> = BTreeMap::new();
    for line in lines {
        let SchemaVersion { base, app, .. } = line.tenant.version;
        *versions.entry((app, base, line.state)).or_default() += 1;
    }
    let told = versions.iter().rev().map(|((app, base, state), count)| {
        let tenants = if *count == 1 { "tenant" } else { "tenants" };
        let state = match state {
            State::Unlike => "other files than these have run",
            state => state.word(),
        };
        format!("{count} {tenants} at version {app} (base {base}): {state}")
    });
    told.collect()
}

/// A line for all of whom the same is said, in the order of their first ones.
fn together(lines: &[Line], say: fn(&Line) -> Option<String>) -> Vec<String> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines {
        let Some(said) = say(line) else { continue };
        let place = *places.entry(said.clone()).or_insert(groups.len());
        if place == groups.len() {
            groups.push((said, Vec::new()));
        }
        groups[place].1.push(line.tenant.subdomain.as_str());
    }
    let told = groups.into_iter().map(|(said, names)| match &names[..] {
        [name] => format!("{name}: {said}"),
        _ => format!(
            "{} tenants ({}): {said}",
            names.len(),
            output::names(&names)
        ),
    });
    told.collect()
}

fn failed(line: &Line) -> Option<String> {
    line.failure().map(told)
}

fn behind(line: &Line) -> Option<String> {
    let only = line.state == State::Behind && line.failure().is_none();
    only.then(|| format!("behind, at version {}", line.tenant.version.app))
}

fn otherwise(line: &Line) -> Option<String> {
    match &line.drift {
        Some(Drift::Some(_)) => {
            Some("tables are not what the migrations make (tenantry diff TENANT)".to_owned())
        }
        Some(Drift::Gone) => Some(GONE.to_owned()),
        _ => None,
    }
}

fn uncompared(line: &Line) -> Option<String> {
    match &line.drift {
        Some(Drift::NotMade(reason) | Drift::Unknown(reason)) => {
            Some(format!("not compared, {reason}"))
        }
        _ => None,
    }
}

/// The day is enough for those of one run to be the same.
fn told(failure: &MigrationFailure) -> String {
    let what = if failure.rehearsal {
        "the rehearsal failed"
    } else {
        "the migration failed"
    };
    let place = match (&failure.file, failure.line) {
        (Some(file), Some(line)) => format!(" in {file}, line {line}"),
        _ => String::new(),
    };
    let state = failure.sql_state.as_ref();
    let state = state.map_or(String::new(), |state| format!(" [{state}]"));
    let excerpt = failure.excerpt.as_ref();
    let excerpt = excerpt.map_or(String::new(), |excerpt| format!(" (in: {excerpt})"));
    let at = moment(Some(failure.at));
    let day = at.split(' ').next().unwrap_or_default();
    format!(
        "{what}{place} on {day}: {}{state}{excerpt}",
        failure.message
    )
}
