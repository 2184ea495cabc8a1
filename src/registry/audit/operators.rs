//! The log as operators read it: of all tenants, by the names that people know.

use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{Place, Recorded, Wanted, page};
use crate::error::Failure;
use crate::names::TenantId;
use crate::registry::lifecycle::no_such_tenant;
use crate::registry::{Access, OwnerTransaction, Registry, RegistryError, TenantRef};

impl Registry {
    /// A page of the log; of one tenant and of one actor, who is an id or an e-mail address, where they are named.
    pub(crate) async fn read_audit_log(
        &self,
        tenant: Option<&TenantRef>,
        actor: Option<&str>,
        mut wanted: Wanted,
        after: Option<Place>,
        first: u16,
    ) -> Result<(Vec<Recorded>, bool), Failure> {
        let transaction = self.begin(Access::Read).await?;
        wanted.tenant = match tenant {
            // Of a tenant that is no more, the log has entries still.
            Some(TenantRef::Id(id)) => Some(*id),
            Some(tenant @ TenantRef::Subdomain(subdomain)) => {
                let find = "select id from tenantry.tenants where subdomain = $1";
                let found = ids(&transaction, find, subdomain.as_str()).await?;
                let found = found.first().ok_or_else(|| no_such_tenant(tenant))?;
                Some(TenantId(*found))
            }
            None => None,
        };
        if let Some(actor) = actor {
            wanted.actors = Some(actors(&transaction, actor.trim()).await?);
        }
        let entries = page(&transaction, &wanted, after, first).await?;
        transaction.commit().await?;
        Ok(entries)
    }
}

/// Of an address, the user and the operator.
async fn actors(transaction: &OwnerTransaction, actor: &str) -> Result<Vec<Uuid>, Failure> {
    if let Ok(id) = Uuid::try_parse(actor) {
        return Ok(vec![id]);
    }
    let find = "select id from tenantry.accounts where lower(email) = lower($1) \
                union all select id from tenantry.operators where lower(email) = lower($1)";
    let found = ids(transaction, find, actor).await?;
    if found.is_empty() {
        let message = "neither an id nor the e-mail address of a user or an operator";
        return Err(Failure::bad_input("actor", message));
    }
    Ok(found)
}

async fn ids(
    transaction: &OwnerTransaction,
    find: &str,
    name: &str,
) -> Result<Vec<Uuid>, RegistryError> {
    let rows = transaction
        .query_typed(find, &[(&name, Type::TEXT)])
        .await?;
    let ids = rows.iter().map(|row| row.try_get(0));
    Ok(ids.collect::<Result<_, _>>()?)
}
