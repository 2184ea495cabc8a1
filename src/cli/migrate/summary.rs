//! What has become of the fleet, in words and in JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::cli::exit::{Refused, Status};
use crate::cli::output;
use crate::fleet::{End, Failure, Summary};

/// One line for a fleet that is where it should be.
pub(in crate::cli) fn complete(summary: &Summary) -> String {
    let to = version(summary);
    if summary.behind == 0 {
        return format!("nothing to do: nobody is behind {to}\n");
    }
    let (tenants, seconds) = (tenants(summary.migrated), summary.took.as_secs_f64());
    let mut text = format!("{tenants} migrated to {to} in {seconds:.1} s\n");
    for (file, why) in &summary.unrehearsed {
        let _ = writeln!(
            text,
            "not rehearsed: {file}, as {why}, and what comes after it"
        );
    }
    text
}

/// What failed, and what to do.
pub(in crate::cli) fn refusal(summary: &Summary, details: bool) -> Refused {
    let failed = tenants(summary.failed.len());
    let at = version(summary);
    let (why, mut text) = match summary.end {
        End::RehearsalFailed => (
            Status::RehearsalFailed,
            format!(
                "{failed} of {} cannot be brought to {at}, as a rehearsal has shown; no tenant has changed:",
                summary.behind
            ),
        ),
        End::Failed | End::Done => (
            Status::TenantsFailed,
            format!(
                "{failed} could not be brought to {at}; {} migrated, {} left:",
                summary.migrated, summary.left
            ),
        ),
    };
    for (failure, names) in alike(&summary.failed) {
        let _ = write!(text, "\n  {}: {failure}", output::names(&names));
        if details && let Some(details) = &failure.details {
            let _ = write!(text, "\n    {}", details.replace('\n', "\n    "));
        }
    }
    text.push_str(
        "\nMend the rows, or the file, and run it again: it goes on with those that are behind.",
    );
    Refused::new(why, text)
}

fn version(summary: &Summary) -> String {
    let version = summary.version;
    format!("version {} (base {})", version.app, version.base)
}

fn tenants(count: usize) -> String {
    match count {
        1 => "1 tenant".to_owned(),
        _ => format!("{count} tenants"),
    }
}

/// Failures that are the same but for the tenant, with the tenants' names.
fn alike(failures: &[Failure]) -> Vec<(&Failure, Vec<&str>)> {
    let mut groups: Vec<(String, &Failure, Vec<&str>)> = Vec::new();
    for failure in failures {
        let text = failure.to_string();
        let name = failure.tenant.subdomain.as_str();
        match groups.iter_mut().find(|(known, ..)| *known == text) {
            Some((_, _, names)) => names.push(name),
            None => groups.push((text, failure, vec![name])),
        }
    }
    let groups = groups.into_iter();
    groups.map(|(_, failure, names)| (failure, names)).collect()
}

/// The last line of `--json`.
pub(super) fn as_json(summary: &Summary, refused: Option<&Refused>, details: bool) -> Value {
    let failed = summary.failed.iter();
    let failed: Vec<_> = failed
        .map(|failure| failed_json(failure, details))
        .collect();
    json!({
        "event": "finished",
        "result": match summary.end {
            End::Done => "done",
            End::RehearsalFailed => "rehearsalFailed",
            End::Failed => "failed",
        },
        "appVersion": summary.version.app,
        "baseVersion": summary.version.base,
        "behind": summary.behind,
        "rehearsed": summary.rehearsed,
        "unrehearsedFiles": summary.unrehearsed.keys().collect::<Vec<_>>(),
        "migrated": summary.migrated,
        "left": summary.left,
        "failed": failed,
        "ms": summary.took.as_millis(),
        "error": refused.map(Refused::as_json),
    })
}

pub(super) fn failed_json(failure: &Failure, details: bool) -> Value {
    let place = failure.place.as_ref();
    let mut value = json!({
        "tenant": failure.tenant.subdomain.as_str(),
        "id": failure.tenant.id.to_string(),
        "set": place.map(|place| place.set.word()),
        "version": place.and_then(|place| place.version),
        "file": place.map(|place| &place.file),
        "line": place.map(|place| place.line),
        "statement": place.map(|place| &place.excerpt),
        "sqlState": failure.sql_state,
        "message": failure.message,
    });
    if details {
        value["details"] = json!(failure.details);
    }
    value
}
