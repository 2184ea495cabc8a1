//! What a connection still has of a tenant when the next request gets it: nothing.

use std::sync::Arc;
use std::time::Duration;

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

/// All that a transaction sets.
const STATE: &str = "select concat_ws('|', current_user = session_user, current_setting('search_path'), \
     current_setting('app.tenant_id', true), current_setting('app.user_id', true), \
     current_setting('app.role', true), current_setting('statement_timeout'))";

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
        let within = format!("f|{}, extensions, pg_temp|{}|||7s", own.0, own.1);
        let backend = query("select pg_backend_pid()");
        let first = read(&lanes, &context, &backend).await.unwrap();
        for round in 0..3 {
            let rows = lanes
                .read(&context, &query(STATE), &Bindings::default())
                .await
                .unwrap();
            let state = text(&rows);
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
    let bytes = rows.first().and_then(|row| row.column(0)).unwrap();
    Ok(i32::from_be_bytes(bytes.try_into().unwrap()))
}

fn text(rows: &Rows) -> &str {
    std::str::from_utf8(rows.first().and_then(|row| row.column(0)).unwrap()).unwrap()
}

/// Looks at the lane's only connection, as the next request finds it.
async fn assert_clean(lanes: &Lanes, tenant: TenantId) {
    let (_, mut object) = lanes.connection(tenant).await.unwrap();
    let wire = &mut object.wire;
    // The server's own word that it is in no transaction.
    assert!(wire.is_idle());
    let mut ask = async |statement: &str| {
        wire.parse("", statement).unwrap();
        wire.execute("", [].into_iter()).unwrap();
        wire.sync();
        wire.exchange(0).await.unwrap()
    };
    let state = ask(STATE).await.into_rows().next().unwrap();
    assert_eq!(text(&state), "t|\"\"||||0");
    let tables = ask("select * from users").await;
    assert_eq!(tables.error.unwrap().code(), "42P01");
}
