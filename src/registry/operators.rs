//! Those who run the service: made, reset and disabled at the command line.

mod log_in;

use time::OffsetDateTime;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, Transaction};
use uuid::Uuid;

use super::audit::{self, Entry, Kind};
use super::{By, Password, Registry, RegistryError};
use crate::error::{Code, Failure};
use crate::names::{EmailAddress, OperatorId};
use crate::secret::Secret;

pub(crate) use log_in::OPERATOR_TOKEN;

const ONE_TIME_TOKEN: &str = "tnt1_";

/// How long a password can be chosen by a one-time token.
const ONE_TIME_HOURS: i32 = 24;

/// An operator, as others see one.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    pub(crate) id: OperatorId,
    pub(crate) email: String,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) last_log_in_at: Option<OffsetDateTime>,
    pub(crate) disabled_at: Option<OffsetDateTime>,
}

/// An operator who has logged in.
#[derive(Debug)]
pub(crate) struct OperatorSession {
    pub(crate) operator: Operator,
    pub(crate) token: Secret,
    pub(crate) expires_at: OffsetDateTime,
}

macro_rules! operator_columns {
    () => {
        "o.id, o.email, o.created_at, o.last_log_in_at, o.disabled_at"
    };
}
use operator_columns;

impl Operator {
    fn from_row(row: &Row) -> Result<Self, RegistryError> {
        Ok(Self {
            id: OperatorId(row.try_get("id")?),
            email: row.try_get("email")?,
            created_at: row.try_get("created_at")?,
            last_log_in_at: row.try_get("last_log_in_at")?,
            disabled_at: row.try_get("disabled_at")?,
        })
    }
}

impl Registry {
    /// Makes an operator. Without a password, one is chosen with the token that comes back.
    pub(crate) async fn create_operator(
        &self,
        by: &By,
        email: &EmailAddress,
        password: Option<&str>,
    ) -> Result<Option<Secret>, Failure> {
        let hash = match password {
            Some(password) => Some(self.operator_password(password, email).await?),
            None => None,
        };
        let id = Uuid::now_v7();
        let statement =
            "insert into tenantry.operators (id, email, password_hash) values ($1, $2, $3)";
        let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
            (&id, Type::UUID),
            (&email.as_str(), Type::TEXT),
            (&hash, Type::TEXT),
        ];
        let mut connection = self.connection().await?;
        let transaction = connection
            .transaction()
            .await
            .map_err(RegistryError::from)?;
        match transaction.execute_typed(statement, &parameters).await {
            Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                return Err(Failure::conflict(
                    "email",
                    "there is an operator with this e-mail address",
                ));
            }
            made => made.map_err(RegistryError::from)?,
        };
        let token = match password {
            Some(_) => None,
            None => Some(hand_out(&transaction, id).await?),
        };
        record(&transaction, by, "createOperator", email.as_str()).await?;
        transaction.commit().await.map_err(RegistryError::from)?;
        Ok(token)
    }

    /// Lets an operator choose another password; until then, nobody gets in as that operator.
    pub(crate) async fn reset_operator(
        &self,
        by: &By,
        email: &EmailAddress,
    ) -> Result<Secret, Failure> {
        let statement = "with known as (update tenantry.operators set password_hash = null, disabled_at = null \
               where lower(email) = lower($1) returning id), \
             ended as (delete from tenantry.operator_sessions s using known where s.operator_id = known.id), \
             left_tenants as (update tenantry.support_accesses a set ended_at = now(), ended_by = 'reset' \
               from known where a.operator_id = known.id and a.ended_at is null) \
             select id from known";
        let mut connection = self.connection().await?;
        let transaction = connection
            .transaction()
            .await
            .map_err(RegistryError::from)?;
        let id = changed(&transaction, statement, email).await?;
        let token = hand_out(&transaction, id).await?;
        record(&transaction, by, "resetOperator", email.as_str()).await?;
        transaction.commit().await.map_err(RegistryError::from)?;
        Ok(token)
    }

    /// Takes everything away from an operator: at once, as each request of one is looked up, and visits at tenants too.
    pub(crate) async fn disable_operator(
        &self,
        by: &By,
        email: &EmailAddress,
    ) -> Result<(), Failure> {
        let statement = "with known as (update tenantry.operators set disabled_at = coalesce(disabled_at, now()), \
               one_time_hash = null, one_time_until = null where lower(email) = lower($1) returning id), \
             ended as (delete from tenantry.operator_sessions s using known where s.operator_id = known.id), \
             left_tenants as (update tenantry.support_accesses a set ended_at = now(), ended_by = 'disabled' \
               from known where a.operator_id = known.id and a.ended_at is null) \
             select id from known";
        let mut connection = self.connection().await?;
        let transaction = connection
            .transaction()
            .await
            .map_err(RegistryError::from)?;
        changed(&transaction, statement, email).await?;
        record(&transaction, by, "disableOperator", email.as_str()).await?;
        Ok(transaction.commit().await.map_err(RegistryError::from)?)
    }

    pub(crate) async fn list_operators(&self) -> Result<Vec<Operator>, RegistryError> {
        let statement = concat!(
            "select ",
            operator_columns!(),
            " from tenantry.operators o order by o.email"
        );
        let rows = self.connection().await?.query_typed(statement, &[]).await?;
        rows.iter().map(Operator::from_row).collect()
    }

    pub(crate) async fn operator(&self, id: OperatorId) -> Result<Operator, Failure> {
        let statement = concat!(
            "select ",
            operator_columns!(),
            " from tenantry.operators o where o.id = $1"
        );
        let connection = self.connection().await?;
        let row = connection
            .query_typed_one(statement, &[(&id.0, Type::UUID)])
            .await;
        Ok(Operator::from_row(&row.map_err(RegistryError::from)?)?)
    }

    async fn operator_password(
        &self,
        password: &str,
        email: &EmailAddress,
    ) -> Result<String, Failure> {
        self.hasher
            .hash(Password::choose(password, email, "tenantry")?)
            .await
    }
}

/// Runs a statement that changes the operator with this address, and gives the id.
async fn changed(
    transaction: &Transaction<'_>,
    statement: &str,
    email: &EmailAddress,
) -> Result<Uuid, Failure> {
    let row = transaction
        .query_typed_opt(statement, &[(&email.as_str(), Type::TEXT)])
        .await;
    let row = row.map_err(RegistryError::from)?.ok_or_else(|| {
        Failure::new(Code::TenantNotFound, "there is no such operator").with_field("email")
    })?;
    Ok(row.try_get(0).map_err(RegistryError::from)?)
}

async fn hand_out(transaction: &Transaction<'_>, operator: Uuid) -> Result<Secret, RegistryError> {
    let token = Secret::random(ONE_TIME_TOKEN);
    let hash = token.hash();
    let statement = "update tenantry.operators set one_time_hash = $2, \
         one_time_until = now() + make_interval(hours => $3) where id = $1";
    let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
        (&operator, Type::UUID),
        (&hash.as_slice(), Type::BYTEA),
        (&ONE_TIME_HOURS, Type::INT4),
    ];
    transaction.execute_typed(statement, &parameters).await?;
    Ok(token)
}

/// What is about operators is about no tenant.
async fn record(
    transaction: &Transaction<'_>,
    by: &By,
    action: &str,
    email: &str,
) -> Result<(), RegistryError> {
    let entry = Entry {
        tenant: None,
        kind: Kind::Access,
        actor: by.actor.clone(),
        request: by.request.clone(),
        action: action.to_owned(),
        details: serde_json::json!({"operator": email}),
        failed: None,
    };
    audit::record(transaction, &entry).await
}
