//! Operators log in: by a password, or by the one-time token that lets them choose one. Strangers who guess do not shut them out.

use std::net::IpAddr;

use tokio_postgres::types::{ToSql, Type};

use super::{Operator, OperatorSession, operator_columns, record};
use crate::error::Failure;
use crate::names::{EmailAddress, OperatorId};
use crate::registry::audit::Actor;
use crate::registry::guesses::{network, too_many};
use crate::registry::{By, Registry, RegistryError};
use crate::request::RequestInfo;
use crate::secret::Secret;

/// What operators' tokens begin with.
pub(crate) const OPERATOR_TOKEN: &str = "tnto_";

/// How long a session lasts; then one logs in again.
const SESSION_MINUTES: i32 = 60;

/// For how long it is remembered where an operator has logged in from.
const KNOWN_DAYS: i32 = 90;

impl Registry {
    /// Begins a session. Whatever is wrong, the answer and the work are the same.
    pub(crate) async fn operator_log_in(
        &self,
        client: &RequestInfo,
        email: &str,
        password: &str,
    ) -> Result<OperatorSession, Failure> {
        // Whoever guesses waits ever longer, here as at log-ins of accounts; apart from those, as anybody may have an
        // account with the operator's address, and log in to it in between. Strangers shut nobody out of where they
        // have been before.
        let guessed = format!("operator {}", email.trim());
        let attempt = self.guesses.begin(None, &guessed, client.ip)?;
        if let Some(wait) = attempt.wait
            && !self.knows_operator(email, client.ip).await?
        {
            return Err(too_many(wait));
        }
        let turn = self.hasher.turn(None).await?;
        if attempt.suspicious
            && let Some(wait) = self.reserve_guess(&attempt).await?
            && !self.knows_operator(email, client.ip).await?
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

    /// Whether the operator has logged in from there, not too long ago.
    async fn knows_operator(&self, email: &str, address: IpAddr) -> Result<bool, RegistryError> {
        let statement = "select exists (select from tenantry.operator_networks n \
               join tenantry.operators o on o.id = n.operator_id \
             where lower(o.email) = lower($1) and n.network = $2 and n.last_at > now() - make_interval(days => $3))";
        let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
            (&email.trim(), Type::TEXT),
            (&network(address), Type::INET),
            (&KNOWN_DAYS, Type::INT4),
        ];
        let connection = self.connection().await?;
        let row = connection.query_typed_one(statement, &parameters).await?;
        Ok(row.try_get(0)?)
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
             over as (delete from tenantry.operator_sessions where expires_at <= now()), \
             forgotten as (delete from tenantry.operator_networks \
               where last_at <= now() - make_interval(days => $5) and network <> $4), \
             remembered as (insert into tenantry.operator_networks as n (operator_id, network) select id, $4 from known \
               on conflict (operator_id, network) do update set last_at = now()) \
             insert into tenantry.operator_sessions (token_hash, operator_id, expires_at) \
             select $2, id, now() + make_interval(mins => $3) from known returning expires_at";
        let parameters: [(&(dyn ToSql + Sync), Type); 5] = [
            (&operator.id.0, Type::UUID),
            (&hash.as_slice(), Type::BYTEA),
            (&SESSION_MINUTES, Type::INT4),
            (&network(client.ip), Type::INET),
            (&KNOWN_DAYS, Type::INT4),
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
}
