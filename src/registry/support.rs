//! Operators at a tenant: let in for a reason and a time, under the eyes of its owner.

use time::OffsetDateTime;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::audit::{self, Actor, Entry, Kind};
use super::lifecycle::{Reason, TenantRecord, TenantRef};
use super::{By, InTransaction, Registry, RegistryError, TenantStatus};
use crate::error::{Code, Failure};
use crate::names::{MemberRole, OperatorId, TenantId};
use crate::secret::Secret;

/// What the tokens of such visits begin with.
pub(crate) const SUPPORT_TOKEN: &str = "tnts_";

/// The longest visit; whoever needs more time asks again.
const LONGEST: u16 = 8 * 60;

/// What an operator asks for.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) role: MemberRole,
    pub(crate) minutes: u16,
    pub(crate) reason: Reason,
}

/// An operator who was let in.
#[derive(Debug)]
pub(crate) struct LetIn {
    pub(crate) tenant: TenantRecord,
    pub(crate) token: Secret,
    pub(crate) expires_at: OffsetDateTime,
}

/// A visit, as the tenant's owner sees it.
#[derive(Debug, Clone)]
pub(crate) struct SupportAccess {
    pub(crate) id: Uuid,
    pub(crate) operator: String,
    pub(crate) role: MemberRole,
    pub(crate) reason: String,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) expires_at: OffsetDateTime,
    pub(crate) last_used_at: Option<OffsetDateTime>,
    pub(crate) ended_at: Option<OffsetDateTime>,
    pub(crate) ended_by: Option<String>,
}

impl Registry {
    /// Lets an operator, or whoever runs the command line, into a tenant.
    pub(crate) async fn let_in(
        &self,
        by: &By,
        tenant: &TenantRef,
        visit: &Visit,
    ) -> Result<LetIn, Failure> {
        if !(1..=LONGEST).contains(&visit.minutes) {
            let message = format!("an access lasts 1 to {LONGEST} minutes");
            return Err(Failure::bad_input("minutes", message));
        }
        let tenant = self.tenant_record(tenant).await?;
        if tenant.status == TenantStatus::Deleted {
            return Err(Failure::conflict(
                "tenant",
                "this tenant is deleted: restore it first",
            ));
        }
        let (operator, name) = match &by.actor {
            Actor::Operator(id) => (Some(id.0), self.operator(*id).await?.email),
            Actor::CommandLine(user) => (None, format!("{user} (command line)")),
            _ => return Err(Failure::new(Code::Forbidden, "this is for operators")),
        };
        let (id, token) = (Uuid::now_v7(), Secret::random(SUPPORT_TOKEN));
        let (hash, minutes) = (token.hash(), i32::from(visit.minutes));
        let statement = "insert into tenantry.support_accesses \
               (id, tenant_id, operator_id, operator_name, role, reason, token_hash, expires_at) \
             values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(mins => $8)) returning expires_at";
        let parameters: [(&(dyn ToSql + Sync), Type); 8] = [
            (&id, Type::UUID),
            (&tenant.id.0, Type::UUID),
            (&operator, Type::UUID),
            (&name, Type::TEXT),
            (&visit.role.as_str(), Type::TEXT),
            (&visit.reason.as_str(), Type::TEXT),
            (&hash.as_slice(), Type::BYTEA),
            (&minutes, Type::INT4),
        ];
        let mut connection = self.connection().await?;
        let transaction = connection
            .transaction()
            .await
            .map_err(RegistryError::from)?;
        let row = transaction.query_typed_one(statement, &parameters).await;
        let row = row.map_err(RegistryError::from)?;
        let entry = Entry {
            tenant: Some(tenant.id),
            kind: Kind::Access,
            actor: by.actor.clone(),
            request: by.request.clone(),
            action: "supportTenant".to_owned(),
            details: serde_json::json!({
                "id": id, "role": visit.role.as_str(), "minutes": visit.minutes, "reason": visit.reason.as_str(),
            }),
            failed: None,
        };
        audit::record(&transaction, &entry).await?;
        transaction.commit().await.map_err(RegistryError::from)?;
        let expires_at = row.try_get(0).map_err(RegistryError::from)?;
        Ok(LetIn {
            tenant,
            token,
            expires_at,
        })
    }

    /// Whose token this is: the tenant, the operator and the role; none when the visit is over. One look-up for each
    /// request, so that the end of a visit is the end at once. Who came from the command line is known by the visit's id.
    pub(crate) async fn visitor(
        &self,
        token: &str,
    ) -> Result<Option<(TenantId, OperatorId, MemberRole)>, RegistryError> {
        let statement = "with visit as ( \
               select a.id, a.tenant_id, a.operator_id, a.role, a.last_used_at from tenantry.support_accesses a \
               where a.token_hash = $1 and a.ended_at is null and a.expires_at > now() \
                 and not exists (select from tenantry.operators o where o.id = a.operator_id and o.disabled_at is not null)), \
             used as (update tenantry.support_accesses a set last_used_at = now() from visit \
               where a.id = visit.id and coalesce(visit.last_used_at < now() - interval '1 minute', true)) \
             select tenant_id, coalesce(operator_id, id), role from visit";
        let hash = Secret::received(token).hash();
        let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&hash.as_slice(), Type::BYTEA)];
        let connection = self.connection().await?;
        let row = connection.query_typed_opt(statement, &parameters).await?;
        let read = |row: Row| {
            let role = row.try_get::<_, &str>(2)?.parse()?;
            Ok((TenantId(row.try_get(0)?), OperatorId(row.try_get(1)?), role))
        };
        row.map(read).transpose()
    }

    /// The visits at a tenant, the latest first.
    pub(crate) async fn support_accesses(
        &self,
        transaction: &impl InTransaction,
        tenant: TenantId,
    ) -> Result<Vec<SupportAccess>, RegistryError> {
        let statement = "select id, operator_name, role, reason, created_at, expires_at, last_used_at, ended_at, ended_by \
             from tenantry.support_accesses where tenant_id = $1 order by created_at desc, id desc limit 100";
        let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&tenant.0, Type::UUID)];
        let rows = transaction
            .client()
            .query_typed(statement, &parameters)
            .await?;
        rows.iter().map(SupportAccess::from_row).collect()
    }

    /// Ends a visit; none when there is no such visit at the tenant.
    pub(crate) async fn end_support_access(
        &self,
        transaction: &impl InTransaction,
        tenant: TenantId,
        id: Uuid,
        ended_by: &str,
    ) -> Result<Option<SupportAccess>, RegistryError> {
        let statement = "update tenantry.support_accesses set \
               ended_by = case when ended_at is null then $3 else ended_by end, ended_at = coalesce(ended_at, now()) \
             where tenant_id = $1 and id = $2 \
             returning id, operator_name, role, reason, created_at, expires_at, last_used_at, ended_at, ended_by";
        let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
            (&tenant.0, Type::UUID),
            (&id, Type::UUID),
            (&ended_by, Type::TEXT),
        ];
        let row = transaction
            .client()
            .query_typed_opt(statement, &parameters)
            .await?;
        row.map(|row| SupportAccess::from_row(&row)).transpose()
    }
}

impl SupportAccess {
    fn from_row(row: &Row) -> Result<Self, RegistryError> {
        Ok(Self {
            id: row.try_get(0)?,
            operator: row.try_get(1)?,
            role: row.try_get::<_, &str>(2)?.parse()?,
            reason: row.try_get(3)?,
            created_at: row.try_get(4)?,
            expires_at: row.try_get(5)?,
            last_used_at: row.try_get(6)?,
            ended_at: row.try_get(7)?,
            ended_by: row.try_get(8)?,
        })
    }
}
