//! The life of a tenant: what operators do with one, by GraphQL or by the command line.

mod change;
mod copy;
mod limits;
mod list;
mod purge;
mod record;

use serde_json::Value;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{GenericClient, Row, Transaction};
use uuid::Uuid;

use super::audit::{self, Actor, Entry, Kind};
use super::{RegistryError, locked_out};
use crate::error::{Code, Failure, postgres_reason};
use crate::names::{Subdomain, TenantId};
use crate::request::RequestInfo;

pub(crate) use change::{Change, Reason};
pub(crate) use copy::{CopyName, TakenOffer};
pub(crate) use limits::NewLimit;
pub(crate) use list::{Filter, Listing, Page, Sort};
pub(crate) use purge::Purged;
pub(crate) use record::TenantRecord;

/// Who does something to a tenant, and by which request.
#[derive(Debug, Clone)]
pub(crate) struct By {
    pub(crate) actor: Actor,
    /// None at the command line.
    pub(crate) request: Option<RequestInfo>,
}

impl By {
    /// Leaves the trail of what was done to a tenant, in the transaction that does it.
    pub(in crate::registry) async fn record(
        &self,
        transaction: &Transaction<'_>,
        tenant: TenantId,
        action: &str,
        details: Value,
    ) -> Result<(), RegistryError> {
        let entry = Entry {
            tenant: Some(tenant),
            kind: Kind::Tenant,
            actor: self.actor.clone(),
            request: self.request.clone(),
            action: action.to_owned(),
            details,
            failed: None,
        };
        audit::record(transaction, &entry).await
    }
}

/// How an operator names a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TenantRef {
    Id(TenantId),
    Subdomain(Subdomain),
}

impl TenantRef {
    /// An id, or else a subdomain.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let text = text.trim();
        if let Ok(id) = Uuid::try_parse(text) {
            return Ok(Self::Id(TenantId(id)));
        }
        Subdomain::parse(text)
            .map(Self::Subdomain)
            .map_err(|error| {
                let message = format!("{text:?} is no name of a tenant: {error}");
                Failure::bad_input("tenant", message)
            })
    }

    /// The parameters of `where id = $1 or subdomain = $2`.
    fn parameters(&self) -> (Option<Uuid>, Option<&str>) {
        match self {
            Self::Id(id) => (Some(id.0), None),
            Self::Subdomain(subdomain) => (None, Some(subdomain.as_str())),
        }
    }
}

/// Runs a statement that reads a tenant by its name; its first two parameters are the name's.
async fn tenant_row(
    client: &impl GenericClient,
    statement: &str,
    tenant: &TenantRef,
) -> Result<Row, Failure> {
    let (id, subdomain) = tenant.parameters();
    let parameters: [(&(dyn ToSql + Sync), Type); 2] =
        [(&id, Type::UUID), (&subdomain, Type::TEXT)];
    let row = client.query_typed_opt(statement, &parameters).await;
    row.map_err(failed)?.ok_or_else(|| no_such_tenant(tenant))
}

pub(super) fn no_such_tenant(tenant: &TenantRef) -> Failure {
    let message = match tenant {
        TenantRef::Id(id) => format!("there is no tenant \"{id}\""),
        TenantRef::Subdomain(subdomain) => format!("there is no tenant \"{subdomain}\""),
    };
    Failure::new(Code::TenantNotFound, message).with_field("tenant")
}

/// What is not possible in the state that the tenant is in.
fn not_now(message: impl Into<std::borrow::Cow<'static, str>>) -> Failure {
    Failure::conflict("tenant", message)
}

/// What Postgres said, as far as it is the operator's to know.
pub(super) fn failed(error: tokio_postgres::Error) -> Failure {
    let Some(answer) = error.as_db_error() else {
        return RegistryError::from(error).into();
    };
    let log = postgres_reason(&error);
    if answer.constraint() == Some("tenants_subdomain_key") {
        return Failure::conflict("subdomain", "this subdomain is taken");
    }
    if locked_out(&error) {
        let message = "somebody else is changing this tenant: try again later";
        return Failure::new(Code::Overloaded, message).with_log(log);
    }
    Failure::internal(log)
}
