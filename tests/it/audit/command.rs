//! `tenantry audit`: operators read the log of one tenant or of all.

use std::process::Output;

use serde_json::{Value, json};

use crate::harness::{Service, tenantry};

fn run(arguments: &[&str]) -> Output {
    let mut command = tenantry(&["audit"]);
    command.args(arguments).arg("--data-dir");
    command
        .arg(Service::shared().dir().data())
        .output()
        .unwrap()
}

#[track_caller]
fn read(arguments: &[&str]) -> Value {
    let output = run(&[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Of each entry that is about rows: the tenant, the action and the outcome.
fn told(page: &Value) -> Vec<Value> {
    let entries = page["entries"].as_array().unwrap().iter();
    let entries = entries.map(|entry| json!([entry["tenant"], entry["action"], entry["outcome"]]));
    entries.collect()
}

#[tokio::test]
async fn operators_read_the_log_of_one_tenant_or_of_all() {
    let service = Service::shared();
    let (acme, globex) = (service.sign_up("read").await, service.sign_up("read").await);
    let make = "mutation Make($name: String!) { createLabel(input: {name: $name}) { id } }";
    for name in ["one", "two", "three"] {
        acme.ask(make, json!({"name": name})).await.data();
    }
    globex.ask(make, json!({"name": "one"})).await.data();
    let (ours, theirs) = (acme.subdomain(), globex.subdomain());
    let entry_of = |tenant: &str| json!([tenant, "Make", "ok"]);

    let data = ["--kind", "data"];
    let first = read(&[&[ours, "--limit", "2"], &data[..]].concat());
    assert_eq!(told(&first), [entry_of(ours), entry_of(ours)]);
    let next = first["next"].as_str().unwrap();
    let last = read(&[&[ours, "--after", next], &data[..]].concat());
    assert_eq!(
        (told(&last), &last["next"]),
        (vec![entry_of(ours)], &Value::Null)
    );
    let entry = &last["entries"][0];
    assert_eq!(entry["details"]["fields"][0]["field"], "createLabel");
    assert_eq!(entry["actor"]["name"], "Olga Owner");

    // By the actor, whatever the tenant: the id and the address are the same person.
    let id = entry["actor"]["id"].as_str().unwrap();
    assert_eq!(
        told(&read(&[&["--actor", id], &data[..]].concat())).len(),
        3
    );
    let since = ["--since", "1h", "--limit", "1000", "--action", "Make"];
    let all = told(&read(&since));
    assert!(
        all.contains(&entry_of(ours)) && all.contains(&entry_of(theirs)),
        "{all:?}"
    );
    let none = read(&[ours, "--until", "2020-01-01"]);
    assert_eq!(none, json!({"entries": [], "next": null}));
    assert_eq!(
        told(&read(&[&[ours, "--failed"], &data[..]].concat())),
        [json!(null); 0]
    );

    let lines = String::from_utf8(run(&[&[ours], &data[..]].concat()).stdout).unwrap();
    let cells: Vec<_> = lines.lines().next().unwrap().split('\t').collect();
    let expected = [ours, "user Olga Owner", "owner", "Make", "ok", "127.0.0.1"];
    assert_eq!(
        (&cells[1..7], cells[8]),
        (&expected[..], "createLabel"),
        "{lines}"
    );

    for (arguments, status) in [
        (&["nobody-has-this-name"][..], 3),
        (&["no name"], 4),
        (&["--actor", "nobody@nowhere.test"], 4),
        (&["--after", "x"], 4),
        (&["--since", "yesterday"], 2),
        (&["--limit", "0"], 2),
    ] {
        assert_eq!(run(arguments).status.code(), Some(status), "{arguments:?}");
    }
}
