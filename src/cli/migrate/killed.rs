//! What is said of runs with `--atomic` that were killed and hold tables.

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::cli::output::{self, moment};
use crate::fleet::{Runs, Unsettled};

/// One line for each: whose tables, since when, and what comes of it.
pub(in crate::cli) fn told(unsettled: &Unsettled) -> String {
    let Unsettled {
        id,
        run,
        is_decided,
        transactions,
        since,
        tenants,
    } = unsettled;
    let who = match run {
        Some(run) => format!("the run of {run}"),
        None => format!("a run that the registry does not know ({id})"),
    };
    let next = if *is_decided {
        "all was decided to be committed, and the next run does that"
    } else {
        "nothing was decided, and the next run undoes it"
    };
    let (names, since) = (output::names(tenants), moment(Some(*since)));
    format!(
        "{who} was killed: the tables of {} ({names}) are locked since {since}, in {transactions} prepared transactions; \
         {next}: run `tenantry migrate` at once",
        counted(tenants.len())
    )
}

/// The same in short.
pub(in crate::cli) fn sentence(unsettled: &[Unsettled]) -> String {
    let tenants = unsettled.iter().map(|run| run.tenants.len()).sum();
    format!(
        "a run that was killed holds the tables of {}: run `tenantry migrate` at once, which ends that",
        counted(tenants)
    )
}

/// Another run that is not killed; whose it is, is not always known.
pub(in crate::cli) fn at_work(runs: &Runs) -> Option<Value> {
    match runs {
        Runs::AtWork(run) => Some(json!({"run": run.as_ref().map(ToString::to_string)})),
        _ => None,
    }
}

pub(in crate::cli) fn as_json(runs: &Runs) -> Value {
    let Runs::Killed(runs) = runs else {
        return json!([]);
    };
    let runs = runs.iter().map(|unsettled| {
        json!({
            "id": unsettled.id,
            "run": unsettled.run.as_ref().map(ToString::to_string),
            "decided": unsettled.is_decided,
            "nextRun": if unsettled.is_decided { "commits" } else { "rollsBack" },
            "preparedTransactions": unsettled.transactions,
            "since": unsettled.since.format(&Rfc3339).ok(),
            "tenants": unsettled.tenants,
        })
    });
    runs.collect()
}

fn counted(tenants: usize) -> String {
    match tenants {
        1 => "1 tenant".to_owned(),
        tenants => format!("{tenants} tenants"),
    }
}
