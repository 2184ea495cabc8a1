//! Log-ins whose user is read while a migration changes the tables.

use super::*;

const TABLES: &str = "
    create table notes (
      id integer generated always as identity primary key,
      author_id uuid not null default tenantry.user_id() references users,
      points integer not null default 1
    );
";

const USER: &str = "accessToken refreshToken user { email notes { nodes { points } } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_logs_in_meanwhile_is_let_in_once() {
    let service = Service::with_tables(TABLES);
    let replica = replica(&service, "let-in", &[]).await;
    let acme = service.sign_up("let-in").await.at(&replica);
    acme.query("mutation { createNote(input: {}) { id } }")
        .await
        .data();
    let email = format!("owner@{}.test", acme.subdomain());
    let nobody = acme.with_token(None);
    let log_in = format!(
        "mutation {{ logIn(input: {{email: \"{email}\", password: \"demo-password\"}}) {{ {USER} }} }}"
    );
    let refresh = |token: &Value| {
        format!("mutation {{ refreshSession(input: {{refreshToken: {token}}}) {{ {USER} }} }}")
    };
    let data = nobody.query(&log_in).await.data();
    let mut token = data["logIn"]["refreshToken"].clone();
    assert_eq!(
        data["logIn"]["user"]["notes"]["nodes"],
        json!([{"points": 1}])
    );

    let psql = service.psql().await;
    let (schema, _) = names(&psql, acme.subdomain()).await;
    let sessions = "select count(*) from tenantry.sessions";
    let points = [json!(1), json!("1")];
    for (version, r#type) in (2..).zip(["bigint", "integer", "bigint", "integer"]) {
        let before: i64 = psql.query_one(sessions, &[]).await.unwrap().get(0);
        let change = format!(
            "begin;
             select from tenantry.tenants where schema_name = '{schema}' for no key update;
             alter table {schema}.notes alter column points type {type}"
        );
        psql.batch_execute(&change).await.unwrap();
        // Half of them log in, and half go on with their session; the tables are locked until then.
        let (anew, query) = match version % 2 {
            0 => (true, log_in.clone()),
            _ => (false, refresh(&token)),
        };
        let asking = tokio::spawn({
            let nobody = nobody.clone();
            async move { nobody.query(&query).await }
        });
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(!asking.is_finished(), "it waits for the tables");
        let commit = format!(
            "insert into {schema}.tenantry_app_history values ({version}, 'change', now()::text, '1');
             update tenantry.tenants set app_version = {version} where schema_name = '{schema}';
             commit"
        );
        psql.batch_execute(&commit).await.unwrap();
        let data = asking.await.unwrap().data();
        let answer = &data[if anew { "logIn" } else { "refreshSession" }];
        let wanted = &points[usize::from(r#type == "bigint")];
        assert_eq!(
            answer["user"]["notes"]["nodes"],
            json!([{"points": wanted}])
        );
        assert_eq!(answer["user"]["email"], email.as_str());
        token = answer["refreshToken"].clone();
        let after: i64 = psql.query_one(sessions, &[]).await.unwrap().get(0);
        assert_eq!(after - before, i64::from(anew), "one session, no more");
    }
    // The last one is good.
    nobody.query(&refresh(&token)).await.data();
}
