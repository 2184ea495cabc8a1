//! What makes a transaction a tenant's.

use std::fmt::Display;
use std::io;
use std::sync::Arc;

use super::fixed::Fixed;
use super::wire::Wire;
use crate::guard::TenantContext;
use crate::names::MemberRole;

pub(super) struct Settings<'a> {
    context: &'a TenantContext,
    statement_timeout: Arc<str>,
    /// How long a lock is waited for, in milliseconds; 0 for no end.
    lock_timeout: u64,
}

/// Every setting is local to the transaction (`true`), and every value is a parameter. A macro, so that
/// statements stay constant texts.
macro_rules! settings {
    ($more:literal) => {
        concat!(
            "select set_config('search_path', $1, true), \
             set_config('role', $2, true), set_config('app.tenant_id', $3, true), \
             set_config('app.user_id', $4, true), set_config('app.role', $5, true), \
             set_config('statement_timeout', $6, true), set_config('lock_timeout', $7, true)",
            $more
        )
    };
}

impl<'a> Settings<'a> {
    pub(super) const WRITE: Fixed = Fixed {
        name: "settings_write",
        text: settings!(""),
        parameters: 7,
    };

    /// What ends with the messages' Sync begins without a BEGIN that could say `read only`.
    pub(super) const READ: Fixed = Fixed {
        name: "settings_read",
        text: settings!(", set_config('transaction_read_only', 'on', true)"),
        parameters: 7,
    };

    /// Asks whether the tables are those that the operation was planned for.
    pub(super) const VERSION: Fixed = Fixed {
        name: "version",
        text: "select tenantry.expect_version($1)",
        parameters: 1,
    };

    pub(super) fn new(
        context: &'a TenantContext,
        statement_timeout: Arc<str>,
        lock_timeout: u64,
    ) -> Self {
        Self {
            context,
            statement_timeout,
            lock_timeout,
        }
    }

    pub(super) fn context(&self) -> &TenantContext {
        self.context
    }

    /// Executes the statement of this name, which is [`Settings::READ`] or [`Settings::WRITE`], with
    /// these settings.
    pub(super) fn apply(&self, wire: &mut Wire, name: &str) -> io::Result<()> {
        let tenant = self.context.tenant();
        // Named last, or else it would come first, and a temporary table would hide one of the tenant's.
        let search_path = format_args!("{}, extensions, pg_temp", tenant.schema.in_quotes());
        let (role, timeout) = (tenant.role.as_str(), &*self.statement_timeout);
        let identity = self.context.identity();
        let member = identity.role().map_or("", MemberRole::as_str);
        let user = identity.user();
        let user: &dyn Display = match &user {
            Some(user) => user,
            None => &"",
        };
        let values: [&dyn Display; 7] = [
            &search_path,
            &role,
            &tenant.id,
            user,
            &member,
            &timeout,
            &self.lock_timeout,
        ];
        wire.execute_with(name, values)
    }

    /// Executes the statement of this name, which is [`Settings::VERSION`].
    pub(super) fn expect_version(&self, wire: &mut Wire, name: &str) -> io::Result<()> {
        wire.execute_with(name, [&self.context.tenant().version])
    }
}
