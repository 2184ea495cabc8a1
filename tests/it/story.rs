//! The life of a workspace of the example app, from sign-up to spring cleaning, through GraphQL alone.

use serde_json::{Value, json};

use crate::harness::{Caller, Service};
use crate::members::{accept_with, invite, mailed};

/// Olga, who has just signed up, and what she does.
struct Story(Caller);

impl Story {
    #[track_caller]
    fn tell(&self, operation: &str) -> impl Future<Output = Value> {
        let (caller, operation) = (self.0.clone(), operation.to_owned());
        async move { caller.query(&operation).await.data() }
    }

    /// The only error of an operation that does nothing.
    async fn refused(&self, operation: &str) -> Value {
        let answer = self.0.query(operation).await;
        let mut json = answer.json();
        assert_eq!(json["errors"].as_array().map(Vec::len), Some(1), "{json}");
        json["errors"][0].take()
    }

    async fn id(&self, project: &str) -> Value {
        let query = format!(r#"{{ projectByKey(key: "{project}") {{ id }} }}"#);
        self.tell(&query).await["projectByKey"]["id"].take()
    }

    /// Number, title and status of a project's issues.
    async fn board(&self, project: &str) -> Value {
        let query = format!(
            r#"{{ projectByKey(key: "{project}") {{
                issues(orderBy: [{{number: ASC}}]) {{ nodes {{ number title status }} }} }} }}"#
        );
        let data = self.tell(&query).await;
        let nodes = data["projectByKey"]["issues"]["nodes"].as_array().unwrap();
        let cards = nodes.iter();
        cards
            .map(|card| json!([card["number"], card["title"], card["status"]]))
            .collect()
    }
}

#[tokio::test]
async fn the_life_of_a_workspace() {
    let story = Story(Service::shared().sign_up("story").await);
    a_project_is_planned(&story).await;
    a_colleague_joins_and_talks(&story).await;
    an_issue_moves(&story).await;
    work_is_done(&story).await;
    everything_at_once(&story).await;
    a_plan_that_fails_leaves_nothing(&story).await;
    the_dashboard(&story).await;
    spring_cleaning(&story).await;
}

/// One mutation makes a project with its issues, their labels and first comments.
async fn a_project_is_planned(story: &Story) {
    let owner = format!("owner@{}.test", story.0.subdomain());
    let mutation = format!(
        r##"mutation {{ createProject(input: {{
            key: "SHOP", name: "Web shop", topics: ["web"], lead: {{connect: {{email: "{owner}"}}}}
            issues: {{create: [
                {{title: "Basket loses items", priority: URGENT
                    labels: {{connect: [{{name: "bug"}}]
                        connectOrCreate: [{{connect: {{name: "checkout"}}, create: {{name: "checkout", color: "#112233"}}}}]}}
                    comments: {{create: [{{body: "Only in the afternoon."}}, {{body: "Since Tuesday."}}]}}}}
                {{title: "Pay by invoice", estimateHours: "8"
                    labels: {{connectOrCreate: [{{connect: {{name: "checkout"}}, create: {{name: "checkout"}}}}]}}}}
                {{title: "Show the weather", priority: LOW, estimateHours: 2.5, dueDate: "2030-01-31"}}
            ]}}
        }}) {{
            key lead {{ name }}
            issues(orderBy: [{{number: ASC}}]) {{ totalCount nodes {{
                number title status priority estimateHours dueDate reporter {{ name }}
                labels(orderBy: [{{name: ASC}}]) {{ nodes {{ name }} }} comments {{ totalCount }}
            }} }}
        }} }}"##
    );
    let olga = json!({"name": "Olga Owner"});
    let issue = |number: u32, title: &str, facts: [Value; 3], labels: Value, comments: u32| {
        let [priority, estimate, due] = facts;
        json!({
            "number": number, "title": title, "status": "OPEN", "priority": priority, "estimateHours": estimate,
            "dueDate": due, "reporter": olga, "labels": {"nodes": labels}, "comments": {"totalCount": comments},
        })
    };
    let (bug, checkout) = (json!({"name": "bug"}), json!({"name": "checkout"}));
    let (null, eight, little) = (json!(null), json!("8.0"), json!("2.5"));
    let expected = json!({"createProject": {
        "key": "SHOP", "lead": olga, "issues": {"totalCount": 3, "nodes": [
            issue(1, "Basket loses items", [json!("URGENT"), null.clone(), null.clone()], json!([bug, checkout]), 2),
            issue(2, "Pay by invoice", [json!("MEDIUM"), eight, null], json!([checkout]), 0),
            issue(3, "Show the weather", [json!("LOW"), little, json!("2030-01-31")], json!([]), 0),
        ]},
    }});
    assert_eq!(story.tell(&mutation).await, expected);
    let labels = story
        .tell(r#"{ labelByName(name: "checkout") { color issues { totalCount } } }"#)
        .await;
    assert_eq!(
        labels["labelByName"],
        json!({"color": "#112233", "issues": {"totalCount": 2}})
    );
}

/// A project for two, a comment that is edited, an assignment.
async fn a_colleague_joins_and_talks(story: &Story) {
    let shop = story.id("SHOP").await;
    let email = format!("carl@{}.test", story.0.subdomain());
    invite(&story.0, &email, "MEMBER").await.data();
    let token = mailed(Service::shared(), &email).await;
    let carl = json!({"token": token, "name": "Carl", "password": "a long password"});
    accept_with(&story.0, carl).await.data();
    let mutation = format!(
        r#"mutation {{
            createProjects(inputs: [
                {{key: "APP", name: "The app", lead: {{connect: {{email: "{email}"}}}}}}
                {{key: "OPS", name: "Operations"}}
            ]) {{ affectedCount nodes {{ key lead {{ name }} }} }}
            updateIssueByProjectIdAndNumber(projectId: {shop}, number: 1, set: {{
                assignee: {{connect: {{email: "{email}"}}}}, status: IN_PROGRESS
                comments: {{create: [{{body: "I am on it.", author: {{connect: {{email: "{email}"}}}}}}]}}
            }}) {{ assignee {{ name }} status comments(last: 1, orderBy: [{{createdAt: ASC}}, {{body: ASC}}]) {{
                nodes {{ author {{ name }} }} }} }}
        }}"#
    );
    let carl = json!({"name": "Carl"});
    let data = story.tell(&mutation).await;
    assert_eq!(
        data["createProjects"],
        json!({"affectedCount": 2, "nodes": [{"key": "APP", "lead": carl}, {"key": "OPS", "lead": null}]})
    );
    assert_eq!(
        data["updateIssueByProjectIdAndNumber"],
        json!({"assignee": carl, "status": "IN_PROGRESS", "comments": {"nodes": [{"author": carl}]}})
    );
    let edit = r#"mutation { updateComments(where: {body: {eq: "Since Tuesday."}}, set: {body: "Since Monday."}) {
        affectedCount nodes { body issue { title } } } }"#;
    let expected = json!({"updateComments": {"affectedCount": 1, "nodes": [
        {"body": "Since Monday.", "issue": {"title": "Basket loses items"}}]}});
    assert_eq!(story.tell(edit).await, expected);
}

/// To another project, where it gets another number; its labels and comments come along.
async fn an_issue_moves(story: &Story) {
    let shop = story.id("SHOP").await;
    let mutation = format!(
        r#"mutation {{ updateIssueByProjectIdAndNumber(projectId: {shop}, number: 3, set: {{
            project: {{connect: {{key: "APP"}}}}, labels: {{connect: [{{name: "feature"}}]}}
        }}) {{ number project {{ name issues {{ totalCount }} }} labels {{ nodes {{ name }} }} }} }}"#
    );
    let expected = json!({"updateIssueByProjectIdAndNumber": {
        "number": 1, "project": {"name": "The app", "issues": {"totalCount": 1}}, "labels": {"nodes": [{"name": "feature"}]},
    }});
    assert_eq!(story.tell(&mutation).await, expected);
    assert_eq!(
        story.board("APP").await,
        json!([[1, "Show the weather", "OPEN"]])
    );
    // Its number is not given to the next one.
    let next = format!(
        r#"mutation {{ createIssue(input: {{projectId: {shop}, title: "Gift cards"}}) {{ number }} }}"#
    );
    assert_eq!(
        story.tell(&next).await,
        json!({"createIssue": {"number": 4}})
    );
}

/// Closed, reopened, closed: the table's own rules keep the time of it.
async fn work_is_done(story: &Story) {
    let shop = story.id("SHOP").await;
    for (status, closed) in [("DONE", true), ("IN_REVIEW", false), ("DONE", true)] {
        let mutation = format!(
            "mutation {{ updateIssueByProjectIdAndNumber(projectId: {shop}, number: 1, set: {{status: {status}}}) {{
                status closedAt labels {{ totalCount }} comments {{ totalCount }} }} }}"
        );
        let mut issue = story.tell(&mutation).await["updateIssueByProjectIdAndNumber"].take();
        assert_eq!(issue["closedAt"].take().is_string(), closed, "{status}");
        assert_eq!(
            issue,
            json!({"status": status, "closedAt": null, "labels": {"totalCount": 2}, "comments": {"totalCount": 3}})
        );
    }
    let readonly = format!(
        "mutation {{ updateIssueByProjectIdAndNumber(projectId: {shop}, number: 1, set: {{closedAt: null}}) {{ id }} }}"
    );
    let error = story.refused(&readonly).await;
    assert_eq!(error["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
}

/// Twenty issues in, and all that are open changed by what they hold.
async fn everything_at_once(story: &Story) {
    let ops = story.id("OPS").await;
    let inputs: Vec<_> = (1..=20)
        .map(|n| json!({"projectId": ops, "title": format!("Server {n}"), "estimateHours": n, "dueDate": "2031-05-01"}))
        .collect();
    let create = "mutation ($inputs: [IssueInput!]!) { createIssues(inputs: $inputs) { affectedCount nodes { number title } } }";
    let answer = story.0.ask(create, json!({"inputs": inputs})).await.data();
    let nodes = (1..=20).map(|n| json!({"number": n, "title": format!("Server {n}")}));
    let nodes: Vec<_> = nodes.collect();
    assert_eq!(
        answer["createIssues"],
        json!({"affectedCount": 20, "nodes": nodes})
    );
    let change = r#"mutation {
        updateIssues(where: {project: {key: {eq: "OPS"}}, estimateHours: {gt: "10"}}, set: {
            priority: HIGH, dueDate: null, increment: {estimateHours: "0.5"}, append: {customFields: {rack: "B"}}
        }) { affectedCount nodes { number estimateHours priority dueDate customFields } }
        done: updateIssues(where: {project: {key: {eq: "OPS"}}, number: {lte: 5}}, set: {status: DONE}) { affectedCount }
    }"#;
    let data = story.tell(change).await;
    assert_eq!(data["done"]["affectedCount"], 5);
    assert_eq!(data["updateIssues"]["affectedCount"], 10);
    let nodes = data["updateIssues"]["nodes"].as_array().unwrap();
    let twelve = nodes.iter().find(|node| node["number"] == 12);
    assert_eq!(
        twelve,
        Some(&json!({
            "number": 12, "estimateHours": "12.5", "priority": "HIGH", "dueDate": null, "customFields": {"rack": "B"},
        }))
    );
    let all = "mutation { updateIssues(where: {}, set: {status: CANCELLED}) { affectedCount } }";
    let error = story.refused(all).await;
    assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT");
}

/// The fifth step breaks a key: no step has happened, and the error says which and why.
async fn a_plan_that_fails_leaves_nothing(story: &Story) {
    let before = [story.board("SHOP").await, story.board("OPS").await];
    let error = story
        .refused(
            r#"mutation {
                label: createLabel(input: {name: "hurry"}) { id }
                hurry: updateIssues(where: {status: {eq: OPEN}}, set: {priority: URGENT, status: IN_PROGRESS}) { affectedCount }
                forget: deleteIssues(where: {project: {key: {eq: "OPS"}}}) { affectedCount }
                team: createProject(input: {key: "TEAM", name: "Team", issues: {create: [{title: "Lunch"}]}}) { id }
                again: createProject(input: {key: "SHOP", name: "Another shop"}) { id }
            }"#,
        )
        .await;
    assert_eq!(error["path"], json!(["again"]));
    assert_eq!(
        error["extensions"],
        json!({"code": "UNIQUE_VIOLATION", "constraint": "projects_key_key", "fields": ["key"]})
    );
    assert_eq!(
        before,
        [story.board("SHOP").await, story.board("OPS").await]
    );
    let left = r#"{ labelByName(name: "hurry") { id } projectByKey(key: "TEAM") { id }
        issues(where: {title: {eq: "Lunch"}}) { totalCount } }"#;
    assert_eq!(
        story.tell(left).await,
        json!({"labelByName": null, "projectByKey": null, "issues": {"totalCount": 0}})
    );
}

async fn the_dashboard(story: &Story) {
    let query = r#"{
        issues(where: {project: {key: {ne: "START"}}}) {
            groups(by: [{project: {key: true}}, {status: true}]) {
                key { project { key } status } count aggregates { sum { estimateHours } } }
        }
        perMonth: issues { groups(by: [{dueDate: {truncate: MONTH}}], having: {count: {gte: 2}}, orderBy: [{count: DESC}]) {
            key { dueDate } count } }
        projects(orderBy: [{issues: {count: DESC}}, {key: DESC}], where: {key: {ne: "START"}}, first: 2) { nodes { key issues { totalCount } } }
        busy: users(where: {issuesByAssignee: {some: {status: {eq: DONE}}}}) { nodes { name } }
        discussed: issues(where: {comments: {count: {gt: 2}}}) { nodes { title comments { aggregates { countDistinct { authorId } } } } }
        searchIssues(query: "basket -invoice") { nodes { title } }
        projectSummaries(where: {key: {eq: "OPS"}}) { nodes { issueCount unresolvedCount unassignedCount } }
    }"#;
    let group = |key: &str, status: &str, count: u32, hours: Value| {
        json!({
            "key": {"project": {"key": key}, "status": status},
            "count": count, "aggregates": {"sum": {"estimateHours": hours}},
        })
    };
    let expected = json!({
        "issues": {"groups": [
            group("APP", "OPEN", 1, json!("2.5")),
            group("OPS", "OPEN", 15, json!("200.0")),
            group("OPS", "DONE", 5, json!("15.0")),
            group("SHOP", "OPEN", 2, json!("8.0")),
            group("SHOP", "DONE", 1, json!(null)),
        ]},
        "perMonth": {"groups": [
            {"key": {"dueDate": null}, "count": 16}, {"key": {"dueDate": "2031-05-01"}, "count": 10},
        ]},
        "projects": {"nodes": [
            {"key": "OPS", "issues": {"totalCount": 20}}, {"key": "SHOP", "issues": {"totalCount": 3}},
        ]},
        "busy": {"nodes": [{"name": "Carl"}]},
        "discussed": {"nodes": [
            {"title": "Basket loses items", "comments": {"aggregates": {"countDistinct": {"authorId": 2}}}},
        ]},
        "searchIssues": {"nodes": [{"title": "Basket loses items"}]},
        "projectSummaries": {"nodes": [{"issueCount": 20, "unresolvedCount": 15, "unassignedCount": 15}]},
    });
    assert_eq!(story.tell(query).await, expected);
}

/// What is in use stays, what is not goes, and answers what it was.
async fn spring_cleaning(story: &Story) {
    let error = story
        .refused(r#"mutation { deleteProjectByKey(key: "SHOP") { key } }"#)
        .await;
    assert_eq!(error["path"], json!(["deleteProjectByKey"]));
    assert_eq!(error["extensions"]["code"], "FOREIGN_KEY_VIOLATION");
    let mutation = r#"mutation {
        comments: deleteComments(where: {author: {name: {eq: "Carl"}}}) { affectedCount nodes { body } }
        issues: deleteIssues(where: {project: {key: {in: ["OPS", "SHOP"]}}}) { affectedCount }
        shop: deleteProjectByKey(key: "SHOP") { key name issues { totalCount } }
        ops: deleteProjectByKey(key: "OPS") { key name }
        gone: deleteProjectByKey(key: "OPS") { key }
        label: deleteLabelByName(name: "checkout") { name issues { totalCount } }
    }"#;
    let expected = json!({
        "comments": {"affectedCount": 1, "nodes": [{"body": "I am on it."}]},
        "issues": {"affectedCount": 23},
        "shop": {"key": "SHOP", "name": "Web shop", "issues": {"totalCount": 0}},
        "ops": {"key": "OPS", "name": "Operations"},
        "gone": null,
        "label": {"name": "checkout", "issues": {"totalCount": 0}},
    });
    assert_eq!(story.tell(mutation).await, expected);
    let left = "{ projects(orderBy: [{key: ASC}]) { nodes { key } } comments { totalCount } }";
    assert_eq!(
        story.tell(left).await,
        json!({"projects": {"nodes": [{"key": "APP"}, {"key": "START"}]}, "comments": {"totalCount": 0}})
    );
}
