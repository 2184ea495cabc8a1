//! The rules of the house that the compiler does not know, read from the source text.

mod source;

use std::collections::BTreeMap;
use std::path::Path;

use source::{File, files, forbid, sources};

/// Longest file, in lines.
const LONGEST: usize = 400;

/// Files that are longer, with how long they are and why. The numbers may only go down.
const LONG_FILES: &[(&str, usize, &str)] = &[(
    "src/migrate/script/qualify.rs",
    408,
    "one grammar, read from top to bottom",
)];

#[test]
fn planning_and_printing_are_pure() {
    let words = [
        "async",
        "await",
        "tokio",
        "tokio_postgres",
        "deadpool_postgres",
        "axum",
        "std::fs",
        "std::env",
        "std::net",
        "SystemTime",
        "Instant",
        "rand",
        "tracing",
        "crate::session",
        "crate::http",
        "crate::registry",
        "crate::guard",
        "crate::error",
    ];
    // `plan::introspect` hands a part of an operation to async-graphql, which answers from memory.
    let exempt = |file: &File| file.path == "src/plan/introspection.rs";
    let why = "plan and sql know neither I/O nor clock nor chance, nor anybody who does";
    forbid(&words, why, |file| {
        matches!(file.module(), "plan" | "sql") && !exempt(file)
    });
    forbid(&words[2..], why, |file| exempt(file));
}

/// What each module may know of the others, in the order in which data flows.
const EDGES: &str = "
    http: apis compile documents domains error execute guard limits plan platform registry request schema service session
    service: domains error guard limits mail names registry request resets schema secret
    platform: error guard limits migrate names registry request resets secret service
    resets: error guard mail names registry request
    domains: dns error guard mail names registry
    guard: error names oidc registry request secret
    oidc: error names
    dns:
    fleet: error migrate names postgres registry
    squash: catalog error migrate names postgres registry sql
    registry: catalog error limits migrate names postgres request secret sql
    apis: error migrate model registry schema
    compile: documents error guard limits model plan schema session sql
    documents: error limits plan schema
    execute: compile encode error guard limits model names plan request rows schema service session sql
    model: sql
    schema: model plan
    plan: encode model schema sql
    sql: model plan schema
    session: error guard limits names plan postgres registry request rows sql
    encode: plan rows
    rows:
    catalog: names
    migrate: error names postgres
    lint: error migrate model names postgres schema
    postgres:
    limits: error
    names:
    error:
    request:
    mail:
    secret:
";

#[test]
fn modules_know_only_what_they_need() {
    let lines = EDGES.lines().filter_map(|line| line.trim().split_once(':'));
    let edges: BTreeMap<_, Vec<_>> = lines
        .map(|(module, known)| (module, known.split_whitespace().collect()))
        .collect();
    let mut found = Vec::new();
    for file in sources() {
        // The start puts everything together.
        let Some(known) = edges.get(file.module()) else {
            assert!(
                ["cli", "config", "lib", "main", "telemetry"].contains(&file.module()),
                "{}",
                file.path
            );
            continue;
        };
        for (number, line) in file.code() {
            for (_, path) in line
                .match_indices("crate::")
                .map(|(at, word)| line.split_at(at + word.len()))
            {
                let name = path
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next()
                    .unwrap_or_default();
                if name != file.module() && !known.contains(&name) {
                    found.push(format!("{}:{number}: {}", file.path, line.trim()));
                }
            }
        }
    }
    assert!(
        found.is_empty(),
        "a new edge between modules:\n{}",
        found.join("\n")
    );
}

#[test]
fn only_http_knows_axum() {
    let serving = |file: &File| file.path == "src/cli/service.rs"; // runs the router that http made
    forbid(&["axum"], "axum is the business of http", |file| {
        file.module() != "http" && !serving(file)
    });
}

#[test]
fn connections_are_held_by_few() {
    let holders = [
        "session", "registry", "fleet", "squash", "catalog", "migrate", "lint", "postgres", "apis",
        "cli",
    ];
    let introspection = |file: &File| file.path == "src/model/introspect.rs";
    let words = [
        "Client",
        "GenericClient",
        "Transaction",
        "Pool",
        "Object",
        "batch_execute",
        "query_typed",
    ];
    forbid(
        &words,
        "a connection is held by session, registry, migrate, postgres, or the start",
        |file| {
            let driver =
                file.text.contains("tokio_postgres") || file.text.contains("deadpool_postgres");
            driver && !holders.contains(&file.module()) && !introspection(file)
        },
    );
    forbid(
        &["deadpool_postgres"],
        "pools belong to session and registry",
        |file| !matches!(file.module(), "session" | "registry"),
    );
    // The one way to a tenant's rows: not even the other holders may open a session's connection.
    forbid(
        &["tokio_postgres::connect"],
        "connections are opened by postgres::Database",
        |file| file.module() != "postgres",
    );
}

#[test]
fn only_the_guard_makes_a_tenant_context() {
    let makes = |line: &str| {
        let declares = ["struct ", "impl ", "for "]
            .iter()
            .any(|word| line.contains(&format!("{word}TenantContext {{")));
        line.contains("TenantContext {") && !declares && !line.contains("-> ")
    };
    let mut found = Vec::new();
    for file in files("src") {
        let count = file.text.lines().filter(|line| makes(line)).count();
        if count > 0 {
            found.push((file.path.clone(), count));
        }
    }
    found.sort();
    let guard = [
        ("src/guard/mod.rs".to_owned(), 1),
        ("src/guard/sessions.rs".to_owned(), 1),
    ];
    assert_eq!(found, guard);
    let guard = files("src")
        .into_iter()
        .find(|file| file.path == "src/guard/mod.rs")
        .unwrap();
    let fields = guard
        .text
        .split("pub(crate) struct TenantContext {")
        .nth(1)
        .unwrap();
    let fields = fields.split('}').next().unwrap();
    assert!(!fields.contains("pub"), "its fields are private: {fields}");
}

#[test]
fn only_the_command_line_prints() {
    let words = ["println!", "print!", "eprintln!", "eprint!"];
    forbid(&words, "what is to be told is logged", |file| {
        file.module() != "cli"
    });
    forbid(
        &["dbg!", "todo!", "unimplemented!"],
        "not in finished code",
        |_| true,
    );
}

/// SQL text is made of static syntax, quoted identifiers and parameters, by the printer alone.
#[test]
fn no_sql_is_made_by_format() {
    let verbs = [
        "select ", "insert ", "update ", "delete ", "set ", "from ", "where ",
    ];
    let mut found = Vec::new();
    for file in sources() {
        if !matches!(file.module(), "plan" | "sql" | "session") {
            continue;
        }
        let code: Vec<_> = file.code().collect();
        for (index, (number, line)) in code.iter().enumerate() {
            if !["format!(", "write!(", "writeln!(", "format_args!("]
                .iter()
                .any(|call| line.contains(call))
            {
                continue;
            }
            // The call may span lines: its text stands on one of the next ones.
            let call: String = code[index..]
                .iter()
                .take(4)
                .map(|(_, line)| *line)
                .collect();
            let call = call.split(';').next().unwrap_or_default();
            let mut texts = call.split('"').skip(1).step_by(2);
            if texts.any(|text| {
                verbs
                    .iter()
                    .any(|verb| text.trim_start().to_lowercase().starts_with(verb))
            }) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let all = files("src").into_iter().chain(files("tests"));
    let silent = all.filter(|file| {
        let first = file.text.lines().next().unwrap_or_default();
        !first.starts_with("//! ") || first.len() < 15
    });
    let silent: Vec<_> = silent.map(|file| file.path).collect();
    assert!(
        silent.is_empty(),
        "these open without a sentence of purpose: {silent:#?}"
    );
}

#[test]
fn files_are_short() {
    let allowed: BTreeMap<_, _> = LONG_FILES
        .iter()
        .map(|(path, lines, _)| (*path, *lines))
        .collect();
    let mut wrong = Vec::new();
    for file in files("src").iter().chain(&files("tests")) {
        let lines = file.text.lines().count();
        match allowed.get(file.path.as_str()) {
            None if lines > LONGEST => wrong.push(format!(
                "{} has {lines} lines, more than {LONGEST}",
                file.path
            )),
            Some(limit) if lines > *limit => {
                wrong.push(format!("{} has {lines} lines, and had {limit}", file.path));
            }
            Some(_) if lines <= LONGEST => {
                wrong.push(format!(
                    "{} is short now: take it off LONG_FILES",
                    file.path
                ));
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (path, _, _) in LONG_FILES {
        assert!(
            Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists(),
            "{path} is no more"
        );
    }
}
