//! What the service's own fields are resolved with: who asks where, and the transaction that they share.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::Context;
use tokio::sync::OnceCell;

use crate::domains::Domains;
use crate::error::{Code, Failure};
use crate::guard::{Cookies, Guard, Identity, PublicUrl, TenantContext};
use crate::limits::Limits;
use crate::mail::{Mail, Mailer};
use crate::names::{MemberRole, SessionId, UserId};
use crate::registry::audit;
use crate::registry::{Access, MemberActor, OwnerTransaction, Registry, Tenant};
use crate::request::RequestInfo;
use crate::resets::Resets;

/// What is the same for all requests.
pub(crate) struct Environment {
    pub(crate) registry: Arc<Registry>,
    pub(crate) guard: Arc<Guard>,
    pub(crate) public_url: PublicUrl,
    /// Of tenants that have none of their own.
    pub(crate) limits: Limits,
    pub(crate) domains: Arc<Domains>,
    pub(crate) mailer: Arc<Mailer>,
    pub(crate) resets: Arc<Resets>,
}

/// One operation at a tenant.
pub(crate) struct ServiceContext {
    environment: Arc<Environment>,
    tenant: TenantContext,
    request: RequestInfo,
    cookies: Cookies,
    access: Access,
    transaction: OnceCell<OwnerTransaction>,
    /// To be sent after the commit.
    mails: Mutex<Vec<Mail>>,
}

impl ServiceContext {
    pub(crate) fn new(
        environment: Arc<Environment>,
        tenant: TenantContext,
        request: RequestInfo,
        cookies: Cookies,
        access: Access,
    ) -> Self {
        Self {
            environment,
            tenant,
            request,
            cookies,
            access,
            transaction: OnceCell::new(),
            mails: Mutex::default(),
        }
    }

    /// The one of the operation that a resolver is called for.
    pub(super) fn of<'c>(context: &Context<'c>) -> Result<&'c Self, Failure> {
        let found = context.data_opt::<Arc<Self>>();
        found.map(|context| &**context).ok_or_else(|| {
            Failure::internal("a field of the service is resolved without a context")
        })
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }

    pub(super) fn tenant(&self) -> &Tenant {
        self.tenant.tenant()
    }

    pub(super) fn shared_tenant(&self) -> Arc<Tenant> {
        Arc::clone(self.tenant.tenant())
    }

    /// The session that the request belongs to.
    pub(super) fn session(&self) -> Option<SessionId> {
        self.tenant.session()
    }

    pub(super) fn client(&self) -> &RequestInfo {
        &self.request
    }

    /// What the browser keeps; it is told of changes once the transaction is committed.
    pub(super) fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    pub(super) fn identity(&self) -> &Identity {
        self.tenant.identity()
    }

    /// What whoever asks may do here, if it is as much as that.
    pub(super) fn at_least(&self, least: MemberRole) -> Result<MemberRole, Failure> {
        match self.identity().role() {
            Some(role) if role >= least => Ok(role),
            Some(_) => {
                let message = format!("this takes the role {} or a higher one", least.as_str());
                Err(Failure::takes_role(least.as_str(), message))
            }
            None => Err(Failure::unauthenticated("log in first")),
        }
    }

    /// On whose behalf members are changed, if that takes no higher role. Keys and operators who look in change
    /// none: whom they let in would stay when they are gone.
    pub(super) fn actor(&self, least: MemberRole) -> Result<MemberActor, Failure> {
        let role = self.at_least(least)?;
        Ok(MemberActor {
            user: Some(self.account()?),
            role,
        })
    }

    /// The account of whoever asks, who has to be a person.
    pub(super) fn account(&self) -> Result<UserId, Failure> {
        match (self.identity().user(), self.identity().role()) {
            (Some(user), _) => Ok(user),
            (None, Some(_)) => Err(Failure::new(
                Code::Forbidden,
                "this is for people who have logged in",
            )),
            (None, None) => Err(Failure::unauthenticated("log in first")),
        }
    }

    /// The owner's transaction that all fields of the operation share, begun when it is first asked for.
    /// In a query it only reads; in a mutation it is committed when all fields have succeeded.
    pub(super) async fn transaction(&self) -> Result<&OwnerTransaction, Failure> {
        let begin = || self.environment.registry.begin(self.access);
        Ok(self.transaction.get_or_try_init(begin).await?)
    }

    /// Writes down in the audit log what this operation changes, as a part of its transaction.
    pub(super) async fn record(
        &self,
        kind: audit::Kind,
        action: &str,
        details: serde_json::Value,
    ) -> Result<(), Failure> {
        let actor = self.identity().actor();
        self.record_by(actor, kind, action, details).await
    }

    /// The same, by somebody whom this very operation has made known.
    pub(super) async fn record_by(
        &self,
        actor: audit::Actor,
        kind: audit::Kind,
        action: &str,
        details: serde_json::Value,
    ) -> Result<(), Failure> {
        let entry = audit::Entry {
            tenant: Some(self.tenant().id),
            kind,
            actor,
            request: Some(self.request.clone()),
            action: action.to_owned(),
            details,
            failed: None,
        };
        Ok(audit::record(self.transaction().await?, &entry).await?)
    }

    /// Has a mail sent when the operation has succeeded.
    pub(super) fn mail(&self, mail: Mail) {
        self.mails
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(mail);
    }

    pub(super) async fn commit(self) -> Result<(), Failure> {
        if let Some(transaction) = self.transaction.into_inner() {
            transaction.commit().await?;
        }
        let mails = self.mails.into_inner();
        for mail in mails.unwrap_or_else(PoisonError::into_inner) {
            self.environment.mailer.send(mail);
        }
        Ok(())
    }

    pub(super) async fn roll_back(self) {
        if let Some(transaction) = self.transaction.into_inner() {
            // Failing that, the connection is closed, which has the same effect.
            let _ = transaction.roll_back().await;
        }
    }
}
