//! What a killed run has left: prepared transactions, which hold their tables until the next run ends them.

use time::OffsetDateTime;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use super::prepared::NAMES;
use crate::fleet::lock::{self, OtherRun};

/// What is known of runs, for those who only look.
#[derive(Debug, Default)]
pub(crate) enum Runs {
    /// There is none.
    #[default]
    None,
    /// One is at work; whose it is, is not known while it begins.
    AtWork(Option<OtherRun>),
    /// These are not at work any more, and have not ended.
    Killed(Vec<Unsettled>),
}

/// What one run has left.
#[derive(Debug)]
pub(crate) struct Unsettled {
    pub(crate) id: String,
    /// None when the registry does not know of it: it was brought back from a backup.
    pub(crate) run: Option<OtherRun>,
    /// All was to be committed, and the next run does that; it undoes all otherwise.
    pub(crate) is_decided: bool,
    pub(crate) transactions: i64,
    /// When the first of them was prepared.
    pub(crate) since: OffsetDateTime,
    /// The subdomains of those whose tables are held.
    pub(crate) tenants: Vec<String>,
}

/// Looks whether a run is at work, and if none is, what the last one has left.
pub(crate) async fn look(client: &Client) -> Result<Runs, Error> {
    if lock::is_held(client).await? {
        return Ok(Runs::AtWork(lock::other(client).await?));
    }
    let names = [(&NAMES as &(dyn ToSql + Sync), Type::TEXT)];
    let rows = client.query_typed(UNSETTLED, &names).await?;
    if rows.is_empty() {
        return Ok(Runs::None);
    }
    // What was seen may be that of a run that has begun a moment ago.
    if lock::is_held(client).await? {
        return Ok(Runs::AtWork(lock::other(client).await?));
    }
    let unsettled = rows.iter().map(Unsettled::from_row);
    Ok(Runs::Killed(unsettled.collect::<Result<_, _>>()?))
}

/// Nobody sees what a prepared transaction has changed, but its locks tell whose tables it holds. They are found by the lock
/// on its own id, which has no process.
const UNSETTLED: &str = "with prepared as ( \
       select transaction, prepared, substr(gid, 10, 36) as run from pg_prepared_xacts \
       where database = current_database() and gid ~ $1 \
     ), held as ( \
       select distinct p.run, n.nspname from prepared p \
       join pg_locks own on own.locktype = 'transactionid' and own.transactionid = p.transaction and own.pid is null \
       join pg_locks l on l.virtualtransaction = own.virtualtransaction and l.pid is null and l.locktype = 'relation' \
         and l.database = (select oid from pg_database where datname = current_database()) \
       join pg_class c on c.oid = l.relation \
       join pg_namespace n on n.oid = c.relnamespace \
     ) \
     select p.run, count(*), min(p.prepared), coalesce(bool_or(r.state = 'committing'), false), \
       array(select t.subdomain from held h join tenantry.tenants t on t.schema_name = h.nspname \
             where h.run = p.run order by 1), \
       r.operator, r.host, r.pid, r.application_name, r.started_at::timestamptz(0)::text \
     from prepared p left join tenantry.migration_runs r on r.id::text = p.run \
     group by p.run, r.id order by min(p.prepared)";

impl Unsettled {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let operator: Option<String> = row.try_get(5)?;
        let run = operator.map(|_| OtherRun::from_row(row, 5)).transpose()?;
        Ok(Self {
            id: row.try_get(0)?,
            run,
            is_decided: row.try_get(3)?,
            transactions: row.try_get(1)?,
            since: row.try_get(2)?,
            tenants: row.try_get(4)?,
        })
    }
}
