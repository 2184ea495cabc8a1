//! `/graphql`: the way of a request, in the order of its stages.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::Response;

use super::audit::Attempt;
use super::transport::{self, Method, Refusal, Reply};
use super::visit::{Job, Visit};
use super::{Introspection, Service, platform};
use crate::compile::Compiled;
use crate::error::{Code, Failure};
use crate::execute;
use crate::guard::{Admission, PlatformIdentity, TenantContext};
use crate::limits::{Limit, Limits};
use crate::plan::OperationKind;
use crate::request::RequestInfo;

pub(super) async fn graphql(service: Arc<Service>, request: Request<Body>) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let client = service.proxies.client(&parts);
    let media = match transport::negotiate(&parts.headers) {
        Ok(media) => media,
        Err(refusal) => return transport::refused(transport::Media::Json, &client, refusal),
    };
    let mut attempt = Attempt::default();
    let result = answer(&service, &client, &parts, body, &mut attempt).await;
    tracing::debug!(
        request.id = &*client.id,
        http.host = super::host(&parts.uri, &parts.headers),
        duration_ms = started.elapsed().as_secs_f64() * 1e3,
        ok = result.is_ok(),
        "request"
    );
    match result {
        Ok(reply) => transport::response(media, &client, reply),
        Err(refusal) => {
            attempt.failed(&service, &client, &refusal);
            let host = refusal.moved_to();
            let location =
                host.and_then(|host| super::moved::location(&parts.uri, &parts.headers, host));
            let mut response = transport::refused(media, &client, refusal);
            let headers = response.headers_mut();
            headers.extend(location.map(|location| (header::LOCATION, location)));
            response
        }
    }
}

/// The architecture in one function: a request, from its headers to the bytes of its answer.
async fn answer(
    service: &Service,
    client: &RequestInfo,
    parts: &Parts,
    body: Body,
    attempt: &mut Attempt,
) -> Result<Reply, Refusal> {
    // guard: which tenant, on whose behalf
    let visit = Visit::new(service, client, parts)?;
    let admission = visit.admit().await?;
    let limits = limits(service, &admission);
    arrive(service, client, &admission, &limits)?;
    let body_limit = limits.bytes(Limit::Body);
    let (method, mut operation) = transport::read(parts, body, body_limit).await?;
    let mut context = match admission {
        Admission::Tenant(context) => context,
        Admission::Platform(identity) => {
            return platform::answer(service, visit.at_platform(identity), method, operation).await;
        }
    };
    let _running = limits.run(&context.tenant().meter)?;
    loop {
        let tried = async {
            // API: the model and the GraphQL schema of the tenant's schema version
            let api = service.apis.of(context.tenant()).await?;
            // plan: parsed, validated, planned and printed, or all of it from the cache
            let compiled = service.compiler.compile(&api, &mut operation, &limits)?;
            attempt.begin(&context, &compiled);
            permit(service, &context, method, &compiled)?;
            execute::permit(&api, &compiled, context.identity())?;
            let bindings = compiled.bind(&operation.variables, context.identity(), &limits)?;
            let complexity = compiled.weigh(&bindings, &limits)?;
            let job = Job {
                api: &api,
                compiled: &compiled,
                operation: &operation,
                bindings: &bindings,
                limits: &limits,
            };
            // session: one transaction as the tenant's role, in one round trip
            let outcome = visit.run(&context, &job).await?;
            // service: what is in none of the tenant's tables
            let resolved = visit.resolve(&context, &job).await?;
            // encode: binary rows to JSON bytes
            let body = execute::encode(&compiled, &bindings, &outcome, resolved, &limits)?;
            Ok::<_, Refusal>(visit.reply(body, complexity))
        };
        let result = tried.await;
        match visit.overtaken(&context, &result).await? {
            // A migration was quicker: once more, from the guard on.
            Some(now) => context = now,
            None => return result,
        }
    }
}

/// The tenant's limits: those of all, or its own in their place.
fn limits(service: &Service, admission: &Admission) -> Limits {
    match admission {
        Admission::Platform(_) => service.limits,
        Admission::Tenant(context) => service.limits.with(&context.tenant().limits),
    }
}

/// Counts the request: against its tenant, or against the client's address when nobody has logged in, who shall not use up what
/// members may send.
fn arrive(
    service: &Service,
    client: &RequestInfo,
    admission: &Admission,
    limits: &Limits,
) -> Result<(), Failure> {
    match admission {
        Admission::Tenant(context) if context.identity().role().is_some() => {
            let meter = &context.tenant().meter;
            if context.identity().belongs() {
                meter.mark();
            }
            limits.arrive(meter)
        }
        Admission::Platform(PlatformIdentity::Anonymous) | Admission::Tenant(_) => {
            service.addresses.arrive(client.ip)
        }
        Admission::Platform(_) => Ok(()),
    }
}

/// Whether this operation may be run by this method, and may introspect.
fn permit(
    service: &Service,
    context: &TenantContext,
    method: Method,
    compiled: &Compiled,
) -> Result<(), Refusal> {
    if method == Method::Get && compiled.plan.kind != OperationKind::Query {
        return Err(Refusal::mutation_by_get());
    }
    if context.tenant().over_quota && compiled.trail.as_ref().is_some_and(|trail| trail.adds) {
        let message = "this tenant has stored as much as it may: delete something first";
        return Err(Failure::new(Code::QuotaExceeded, message).into());
    }
    if !compiled.introspects {
        return Ok(());
    }
    match service.introspection {
        Introspection::Members if context.identity().role().is_none() => {
            let message = "log in first: introspection is for members here";
            Err(Failure::unauthenticated(message).into())
        }
        Introspection::Public | Introspection::Members => Ok(()),
        Introspection::Off => {
            Err(Failure::new(Code::Forbidden, "introspection is switched off here").into())
        }
    }
}
