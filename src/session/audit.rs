//! The entry that a transaction adds to the audit log when it writes: one more statement of its train.

use std::fmt::Display;
use std::io;

use super::connection::Fixed;
use super::wire::Wire;
use crate::guard::Identity;
use crate::request::RequestInfo;

/// What an entry says besides the tenant, which the database tells by the role that it runs as, and
/// the keys of the rows, which the transaction keeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Note<'a> {
    pub(crate) request: &'a RequestInfo,
    /// The operation's name.
    pub(crate) action: &'a str,
    /// Which fields there are and what they write, as JSON.
    pub(crate) details: &'a str,
    /// The settings that hold the keys.
    pub(crate) kept: &'a str,
}

impl Note<'_> {
    pub(super) const FIXED: Fixed = Fixed {
        name: "audit",
        text: "select tenantry.record($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        parameters: 9,
    };

    /// Executes the statement of this name, which is [`Note::FIXED`].
    pub(super) fn apply(&self, identity: &Identity, wire: &mut Wire, name: &str) -> io::Result<()> {
        let actor = identity.actor();
        let (kind, id, _, role) = actor.columns();
        let (id, role) = (
            id.map_or(String::new(), |id| id.to_string()),
            role.unwrap_or_default(),
        );
        let request = self.request;
        let agent = request.user_agent.as_deref().unwrap_or_default();
        let values: [&dyn Display; 9] = [
            &self.action,
            &kind,
            &id,
            &role,
            &request.ip,
            &agent,
            &request.id,
            &self.details,
            &self.kept,
        ];
        wire.execute_with(name, values)
    }
}
