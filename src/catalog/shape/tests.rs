//! Schemas of the same files, and what makes a difference. That shapes differ wherever fingerprints do is tested with those.

use super::super::tests::{Pair, TABLES, workspace};
use super::shapes;

impl Pair {
    /// Whether the tables of both are stored alike.
    pub(in crate::catalog) async fn has_one_shape(&self) -> bool {
        let client = Box::new(self.test.owner().await);
        let workspaces = [workspace(&self.meddled), workspace(&self.whole)];
        let shapes = shapes(vec![client], &workspaces).await.unwrap();
        assert!(shapes[0].is_some());
        shapes[0] == shapes[1]
    }
}

#[tokio::test]
async fn twins_have_one_shape() {
    let pair = Pair::of(TABLES).await;
    assert!(pair.has_one_shape().await);
    // What no fingerprint tells may be seen here.
    let moved = "create table kinds_2 (like kinds); drop table kinds_2; alter table items add last int; \
         alter table items drop column last";
    pair.meddle(moved).await.unwrap();
    assert!(pair.has_one_shape().await);
    pair.meddle("alter table items alter at set default now() + '0'")
        .await
        .unwrap();
    assert!(!pair.has_one_shape().await);
}

#[tokio::test]
async fn a_number_is_no_oid() {
    let pair = Pair::of("create table a (id int primary key)").await;
    let client = pair.test.owner().await;
    for tenant in [&pair.meddled, &pair.whole] {
        // Each tenant has the oid of its own table.
        let add = format!(
            "do $$ begin execute format('alter table {0}.a add check (id < %s)', '{0}.a'::regclass::oid); end $$",
            tenant.schema.quoted()
        );
        client.batch_execute(&add).await.unwrap();
    }
    assert!(!pair.has_one_shape().await);
}
