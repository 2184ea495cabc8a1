//! Runs `access.md`: what each identity may do with each field of the service.

mod identities;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use serde_json::Value;

use crate::harness::service::unique;
use crate::harness::{Answer, Caller, Service};
use identities::{Identities, at_the_base_domain, at_the_tenant};

const FILE: &str = "tests/it/isolation/access.md";
const TABLE: &str = include_str!("access.md");

const THINGS: &str = "
    create table things (id int primary key, name text);
    comment on table things is '@write admin';
    create table notices (id int primary key, body text);
    comment on table notices is '@public';";

/// What a tenant has of its own tables, and of the users, and of every API.
const OF_TABLES: [&str; 5] = ["thing", "notice", "user", "node", "viewer"];

#[tokio::test]
async fn everybody_may_do_what_the_table_says() {
    let service = Service::with_tables(THINGS);
    let (red, blue) = (service.sign_up("red").await, service.sign_up("blue").await);
    let (tenant, ids) = at_the_tenant(&service, &red, &blue).await;
    let mut lines = run("At a tenant", &tenant, &ids).await;
    // Only now: who logs out everywhere does so here, too.
    let base = at_the_base_domain(&service, &red, &tenant).await;
    lines.extend(run("At the base domain", &base, &ids).await);
    if std::env::var_os("UPDATE_ACCESS").is_some() {
        let text = lines.iter().fold(TABLE.to_owned(), |text, line| {
            text.replace(line.expected, &line.found())
        });
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
        return std::fs::write(file, text).unwrap();
    }
    let mut wrong: Vec<_> = lines.iter().flat_map(Line::wrong).collect();
    wrong.extend(missing("At a tenant", &red.with_token(None)).await);
    wrong.extend(missing("At the base domain", &service.platform()).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A section's table: its columns, and its lines with their cells.
struct Table {
    columns: Vec<&'static str>,
    lines: Vec<(&'static str, Vec<&'static str>)>,
}

impl Table {
    fn under(heading: &str) -> Self {
        let section = TABLE.split(&format!("\n## {heading}\n")).nth(1);
        let section = section.unwrap_or_else(|| panic!("{FILE} has no section {heading}"));
        let section = section.split("\n## ").next().unwrap();
        let lines = section
            .lines()
            .filter(|line| line.starts_with('|') && !line.starts_with("|--"));
        let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim).collect();
        let mut lines = lines.map(|line| (line, cells(line)));
        let (_, columns): (_, Vec<_>) = lines.next().unwrap();
        let lines: Vec<(_, Vec<_>)> = lines.collect();
        for (line, cells) in &lines {
            assert_eq!(cells.len(), columns.len(), "{FILE}: {line}");
        }
        let operations: BTreeSet<_> = lines.iter().map(|(_, cells)| cells[0]).collect();
        assert_eq!(
            operations.len(),
            lines.len(),
            "{heading}: a line is there twice"
        );
        Self { columns, lines }
    }
}

/// A line of the table, and what came of it.
struct Line {
    expected: &'static str,
    cells: Vec<(&'static str, &'static str)>,
    operation: &'static str,
    found: Vec<String>,
    /// Whose tokens are good for nothing, and got something else than what they always get.
    let_in: Vec<String>,
}

impl Line {
    fn found(&self) -> String {
        format!("| {} | {} |", self.operation, self.found.join(" | "))
    }

    fn wrong(&self) -> Vec<String> {
        let Self {
            operation, let_in, ..
        } = self;
        let pairs = self.cells.iter().zip(&self.found);
        let wrong = pairs.filter(|((_, expected), found)| expected != found);
        let wrong = wrong.map(|((who, expected), found)| {
            format!("{operation}\n  {who}: {found}, not {expected}")
        });
        wrong.chain(let_in.iter().cloned()).collect()
    }
}

/// Sends each operation as each identity.
async fn run(heading: &str, identities: &Identities, ids: &HashMap<&str, String>) -> Vec<Line> {
    let table = Table::under(heading);
    let refused = Table::under(&format!("{heading}, tokens that are good for nothing"));
    let refused: BTreeMap<_, _> = refused
        .lines
        .iter()
        .map(|(_, cells)| (cells[0], cells[1]))
        .collect();
    let named = table.columns[1..].iter().chain(refused.keys());
    let named: BTreeSet<_> = named.copied().collect();
    let known: BTreeSet<_> = identities.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        named, known,
        "{heading}: who is in the table, and who is there"
    );
    let caller = |name: &str| {
        &identities
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap()
            .1
    };
    let mut lines = Vec::new();
    for (expected, cells) in table.lines {
        let operation = cells[0];
        let ask = async |caller: &Caller| {
            let mut document = operation.trim_matches('`').to_owned();
            for (placeholder, id) in ids {
                document = document.replace(placeholder, &format!("\"{id}\""));
            }
            let nobody = format!("{}@example.test", unique("nobody"));
            outcome(&caller.query(&document.replace("$nobody", &nobody)).await)
        };
        let mut let_in = Vec::new();
        for (name, always) in &refused {
            let found = ask(caller(name)).await;
            if found != **always {
                let_in.push(format!("{operation}\n  {name}: {found}, not {always}"));
            }
        }
        let mut found = Vec::new();
        for name in &table.columns[1..] {
            found.push(ask(caller(name)).await);
        }
        let columns = table.columns[1..].iter().copied();
        lines.push(Line {
            expected,
            cells: columns.zip(cells[1..].iter().copied()).collect(),
            operation,
            found,
            let_in,
        });
    }
    lines
}

/// `ok`, or the code, and the role that it takes where that is told. What does not fit the schema has no place in the table.
fn outcome(answer: &Answer) -> String {
    let json = answer.json();
    let extensions = &json["errors"][0]["extensions"];
    let code = extensions["code"].as_str().unwrap_or("ok");
    assert!(!code.starts_with("GRAPHQL_"), "{answer:?}");
    match extensions["role"].as_str() {
        Some(role) => format!("{code}: {role}"),
        None => code.to_owned(),
    }
}

/// Fields that the service adds to every API, and that no line below the heading asks for.
async fn missing(heading: &str, caller: &Caller) -> Vec<String> {
    let types = "{ __schema { types { name kind fields { name } } } }";
    let types = caller.query(types).await.data();
    let types = types["__schema"]["types"].as_array().unwrap();
    let fields_of = |name: &str| -> Vec<String> {
        let found = types.iter().find(|ty| ty["name"] == name);
        let fields = found.and_then(|ty| ty["fields"].as_array());
        let names = fields.into_iter().flatten().map(|field| &field["name"]);
        names.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let table = Table::under(heading);
    let words: BTreeSet<_> = table
        .lines
        .iter()
        .flat_map(|(_, cells)| cells[0].split(|c: char| !c.is_alphanumeric()))
        .collect();
    let of_tables = |field: &str| {
        let field = field.to_lowercase();
        let parts = ["create", "update", "delete"].iter();
        let rest = parts.fold(field.as_str(), |rest, verb| {
            rest.strip_prefix(verb).unwrap_or(rest)
        });
        OF_TABLES.iter().any(|table| rest.starts_with(table))
    };
    let mut missing = Vec::new();
    for ty in ["Query", "Mutation", "CurrentTenant", "Account"] {
        for field in fields_of(ty) {
            if !of_tables(&field) && !words.contains(field.as_str()) {
                missing.push(format!("{FILE}, {heading}: no line for {ty}.{field}"));
            }
        }
    }
    missing
}
