//! What tenants have in shared tables, in clones and archives.

use super::scalar;
use crate::migrate::Migrations;
use crate::names::Subdomain;
use crate::registry::audit::Actor;
use crate::registry::{By, CopyName, TenantRef};
use crate::testing::{Replica, TestDatabase};

const SHARED: &str = r#"
create table feedback (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null default tenantry.tenant_id() references tenantry.tenants on delete cascade,
  parent uuid references feedback, body text not null, length int generated always as (char_length(body)) stored);
create table "odd ""votes""" (
  id bigint generated always as identity primary key, tenant_id text not null,
  feedback uuid references feedback, unique (tenant_id, feedback));
create table slugs (slug text primary key, tenant_id uuid not null, number serial unique);
create table countries (code text primary key);
"#;

const TABLES: &str = r#"
create table answers (id int primary key, feedback uuid not null references shared.feedback on delete cascade, vote bigint);
comment on table answers is E'@foreignKey (vote) references shared."odd ""votes""" (id)\nAnswers.';
create function no() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
create trigger no before update on answers for each row execute function no();
"#;

/// Everything of one tenant, without what differs from copy to copy.
const PORTRAIT: &str = r#"
select concat_ws(' | ',
  (select string_agg(f.body || '<' || coalesce(p.body, '') || f.length, ', ' order by f.body)
   from shared.feedback f left join shared.feedback p on p.id = f.parent and p.tenant_id = f.tenant_id
   where f.tenant_id = t.id),
  (select string_agg(a.id || f.body || v.feedback, ', ' order by a.id)
   from SCHEMA.answers a join shared.feedback f on f.id = a.feedback and f.tenant_id = t.id
   join (select v.id, v.tenant_id, f.body as feedback from shared."odd ""votes""" v
         join shared.feedback f on f.id = v.feedback and f.tenant_id::text = v.tenant_id) v
     on v.id = a.vote and v.tenant_id = t.id::text),
  (select string_agg(slug, ', ') from shared.slugs where tenant_id = t.id))
from tenantry.tenants t where t.subdomain = 'NAME'"#;

async fn portrait(test: &TestDatabase, tenant: &str) -> String {
    let owner = test.owner().await;
    let schema = format!(
        "select quote_ident(schema_name) from tenantry.tenants where subdomain = '{tenant}'"
    );
    let schema = scalar(&owner, &schema).await;
    let portrait = PORTRAIT.replace("SCHEMA", &schema).replace("NAME", tenant);
    scalar(&owner, &portrait).await
}

async fn start() -> (TestDatabase, Replica) {
    let dir = tempfile::tempdir().unwrap();
    let write = |folder: &str, sql: &str| {
        let folder = dir.path().join(folder);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("V1__it.sql"), sql).unwrap();
        folder
    };
    let (shared, tables) = (write("shared", SHARED), write("tables", TABLES));
    let test = TestDatabase::of_ordinary_owner().await;
    let migrations = Migrations::load(Some((&tables, Some(&shared))), None).unwrap();
    let replica = test.replica_with(migrations).await;
    (test, replica)
}

fn subdomain(name: &str) -> Subdomain {
    Subdomain::parse(name).unwrap()
}

#[tokio::test]
async fn rows_in_shared_tables_go_along_and_are_the_copys_own() {
    let (test, replica) = start().await;
    let acme = replica.sign_up("acme").await.tenant;
    let rival = replica.sign_up("rival").await.tenant;
    let owner = test.owner().await;
    let fill = format!(
        "insert into shared.feedback (tenant_id, body) values ('{0}', 'good'), ('{1}', 'theirs'); \
         insert into shared.feedback (tenant_id, body, parent) select '{0}', 'indeed', id from shared.feedback \
           where body = 'good'; \
         insert into shared.\"odd \"\"votes\"\"\" (tenant_id, feedback) select tenant_id, id from shared.feedback; \
         insert into shared.slugs (slug, tenant_id) values ('acme', '{0}'), ('rival', '{1}'); \
         insert into shared.countries values ('AT'); \
         insert into {2}.answers select row_number() over (order by f.body), f.id, v.id from shared.feedback f \
           join shared.\"odd \"\"votes\"\"\" v on v.feedback = f.id where f.tenant_id = '{0}'",
        acme.id,
        rival.id,
        acme.schema.quoted()
    );
    owner.batch_execute(&fill).await.unwrap();
    let original = portrait(&test, "acme").await;
    let whole = "good<4, indeed<good6 | 1goodgood, 2indeedindeed";
    assert_eq!(original, format!("{whole} | acme"));

    let by = By {
        actor: Actor::CommandLine("root".to_owned()),
        request: None,
    };
    let (registry, migrations) = (&replica.registry, &replica.migrations);
    let named = TenantRef::Subdomain(subdomain("acme"));
    let copy = CopyName {
        name: None,
        subdomain: subdomain("copy"),
    };
    let cloned = registry.clone_tenant(migrations, &by, &named, &copy);
    cloned.await.unwrap();
    let mut archive = Vec::new();
    let exported = registry.export_tenant(&by, &named, &mut archive);
    assert_eq!(exported.await.unwrap().rows, 2 + 2 + 2 + 1 + 1);
    let imported = registry.import_tenant(migrations, &by, Some(subdomain("again")), &archive[..]);
    imported.await.unwrap();
    for copy in ["copy", "again"] {
        // What can be there only once stays where it is.
        assert_eq!(portrait(&test, copy).await, whole, "{copy}");
    }
    let left_out = "select string_agg(distinct details ->> 'leftOut', ' ') from tenantry.audit_log \
                    where action in ('cloneTenant', 'importTenant')";
    assert_eq!(scalar(&owner, left_out).await, "{\"slugs\": 1}");
    assert_eq!(portrait(&test, "acme").await, original);
    let key = "select string_agg(conname, ' ') from pg_constraint \
               where conrelid = (select (schema_name || '.answers')::regclass from tenantry.tenants \
                                 where subdomain = 'copy') and contype = 'f' and convalidated";
    assert_eq!(scalar(&owner, key).await, "answers_feedback_fkey");
    let theirs = format!(
        "select count(*) from shared.feedback where tenant_id = '{}'",
        rival.id
    );
    assert_eq!(scalar(&owner, &theirs).await, "1");

    // Somewhere else, all of it is free.
    let (elsewhere, replica) = start().await;
    let (registry, migrations) = (&replica.registry, &replica.migrations);
    let imported = registry.import_tenant(migrations, &by, None, &archive[..]);
    imported.await.unwrap();
    assert_eq!(portrait(&elsewhere, "acme").await, original);

    // An archive puts nothing into tables that are nobody's.
    let from = archive.windows(5).rposition(|five| five == b"slugs");
    assert!(from.is_some());
}
