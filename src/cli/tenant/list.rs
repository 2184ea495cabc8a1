//! `tenantry tenant list`.

use clap::Args;
use serde_json::json;

use super::{Session, as_json, version};
use crate::cli::exit::Refused;
use crate::cli::output::{self, Table, moment, size};
use crate::registry::{Filter, Listing, Sort, TenantRecord, TenantStatus};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only tenants of this status; may be given several times.
    #[arg(long, value_enum, value_name = "STATUS")]
    status: Vec<TenantStatus>,

    /// Only tenants with this text in their name, subdomain or owner's address.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,

    /// What they are sorted by. Sizes and rows are measured of every tenant for that.
    #[arg(long, value_enum, value_name = "BY", default_value_t)]
    sort: Sort,

    /// The last first.
    #[arg(long)]
    desc: bool,

    /// How many.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,

    /// Goes on after this cursor, which the page before has printed.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

pub(super) async fn run(session: &Session, arguments: Arguments) -> anyhow::Result<()> {
    let listing = Listing {
        filter: Filter {
            statuses: arguments.status,
            search: arguments.search,
        },
        sort: arguments.sort,
        descending: arguments.desc,
        first: arguments.limit,
        after: arguments.after,
    };
    let page = session.registry.list_tenants(&listing).await;
    let page = page.map_err(Refused::from)?;
    let next = page.tenants.last().filter(|_| page.has_more);
    let next = next.map(|(_, cursor)| cursor.as_str());
    if session.json {
        let tenants: Vec<_> = page
            .tenants
            .iter()
            .map(|(tenant, _)| as_json(tenant))
            .collect();
        let total = session.registry.count_tenants(&listing.filter).await;
        let total = total.map_err(Refused::from)?;
        output::json(&json!({"tenants": tenants, "next": next, "total": total}));
        return Ok(());
    }
    let mut table = Table::new([
        "SUBDOMAIN",
        "NAME",
        "STATUS",
        "USERS",
        "SIZE",
        "ROWS",
        "VERSION",
        "LAST ACTIVITY",
        "CREATED",
    ]);
    let people = output::is_terminal();
    for (tenant, _) in &page.tenants {
        table.push(row(tenant, people));
    }
    table.print();
    if let Some(next) = next {
        eprintln!("more: --after {next}");
    }
    Ok(())
}

/// Pipes get plain numbers.
fn row(tenant: &TenantRecord, people: bool) -> [String; 9] {
    let unknown = || "?".to_owned();
    let bytes = tenant.bytes.map(|bytes| {
        if people {
            size(bytes)
        } else {
            bytes.to_string()
        }
    });
    [
        tenant.subdomain.to_string(),
        tenant.name.clone(),
        tenant.status.word().to_owned(),
        tenant.users.to_string(),
        bytes.unwrap_or_else(unknown),
        tenant.rows.map_or_else(unknown, |rows| rows.to_string()),
        version(tenant),
        moment(tenant.last_activity_at),
        moment(Some(tenant.created_at)),
    ]
}
