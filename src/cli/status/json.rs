//! The standing for programs, with every tenant.

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::text::GONE;
use super::{Line, Standing, State};
use crate::cli::exit::Refused;
use crate::cli::migrate::killed;
use crate::migrate::SchemaVersion;
use crate::registry::{Drift, MigrationFailure, TenantTables};

pub(super) fn of(standing: &Standing, refused: Option<&Refused>) -> Value {
    let wanted = standing.wanted;
    let state = |state| standing.count(|line| line.state == state);
    json!({
        "appVersion": wanted.app,
        "baseVersion": wanted.base,
        "migrations": digest(wanted),
        "runAtWork": killed::at_work(&standing.runs),
        "killedRuns": killed::as_json(&standing.runs),
        "filesRefused": standing.refused.as_ref().map(ToString::to_string),
        "notComparedBecause": standing.not_made(),
        "counts": {
            "tenants": standing.lines.len(),
            "current": state(State::Current),
            "behind": state(State::Behind),
            "ahead": state(State::Ahead),
            "unlike": state(State::Unlike),
            "failed": standing.count(|line| line.failure().is_some()),
            "drifted": standing.count(Line::has_drifted),
        },
        "tenants": standing.lines.iter().map(tenant).collect::<Vec<_>>(),
        "error": refused.map(Refused::as_json),
    })
}

fn tenant(line: &Line) -> Value {
    let TenantTables {
        id,
        subdomain,
        status,
        workspace,
        version,
        ..
    } = &line.tenant;
    let (drift, fingerprint, reason) = match &line.drift {
        None => (None, None, None),
        Some(Drift::None(own)) => (Some(false), Some(own.as_str()), None),
        Some(Drift::Some(own)) => (Some(true), Some(own.as_str()), None),
        Some(Drift::Gone) => (Some(true), None, Some(GONE)),
        Some(Drift::NotMade(reason) | Drift::Unknown(reason)) => {
            (None, None, Some(reason.as_str()))
        }
    };
    json!({
        "id": id.to_string(),
        "subdomain": subdomain.as_str(),
        "schema": workspace.schema.as_str(),
        "status": status.word().to_uppercase(),
        "appVersion": version.app,
        "baseVersion": version.base,
        "migrations": digest(*version),
        "state": line.state.word(),
        "failure": line.failure().map(failed),
        "drift": drift,
        "notComparedBecause": reason,
        "fingerprint": fingerprint,
    })
}

fn failed(failure: &MigrationFailure) -> Value {
    json!({
        "file": failure.file,
        "line": failure.line,
        "excerpt": failure.excerpt,
        "sqlState": failure.sql_state,
        "message": failure.message,
        "rehearsal": failure.rehearsal,
        "at": failure.at.format(&Rfc3339).ok(),
    })
}

/// JavaScript's numbers would lose digits.
fn digest(version: SchemaVersion) -> String {
    format!("{:016x}", version.digest)
}
