//! Files that are not to run at all, and what is over.

use super::Fleet;

#[tokio::test]
async fn nobody_is_migrated_to_tables_without_an_api() {
    let fleet = Fleet::of(3).await;
    fleet.write(
        "V2__bad.sql",
        "comment on table notes is '@foreignKey (nix) references nowhere (id)';",
    );
    let before = fleet.contents().await;
    for arguments in [&[][..], &["--no-rehearsal"], &["--atomic"]] {
        let (status, text) = fleet.run(arguments);
        assert_eq!(status, 7, "{text}");
        assert!(
            text.contains("nothing is migrated: V2__bad.sql, line 1:"),
            "{text}"
        );
        assert_eq!(fleet.versions().await, "1:3");
    }
    assert_eq!(fleet.contents().await, before);
    // A later file may mend it.
    fleet.write("V3__good.sql", "comment on table notes is null;");
    let (status, text) = fleet.run(&[]);
    assert_eq!(
        (status, fleet.versions().await.as_str()),
        (0, "3:3"),
        "{text}"
    );
}

#[tokio::test]
async fn files_for_all_do_not_name_the_schema_of_one() {
    let fleet = Fleet::of(3).await;
    let schema = "select quote_ident(schema_name) from tenantry.tenants where subdomain = 'globex'";
    let schema = fleet.scalar(schema).await;
    let file = format!("select 1;\ninsert into {schema}.notes (body) values ('from everybody');");
    fleet.write("V2__one.sql", &file);
    let (status, text) = fleet.run(&[]);
    assert_eq!(status, 9, "{text}");
    assert!(
        text.contains("V2__one.sql names ") && text.contains("the schema of one tenant"),
        "{text}"
    );
    assert_eq!(fleet.versions().await, "1:3");
}

#[tokio::test]
async fn failures_of_rehearsals_are_over_when_nothing_is_to_run() {
    let fleet = Fleet::of(3).await;
    fleet.write("V2__bad.sql", "select 1 / 0;");
    assert_eq!(fleet.run(&[]).0, 7);
    assert_eq!(fleet.status(&["--no-drift"]).0, 6);
    std::fs::remove_file(fleet.sql.join("V2__bad.sql")).unwrap();
    let (status, text) = fleet.status(&["--no-drift"]);
    assert_eq!(status, 0, "{text}");
    // So are those of tenants that another file was tried for, though it fails for others.
    let fill = "select quote_ident(schema_name) from tenantry.tenants where subdomain = 'acme'";
    let fill = format!(
        "insert into {}.notes (body) values ('x')",
        fleet.scalar(fill).await
    );
    fleet.psql.batch_execute(&fill).await.unwrap();
    fleet.write("V2__one.sql", "alter table notes add check (body <> 'x');");
    assert_eq!(fleet.run(&[]).0, 7);
    let failed = "select string_agg(subdomain, ' ') from tenantry.migration_failures join tenantry.tenants on id = tenant_id";
    assert_eq!(fleet.scalar(failed).await, "acme");
}

#[tokio::test]
async fn whose_tables_are_gone_is_told() {
    let fleet = Fleet::of(3).await;
    let schema = "select quote_ident(schema_name) from tenantry.tenants where subdomain = 'globex'";
    let drop = format!("drop schema {} cascade", fleet.scalar(schema).await);
    fleet.psql.batch_execute(&drop).await.unwrap();
    fleet.write("V2__stars.sql", "alter table notes add stars int;");
    let (status, text) = fleet.run(&[]);
    assert_eq!(status, 7, "{text}");
    assert!(
        text.contains("its tables are gone: `tenantry diff globex` says what helps"),
        "{text}"
    );
}
