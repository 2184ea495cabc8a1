//! Guessing passwords: slower and slower for whoever does, on all replicas, and not for the owner.

use std::net::Ipv6Addr;

use crate::error::{Code, Failure};
use crate::names::{EmailAddress, SessionId};
use crate::registry::audit::Actor;
use crate::registry::{By, LoggedIn, Session, TokenHashes};
use crate::request::RequestInfo;
use crate::testing::{Replica, TestDatabase, client};

const OWNER: &str = "owner@acme.test";

async fn guess(
    replica: &Replica,
    email: &str,
    password: &str,
    client: &RequestInfo,
) -> Result<LoggedIn, Failure> {
    replica.registry.log_in(None, email, password, client).await
}

async fn refusal(replica: &Replica, email: &str, client: &RequestInfo) -> Code {
    guess(replica, email, "wrong", client)
        .await
        .unwrap_err()
        .code
}

#[tokio::test]
async fn an_account_under_attack_is_slow_everywhere_and_unknown_ones_alike() {
    let test = TestDatabase::new().await;
    let (here, there) = (test.replica().await, test.replica().await);
    here.sign_up("acme").await;
    for email in [OWNER, "nobody@acme.test"] {
        let mut codes = Vec::new();
        for _ in 0..8 {
            codes.push(refusal(&here, email, &client()).await);
        }
        let (wrong, wait) = (Code::Unauthenticated, Code::RateLimited);
        assert_eq!(
            codes,
            [wrong, wrong, wrong, wrong, wrong, wrong, wait, wait],
            "{email}"
        );
        // The right password does not help strangers, and another replica knows.
        let failure = guess(&there, email, "demo-password", &client())
            .await
            .unwrap_err();
        assert_eq!(failure.code, wait, "{email}");
        assert!(
            failure
                .details
                .retry_after
                .is_some_and(|seconds| (1..=60).contains(&seconds))
        );
    }
    // Of many guesses at once no more get through than of many in a row.
    let clients: Vec<_> = (0..20).map(|_| client()).collect();
    let at_once = clients
        .iter()
        .map(|client| refusal(&there, "third@acme.test", client));
    let codes = futures_util::future::join_all(at_once).await;
    assert!(
        codes
            .iter()
            .filter(|code| **code == Code::Unauthenticated)
            .count()
            <= 6,
        "{codes:?}"
    );
    // After the wait the owner gets in, and all is forgotten.
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    guess(&there, OWNER, "demo-password", &client())
        .await
        .unwrap();
    let row = test.superuser().await;
    let row = row
        .query_one("select count(*) from tenantry.guesses", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 2);
    assert_eq!(
        refusal(&there, OWNER, &client()).await,
        Code::Unauthenticated
    );
}

#[tokio::test]
async fn the_owner_gets_in_from_where_she_has_a_session() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let account = replica.sign_up("acme").await.owner;
    let home = client();
    let session = Session {
        id: SessionId(uuid::Uuid::now_v7()),
        account,
        tenant: None,
    };
    let tokens = (
        &TokenHashes::of(b"family", b"token"),
        std::time::Duration::from_mins(1),
    );
    replica
        .registry
        .begin_session(&session, None, tokens, (Some("logIn"), &home))
        .await
        .unwrap();
    for _ in 0..7 {
        refusal(&replica, OWNER, &client()).await;
    }
    assert_eq!(refusal(&replica, OWNER, &client()).await, Code::RateLimited);
    guess(&replica, OWNER, "demo-password", &home)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_address_may_be_wrong_about_fifty_accounts() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    replica.sign_up("acme").await;
    // One customer of a provider has all addresses that begin alike.
    let from = |last: u16| RequestInfo {
        ip: Ipv6Addr::new(0x2001, 0xdb8, 1, 2, 3, 4, 5, last).into(),
        ..client()
    };
    // On a slow machine time gives one back now and then.
    let mut wrong = 0;
    while wrong < 100 {
        let email = format!("user{wrong}@acme.test");
        match refusal(&replica, &email, &from(wrong)).await {
            Code::Unauthenticated => wrong += 1,
            code => {
                assert_eq!(code, Code::RateLimited);
                break;
            }
        }
    }
    assert!((50..100).contains(&wrong), "{wrong}");
    let failure = guess(&replica, OWNER, "demo-password", &from(100))
        .await
        .unwrap_err();
    assert_eq!(failure.code, Code::RateLimited);
    guess(&replica, OWNER, "demo-password", &client())
        .await
        .unwrap();
}

/// Whoever guesses at an operator's password from all over the world.
#[tokio::test]
async fn strangers_shut_no_operator_out() {
    let test = TestDatabase::new().await;
    let (here, there) = (test.replica().await, test.replica().await);
    let registry = &here.registry;
    let by = By {
        actor: Actor::CommandLine("root".to_owned()),
        request: None,
    };
    let email = EmailAddress::parse("olga@service.test").unwrap();
    let password = "an operator's password";
    let made = registry.create_operator(&by, &email, Some(password));
    made.await.unwrap();
    let home = client();
    let log_in = async |replica: &Replica, password: &str, client: &RequestInfo| {
        let registry = &replica.registry;
        let session = registry.operator_log_in(client, "Olga@service.test", password);
        session.await.map(drop).map_err(|failure| failure.code)
    };
    log_in(&here, password, &home).await.unwrap();
    let mut refused = 0;
    for _ in 0..20 {
        for replica in [&here, &there] {
            let outcome = log_in(replica, "wrong password", &client()).await;
            refused += u32::from(outcome == Err(Code::RateLimited));
        }
    }
    assert!(refused > 20, "{refused}");
    // Not even with the right password, for all that is known of them; she from where she has been, at any replica.
    let abroad = client();
    assert_eq!(
        log_in(&there, password, &abroad).await,
        Err(Code::RateLimited)
    );
    log_in(&there, password, &home).await.unwrap();
    assert_eq!(
        log_in(&there, "wrong password", &home).await,
        Err(Code::Unauthenticated)
    );
    // And from elsewhere by a token from the command line.
    let token = registry.reset_operator(&by, &email).await.unwrap();
    let chosen = there
        .registry
        .activate_operator(&abroad, token.as_str(), "another password");
    chosen.await.unwrap();
    log_in(&here, "another password", &abroad).await.unwrap();
}

#[tokio::test]
async fn an_account_with_an_operators_address_does_not_help_guessing_at_the_operator() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    // Anybody may sign up with it.
    replica.sign_up("acme").await;
    let by = By {
        actor: Actor::CommandLine("root".to_owned()),
        request: None,
    };
    let email = EmailAddress::parse(OWNER).unwrap();
    let registry = &replica.registry;
    let made = registry.create_operator(&by, &email, Some("an operator's password"));
    made.await.unwrap();
    for _ in 0..30 {
        let client = client();
        let log_in = registry.operator_log_in(&client, OWNER, "demo-password");
        let code = log_in.await.unwrap_err().code;
        if code == Code::RateLimited {
            return;
        }
        assert_eq!(code, Code::Unauthenticated);
        let own = guess(&replica, OWNER, "demo-password", &client).await;
        own.unwrap();
    }
    panic!("thirty guesses, and nobody had to wait");
}
