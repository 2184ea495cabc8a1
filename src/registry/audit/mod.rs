//! The audit log: who did what, when and from where, written by the transaction that does it.
//!
//! Where the owner writes, [`record`] adds the entry; where a tenant does, a statement of its session, to a table of its
//! own. What failed is written by a task ([`Backlog`]). Secrets never go into an entry.

mod backlog;
mod keep;
mod keys;
mod operators;
mod read;

use tokio_postgres::types::Type;
use uuid::Uuid;

pub(crate) use backlog::Backlog;
pub(crate) use read::{Place, Recorded, Wanted, page};

use super::{InTransaction, RegistryError};
use crate::error::Code;
use crate::names::{ApiKeyId, MemberRole, OperatorId, TenantId, UserId};
use crate::request::RequestInfo;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum, clap::ValueEnum)]
#[graphql(name = "TenantAuditKind")]
pub(crate) enum Kind {
    /// Rows of tables.
    Data,
    /// Who may get in, and as what: members, sessions, API keys, domains, operators.
    Access,
    /// The tenant itself: created, renamed, suspended, limited.
    Tenant,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Actor {
    Anonymous,
    User(UserId, Option<MemberRole>),
    ApiKey(ApiKeyId, MemberRole),
    /// An operator who was let into a tenant.
    Support(OperatorId, MemberRole),
    /// An operator, at the base domain.
    Operator(OperatorId),
    /// The service itself, unasked.
    Service,
    /// Whoever ran a command: the name of the system's user.
    CommandLine(String),
}

/// One thing that was done, or that failed.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// None for what is about no tenant.
    pub(crate) tenant: Option<TenantId>,
    pub(crate) kind: Kind,
    pub(crate) actor: Actor,
    /// None for what was not asked by a request.
    pub(crate) request: Option<RequestInfo>,
    /// The field or the command: `inviteMember`, `tenant suspend`.
    pub(crate) action: String,
    /// What it was about, for people to read: ids, names, the value before and after. An object.
    pub(crate) details: serde_json::Value,
    /// None where it was done.
    pub(crate) failed: Option<Code>,
}

/// Adds an entry to the log, as part of the transaction.
pub(crate) async fn record(
    transaction: &impl InTransaction,
    entry: &Entry,
) -> Result<(), RegistryError> {
    let (actor, id, name, role) = entry.actor.columns();
    let request = entry.request.as_ref();
    let (ip, agent, request_id) = (
        request.map(|request| request.ip),
        request.and_then(|request| request.user_agent.as_deref()),
        request.map(|request| &*request.id),
    );
    let outcome = entry.failed.map_or("ok", Code::as_str);
    transaction
        .client()
        .execute_typed(
            "insert into tenantry.audit_log (tenant_id, kind, action, actor_kind, actor_id, actor_name, actor_role, \
             ip, user_agent, request_id, details, outcome) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            &[
                (&entry.tenant.map(|tenant| tenant.0), Type::UUID),
                (&entry.kind.as_str(), Type::TEXT),
                (&entry.action, Type::TEXT),
                (&actor, Type::TEXT),
                (&id, Type::UUID),
                (&name, Type::TEXT),
                (&role, Type::TEXT),
                (&ip, Type::INET),
                (&agent, Type::TEXT),
                (&request_id, Type::TEXT),
                (&entry.details, Type::JSONB),
                (&outcome, Type::TEXT),
            ],
        )
        .await?;
    Ok(())
}

impl Kind {
    /// The word used in the registry.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Access => "access",
            Self::Tenant => "tenant",
        }
    }

    fn from_word(word: &str) -> Self {
        match word {
            "access" => Self::Access,
            "tenant" => Self::Tenant,
            _ => Self::Data,
        }
    }
}

impl Actor {
    /// Kind, id, name and role, as the log has them.
    pub(crate) fn columns(
        &self,
    ) -> (
        &'static str,
        Option<Uuid>,
        Option<&str>,
        Option<&'static str>,
    ) {
        let role = |role: &MemberRole| Some(role.as_str());
        match self {
            Self::Anonymous => ("anonymous", None, None, None),
            Self::User(id, member) => ("user", Some(id.0), None, member.as_ref().and_then(role)),
            Self::ApiKey(id, member) => ("api_key", Some(id.0), None, role(member)),
            Self::Support(id, member) => ("support", Some(id.0), None, role(member)),
            Self::Operator(id) => ("operator", Some(id.0), None, None),
            Self::Service => ("service", None, None, None),
            Self::CommandLine(name) => ("command_line", None, Some(name), None),
        }
    }
}
