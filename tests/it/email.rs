//! Another address for an account.

use serde_json::{Value, json};

use crate::harness::{Answer, Caller, Service, eventually};
use crate::members::mailed;

const PASSWORD: &str = "demo-password";

/// At the base domain, with the account of a tenant's owner.
async fn log_in(there: &Caller, email: &str) -> Answer {
    let mutation = "mutation ($input: LogInInput!) { logIn(input: $input) { accessToken } }";
    let input = json!({"email": email, "password": PASSWORD});
    there.ask(mutation, json!({"input": input})).await
}

async fn account(service: &Service, email: &str) -> Caller {
    let base = service.platform();
    let data = log_in(&base, email).await.data();
    base.with_token(data["logIn"]["accessToken"].as_str())
}

async fn request(account: &Caller, email: &str, password: &str) -> Answer {
    let mutation =
        "mutation ($input: RequestEmailChangeInput!) { requestEmailChange(input: $input) }";
    let input = json!({"email": email, "password": password});
    account.ask(mutation, json!({"input": input})).await
}

async fn confirm(there: &Caller, token: &str) -> Answer {
    let mutation = "mutation ($token: String!) { confirmEmailChange(token: $token) }";
    there.ask(mutation, json!({"token": token})).await
}

/// The mails to an address: what they are, and about which other one.
fn mails(service: &Service, to: &str) -> Vec<(String, String)> {
    let events = service.process().events();
    let mails = events.iter().filter(|event| event["to"] == to);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    mails
        .map(|mail| (text(&mail["kind"]), text(&mail["email"])))
        .collect()
}

#[tokio::test]
async fn an_address_is_changed_once_the_new_one_is_proven() {
    let service = Service::dev(&[]);
    let red = service.sign_up("red").await;
    let blue = service.sign_up("blue").await;
    let address = |tenant: &Caller| format!("owner@{}.test", tenant.subdomain());
    let (old, others, new) = (address(&red), address(&blue), "new@else.test");
    let me = account(&service, &old).await;

    for (email, password, field) in [
        (new, "wrong-password", "password"),
        ("no address", PASSWORD, "email"),
        (&old.to_uppercase(), PASSWORD, "email"),
    ] {
        let refused = request(&me, email, password).await;
        assert_eq!(refused.code(), "BAD_USER_INPUT");
        let told = &refused.json()["errors"][0]["extensions"]["field"];
        assert_eq!(told, field);
    }
    // Whose address it is nobody learns, and its owner gets no mail.
    let answers = [
        request(&me, &others, PASSWORD).await,
        request(&me, new, PASSWORD).await,
    ];
    assert_eq!(answers[0].data(), answers[1].data());
    let token = mailed(&service, new).await;
    assert_eq!(
        mails(&service, new),
        [("EmailChange".to_owned(), new.to_owned())]
    );
    assert_eq!(mails(&service, &others), []);
    let notices = [&others, new].map(|new| ("EmailChangeRequested".to_owned(), new.to_owned()));
    assert_eq!(mails(&service, &old), notices);

    // What was sent to the old address before is good for nothing afterwards.
    let reset = format!("mutation {{ requestPasswordReset(email: \"{old}\") }}");
    me.with_token(None).query(&reset).await.data();
    let reset = mailed(&service, &old).await;
    let nobody = service.platform();
    assert_eq!(
        confirm(&nobody, &token).await.data()["confirmEmailChange"],
        true
    );
    assert_eq!(confirm(&nobody, &token).await.code(), "BAD_USER_INPUT");
    let reset_password = format!(
        "mutation {{ resetPassword(input: {{token: \"{reset}\", password: \"another password\"}}) {{ expiresIn }} }}"
    );
    assert_eq!(
        nobody.query(&reset_password).await.code(),
        "UNAUTHENTICATED"
    );
    eventually("the old address is told", async || {
        let last = mails(&service, &old).pop()?;
        (last == ("EmailChanged".to_owned(), new.to_owned())).then_some(())
    })
    .await;

    // Here, there, and in the tenant's own table; whoever was logged in stays so.
    let here = red.with_token(None);
    for place in [&nobody, &here] {
        log_in(place, new).await.data();
        assert_eq!(log_in(place, &old).await.code(), "UNAUTHENTICATED");
    }
    let viewer = red.query("{ viewer { email } }").await.data();
    assert_eq!(viewer["viewer"]["email"], new);
    let seen = me.query("{ account { email } }").await.data();
    assert_eq!(seen["account"]["email"], new);
    let log = "{ currentTenant { auditLog(where: {action: \"confirmEmailChange\"}) { nodes { actor { kind } } } } }";
    let log = red.query(log).await.data();
    let entries = log["currentTenant"]["auditLog"]["nodes"]
        .as_array()
        .unwrap();
    assert_eq!(entries.len(), 1, "{log}");
}

#[tokio::test]
async fn changes_end_and_are_few() {
    let service = Service::dev(&[]);
    let red = service.sign_up("red").await;
    let old = format!("owner@{}.test", red.subdomain());
    let me = account(&service, &old).await;
    // Two want the same address: the second one comes too late.
    let blue = service.sign_up("blue").await;
    let other = account(&service, &format!("owner@{}.test", blue.subdomain())).await;
    let new = "both@else.test";
    request(&me, new, PASSWORD).await.data();
    let first = mailed(&service, new).await;
    request(&other, new, PASSWORD).await.data();
    let second = eventually("another token", async || {
        let last = mailed(&service, new).await;
        (last != first).then_some(last)
    })
    .await;
    let nobody = service.platform();
    confirm(&nobody, &second).await.data();
    assert_eq!(confirm(&nobody, &first).await.code(), "CONFLICT");
    assert_eq!(
        red.query("{ viewer { email } }").await.data()["viewer"]["email"],
        old
    );

    request(&me, "mine@else.test", PASSWORD).await.data();
    let token = mailed(&service, "mine@else.test").await;
    let change = format!(
        "mutation {{ changePassword(input: {{oldPassword: \"{PASSWORD}\", newPassword: \"{PASSWORD}-2\"}}) }}"
    );
    me.query(&change).await.data();
    assert_eq!(confirm(&nobody, &token).await.code(), "BAD_USER_INPUT");

    let password = format!("{PASSWORD}-2");
    for n in 0..5 {
        let email = format!("address-{n}@else.test");
        request(&me, &email, &password).await.data();
    }
    let refused = request(&me, "address-6@else.test", &password).await;
    assert_eq!(refused.code(), "RATE_LIMITED");
}
