//! What the service itself does for a tenant leaves its entries, under the names of those who did it.

use serde_json::{Value, json};

use super::log;
use crate::harness::{Service, tenantry};

/// What is asked of the tenant, in this order: the entry's action, the mutation, and what the entry tells.
const ASKED: [(&str, &str, &str); 5] = [
    (
        "inviteMember",
        r#"inviteMember(input: {email: "eve@audit.test", role: MEMBER}) { id }"#,
        "eve@audit.test",
    ),
    (
        "issueApiKey",
        r#"issueApiKey(input: {name: "Robot", role: ADMIN}) { key }"#,
        "Robot",
    ),
    (
        "setProvisioning",
        "setProvisioning(input: {mode: OFF}) { mode }",
        "off",
    ),
    (
        "changePassword",
        r#"changePassword(input: {oldPassword: "demo-password", newPassword: "another-password"})"#,
        "",
    ),
    ("logOutEverywhere", "logOutEverywhere", ""),
];

#[tokio::test]
async fn mutations_of_the_service_and_of_operators_leave_their_entries() {
    let service = Service::shared();
    let mut owner = service.sign_up("serviced").await;
    let tenant = owner.subdomain().to_owned();
    let mut key = Value::Null;
    for (action, mutation, _) in ASKED {
        let data = owner
            .query(&format!("mutation {{ {mutation} }}"))
            .await
            .data();
        if action == "issueApiKey" {
            key = data[action]["key"].clone();
        }
        if action == "changePassword" {
            let mutation = format!(
                r#"mutation {{ logIn(input: {{email: "owner@{tenant}.test", password: "another-password"}}) {{ accessToken }} }}"#
            );
            let data = owner.with_token(None).query(&mutation).await.data();
            owner = owner.with_token(data["logIn"]["accessToken"].as_str());
        }
    }
    let suspend = ["suspend", &tenant, "--reason", "unpaid since May"];
    for arguments in [&suspend[..], &["resume", &tenant]] {
        let mut command = tenantry(&["tenant"]);
        command.args(arguments).arg("--data-dir");
        let output = command.arg(service.dir().data()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let robot = owner.with_token(key.as_str());
    let make = r#"mutation Make { createLabel(input: {name: "x"}) { id } }"#;
    crate::harness::eventually("the tenant is back", async || {
        let answer = robot.query(make).await.json();
        answer["data"]["createLabel"]["id"]
            .is_string()
            .then_some(())
    })
    .await;

    let page = log(&robot, json!({"where": {"failed": false}})).await;
    let entries = page["nodes"].as_array().unwrap();
    let one = |action: &str| {
        let mut found = entries.iter().filter(|entry| entry["action"] == action);
        found.next().unwrap_or_else(|| panic!("{action}: {page:#}"))
    };
    for (action, _, told) in ASKED {
        let entry = one(action);
        let kind_and_name = (&entry["kind"], &entry["actor"]["name"]);
        assert_eq!(
            kind_and_name,
            (&json!("ACCESS"), &json!("Olga Owner")),
            "{action}"
        );
        assert_eq!(entry["ip"], "127.0.0.1", "{action}");
        assert!(
            entry["details"].to_string().contains(told),
            "{action}: {entry}"
        );
    }
    let suspended = one("suspendTenant");
    assert_eq!(
        (&suspended["kind"], &suspended["actor"]["kind"]),
        (&json!("TENANT"), &json!("command_line"))
    );
    assert!(
        suspended["details"]
            .to_string()
            .contains("unpaid since May")
    );
    assert_eq!(one("resumeTenant")["kind"], "TENANT");
    let actor = &one("Make")["actor"];
    let (kind, name) = (&actor["kind"], &actor["name"]);
    assert_eq!((kind, name), (&json!("api_key"), &json!("Robot")));
    for secret in ["demo-password", "another-password", key.as_str().unwrap()] {
        assert!(!page.to_string().contains(secret));
    }
}
