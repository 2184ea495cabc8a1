//! Golden cases: each folder of `tests/golden` holds a request, the SQL statement that it becomes, and its response.
//!
//! `UPDATE_GOLDEN=1 cargo test --test it golden` writes the last two anew; look at the difference before committing it.

pub(crate) mod statement;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tenantry::schema::Api;
use tokio_postgres::Client;

use crate::harness::database::names;
use crate::harness::token::Claims;
use crate::harness::{Caller, Service};

/// The user that sends the requests.
const ADA: &str = "a0000000-0000-0000-0000-000000000001";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

#[tokio::test]
async fn requests_become_the_expected_statements_and_responses() {
    let service = Service::shared();
    let (caller, api, psql) = prepare(service).await;
    let mut failures = Vec::new();
    let mut cases = 0;
    for entry in sorted(&folder()) {
        if entry.is_dir() {
            cases += 1;
            failures.extend(check(&entry, &caller, &api).await);
            let request = fs::read_to_string(entry.join("request.graphql"));
            if request.is_ok_and(|request| request.contains("mutation")) {
                fill(&psql).await;
            }
        } else if entry.file_name().is_none_or(|name| name != "data.sql") {
            failures.push(format!("{} belongs to no case", entry.display()));
        }
    }
    assert!(cases > 20, "only {cases} cases found");
    assert!(
        failures.is_empty(),
        "{}\n\nIf this is as it should be: UPDATE_GOLDEN=1 cargo test --test it golden",
        failures.join("\n\n")
    );
}

/// A tenant with the rows of `data.sql`, as seen by Ada, and its API.
async fn prepare(service: &Service) -> (Caller, Api, Client) {
    let owner = service.sign_up("golden").await;
    let psql = service.psql().await;
    let (schema, role) = names(&psql, owner.subdomain()).await;
    let path = format!("set search_path = {schema}");
    psql.batch_execute(&path).await.unwrap();
    fill(&psql).await;
    let claims = Claims::of(owner.token.as_deref().unwrap()).with("sub", ADA);
    let ada = owner.with_token(Some(&claims.sign(&service.secret())));
    let api = statement::api(&psql, &schema, &role).await;
    (ada, api, psql)
}

/// Puts the rows in, in the place of those that are there.
async fn fill(psql: &Client) {
    let data = fs::read_to_string(folder().join("data.sql")).unwrap();
    psql.batch_execute(&data).await.unwrap();
}

/// Compares the case's files with what the service makes of its request.
async fn check(case: &Path, caller: &Caller, api: &Api) -> Vec<String> {
    let read = |name: &str| fs::read_to_string(case.join(name)).ok();
    let request = read("request.graphql")
        .unwrap_or_else(|| panic!("{} has no request.graphql", case.display()));
    let variables: Map<String, Value> = read("variables.json").map_or_else(Map::new, |text| {
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", case.display()))
    });

    let statement = statement::of(api, &request, variables.clone(), ADA);
    let answer = caller
        .post(&json!({"query": request, "variables": variables}))
        .await;
    let response = serde_json::to_string_pretty(&answer.json()).unwrap() + "\n";

    let found: BTreeSet<_> = sorted(case)
        .into_iter()
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect();
    let known = [
        "request.graphql",
        "variables.json",
        "statement.sql",
        "response.json",
    ];
    let strangers = found.iter().filter(|name| !known.contains(&name.as_str()));
    let mut failures: Vec<_> = strangers
        .map(|name| format!("{} belongs to no case", case.join(name).display()))
        .collect();
    for (name, actual) in [
        ("statement.sql", statement),
        ("response.json", Some(response)),
    ] {
        failures.extend(compare(&case.join(name), actual));
    }
    failures
}

/// Compares a file, or a file that should not be, with what it should hold; or makes it so.
fn compare(path: &Path, actual: Option<String>) -> Option<String> {
    let expected = fs::read_to_string(path).ok();
    if expected == actual {
        return None;
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        match actual {
            Some(text) => fs::write(path, text).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        return None;
    }
    let shown = |text: Option<String>| text.unwrap_or_else(|| "(no such file)\n".to_owned());
    Some(format!(
        "{}\n--- expected\n{}--- actual\n{}",
        path.display(),
        shown(expected),
        shown(actual)
    ))
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
