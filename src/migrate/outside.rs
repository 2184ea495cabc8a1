//! What files make outside of the tenant's schema: found before the transaction is committed.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::MigrationError;

/// Fails when the transaction has made something that would be there once for all tenants.
pub(crate) async fn refuse_outside(client: &Client) -> Result<(), MigrationError> {
    let statement = "select tenantry.refuse_outside()";
    client.batch_execute(statement).await.map_err(|error| {
        let told = error
            .as_db_error()
            .filter(|told| *told.code() == SqlState::INVALID_SCHEMA_DEFINITION);
        match told {
            Some(told) => MigrationError::Outside(told.message().to_owned()),
            None => error.into(),
        }
    })
}
