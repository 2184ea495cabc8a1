//! What files that are about to run would do to tables in use.

use serde_json::{Value, json};

use crate::apis::HIDDEN_TABLES;
use crate::cli::scratch;
use crate::fleet::{self, Behind};
use crate::lint::{self, Course, Finding, Level, Making, Rule, Sizes, Subject};
use crate::migrate::Migrations;
use crate::names::SchemaName;
use crate::postgres::Database;
use crate::registry::{Registry, SHARED_SCHEMA, pending_shared};

/// Whose tables tell how large tables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Scale {
    /// The fleet's.
    Fleet,
    /// Nobody's here: they are large elsewhere.
    Elsewhere,
}

/// Tries the files in the schema of one tenant, and takes all of it back.
pub(super) async fn find(
    registry: &Registry,
    migrations: &Migrations,
    behind: &[Behind],
    scale: Scale,
) -> anyhow::Result<Vec<Finding>> {
    let database = registry.database();
    let (client, _connection) = database.connect().await?;
    let Some(sample) = fleet::sample(&client, migrations, behind).await? else {
        return Ok(Vec::new());
    };
    let subject = Subject {
        database,
        schema: &sample.schema,
        base: Some(&migrations.base),
        api: Some(Making {
            role: &sample.role,
            shared: registry.shared_schema(),
            hidden: &HIDDEN_TABLES,
            options: &scratch::options(),
        }),
    };
    let mut findings = lint::lint(&subject, None, &sample.files, Course::Rehearsed).await?;
    if scale == Scale::Fleet && !findings.is_empty() {
        Sizes::read(&client).await?.apply(&mut findings);
    }
    Ok(findings)
}

/// The same of files for the tables that tenants share.
pub(super) async fn find_shared(
    database: &Database,
    migrations: &Migrations,
    scale: Scale,
) -> anyhow::Result<Vec<Finding>> {
    let Some(set) = &migrations.shared else {
        return Ok(Vec::new());
    };
    let (client, _connection) = database.connect().await?;
    let files = pending_shared(&client, migrations).await?;
    // The first ones make tables that nobody uses yet.
    if files.is_empty() || files.len() == set.len() {
        return Ok(Vec::new());
    }
    let subject = Subject {
        database,
        schema: &SchemaName::parse(SHARED_SCHEMA)?,
        base: None,
        api: None,
    };
    let mut findings = lint::lint(&subject, None, files, Course::Rehearsed).await?;
    if scale == Scale::Fleet && !findings.is_empty() {
        Sizes::read_shared(&client).await?.apply(&mut findings);
    }
    Ok(findings)
}

/// Those that are worth a warning where the files are about to run: that one fails is told when it does.
pub(super) fn loud(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.retain(|finding| finding.level > Level::Note && finding.rule != Rule::Fails);
    findings
}

/// Why the files are not to run, if so: there would be tables and no API.
pub(super) fn reason_against(found: &anyhow::Result<Vec<Finding>>) -> Option<String> {
    let mut findings = found.as_ref().ok()?.iter();
    let clash = findings.find(|finding| finding.rule == Rule::NameClash)?;
    let Finding {
        file,
        line,
        message,
        ..
    } = clash;
    Some(format!("{file}, line {line}: {message}"))
}

pub(super) fn unknown(error: &anyhow::Error) -> String {
    format!("what the files would do to tables in use is not known: {error:#}")
}

/// A finding as an event.
pub(super) fn as_json(finding: &Finding) -> Value {
    let mut event = json!(finding);
    event["event"] = json!("finding");
    event
}

/// A finding as an entry of the log.
pub(super) fn as_line(finding: &Finding) -> String {
    let Finding {
        rule,
        file,
        line,
        message,
        safer,
        ..
    } = finding;
    let mut text = format!("{file}, line {line}: {message} [{}]", rule.id());
    if let Some(safer) = safer {
        text.push_str("; safer:\n");
        text.push_str(safer);
    }
    text
}
