//! Who belongs to a workspace: invited, accepted, promoted, removed; on all replicas at once.

mod invitations;

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

pub(crate) async fn invite(caller: &Caller, email: &str, role: &str) -> Answer {
    let mutation = "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { id email role expiresAt } }";
    caller
        .ask(mutation, json!({"input": {"email": email, "role": role}}))
        .await
}

/// The last token that was mailed to an address: `dev` writes mails to its log.
pub(crate) async fn mailed(service: &Service, email: &str) -> String {
    eventually("a mail is sent", async || {
        let events = service.process().events();
        let mail = events.iter().rfind(|event| event["to"] == email)?;
        Some(mail["token"].as_str()?.to_owned())
    })
    .await
}

pub(crate) async fn accept_with(caller: &Caller, input: Value) -> Answer {
    let mutation = "mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { userId email name role } }";
    caller
        .with_token(None)
        .ask(mutation, json!({"input": input}))
        .await
}

pub(crate) async fn accept(service: &Service, caller: &Caller, email: &str) -> Answer {
    let token = mailed(service, email).await;
    accept_with(
        caller,
        json!({"token": token, "name": "New", "password": PASSWORD}),
    )
    .await
}

pub(crate) async fn log_in(caller: &Caller, email: &str) -> Caller {
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
