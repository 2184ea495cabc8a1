//! `clone`: another tenant with the same rows, which then goes its own way.

use std::pin::pin;

use bytes::Bytes;
use futures_util::{SinkExt as _, TryStreamExt as _};
use serde_json::json;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{CopyInSink, CopyOutStream, IsolationLevel};

use super::snapshot::{Format, Snapshot};
use super::{CopyName, furnish, load::Load, misfit, same_version};
use crate::error::Failure;
use crate::migrate::Migrations;
use crate::registry::lifecycle::{By, TenantRecord, TenantRef, failed, not_now};
use crate::registry::{Registry, TenantStatus, retire};

impl Registry {
    /// Copies a tenant: tables, rows, sequences, limits, rows in shared tables, and members with their roles. API keys, invitations,
    /// domains and sessions are not copied.
    ///
    /// Rows come from one snapshot, and the new tenant is one transaction: killed half-way, nothing is left of it.
    pub(crate) async fn clone_tenant(
        &self,
        migrations: &Migrations,
        by: &By,
        tenant: &TenantRef,
        copy: &CopyName,
    ) -> Result<TenantRecord, Failure> {
        let original = self.tenant_record(tenant).await?;
        if original.status == TenantStatus::Deleted {
            return Err(not_now("this tenant is deleted: restore it first"));
        }
        same_version(original.version, migrations)?;
        let (mut there, mut here) = tokio::try_join!(self.connection(), self.connection())?;
        let reading = there
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await
            .map_err(failed)?;
        let snapshot = Snapshot::take(&reading, &original.schema).await?;
        let mut writing = here.transaction().await.map_err(failed)?;
        let name = copy
            .name
            .as_ref()
            .map_or(&*original.name, |name| name.as_str());
        let made = furnish(self, &mut writing, migrations, name, &copy.subdomain).await?;
        let load = Load::begin(&writing, &made.schema).await?;
        for (index, table) in snapshot.shared.iter().enumerate() {
            load.expect_shared(index, table).await?;
            let rows = snapshot
                .shared_rows(table, original.id, Format::Text)
                .await?;
            pour(rows, load.shared_rows(index, table, Format::Text).await?).await?;
        }
        let left_out = load.adopt(made.id, &snapshot.shared).await?;
        for table in &snapshot.tables {
            let rows = snapshot.rows(table, Format::Text).await?;
            pour(rows, load.rows(table, Format::Text).await?).await?;
        }
        load.follow().await?;
        load.finish(&snapshot.sequences, &snapshot.filled).await?;
        let statement = "with members as (insert into tenantry.memberships (account_id, tenant_id, role) \
               select account_id, $2, role from tenantry.memberships where tenant_id = $1) \
             update tenantry.tenants t set limits = o.limits from tenantry.tenants o where t.id = $2 and o.id = $1";
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&original.id.0, Type::UUID), (&made.id.0, Type::UUID)];
        let joined = writing.execute_typed(statement, &parameters).await;
        joined.map_err(failed)?;
        let details = json!({"from": original.subdomain.as_str(), "to": copy.subdomain.as_str(), "id": made.id.to_string(), "leftOut": left_out});
        for about in [original.id, made.id] {
            by.record(&writing, about, "cloneTenant", details.clone())
                .await?;
        }
        writing.commit().await.map_err(failed)?;
        drop(snapshot);
        drop(reading);
        drop(there);
        retire(here);
        self.tenant_record(&TenantRef::Id(made.id)).await
    }
}

async fn pour(rows: CopyOutStream, sink: CopyInSink<Bytes>) -> Result<(), Failure> {
    let (mut rows, mut sink) = (pin!(rows), pin!(sink));
    while let Some(row) = rows.try_next().await.map_err(misfit)? {
        sink.feed(row).await.map_err(misfit)?;
    }
    sink.finish().await.map(drop).map_err(misfit)
}
