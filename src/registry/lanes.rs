//! The logins of lanes, and which tenants each may become.

use postgres_protocol::password::scram_sha_256;
use tokio_postgres::GenericClient;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::{Registry, RegistryError};
use crate::names::RoleName;

/// Serializes replicas that make the same logins.
const MAKING_LANES: i64 = 0x6c61_6e65_0000_0001;

/// Replicas that grant the same role at the same time are told "tuple concurrently updated".
const TRIES: u32 = 4;

impl Registry {
    /// How many connections the server allows, everybody's together.
    pub(crate) async fn max_connections(&self) -> Result<usize, RegistryError> {
        let statement = "select current_setting('max_connections')::int4";
        let row = self
            .connection()
            .await?
            .query_typed_one(statement, &[])
            .await?;
        Ok(usize::try_from(row.try_get::<_, i32>(0)?).unwrap_or_default())
    }

    /// The logins of the first `count` lanes, made where they are missing. They share the password
    /// of the managed request login; none when the operator gave that login.
    pub(crate) async fn lane_roles(&self, count: usize) -> Result<Vec<RoleName>, RegistryError> {
        let Some((_, password)) = self.request_login() else {
            return Ok(Vec::new());
        };
        let verifier = scram_sha_256(password.as_bytes());
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await?;
        transaction
            .query_typed(
                "select pg_advisory_xact_lock($1)",
                &[(&MAKING_LANES, Type::INT8)],
            )
            .await?;
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        let rows = transaction
            .query_typed(
                "select tenantry.lane_role(lane, $2) from generate_series(0, $1 - 1) as lane",
                &[(&count, Type::INT4), (&verifier, Type::TEXT)],
            )
            .await?;
        transaction.commit().await?;
        rows.iter()
            .map(|row| Ok(RoleName::parse(row.try_get::<_, String>(0)?)?))
            .collect()
    }

    /// Lets connections of the lanes become the tenant's role.
    pub(crate) async fn admit_to_lanes(
        &self,
        logins: &[RoleName],
        tenant: &RoleName,
    ) -> Result<(), RegistryError> {
        let mut tries = 1;
        loop {
            let connection = self.connection().await?;
            match admit(&**connection, logins, tenant).await {
                Err(error) if error.code() == Some(&SqlState::INTERNAL_ERROR) && tries < TRIES => {
                    tries += 1;
                }
                outcome => return Ok(outcome?),
            }
        }
    }
}

pub(super) async fn admit(
    client: &(impl GenericClient + Sync),
    logins: &[RoleName],
    tenant: &RoleName,
) -> Result<(), tokio_postgres::Error> {
    if logins.is_empty() {
        return Ok(());
    }
    let logins: Vec<_> = logins.iter().map(RoleName::as_str).collect();
    client
        .query_typed(
            "select tenantry.admit_to_lane(lane, $2) from unnest($1) as lane",
            &[(&logins, Type::TEXT_ARRAY), (&tenant.as_str(), Type::TEXT)],
        )
        .await?;
    Ok(())
}
