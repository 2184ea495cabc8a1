//! The database behind a service, as psql would see it.

use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::Service;

impl Service {
    /// Connects as the superuser.
    pub(crate) async fn psql(&self) -> Client {
        connect(&self.database()).await
    }

    /// Connects as requests do: as a role that can see nothing.
    pub(crate) async fn psql_as_requests(&self) -> Client {
        let settings = "select request_role, request_password from tenantry.settings";
        let row = self.psql().await.query_one(settings, &[]).await.unwrap();
        let mut config = self.database();
        config
            .user(row.get::<_, String>(0))
            .password(row.get::<_, String>(1));
        connect(&config).await
    }

    fn database(&self) -> Config {
        self.dir().read("database-url").parse().unwrap()
    }
}

async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Schema and role of a tenant.
pub(crate) async fn names(psql: &Client, subdomain: &str) -> (String, String) {
    let statement = "select schema_name, role_name from tenantry.tenants where subdomain = $1";
    let row = psql.query_one(statement, &[&subdomain]).await.unwrap();
    (row.get(0), row.get(1))
}

/// The first column of the first row, as text.
pub(crate) async fn scalar(psql: &Client, statement: &str) -> Option<String> {
    let messages = psql.simple_query(statement).await;
    let messages = messages.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
        _ => None,
    })
}

/// The SQLSTATE that a statement fails with.
pub(crate) async fn sqlstate(psql: &Client, statement: &str) -> String {
    let error = psql.simple_query(statement).await;
    let error = error.expect_err(statement);
    error
        .code()
        .map_or_else(String::new, |code| code.code().to_owned())
}
