//! Reading the audit log: in pages, the newest entries first.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::try_join;
use serde_json::Value;
use time::OffsetDateTime;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::Kind;
use super::keys::told;
use crate::error::Failure;
use crate::names::TenantId;
use crate::registry::{InTransaction, RegistryError};

/// Which entries; all of which none is said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Tenants read their own log only, which is for the caller to see to.
    pub(crate) tenant: Option<TenantId>,
    pub(crate) kind: Option<Kind>,
    /// Any of these accounts, API keys and operators.
    pub(crate) actors: Option<Vec<Uuid>>,
    pub(crate) action: Option<String>,
    pub(crate) since: Option<OffsetDateTime>,
    /// Exclusive.
    pub(crate) until: Option<OffsetDateTime>,
    pub(crate) failed: Option<bool>,
}

/// An entry, as it was written down.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) at: OffsetDateTime,
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Option<Uuid>,
    /// The subdomain; none of a tenant that is no more.
    pub(crate) tenant: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) action: String,
    pub(crate) actor_kind: String,
    pub(crate) actor_id: Option<Uuid>,
    /// What the actor is called today, where that is known.
    pub(crate) actor_name: Option<String>,
    pub(crate) actor_role: Option<String>,
    pub(crate) ip: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) details: Value,
    /// For each array of keys: how many there were, and the first of them.
    pub(crate) keys: Option<Value>,
    pub(crate) outcome: String,
}

/// Where a page ends: entries come after it in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    at: OffsetDateTime,
    id: Uuid,
}

/// The log: what is about tenants' tables, and what is about anything else.
///
/// The former has no index by time, which every mutation would pay for. Of all tenants, their ids are found one by one,
/// and `floor` is a time that enough entries are younger than, as the newest few of each tenant tell.
const PAGE: &str = "with recursive tenants (id) as (
    select coalesce($1, (select c.tenant_id from tenantry.audit_changes c order by c.tenant_id limit 1))
    where ($2 is null or $2 = 'data') and $7 is not true
    union all
    select (select c.tenant_id from tenantry.audit_changes c where c.tenant_id > t.id order by c.tenant_id limit 1)
    from tenants t where $1 is null and t.id is not null
  ), floor (at) as (
    select c.at from tenants t cross join lateral (
      select c.at from tenantry.audit_changes c
      where c.tenant_id = t.id and ($6 is null or c.at < $6) and ($8 is null or (c.at, c.id) < ($8, $9))
      order by c.at desc limit $10 / (select count(t.id) from tenants t) + 1) c
    where $3 is null and $4 is null
    order by c.at desc offset $10 - 1 limit 1
  ), entries as (
    (select l.at, l.id, l.tenant_id, l.kind, l.action, l.actor_kind, l.actor_id, l.actor_name, l.actor_role,
       host(l.ip) as ip, l.user_agent, l.request_id, coalesce(l.details, l.trail::jsonb) as details, l.keys, l.outcome
     from tenantry.audit_log l
     where ($1 is null or l.tenant_id = $1) and ($2 is null or l.kind = $2) and ($3 is null or l.actor_id = any($3))
       and ($4 is null or l.action = $4) and ($5 is null or l.at >= $5) and ($6 is null or l.at < $6)
       and ($7 is null or (l.outcome <> 'ok') = $7) and ($8 is null or (l.at, l.id) < ($8, $9))
     order by l.at desc, l.id desc limit $10)
    union all
    (select c.at, c.id, c.tenant_id, 'data', c.action, c.entry ->> 'actor', c.actor_id, null, c.entry ->> 'role',
       c.entry ->> 'ip', c.entry ->> 'agent', c.entry ->> 'request', c.entry -> 'details', c.keys, 'ok'
     from (select c.at, c.id, c.tenant_id, c.action, c.actor_id, c.entry::jsonb, c.keys
           from tenants t cross join lateral (
             select * from tenantry.audit_changes c
             where c.tenant_id = t.id and c.at >= coalesce($5, (select f.at from floor f), '-infinity')
               and ($3 is null or c.actor_id = any($3)) and ($4 is null or c.action = $4)
               and ($6 is null or c.at < $6) and ($8 is null or (c.at, c.id) < ($8, $9))
             order by c.at desc, c.id desc limit $10) c
           order by c.at desc, c.id desc limit $10) c)
  )
  select e.at, e.id, t.subdomain, e.kind, e.action, e.actor_kind, e.actor_id, coalesce(e.actor_name, a.name, o.email, k.name),
    e.actor_role, e.ip, e.user_agent, e.request_id, e.details, e.keys, e.outcome, e.tenant_id
  from entries e
  left join tenantry.tenants t on t.id = e.tenant_id
  left join tenantry.accounts a on a.id = e.actor_id and e.actor_kind = 'user'
  left join tenantry.operators o on o.id = e.actor_id and e.actor_kind in ('operator', 'support')
  left join tenantry.api_keys k on k.id = e.actor_id and e.actor_kind = 'api_key'
  order by e.at desc, e.id desc limit $10";

/// So many of the entries that come after a place, and whether there are more.
pub(crate) async fn page(
    transaction: &impl InTransaction,
    wanted: &Wanted,
    after: Option<Place>,
    first: u16,
) -> Result<(Vec<Recorded>, bool), RegistryError> {
    let first = usize::from(first);
    let limit = i64::try_from(first + 1).unwrap_or(i64::MAX);
    let client = transaction.client();
    let (_, rows) = try_join(
        // Postgres takes the recursion for a lot of work, and would spend ten times as long on compiling it.
        client.execute_typed("select set_config('jit', 'off', true)", &[]),
        client.query_typed(
            PAGE,
            &[
                (&wanted.tenant.map(|tenant| tenant.0), Type::UUID),
                (&wanted.kind.map(Kind::as_str), Type::TEXT),
                (&wanted.actors, Type::UUID_ARRAY),
                (&wanted.action, Type::TEXT),
                (&wanted.since, Type::TIMESTAMPTZ),
                (&wanted.until, Type::TIMESTAMPTZ),
                (&wanted.failed, Type::BOOL),
                (&after.map(|place| place.at), Type::TIMESTAMPTZ),
                (&after.map(|place| place.id), Type::UUID),
                (&limit, Type::INT8),
            ],
        ),
    )
    .await?;
    let entries = rows.iter().take(first).map(Recorded::from_row);
    Ok((entries.collect::<Result<_, _>>()?, rows.len() > first))
}

impl Recorded {
    fn from_row(row: &Row) -> Result<Self, RegistryError> {
        let keys: Option<Vec<Option<&str>>> = row.try_get(13)?;
        Ok(Self {
            at: row.try_get(0)?,
            id: row.try_get(1)?,
            tenant: row.try_get(2)?,
            kind: Kind::from_word(row.try_get(3)?),
            action: row.try_get(4)?,
            actor_kind: row.try_get(5)?,
            actor_id: row.try_get(6)?,
            actor_name: row.try_get(7)?,
            actor_role: row.try_get(8)?,
            ip: row.try_get(9)?,
            user_agent: row.try_get(10)?,
            request_id: row.try_get(11)?,
            details: row.try_get(12)?,
            keys: keys.map(|keys| {
                keys.iter()
                    .map(|kept| kept.map_or(Value::Null, told))
                    .collect()
            }),
            outcome: row.try_get(14)?,
            tenant_id: row.try_get(15)?,
        })
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            at: self.at,
            id: self.id,
        }
    }
}

impl Place {
    /// As clients hold it.
    pub(crate) fn cursor(&self) -> String {
        // Postgres counts microseconds.
        let micros = self.at.unix_timestamp_nanos() / 1000;
        let micros = i64::try_from(micros).unwrap_or_default().to_be_bytes();
        URL_SAFE_NO_PAD.encode([&micros[..], self.id.as_bytes()].concat())
    }

    pub(crate) fn parse(cursor: &str) -> Result<Self, Failure> {
        let malformed = || Failure::bad_input("after", "not a cursor of this list");
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| malformed())?;
        let (micros, id) = bytes.split_first_chunk().ok_or_else(malformed)?;
        let nanos = i128::from(i64::from_be_bytes(*micros)) * 1000;
        Ok(Self {
            at: OffsetDateTime::from_unix_timestamp_nanos(nanos).map_err(|_| malformed())?,
            id: Uuid::from_slice(id).map_err(|_| malformed())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_or_are_refused() {
        let place = Place {
            at: OffsetDateTime::from_unix_timestamp_nanos(1_700_000_000_123_456_000).unwrap(),
            id: Uuid::from_u128(7),
        };
        assert_eq!(Place::parse(&place.cursor()).unwrap(), place);
        let far = URL_SAFE_NO_PAD.encode([0x7f; 24]);
        for bad in ["", "x", "AAAA", &place.cursor()[1..], &far] {
            assert!(Place::parse(bad).is_err(), "{bad:?}");
        }
    }
}
