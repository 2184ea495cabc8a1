//! Who gets in where: every kind of host and token, against a real registry.

mod sessions;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Admission, Credentials, Identity};
use crate::error::{Code, Failure};
use crate::names::{MemberRole, TenantId};
use crate::registry::access_changed;
use crate::testing::{Replica, TestDatabase, client, eventually};

fn password<'a>(email: &'a str, password: &'a str) -> Credentials<'a> {
    Credentials::Password { email, password }
}

async fn refusal(replica: &Replica, host: Option<&str>, authorization: Option<&str>) -> Code {
    let admitted: Result<Admission, Failure> = replica.guard.admit(host, authorization).await;
    admitted
        .expect_err(&format!("{host:?} {authorization:?} was admitted"))
        .code
}

#[tokio::test]
async fn hosts_decide_before_tokens_do() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    replica.sign_up("acme").await;
    replica.sign_up("asleep").await;
    let suspend = "update tenantry.tenants set status = 'suspended' where subdomain = 'asleep'";
    test.superuser().await.batch_execute(suspend).await.unwrap();
    let bad = Some("Bearer nonsense");
    for host in [
        "nobody.localhost",
        "acme.example.com",
        "a.acme.localhost",
        "127.0.0.1:8080",
        "www.localhost",
        "",
    ] {
        assert_eq!(
            refusal(&replica, Some(host), None).await,
            Code::TenantNotFound,
            "{host}"
        );
        assert_eq!(
            refusal(&replica, Some(host), bad).await,
            Code::TenantNotFound,
            "{host}"
        );
    }
    assert_eq!(refusal(&replica, None, None).await, Code::TenantNotFound);
    let asleep = async || refusal(&replica, Some("asleep.localhost:8080"), bad).await;
    while asleep().await != Code::TenantSuspended {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let platform = Some("localhost:8080");
    assert_eq!(
        refusal(&replica, platform, bad).await,
        Code::Unauthenticated
    );
    assert!(matches!(
        replica.guard.admit(platform, None).await,
        Ok(Admission::Platform(_))
    ));
    let admitted = replica
        .guard
        .admit(Some("ACME.localhost."), None)
        .await
        .unwrap();
    let Admission::Tenant(context) = admitted else {
        panic!("{admitted:?}")
    };
    assert_eq!(context.tenant().subdomain.as_str(), "acme");
    assert_eq!(*context.identity(), Identity::Anonymous);
}

#[tokio::test]
async fn a_token_opens_one_tenant() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let (acme, globex) = (
        replica.sign_up("acme").await,
        replica.sign_up("globex").await,
    );
    let token = replica
        .guard
        .welcome(&acme, &client())
        .await
        .unwrap()
        .access;
    let header = format!("Bearer {}", token.as_str());
    let admitted = replica
        .guard
        .admit(Some("acme.localhost"), Some(&header))
        .await
        .unwrap();
    let Admission::Tenant(context) = admitted else {
        panic!("{admitted:?}")
    };
    assert_eq!(
        *context.identity(),
        Identity::Member {
            user: acme.owner,
            role: MemberRole::Owner
        }
    );
    assert_eq!(
        refusal(&replica, Some("globex.localhost"), Some(&header)).await,
        Code::Forbidden
    );
    let (claims, signature) = token.as_str().rsplit_once('.').unwrap();
    let (head, body) = claims.split_once('.').unwrap();
    // The claims of the other tenant, unsigned, or under the signature of this one.
    let claims_text = String::from_utf8(URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap();
    let stolen = URL_SAFE_NO_PAD
        .encode(claims_text.replace(&acme.tenant.id.to_string(), &globex.tenant.id.to_string()));
    let none = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"none"}"#);
    for header in [
        format!("Bearer {head}.{stolen}.{signature}"),
        format!("Bearer {none}.{stolen}."),
        format!("Bearer {none}.{stolen}.{signature}"),
        format!("Basic {}", token.as_str()),
        token.as_str().to_owned(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        String::new(),
    ] {
        assert_eq!(
            refusal(&replica, Some("globex.localhost"), Some(&header)).await,
            Code::Unauthenticated,
            "{header}"
        );
    }
    let lower = format!("bearer   {} ", token.as_str());
    assert!(
        replica
            .guard
            .admit(Some("acme.localhost"), Some(&lower))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn logging_in_gives_a_context_and_a_token() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let acme = replica.sign_up("acme").await;
    eventually(|| replica.directory.is_listening()).await;
    let Ok(Admission::Tenant(anonymous)) = replica.guard.admit(Some("acme.localhost"), None).await
    else {
        panic!()
    };
    let (context, granted) = replica
        .guard
        .log_in(
            &anonymous,
            password("owner@acme.test", "demo-password"),
            &client(),
        )
        .await
        .unwrap();
    assert_eq!(
        *context.identity(),
        Identity::Member {
            user: acme.owner,
            role: MemberRole::Owner
        }
    );
    let header = format!("Bearer {}", granted.access.as_str());
    assert!(
        replica
            .guard
            .admit(Some("acme.localhost"), Some(&header))
            .await
            .is_ok()
    );
    let failure = replica
        .guard
        .log_in(&anonymous, password("owner@acme.test", "wrong"), &client())
        .await
        .unwrap_err();
    assert_eq!(failure.code, Code::Unauthenticated);
}

/// Runs a statement of the registry's owner that changes who may do what at a tenant.
async fn change_access(replica: &Replica, tenant: TenantId, statement: &str) {
    let mut connection = replica.registry.connection().await.unwrap();
    let transaction = connection.transaction().await.unwrap();
    transaction.batch_execute(statement).await.unwrap();
    access_changed(&transaction, &[tenant]).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn what_is_taken_away_is_gone_on_every_replica_within_a_second() {
    let test = TestDatabase::new().await;
    let (here, there) = (test.replica().await, test.replica().await);
    let (acme, globex) = (here.sign_up("acme").await, here.sign_up("globex").await);
    let bearer = async |signed_up| {
        let granted = here.guard.welcome(signed_up, &client()).await.unwrap();
        format!("Bearer {}", granted.access.as_str())
    };
    let (ours, theirs) = (bearer(&acme).await, bearer(&globex).await);
    let role = async |header: &str, host| {
        let admitted = there.guard.admit(Some(host), Some(header)).await;
        let Admission::Tenant(context) = admitted.map_err(|failure| failure.code)? else {
            panic!("not the platform")
        };
        match context.identity() {
            Identity::Member { role, .. } => Ok(*role),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(role(&ours, "acme.localhost").await, Ok(MemberRole::Owner));
    let becomes = async |wanted: Result<MemberRole, Code>| {
        for _ in 0..100 {
            if role(&ours, "acme.localhost").await == wanted {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("not {wanted:?} within a second");
    };
    let demote = "update tenantry.memberships set role = 'viewer'";
    change_access(&there, acme.tenant.id, demote).await;
    becomes(Ok(MemberRole::Viewer)).await;
    change_access(&here, acme.tenant.id, "delete from tenantry.memberships").await;
    becomes(Err(Code::Unauthenticated)).await;
    // Nothing was said of the other tenant, so nobody is asked about its tokens.
    assert_eq!(
        role(&theirs, "globex.localhost").await,
        Ok(MemberRole::Owner)
    );
}
