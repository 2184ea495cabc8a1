//! One GraphQL query is one SQL statement, in one transaction that becomes the tenant's first.

use serde_json::json;

use crate::harness::database::names;
use crate::harness::{Service, eventually};

const NESTED: &str = "{ projects(first: 3, orderBy: [{name: ASC}]) { totalCount nodes { name
    issues(first: 2, where: {status: {eq: OPEN}}) { nodes { title assignee { name } comments { totalCount }
      labels { nodes { name issues(first: 1) { totalCount } } } } } } }
    viewer { name } users { nodes { email } } }";

/// The log at level debug tells of one statement for each request.
#[tokio::test]
async fn a_nested_query_logs_one_statement() {
    let service = Service::shared();
    let owner = service.sign_up("one-statement").await;
    let logged = || {
        let events = service.process().events();
        let of_tenant = events.into_iter().filter(|event| {
            event["message"] == "statement" && event["tenant.subdomain"] == owner.subdomain()
        });
        of_tenant.collect::<Vec<_>>()
    };
    assert_eq!(logged().len(), 0);
    for count in 1..=3 {
        owner.query(NESTED).await.data();
        let statements = logged();
        assert_eq!(statements.len(), count, "{statements:#?}");
    }
    let statement = logged().remove(0);
    let text = statement["db.statement"].as_str().unwrap();
    assert!(
        text.contains("\"projects\"") && text.contains("\"comments\""),
        "{text}"
    );
}

/// A limit that many ask for is a constant, so that Postgres keeps a plan for it; others are parameters.
#[tokio::test]
async fn common_limits_are_constants_and_others_are_not() {
    let service = Service::shared();
    let owner = service.sign_up("common-limits").await;
    let labels =
        "mutation ($inputs: [LabelInput!]!) { createLabels(inputs: $inputs) { affectedCount } }";
    let inputs: Vec<_> = (0..30)
        .map(|n| json!({"name": format!("label {n}")}))
        .collect();
    owner.ask(labels, json!({"inputs": inputs})).await.data();
    let list =
        "query ($first: Int) { labels(first: $first) { nodes { name } pageInfo { hasNextPage } } }";
    let of_tenant = |text: &str| {
        let events = service.process().events();
        let texts = events.into_iter().filter(|event| {
            event["message"] == "statement" && event["tenant.subdomain"] == owner.subdomain()
        });
        let mut texts = texts.map(|event| event["db.statement"].to_string());
        texts.any(|statement| statement.contains(text))
    };
    // More of them than there are statements with constants.
    for first in [1, 20, 7, 10, 25, 24, 16, 12, 20, 1] {
        let answer = owner.ask(list, json!({"first": first})).await.data();
        let page = &answer["labels"];
        assert_eq!(page["nodes"].as_array().unwrap().len(), first);
        assert_eq!(page["pageInfo"]["hasNextPage"], true);
    }
    for text in [
        " limit 2\"",
        " limit 21\"",
        " limit 11\"",
        " limit 26\"",
        " limit $1::",
    ] {
        assert!(of_tenant(text), "{text}");
    }
    for text in [" limit 8\"", " limit 25\"", " limit 17\"", " limit 13\""] {
        assert!(!of_tenant(text), "{text}");
    }
}

/// What Postgres itself saw on the connection: nothing before, between or behind these.
#[tokio::test]
async fn postgres_sees_the_settings_and_the_statement() {
    let service = Service::shared();
    let psql = service.psql().await;
    let ada = service.tenant("acme").owner().await;
    let logging = "alter role tenantry_api_lane_0 set log_statement = 'all'";
    psql.batch_execute(logging).await.unwrap();
    let replica =
        Service::replica_named("statements", &["--lanes", "1", "--lane-connections", "1"]).await;
    let ada = ada.at(&replica);
    ada.query(NESTED).await.data();
    psql.batch_execute("alter role tenantry_api_lane_0 reset log_statement")
        .await
        .unwrap();

    let backend = "select pid from pg_stat_activity
        where application_name = 'statements' and usename like 'tenantry_api%'";
    let pid: i32 = psql.query_one(backend, &[]).await.unwrap().get(0);
    let marker = format!(" [{pid}] ");
    let log = || {
        let log = service.dir().read("postgres.log");
        let mine = log.lines().filter(|line| line.contains(&marker));
        mine.map(str::to_owned).collect::<Vec<_>>()
    };
    let kinds = || {
        let log = log();
        let mine = log.iter();
        let statements = mine.filter_map(|line| {
            let text = line.split_once("LOG:  ")?.1;
            let (_, text) = text.split_once(": ")?;
            Some(text.chars().take(19).collect::<String>())
        });
        statements.collect::<Vec<_>>()
    };
    // What is analysed anew is followed by the question whether it was meant for these tables.
    let version = "select tenantry.exp";
    let all = ["select set_config('", "select row(array(se", version];
    eventually("the log is written", async || {
        (kinds().len() >= all.len()).then_some(())
    })
    .await;
    assert_eq!(kinds(), all);
    let (schema, role) = names(&psql, "acme").await;
    let log_of = |text| log().into_iter().find(|line| line.contains(text)).unwrap();
    let settings = log_of("select set_config(");
    assert!(settings.contains("'transaction_read_only', 'on', true"));
    let settings = log_of("DETAIL:  parameters: ");
    for setting in [
        // pg_temp last: a temporary table must not hide a tenant's.
        format!("$1 = '\"{schema}\", extensions, pg_temp', $2 = '{role}'"),
        "$5 = 'owner', $6 = '10000'".to_owned(),
    ] {
        assert!(settings.contains(&setting), "{settings}");
    }
    ada.query("{ viewer { name } }").await.data();
    eventually("the log is written", async || {
        (kinds().len() >= 2 * all.len()).then_some(())
    })
    .await;
    let again = ["select set_config('", "select t0.\"name\" fr", version];
    assert_eq!(kinds()[all.len()..], again);
}
