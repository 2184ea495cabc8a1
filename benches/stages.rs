//! The pure stages of a request, one by one: what a cache miss costs, and what every request does.
//!
//! The API and the rows come from a private Postgres, which has stopped before anything is measured.

#[expect(dead_code, reason = "shared with the load benchmark")]
mod common;

use std::hint::black_box;
use std::os::unix::fs::PermissionsExt as _;

use criterion::Criterion;
use tenantry::model::introspect;
use tenantry::plan::{Document, Variables};
use tenantry::postgres::{Cluster, ClusterOptions, Database};
use tenantry::rows::Rows;
use tenantry::schema::{Api, Options};
use tenantry::sql::Constants;
use tokio_postgres::Client;

use common::{BY_KEY, CONTENT, Compiled, LIST, NESTED, Workload};

/// The tables of one tenant, as `tenantry` makes them.
const TABLES: [&str; 7] = [
    include_str!("../sql/base/V1__users.sql"),
    include_str!("../sql/tenant/V1__projects.sql"),
    include_str!("../sql/tenant/V2__issues.sql"),
    include_str!("../sql/tenant/V3__comments.sql"),
    include_str!("../sql/tenant/V4__labels.sql"),
    include_str!("../sql/tenant/V5__project_summaries.sql"),
    include_str!("../sql/tenant/V6__functions.sql"),
];

/// An operation with all that its stages take.
struct Case {
    name: &'static str,
    workload: &'static Workload,
    variables: Variables,
    document: Document,
    compiled: Compiled,
    rows: Rows,
}

fn main() -> anyhow::Result<()> {
    let (api, cases) = tokio::runtime::Runtime::new()?.block_on(prepare())?;
    let mut criterion = Criterion::default().configure_from_args();
    for case in &cases {
        measure(&mut criterion, &api, case);
    }
    criterion.final_summary();
    Ok(())
}

fn measure(criterion: &mut Criterion, api: &Api, case: &Case) {
    let Case {
        workload,
        variables,
        document,
        compiled,
        rows,
        ..
    } = case;
    let query = black_box(workload.query);
    let mut group = criterion.benchmark_group(case.name);
    group.bench_function("parse", |b| b.iter(|| Document::parse(api, query)));
    group.bench_function("plan", |b| {
        b.iter(|| common::plan(api, document, variables));
    });
    let any = Constants::default();
    group.bench_function("sql", |b| {
        b.iter(|| common::print(api, &compiled.plan, &any));
    });
    group.bench_function("bind", |b| {
        b.iter(|| common::bind(&compiled.plan, variables));
    });
    if let Ok(bindings) = common::bind(&compiled.plan, variables) {
        group.bench_function("encode", |b| {
            b.iter(|| common::encode(compiled, &bindings, black_box(rows)));
        });
    }
    group.finish();
}

async fn prepare() -> anyhow::Result<(Api, Vec<Case>)> {
    let home = tempfile::tempdir()?;
    // Postgres runs as a user of its own when root starts it.
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755))?;
    let cluster = Cluster::start(ClusterOptions {
        data_dir: home.path().join("data"),
        ..ClusterOptions::default()
    })
    .await?;
    let (client, _) = Database::parse(&cluster.url("postgres"))?.connect().await?;
    client
        .batch_execute("create schema tenantry; create schema acme")
        .await?;
    client
        .batch_execute(include_str!("../sql/registry/V1__tables.sql"))
        .await?;
    client.batch_execute("set search_path to acme").await?;
    for script in TABLES.into_iter().chain([CONTENT]) {
        client.batch_execute(script).await?;
    }
    let api = Api::new(
        introspect(&client, "acme", None, None, &[]).await?,
        Options::default(),
    )?;
    let mut cases = Vec::new();
    for (name, workload) in [("list", &LIST), ("by_key", &BY_KEY), ("nested", &NESTED)] {
        cases.push(case(&client, &api, name, workload).await?);
    }
    cluster.destroy().await?;
    Ok((api, cases))
}

async fn case(
    client: &Client,
    api: &Api,
    name: &'static str,
    workload: &'static Workload,
) -> anyhow::Result<Case> {
    let row = client
        .query_one("select id::text from issues limit 1", &[])
        .await?;
    let variables = workload.variables(row.get(0));
    let document =
        Document::parse(api, workload.query).map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
    let compiled = common::compile(api, workload.query, &variables)?;
    let bindings = common::bind(&compiled.plan, &variables)?;
    let rows = common::rows(&common::read(client, &compiled, &bindings).await?);
    Ok(Case {
        name,
        workload,
        variables,
        document,
        compiled,
        rows,
    })
}
