//! What the benchmarks ask for, and the crate's pure stages in the order of a request.

use std::fmt::Write as _;

use anyhow::{Context as _, anyhow};
use bytes::{BufMut as _, BytesMut};
use serde_json::{Value, json};
use tenantry::encode::{Body, Source};
use tenantry::plan::{self, Bindings, Bound, Document, Plan, Variables};
use tenantry::rows::Rows;
use tenantry::schema::Api;
use tenantry::sql::{self, Constants, Layout, Statement};
use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Row};

/// Fills the tables of one tenant, on its `search_path`.
pub(crate) const CONTENT: &str = include_str!("content.sql");

/// An operation that is measured.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) query: &'static str,
    /// Whether it takes the id of an issue.
    by_id: bool,
    /// How often the answer says `"number"`: once for each issue.
    pub(crate) issues: usize,
}

pub(crate) const LIST: Workload = Workload {
    name: "list of 20, two to-one relations",
    query: "{ issues(first: 20, orderBy: [{createdAt: DESC}]) { nodes { \
            id number title status assignee { name } project { name } } } }",
    by_id: false,
    issues: 20,
};

pub(crate) const BY_KEY: Workload = Workload {
    name: "by primary key",
    query: "query ($id: UUID!) { issue(id: $id) { \
            id number title status assignee { name } project { name } } }",
    by_id: true,
    issues: 1,
};

pub(crate) const NESTED: Workload = Workload {
    name: "nested list, 20 × 5",
    query: "{ issues(first: 20, orderBy: [{createdAt: DESC}]) { nodes { \
            id number title comments(first: 5, orderBy: [{createdAt: ASC}]) { nodes { \
            id body createdAt } } } } }",
    by_id: false,
    issues: 20,
};

pub(crate) const MUTATION: Workload = Workload {
    name: "mutation, update by primary key",
    query: "mutation ($id: UUID!) { updateIssue(id: $id, set: {status: DONE}) { \
            id number title status assignee { name } project { name } } }",
    by_id: true,
    issues: 1,
};

/// What reads.
pub(crate) const WORKLOADS: [&Workload; 3] = [&LIST, &BY_KEY, &NESTED];

/// Issues of a tenant, whose ids are in `content.sql`.
pub(crate) const ISSUES: usize = 200;

impl Workload {
    /// The variables of one request, for the issue with this id.
    pub(crate) fn variables(&self, issue: &str) -> Variables {
        match json!({ "id": issue }) {
            Value::Object(variables) if self.by_id => variables,
            _ => Variables::new(),
        }
    }
}

/// A compiled operation.
pub(crate) struct Compiled {
    pub(crate) plan: Plan,
    pub(crate) statement: Statement,
}

/// Parses, validates, plans and prints.
pub(crate) fn compile(api: &Api, query: &str, variables: &Variables) -> anyhow::Result<Compiled> {
    let document = Document::parse(api, query).map_err(|errors| anyhow!("{errors:?}"))?;
    let plan = plan(api, &document, variables)?;
    let limits = Constants::among(&bind(&plan, variables)?.limits).unwrap_or_default();
    let statement = print(api, &plan, &limits);
    Ok(Compiled { plan, statement })
}

pub(crate) fn print(api: &Api, plan: &Plan, limits: &Constants) -> Statement {
    sql::print(&api.model, &plan.params, &sql::reads(plan), limits)
}

pub(crate) fn plan(api: &Api, document: &Document, variables: &Variables) -> anyhow::Result<Plan> {
    let failed = |error: plan::PlanError| anyhow!("{error:?}");
    let operation = document.operation(None).map_err(failed)?;
    plan::plan(api, document, operation, variables).map_err(failed)
}

pub(crate) fn bind(plan: &Plan, variables: &Variables) -> anyhow::Result<Bindings> {
    plan::bind(&plan.params, &plan.limits, variables, None, None)
        .map_err(|error| anyhow!("{error:?}"))
}

/// Runs the statement once.
pub(crate) async fn read(
    client: &Client,
    compiled: &Compiled,
    bindings: &Bindings,
) -> anyhow::Result<Vec<Row>> {
    let Statement { text, params, .. } = &compiled.statement;
    let values: Vec<_> = params
        .iter()
        .map(|id| Param(&bindings.params[id.0]))
        .collect();
    let typed: Vec<(&(dyn ToSql + Sync), Type)> = values
        .iter()
        .map(|value| (value as _, Type::UNKNOWN))
        .collect();
    Ok(client.query_typed(text, &typed).await?)
}

/// A bound parameter for tokio-postgres.
#[derive(Debug)]
pub(crate) struct Param<'a>(pub(crate) &'a Bound);

impl ToSql for Param<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, BoxedError> {
        match self.0 {
            Bound::Null => return Ok(IsNull::Yes),
            Bound::Number(number) => write!(out, "{number}")?,
            Bound::Text(text) => out.put_slice(text.as_bytes()),
            Bound::Binary(bytes) => out.put_slice(bytes),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        match self.0 {
            Bound::Binary(_) => Format::Binary,
            Bound::Text(_) | Bound::Number(_) | Bound::Null => Format::Text,
        }
    }

    to_sql_checked!();
}

type BoxedError = Box<dyn std::error::Error + Sync + Send>;

/// The bytes of a column as they came, whatever its type.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, BoxedError> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The same rows as the service has them.
pub(crate) fn rows(rows: &[Row]) -> Rows {
    Rows::from_columns(rows.iter().map(columns))
}

fn columns(row: &Row) -> impl Iterator<Item = Option<&[u8]>> {
    let value = |column| row.get::<_, Option<Raw<'_>>>(column).map(|raw| raw.0);
    (0..row.len()).map(value)
}

/// Writes the response of an operation with one root field.
pub(crate) fn encode(
    compiled: &Compiled,
    bindings: &Bindings,
    rows: &Rows,
) -> anyhow::Result<Vec<u8>> {
    let source = match compiled.statement.layout {
        Layout::Flat => Source::Rows(rows),
        Layout::Columns => Source::Column(rows.first().context("no row")?, 0),
    };
    let mut body = Body::new(bindings, usize::MAX, 0);
    for root in &compiled.plan.roots {
        body.root(root, source)?;
    }
    let (mut out, errors) = body.finish();
    anyhow::ensure!(errors.is_empty(), "{errors:?}");
    out.push(b'}');
    Ok(out)
}
