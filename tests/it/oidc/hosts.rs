//! The host of all tenants, where the token says which one is meant.

use jsonwebtoken::Algorithm;
use serde_json::json;

use super::{TENANT, WHO, refusal, tenant, trusting};
use crate::harness::issuer::{Issuer, Key};
use crate::harness::{Service, within};

#[tokio::test]
async fn the_token_says_which_tenant_is_meant() {
    let key = Key::new("k", Algorithm::ES256);
    let issuer = Issuer::start(&[&key]);
    let replica = trusting(&issuer, &[]).await;
    let owner = tenant("anyone").await.at(&replica);
    let psql = Service::shared().psql().await;
    let id = "select id::text from tenantry.tenants where subdomain = $1";
    let id: String = psql
        .query_one(id, &[&owner.subdomain()])
        .await
        .unwrap()
        .get(0);
    let api = replica.host("api.localhost");
    let mut claims = issuer.claims("mona");
    for (claim, expected) in [
        (json!(owner.subdomain()), Ok(())),
        (json!(id), Ok(())),
        (json!([owner.subdomain()]), Ok(())),
        (json!([owner.subdomain(), "acme"]), Err("UNAUTHENTICATED")),
        (json!("nobody-here"), Err("TENANT_NOT_FOUND")),
        (json!("no subdomain"), Err("TENANT_NOT_FOUND")),
        (
            json!("0190163d-8694-739b-aea5-966c26f8ad91"),
            Err("TENANT_NOT_FOUND"),
        ),
        (json!("acme"), Err("FORBIDDEN")),
    ] {
        claims[TENANT] = claim.clone();
        let caller = api.with_token(Some(&key.sign(&claims)));
        let answer = caller.query(WHO).await;
        match expected {
            Ok(()) => assert_eq!(answer.data()["viewer"]["email"], "mona@elsewhere.test"),
            Err(code) => assert_eq!(answer.code(), code, "{claim}"),
        }
    }
    // The service's own tokens name their tenant as well.
    let own = api.with_token(owner.token.as_deref());
    assert_eq!(own.query(WHO).await.data()["viewer"]["role"], "owner");
    assert_eq!(refusal(&api).await.0, "UNAUTHENTICATED");
    assert_eq!(
        refusal(&api.with_token(Some("x.y.z"))).await.0,
        "UNAUTHENTICATED"
    );
    // The base domain stays the service's own, whatever the token says.
    let service = "{ service { name } }";
    let platform = replica.platform().query(service).await.data();
    assert_eq!(platform["service"]["name"], "tenantry");
    // A suspension holds here, too.
    let suspend = "update tenantry.tenants set status = 'suspended' where subdomain = $1";
    psql.execute(suspend, &[&owner.subdomain()]).await.unwrap();
    within(std::time::Duration::from_secs(1), "suspended", async || {
        let answer = own.query(WHO).await;
        (answer.status == 403 && answer.code() == "TENANT_SUSPENDED").then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_host_of_all_tenants_may_be_any_other() {
    let replica = Service::replica(&["--api-host", "gql.example.test"]).await;
    let ada = replica.tenant("acme").owner().await;
    let at = |host| replica.host(host).with_token(ada.token.as_deref());
    assert_eq!(at("GQL.example.test").query(WHO).await.status, 200);
    assert_eq!(at("api.localhost").query(WHO).await.status, 404);
}
