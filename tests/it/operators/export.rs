//! An archive that an operator fetches at the base domain.

use reqwest::Method;
use serde_json::json;

use super::{operator, run};
use crate::harness::service::unique;
use crate::harness::{Answer, Caller, Service, eventually};

/// The path of a new address.
async fn offer(operator: &Caller, tenant: &str) -> String {
    let document =
        "mutation ($tenant: String!) { exportTenant(tenant: $tenant) { url expiresAt } }";
    let answer = operator.ask(document, json!({"tenant": tenant})).await;
    let export = answer.data()["exportTenant"].take();
    let url = export["url"].as_str().unwrap().to_owned();
    let path = url.find("/exports/").unwrap();
    assert!(url.starts_with("http://localhost:") && export["expiresAt"].is_string());
    url[path..].to_owned()
}

#[tokio::test]
async fn an_archive_is_fetched_once_and_read_again() {
    let service = Service::shared();
    let replica = Service::replica(&[]).await;
    let owner = service.sign_up("fetched").await;
    let create = "mutation { createLabel(input: {name: \"fetched, \\\"quoted\\\"\"}) { id } }";
    owner.query(create).await.data();
    let (email, operator) = operator(service, "exporter").await;
    let path = offer(&operator, owner.subdomain()).await;

    // Any replica has it, for no token at all; who looks first does not use it up.
    let anybody = replica.platform();
    let looked = Answer::of(anybody.request(Method::HEAD, &path)).await;
    assert_eq!(looked.status, 405);
    assert_eq!(owner.get(&path).await.status, 404, "a tenant's host");
    let answer = anybody.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/x-tar");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let name = format!("attachment; filename=\"{}.tar\"", owner.subdomain());
    assert_eq!(answer.headers()["content-disposition"], name.as_str());
    let archive = answer.bytes().await.unwrap();
    assert_eq!(anybody.get(&path).await.status, 404, "once");
    assert_eq!(anybody.get("/exports/tntx_no-such").await.status, 404);

    let file = service.dir().join(&format!("{}.tar", unique("fetched")));
    std::fs::write(&file, archive).unwrap();
    let (copy, file) = (unique("refetched"), file.to_str().unwrap());
    let imported = run(&["tenant", "import", file, "--subdomain", &copy], "");
    assert_eq!(imported.0, 0, "{imported:?}");
    let psql = service.psql().await;
    let (schema, _) = crate::harness::database::names(&psql, &copy).await;
    let text = format!("select count(*) from \"{schema}\".labels where name like 'fetched%'");
    let count: i64 = psql.query_one(&text, &[]).await.unwrap().get(0);
    assert_eq!(count, 1);

    let text = "select string_agg(l.action, ' ' order by l.at) from tenantry.audit_log l
        join tenantry.tenants t on t.id = l.tenant_id join tenantry.operators o on o.id = l.actor_id
        where t.subdomain = $1 and o.email = $2 and l.ip is not null";
    let row = psql.query_one(text, &[&owner.subdomain(), &email]).await;
    let trail: String = row.unwrap().get(0);
    assert_eq!(trail, "exportTenant fetchExport");

    // What is left over is worth nothing once its operator is gone.
    let path = offer(&operator, owner.subdomain()).await;
    assert_eq!(run(&["operator", "disable", &email, "--yes"], "").0, 0);
    assert_eq!(anybody.get(&path).await.status, 404);
}

/// Whoever does not take what was asked for holds one of few places, and no longer than the connection is there.
#[tokio::test]
async fn few_archives_are_made_at_once() {
    let service = Service::shared();
    let replica = Service::replica(&[]).await;
    let owner = service.sign_up("large").await;
    let psql = service.psql().await;
    let (schema, _) = crate::harness::database::names(&psql, owner.subdomain()).await;
    // More than fits into the sockets' buffers.
    let fill = format!(
        "insert into \"{schema}\".projects (key, name, description) \
         select 'K' || n, 'large', repeat(md5(n::text), 1000) from generate_series(1, 2000) n"
    );
    psql.batch_execute(&fill).await.unwrap();
    let (_, operator) = operator(service, "hoarder").await;
    let anybody = replica.platform();
    let mut held = Vec::new();
    for _ in 0..2 {
        let path = offer(&operator, owner.subdomain()).await;
        let answer = anybody.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        held.push(answer);
    }
    let path = offer(&operator, owner.subdomain()).await;
    let refused = anybody.get(&path).await;
    assert_eq!(
        (refused.status.as_u16(), refused.header("retry-after")),
        (503, "10")
    );
    held.pop();
    let answer = eventually("a place is free again", async || {
        let answer = anybody.request(Method::GET, &path).send().await.unwrap();
        (answer.status() == 200).then_some(answer)
    });
    let archive = answer.await.bytes().await.unwrap();
    assert!(archive.len() > 64_000_000 && archive.ends_with(&[0; 1024]));
}
