//! What the stages of a request have in common: who asks, from where, and for what.

use std::sync::Arc;

use axum::http::header;
use axum::http::request::Parts;

use super::transport::{Refusal, Reply};
use super::{Audit, Service, platform};
use crate::compile::{Compiled, Operation, Work};
use crate::error::{Code, Failure};
use crate::execute::{self, LetIn, Outcome, Resolved, Visitor};
use crate::guard::{Admission, Cookies, PlatformIdentity, Secret, TenantContext};
use crate::limits::Limits;
use crate::plan::{Bindings, OperationKind};
use crate::registry::Access;
use crate::request::RequestInfo;
use crate::schema::Api;
use crate::service::ServiceContext;

/// A request, as far as its headers tell.
pub(super) struct Visit<'r> {
    service: &'r Service,
    client: &'r RequestInfo,
    host: Option<&'r str>,
    authorization: Option<&'r str>,
    cookies: Cookies,
    /// The access token among them.
    kept: Option<Secret>,
    let_in: LetIn,
}

/// An operation at a tenant, ready to run.
pub(super) struct Job<'r> {
    pub(super) api: &'r Api,
    pub(super) compiled: &'r Compiled,
    pub(super) operation: &'r Operation,
    pub(super) bindings: &'r Bindings,
    pub(super) limits: &'r Limits,
}

impl<'r> Visit<'r> {
    pub(super) fn new(
        service: &'r Service,
        client: &'r RequestInfo,
        parts: &'r Parts,
    ) -> Result<Self, Refusal> {
        // One host is one tenant: whoever names two is refused (RFC 9112, section 3.2).
        if parts.headers.get_all(header::HOST).iter().nth(1).is_some() {
            return Err(Refusal::bad_request("the request has two Host headers"));
        }
        let host = super::host(&parts.uri, &parts.headers);
        let (cookies, kept) = service.cookies.read(parts, host);
        Ok(Self {
            service,
            client,
            host,
            authorization: authorization(parts),
            cookies,
            kept,
            let_in: LetIn::default(),
        })
    }

    /// Who asks: by the header, or else by the cookie.
    pub(super) async fn admit(&self) -> Result<Admission, Failure> {
        let (guard, host) = (&self.service.guard, self.host);
        let kept = self.kept.as_ref();
        let admission = match kept.filter(|_| self.authorization.is_none()) {
            None => guard.admit(host, self.authorization).await,
            Some(kept) => {
                self.cookies.own()?;
                match guard.admit(host, Some(&format!("Bearer {}", kept.0))).await {
                    // The browser sends what it has: of a session that is over, or of the tenant that had this address
                    // before. There is still logging in.
                    Err(failure)
                        if matches!(failure.code, Code::Unauthenticated | Code::Forbidden) =>
                    {
                        guard.admit(host, None).await
                    }
                    outcome => outcome,
                }
            }
        };
        // Whoever tries tokens out is nobody yet.
        if let Err(failure) = &admission
            && failure.code == Code::Unauthenticated
        {
            self.service.addresses.arrive(self.client.ip)?;
        }
        admission
    }

    /// The same request, at the base domain.
    pub(super) fn at_platform(self, identity: PlatformIdentity) -> platform::Visit<'r> {
        platform::Visit {
            client: self.client,
            identity,
            cookies: self.cookies,
        }
    }

    /// What the statements bring.
    pub(super) async fn run(
        &self,
        context: &TenantContext,
        job: &Job<'_>,
    ) -> Result<Outcome, Failure> {
        let (service, lanes) = (self.service, &self.service.lanes);
        let (api, compiled, bindings) = (job.api, job.compiled, job.bindings);
        match &compiled.work {
            Work::None => Ok(Outcome::Nothing),
            Work::Read(read) => {
                let query = read.query(api, &compiled.plan, &bindings.limits);
                let rows = lanes.read(context, &query, bindings).await;
                let rows = rows.map_err(|failure| compiled.blame(&query.statement, failure))?;
                Ok(Outcome::Rows(rows, query.statement.layout))
            }
            Work::Write(_) => {
                // Where the audit log tells of what is done to tables.
                let client = (service.audit == Audit::All).then_some(self.client);
                execute::write(lanes, context, api, compiled, bindings, client).await
            }
            Work::LogIns(_) => {
                let (visitor, api) = (self.visitor(), (api, compiled));
                let entrance = (&*service.guard, lanes);
                execute::log_in(entrance, &visitor, context, api, job.operation, job.limits).await
            }
        }
    }

    /// What the service itself answers; errors that stand beside data are logged here.
    pub(super) async fn resolve(
        &self,
        context: &TenantContext,
        job: &Job<'_>,
    ) -> Result<Resolved, Vec<Failure>> {
        let access = match job.compiled.plan.kind {
            OperationKind::Query => Access::Read,
            OperationKind::Mutation => Access::Write,
        };
        let (environment, client) = (&self.service.environment, self.client);
        let context = || {
            let (environment, cookies) = (Arc::clone(environment), self.cookies.copy());
            ServiceContext::new(
                environment,
                context.clone(),
                client.clone(),
                cookies,
                access,
            )
        };
        let schema = &self.service.own_schema;
        let mut resolved =
            execute::resolve(job.api, schema, context, job.compiled, job.operation).await?;
        for error in &mut resolved.errors {
            error.report(&client.id);
        }
        if let Some(change) = resolved.cookies.take() {
            self.cookies.set(change);
        }
        Ok(resolved)
    }

    /// The tenant as it is by now, where it has another version than when this request came, and the
    /// result looks like it. Nothing has been done then.
    pub(super) async fn overtaken(
        &self,
        context: &TenantContext,
        result: &Result<Reply, Refusal>,
    ) -> Result<Option<TenantContext>, Failure> {
        let outdated = match result {
            Ok(reply) => reply.outdated,
            Err(refusal) => refusal.is_outdated(),
        };
        let before = context.tenant();
        if !outdated {
            return Ok(None);
        }
        if let Err(error) = self.service.directory.look_closely(before.id).await {
            tracing::warn!(%error, "cannot tell whether a tenant has another version by now");
            return Ok(None);
        }
        let Admission::Tenant(now) = self.admit().await? else {
            return Ok(None);
        };
        let switched = now.tenant().id == before.id && now.tenant().version != before.version;
        tracing::debug!(tenant.subdomain = %before.subdomain, switched, "what was planned does not fit the tables");
        Ok(switched.then_some(now))
    }

    pub(super) fn reply(&self, (body, outdated): (Vec<u8>, bool), complexity: u64) -> Reply {
        Reply {
            body,
            outdated,
            complexity: Some(complexity),
            cookies: self.service.cookies.changed(&self.cookies),
        }
    }

    fn visitor(&self) -> Visitor<'_> {
        Visitor {
            client: self.client,
            cookies: &self.cookies,
            let_in: &self.let_in,
        }
    }
}

/// The Authorization header; one that is not text is no token, and not the same as none.
fn authorization(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?;
    Some(value.to_str().unwrap_or_default())
}
