//! One look for many that are alike.

use crate::catalog::Workspace;
use crate::registry::{Look, Tenant};
use crate::testing::TestDatabase;

fn workspace(tenant: &Tenant) -> Workspace {
    Workspace {
        schema: tenant.schema.clone(),
        role: tenant.role.clone(),
    }
}

#[tokio::test]
async fn one_of_each_kind_is_looked_at() {
    let test = TestDatabase::new().await;
    let replica = test.replica().await;
    let mut workspaces = Vec::new();
    for name in ["one", "two", "three", "four", "five", "six"] {
        workspaces.push(workspace(&replica.sign_up(name).await.tenant));
    }
    let (registry, migrations) = (&replica.registry, &replica.migrations);
    let right = Look::Found(registry.reference(migrations).await.unwrap().fingerprint);
    let looks = registry.fingerprints(migrations, &workspaces, 32).await;
    assert_eq!(looks.unwrap(), vec![right.clone(); 6]);

    let psql = test.owner().await;
    let in_schema = |index: usize, statement: &str| {
        let schema = workspaces[index].schema.quoted();
        format!("set search_path to {schema}; {statement}; reset search_path")
    };
    // One has something besides, one is stored otherwise and is the same, one is gone.
    for statement in [
        in_schema(1, "alter table issues add note text"),
        in_schema(
            2,
            "drop index issues_due_date_idx; create index on issues (due_date)",
        ),
        in_schema(
            3,
            "revoke select on issues from public; grant select on issues to public; \
                      revoke select on issues from public",
        ),
        format!("drop schema {} cascade", workspaces[5].schema.quoted()),
    ] {
        psql.batch_execute(&statement).await.unwrap();
    }
    // Of those that are alike, the first is locked: the next one is looked at.
    let lock = in_schema(0, "begin; lock table issues; lock table project_summaries");
    psql.batch_execute(&lock.replace("; reset search_path", ""))
        .await
        .unwrap();
    let looks = registry
        .fingerprints(migrations, &workspaces, 2)
        .await
        .unwrap();
    psql.batch_execute("rollback").await.unwrap();
    assert!(matches!(&looks[1], Look::Found(other) if Look::Found(other.clone()) != right));
    assert_eq!(looks[5], Look::Nothing);
    for index in [0, 2, 3, 4] {
        assert_eq!(looks[index], right, "{index}");
    }
}
