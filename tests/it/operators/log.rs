//! The audit log and the limits of tenants, as operators have them at the base domain.

use serde_json::{Value, json};

use super::operator;
use crate::harness::Service;

const LOG: &str = "query ($tenant: String, $first: Int! = 50, $after: String, $where: TenantAuditFilter) {
    auditLog(tenant: $tenant, first: $first, after: $after, where: $where) {
        nodes { tenant tenantId action kind outcome actor { kind name role } details { name value } }
        pageInfo { hasNextPage endCursor } } }";

const CHANGE: &str = "mutation ($tenant: String!, $changes: [OwnLimitInput!]!) {
    changeTenantLimits(tenant: $tenant, changes: $changes) { name value } }";

#[tokio::test]
async fn operators_change_limits_and_read_the_log_of_all() {
    let service = Service::shared();
    let (email, operator) = operator(service, "reads").await;
    let owner = service.sign_up("limited").await;
    let (tenant, other) = (owner.subdomain(), service.sign_up("limited").await);
    let change = async |changes: Value| {
        let variables = json!({"tenant": tenant, "changes": changes});
        operator.ask(CHANGE, variables).await
    };
    let changes =
        json!([{"name": "ROWS", "value": "50"}, {"name": "STORAGE", "value": 5_000_000_000_i64}]);
    let expected =
        json!([{"name": "ROWS", "value": "50"}, {"name": "STORAGE", "value": "5000000000"}]);
    let answer = change(changes).await.data();
    assert_eq!(answer["changeTenantLimits"], expected);
    for bad in [json!("0"), json!(-1), json!("1000000000000000000")] {
        let changes = json!([{"name": "ROWS", "value": bad}]);
        assert_eq!(change(changes).await.code(), "BAD_USER_INPUT", "{bad}");
    }
    let without = change(json!([{"name": "ROWS"}])).await.data();
    assert_eq!(without["changeTenantLimits"], json!([expected[1]]));

    let read = async |variables: Value| {
        let page = operator.ask(LOG, variables).await.data()["auditLog"].clone();
        let nodes = page["nodes"].as_array().unwrap().clone();
        (nodes, page["pageInfo"]["endCursor"].clone())
    };
    let about_it = json!({"kind": "TENANT"});
    let (entries, _) = read(json!({"tenant": tenant, "where": about_it})).await;
    let actions: Vec<_> = entries
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        actions,
        ["changeTenantLimits", "changeTenantLimits", "signUp"]
    );
    let by = json!({"kind": "operator", "name": email, "role": null});
    assert_eq!(
        (&entries[0]["actor"], &entries[0]["tenant"]),
        (&by, &json!(tenant))
    );
    let by = json!({"kind": "user", "name": "Olga Owner", "role": "owner"});
    assert_eq!(
        entries[2]["actor"], by,
        "who signs up is there from the start"
    );

    // All tenants: whoever is nobody's operator sees none of it.
    let signed_up = json!({"action": "signUp", "kind": "TENANT"});
    let (all, _) = read(json!({"where": signed_up, "first": 1000})).await;
    for tenant in [tenant, other.subdomain()] {
        assert!(
            all.iter().any(|entry| entry["tenant"] == tenant),
            "{tenant}"
        );
    }
    let (one, end) = read(json!({"where": signed_up, "first": 1})).await;
    let (next, _) = read(json!({"where": signed_up, "first": 1, "after": end})).await;
    assert_ne!(one[0]["tenantId"], next[0]["tenantId"]);
    for (variables, code) in [
        (json!({"tenant": "nobody-is-here"}), "TENANT_NOT_FOUND"),
        (json!({"first": 1001}), "BAD_USER_INPUT"),
        (json!({"after": "x"}), "BAD_USER_INPUT"),
    ] {
        assert_eq!(operator.ask(LOG, variables).await.code(), code);
    }
    let anybody = service.platform();
    assert_eq!(anybody.ask(LOG, json!({})).await.code(), "UNAUTHENTICATED");
    let changes = json!({"tenant": tenant, "changes": []});
    assert_eq!(anybody.ask(CHANGE, changes).await.code(), "UNAUTHENTICATED");
    // A tenant's token is none of an operator.
    let owner = anybody.with_token(owner.token.as_deref());
    assert!(["UNAUTHENTICATED", "FORBIDDEN"].contains(&&*owner.ask(LOG, json!({})).await.code()));
}
