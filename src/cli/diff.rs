//! `tenantry diff`: how a tenant's tables differ from what the migrations make, as SQL that would mend it.

use clap::Args;
use serde_json::{Value, json};

use super::database::DatabaseArguments;
use super::exit::{Refused, Status};
use super::output;
use super::status::GONE;
use crate::catalog::{self, Change, Comparison, Script};
use crate::config::TenantSql;
use crate::registry::{Difference, Sides, TenantRef};

/// Exit status: 0 nothing differs, 1 failed, 2 wrong command line, 3 no such tenant, 4 the files that the tenant has
/// run are not here, 7 they do not run for a new tenant, 11 something differs, or the schema is gone.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: DatabaseArguments,

    #[command(flatten)]
    tenant_sql: TenantSql,

    /// The tenant's subdomain or id.
    tenant: String,

    /// Drops what the migrations do not make, with all that is in it; otherwise those statements are comments.
    #[arg(long)]
    drop: bool,

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
    let migrations = arguments.tenant_sql.load()?;
    let tenant = TenantRef::parse(&arguments.tenant).map_err(Refused::from)?;
    let registry = arguments.database.registry().await?;
    let difference = registry.difference(&migrations, &tenant).await;
    let Difference { tenant, sides } = difference.map_err(Refused::from)?;
    let Some(Sides { found, wanted }) = sides else {
        let message = format!("{}: {GONE}", tenant.subdomain);
        return Err(Refused::new(Status::Drifted, message).into());
    };
    let comparison = catalog::compare(&found, &wanted);
    let count = comparison.differences.len();
    let (name, version) = (&tenant.subdomain, tenant.version);
    let places = if count == 1 {
        "1 place"
    } else {
        &format!("{count} places")
    };
    let head = [
        format!(
            "Tenant {name} differs from version {} (base {}) of the migrations in {places}.",
            version.app, version.base
        ),
        "Run by the owner of the database, this makes it like all others. Read it first."
            .to_owned(),
    ];
    let script = Script {
        comparison: &comparison,
        workspace: &tenant.workspace,
        head: &head,
        drop: arguments.drop,
    };
    let message = format!("{name} differs from the migrations in {places}");
    let refused = (count > 0).then(|| Refused::new(Status::Drifted, message));
    if arguments.json {
        let mut value = as_json(&comparison, &script);
        value["error"] = json!(refused.as_ref().map(Refused::as_json));
        output::json(&value);
    } else if count > 0 {
        output::write(&script.text());
    }
    refused.map_or(Ok(()), |refused| Err(refused.told().into()))
}

fn as_json(comparison: &Comparison, script: &Script<'_>) -> Value {
    let differences = comparison.differences.iter().map(|difference| {
        let (change, found, wanted) = match &difference.change {
            Change::Missing { wanted } => ("missing", None, Some(wanted)),
            Change::Extra { found } => ("extra", Some(found), None),
            Change::Changed { found, wanted } => ("changed", Some(found), Some(wanted)),
        };
        json!({
            "kind": difference.kind.word(),
            "subject": difference.subject,
            "change": change,
            "found": found,
            "wanted": wanted,
        })
    });
    let differences: Vec<_> = differences.collect();
    let sql = (!differences.is_empty()).then(|| script.text());
    json!({"differences": differences, "sql": sql})
}
