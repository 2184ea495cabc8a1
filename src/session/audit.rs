//! The entry that a transaction adds to the audit log when it writes: one more statement of its train.

use std::fmt::{self, Display, Write as _};
use std::io;
use std::sync::OnceLock;

use uuid::Uuid;

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
    /// insert into tenantry.audit_changes (tenant_id, id, actor_id, action, entry, keys)
    /// values ((select t.id from tenantry.present_tenant t where t.id = $1 and t.version = $2),
    ///         $3, $4, $5, $6, array[tenantry.told_keys($7), …])
    /// ```
    ///
    /// It asks for the version of the tables, too, as every statement costs about as much as what this one does.
    ///
    /// One for each number of settings, for all plans: a connection prepares it once for a tenant. Names are
    /// qualified, so that nothing of the tenant's is called; how it begins is what lets it in
    /// (`sql/registry/V35__audit_changes.sql`).
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
        let (tenant, actor) = (context.tenant(), context.identity().actor());
        let (kind, id, _, role) = actor.columns();
        let id = id.map_or(String::new(), |id| id.to_string());
        let entry = Entry {
            actor: kind,
            role,
            note: self,
        };
        let values: [&dyn Display; BEFORE_KEYS] = [
            &tenant.id,
            &tenant.version,
            &Uuid::now_v7(),
            &id,
            &self.action,
            &entry,
        ];
        let kept = self.kept.iter().take(Self::MOST_KEYS);
        let kept = kept.map(|setting| setting as &dyn Display);
        wire.execute_with_nulls(name, values.into_iter().chain(kept))
    }
}

/// What nobody looks for, as JSON: a column of its own for each would cost more than all of it.
struct Entry<'a> {
    actor: &'static str,
    role: Option<&'static str>,
    note: &'a Note<'a>,
}

impl Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = |text: Option<&str>| serde_json::to_string(&text).map_err(|_| fmt::Error);
        let Note {
            request, details, ..
        } = self.note;
        let (actor, role) = (json(Some(self.actor))?, json(self.role)?);
        let (agent, id) = (
            json(request.user_agent.as_deref())?,
            json(Some(&request.id))?,
        );
        let ip = request.ip;
        write!(
            f,
            r#"{{"actor":{actor},"role":{role},"ip":"{ip}","agent":{agent},"request":{id},"details":{details}}}"#
        )
    }
}

/// How many parameters come before the keys.
const BEFORE_KEYS: usize = 6;

fn text(keys: usize) -> String {
    let mut text = String::from(
        "insert into tenantry.audit_changes (tenant_id, id, actor_id, action, entry, keys) \
         values ((select t.id from tenantry.present_tenant t where t.id = $1 and t.version = $2), $3, $4, $5, $6, ",
    );
    for key in 1..=keys {
        let before = if key == 1 { "array[" } else { ", " };
        let _ = write!(text, "{before}tenantry.told_keys(${})", BEFORE_KEYS + key);
    }
    text.push_str(if keys == 0 { "null)" } else { "])" });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_keys_has_its_statement() {
        assert!(text(0).ends_with("$5, $6, null)"));
        assert!(text(2).ends_with("$6, array[tenantry.told_keys($7), tenantry.told_keys($8)])"));
    }

    /// The policy is in a migration, which never changes.
    #[test]
    fn entries_are_let_in_by_how_their_statement_begins() {
        let migration = include_str!("../../sql/registry/V35__audit_changes.sql");
        let (_, policy) = migration
            .split_once("starts_with(current_query(), '")
            .unwrap();
        let (beginning, _) = policy.split_once('\'').unwrap();
        assert!(text(1).starts_with(beginning), "{beginning}");
    }
}
