//! What the audit log is told of mutations that fail: those that succeed tell it themselves.

use std::sync::Arc;

use super::Service;
use super::transport::Refusal;
use crate::compile::Compiled;
use crate::guard::TenantContext;
use crate::registry::audit::{Entry, Kind};
use crate::request::RequestInfo;

/// What the audit log tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Audit {
    /// Whatever changes anything.
    All,
    /// Members, keys, tenants and operators; not the rows of tables.
    Service,
}

/// A mutation that somebody has asked for, once it is known to be one.
#[derive(Default)]
pub(super) struct Attempt(Option<(TenantContext, Arc<Compiled>)>);

impl Attempt {
    /// Whoever has not logged in changes nothing, and is not to fill a tenant's log.
    pub(super) fn begin(&mut self, context: &TenantContext, compiled: &Arc<Compiled>) {
        if compiled.trail.is_some() && context.identity().role().is_some() {
            self.0 = Some((context.clone(), Arc::clone(compiled)));
        }
    }

    /// Has its failure written down, by a transaction of its own and after the answer.
    pub(super) fn failed(self, service: &Service, client: &RequestInfo, refusal: &Refusal) {
        let (Some((context, compiled)), Refusal::Graphql(failures)) = (self.0, refusal) else {
            return;
        };
        let (Some(trail), Some(failure)) = (&compiled.trail, failures.first()) else {
            return;
        };
        let kind = if compiled.service {
            Kind::Access
        } else {
            Kind::Data
        };
        if kind == Kind::Data && service.audit != Audit::All {
            return;
        }
        service.registry.backlog.add(Entry {
            tenant: Some(context.tenant().id),
            kind,
            actor: context.identity().actor(),
            request: Some(client.clone()),
            action: trail.action.clone(),
            details: serde_json::from_str(&trail.details).unwrap_or_default(),
            failed: Some(failure.code),
        });
    }
}
