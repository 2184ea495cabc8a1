//! The statement of a request, by the pure way from its text to SQL, in a form that people can read.

use std::fmt::Write as _;

use tenantry::model::introspect;
use tenantry::plan::{
    Bindings, Bound, Document, PlanError, RootValue, Variables, bind, plan, shape,
};
use tenantry::schema::{Api, Options};
use tenantry::sql::{self, Constants, Statement};
use tokio_postgres::Client;

use crate::harness::database::scalar;

/// The API of the tables in a tenant's schema.
pub(crate) async fn api(psql: &Client, schema: &str, role: &str) -> Api {
    let histories = [
        "tenantry_base_history",
        "tenantry_app_history",
        "tenantry_shared_history",
    ];
    let shared = scalar(psql, "select to_regnamespace('shared')").await;
    let shared = shared.as_deref().filter(|name| !name.is_empty());
    let model = introspect(psql, schema, shared, Some(role), &histories)
        .await
        .unwrap();
    Api::new(model, Options::default()).unwrap()
}

/// None when the request needs none, or is refused before there is one.
pub(crate) fn of(api: &Api, request: &str, variables: Variables, viewer: &str) -> Option<String> {
    try_of(api, request, variables, viewer).ok().flatten()
}

fn try_of(
    api: &Api,
    request: &str,
    mut variables: Variables,
    viewer: &str,
) -> Result<Option<String>, PlanError> {
    let document = Document::parse(api, request).map_err(|mut errors| errors.remove(0))?;
    let operation = document.operation(None)?;
    operation.fill_defaults(&mut variables);
    shape(&api.blueprint, operation, &variables, 10_000)?;
    let plan = plan(api, &document, operation, &variables)?;
    let bindings = bind(&plan.params, &plan.limits, &variables, Some(&viewer), None)?;
    let writes = plan.roots.iter().filter_map(|root| match &root.value {
        RootValue::Write(write) => Some(sql::print_write(&api.model, &plan.params, write)),
        _ => None,
    });
    let writes: Vec<_> = writes.flatten().collect();
    if !writes.is_empty() {
        let texts = writes
            .iter()
            .map(|statement| shown(&statement.statement, &bindings));
        return Ok(Some(texts.collect::<Vec<_>>().join("\n")));
    }
    let reads = sql::reads(&plan);
    if reads.is_empty() {
        return Ok(None);
    }
    let statement = sql::print(&api.model, &plan.params, &reads, &Constants::default());
    Ok(Some(shown(&statement, &bindings)))
}

/// The text, and below it the parameters.
fn shown(statement: &Statement, bindings: &Bindings) -> String {
    let mut text = in_lines(&statement.text);
    for (index, id) in statement.params.iter().enumerate() {
        let value = match &bindings.params[id.0] {
            Bound::Null => "null".to_owned(),
            Bound::Number(number) => format!("\"{number}\""),
            Bound::Text(text) => format!("{text:?}"),
            Bound::Binary(bytes) => format!("binary {bytes:02x?}"),
        };
        let _ = writeln!(text, "-- ${} {value}", index + 1);
    }
    text
}

/// Where a new line begins. The engine itself prints everything on one.
const CLAUSES: [&str; 17] = [
    "insert into ",
    "update ",
    "delete from ",
    "returning ",
    "select ",
    "from ",
    "join ",
    "left join ",
    "cross join ",
    "where ",
    "group by ",
    "having ",
    "order by ",
    "limit ",
    "offset ",
    "union ",
    "with ",
];

/// Breaks the line before each clause; the text stays the same but for this white space.
fn in_lines(statement: &str) -> String {
    let mut out = String::new();
    let (mut depth, mut quoted, mut fresh) = (0_usize, false, false);
    for (index, c) in statement.char_indices() {
        let rest = &statement[index..];
        let clause = CLAUSES.iter().any(|clause| rest.starts_with(clause));
        if fresh && clause && !quoted && !out.ends_with("left ") && !out.ends_with("cross ") {
            out.truncate(out.trim_end_matches(' ').len());
            let _ = write!(out, "\n{}", "  ".repeat(depth));
        }
        match c {
            '"' | '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        out.push(c);
        fresh = matches!(c, ' ' | '(');
    }
    out.push('\n');
    out
}
