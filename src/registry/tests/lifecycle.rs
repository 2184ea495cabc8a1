//! What operators do with tenants: each change, its refusals, and what every replica makes of it.

use std::time::Duration;

use super::{scalar, sqlstate};
use crate::error::Code;
use crate::names::{DisplayName, Subdomain};
use crate::registry::audit::Actor;
use crate::registry::{
    By, Change, Filter, Listing, Place, Reason, Registry, Sort, TenantRecord, TenantRef,
    TenantStatus,
};
use crate::testing::{Replica, TestDatabase, applicant, eventually};

fn named(text: &str) -> TenantRef {
    TenantRef::parse(text).unwrap()
}

fn by() -> By {
    By {
        actor: Actor::CommandLine("root".to_owned()),
        request: None,
    }
}

fn reason(text: &str) -> Change {
    Change::Suspend(Reason::parse(text).unwrap())
}

fn move_to(subdomain: &str, redirect_days: u16) -> Change {
    let subdomain = Subdomain::parse(subdomain).unwrap();
    Change::Move {
        subdomain,
        redirect_days,
    }
}

const DELETE: Change = Change::Delete { keep_days: 30 };

async fn change(replica: &Replica, tenant: &str, change: &Change) -> TenantRecord {
    let changed = replica
        .registry
        .change_tenant(&by(), &named(tenant), change)
        .await;
    changed.unwrap()
}

async fn refusal(registry: &Registry, tenant: &str, change: &Change) -> Code {
    let changed = registry.change_tenant(&by(), &named(tenant), change).await;
    changed.expect_err(tenant).code
}

#[tokio::test]
async fn every_state_permits_what_makes_sense_in_it() {
    let test = TestDatabase::of_ordinary_owner().await;
    let replica = test.replica().await;
    let acme = replica.sign_up("acme").await;
    let name = "O'Reilly \"& Söhne\"; drop schema tenantry cascade; --";
    let rename = Change::Rename(DisplayName::parse(name).unwrap());
    assert_eq!(change(&replica, "acme", &rename).await.name, name);

    let suspended = change(&replica, "acme", &reason("unpaid")).await;
    assert_eq!(suspended.status, TenantStatus::Suspended);
    assert_eq!(suspended.suspension_reason.as_deref(), Some("unpaid"));
    assert!(suspended.suspended_at.is_some());
    let again = change(
        &replica,
        &acme.tenant.id.to_string(),
        &reason("still unpaid"),
    )
    .await;
    assert_eq!(again.suspended_at, suspended.suspended_at);

    // What is deleted while suspended comes back suspended.
    let deleted = change(&replica, "acme", &DELETE).await;
    assert_eq!(deleted.status, TenantStatus::Deleted);
    let kept = deleted.purge_after.unwrap() - deleted.deleted_at.unwrap();
    assert_eq!(kept.whole_days(), 30);
    for refused in [
        &DELETE,
        &rename,
        &reason("x"),
        &Change::Resume,
        &move_to("other", 1),
    ] {
        assert_eq!(
            refusal(&replica.registry, "acme", refused).await,
            Code::Conflict
        );
    }
    let restored = change(&replica, "acme", &Change::Restore).await;
    assert_eq!(restored.status, TenantStatus::Suspended);
    assert!(restored.deleted_at.is_none() && restored.purge_after.is_none());
    assert_eq!(
        refusal(&replica.registry, "acme", &Change::Restore).await,
        Code::Conflict
    );

    let resumed = change(&replica, "acme", &Change::Resume).await;
    assert_eq!(
        (resumed.status, resumed.suspension_reason),
        (TenantStatus::Active, None)
    );
    assert_eq!(
        change(&replica, "acme", &Change::Resume).await.status,
        TenantStatus::Active
    );
    assert_eq!(
        refusal(&replica.registry, "nobody", &Change::Resume).await,
        Code::TenantNotFound
    );
    let trail =
        "select string_agg(action || ' ' || actor_name, ', ' order by at) from tenantry.audit_log
        where kind = 'tenant' and actor_kind = 'command_line'";
    let actions = "renameTenant root, suspendTenant root, suspendTenant root, deleteTenant root, \
        restoreTenant root, resumeTenant root, resumeTenant root";
    assert_eq!(scalar(&test.superuser().await, trail).await, actions);
}

/// Whatever a replica believes: the role of a deleted tenant gets nowhere.
#[tokio::test]
async fn a_deleted_tenants_role_sees_nothing() {
    let test = TestDatabase::of_ordinary_owner().await;
    let replica = test.replica().await;
    let tenant = replica.sign_up("acme").await.tenant;
    let psql = test.superuser().await;
    let role = tenant.role.quoted();
    psql.batch_execute(&format!("set role {role}"))
        .await
        .unwrap();
    let read = format!("select count(*) from {}.users", tenant.schema.quoted());
    assert_eq!(scalar(&psql, &read).await, "1");
    change(&replica, "acme", &DELETE).await;
    assert_eq!(sqlstate(&psql, &read).await, "42501");
    change(&replica, "acme", &Change::Restore).await;
    assert_eq!(scalar(&psql, &read).await, "1");
}

#[tokio::test]
async fn an_old_subdomain_leads_to_the_new_one_and_is_nobody_elses() {
    let test = TestDatabase::new().await;
    let (here, there) = (test.replica().await, test.replica().await);
    here.sign_up("acme").await;
    let place = async |replica: &Replica, name: &str| {
        let name = Subdomain::parse(name).unwrap();
        replica.directory.look(&name).await.unwrap()
    };
    let moved_to = async |replica: &Replica, name: &str| match place(replica, name).await {
        Place::Moved(to) => to.to_string(),
        other => format!("{other:?}"),
    };
    assert!(matches!(place(&there, "acme").await, Place::Tenant(_)));
    let record = change(&here, "acme", &move_to("roadrunner", 30)).await;
    assert_eq!(record.redirects, ["acme"]);
    change(&here, "roadrunner", &move_to("coyote", 30)).await;
    for _ in 0..100 {
        if matches!(place(&there, "acme").await, Place::Moved(_)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(moved_to(&there, "acme").await, "coyote");
    assert_eq!(moved_to(&there, "roadrunner").await, "coyote");
    let acme = Subdomain::parse("acme").unwrap();
    assert!(there.directory.is_taken(&acme).await.unwrap());
    let taken = there
        .registry
        .sign_up(&there.migrations, applicant("acme"))
        .await;
    assert_eq!(taken.unwrap_err().code, Code::Conflict);
    there.sign_up("globex").await;
    let registry = &there.registry;
    for taken in ["acme", "coyote"] {
        assert_eq!(
            refusal(registry, "globex", &move_to(taken, 1)).await,
            Code::Conflict
        );
    }

    // Its own old name it may have back, and then nothing leads anywhere from there.
    let back = change(&here, "coyote", &move_to("acme", 0)).await;
    assert_eq!(back.redirects, ["roadrunner"]);
    let psql = test.superuser().await;
    psql.batch_execute("update tenantry.redirections set until = now() - interval '1 s'")
        .await
        .unwrap();
    change(&there, "globex", &move_to("roadrunner", 1)).await;
    assert!(matches!(place(&there, "coyote").await, Place::Free));
}

/// The name is given up and asked for at the same moment: the one who waited for it is told no.
#[tokio::test]
async fn who_waits_for_a_name_sees_the_redirection() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    replica.sign_up("acme").await;
    let mut psql = test.superuser().await;
    let free_address = "update tenantry.accounts set email = 'other@acme.test'";
    psql.batch_execute(free_address).await.unwrap();
    let transaction = psql.transaction().await.unwrap();
    let give_up = "update tenantry.tenants set subdomain = 'other';
        insert into tenantry.redirections select 'acme', id, now() + interval '1 day' from tenantry.tenants";
    transaction.batch_execute(give_up).await.unwrap();
    let sign_up = replica
        .registry
        .sign_up(&replica.migrations, applicant("acme"));
    let commit = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        transaction.commit().await.unwrap();
    };
    let (outcome, ()) = tokio::join!(sign_up, commit);
    let failure = outcome.unwrap_err();
    assert_eq!(
        failure.details.field.as_deref(),
        Some("subdomain"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_purge_leaves_nothing_and_takes_nothing_else() {
    let test = TestDatabase::of_ordinary_owner().await;
    let replica = test.replica().await;
    let (acme, globex) = (
        replica.sign_up("acme").await,
        replica.sign_up("globex").await,
    );
    let psql = test.superuser().await;
    let names = "select string_agg(n, ' ' order by n) from (select nspname n from pg_namespace where nspname like
        'tenant\\_%' union all select rolname from pg_roles join tenantry.tenants on rolname = role_name
        union all select email from tenantry.accounts) as all_of_them";
    // Ada of acme belongs to globex, too: she stays.
    let guest = format!(
        "insert into tenantry.accounts values ('{id}', 'ada@acme.test', 'Ada', 'x');
         insert into tenantry.memberships values ('{id}', '{}', 'member'), ('{id}', '{}', 'member');
         create table public.shared (); grant select on public.shared to {}",
        acme.tenant.id,
        globex.tenant.id,
        acme.tenant.role.quoted(),
        id = uuid::Uuid::now_v7(),
    );
    psql.batch_execute(&guest).await.unwrap();
    psql.batch_execute("reassign owned by current_user to current_user")
        .await
        .ok();
    let purge = replica.registry.purge_tenant(&by(), &named("acme")).await;
    assert_eq!(purge.unwrap_err().code, Code::Conflict);
    change(&replica, "acme", &DELETE).await;
    assert!(replica.registry.expired_tenants().await.unwrap().is_empty());
    psql.batch_execute(
        "update tenantry.tenants set purge_after = now() where subdomain = 'acme';
        drop table public.shared",
    )
    .await
    .unwrap();
    assert_eq!(replica.registry.expired_tenants().await.unwrap().len(), 1);
    let purged = replica
        .registry
        .purge_tenant(&by(), &named("acme"))
        .await
        .unwrap();
    assert_eq!(purged.subdomain, "acme");
    let left = scalar(&psql, names).await;
    let role = globex.tenant.role.as_str();
    assert_eq!(
        left,
        format!(
            "ada@acme.test owner@globex.test {role} {}",
            globex.tenant.schema
        )
    );
    let gone = replica.registry.purge_tenant(&by(), &named("acme")).await;
    assert_eq!(gone.unwrap_err().code, Code::TenantNotFound);
    // The name and the address are free again, for this replica too.
    eventually(|| replica.directory.is_listening()).await;
    replica.sign_up("acme").await;
}

/// A purge that was killed after its first step, and after some of its tables.
#[tokio::test]
async fn an_interrupted_purge_goes_on_and_cannot_be_undone() {
    let test = TestDatabase::of_ordinary_owner().await;
    let replica = test.replica().await;
    let acme = replica.sign_up("acme").await.tenant;
    change(&replica, "acme", &DELETE).await;
    let psql = test.owner().await;
    let schema = acme.schema.as_str();
    let begun = format!(
        "update tenantry.tenants set purging = true where subdomain = 'acme';
         select tenantry.drop_tables('{schema}', 3, 2)"
    );
    psql.batch_execute(&begun).await.unwrap();
    let tables = format!("select count(*) > 2 from pg_tables where schemaname = '{schema}'");
    assert_eq!(scalar(&psql, &tables).await, "t");
    assert_eq!(
        refusal(&replica.registry, "acme", &Change::Restore).await,
        Code::Conflict
    );
    assert_eq!(replica.registry.expired_tenants().await.unwrap().len(), 1);
    let left = format!("select tenantry.drop_tables('{schema}', 3, 2)");
    while scalar(&psql, &left).await.parse::<i64>().unwrap() > 2 {}
    replica
        .registry
        .purge_tenant(&by(), &named("acme"))
        .await
        .unwrap();
    let nothing = format!(
        "select count(*) from pg_roles where rolname = '{}'",
        acme.role
    );
    assert_eq!(scalar(&psql, &nothing).await, "0");
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    for name in ["delta", "alpha", "charlie", "bravo"] {
        replica.sign_up(name).await;
    }
    change(&replica, "bravo", &reason("x")).await;
    let psql = test.superuser().await;
    let schema = scalar(
        &psql,
        "select schema_name from tenantry.tenants where subdomain = 'charlie'",
    )
    .await;
    let grow = format!(
        "create table {schema}.big as select repeat('x', 1000) from generate_series(1, 1000)"
    );
    psql.batch_execute(&grow).await.unwrap();
    let mut listing = Listing {
        filter: Filter::default(),
        sort: Sort::Subdomain,
        descending: false,
        first: 3,
        after: None,
    };
    let list = async |listing: &Listing| {
        let page = replica.registry.list_tenants(listing).await.unwrap();
        let names = page
            .tenants
            .iter()
            .map(|(tenant, _)| tenant.subdomain.to_string());
        (names.collect::<Vec<_>>().join(" "), page)
    };
    let (names, page) = list(&listing).await;
    assert_eq!(
        (names.as_str(), page.has_more),
        ("alpha bravo charlie", true)
    );
    assert!(page.tenants[0].0.bytes.unwrap() > 10_000 && page.tenants[0].0.users == 1);
    assert_eq!(page.tenants[0].0.owners, ["owner@alpha.test"]);
    listing.after = Some(page.tenants[2].1.clone());
    assert_eq!(list(&listing).await.0, "delta");
    listing.descending = true;
    let wrong = replica.registry.list_tenants(&listing).await.unwrap_err();
    assert_eq!(wrong.code, Code::BadUserInput);
    listing.after = None;
    assert_eq!(list(&listing).await.0, "delta charlie bravo");
    listing.sort = Sort::Bytes;
    let (names, page) = list(&listing).await;
    assert!(names.starts_with("charlie "), "{names}");
    listing.after = Some(page.tenants[0].1.clone());
    assert_eq!(list(&listing).await.1.tenants.len(), 3);
    listing.after = None;
    listing.filter.statuses = vec![TenantStatus::Suspended, TenantStatus::Deleted];
    assert_eq!(list(&listing).await.0, "bravo");
    listing.filter = Filter {
        statuses: Vec::new(),
        search: Some("OWNER@Del".to_owned()),
    };
    assert_eq!(list(&listing).await.0, "delta");
    assert_eq!(
        replica
            .registry
            .count_tenants(&listing.filter)
            .await
            .unwrap(),
        1
    );
    for after in ["", "x", "YWxwaGE", "c3ViZG9tYWluIGZhbHNlIDAgMCBh"] {
        listing.after = Some(after.to_owned());
        assert!(
            replica.registry.list_tenants(&listing).await.is_err(),
            "{after}"
        );
    }
}
