//! Logging in: members get in, and nobody learns who has an account.

use crate::error::Code;
use crate::names::MemberRole;
use crate::registry::LoggedIn;
use crate::testing::{TestDatabase, client};

#[tokio::test]
async fn members_log_in_and_others_all_get_the_same_answer() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let (acme, globex) = (
        replica.sign_up("acme").await,
        replica.sign_up("globex").await,
    );
    let log_in = async |tenant, email, password| {
        replica
            .registry
            .log_in(Some(tenant), email, password, &client())
            .await
    };
    let acme_id = acme.tenant.id;
    for email in ["owner@acme.test", " OWNER@ACME.TEST "] {
        let member = log_in(acme_id, email, "demo-password").await.unwrap();
        assert_eq!(
            member,
            LoggedIn {
                account: acme.owner,
                role: Some(MemberRole::Owner)
            }
        );
    }
    for (tenant, email, password) in [
        (acme_id, "owner@acme.test", "demo-passwort"),
        (acme_id, "owner@acme.test", ""),
        (acme_id, "nobody@acme.test", "demo-password"),
        (acme_id, "owner@globex.test", "demo-password"),
        (globex.tenant.id, "owner@acme.test", "demo-password"),
        (acme_id, "' or true --", "demo-password"),
        (acme_id, "owner@acme.test\0", "demo-password"),
        (acme_id, "", ""),
    ] {
        let failure = log_in(tenant, email, password).await.unwrap_err();
        assert_eq!(
            (failure.code, failure.message.as_ref()),
            (Code::Unauthenticated, "wrong email or password")
        );
    }
}
