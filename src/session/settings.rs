//! What makes a transaction a tenant's.

use std::sync::Arc;

use tokio_postgres::Error;
use tokio_postgres::types::{ToSql, Type};

use super::connection::Connection;
use crate::guard::{Identity, TenantContext};

pub(super) struct Settings {
    search_path: String,
    role: String,
    tenant: String,
    user: String,
    member_role: &'static str,
    statement_timeout: Arc<str>,
}

impl Settings {
    /// Every setting is local to the transaction (`true`), and every value is a parameter.
    pub(super) const SQL: &str = "select set_config('search_path', $1, true), \
         set_config('role', $2, true), set_config('app.tenant_id', $3, true), \
         set_config('app.user_id', $4, true), set_config('app.role', $5, true), \
         set_config('statement_timeout', $6, true)";

    pub(super) fn new(context: &TenantContext, statement_timeout: Arc<str>) -> Self {
        let tenant = context.tenant();
        let (user, member_role) = match context.identity() {
            Identity::Anonymous => (String::new(), ""),
            Identity::Member { user, role } => (user.to_string(), role.as_str()),
        };
        Self {
            // Named last, or else it would come first, and a temporary table would hide one of the tenant's.
            search_path: format!("{}, extensions, pg_temp", tenant.schema.quoted()),
            role: tenant.role.as_str().to_owned(),
            tenant: tenant.id.to_string(),
            user,
            member_role,
            statement_timeout,
        }
    }

    pub(super) async fn apply(&self, connection: &Connection) -> Result<(), Error> {
        let timeout = &*self.statement_timeout;
        let values: [&(dyn ToSql + Sync); 6] = [
            &self.search_path,
            &self.role,
            &self.tenant,
            &self.user,
            &self.member_role,
            &timeout,
        ];
        if let Some(prepared) = &connection.prepared {
            connection.client.query(&prepared.settings, &values).await?;
        } else {
            let typed = values.map(|value| (value, Type::TEXT));
            connection.client.query_typed(Self::SQL, &typed).await?;
        }
        Ok(())
    }
}
