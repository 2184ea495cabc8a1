//! The GraphQL API at the base domain: what the service offers to people who have no tenant yet.

mod accounts;
mod audit;
mod operators;
mod sign_up;
mod tenants;

use std::sync::Arc;

use async_graphql::{
    Context, EmptySubscription, Error, ErrorExtensions, MergedObject, Object, SDLExportOptions,
    SimpleObject,
};

use crate::error::Failure;
use crate::guard::{Guard, PublicUrl};
use crate::migrate;
use crate::names::Subdomain;
use crate::registry::{Directory, Registry};
use crate::resets::Resets;

/// The schema that `http` executes at the base domain.
pub(crate) type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

/// All that can be asked: one object for each topic.
#[derive(Default, MergedObject)]
pub(crate) struct Query(
    Basics,
    accounts::AccountQuery,
    operators::OperatorQuery,
    tenants::TenantQuery,
    audit::AuditQuery,
);

/// All that can be changed.
#[derive(Default, MergedObject)]
pub(crate) struct Mutation(
    sign_up::SignUpMutation,
    accounts::AccountMutation,
    operators::OperatorMutation,
    tenants::TenantMutation,
    tenants::LimitMutation,
    tenants::ExportMutation,
);

/// All that the resolvers need.
pub(crate) struct Platform {
    pub(crate) registry: Arc<Registry>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) guard: Arc<Guard>,
    pub(crate) migrations: Arc<migrate::Current>,
    pub(crate) public_url: PublicUrl,
    pub(crate) resets: Arc<Resets>,
}

/// Builds the schema around what its resolvers need.
pub(crate) fn schema(platform: Platform) -> Schema {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .data(platform)
        // Enough for an editor's introspection, and for three sign-ups.
        .limit_complexity(1000)
        .limit_depth(20)
        .finish()
}

/// The schema as clients' tools read it.
pub(crate) fn sdl() -> String {
    let schema = Schema::new(Query::default(), Mutation::default(), EmptySubscription);
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .include_specified_by();
    schema.sdl_with_options(options)
}

#[derive(Default)]
pub(crate) struct Basics;

#[Object]
impl Basics {
    /// What answers here.
    async fn service(&self) -> Service {
        Service {
            name: "tenantry",
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// Whether a new tenant could have this subdomain.
    #[graphql(complexity = 50)]
    async fn subdomain_available(
        &self,
        context: &Context<'_>,
        subdomain: String,
    ) -> Result<SubdomainAvailability, Error> {
        let subdomain = match Subdomain::claim(&subdomain) {
            Ok(subdomain) => subdomain,
            Err(error) => return Ok(SubdomainAvailability::no(error.to_string())),
        };
        let platform = context.data::<Platform>()?;
        let taken = platform.directory.is_taken(&subdomain).await;
        let taken = taken.map_err(|error| into_error(error.into()))?;
        if taken {
            return Ok(SubdomainAvailability::no(
                "this subdomain is taken".to_owned(),
            ));
        }
        Ok(SubdomainAvailability {
            available: true,
            reason: None,
        })
    }
}

/// The service and its release.
#[derive(SimpleObject)]
struct Service {
    name: &'static str,
    version: &'static str,
}

/// Whether a subdomain can be had.
#[derive(SimpleObject)]
struct SubdomainAvailability {
    available: bool,
    /// Why it cannot be had.
    reason: Option<String>,
}

impl SubdomainAvailability {
    fn no(reason: String) -> Self {
        Self {
            available: false,
            reason: Some(reason),
        }
    }
}

/// A failure as async-graphql carries it: with its extensions, and itself as the source, for the log.
pub(crate) fn into_error(failure: Failure) -> Error {
    let mut extensions = Vec::new();
    let Ok(()) = failure.each_extension(|key, value| {
        extensions.push((key, value));
        Ok::<_, std::convert::Infallible>(())
    });
    Error::new_with_source(failure).extend_with(|_, into| {
        for (key, value) in extensions {
            if let Ok(value) = async_graphql::Value::from_json(value) {
                into.set(key, value);
            }
        }
    })
}

#[cfg(test)]
mod tests;
