//! Writing to a tenant's tables: who may, in which order, and what is left after a failure.

use serde_json::{Value, json};

use crate::harness::{Caller, Service};

const CREATE: &str = "mutation ($inputs: [LabelInput!]!) { createLabels(inputs: $inputs) { affectedCount nodes { name } } }";

async fn labels(caller: &Caller) -> Value {
    let answer = caller
        .query("{ labels(orderBy: [{name: ASC}]) { nodes { name } } }")
        .await;
    let nodes = answer.data()["labels"]["nodes"].take();
    let names = nodes.as_array().unwrap().iter();
    names.map(|node| node["name"].clone()).collect()
}

#[tokio::test]
async fn only_members_write_and_only_by_post() {
    let service = Service::shared();
    let owner = service.sign_up("writers").await;
    let before = labels(&owner).await;
    let mutation = r#"mutation { createLabel(input: {name: "mine"}) { name } }"#;
    let anonymous = owner.with_token(None);
    assert_eq!(anonymous.query(mutation).await.code(), "UNAUTHENTICATED");
    let answer = owner
        .get("/graphql?query=mutation%7BdeleteLabels(where%3A%7Bname%3A%7Bne%3A%22%22%7D%7D)%7BaffectedCount%7D%7D")
        .await;
    assert!(answer.status.is_client_error(), "{answer:?}");
    assert_eq!(labels(&owner).await, before);
    assert_eq!(
        owner.query(mutation).await.data()["createLabel"]["name"],
        "mine"
    );
    // Another tenant has labels of its own.
    let other = service.sign_up("other-writers").await;
    assert_eq!(labels(&other).await, before);
}

#[tokio::test]
async fn five_root_fields_are_one_transaction() {
    let owner = Service::shared().sign_up("five-fields").await;
    let before = labels(&owner).await;
    let mutation = r#"mutation {
        one: createLabel(input: {name: "one"}) { id }
        two: updateLabelByName(name: "one", set: {name: "two"}) { name }
        three: createLabels(inputs: [{name: "three"}, {name: "drei"}]) { affectedCount }
        four: createLabel(input: {name: "two", description: "2"}) { id }
        five: deleteLabels(where: {name: {ne: "two"}}) { affectedCount }
    }"#;
    let answer = owner.query(mutation).await;
    let error = &answer.json()["errors"][0];
    assert_eq!(error["path"], json!(["four"]));
    assert_eq!(
        error["extensions"],
        json!({"code": "UNIQUE_VIOLATION", "constraint": "labels_name_key", "fields": ["name"]})
    );
    assert_eq!(labels(&owner).await, before);
}

#[tokio::test]
async fn every_try_of_a_statement_writes_once() {
    // Unnamed at first, prepared beside the second run, prepared from then on.
    let owner = Service::shared().sign_up("again-and-again").await;
    let before = labels(&owner).await.as_array().unwrap().len();
    for round in 0..6 {
        let name = format!("label {round}");
        let inputs = json!({"inputs": [{"name": name}]});
        let data = owner.ask(CREATE, inputs.clone()).await.data();
        assert_eq!(data["createLabels"]["nodes"], json!([{"name": name}]));
        assert_eq!(owner.ask(CREATE, inputs).await.code(), "UNIQUE_VIOLATION");
    }
    assert_eq!(labels(&owner).await.as_array().unwrap().len(), before + 6);
}

#[tokio::test]
async fn what_people_may_do_is_not_theirs_to_write() {
    let owner = Service::shared().sign_up("self-promotion").await;
    for mutation in [
        r#"mutation { updateUsers(where: {name: {ne: ""}}, set: {role: "owner"}) { affectedCount } }"#,
        // The row of an owner, taken over.
        r#"mutation { updateUserByEmail(email: "owner@it.test", set: {id: "00000000-0000-0000-0000-000000000001"}) { id } }"#,
        // The address is the account's.
        r#"mutation { updateUserByEmail(email: "owner@it.test", set: {email: "mine@it.test"}) { id } }"#,
        // People come by invitation, and not by the way either.
        r#"mutation { createUser(input: {email: "a@b.test", name: "A"}) { id } }"#,
        r#"mutation { createUsers(inputs: [{email: "a@b.test", name: "A"}]) { affectedCount } }"#,
        r#"mutation { createProject(input: {key: "P", name: "P", lead: {create: {email: "a@b.test", name: "A"}}}) { id } }"#,
        r#"mutation { createProject(input: {key: "P", name: "P", lead: {connectOrCreate: {
            connect: {email: "a@b.test"}, create: {email: "a@b.test", name: "A"}}}}) { id } }"#,
    ] {
        let answer = owner.query(mutation).await;
        assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED", "{answer:?}");
    }
}

#[tokio::test]
async fn rows_that_lock_each_other_out_are_written_at_last() {
    let owner = Service::shared().sign_up("deadlocks").await;
    let names: Vec<_> = (0..20).map(|n| format!("label {n}")).collect();
    let inputs: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
    owner.ask(CREATE, json!({"inputs": inputs})).await.data();
    let update = "mutation ($a: String!, $b: String!) { \
        a: updateLabelByName(name: $a, set: {description: \"a\"}) { name } \
        b: updateLabelByName(name: $b, set: {description: \"b\"}) { name } }";
    let tries = (0..6).map(|n: usize| {
        let (a, b) = if n.is_multiple_of(2) { (0, 1) } else { (1, 0) };
        owner.ask(update, json!({"a": names[a], "b": names[b]}))
    });
    for answer in futures_util::future::join_all(tries).await {
        let text = &answer.text;
        assert!(
            text.contains("\"data\"") || text.contains("CONFLICT"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn ten_thousand_rows_are_one_statement() {
    let owner = Service::shared().sign_up("bulk").await;
    // Every third row leaves the colour to its default.
    let row = |n: usize| match n % 3 {
        0 => json!({"name": format!("label {n}")}),
        _ => json!({"name": format!("label {n}"), "color": format!("#{n:06x}")}),
    };
    let inputs: Vec<_> = (0..10_000).map(row).collect();
    let mutation = "mutation ($inputs: [LabelInput!]!) { createLabels(inputs: $inputs) { affectedCount nodes { name color } } }";
    let started = std::time::Instant::now();
    let data = owner.ask(mutation, json!({"inputs": inputs})).await.data();
    // A tenth of that, where the machine has nothing else to do.
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    assert_eq!(data["createLabels"]["affectedCount"], 10_000);
    let nodes = data["createLabels"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 10_000);
    for (n, node) in nodes.iter().enumerate() {
        let color = if n % 3 == 0 {
            "#808080".to_owned()
        } else {
            format!("#{n:06x}")
        };
        assert_eq!(*node, json!({"name": format!("label {n}"), "color": color}));
    }
}

/// A beast with parents, who have parents.
fn tree(depth: usize) -> Value {
    match depth {
        0 => json!({"name": "p"}),
        _ => {
            json!({"name": "p", "mother": {"create": tree(depth - 1)}, "father": {"create": tree(depth - 1)}})
        }
    }
}

/// Rows are without number, ways to nest them are not.
#[tokio::test]
async fn nesting_without_end_is_refused_before_it_costs_anything() {
    let beasts = "create table beasts (
        id bigint generated always as identity primary key, name text not null,
        mother_id bigint references beasts, father_id bigint references beasts);";
    let service = Service::with_tables(beasts);
    let owner = service.sign_up("nesting").await;
    let create = "mutation ($input: BeastInput!) { createBeast(input: $input) { name } }";
    let answer = owner.ask(create, json!({"input": tree(8)})).await;
    assert_eq!(answer.code(), "QUERY_TOO_COMPLEX");
    owner.ask(create, json!({"input": tree(3)})).await.data();
}

#[tokio::test]
async fn many_who_need_the_same_new_row_at_once_share_it() {
    let owner = Service::shared().sign_up("sharing").await;
    let create = r#"mutation { createProject(input: {key: "ALL", name: "All"}) { id } }"#;
    owner.query(create).await.data();
    let create = r#"mutation ($title: String!) { createIssue(input: {
        title: $title
        project: {connect: {key: "ALL"}}
        labels: {connectOrCreate: {connect: {name: "shared"}, create: {name: "shared"}}}
    }) { labels { nodes { name } } } }"#;
    let all = (0..8).map(|n| owner.ask(create, json!({"title": format!("issue {n}")})));
    for answer in futures_util::future::join_all(all).await {
        let labels = &answer.data()["createIssue"]["labels"];
        assert_eq!(labels["nodes"], json!([{"name": "shared"}]));
    }
    let query = r#"{ labelByName(name: "shared") { issues { totalCount } } }"#;
    let data = owner.query(query).await.data();
    assert_eq!(data["labelByName"]["issues"]["totalCount"], 8);
}
