//! Who belongs to a workspace: invited, accepted, promoted, removed; on all replicas at once.

use serde_json::{Value, json};

use crate::api_keys;
use crate::harness::{Answer, Caller, Service, eventually};

const PASSWORD: &str = "a long password";

/// A workspace with one member for each role, and nobody else's.
pub(crate) struct Team {
    pub(crate) owner: Caller,
    pub(crate) admin: Caller,
    pub(crate) member: Caller,
    pub(crate) viewer: Caller,
}

impl Team {
    pub(crate) async fn new(service: &Service, prefix: &str) -> Self {
        let owner = service.sign_up(prefix).await;
        let join = async |role: &str| {
            let email = format!("{}@{}.test", role.to_lowercase(), owner.subdomain());
            invite(&owner, &email, role).await.data();
            accept(service, &owner, &email).await.data();
            log_in(&owner, &email).await
        };
        Self {
            admin: join("ADMIN").await,
            member: join("MEMBER").await,
            viewer: join("VIEWER").await,
            owner,
        }
    }
}

async fn invite(caller: &Caller, email: &str, role: &str) -> Answer {
    let mutation = "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { id email role expiresAt } }";
    caller
        .ask(mutation, json!({"input": {"email": email, "role": role}}))
        .await
}

/// The last token that was mailed to an address: `dev` writes mails to its log.
async fn mailed(service: &Service, email: &str) -> String {
    eventually("a mail is sent", async || {
        let events = service.process().events();
        let mail = events.iter().rfind(|event| event["to"] == email)?;
        Some(mail["token"].as_str()?.to_owned())
    })
    .await
}

async fn accept_with(caller: &Caller, input: Value) -> Answer {
    let mutation = "mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { userId email name role } }";
    caller
        .with_token(None)
        .ask(mutation, json!({"input": input}))
        .await
}

async fn accept(service: &Service, caller: &Caller, email: &str) -> Answer {
    let token = mailed(service, email).await;
    accept_with(
        caller,
        json!({"token": token, "name": "New", "password": PASSWORD}),
    )
    .await
}

async fn log_in(caller: &Caller, email: &str) -> Caller {
    let mutation = "mutation ($input: LogInInput!) { logIn(input: $input) { accessToken } }";
    let input = json!({"email": email, "password": PASSWORD});
    let answer = caller
        .with_token(None)
        .ask(mutation, json!({"input": input}))
        .await;
    caller.with_token(answer.data()["logIn"]["accessToken"].as_str())
}

pub(crate) async fn id(caller: &Caller) -> String {
    let answer = caller.query("{ viewer { id } }").await;
    answer.data()["viewer"]["id"].as_str().unwrap().to_owned()
}

async fn change(caller: &Caller, user: &str, role: &str) -> Answer {
    let mutation =
        format!("mutation {{ changeMemberRole(userId: \"{user}\", role: {role}) {{ role }} }}");
    caller.query(&mutation).await
}

async fn remove(caller: &Caller, user: &str) -> Answer {
    let mutation = format!("mutation {{ removeMember(userId: \"{user}\") {{ email }} }}");
    caller.query(&mutation).await
}

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

#[tokio::test]
async fn roles_and_removals_hold_at_once_everywhere() {
    let service = Service::shared();
    let replica = Service::replica(&[]).await;
    let team = Team::new(service, "team").await;
    let (admin, member) = (id(&team.admin).await, id(&team.member).await);
    change(&team.owner, &admin, "VIEWER").await.data();
    let seen = team.admin.at(&replica);
    eventually("the role has changed on another replica", async || {
        let role = seen.query("{ currentTenant { role } }").await.data();
        (role["currentTenant"]["role"] == "VIEWER").then_some(())
    })
    .await;
    let row = team
        .owner
        .query(&format!("{{ user(id: \"{admin}\") {{ role }} }}"))
        .await;
    assert_eq!(row.data()["user"]["role"], "viewer");
    // What the member wrote refers to them, and stays.
    let projects = team
        .member
        .query("{ projects { nodes { id } } }")
        .await
        .data();
    let mutation = "mutation ($id: UUID!) { createIssue(input: {projectId: $id, title: \"t\"}) { reporter { id } } }";
    let project = &projects["projects"]["nodes"][0]["id"];
    let issue = team
        .member
        .ask(mutation, json!({"id": project}))
        .await
        .data();
    assert_eq!(issue["createIssue"]["reporter"]["id"], member);
    remove(&team.owner, &member).await.data();
    for gone in [team.member.clone(), team.member.at(&replica)] {
        eventually("the token is good for nothing on any replica", async || {
            let answer = gone.query("{ viewer { id } }").await;
            (answer.status == 401 || answer.status == 403).then_some(())
        })
        .await;
    }
    assert_eq!(remove(&team.owner, &member).await.code(), "BAD_USER_INPUT");
    let removed_at = async || {
        let row = format!("{{ user(id: \"{member}\") {{ removedAt }} }}");
        team.owner.query(&row).await.data()["user"]["removedAt"].take()
    };
    assert!(removed_at().await.is_string());
    // They may come back.
    let email = format!("member@{}.test", team.owner.subdomain());
    let old = mailed(service, &email).await;
    invite(&team.owner, &email, "ADMIN").await.data();
    let token = eventually("another mail", async || {
        Some(mailed(service, &email).await).filter(|token| *token != old)
    });
    let token = token.await;
    accept_with(&team.owner, json!({"token": token, "password": PASSWORD}))
        .await
        .data();
    assert_eq!(id(&log_in(&team.owner, &email).await).await, member);
    assert!(removed_at().await.is_null());
}

#[tokio::test]
async fn an_owner_always_stays() {
    let service = Service::shared();
    let team = Team::new(service, "owners").await;
    let (owner, admin) = (id(&team.owner).await, id(&team.admin).await);
    let leave = "mutation { leaveTenant { email } }";
    assert_eq!(team.owner.query(leave).await.code(), "CONFLICT");
    assert_eq!(remove(&team.owner, &owner).await.code(), "CONFLICT");
    let transfer = format!("mutation {{ transferOwnership(userId: \"{admin}\") {{ role }} }}");
    assert_eq!(team.admin.query(&transfer).await.code(), "FORBIDDEN");
    assert_eq!(
        team.owner.query(&transfer).await.data()["transferOwnership"]["role"],
        "OWNER"
    );
    assert_eq!(team.owner.query(&transfer).await.code(), "FORBIDDEN");
    change(&team.admin, &owner, "OWNER").await.data();
    // Both leave at once: one has to stay.
    let (a, b) = tokio::join!(team.owner.query(leave), team.admin.query(leave));
    let left = [&a, &b]
        .iter()
        .filter(|answer| answer.json().get("errors").is_none())
        .count();
    assert_eq!(left, 1, "{a:?} {b:?}");
}

/// Who may do what; `-` stands for being refused, at one's own workspace and at any other.
#[tokio::test]
async fn identities_and_workspaces() {
    let service = Service::shared();
    let (team, strangers) = (
        Team::new(service, "matrix").await,
        Team::new(service, "matrix").await,
    );
    let anonymous = team.owner.with_token(None);
    let issued = api_keys::issue(&team.owner, "ADMIN", Value::Null)
        .await
        .data();
    let key = anonymous.with_token(issued["issueApiKey"]["key"].as_str());
    let table = include_str!("members/allowed.txt");
    let mut lines = table
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let identities: Vec<_> = lines.next().unwrap().split_whitespace().skip(1).collect();
    let (owner, member) = (id(&team.owner).await, id(&team.member).await);
    let mut wrong = Vec::new();
    for line in lines {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap();
        for (identity, expected) in identities.iter().zip(words) {
            let caller = match *identity {
                "anonymous" => &anonymous,
                "viewer" => &team.viewer,
                "member" => &team.member,
                "admin" => &team.admin,
                "owner" => &team.owner,
                "key" => &key,
                "stranger" => &team.owner.with_token(strangers.owner.token.as_deref()),
                other => panic!("{other}"),
            };
            let email = format!("{name}-{identity}@{}.test", team.owner.subdomain()).to_lowercase();
            let nobody = "00000000-0000-0000-0000-000000000000";
            let operation = match name {
                "currentTenant" => "{ currentTenant { id } }".to_owned(),
                "invitations" => "{ currentTenant { invitations { id } } }".to_owned(),
                "inviteMember" => format!(
                    "mutation {{ inviteMember(input: {{email: \"{email}\", role: MEMBER}}) {{ id }} }}"
                ),
                "inviteOwner" => format!(
                    "mutation {{ inviteMember(input: {{email: \"{email}\", role: OWNER}}) {{ id }} }}"
                ),
                "revokeInvitation" => {
                    format!("mutation {{ revokeInvitation(id: \"{nobody}\") {{ id }} }}")
                }
                "changeMemberRole" => format!(
                    "mutation {{ changeMemberRole(userId: \"{member}\", role: MEMBER) {{ role }} }}"
                ),
                "changeOwnersRole" => format!(
                    "mutation {{ changeMemberRole(userId: \"{owner}\", role: OWNER) {{ role }} }}"
                ),
                "removeMember" => {
                    format!("mutation {{ removeMember(userId: \"{nobody}\") {{ role }} }}")
                }
                "transferOwnership" => {
                    format!("mutation {{ transferOwnership(userId: \"{nobody}\") {{ role }} }}")
                }
                "apiKeys" => "{ currentTenant { apiKeys { id } } }".to_owned(),
                "issueApiKey" => {
                    "mutation { issueApiKey(input: {name: \"k\", role: VIEWER}) { key } }"
                        .to_owned()
                }
                "issueOwnersKey" => {
                    "mutation { issueApiKey(input: {name: \"k\", role: OWNER}) { key } }".to_owned()
                }
                "revokeApiKey" => format!("mutation {{ revokeApiKey(id: \"{nobody}\") {{ id }} }}"),
                other => panic!("{other}"),
            };
            let answer = caller.query(&operation).await;
            let json = answer.json();
            // What is refused for who asks; that nobody has an id is something else.
            let found = match json["errors"][0]["extensions"]["code"].as_str() {
                None | Some("BAD_USER_INPUT") => "yes",
                Some("FORBIDDEN" | "UNAUTHENTICATED") => "-",
                Some(other) => other,
            };
            if found != expected {
                wrong.push(format!(
                    "{name} as {identity}: {found} in place of {expected}: {answer:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let invited = strangers
        .owner
        .query("{ currentTenant { invitations { id } } }")
        .await;
    assert_eq!(invited.data()["currentTenant"]["invitations"], json!([]));
}
