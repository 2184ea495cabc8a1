//! Whoever may only read is held to it by Postgres, whatever statement a plan has come up with.

use super::*;
use crate::error::Code;
use crate::names::MemberRole;

#[tokio::test]
async fn transactions_of_viewers_and_strangers_are_read_only() {
    let database = TestDatabase::new().await;
    let replica = database.replica().await;
    let owner = replica.sign_up("viewers").await;
    let lanes = narrow(&database, &replica, Preparing::Nothing);
    let token = bearer(&replica, &owner).await;
    let admit = async |token: Option<&str>| admit_by(&replica, "viewers", token).await;
    let write = async |context: &TenantContext| {
        let statement =
            query("insert into labels (name) values (gen_random_uuid()::text) returning 1");
        let bindings = Bindings::default();
        let written = lanes.write(context, &[&statement], &bindings, None).await;
        written.map(|_| ()).map_err(|failed| failed.failure.code)
    };
    assert_eq!(write(&admit(Some(&token)).await).await, Ok(()));
    assert_eq!(write(&admit(None).await).await, Err(Code::Forbidden));

    // The next request with the same token is a viewer's.
    let demote = format!(
        "update tenantry.memberships set role = 'viewer' where account_id = '{0}';
         update tenantry.tenants set access_changed_at = now() + interval '2 seconds' where id = '{1}'",
        owner.owner, owner.tenant.id
    );
    database.owner().await.batch_execute(&demote).await.unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    let viewer = loop {
        let context = admit(Some(&token)).await;
        if context.identity().role() == Some(MemberRole::Viewer) {
            break context;
        }
        assert!(std::time::Instant::now() < deadline, "still an owner");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(write(&viewer).await, Err(Code::Forbidden));
    assert_eq!(read(&lanes, &viewer, &query("select 1")).await.unwrap(), 1);
}
