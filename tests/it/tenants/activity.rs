//! When a tenant was last active.

use nix::sys::signal::Signal;
use serde_json::json;

use super::done;
use crate::harness::Service;

#[tokio::test]
async fn whoever_reads_is_active_too() {
    let service = Service::shared();
    let owner = service.sign_up("reading").await;
    let psql = service.psql().await;
    let long_ago = "with s as (delete from tenantry.sessions s using tenantry.tenants t
            where t.id = s.tenant_id and t.subdomain = $1)
        delete from tenantry.activity a using tenantry.tenants t where t.id = a.tenant_id and t.subdomain = $1";
    psql.execute(long_ago, &[&owner.subdomain()]).await.unwrap();
    let shown = || done(&["show", owner.subdomain()])["lastActivityAt"].clone();
    assert_eq!(shown(), json!(null));

    let visit = async |caller: &crate::harness::Caller| {
        let mut replica = Service::replica(&[]).await;
        let _ = caller.at(&replica).query("{ labels { totalCount } }").await;
        // What has not been written yet is written at the end.
        replica.process().signal(Signal::SIGTERM);
        assert!(replica.wait().success());
    };
    visit(&owner.with_token(None)).await;
    visit(&owner.with_token(Some("no token"))).await;
    assert_eq!(shown(), json!(null), "a stranger");
    visit(&owner).await;
    let first = shown();
    assert!(first.is_string());
    visit(&owner).await;
    assert!(shown().as_str() > first.as_str(), "{first}");
}
