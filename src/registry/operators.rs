//! Those who run the service: who they are, and their sessions at the base domain.

use time::OffsetDateTime;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, Transaction};
use uuid::Uuid;

use super::audit::{self, Actor, Entry, Kind};
use super::guesses::too_many;
use super::{By, Password, Registry, RegistryError};
use crate::error::{Code, Failure};
use crate::names::{EmailAddress, OperatorId};
use crate::request::RequestInfo;
use crate::secret::Secret;

/// What operators' tokens begin with.
pub(crate) const OPERATOR_TOKEN: &str = "tnto_";
const ONE_TIME_TOKEN: &str = "tnt1_";

/// How long a session lasts; then one logs in again.
const SESSION_MINUTES: i32 = 60;

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

    /// Begins a session. Whatever is wrong, the answer and the work are the same.
    pub(crate) async fn operator_log_in(
        &self,
        client: &RequestInfo,
        email: &str,
        password: &str,
    ) -> Result<OperatorSession, Failure> {
        // Whoever guesses waits ever longer, here as at log-ins of accounts; apart from those, as anybody may have an
        // account with the operator's address, and log in to it in between.
        let guessed = format!("operator {}", email.trim());
        let attempt = self.guesses.begin(None, &guessed, client.ip)?;
        if let Some(wait) = attempt.wait {
            return Err(too_many(wait));
        }
        let turn = self.hasher.turn(None).await?;
        if attempt.suspicious
            && let Some(wait) = self.reserve_guess(&attempt).await?
        {
            return Err(too_many(wait));
        }
        let address = EmailAddress::parse(email);
        let address = address.as_ref().map_or("", EmailAddress::as_str);
        let statement = concat!(
            "select o.password_hash, ",
            operator_columns!(),
            " from tenantry.operators o where lower(o.email) = lower($1) and o.disabled_at is null"
        );
        let connection = self.connection().await?;
        let row = connection
            .query_typed_opt(statement, &[(&address, Type::TEXT)])
            .await;
        drop(connection); // the password takes longer
        let row = row.map_err(RegistryError::from)?;
        let hash = match &row {
            Some(row) => row.try_get(0).map_err(RegistryError::from)?,
            None => None,
        };
        let matches = self.hasher.verify(turn, password, hash).await?;
        match row {
            Some(row) if matches => {
                attempt.succeed();
                self.begin_operator_session(client, Operator::from_row(&row)?)
                    .await
            }
            _ => Err(Failure::unauthenticated("wrong email or password")),
        }
    }

    /// Chooses the password of an operator by a one-time token, which is used up by it, and begins a session.
    pub(crate) async fn activate_operator(
        &self,
        client: &RequestInfo,
        token: &str,
        password: &str,
    ) -> Result<OperatorSession, Failure> {
        let wrong = || Failure::bad_input("token", "this token is not valid any more");
        let known = "select o.email from tenantry.operators o \
             where o.one_time_hash = $1 and o.one_time_until > now() and o.disabled_at is null";
        let token = Secret::received(token).hash();
        let token = token.as_slice();
        let connection = self.connection().await?;
        let row = connection
            .query_typed_opt(known, &[(&token, Type::BYTEA)])
            .await;
        drop(connection);
        let row = row.map_err(RegistryError::from)?.ok_or_else(wrong)?;
        let email: String = row.try_get(0).map_err(RegistryError::from)?;
        let email = EmailAddress::parse(&email).map_err(Failure::internal)?;
        let hash = self.operator_password(password, &email).await?;
        let statement = concat!(
            "update tenantry.operators o set password_hash = $2, one_time_hash = null, one_time_until = null \
             where o.one_time_hash = $1 and o.one_time_until > now() and o.disabled_at is null returning ",
            operator_columns!()
        );
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&token, Type::BYTEA), (&hash, Type::TEXT)];
        let connection = self.connection().await?;
        let row = connection.query_typed_opt(statement, &parameters).await;
        drop(connection);
        let row = row.map_err(RegistryError::from)?.ok_or_else(wrong)?;
        self.begin_operator_session(client, Operator::from_row(&row)?)
            .await
    }

    /// Who has this token; none when the session is over, or the operator disabled. One look-up for each request.
    pub(crate) async fn operator_of(
        &self,
        token: &str,
    ) -> Result<Option<OperatorId>, RegistryError> {
        let statement = "select o.id from tenantry.operator_sessions s \
             join tenantry.operators o on o.id = s.operator_id and o.disabled_at is null \
             where s.token_hash = $1 and s.expires_at > now()";
        let hash = Secret::received(token).hash();
        let hash = hash.as_slice();
        let connection = self.connection().await?;
        let row = connection
            .query_typed_opt(statement, &[(&hash, Type::BYTEA)])
            .await?;
        row.map(|row| Ok(OperatorId(row.try_get(0)?))).transpose()
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

    /// Ends all sessions of an operator.
    pub(crate) async fn operator_log_out(&self, id: OperatorId) -> Result<(), RegistryError> {
        let statement = "delete from tenantry.operator_sessions where operator_id = $1";
        let connection = self.connection().await?;
        connection
            .execute_typed(statement, &[(&id.0, Type::UUID)])
            .await?;
        Ok(())
    }

    async fn begin_operator_session(
        &self,
        client: &RequestInfo,
        operator: Operator,
    ) -> Result<OperatorSession, Failure> {
        let token = Secret::random(OPERATOR_TOKEN);
        let hash = token.hash();
        let statement = "with known as (update tenantry.operators set last_log_in_at = now() \
               where id = $1 and disabled_at is null returning id), \
             over as (delete from tenantry.operator_sessions where expires_at <= now()) \
             insert into tenantry.operator_sessions (token_hash, operator_id, expires_at) \
             select $2, id, now() + make_interval(mins => $3) from known returning expires_at";
        let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
            (&operator.id.0, Type::UUID),
            (&hash.as_slice(), Type::BYTEA),
            (&SESSION_MINUTES, Type::INT4),
        ];
        let mut connection = self.connection().await?;
        let transaction = connection
            .transaction()
            .await
            .map_err(RegistryError::from)?;
        let row = transaction.query_typed_opt(statement, &parameters).await;
        let row = row.map_err(RegistryError::from)?;
        let row = row.ok_or_else(|| Failure::unauthenticated("wrong email or password"))?;
        let by = By {
            actor: Actor::Operator(operator.id),
            request: Some(client.clone()),
        };
        record(&transaction, &by, "operatorLogIn", &operator.email).await?;
        transaction.commit().await.map_err(RegistryError::from)?;
        let expires_at = row.try_get(0).map_err(RegistryError::from)?;
        Ok(OperatorSession {
            operator,
            token,
            expires_at,
        })
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
