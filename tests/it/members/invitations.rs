//! Invitations: by mail, good once, for one workspace, and for as long as whoever sent it may.

use serde_json::json;

use super::{PASSWORD, Team, accept_with, change, id, invite, log_in, mailed, remove};
use crate::harness::{Caller, Service, eventually};

#[tokio::test]
async fn an_invitation_is_good_once_and_for_one_workspace() {
    let service = Service::shared();
    let (owner, other) = (
        service.sign_up("invite").await,
        service.sign_up("invite").await,
    );
    let email = format!("grace@{}.test", owner.subdomain());
    let first = invite(&owner, &email, "VIEWER").await.data();
    let old = mailed(service, &email).await;
    let second = invite(&owner, &email, "MEMBER").await.data();
    assert_eq!(first["inviteMember"]["id"], second["inviteMember"]["id"]);
    let token = eventually("the second mail is sent", async || {
        Some(mailed(service, &email).await).filter(|token| *token != old)
    })
    .await;
    let input = |token: &str| json!({"token": token, "name": "Grace", "password": PASSWORD});
    for (caller, token) in [
        (&owner, old.as_str()),
        (&other, &token),
        (&owner, "tni_nothing"),
        (&owner, ""),
    ] {
        let answer = accept_with(caller, input(token)).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{answer:?}");
    }
    let weak = accept_with(
        &owner,
        json!({"token": token, "name": "Grace", "password": "short"}),
    )
    .await;
    assert_eq!(weak.json()["errors"][0]["extensions"]["field"], "password");
    let list = "{ currentTenant { invitations { email role } } }";
    let listed = owner.query(list).await.data();
    assert_eq!(
        listed["currentTenant"]["invitations"],
        json!([{"email": email, "role": "MEMBER"}])
    );
    // Two at once: one wins.
    let (a, b) = tokio::join!(
        accept_with(&owner, input(&token)),
        accept_with(&owner, input(&token))
    );
    let wins = [&a, &b]
        .iter()
        .filter(|answer| answer.json().get("errors").is_none())
        .count();
    assert_eq!(wins, 1, "{a:?} {b:?}");
    assert_eq!(
        owner.query(list).await.data()["currentTenant"]["invitations"],
        json!([])
    );
    let grace = log_in(&owner, &email).await;
    let viewer = grace.query("{ viewer { name role } }").await.data();
    assert_eq!(viewer["viewer"], json!({"name": "Grace", "role": "member"}));
    assert_eq!(invite(&owner, &email, "MEMBER").await.code(), "CONFLICT");
}

#[tokio::test]
async fn an_invitation_ends_with_what_its_inviter_may() {
    let service = Service::shared();
    let team = Team::new(service, "inviters").await;
    let tenant = team.owner.subdomain();
    let mut invited = Vec::new();
    for (caller, name, role) in [
        (&team.owner, "stays", "ADMIN"),
        (&team.owner, "owner-to-be", "OWNER"),
        (&team.admin, "of-the-admin", "VIEWER"),
    ] {
        let email = format!("{name}@{tenant}.test");
        invite(caller, &email, role).await.data();
        invited.push((name, email));
    }
    let pending = async |caller: &Caller| {
        let list = "{ currentTenant { invitations { email } } }";
        let data = caller.query(list).await.data();
        let list = data["currentTenant"]["invitations"].clone();
        let names = list.as_array().unwrap().iter().rev().map(|invitation| {
            let email = invitation["email"].as_str().unwrap();
            email.split('@').next().unwrap().to_owned()
        });
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        pending(&team.owner).await,
        ["stays", "owner-to-be", "of-the-admin"]
    );
    let (owner, admin) = (id(&team.owner).await, id(&team.admin).await);
    remove(&team.owner, &admin).await.data();
    assert_eq!(pending(&team.owner).await, ["stays", "owner-to-be"]);
    // As an admin, one makes no owners; as a member, nobody.
    let heir = id(&team.member).await;
    let transfer = format!("mutation {{ transferOwnership(userId: \"{heir}\") {{ role }} }}");
    team.owner.query(&transfer).await.data();
    let heir = log_in(&team.owner, &format!("member@{tenant}.test")).await;
    assert_eq!(pending(&heir).await, ["stays"]);
    change(&heir, &owner, "MEMBER").await.data();
    assert!(pending(&heir).await.is_empty());
    for (name, email) in invited {
        let token = mailed(service, &email).await;
        let input = json!({"token": token, "name": "New", "password": PASSWORD});
        let answer = accept_with(&team.owner, input).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{name}");
    }
}

#[tokio::test]
async fn nobody_is_flooded_with_invitations() {
    let service = Service::shared();
    let owner = service.sign_up("flood").await;
    let email = format!("grace@{}.test", owner.subdomain());
    let mut refused = Vec::new();
    for number in 0..8 {
        // In whatever case it is written, and taken back in between.
        let email = if number % 2 == 0 {
            email.clone()
        } else {
            email.to_uppercase()
        };
        let answer = invite(&owner, &email, "VIEWER").await;
        let json = answer.json();
        if let Some(code) = json["errors"][0]["extensions"]["code"].as_str() {
            refused.push((number, code.to_owned()));
            continue;
        }
        let id = &json["data"]["inviteMember"]["id"];
        let revoke = format!("mutation {{ revokeInvitation(id: {id}) {{ id }} }}");
        owner.query(&revoke).await.data();
    }
    let limited = |number| (number, "RATE_LIMITED".to_owned());
    assert_eq!(refused, [limited(5), limited(6), limited(7)]);
    let another = format!("ada@{}.test", owner.subdomain());
    invite(&owner, &another, "VIEWER").await.data();
}

#[tokio::test]
async fn one_account_belongs_to_several_workspaces() {
    let service = Service::shared();
    let (one, other) = (
        service.sign_up("several").await,
        service.sign_up("several").await,
    );
    let email = format!("owner@{}.test", one.subdomain());
    invite(&other, &email, "VIEWER").await.data();
    let token = mailed(service, &email).await;
    let wrong = accept_with(
        &other,
        json!({"token": token, "password": "not the password"}),
    )
    .await;
    assert_eq!(wrong.code(), "UNAUTHENTICATED");
    let right = accept_with(&other, json!({"token": token, "password": "demo-password"})).await;
    assert_eq!(right.data()["acceptInvitation"]["userId"], id(&one).await);
    let there = service.tenant(other.subdomain());
    assert_eq!(
        there
            .with_token(one.token.as_deref().unwrap())
            .query("{ viewer { id } }")
            .await
            .code(),
        "FORBIDDEN"
    );
}
