//! Tenants' own domains: nobody has one without proof, and all replicas know who has.

mod proof;

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::dns::NameServer;
use crate::harness::service::unique;
use crate::harness::{Caller, Service, within};

const FIELDS: &str = "{ name verified record { name value } }";

async fn change(caller: &Caller, field: &str, name: &str) -> crate::harness::Answer {
    let mutation = format!("mutation ($name: String!) {{ {field}(name: $name) {FIELDS} }}");
    caller.ask(&mutation, json!({"name": name})).await
}

async fn add(caller: &Caller, name: &str) -> Value {
    change(caller, "addDomain", name).await.data()["addDomain"].take()
}

/// Whose workspace answers at a host.
async fn who_is_at(replica: &Service, host: &str, as_is: &Caller) -> String {
    let caller = replica.host(host).with_token(as_is.token.as_deref());
    let answer = caller.query("{ currentTenant { subdomain } }").await;
    if answer.status != 200 {
        return answer.code();
    }
    let data = answer.data();
    data["currentTenant"]["subdomain"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_domain_is_used_once_it_is_proven() {
    let names = NameServer::start();
    let replicas = [
        Service::replica(&["--dns-server", &names.address]).await,
        Service::replica(&["--dns-server", &names.address]).await,
    ];
    let service = Service::shared();
    let (owner, rival) = (
        service.sign_up("domain").await.at(&replicas[0]),
        service.sign_up("domain").await.at(&replicas[1]),
    );
    let host = format!("app.{}.test", unique("own"));
    let claimed = add(&owner, &format!(" {}. ", host.to_uppercase())).await;
    assert_eq!(claimed["name"], host.as_str());
    assert_eq!(claimed["verified"], false);
    assert_eq!(add(&owner, &host).await, claimed, "as it was");
    assert_eq!(
        who_is_at(&replicas[0], &host, &owner).await,
        "TENANT_NOT_FOUND"
    );
    // Others may claim it as well, and each has a proof of its own to bring.
    let (name, value) = (&claimed["record"]["name"], &claimed["record"]["value"]);
    let (name, value) = (name.as_str().unwrap(), value.as_str().unwrap());
    let rivals = add(&rival, &host).await;
    assert_ne!(rivals["record"]["value"], value);
    for caller in [&owner, &rival] {
        assert_eq!(
            change(caller, "verifyDomain", &host).await.code(),
            "CONFLICT"
        );
    }
    names.set(name, &["v=spf1 -all", value]);
    assert_eq!(
        change(&rival, "verifyDomain", &host).await.code(),
        "CONFLICT"
    );
    let verified = change(&owner, "verifyDomain", &host).await.data();
    assert_eq!(verified["verifyDomain"]["verified"], true);
    for replica in &replicas {
        within(Duration::from_secs(1), "all replicas know", async || {
            let found = who_is_at(replica, &host, &owner).await;
            (found == owner.subdomain()).then_some(())
        })
        .await;
        assert_eq!(
            who_is_at(replica, &host.to_uppercase(), &owner).await,
            owner.subdomain()
        );
        assert_eq!(who_is_at(replica, &host, &rival).await, "FORBIDDEN");
        assert_eq!(
            who_is_at(replica, &format!("x.{host}"), &owner).await,
            "TENANT_NOT_FOUND"
        );
    }
    // It is taken now, whatever the rival proves.
    names.set(name, &[rivals["record"]["value"].as_str().unwrap()]);
    assert_eq!(
        change(&rival, "verifyDomain", &host).await.code(),
        "CONFLICT"
    );
    let list = format!("{{ currentTenant {{ domains {FIELDS} }} }}");
    let listed = owner.query(&list).await.data();
    assert_eq!(listed["currentTenant"]["domains"][0]["verified"], true);
    // Given up, it is nobody's, and then the rival's.
    change(&owner, "removeDomain", &host).await.data();
    for replica in &replicas {
        within(Duration::from_secs(1), "given up", async || {
            let found = who_is_at(replica, &host, &owner).await;
            (found == "TENANT_NOT_FOUND").then_some(())
        })
        .await;
    }
    change(&rival, "verifyDomain", &host).await.data();
    within(Duration::from_secs(1), "the rival's", async || {
        let found = who_is_at(&replicas[0], &host, &rival).await;
        (found == rival.subdomain()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_no_domain_of_a_tenant_is_refused() {
    let service = Service::shared();
    let owner = service.sign_up("domain").await;
    for name in [
        "",
        "acme",
        "localhost",
        "globex.localhost",
        "api.localhost",
        "app.globex.localhost",
        "127.0.0.1",
        "https://app.example.com",
        "app.example.com:80",
        "*.example.com",
        "a'b.com",
        "app.example.com/x",
    ] {
        for field in ["addDomain", "verifyDomain", "removeDomain"] {
            let answer = change(&owner, field, name).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{field} {name}");
        }
    }
    for field in ["verifyDomain", "removeDomain"] {
        let answer = change(&owner, field, "not-mine.example.com").await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{field}");
    }
    let anonymous = owner.with_token(None);
    let answer = change(&anonymous, "addDomain", "app.example.com").await;
    assert_eq!(answer.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn admins_say_who_comes_in() {
    let owner = Service::shared().sign_up("provisioning").await;
    let set = "mutation ($input: TenantProvisioningInput!) { setProvisioning(input: $input) { mode domains role } }";
    let current = "{ currentTenant { provisioning { mode domains role } } }";
    let off = json!({"mode": "OFF", "domains": [], "role": "MEMBER"});
    assert_eq!(
        owner.query(current).await.data()["currentTenant"]["provisioning"],
        off
    );
    let input = json!({"mode": "DOMAIN", "domains": ["Acme.Example"], "role": "VIEWER"});
    let expected = json!({"mode": "DOMAIN", "domains": ["acme.example"], "role": "VIEWER"});
    let answer = owner.ask(set, json!({"input": input})).await.data();
    assert_eq!(answer["setProvisioning"], expected);
    assert_eq!(
        owner.query(current).await.data()["currentTenant"]["provisioning"],
        expected
    );
    for bad in [
        json!({"mode": "ANYONE", "role": "OWNER"}),
        json!({"mode": "DOMAIN"}),
        json!({"mode": "DOMAIN", "domains": ["no domain"]}),
    ] {
        let answer = owner.ask(set, json!({"input": bad})).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{bad}");
    }
}
