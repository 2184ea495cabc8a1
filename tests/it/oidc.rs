//! Tokens from elsewhere: whose are taken, who becomes a member by one, and every way to forge one.

mod attacks;
mod hosts;

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use crate::harness::issuer::{Issuer, Key};
use crate::harness::{Caller, Service};

/// The claim with the tenant, as Auth0 wants such claims to be named.
const TENANT: &str = "https://example.com/tenant";

const WHO: &str = "{ viewer { email name role } }";

/// A replica that trusts the issuer.
async fn trusting(issuer: &Issuer, more: &[&str]) -> Service {
    let url = issuer.url.as_str();
    let flags = ["--oidc-issuer", url, "--oidc-audience", "https://api.test"];
    let claims = [
        "--oidc-tenant-claim",
        TENANT,
        "--oidc-role-claim",
        "realm.roles",
    ];
    let arguments = [&flags[..], &claims, more].concat();
    Service::replica_named("oidc", &arguments).await
}

/// A tenant of the test's own that takes in people in this way.
async fn tenant(provisioning: &str) -> Caller {
    let service = Service::shared();
    let owner = service.sign_up("oidc").await;
    let set = "update tenantry.tenants set provisioning = $1 where subdomain = $2";
    let psql = service.psql().await;
    psql.execute(set, &[&provisioning, &owner.subdomain()])
        .await
        .unwrap();
    owner
}

async fn users(tenant: &Caller) -> Vec<Value> {
    let list = "{ users(orderBy: [{email: ASC}]) { nodes { email role } } }";
    let data = tenant.query(list).await.data();
    data["users"]["nodes"].as_array().unwrap().clone()
}

/// The code and the message of the only error.
async fn refusal(caller: &Caller) -> (String, String) {
    let answer = caller.query(WHO).await;
    let message = answer.json()["errors"][0]["message"].clone();
    (
        answer.code(),
        message.as_str().unwrap_or_default().to_owned(),
    )
}

#[tokio::test]
async fn whom_an_issuer_vouches_for_becomes_a_member_once() {
    let key = Key::new("2026", Algorithm::RS256);
    let issuer = Issuer::start(&[&key]);
    let replica = trusting(&issuer, &[]).await;
    let owner = tenant("anyone").await;
    let mut claims = issuer.claims("nina");
    claims[TENANT] = owner.subdomain().into();
    let nina = owner.at(&replica).with_token(Some(&key.sign(&claims)));
    let arrivals = (0..20).map(|_| nina.query(WHO));
    for answer in futures_util::future::join_all(arrivals).await {
        let viewer = json!({"viewer": {"email": "nina@elsewhere.test", "name": "nina Elsewhere", "role": "member"}});
        assert_eq!(answer.data(), viewer);
    }
    assert_eq!(users(&owner).await.len(), 2, "she and the owner");
    // Another token of hers, by the tenant's id, with a role of its own; and a viewer's transaction only reads.
    let current = "select id::text from tenantry.tenants where subdomain = $1";
    let psql = Service::shared().psql().await;
    let id: String = psql
        .query_one(current, &[&owner.subdomain()])
        .await
        .unwrap()
        .get(0);
    claims[TENANT] = json!(["somebody-else", id]);
    claims["realm"] = json!({"roles": ["viewer", "offline_access"]});
    let reads = nina.with_token(Some(&key.sign(&claims)));
    assert_eq!(
        reads.query(WHO).await.data()["viewer"]["email"],
        "nina@elsewhere.test"
    );
    let create = "mutation { createLabel(input: {name: \"x\", color: \"#000000\"}) { name } }";
    assert_eq!(nina.query(create).await.status, 200);
    assert_eq!(reads.query(create).await.code(), "FORBIDDEN");
    // Taken out, she stays out, however good her token is.
    let remove = "delete from tenantry.memberships m using tenantry.accounts a \
                  where a.id = m.account_id and a.email = 'nina@elsewhere.test'";
    let touch = "update tenantry.tenants set access_changed_at = now() where subdomain = $1";
    psql.execute(remove, &[]).await.unwrap();
    psql.execute(touch, &[&owner.subdomain()]).await.unwrap();
    crate::harness::within(
        std::time::Duration::from_secs(1),
        "she is out",
        async || (nina.query(WHO).await.status == 403).then_some(()),
    )
    .await;
}

#[tokio::test]
async fn every_kind_of_key_is_good() {
    let algorithms = [
        Algorithm::RS256,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
    ];
    let keys = algorithms.map(|algorithm| Key::new(&format!("{algorithm:?}"), algorithm));
    let issuer = Issuer::start(&keys.each_ref());
    let replica = trusting(&issuer, &[]).await;
    let owner = tenant("anyone").await.at(&replica);
    for key in &keys {
        let mut claims = issuer.claims("kim");
        claims[TENANT] = owner.subdomain().into();
        let caller = owner.with_token(Some(&key.sign(&claims)));
        let answer = caller.query(WHO).await;
        assert_eq!(answer.status, 200, "{}: {answer:?}", key.id);
    }
}

#[tokio::test]
async fn tenants_say_who_comes_in() {
    let key = Key::new("k", Algorithm::ES256);
    let issuer = Issuer::start(&[&key]);
    let replica = trusting(&issuer, &[]).await;
    let psql = Service::shared().psql().await;
    let domains = "update tenantry.tenants set provisioning_domains = '{partner.test,Elsewhere.Test}' where subdomain = $1";
    for (mode, person, patch, expected) in [
        (
            "off",
            "oda",
            json!({}),
            Some("you are no member of this tenant"),
        ),
        (
            "invitation",
            "ira",
            json!({}),
            Some("you are no member of this tenant"),
        ),
        ("domain", "dora", json!({}), None),
        (
            "domain",
            "dirk",
            json!({"email": "dirk@elsewhere.test.evil.test"}),
            Some("you are no member of this tenant"),
        ),
        (
            "domain",
            "dan",
            json!({"email_verified": false}),
            Some("no verified e-mail address"),
        ),
        ("anyone", "ann", json!({}), None),
        (
            "anyone",
            "abe",
            json!({"email": null}),
            Some("no verified e-mail address"),
        ),
        // Somebody signed up with this address, whoever that was.
        (
            "anyone",
            "ada",
            json!({"email": "ADA@acme.test"}),
            Some("reset its password"),
        ),
    ] {
        let owner = tenant(mode).await.at(&replica);
        psql.execute(domains, &[&owner.subdomain()]).await.unwrap();
        let mut claims = issuer.claims(&format!("{person}-{}", owner.subdomain()));
        claims[TENANT] = owner.subdomain().into();
        for (name, value) in patch.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let caller = owner.with_token(Some(&key.sign(&claims)));
        match expected {
            None => assert_eq!(caller.query(WHO).await.status, 200, "{person}"),
            Some(expected) => {
                let (code, message) = refusal(&caller).await;
                assert_eq!(code, "FORBIDDEN", "{person}");
                assert!(message.contains(expected), "{person}: {message}");
            }
        }
        let come = usize::from(expected.is_none());
        assert_eq!(users(&owner).await.len(), 1 + come, "{person}");
    }
}

/// Also of somebody who was a member once: an invitation brings people back, a token alone does not.
#[tokio::test]
async fn invited_people_need_no_other_step() {
    let key = Key::new("k", Algorithm::ES256);
    let issuer = Issuer::start(&[&key]);
    let replica = trusting(&issuer, &[]).await;
    let owner = tenant("invitation").await.at(&replica);
    let subject = format!("ivy-{}", owner.subdomain());
    let mut claims = issuer.claims(&subject);
    claims[TENANT] = owner.subdomain().into();
    let ivy = owner.with_token(Some(&key.sign(&claims)));
    let invite = "mutation ($email: String!) { inviteMember(input: {email: $email, role: ADMIN}) { email } }";
    let email = format!("{}@Elsewhere.test", subject.to_uppercase());
    let comes = async |role: &str| {
        assert_eq!(refusal(&ivy).await.0, "FORBIDDEN");
        // The replica sends no mails.
        let inviter = owner.at(Service::shared());
        inviter.ask(invite, json!({"email": email})).await.data();
        let viewer = crate::harness::eventually("she comes in", async || {
            let answer = ivy.query(WHO).await;
            (answer.status == 200).then(|| answer.data())
        });
        assert_eq!(viewer.await["viewer"]["role"], role);
        assert_eq!(users(&owner).await.len(), 2);
    };
    comes("admin").await;
    let invitations = owner
        .query("{ currentTenant { invitations { email } } }")
        .await
        .data();
    assert_eq!(invitations["currentTenant"]["invitations"], json!([]));
    let remove = "mutation { leaveTenant { email } }";
    assert_eq!(ivy.query(remove).await.status, 200);
    crate::harness::eventually("she is out", async || {
        (ivy.query(WHO).await.status == 403).then_some(())
    })
    .await;
    comes("admin").await;
}

/// Who has an account whose address is proven is that account, also without being taken in.
#[tokio::test]
async fn members_are_known_by_their_proven_address() {
    let key = Key::new("k", Algorithm::EdDSA);
    let issuer = Issuer::start(&[&key]);
    let replica = trusting(&issuer, &[]).await;
    let owner = tenant("off").await.at(&replica);
    let email = format!("owner@{}.test", owner.subdomain());
    let mut claims = issuer.claims("whoever");
    claims[TENANT] = owner.subdomain().into();
    claims["email"] = email.as_str().into();
    let caller = owner.with_token(Some(&key.sign(&claims)));
    assert_eq!(refusal(&caller).await.0, "FORBIDDEN");
    let psql = Service::shared().psql().await;
    let prove = "update tenantry.accounts set email_verified_at = now() where email = $1";
    psql.execute(prove, &[&email]).await.unwrap();
    claims["jti"] = "another".into();
    let viewer = crate::harness::eventually("he is known", async || {
        let answer = caller.query(WHO).await;
        (answer.status == 200).then(|| answer.data())
    });
    assert_eq!(viewer.await["viewer"]["role"], "owner");
}

#[tokio::test]
async fn keys_change_and_issuers_fail() {
    let keys = ["one", "two"].map(|id| Key::new(id, Algorithm::ES256));
    let issuer = Issuer::start(&[&keys[0]]);
    issuer.set_down(true);
    let replica = trusting(&issuer, &[]).await;
    let owner = tenant("anyone").await.at(&replica);
    let mut claims = issuer.claims("rita");
    claims[TENANT] = owner.subdomain().into();
    let mut signed = |key: &Key, id: u32| {
        claims["jti"] = id.into(); // no token comes twice, so that each signature is checked
        owner.with_token(Some(&key.sign(&claims)))
    };
    // The service started without the issuer; its own tokens do not mind, and the issuer's do not yet work.
    assert_eq!(owner.query(WHO).await.status, 200);
    assert_eq!(signed(&keys[0], 1).query(WHO).await.code(), "OVERLOADED");
    issuer.set_down(false);
    let known = signed(&keys[0], 2);
    crate::harness::eventually("the issuer is back", async || {
        (known.query(WHO).await.status == 200).then_some(())
    })
    .await;
    // Gone again: keys that are known go on, others are unknown.
    issuer.set_down(true);
    assert_eq!(signed(&keys[0], 3).query(WHO).await.status, 200);
    assert_eq!(
        signed(&keys[1], 4).query(WHO).await.code(),
        "UNAUTHENTICATED"
    );
    issuer.set_down(false);
    // A new key is good at its first use, for all who come with it, and has the issuer asked once.
    let fresh = Issuer::start(&[&keys[0]]);
    let replica = trusting(&fresh, &[]).await;
    let owner = owner.at(&replica);
    let mut claims = fresh.claims("rosa");
    claims[TENANT] = owner.subdomain().into();
    let warm = owner.with_token(Some(&keys[0].sign(&claims)));
    assert_eq!(warm.query(WHO).await.status, 200);
    let before = fresh.asked();
    fresh.publish(&[&keys[1]]);
    let requests = (0..10).map(|id: u32| {
        claims["jti"] = id.into();
        let caller = owner.with_token(Some(&keys[1].sign(&claims)));
        async move { caller.query(WHO).await.status }
    });
    let requests: Vec<_> = requests.collect();
    let statuses = futures_util::future::join_all(requests).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(fresh.asked(), before + 1);
    // The old key is no key any more.
    claims["jti"] = "late".into();
    let late = owner.with_token(Some(&keys[0].sign(&claims)));
    assert_eq!(refusal(&late).await.0, "UNAUTHENTICATED");
    // However many strange keys are named, the issuer is asked a few times.
    for id in 0..50 {
        claims["jti"] = id.into();
        let header = keys[1].posing_as(Some(&format!("strange-{id}")));
        let caller = owner.with_token(Some(&keys[1].sign_as(&header, &claims)));
        assert_eq!(caller.query(WHO).await.code(), "UNAUTHENTICATED");
    }
    assert!(fresh.asked() <= before + 6, "{} times", fresh.asked());
}
