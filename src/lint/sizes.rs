//! How large tables are in the fleet, and so for how long somebody would wait.

use std::collections::HashMap;
use std::fmt::Write as _;

use tokio_postgres::Client;

use super::{Finding, Level, LintError};

/// Of each table, the most rows that a tenant has in it, and which tenant that is; none where all share it.
#[derive(Debug, Default)]
pub(crate) struct Sizes(HashMap<String, (i64, Option<String>)>);

/// With fewer rows than this, whatever looks at each of them takes a moment.
const FEW: i64 = 10_000;

impl Sizes {
    /// What Postgres believes; it has not counted.
    pub(crate) async fn read(client: &Client) -> Result<Self, LintError> {
        let statement = "select distinct on (c.relname) c.relname::text, \
               greatest(c.reltuples::bigint, pg_stat_get_live_tuples(c.oid), 0) as rows, t.subdomain \
             from tenantry.tenants t \
             join pg_namespace n on n.nspname = t.schema_name \
             join pg_class c on c.relnamespace = n.oid and c.relkind in ('r', 'm') \
             order by c.relname, rows desc";
        Self::of(client, statement).await
    }

    /// The same of the tables that tenants share.
    pub(crate) async fn read_shared(client: &Client) -> Result<Self, LintError> {
        let statement = "select c.relname::text, \
               greatest(c.reltuples::bigint, pg_stat_get_live_tuples(c.oid), 0), null::text \
             from pg_class c where c.relnamespace = to_regnamespace('shared') and c.relkind in ('r', 'm')";
        Self::of(client, statement).await
    }

    async fn of(client: &Client, statement: &str) -> Result<Self, LintError> {
        let rows = client.query_typed(statement, &[]).await?;
        let sizes = rows.iter().map(|row| {
            let (name, rows, tenant) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            Ok((name, (rows, tenant)))
        });
        Ok(Self(sizes.collect::<Result<_, tokio_postgres::Error>>()?))
    }

    /// Says how large the tables are; what takes long in large tables only is merely noted where they are small.
    pub(crate) fn apply(&self, findings: &mut [Finding]) {
        for finding in findings.iter_mut().filter(|finding| finding.rule.grows()) {
            let size = finding.table.as_ref().and_then(|table| self.0.get(table));
            let Some((rows, tenant)) = size else { continue };
            // Writing to a string cannot fail.
            let _ = match (rows, tenant) {
                (0, Some(_)) => write!(finding.message, " (no tenant has rows in it)"),
                (1, Some(_)) => write!(finding.message, " (1 row at most)"),
                (rows, Some(tenant)) => {
                    write!(finding.message, " (up to {rows} rows, at {tenant})")
                }
                (1, None) => write!(finding.message, " (1 row)"),
                (rows, None) => write!(finding.message, " ({rows} rows)"),
            };
            if *rows < FEW {
                finding.level = Level::Note;
            }
        }
    }
}
