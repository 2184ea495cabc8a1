//! `tenantry tenant …`, beside two replicas of the service that serve what it changes.

mod activity;
mod killed;

use std::process::Output;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::service::unique;
use crate::harness::{self, Service, soon, tenantry, within};

/// Runs a command on the database of the shared service.
fn run(arguments: &[&str]) -> Output {
    run_with(arguments, "")
}

fn run_with(arguments: &[&str], input: &str) -> Output {
    harness::run(&[&["tenant"], arguments].concat(), input)
}

#[track_caller]
fn done(arguments: &[&str]) -> Value {
    let output = run(&[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Exit status and message.
fn refused(arguments: &[&str]) -> (i32, String) {
    let output = run(arguments);
    let message = String::from_utf8_lossy(&output.stderr);
    let message = message
        .lines()
        .find_map(|line| line.strip_prefix("error: "));
    (
        output.status.code().unwrap(),
        message.unwrap_or_default().to_owned(),
    )
}

#[tokio::test]
async fn what_an_operator_does_counts_at_every_replica_within_a_second() {
    let service = Service::shared();
    let replica = Service::replica(&[]).await;
    let owner = service.sign_up("life").await;
    let there = owner.at(&replica);
    let subdomain = owner.subdomain().to_owned();
    soon(&there, "OK").await;

    let suspended = done(&["suspend", &subdomain, "--reason", "unpaid since May"]);
    assert_eq!(
        (&suspended["status"], &suspended["suspensionReason"]),
        (&json!("SUSPENDED"), &json!("unpaid since May"))
    );
    let answer = soon(&there, "TENANT_SUSPENDED").await;
    assert_eq!(answer.status, 403);
    done(&["resume", &subdomain]);
    soon(&there, "OK").await;
    done(&["rename", &subdomain, "O'Hara \"& Co\"; --"]);
    assert_eq!(done(&["show", &subdomain])["name"], "O'Hara \"& Co\"; --");

    assert_eq!(refused(&["delete", &subdomain]).0, 5, "nobody can be asked");
    soon(&there, "OK").await;
    done(&["delete", &subdomain, "--yes"]);
    soon(&there, "TENANT_NOT_FOUND").await;
    assert_eq!(refused(&["suspend", &subdomain, "--reason", "x"]).0, 4);
    done(&["restore", &subdomain]);
    soon(&there, "OK").await;
    soon(&owner, "OK").await;

    done(&["delete", &subdomain, "--yes"]);
    let purged = done(&["purge", &subdomain, "--yes"]);
    assert_eq!(purged["purged"][0]["subdomain"], subdomain);
    soon(&there, "TENANT_NOT_FOUND").await;
    assert_eq!(
        refused(&["show", &subdomain]),
        (
            3,
            format!("there is no tenant \"{subdomain}\" [TENANT_NOT_FOUND]")
        )
    );
}

#[tokio::test]
async fn a_tenant_that_moves_leaves_its_new_address_at_the_old_one() {
    let service = Service::shared();
    let replica = Service::replica(&[]).await;
    let owner = service.sign_up("moves").await;
    let there = owner.at(&replica);
    let (old, new) = (owner.subdomain().to_owned(), unique("moved"));
    soon(&there, "OK").await;
    let moved = done(&["change-subdomain", &old, &new, "--redirect-days", "7"]);
    assert_eq!(moved["redirects"], json!([old]));

    let answer = soon(&there, "TENANT_MOVED").await;
    assert_eq!(answer.status, 308);
    let host = format!("{new}.localhost");
    assert_eq!(answer.json()["errors"][0]["extensions"]["movedTo"], host);
    let address = format!("//{host}:{}", replica.port());
    assert_eq!(answer.header("location"), format!("{address}/graphql"));
    assert_eq!(answer.header("cache-control"), "no-store");
    for path in ["/", "/graphiql?query=%7Ba%7D"] {
        let answer = there.get(path).await;
        assert_eq!(answer.status, 308, "{path}");
        assert_eq!(answer.header("location"), format!("{address}{path}"));
    }
    // The token is the tenant's, wherever it is; and the name is nobody else's meanwhile.
    let moved = replica.host(&host).with_token(owner.token.as_deref());
    soon(&moved, "OK").await;
    assert_eq!(service.try_sign_up(&old).await.code(), "CONFLICT");
    assert_eq!(refused(&["change-subdomain", "globex", &old]).0, 4);
    assert_eq!(refused(&["change-subdomain", &new, "www"]).0, 4);
    done(&["change-subdomain", &new, &old, "--redirect-days", "0"]);
    soon(&there, "OK").await;
    soon(&moved, "TENANT_NOT_FOUND").await;
}

#[tokio::test]
async fn lists_are_for_people_pipes_and_programs() {
    let service = Service::shared();
    let subdomain = unique("listed");
    let made = run_with(
        &[
            "create",
            "Listed & \u{1f600}",
            "--subdomain",
            &subdomain,
            "--owner",
            "Lisa",
            "--email",
            &format!("lisa@{subdomain}.test"),
            "--password",
            "--json",
        ],
        "demo-password\n",
    );
    assert!(made.status.success(), "{made:?}");
    assert!(
        !String::from_utf8_lossy(&made.stderr).contains("password"),
        "{made:?}"
    );
    let lisa = service.tenant(&subdomain).member("lisa").await;
    soon(&lisa, "OK").await;
    let output = run(&["list", "--search", &subdomain]);
    let text = String::from_utf8(output.stdout).unwrap();
    let cells: Vec<_> = text.trim_end().split('\t').collect();
    assert_eq!(
        cells[..4],
        [&subdomain, "Listed & \u{1f600}", "active", "1"],
        "{text}"
    );
    assert!(cells[4].parse::<u64>().unwrap() > 100_000, "{text}");
    let page = done(&["list", "--limit", "1", "--sort", "created", "--desc"]);
    assert_eq!(page["tenants"].as_array().unwrap().len(), 1);
    assert!(page["total"].as_i64().unwrap() > 2);
    let next = page["next"].as_str().unwrap();
    let second = done(&[
        "list", "--limit", "1", "--sort", "created", "--desc", "--after", next,
    ]);
    assert_ne!(page["tenants"][0]["id"], second["tenants"][0]["id"]);
    assert_eq!(refused(&["list", "--after", next]).0, 4);

    for bad in ["", "a b", "x'; drop schema tenantry cascade; --", "\u{e4}"] {
        assert_eq!(refused(&["show", bad]).0, 4, "{bad}");
    }
    assert_eq!(refused(&["rename", "acme", ""]).0, 4);
    assert_eq!(refused(&["suspend", "acme", "--reason", " "]).0, 4);
    assert_eq!(refused(&["purge", "acme", "--yes"]).0, 4);
    assert_eq!(refused(&["purge"]).0, 2);
    let nowhere = tenantry(&["tenant", "list", "--data-dir", "/nonexistent"])
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&nowhere.stderr).into_owned();
    assert!(message.starts_with("error: which database?"), "{message}");
}

#[tokio::test]
async fn a_clone_and_an_archive_are_tenants_of_their_own() {
    let service = Service::shared();
    let owner = service.sign_up("original").await;
    let (original, copy, again) = (
        owner.subdomain().to_owned(),
        unique("copy"),
        unique("again"),
    );
    let cloned = done(&["clone", &original, &copy, "--name", "Copy \"; --"]);
    assert_eq!(
        (&cloned["name"], &cloned["users"]),
        (&json!("Copy \"; --"), &json!(1))
    );
    let file = service.dir().join(&format!("{original}.tar"));
    let file = file.to_str().unwrap();
    let exported = run(&["export", &original, file]);
    assert!(exported.status.success(), "{exported:?}");
    let (status, message) = refused(&["export", &original, file]);
    assert!(status == 4 && message.contains("--force"), "{message}");
    std::fs::write(file, "older").unwrap();
    assert_eq!(refused(&["export", "nobody-is-here", file, "--force"]).0, 3);
    assert_eq!(std::fs::read(file).unwrap(), b"older", "it stays as it is");
    let exported = run(&["export", &original, file, "--force"]);
    assert!(exported.status.success(), "{exported:?}");
    let left = std::fs::read_dir(service.dir().join("")).unwrap();
    let left = left.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with(&original)
    });
    assert_eq!(left.count(), 1, "and nothing lies beside it");
    let piped = run(&["export", &original, "-"]);
    let (piped, written) = (piped.stdout.len(), std::fs::metadata(file).unwrap().len());
    assert_eq!(u64::try_from(piped).unwrap(), written);
    done(&["import", file, "--subdomain", &again]);
    assert_eq!(
        refused(&["import", file]).0,
        4,
        "its own subdomain is taken"
    );

    let issues = "{ issues { nodes { id number title createdAt reporter { email } } } }";
    let wanted = owner.query(issues).await.data();
    for name in [&copy, &again] {
        let host = service.host(&format!("{name}.localhost"));
        let log_in = "mutation ($input: LogInInput!) { logIn(input: $input) { accessToken } }";
        let input = json!({"email": format!("owner@{original}.test"), "password": "demo-password"});
        let token = host.ask(log_in, json!({"input": input})).await.data();
        let token = token["logIn"]["accessToken"].as_str().map(str::to_owned);
        let there = host.with_token(token.as_deref());
        assert_eq!(there.query(issues).await.data(), wanted, "{name}");
        let delete = "mutation { deleteIssues(where: {number: {gt: 0}}) { affectedCount } }";
        there.query(delete).await.data();
        assert_eq!(
            owner
                .with_token(token.as_deref())
                .query(issues)
                .await
                .code(),
            "FORBIDDEN"
        );
    }
    assert_eq!(owner.query(issues).await.data(), wanted);
}

#[tokio::test]
async fn who_makes_a_tenant_needs_the_apps_own_migrations() {
    let service = Service::with_tables("create table things (id int primary key);");
    let clone = ["tenant", "clone", "acme", "acme-again"];
    let owner = ["--owner", "Olga", "--email", "olga@else.test"];
    let create = [&["tenant", "create", "Else"], &owner[..]].concat();
    let archive = service.dir().join("acme.tar");
    let archive = archive.to_str().unwrap();
    let export = ["tenant", "export", "acme", archive];
    assert!(harness::run_on(&service, &export, "").status.success());
    let import = ["tenant", "import", archive, "--subdomain", "imported"];
    for command in [&clone[..], &create, &import] {
        let refused = harness::run_on(&service, command, "");
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            refused.status.code() == Some(9) && message.contains("--tenant-sql"),
            "{message}"
        );
    }
    let tables = service.dir().join("tables");
    let clone = [&clone[..], &["--tenant-sql", tables.to_str().unwrap()]].concat();
    let cloned = harness::run_on(&service, &clone, "");
    assert!(cloned.status.success(), "{cloned:?}");
}

#[tokio::test]
async fn limits_of_its_own_are_set_by_a_command_and_leave_a_trail() {
    let service = Service::shared();
    let owner = service.sign_up("limited").await;
    let tenant = owner.subdomain();
    assert_eq!(done(&["limits", tenant]), json!({}));
    let set = ["limits", tenant, "--set", "rows=20", "requests=500"];
    assert_eq!(done(&set), json!({"rows": 20, "requests": 500}));
    within(Duration::from_secs(1), "it is known", async || {
        let answer = owner.query("{ labels(first: 21) { totalCount } }").await;
        (answer.status != 200 || answer.text.contains("errors")).then_some(())
    })
    .await;
    let unset = ["limits", tenant, "--unset", "requests"];
    assert_eq!(done(&unset), json!({"rows": 20}));
    for (wrong, why) in [
        ("row=1", "rows"),
        ("rows=0", "no number"),
        ("rows", "name=number"),
    ] {
        let output = run(&["limits", tenant, "--set", wrong]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.code() == Some(2) && message.contains(why),
            "{message}"
        );
    }
    let log = "{ currentTenant { auditLog(where: {action: \"changeTenantLimits\"}) {
        nodes { kind actor { kind } details { name value } } } } }";
    let log = owner.query(log).await.data();
    let nodes = &log["currentTenant"]["auditLog"]["nodes"];
    assert_eq!(nodes.as_array().unwrap().len(), 2, "{nodes}");
    assert_eq!(
        (&nodes[0]["kind"], &nodes[0]["actor"]["kind"]),
        (&json!("TENANT"), &json!("command_line"))
    );
}
