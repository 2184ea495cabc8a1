//! Who may read and change what a tenant knows of its people.

use serde_json::{Value, json};

use crate::harness::{Caller, Service};
use crate::members::{Team, id};

#[tokio::test]
async fn profiles_are_their_peoples_own() {
    let service = Service::shared();
    let team = Team::new(service, "profiles").await;
    let (admin, member) = (id(&team.admin).await, id(&team.member).await);
    let rename = async |caller: &Caller, user: &str| {
        let set = format!("updateUser(id: \"{user}\", set: {{name: \"Renamed\"}}) {{ name }}");
        caller.query(&format!("mutation {{ {set} }}")).await
    };
    for (caller, user, may) in [
        (&team.member, &member, true),
        (&team.member, &admin, false),
        (&team.viewer, &member, false),
        (&team.admin, &member, true),
        (&team.owner, &admin, true),
    ] {
        let answer = rename(caller, user).await;
        if may {
            assert_eq!(answer.data()["updateUser"]["name"], "Renamed");
        } else {
            assert_eq!(answer.code(), "FORBIDDEN", "{answer:?}");
        }
    }
    // Nor by a filter that finds others too.
    let all = "mutation { updateUsers(where: {name: {ne: \"\"}}, set: {name: \"All\"}) { affectedCount } }";
    assert_eq!(team.member.query(all).await.code(), "FORBIDDEN");
    // The address is nobody's to write: the account has it, and it was proved.
    let address =
        format!("updateUser(id: \"{member}\", set: {{email: \"x@profiles.test\"}}) {{ id }}");
    for caller in [&team.member, &team.admin, &team.owner] {
        let answer = caller.query(&format!("mutation {{ {address} }}")).await;
        assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
    }
}

#[tokio::test]
async fn what_may_not_be_read_is_null_where_it_can_be() {
    let service = Service::shared();
    let team = Team::new(service, "nulls").await;
    let query = "{ projects { totalCount } currentTenant { name invitations { email } } }";
    let answer = team.viewer.query(query).await;
    let json = answer.json();
    // Neither the list nor the tenant may be null, so that all of the data is.
    assert_eq!(json["data"], Value::Null);
    assert_eq!(answer.code(), "FORBIDDEN");
    assert_eq!(
        json["errors"][0]["path"],
        json!(["currentTenant", "invitations"])
    );
}
