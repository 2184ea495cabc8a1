//! The entry that a transaction adds to the audit log when it writes: one more statement of its train.

use std::fmt::{Display, Write as _};
use std::io;
use std::sync::OnceLock;

use super::QueryId;
use super::wire::Wire;
use crate::guard::TenantContext;
use crate::request::RequestInfo;

/// What an entry says besides the tenant and the actor, who are the session's, and the keys of the
/// rows, which the transaction keeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Note<'a> {
    pub(crate) request: &'a RequestInfo,
    /// The operation's name.
    pub(crate) action: &'a str,
    /// Which fields there are and what they write, as JSON.
    pub(crate) details: &'a str,
    /// The settings that hold the keys: at most [`Note::MOST_KEYS`].
    pub(crate) kept: &'a [String],
}

/// The statement of an entry.
pub(super) struct Insert {
    pub(super) id: QueryId,
    pub(super) text: String,
}

impl Note<'_> {
    /// The most settings whose keys one entry tells.
    pub(crate) const MOST_KEYS: usize = 100;

    /// ```sql
    /// insert into tenantry.audit_log (…) values ($1, …, $9, array[tenantry.told_keys($10), …])
    /// ```
    ///
    /// One for each number of settings, for all plans: a connection prepares it once for a tenant. Names are
    /// qualified, so that nothing of the tenant's is called; how it begins is what lets it in
    /// (`sql/registry/V22__audit_cost.sql`).
    pub(super) fn insert(&self) -> &'static Insert {
        static INSERTS: [OnceLock<Insert>; Note::MOST_KEYS + 1] =
            [const { OnceLock::new() }; Note::MOST_KEYS + 1];
        let keys = self.kept.len().min(Self::MOST_KEYS);
        INSERTS[keys].get_or_init(|| Insert {
            id: QueryId::next(),
            text: text(keys),
        })
    }

    /// Executes the statement of this name, which is [`Note::insert`].
    pub(super) fn apply(
        &self,
        context: &TenantContext,
        wire: &mut Wire,
        name: &str,
    ) -> io::Result<()> {
        let actor = context.identity().actor();
        let (kind, id, _, role) = actor.columns();
        let id = id.map_or(String::new(), |id| id.to_string());
        let request = self.request;
        let values: [&dyn Display; 9] = [
            &context.tenant().id,
            &self.action,
            &kind,
            &id,
            &role.unwrap_or_default(),
            &request.ip,
            &request.user_agent.as_deref().unwrap_or_default(),
            &request.id,
            &self.details,
        ];
        let kept = self.kept.iter().take(Self::MOST_KEYS);
        let kept = kept.map(|setting| setting as &dyn Display);
        wire.execute_with_nulls(name, values.into_iter().chain(kept))
    }
}

fn text(keys: usize) -> String {
    let mut text = String::from(
        "insert into tenantry.audit_log (tenant_id, action, actor_kind, actor_id, actor_role, ip, user_agent, \
         request_id, trail, keys) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, ",
    );
    for key in 0..keys {
        let before = if key == 0 { "array[" } else { ", " };
        let _ = write!(text, "{before}tenantry.told_keys(${})", key + 10);
    }
    text.push_str(if keys == 0 { "null)" } else { "])" });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_keys_has_its_statement() {
        assert!(text(0).ends_with("$8, $9, null)"));
        assert!(text(2).ends_with("$9, array[tenantry.told_keys($10), tenantry.told_keys($11)])"));
    }

    /// The policy is in a migration, which never changes.
    #[test]
    fn entries_are_let_in_by_how_their_statement_begins() {
        let migration = include_str!("../../sql/registry/V22__audit_cost.sql");
        let (_, policy) = migration
            .split_once("starts_with(current_query(), '")
            .unwrap();
        let (beginning, _) = policy.split_once('\'').unwrap();
        assert!(text(1).starts_with(beginning), "{beginning}");
    }
}
