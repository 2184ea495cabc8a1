//! What is in a transaction, whoever began it.

use tokio_postgres::{Client, Transaction};

/// Something that is in a transaction, for functions whose statements belong together with their caller's.
pub(crate) trait InTransaction: Sync {
    fn client(&self) -> &Client;
}

impl InTransaction for Transaction<'_> {
    fn client(&self) -> &Client {
        tokio_postgres::GenericClient::client(self)
    }
}
