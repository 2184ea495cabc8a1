//! `tenantry migrate --dry-run`.

use serde_json::json;

use super::warnings::{self, Scale};
use super::{Arguments, killed};
use crate::cli::exit::Refused;
use crate::cli::output;
use crate::fleet::{self, Group, Preview, Runs};
use crate::lint::{self, Finding, Rule};
use crate::migrate::Migrations;
use crate::names::TenantId;
use crate::registry::TenantRef;

pub(super) async fn run(arguments: &Arguments, migrations: Migrations) -> anyhow::Result<()> {
    let database = arguments.database.database()?;
    let files = migrations.clone();
    let migrations = arguments.cut(migrations)?;
    let only = named(arguments).await?;
    let preview = fleet::preview(&database, &files, &migrations, &only).await;
    let preview = preview.map_err(super::not_done)?;
    if arguments.json {
        output::json_line(&as_json(&preview));
    } else {
        output::write(&as_text(&preview, &migrations));
    }
    if matches!(preview.runs, Runs::Killed(_)) {
        // Tables that are locked are not tried.
        return Ok(());
    }
    match findings(arguments, &migrations, preview).await {
        Ok(findings) if arguments.json => {
            let events = findings.iter().map(warnings::as_json);
            events.for_each(|event| output::json_line(&event));
        }
        Ok(findings) => eprint!("{}", lint::text(&findings, "")),
        Err(error) => eprintln!("{}", warnings::unknown(&error)),
    }
    Ok(())
}

/// What the files would do to tables in use.
async fn findings(
    arguments: &Arguments,
    migrations: &Migrations,
    preview: Preview,
) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let whole = preview.shared.is_empty();
    if !whole {
        let database = arguments.database.database()?;
        findings = warnings::find_shared(&database, migrations, Scale::Fleet).await?;
    }
    let groups = preview.groups.into_iter();
    let behind: Vec<_> = groups.flat_map(|group| group.tenants).collect();
    if !behind.is_empty() {
        let registry = arguments.database.registry().await?;
        let mut of_app = warnings::find(&registry, migrations, &behind, Scale::Fleet).await?;
        // Shared tables that are not there yet may be why.
        of_app.retain(|finding| whole || finding.rule != Rule::Fails);
        findings.extend(of_app);
    }
    Ok(findings)
}

/// The tenants of `--tenant`: their registry is used as it is.
async fn named(arguments: &Arguments) -> anyhow::Result<Vec<TenantId>> {
    if arguments.tenants.is_empty() {
        return Ok(Vec::new());
    }
    let registry = arguments.database.registry().await?;
    let mut ids = Vec::new();
    for tenant in &arguments.tenants {
        let tenant = TenantRef::parse(tenant).map_err(Refused::from)?;
        ids.push(super::id(&registry, &tenant).await?);
    }
    Ok(ids)
}

fn as_text(preview: &Preview, migrations: &Migrations) -> String {
    if preview.registry > 0 {
        let files = match preview.registry {
            1 => "1 file".to_owned(),
            files => format!("{files} files"),
        };
        return format!(
            "{files} would run for the registry's own tables; which tenants are behind is known after that\n"
        );
    }
    let mut lines = match &preview.runs {
        Runs::None => Vec::new(),
        Runs::AtWork(Some(run)) => vec![format!("another run is at work: {run}")],
        Runs::AtWork(None) => vec!["another run is at work".to_owned()],
        Runs::Killed(runs) => runs.iter().map(killed::told).collect(),
    };
    if !preview.shared.is_empty() {
        lines.push(format!("shared tables: {}", preview.shared.join(", ")));
    }
    for group in &preview.groups {
        lines.push(line(group));
    }
    let version = migrations.version();
    if preview.shared.is_empty() && preview.groups.is_empty() {
        lines.push(format!(
            "nothing would run: nobody is behind version {} (base {})",
            version.app, version.base
        ));
    }
    lines.join("\n") + "\n"
}

fn line(group: &Group) -> String {
    let names = group.tenants.iter();
    let names: Vec<_> = names.map(|tenant| tenant.subdomain.as_str()).collect();
    let who = output::names(&names);
    let files = if group.files.is_empty() {
        "nothing to run, only to be recorded".to_owned()
    } else {
        group.files.join(", ")
    };
    let count = group.tenants.len();
    let tenants = if count == 1 { "tenant" } else { "tenants" };
    let (app, base) = (group.version.app, group.version.base);
    format!("{count} {tenants} at version {app} (base {base}): {files}\n  {who}")
}

fn as_json(preview: &Preview) -> serde_json::Value {
    let groups = preview.groups.iter().map(|group| {
        let tenants = group.tenants.iter();
        let tenants: Vec<_> = tenants.map(|tenant| tenant.subdomain.as_str()).collect();
        json!({
            "appVersion": group.version.app,
            "baseVersion": group.version.base,
            "files": group.files,
            "tenants": tenants,
        })
    });
    json!({
        "event": "preview",
        "registryFiles": preview.registry,
        "sharedFiles": preview.shared,
        "groups": groups.collect::<Vec<_>>(),
        "runAtWork": killed::at_work(&preview.runs),
        "killedRuns": killed::as_json(&preview.runs),
    })
}
