//! When tenants were last active, from the mark in memory to the table.

use super::scalar;
use crate::names::Subdomain;
use crate::registry::TenantRef;
use crate::testing::TestDatabase;

#[tokio::test]
async fn marks_are_written_once_and_not_lost() {
    let database = TestDatabase::of_ordinary_owner().await;
    let replica = database.replica().await;
    let mut tenants = Vec::new();
    for name in ["busy", "idle", "gone"] {
        let tenant = replica.sign_up(name).await.tenant;
        replica.directory.learn(tenant);
        let found = replica
            .directory
            .find(&Subdomain::parse(name).unwrap())
            .await;
        tenants.push(found.unwrap().unwrap());
    }
    let [busy, idle, gone] = &tenants[..] else {
        panic!()
    };
    let owner = database.owner().await;
    let flush = || replica.registry.flush_activity(&replica.directory);
    busy.meter.mark();
    gone.meter.mark();
    // What cannot be written now is written later.
    let hide = "alter table tenantry.activity rename to elsewhere";
    owner.batch_execute(hide).await.unwrap();
    flush().await;
    let show = "alter table tenantry.elsewhere rename to activity";
    owner.batch_execute(show).await.unwrap();
    let forget = "delete from tenantry.tenants where subdomain = 'gone'";
    owner.batch_execute(forget).await.unwrap();
    flush().await;
    let all = "select string_agg(t.subdomain, ' ') from tenantry.activity a \
               join tenantry.tenants t on t.id = a.tenant_id";
    assert_eq!(scalar(&owner, all).await, "busy");
    let last = async |id| {
        let record = replica.registry.tenant_record(&TenantRef::Id(id)).await;
        record.unwrap().last_activity_at
    };
    let first = last(busy.id).await;
    assert!(first.is_some() && last(idle.id).await.is_none());
    flush().await;
    assert_eq!(last(busy.id).await, first, "nobody was there since");
    busy.meter.mark();
    flush().await;
    assert!(last(busy.id).await > first);
}
