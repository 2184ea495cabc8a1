//! `tenantry tenant limits`: the limits that a tenant has of its own.

use clap::Args;
use serde_json::Value;

use super::{Named, Session};
use crate::cli::exit::Refused;
use crate::cli::output;
use crate::limits::Limit;
use crate::registry::NewLimit;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    named: Named,

    /// Limits to set: `requests=50`. The names are those of the README.
    #[arg(long, value_name = "NAME=N", num_args = 1.., value_parser = new_limit)]
    set: Vec<NewLimit>,

    /// Limits to take away, so that those of all tenants count again.
    #[arg(long, value_name = "NAME", num_args = 1.., value_parser = no_limit)]
    unset: Vec<NewLimit>,
}

/// Without changes, it tells what they are.
pub(super) async fn run(session: &Session, arguments: &Arguments) -> anyhow::Result<()> {
    let changes = [&arguments.set[..], &arguments.unset].concat();
    let tenant = arguments.named.parse()?;
    let limits = session
        .registry
        .change_limits(&session.by, &tenant, &changes)
        .await;
    let limits = limits.map_err(Refused::from)?;
    if session.json {
        output::json(&Value::Object(limits));
        return Ok(());
    }
    let mut table = output::Table::new(["limit", "of its own"]);
    for (name, value) in limits {
        table.push([name, value.to_string()]);
    }
    table.print();
    Ok(())
}

fn new_limit(text: &str) -> Result<NewLimit, String> {
    let (name, value) = text.split_once('=').ok_or("write it as name=number")?;
    let number = value.parse().ok().and_then(NewLimit::checked);
    let value = number.ok_or_else(|| format!("{value:?} is no number from 1"))?;
    Ok(NewLimit {
        value: Some(value),
        ..no_limit(name)?
    })
}

fn no_limit(name: &str) -> Result<NewLimit, String> {
    let limit = Limit::ALL.into_iter().find(|limit| limit.name() == name);
    let limit = limit.ok_or_else(|| {
        let names: Vec<_> = Limit::ALL.into_iter().map(Limit::name).collect();
        format!(
            "there is no limit {name:?}: it is one of {}",
            names.join(", ")
        )
    })?;
    Ok(NewLimit { limit, value: None })
}
