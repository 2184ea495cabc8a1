//! Who may still do what at a tenant: asked of the database only for tokens from before access was taken away.

use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{InTransaction, Registry, RegistryError};
use crate::names::{MemberRole, SessionId, TenantId, UserId};

/// Makes all replicas check the tokens that these tenants have given out so far.
///
/// Belongs into the transaction that ends a session, removes a member or changes a role; at its end, because the rows
/// of the tenants stay locked until then.
pub(crate) async fn access_changed(
    transaction: &impl InTransaction,
    tenants: &[TenantId],
) -> Result<(), tokio_postgres::Error> {
    if tenants.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = tenants.iter().map(|tenant| tenant.0).collect();
    // In the order of the ids, so that two transactions never wait for each other. The clock of the statement, not of the
    // transaction, and always later than before.
    transaction
        .client()
        .execute_typed(
            "with concerned as materialized ( \
               select id from tenantry.tenants where id = any($1) order by id for no key update \
             ) \
             update tenantry.tenants t \
             set access_changed_at = greatest(clock_timestamp(), access_changed_at + interval '1 microsecond') \
             from concerned where t.id = concerned.id",
            &[(&ids, Type::UUID_ARRAY)],
        )
        .await?;
    Ok(())
}

impl Registry {
    /// The role that a user has at a tenant now; none for one who is no member (any more), or whose session has ended.
    pub(crate) async fn role_of(
        &self,
        tenant: TenantId,
        user: UserId,
        session: Option<SessionId>,
    ) -> Result<Option<MemberRole>, RegistryError> {
        let row = self
            .connection()
            .await?
            .query_typed_opt(
                "select m.role from tenantry.memberships m \
                 where m.tenant_id = $1 and m.account_id = $2 and ($3 is null or exists ( \
                   select from tenantry.sessions s where s.id = $3 and s.account_id = $2 and s.tenant_id = $1 \
                   and s.expires_at > now()))",
                &[
                    (&tenant.0, Type::UUID),
                    (&user.0, Type::UUID),
                    (&session.map(|session| session.0), Type::UUID),
                ],
            )
            .await?;
        Ok(match row {
            Some(row) => Some(row.try_get::<_, &str>(0)?.parse()?),
            None => None,
        })
    }
}
