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
use super::{Audit, Introspection, Service, platform};
use crate::compile::{Compiled, Operation, Work};
use crate::error::{Code, Failure};
use crate::execute::{self, Resolved, Visitor};
use crate::guard::{Admission, Cookies, PlatformIdentity, Secret, TenantContext};
use crate::limits::{Limit, Limits};
use crate::plan::OperationKind;
use crate::registry::Access;
use crate::request::RequestInfo;
use crate::schema::Api;
use crate::service::ServiceContext;

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
    // One host is one tenant: whoever names two is refused (RFC 9112, section 3.2).
    if parts.headers.get_all(header::HOST).iter().nth(1).is_some() {
        return Err(Refusal::bad_request("the request has two Host headers"));
    }
    let host = super::host(&parts.uri, &parts.headers);
    let (cookies, kept) = service.cookies.read(parts, host);
    let asked = (host, authorization(parts));
    let admission = admit(service, client, asked, (&cookies, kept)).await?;
    let limits = limits(service, &admission);
    arrive(service, client, &admission, &limits)?;
    let body_limit = limits.bytes(Limit::Body);
    let (method, mut operation) = transport::read(parts, body, body_limit).await?;
    let context = match admission {
        Admission::Platform(identity) => {
            let visit = platform::Visit {
                client,
                identity,
                cookies,
            };
            return platform::answer(service, visit, method, operation).await;
        }
        Admission::Tenant(context) => context,
    };
    let _running = limits.run(&context.tenant().meter)?;
    // API: the model and the GraphQL schema of the tenant's schema version
    let api = service.apis.of(context.tenant()).await?;
    // plan: parsed, validated, planned and printed, or all of it from the cache
    let compiled = service.compiler.compile(&api, &mut operation, &limits)?;
    attempt.begin(&context, &compiled);
    permit(service, &context, method, &compiled)?;
    execute::permit(&api, &compiled, context.identity())?;
    let bindings = compiled.bind(&operation.variables, context.identity(), &limits)?;
    let complexity = compiled.weigh(&bindings, &limits)?;
    let visitor = Visitor {
        client,
        cookies: &cookies,
    };
    // session: one transaction as the tenant's role, in one round trip
    let outcome = match &compiled.work {
        Work::None => execute::Outcome::Nothing,
        Work::Read(read) => {
            let query = read.query(&api, &compiled.plan, &bindings.limits);
            let rows = service.lanes.read(&context, &query, &bindings).await;
            let rows = rows.map_err(|failure| compiled.blame(&query.statement, failure))?;
            execute::Outcome::Rows(rows, query.statement.layout)
        }
        Work::Write(_) => {
            let (lanes, client) = (&service.lanes, audited(service, client));
            execute::write(lanes, &context, &api, &compiled, &bindings, client).await?
        }
        Work::LogIns(_) => {
            let (guard, lanes) = (&service.guard, &service.lanes);
            execute::log_in(
                (guard, lanes),
                &visitor,
                &context,
                (&api, &compiled),
                &operation,
                &limits,
            )
            .await?
        }
    };
    // service: what is in none of the tenant's tables
    let mut resolved = resolve(service, &visitor, context, &api, &compiled, &operation).await?;
    if let Some(change) = resolved.cookies.take() {
        cookies.set(change);
    }
    // encode: binary rows to JSON bytes
    let body = execute::encode(&compiled, &bindings, &outcome, resolved, &limits)?;
    Ok(Reply {
        body,
        complexity: Some(complexity),
        cookies: service.cookies.changed(&cookies),
    })
}

/// Has the rest of the operation answered; errors that stand beside data are logged here.
async fn resolve(
    service: &Service,
    visitor: &Visitor<'_>,
    tenant: TenantContext,
    api: &Api,
    compiled: &Compiled,
    operation: &Operation,
) -> Result<Resolved, Vec<Failure>> {
    let access = match compiled.plan.kind {
        OperationKind::Query => Access::Read,
        OperationKind::Mutation => Access::Write,
    };
    let environment = &service.environment;
    let client = visitor.client;
    let context = || {
        let (environment, cookies) = (Arc::clone(environment), visitor.cookies.copy());
        ServiceContext::new(environment, tenant, client.clone(), cookies, access)
    };
    let mut resolved =
        execute::resolve(api, &service.own_schema, context, compiled, operation).await?;
    for error in &mut resolved.errors {
        error.report(&client.id);
    }
    Ok(resolved)
}

/// Who asks: by the header, or else by the cookie.
async fn admit(
    service: &Service,
    client: &RequestInfo,
    (host, authorization): (Option<&str>, Option<&str>),
    (cookies, kept): (&Cookies, Option<Secret>),
) -> Result<Admission, Failure> {
    let guard = &service.guard;
    let admission = match kept.filter(|_| authorization.is_none()) {
        None => guard.admit(host, authorization).await,
        Some(kept) => {
            cookies.own()?;
            match guard.admit(host, Some(&format!("Bearer {}", kept.0))).await {
                // The browser sends what it has. Without a session, there is still logging in.
                Err(failure) if failure.code == Code::Unauthenticated => {
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
        service.addresses.arrive(client.ip)?;
    }
    admission
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

/// The client, where the audit log tells of what it does to tables.
fn audited<'c>(service: &Service, client: &'c RequestInfo) -> Option<&'c RequestInfo> {
    (service.audit == Audit::All).then_some(client)
}

/// The Authorization header; one that is not text is no token, and not the same as none.
fn authorization(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?;
    Some(value.to_str().unwrap_or_default())
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
