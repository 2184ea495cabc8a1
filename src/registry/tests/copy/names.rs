//! Names of schemas and roles that somebody else takes first.

use super::Copies;
use crate::registry::tests::scalar;

/// As if somebody took the role's name between its choice and its use, once for each copy.
#[tokio::test]
async fn a_name_that_is_taken_meanwhile_is_not_the_last_one_tried() {
    let copies = Copies::of(
        "create table notes (id int primary key, body text);",
        "insert into notes values (1, 'a')",
    )
    .await;
    let meddle = "create sequence tenantry.tries;
        alter function tenantry.create_workspace(text, text) rename to really_create_workspace;
        create function tenantry.create_workspace(schema_name text, role_name text) returns void language plpgsql as $$
        begin
          if nextval('tenantry.tries') % 2 = 1 then
            raise duplicate_object;
          end if;
          perform tenantry.really_create_workspace(schema_name, role_name);
        end $$";
    copies.psql.batch_execute(meddle).await.unwrap();
    copies.clone("copy").await.unwrap();
    let archive = copies.export().await;
    copies.import("again", &archive).await.unwrap();
    for copy in ["copy", "again"] {
        let body = format!("select body from {}.notes", copies.schema(copy).await);
        assert_eq!(scalar(&copies.psql, &body).await, "a");
    }
    let tries =
        "select last_value || ' ' || (select count(*) from tenantry.tenants) from tenantry.tries";
    assert_eq!(scalar(&copies.psql, tries).await, "4 3");
    let always = "alter sequence tenantry.tries increment 2 restart with 1";
    copies.psql.batch_execute(always).await.unwrap();
    assert!(copies.clone("third").await.is_err());
}
