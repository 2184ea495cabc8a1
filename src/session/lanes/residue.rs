//! What a connection still has of a tenant when the next request gets it: nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::SimpleQueryMessage;

use super::*;
use crate::guard::Admission;
use crate::plan::Bindings;
use crate::sql::{Layout, Statement};
use crate::testing::TestDatabase;

fn query(text: &str) -> Query {
    Query::new(Statement {
        text: text.to_owned(),
        params: Vec::new(),
        layout: Layout::Flat,
    })
}

/// All that a transaction sets, and whether there is one.
const STATE: &str = "select concat_ws('|', current_user = session_user, current_setting('search_path'), \
     current_setting('app.tenant_id', true), current_setting('app.user_id', true), \
     current_setting('app.role', true), current_setting('statement_timeout'), \
     now() = statement_timestamp())";

#[tokio::test]
async fn nothing_of_a_tenant_survives_its_transaction() {
    for preparing in [
        Preparing::Nothing,
        Preparing::Statements(NonZeroUsize::new(10).unwrap()),
    ] {
        let database = TestDatabase::new().await;
        let replica = database.replica().await;
        let tenant = replica.sign_up("residue").await.tenant;
        let (user, password) = replica.registry.request_login().unwrap();
        let config = LanesConfig {
            lanes: NonZeroUsize::MIN,
            connections_per_lane: NonZeroUsize::MIN,
            preparing,
            wait: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(7),
            lifetime: Duration::from_mins(1),
            idle: Duration::from_mins(1),
        };
        let login = database.database.with_login(user.as_str(), password);
        let lanes = Lanes::new(Arc::clone(&replica.registry), &login, Vec::new(), &config).unwrap();
        let admission = replica.guard.admit(Some("residue.localhost"), None).await;
        let Admission::Tenant(context) = admission.unwrap() else {
            panic!("not the platform")
        };

        let own = (tenant.schema.quoted(), tenant.id);
        let within = format!("f|{}, extensions, pg_temp|{}|||7s|", own.0, own.1);
        let backend = query("select pg_backend_pid()");
        let first = read(&lanes, &context, &backend).await.unwrap();
        for round in 0..3 {
            let rows = lanes
                .read(&context, &query(STATE), &Bindings::default())
                .await
                .unwrap();
            let state: &str = rows[0].get(0);
            assert!(state.starts_with(&within), "{state}");
            assert_clean(&lanes, tenant.id).await;

            let failing = query("select 1 / 0");
            assert!(read(&lanes, &context, &failing).await.is_err());
            assert_clean(&lanes, tenant.id).await;

            let slow = query("select pg_sleep(0.3)::text::int4");
            let dropped =
                tokio::time::timeout(Duration::from_millis(100), read(&lanes, &context, &slow));
            assert!(dropped.await.is_err(), "round {round}");
            assert_clean(&lanes, tenant.id).await;
        }
        // It has been the same connection all the time.
        assert_eq!(read(&lanes, &context, &backend).await.unwrap(), first);
    }
}

async fn read(lanes: &Lanes, context: &TenantContext, query: &Query) -> Result<i32, Failure> {
    let rows = lanes.read(context, query, &Bindings::default()).await?;
    Ok(rows[0].get(0))
}

/// Looks at the lane's only connection, as the next request finds it.
async fn assert_clean(lanes: &Lanes, tenant: TenantId) {
    let (_, object) = lanes.connection(tenant).await.unwrap();
    let answer = object.client.simple_query(STATE).await.unwrap();
    let state = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    assert_eq!(state, Some("t|\"\"||||0|t"));
    let tables = object.client.query("select * from users", &[]).await;
    assert!(tables.is_err());
}
