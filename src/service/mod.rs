//! The service's own part of every tenant's API: what is not in the tenant's tables.
//!
//! It is a GraphQL schema by itself, whose types and root fields are merged into the one that is made of the
//! tables. Fields are resolved here, one by one; a file for each topic, put together below.

mod api_keys;
pub(crate) mod audit_log;
mod context;
mod domains;
mod invitations;
mod limits;
mod members;
mod provisioning;
mod sessions;
mod support;
mod tenant;

use std::sync::{Arc, LazyLock};

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{
    EmptySubscription, MergedObject, Request, ServerError, ValidationResult, Value, Variables,
};

use crate::error::{Code, Failure, PathSegment};
use crate::guard::CookieChange;
use crate::schema::ServiceSchema;

pub(crate) use context::{Environment, ServiceContext};

/// What a tenant's own API is, beside its tables.
pub(crate) type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

#[derive(MergedObject, Default)]
pub(crate) struct Query(tenant::TenantQuery);

#[derive(MergedObject, Default)]
pub(crate) struct Mutation(
    members::MemberMutation,
    invitations::InvitationMutation,
    api_keys::ApiKeyMutation,
    domains::DomainMutation,
    provisioning::ProvisioningMutation,
    sessions::SessionMutation,
    support::SupportMutation,
);

/// The root fields that are there for those who have not logged in.
pub(crate) const PUBLIC_FIELDS: &[&str] = &["acceptInvitation", "logOut", "requestPasswordReset"];

/// What of it goes into the API of every tenant.
pub(crate) fn contribution() -> ServiceSchema {
    static SDL: LazyLock<String> = LazyLock::new(|| schema().sdl());
    ServiceSchema {
        sdl: &SDL,
        public: PUBLIC_FIELDS,
    }
}

pub(crate) fn schema() -> Schema {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .extension(ValidAlready)
        .limit_recursive_depth(64)
        .finish()
}

/// What came of an operation.
pub(crate) struct Answer {
    /// Null where an error went up to the top.
    pub(crate) data: Value,
    pub(crate) errors: Vec<Failure>,
    /// What the browser is to be told, where all went well.
    pub(crate) cookies: Option<CookieChange>,
}

/// Has the fields of a query resolved. Those that failed are null, with their errors.
pub(crate) async fn read(
    schema: &Schema,
    context: ServiceContext,
    part: ExecutableDocument,
    variables: Variables,
) -> Answer {
    resolve(schema, &Arc::new(context), part, variables).await
}

/// Has the fields of a mutation resolved, in one transaction: all succeed, or nothing is changed.
pub(crate) async fn write(
    schema: &Schema,
    context: ServiceContext,
    part: ExecutableDocument,
    variables: Variables,
) -> Result<Answer, Vec<Failure>> {
    let context = Arc::new(context);
    let mut answer = resolve(schema, &context, part, variables).await;
    let context = Arc::into_inner(context).ok_or_else(|| {
        vec![Failure::internal(
            "somebody still holds a context that is done",
        )]
    })?;
    if answer.errors.is_empty() {
        answer.cookies = context.cookies().take_change();
        context.commit().await.map_err(|failure| vec![failure])?;
        return Ok(answer);
    }
    context.roll_back().await;
    Err(answer.errors)
}

async fn resolve(
    schema: &Schema,
    context: &Arc<ServiceContext>,
    part: ExecutableDocument,
    variables: Variables,
) -> Answer {
    let mut request = Request::new(String::new())
        .variables(variables)
        .data(Arc::clone(context));
    request.set_parsed_query(part);
    let response = schema.execute(request).await;
    Answer {
        data: response.data,
        errors: response.errors.into_iter().map(failure).collect(),
        cookies: None,
    }
}

/// A resolver's failure, at its place; what did not come from one is an argument that does not fit.
fn failure(error: ServerError) -> Failure {
    let ServerError {
        message,
        source,
        locations,
        path,
        ..
    } = error;
    let source = source.and_then(|source| source.downcast::<Failure>().ok());
    let mut failure = source
        .and_then(Arc::into_inner)
        .unwrap_or_else(|| Failure::new(Code::BadUserInput, message));
    failure.path = path
        .into_iter()
        .map(|segment| match segment {
            async_graphql::PathSegment::Field(name) => PathSegment::Field(name),
            async_graphql::PathSegment::Index(index) => PathSegment::Index(index),
        })
        .collect();
    let number = |value: usize| u32::try_from(value).unwrap_or_default();
    failure.locations = locations
        .iter()
        .map(|pos| (number(pos.line), number(pos.column)))
        .collect();
    failure
}

/// Operations come here validated: as parts of ones that fit the tenant's whole schema.
struct ValidAlready;

impl ExtensionFactory for ValidAlready {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for ValidAlready {
    async fn validation(
        &self,
        _: &ExtensionContext<'_>,
        _: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        Ok(ValidationResult {
            cache_control: async_graphql::CacheControl::default(),
            complexity: 0,
            depth: 0,
        })
    }
}
