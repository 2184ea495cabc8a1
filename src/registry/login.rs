//! The request login: the one role, without rights of its own, that all request connections start as.

use postgres_protocol::password::scram_sha_256;
use rand::distr::{Alphanumeric, SampleString};
use tokio_postgres::Transaction;

use crate::error::postgres_reason;
use crate::names::{NameError, RoleName};

/// Who makes the request login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RequestLogin {
    /// The service, at its first start; the password waits in the registry for the other replicas.
    Managed,
    /// The operator, who gave a second URL with this user.
    Given(RoleName),
    /// Whoever it was that made the one there is.
    AsItIs,
}

/// Why requests could not be kept apart from each other with this login.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
    #[error("the role {0} of the request URL does not exist")]
    Missing(RoleName),
    #[error(
        "the role {0} of the request URL may do too much: it must be another one than the owner, neither a superuser \
         nor able to bypass row-level security, and NOINHERIT (alter role … nosuperuser nobypassrls noinherit)"
    )]
    TooPowerful(RoleName),
    #[error("cannot make the request login ({0}): the owner of the database needs CREATEROLE")]
    MayNotCreate(String),
    #[error("cannot make the request login: {}", postgres_reason(.0))]
    Postgres(#[from] tokio_postgres::Error),
    #[error("cannot make the request login: {0}")]
    Name(#[from] NameError),
}

/// Sees to it that the role exists and may become each tenant's role. Returns the role, and the password of a managed one.
pub(super) async fn ensure(
    transaction: &Transaction<'_>,
    login: RequestLogin,
) -> Result<(RoleName, Option<String>), LoginError> {
    let known = transaction
        .query_opt(
            "select request_role, request_password from tenantry.settings",
            &[],
        )
        .await?;
    let known = match known {
        Some(row) => Some((
            row.try_get::<_, String>(0)?,
            row.try_get::<_, Option<String>>(1)?,
        )),
        None => None,
    };
    // Nothing is looked at for each tenant then.
    if login == RequestLogin::AsItIs
        && let Some((role, password)) = &known
    {
        let role = RoleName::parse(role.clone())?;
        if password.is_none() || exists(transaction, &role).await? {
            return Ok((role, password.clone()));
        }
    }
    let (role, password) = match (login, known) {
        (RequestLogin::Given(role), _) => {
            check(transaction, &role).await?;
            (role, None)
        }
        (RequestLogin::Managed | RequestLogin::AsItIs, Some((role, Some(password)))) => {
            let mut role = RoleName::parse(role)?;
            if !exists(transaction, &role).await? {
                role = create(transaction, role.as_str(), &password).await?; // a dump, restored in another cluster
            }
            (role, Some(password))
        }
        (RequestLogin::Managed | RequestLogin::AsItIs, _) => {
            let password = Alphanumeric.sample_string(&mut rand::rng(), 40);
            let role = create(transaction, "tenantry_api", &password).await?;
            (role, Some(password))
        }
    };
    remember(transaction, &role, password.as_deref()).await?;
    Ok((role, password))
}

async fn exists(
    transaction: &Transaction<'_>,
    role: &RoleName,
) -> Result<bool, tokio_postgres::Error> {
    let row = transaction
        .query_opt("select from pg_roles where rolname = $1", &[&role.as_str()])
        .await?;
    Ok(row.is_some())
}

async fn check(transaction: &Transaction<'_>, role: &RoleName) -> Result<(), LoginError> {
    let row = transaction
        .query_opt(
            "select rolsuper or rolbypassrls or rolinherit or rolname = current_user \
             from pg_roles where rolname = $1",
            &[&role.as_str()],
        )
        .await?
        .ok_or_else(|| LoginError::Missing(role.clone()))?;
    if row.try_get(0)? {
        return Err(LoginError::TooPowerful(role.clone()));
    }
    Ok(())
}

/// Sends a SCRAM verifier in place of the password, so that no statement log can hold the password.
async fn create(
    transaction: &Transaction<'_>,
    wanted: &str,
    password: &str,
) -> Result<RoleName, LoginError> {
    let verifier = scram_sha_256(password.as_bytes());
    // Postgres' context repeats the statement, and so the verifier: only the message is passed on.
    let row = transaction
        .query_one(
            "select tenantry.create_request_role($1, $2)",
            &[&wanted, &verifier],
        )
        .await
        .map_err(|error| match error.as_db_error() {
            Some(answer) => LoginError::MayNotCreate(answer.message().to_owned()),
            None => LoginError::Postgres(error),
        })?;
    Ok(RoleName::parse(row.try_get::<_, String>(0)?)?)
}

async fn remember(
    transaction: &Transaction<'_>,
    role: &RoleName,
    password: Option<&str>,
) -> Result<(), tokio_postgres::Error> {
    transaction
        .execute(
            "insert into tenantry.settings (request_role, request_password) values ($1, $2) \
             on conflict (only_row) do update \
             set request_role = excluded.request_role, request_password = excluded.request_password",
            &[&role.as_str(), &password],
        )
        .await?;
    // For tenants that signed up under another request login.
    transaction
        .execute(
            "select tenantry.admit_request_role(role_name) from tenantry.tenants \
             join pg_roles on rolname = role_name where not pg_has_role($1, role_name, 'member')",
            &[&role.as_str()],
        )
        .await?;
    Ok(())
}
