//! Request → [`Compiled`]: parsed, validated, planned and printed once, then taken from a cache.
//!
//! Keys are values: plans are found by their document, operation and the shape of the variables. The
//! cache is bounded by the bytes it holds.

mod trail;
mod work;

use std::fmt::Display;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::documents::{self, DOCUMENT_BYTES, Documents, Policy};
use crate::error::{self, Code, Failure};
use crate::guard::Identity;
use crate::limits::{Limit, Limits};
use crate::plan::{
    self, Bindings, Document, OperationKind, Plan, PlanError, PlanErrorKind, RootValue, Shape,
    Variables,
};
use crate::schema::Api;
use crate::sql;
use work::work;

pub(crate) use trail::Trail;
pub(crate) use work::{Work, WriteQuery};

/// An operation that is ready to run for any tenant of its API, with any variables of its shape.
pub(crate) struct Compiled {
    pub(crate) plan: Plan,
    /// The document, where async-graphql answers a part of it. Other plans let go of it.
    pub(crate) document: Option<Arc<Document>>,
    pub(crate) introspects: bool,
    /// Whether it has fields of the service's own.
    pub(crate) service: bool,
    pub(crate) work: Work,
    /// Of a mutation: what the audit log is told.
    pub(crate) trail: Option<Trail>,
}

/// The caches of one process.
pub(crate) struct Compiler {
    pub(crate) documents: Documents,
    plans: Cache<PlanKey, Arc<Compiled>, PlanWeight>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct PlanKey {
    api: u64,
    document: u64,
    operation: Option<String>,
    shape: Shape,
}

pub(crate) use crate::documents::Operation;

impl Compiler {
    /// `bytes` is shared evenly by documents and plans.
    pub(crate) fn new(bytes: u64, policy: Policy) -> Self {
        let entries = usize::try_from(bytes / 8192).unwrap_or(usize::MAX).max(64);
        Self {
            documents: Documents::new(bytes / 2, policy),
            plans: Cache::with_weighter(entries, bytes / 2, PlanWeight),
        }
    }

    /// Finds or makes what runs the operation. Defaults of variables are filled in.
    pub(crate) fn compile(
        &self,
        api: &Api,
        operation: &mut Operation,
        limits: &Limits,
    ) -> Result<Arc<Compiled>, Vec<Failure>> {
        let within = |limit, found| limits.check(limit, found).map_err(|failure| vec![failure]);
        let (document, introspection_only) = self.documents.find(api, operation, limits)?;
        let selected = document
            .operation(operation.name.as_deref())
            .map_err(failed)?;
        let measures = selected.measures();
        if introspection_only && measures.data > 0 {
            return Err(vec![documents::not_trusted()]);
        }
        within(Limit::Depth, measures.depth)?;
        within(Limit::Aliases, measures.aliases)?;
        within(Limit::RootFields, measures.roots)?;
        within(Limit::Items, measures.items)?;
        selected.fill_defaults(&mut operation.variables);
        let items = limits.get(Limit::Items);
        let shape = plan::shape(&api.blueprint, selected, &operation.variables, items)
            .map_err(|error| failed(error.into()))?;
        let key = PlanKey {
            api: api.id,
            document: document.id,
            operation: operation.name.clone(),
            shape,
        };
        if let Some(compiled) = self.plans.get(&key) {
            return Ok(compiled);
        }
        let plan = plan::plan(api, &document, selected, &operation.variables).map_err(failed)?;
        let work = work(api, &plan);
        let roots = || plan.roots.iter().map(|root| &root.value);
        let introspects = roots().any(|value| matches!(value, RootValue::Introspection));
        let service = roots().any(|value| matches!(value, RootValue::Service { .. }));
        let trail = (plan.kind == OperationKind::Mutation)
            .then(|| Trail::new(api, &plan, &document.sha256, selected.name));
        let compiled = Arc::new(Compiled {
            document: (introspects || service).then(|| Arc::clone(&document)),
            introspects,
            service,
            trail,
            work,
            plan,
        });
        self.plans.insert(key, Arc::clone(&compiled));
        Ok(compiled)
    }

    /// Lets go of everything that was made for an API. Requests in flight keep what they use.
    pub(crate) fn forget(&self, api: &Api) {
        self.plans.retain(|key, _| key.api != api.id);
        self.documents.forget(api);
    }
}

impl Compiled {
    /// Takes the values of one request.
    pub(crate) fn bind(
        &self,
        variables: &Variables,
        identity: &Identity,
        limits: &Limits,
    ) -> Result<Bindings, Failure> {
        let viewer = identity.user();
        plan::bind(
            &self.plan.params,
            &self.plan.limits,
            variables,
            viewer.as_ref().map(|user| user as &dyn Display),
            u32::try_from(limits.get(Limit::Rows)).ok(),
        )
        .map_err(Failure::from)
    }

    /// How many values the answer may have at most, if so many are allowed.
    pub(crate) fn weigh(&self, bindings: &Bindings, limits: &Limits) -> Result<u64, Failure> {
        let values = self.plan.cost.values(&bindings.limits);
        limits.check(Limit::Complexity, values).map_err(|failure| {
            let most = limits.get(Limit::Complexity);
            let path = self.plan.cost.heaviest(&bindings.limits, most);
            failure.with_path(path.into_iter().map(error::PathSegment::Field).collect())
        })?;
        Ok(values)
    }

    /// Says of a value that Postgres could not read where the client had put it, and of what is
    /// wrong otherwise with the only field, that it is that one.
    pub(crate) fn blame(&self, statement: &sql::Statement, mut failure: Failure) -> Failure {
        if matches!(
            failure.code,
            Code::Internal | Code::Overloaded | Code::TenantMigrating | Code::Timeout
        ) {
            return failure;
        }
        let number = failure.parameter.and_then(|number| number.checked_sub(1));
        match (
            number.and_then(|index| statement.params.get(index)),
            &self.plan.roots[..],
        ) {
            (Some(&id), _) => self.plan.params.blame(id, &failure.message).into(),
            // Of several fields, Postgres does not say which.
            (None, [root]) if failure.path.is_empty() => {
                failure.path = vec![error::PathSegment::Field(root.key.name().to_owned())];
                failure
            }
            _ => failure,
        }
    }
}

fn failed(error: PlanError) -> Vec<Failure> {
    vec![error.into()]
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        let code = match error.kind {
            PlanErrorKind::Parse => Code::GraphqlParseFailed,
            PlanErrorKind::Validation | PlanErrorKind::Unsupported => Code::GraphqlValidationFailed,
            PlanErrorKind::BadInput => Code::BadUserInput,
            PlanErrorKind::TooComplex => Code::QueryTooComplex,
        };
        let path = error
            .path
            .into_iter()
            .map(error::PathSegment::Field)
            .collect();
        let mut failure = Self::new(code, error.message).with_path(path);
        failure.locations = error
            .locations
            .into_iter()
            .map(|(line, column)| {
                (
                    u32::try_from(line).unwrap_or(0),
                    u32::try_from(column).unwrap_or(0),
                )
            })
            .collect();
        failure
    }
}

/// A plan is as large as its statements, a few times over, with its parameters and the fields of
/// its answer; the document that it may keep alive comes on top.
#[derive(Clone)]
struct PlanWeight;

impl Weighter<PlanKey, Arc<Compiled>> for PlanWeight {
    fn weight(&self, key: &PlanKey, compiled: &Arc<Compiled>) -> u64 {
        let Compiled {
            plan,
            document,
            work,
            trail,
            ..
        } = &**compiled;
        let statements = match work {
            Work::None => 0,
            Work::Read(read) => read.bytes(),
            Work::LogIns(all) => all
                .iter()
                .flatten()
                .map(|query| query.statement.text.len())
                .sum(),
            Work::Write(all) => all
                .iter()
                .map(|write| write.query.statement.text.len())
                .sum(),
        };
        let document = document.as_ref().map_or(0, |document| document.text_bytes);
        let trail = trail
            .as_ref()
            .map_or(0, |trail| trail.details.len() + trail.kept.len() * 48);
        let bytes = key.shape.len()
            + trail
            + statements * 8
            + usize::try_from(plan.cost.fields()).unwrap_or(usize::MAX) * 128
            + plan.params.bytes()
            + document * DOCUMENT_BYTES;
        (bytes + 2048) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;
    use crate::schema::Options;

    /// What a cache thinks that the plan of a document takes.
    fn weight(text: &str) -> u64 {
        let api = Api::new(Model::default(), Options::default()).unwrap();
        let caches = Compiler::new(1 << 20, Policy::Any);
        let mut operation = Operation {
            query: text.to_owned(),
            ..Operation::default()
        };
        let limits = Limits::new(|_| u64::MAX);
        let compiled = caches.compile(&api, &mut operation, &limits).unwrap();
        let key = PlanKey {
            api: 1,
            document: 1,
            operation: None,
            shape: Shape::default(),
        };
        PlanWeight.weight(&key, &compiled)
    }

    #[test]
    fn a_plan_weighs_what_it_keeps() {
        let names: Vec<_> = (0..1000).map(|n| format!("n{n}:__typename")).collect();
        let names = names.join(" ");
        let [few, many] = ["__typename", &names].map(|fields| weight(&format!("{{ {fields} }}")));
        assert!(many > few + 100_000, "{few} {many}");
        // The document of a plan without introspection is not kept.
        let comment = "#".repeat(10_000);
        assert_eq!(weight(&format!("{{ __typename }}{comment}")), few);
        let kept = weight(&format!("{{ __schema {{ __typename }} }}{comment}"));
        assert!(kept > few + 200_000, "{kept}");
    }

    #[test]
    fn a_flood_of_documents_does_not_grow_the_caches() {
        let api = Api::new(Model::default(), Options::default()).unwrap();
        let bytes = 1 << 20;
        let caches = Compiler::new(bytes, Policy::Any);
        let limits = Limits::new(|_| u64::MAX);
        let compile = |query: &str| {
            let mut operation = Operation {
                query: query.to_owned(),
                ..Operation::default()
            };
            caches.compile(&api, &mut operation, &limits).unwrap()
        };
        for n in 0..5000 {
            compile(&format!("{{ __typename n{n}: __typename }}"));
        }
        assert!(caches.documents.weight() <= bytes / 2);
        assert!(caches.plans.weight() <= bytes / 2);
        assert!(caches.plans.len() < 5000);
        // What is asked again is neither parsed nor planned again.
        let first = compile("{ __typename }");
        assert!(Arc::ptr_eq(&first, &compile("{ __typename }")));
    }

    #[test]
    fn an_api_that_is_gone_takes_along_what_was_made_for_it() {
        let [old, new] = [(); 2].map(|()| Api::new(Model::default(), Options::default()).unwrap());
        let caches = Compiler::new(1 << 20, Policy::Any);
        let limits = Limits::new(|_| u64::MAX);
        let compile = |api: &Api, query: &str| {
            let mut operation = Operation {
                query: query.to_owned(),
                ..Operation::default()
            };
            caches.compile(api, &mut operation, &limits).unwrap()
        };
        let queries = ["{ __typename }", "{ a: __typename }", "{ b: __typename }"];
        for query in queries {
            compile(&old, query);
        }
        let kept = compile(&new, queries[0]);
        let before = caches.documents.weight();
        assert_eq!(caches.plans.len(), 4);
        caches.forget(&old);
        assert_eq!(caches.plans.len(), 1);
        assert!(caches.documents.weight() <= before / 3);
        assert!(Arc::ptr_eq(&kept, &compile(&new, queries[0])));
    }
}
