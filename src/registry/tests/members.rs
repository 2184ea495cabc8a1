//! Changes of members that meet.

use std::time::Duration;

use crate::error::Code;
use crate::names::MemberRole;
use crate::registry::{Access, MemberActor};
use crate::testing::TestDatabase;

#[tokio::test]
async fn whoever_waited_while_losing_a_role_acts_without_it() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let acme = replica.sign_up("acme").await;
    let (tenant, owner) = (acme.tenant, acme.owner);
    // Somebody else takes the role away, and has not committed yet.
    let psql = test.superuser().await;
    let demote = format!(
        "begin; update tenantry.tenants set access_changed_at = now() where id = '{}';
         update tenantry.memberships set role = 'viewer' where account_id = '{owner}'",
        tenant.id
    );
    psql.batch_execute(&demote).await.unwrap();
    let registry = &replica.registry;
    let transaction = registry.begin(Access::Write).await.unwrap();
    let actor = MemberActor {
        user: Some(owner),
        role: MemberRole::Owner,
    };
    let change = registry.change_role(&transaction, &tenant, actor, owner, MemberRole::Admin);
    let commit = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        psql.batch_execute("commit").await.unwrap();
    };
    let (changed, ()) = tokio::join!(change, commit);
    let failure = changed.unwrap_err();
    assert_eq!(failure.code, Code::Forbidden, "{}", failure.message);
}
