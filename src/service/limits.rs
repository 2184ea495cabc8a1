//! `currentTenant { limits usage }`: what a tenant may do, and what it has stored.

use async_graphql::{
    Context, InputValueError, InputValueResult, Object, Scalar, ScalarType, SimpleObject, Value,
};
use time::OffsetDateTime;

use super::ServiceContext;
use crate::error::Failure;
use crate::limits::Limit;
use crate::names::MemberRole;

/// A whole number of up to 64 bits, as text: clients whose numbers are floats would round it.
pub(super) struct BigInt(i64);

#[Scalar]
impl ScalarType for BigInt {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Ok(Self(text.parse()?)),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<u64> for BigInt {
    fn from(number: u64) -> Self {
        Self(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

pub(super) struct LimitFields;

#[Object]
#[expect(clippy::unused_async, reason = "that is what resolvers are")]
impl LimitFields {
    /// What the tenant may do; null stands for what is not limited.
    async fn limits(&self, context: &Context<'_>) -> Result<TenantLimits, Failure> {
        let service = ServiceContext::of(context)?;
        service.at_least(MemberRole::Viewer)?;
        let limits = service.environment().limits;
        let limits = limits.with(&service.tenant().limits);
        let of = |limit| limits.own(limit).map(BigInt::from);
        Ok(TenantLimits {
            requests_per_second: of(Limit::Requests),
            burst: of(Limit::Burst),
            concurrent_operations: of(Limit::Concurrent),
            statement_timeout: of(Limit::Timeout),
            storage_bytes: of(Limit::Storage),
            rows: of(Limit::Rows),
            complexity: of(Limit::Complexity),
            depth: of(Limit::Depth),
            response_bytes: of(Limit::Response),
        })
    }

    /// What it has stored; null until that has been measured for the first time.
    async fn usage(&self, context: &Context<'_>) -> Result<Option<TenantUsage>, Failure> {
        let service = ServiceContext::of(context)?;
        service.at_least(MemberRole::Admin)?;
        let transaction = service.transaction().await?;
        let registry = &service.environment().registry;
        let usage = registry.usage(transaction, service.tenant().id).await?;
        Ok(usage.map(|usage| TenantUsage {
            storage_bytes: BigInt(usage.bytes),
            measured_at: usage.measured_at.into(),
            over_quota: service.tenant().over_quota,
        }))
    }
}

/// What a tenant may do. Each replica of the service counts requests and operations by itself.
#[derive(SimpleObject)]
struct TenantLimits {
    /// On average.
    requests_per_second: Option<BigInt>,
    /// Requests at once, before their rate counts; twice the rate when null.
    burst: Option<BigInt>,
    concurrent_operations: Option<BigInt>,
    /// In milliseconds.
    statement_timeout: Option<BigInt>,
    storage_bytes: Option<BigInt>,
    /// Of one list.
    rows: Option<BigInt>,
    /// The values that an answer may have.
    complexity: Option<BigInt>,
    /// Fields within fields.
    depth: Option<BigInt>,
    response_bytes: Option<BigInt>,
}

/// What a tenant has stored.
#[derive(SimpleObject)]
struct TenantUsage {
    /// Of its tables with their indexes.
    storage_bytes: BigInt,
    measured_at: OffsetDateTime,
    /// More than it may: it can read and delete, but not add.
    over_quota: bool,
}
