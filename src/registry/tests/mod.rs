//! The registry against a real Postgres.

mod audit;
mod copy;
mod directory;
mod guesses;
mod isolation;
mod lifecycle;
mod log_in;
mod members;
mod open;
mod shared;
mod sign_up;
mod spares;
mod transaction;

use tokio_postgres::Client;

/// The first column of the first row, as text.
async fn scalar(client: &Client, statement: &str) -> String {
    for message in client.simple_query(statement).await.unwrap() {
        if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
            return row.get(0).unwrap_or("null").to_owned();
        }
    }
    panic!("no row: {statement}")
}

/// The SQLSTATE that a statement fails with.
async fn sqlstate(client: &Client, statement: &str) -> String {
    let error = client.simple_query(statement).await.expect_err(statement);
    error.code().unwrap().code().to_owned()
}
