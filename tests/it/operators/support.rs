//! Operators at tenants that they were let into.

use serde_json::{Value, json};

use super::{let_in, operator, run};
use crate::harness::{Caller, Service, soon};

#[tokio::test]
async fn support_is_let_in_for_a_reason_and_a_time_under_the_owners_eyes() {
    let service = Service::shared();
    let replica = Service::replica(&[]).await;
    let owner = service.sign_up("supported").await;
    let tenant = owner.subdomain().to_owned();
    let (email, operator) = operator(service, "sam").await;
    let enter = "mutation ($input: SupportTenantInput!) { supportTenant(input: $input) { accessToken expiresAt url } }";
    let input = json!({"tenant": &tenant, "reason": "ticket 4711"});
    let entered = operator.ask(enter, json!({"input": &input})).await.data();
    let entered = &entered["supportTenant"];
    assert_eq!(
        entered["url"],
        format!("http://{tenant}.localhost:{}", service.port())
    );
    let support = owner.with_token(entered["accessToken"].as_str());
    let projects = "{ projects { nodes { name } } }";
    let data = support.query(projects).await.data();
    assert_eq!(data, owner.query(projects).await.data());
    support.at(&replica).query(projects).await.data();
    // A viewer changes nothing, and the token is good nowhere else.
    let write = "mutation { updateProjects(where: {name: {ne: \"\"}}, set: {name: \"x\"}) { affectedCount } }";
    assert_eq!(support.query(write).await.code(), "FORBIDDEN");
    let globex = service
        .tenant("globex")
        .anonymous()
        .with_token(support.token.as_deref());
    assert_eq!(globex.query(projects).await.code(), "FORBIDDEN");
    let platform = service.platform().with_token(support.token.as_deref());
    assert!(platform.query("{ operators { email } }").await.json()["errors"].is_array());

    let seen =
        "{ currentTenant { supportAccesses { id operator role reason endedAt lastUsedAt } } }";
    let seen_by = async |caller: &Caller| -> Value {
        caller.query(seen).await.data()["currentTenant"]["supportAccesses"].take()
    };
    let accesses = seen_by(&owner).await;
    let access = &accesses[0];
    assert_eq!(
        (&access["operator"], &access["role"], &access["reason"]),
        (&json!(email), &json!("VIEWER"), &json!("ticket 4711"))
    );
    assert!(access["lastUsedAt"].is_string() && access["endedAt"].is_null());
    assert_eq!(support.query(seen).await.code(), "FORBIDDEN", "for admins");

    let end = "mutation ($id: UUID!) { endSupportAccess(id: $id) { endedBy } }";
    let id = json!({"id": access["id"]});
    assert_eq!(support.ask(end, id.clone()).await.code(), "FORBIDDEN");
    assert_eq!(
        owner.ask(end, id.clone()).await.data()["endSupportAccess"]["endedBy"],
        "owner"
    );
    assert_eq!(
        support.at(&replica).query(projects).await.code(),
        "UNAUTHENTICATED"
    );
    // Another tenant's access cannot be ended, nor be told from one that is not there.
    let grace = service.tenant("globex").owner().await;
    assert_eq!(
        grace.ask(end, id).await.data()["endSupportAccess"],
        Value::Null
    );

    // By the command line, with a role that may write.
    let arguments = [
        "tenant",
        "support",
        &tenant,
        "--role",
        "admin",
        "--minutes",
        "5",
        "--reason",
        "mend it",
    ];
    let (_, token) = run(&arguments, "");
    let mender = owner.with_token(Some(&token));
    assert_eq!(
        mender.query(write).await.data()["updateProjects"]["affectedCount"],
        1
    );
    assert_eq!(seen_by(&owner).await[0]["reason"], "mend it");
    for bad in [
        json!({"tenant": &tenant, "reason": ""}),
        json!({"tenant": &tenant, "reason": "x", "minutes": 0}),
        json!({"tenant": &tenant, "reason": "x", "minutes": 481}),
    ] {
        let refused = operator.ask(enter, json!({"input": bad})).await;
        assert_eq!(refused.code(), "BAD_USER_INPUT", "{refused:?}");
    }
    let psql = service.psql().await;
    let expire = "update tenantry.support_accesses set expires_at = now() where reason = 'mend it'";
    psql.batch_execute(expire).await.unwrap();
    assert_eq!(mender.query(projects).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn support_gets_into_a_suspended_tenant_and_nobody_else_does() {
    let service = Service::shared();
    let replica = Service::replica(&[]).await;
    let owner = service.sign_up("shut").await;
    let (_, operator) = operator(service, "sue").await;
    let here = |token: String| owner.with_token(Some(&token));
    let viewer = here(let_in(&operator, &owner, "VIEWER").await);
    let gone = here(let_in(&operator, &owner, "VIEWER").await);
    let latest = "{ currentTenant { supportAccesses { id } } }";
    let latest = owner.query(latest).await.data();
    let id = &latest["currentTenant"]["supportAccesses"][0]["id"];
    let end = format!("mutation {{ endSupportAccess(id: {id}) {{ id }} }}");
    owner.query(&end).await.data();
    let status = async |field: &str| {
        let tenant = owner.subdomain();
        let mutation = format!("mutation {{ {field}(tenant: \"{tenant}\" REASON) {{ status }} }}");
        let reason = if field == "suspendTenant" {
            ", reason: \"unpaid\""
        } else {
            ""
        };
        let mutation = mutation.replace(" REASON", reason);
        operator.query(&mutation).await.data();
    };
    status("suspendTenant").await;
    soon(&owner, "TENANT_SUSPENDED").await;
    soon(&owner.at(&replica), "TENANT_SUSPENDED").await;
    // Let in before or after, at any replica, and as what was said.
    let admin = here(let_in(&operator, &owner, "ADMIN").await);
    for caller in [&viewer, &admin, &admin.at(&replica)] {
        soon(caller, "OK").await;
    }
    let write = "mutation { updateProjects(where: {name: {ne: \"\"}}, set: {name: \"x\"}) { affectedCount } }";
    assert_eq!(viewer.query(write).await.code(), "FORBIDDEN");
    admin.query(write).await.data();
    let globex = service.tenant("globex").anonymous();
    let globex = let_in(&operator, &globex, "OWNER").await;
    let forged = "tnts_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned();
    for (caller, code) in [
        (gone, "UNAUTHENTICATED"),
        (here(forged), "UNAUTHENTICATED"),
        (here(globex), "FORBIDDEN"),
        (owner.with_token(None), "TENANT_SUSPENDED"),
        (
            owner.with_token(operator.token.as_deref()),
            "TENANT_SUSPENDED",
        ),
    ] {
        soon(&caller, code).await;
    }
    status("deleteTenant").await;
    soon(&admin, "TENANT_NOT_FOUND").await;
    status("restoreTenant").await;
    soon(&owner, "TENANT_SUSPENDED").await;
    status("resumeTenant").await;
    soon(&owner, "OK").await;
}
