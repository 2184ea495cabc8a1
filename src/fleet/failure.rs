//! Why a tenant stays behind: for the operator, and for the registry, which remembers it until it is mended.

use std::collections::HashSet;
use std::fmt;

use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::tenant::TenantError;
use super::{Behind, Mode};
use crate::migrate::{self, MigrationError, Migrations, SetName};

#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) tenant: Behind,
    /// None for what goes wrong outside of a file.
    pub(crate) place: Option<Place>,
    /// Without what quotes rows.
    pub(crate) message: String,
    pub(crate) sql_state: Option<String>,
    /// Postgres' details, which may quote rows: for the operator's eyes only.
    pub(crate) details: Option<String>,
}

/// The statement that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) set: SetName,
    pub(crate) version: Option<i32>,
    pub(crate) file: String,
    pub(crate) line: u32,
    /// Its first line.
    pub(crate) excerpt: String,
}

impl Failure {
    pub(super) fn new(tenant: &Behind, error: &TenantError, migrations: &Migrations) -> Self {
        let answer = error
            .postgres()
            .and_then(tokio_postgres::Error::as_db_error);
        let details = answer.map(|answer| [answer.detail(), answer.hint(), answer.where_()]);
        let details = details.map(|all| all.into_iter().flatten().collect::<Vec<_>>().join("\n"));
        let mut message =
            answer.map_or_else(|| error.to_string(), |answer| answer.message().to_owned());
        if let Some(advice) = error.postgres().and_then(migrate::advice) {
            message = format!("{message} · {advice}");
        }
        Self {
            tenant: tenant.clone(),
            place: place(error, migrations),
            message,
            sql_state: answer.map(|answer| answer.code().code().to_owned()),
            details: details.filter(|details| !details.is_empty()),
        }
    }

    /// Remembers it, in place of what was remembered of the tenant.
    pub(super) async fn record(
        &self,
        client: &Client,
        mode: Mode,
    ) -> Result<(), tokio_postgres::Error> {
        let place = self.place.as_ref();
        let parameters: [(&(dyn ToSql + Sync), Type); 9] = [
            (&self.tenant.id.0, Type::UUID),
            (&place.map(|place| place.set.word()), Type::TEXT),
            (&place.and_then(|place| place.version), Type::INT4),
            (&place.map(|place| &*place.file), Type::TEXT),
            (&place.map(|place| place.line.cast_signed()), Type::INT4),
            (&place.map(|place| &*place.excerpt), Type::TEXT),
            (&self.sql_state, Type::TEXT),
            (&self.message, Type::TEXT),
            (&(mode == Mode::Rehearsal), Type::BOOL),
        ];
        client
            .execute_typed(
                "insert into tenantry.migration_failures \
                   (tenant_id, set, version, file, line, excerpt, sql_state, message, rehearsal) \
                 select id, $2, $3, $4, $5, $6, $7, $8, $9 from tenantry.tenants where id = $1 \
                 on conflict (tenant_id) do update set \
                   (set, version, file, line, excerpt, sql_state, message, rehearsal, failed_at) \
                   = (excluded.set, excluded.version, excluded.file, excluded.line, excluded.excerpt, \
                      excluded.sql_state, excluded.message, excluded.rehearsal, now())",
                &parameters,
            )
            .await?;
        Ok(())
    }
}

/// What earlier rehearsals of tenants have said is over where the files have now been tried without failing.
pub(super) async fn forget_rehearsals(
    client: &Client,
    rehearsed: &[Behind],
    failed: &[Failure],
) -> Result<(), tokio_postgres::Error> {
    let failed: HashSet<_> = failed.iter().map(|failure| failure.tenant.id).collect();
    let passed = rehearsed.iter().map(|tenant| tenant.id);
    let passed = passed.filter(|id| !failed.contains(id));
    let passed: Vec<_> = passed.map(|id| id.0).collect();
    let statement =
        "delete from tenantry.migration_failures where rehearsal and tenant_id = any($1)";
    let passed: (&(dyn ToSql + Sync), Type) = (&passed, Type::UUID_ARRAY);
    client.execute_typed(statement, &[passed]).await.map(drop)
}

fn place(error: &TenantError, migrations: &Migrations) -> Option<Place> {
    let TenantError::Migration(
        set,
        MigrationError::Statement {
            file,
            line,
            excerpt,
            ..
        },
    ) = error
    else {
        return None;
    };
    let [base, app] = migrations.sets();
    let files = if base.0 == *set { base.1 } else { app.1 };
    Some(Place {
        set: *set,
        version: files.version_of(file),
        file: file.clone(),
        line: *line,
        excerpt: excerpt.clone(),
    })
}

/// What went wrong, without the tenant: the same for all tenants in which the same went wrong.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{}, line {}: ", place.file, place.line)?;
        }
        f.write_str(&self.message)?;
        if let Some(state) = &self.sql_state {
            write!(f, " [{state}]")?;
        }
        match &self.place {
            Some(place) => write!(f, " (in: {})", place.excerpt),
            None => Ok(()),
        }
    }
}
