//! The audit log: an entry lives and dies with its transaction, and tenants see nothing of the table.

use std::net::IpAddr;

use serde_json::json;
use uuid::Uuid;

use crate::error::Code;
use crate::names::{MemberRole, UserId};
use crate::registry::audit::{self, Actor, Entry, Kind};
use crate::request::RequestInfo;
use crate::testing::TestDatabase;

fn entry(actor: Actor, request: Option<RequestInfo>) -> Entry {
    Entry {
        tenant: None,
        kind: Kind::Access,
        actor,
        request,
        action: "inviteMember".to_owned(),
        details: json!({"email": "eve@acme.test"}),
        failed: None,
    }
}

#[tokio::test]
async fn an_entry_is_part_of_the_transaction_that_it_is_about() {
    let database = TestDatabase::of_ordinary_owner().await;
    let replica = database.replica().await;
    let user = UserId(Uuid::now_v7());
    let request = RequestInfo {
        ip: IpAddr::from([192, 0, 2, 7]),
        user_agent: Some("curl/8".into()),
        id: "r1".into(),
    };
    let all = [
        entry(
            Actor::User(user, Some(MemberRole::Admin)),
            Some(request.clone()),
        ),
        entry(Actor::User(user, None), None),
        entry(
            Actor::ApiKey(Uuid::now_v7(), MemberRole::Viewer),
            Some(request.clone()),
        ),
        entry(Actor::Support(Uuid::now_v7(), MemberRole::Admin), None),
        entry(Actor::Operator(Uuid::now_v7()), None),
        entry(Actor::CommandLine("root".to_owned()), None),
        entry(Actor::Anonymous, Some(request)),
        Entry {
            failed: Some(Code::Forbidden),
            kind: Kind::Tenant,
            ..entry(Actor::Service, None)
        },
    ];
    let mut connection = replica.registry.connection().await.unwrap();
    for commits in [false, true] {
        let transaction = connection.transaction().await.unwrap();
        for entry in &all {
            audit::record(&transaction, entry).await.unwrap();
        }
        if commits {
            transaction.commit().await.unwrap();
        }
    }
    let text = "select actor_kind || coalesce(':' || actor_name, '') || coalesce(':' || actor_role, '') \
                || coalesce(':' || host(ip), '') || coalesce(':' || user_agent, '') || ':' || kind || ':' || outcome \
                from tenantry.audit_log order by at, id";
    let rows = connection.query(text, &[]).await.unwrap();
    let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        found,
        [
            "user:admin:192.0.2.7:curl/8:access:ok",
            "user:access:ok",
            "api_key:viewer:192.0.2.7:curl/8:access:ok",
            "support:admin:access:ok",
            "operator:access:ok",
            "command_line:root:access:ok",
            "anonymous:192.0.2.7:curl/8:access:ok",
            "service:tenant:FORBIDDEN",
        ]
    );
}
