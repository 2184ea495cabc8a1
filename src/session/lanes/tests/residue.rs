//! What a connection still has of a tenant when the next request gets it: nothing.

use super::*;
use crate::rows::Rows;

/// All that a transaction sets.
const STATE: &str = "select concat_ws('|', current_user = session_user, current_setting('search_path'), \
     current_setting('app.tenant_id', true), current_setting('app.user_id', true), \
     current_setting('app.role', true), current_setting('statement_timeout'), \
     current_setting('lock_timeout'), \
     current_setting('transaction_read_only'))";

#[tokio::test]
async fn nothing_of_a_tenant_survives_its_transaction() {
    for preparing in [
        Preparing::Nothing,
        Preparing::Statements(NonZeroUsize::new(10).unwrap()),
    ] {
        let database = TestDatabase::new().await;
        let replica = database.replica().await;
        let tenant = replica.sign_up("residue").await.tenant;
        let lanes = narrow(&database, &replica, preparing);
        let context = admit(&replica, "residue").await;

        let own = (tenant.schema.quoted(), tenant.id);
        let within = format!("f|{}, extensions, pg_temp|{}|||7s|250ms|on", own.0, own.1);
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

#[tokio::test]
async fn what_reads_cannot_be_made_to_write() {
    let database = TestDatabase::new().await;
    let replica = database.replica().await;
    replica.sign_up("reader").await;
    let preparing = Preparing::Statements(NonZeroUsize::new(10).unwrap());
    let lanes = narrow(&database, &replica, preparing);
    let context = admit(&replica, "reader").await;
    for statement in [
        "with made as (insert into labels (name, color) values ('x', '#000000') returning 1) select * from made",
        "select nextval('issues_number_seq')",
        "select set_config('transaction_read_only', 'off', true)",
    ] {
        for _ in 0..3 {
            assert!(
                read(&lanes, &context, &query(statement)).await.is_err(),
                "{statement}"
            );
        }
    }
}

/// What stands in the place of a fixed statement would run as the login that may become any tenant of the lane.
#[tokio::test]
async fn nobody_puts_a_statement_in_the_place_of_another() {
    let database = TestDatabase::new().await;
    let replica = database.replica().await;
    let owner = replica.sign_up("spoiler").await;
    replica.sign_up("bystander").await;
    let psql = database.superuser().await;
    psql.batch_execute(&format!(
        "create function {0}.spoil() returns int4 language plpgsql as $$ begin
           execute 'deallocate reset_all';
           execute 'prepare reset_all as select set_config(''app.user_id'', ''forged'', false)';
           execute 'set search_path to pg_temp, pg_catalog';
           return 1;
         end $$;
         grant execute on function {0}.spoil() to {1}",
        owner.tenant.schema.quoted(),
        owner.tenant.role.quoted()
    ))
    .await
    .unwrap();
    let preparing = Preparing::Statements(NonZeroUsize::new(10).unwrap());
    let lanes = narrow(&database, &replica, preparing);
    let owner = admit(&replica, "spoiler").await;
    let guest = admit(&replica, "bystander").await;
    let backend = query("select pg_backend_pid()");
    let role = query("select current_user::text");
    for _ in 0..3 {
        let first = read(&lanes, &owner, &backend).await.unwrap();
        // Nothing has happened: the connection stays.
        assert_eq!(read(&lanes, &guest, &backend).await.unwrap(), first);
        read(&lanes, &owner, &query("select spoil()"))
            .await
            .unwrap();
        let rows = lanes.read(&guest, &role, &Bindings::default()).await;
        let rows = rows.unwrap_or_else(|failure| panic!("{failure:?}"));
        assert_eq!(text(&rows), guest.tenant().role.as_str());
        assert_ne!(read(&lanes, &guest, &backend).await.unwrap(), first);
    }
}

fn text(rows: &Rows) -> &str {
    std::str::from_utf8(rows.first().and_then(|row| row.column(0)).unwrap()).unwrap()
}

/// Looks at the lane's only connection, as the next request finds it.
async fn assert_clean(lanes: &Lanes, tenant: TenantId) {
    let mut object = lanes.connection(&lanes.places.of(tenant)).await.unwrap();
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
    assert_eq!(text(&state), "t|\"\"||||0|0|off");
    let tables = ask("select * from users").await;
    assert_eq!(tables.error.unwrap().code(), "42P01");
}
