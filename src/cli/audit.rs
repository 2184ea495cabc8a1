//! `tenantry audit`: what has been done, by whom and from where, at one tenant or at all.

use clap::Args;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::macros::{format_description, time};
use time::{Date, Duration, OffsetDateTime};

use super::database::DatabaseArguments;
use super::exit::Refused;
use super::output::{self, Table, moment};
use crate::registry::TenantRef;
use crate::registry::audit::{Kind, Place, Recorded, Wanted};

/// Exit status: 0 done, 1 failed, 2 wrong command line, 3 no such tenant, 4 a value is bad.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: DatabaseArguments,

    /// Only this tenant: its subdomain or id. The entries of a tenant that has been purged are found by its id.
    tenant: Option<String>,

    /// Only what this user, API key or operator did: an id or an e-mail address.
    #[arg(long, value_name = "WHO")]
    actor: Option<String>,

    /// Only this operation, field or command: `inviteMember`, `suspendTenant`.
    #[arg(long, value_name = "NAME")]
    action: Option<String>,

    /// Only what is about this.
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Option<Kind>,

    /// Only what came at this time or later: `2026-01-31`, `2026-01-31T08:00:00Z` (UTC where nothing is said), or how
    /// long ago: `90s`, `30m`, `24h`, `7d`.
    #[arg(long, value_name = "TIME", value_parser = point_in_time)]
    since: Option<OffsetDateTime>,

    /// Only what came before this time, written like that of --since.
    #[arg(long, value_name = "TIME", value_parser = point_in_time)]
    until: Option<OffsetDateTime>,

    /// Only what failed.
    #[arg(long)]
    failed: bool,

    /// How many, of the newest.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,

    /// Goes on after this cursor, which the page before has printed.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,

    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn json(&self) -> bool {
        self.json
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let after = arguments.after.as_deref().map(Place::parse).transpose();
    let after = after.map_err(Refused::from)?;
    let tenant = arguments.tenant.as_deref().map(TenantRef::parse);
    let tenant = tenant.transpose().map_err(Refused::from)?;
    let registry = arguments.database.registry().await?;
    let wanted = Wanted {
        tenant: None,
        kind: arguments.kind,
        actors: None,
        action: arguments.action,
        since: arguments.since,
        until: arguments.until,
        failed: arguments.failed.then_some(true),
    };
    let actor = arguments.actor.as_deref();
    let page = registry.read_audit_log(tenant.as_ref(), actor, wanted, after, arguments.limit);
    let (entries, more) = page.await.map_err(Refused::from)?;
    let next = entries.last().filter(|_| more);
    let next = next.map(|entry| entry.place().cursor());
    if arguments.json {
        let entries: Vec<_> = entries.iter().map(as_json).collect();
        output::json(&json!({"entries": entries, "next": next}));
        return Ok(());
    }
    let mut table = Table::new([
        "AT", "TENANT", "ACTOR", "ROLE", "ACTION", "OUTCOME", "IP", "REQUEST", "ABOUT",
    ]);
    for entry in &entries {
        table.push(row(entry));
    }
    table.print();
    if let Some(next) = next {
        eprintln!("more: --after {next}");
    }
    Ok(())
}

fn row(entry: &Recorded) -> [String; 9] {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    [
        moment(Some(entry.at)),
        or_dash(&entry.tenant),
        actor(entry),
        or_dash(&entry.actor_role),
        entry.action.clone(),
        entry.outcome.clone(),
        or_dash(&entry.ip),
        or_dash(&entry.request_id),
        about(entry),
    ]
}

/// `user Ann`, or with the id where the name is not known.
fn actor(entry: &Recorded) -> String {
    let id = || entry.actor_id.map(|id| id.to_string());
    match entry.actor_name.clone().or_else(id) {
        Some(name) => format!("{} {name}", entry.actor_kind),
        None => entry.actor_kind.clone(),
    }
}

/// The fields of a mutation of tables; of anything else, what it was about.
fn about(entry: &Recorded) -> String {
    if entry.kind == Kind::Data {
        let fields = entry.details["fields"].as_array().into_iter().flatten();
        let names: Vec<_> = fields.filter_map(|field| field["field"].as_str()).collect();
        return names.join(", ");
    }
    let details = entry.details.as_object().into_iter().flatten();
    let details: Vec<_> = details
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    details.join(" ")
}

/// The names are those of the GraphQL type `TenantAuditEntry`.
fn as_json(entry: &Recorded) -> Value {
    json!({
        "id": entry.id.to_string(),
        "at": entry.at.format(&Rfc3339).ok(),
        "tenant": entry.tenant,
        "tenantId": entry.tenant_id.map(|id| id.to_string()),
        "kind": entry.kind.as_str().to_uppercase(),
        "action": entry.action,
        "actor": {
            "kind": entry.actor_kind,
            "id": entry.actor_id.map(|id| id.to_string()),
            "name": entry.actor_name,
            "role": entry.actor_role,
        },
        "ip": entry.ip,
        "userAgent": entry.user_agent,
        "requestId": entry.request_id,
        "outcome": entry.outcome,
        "details": entry.details,
        "keys": entry.keys,
    })
}

fn point_in_time(text: &str) -> Result<OffsetDateTime, String> {
    if let Ok(at) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(at);
    }
    if let Ok(day) = Date::parse(text, format_description!("[year]-[month]-[day]")) {
        return Ok(day.with_time(time!(0:00)).assume_utc());
    }
    let wrong = || format!("{text:?} is no time: write 2026-01-31, 2026-01-31T08:00:00Z or 24h");
    let seconds = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86400,
        _ => return Err(wrong()),
    };
    let count: u32 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let ago = Duration::seconds(i64::from(count) * seconds);
    OffsetDateTime::now_utc().checked_sub(ago).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn times_are_days_moments_or_so_long_ago() {
        let at = |text| point_in_time(text).unwrap();
        assert_eq!(at("2026-01-31"), datetime!(2026-01-31 0:00 UTC));
        let moment = "2026-01-31T08:00:00.5+01:00";
        assert_eq!(at(moment), datetime!(2026-01-31 7:00:00.5 UTC));
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("24h", 86400), ("7d", 604_800)] {
            let then = at(text);
            let ago = OffsetDateTime::now_utc() - then;
            assert!(
                (seconds..seconds + 60).contains(&ago.whole_seconds()),
                "{text}"
            );
        }
        for bad in [
            "",
            "d",
            "-1d",
            "1w",
            "yesterday",
            "2026-02-30",
            "4294967295d",
            "9é",
            "1ＳD",
        ] {
            assert!(point_in_time(bad).is_err(), "{bad:?}");
        }
    }
}
