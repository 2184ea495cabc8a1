//! The limits that a tenant has of its own, as operators see and change them.

use async_graphql::{Context, Error, InputObject, Object, SimpleObject};

use super::super::into_error;
use super::super::operators::by;
use super::types::BigInt;
use crate::error::Failure;
use crate::limits::Limit;
use crate::registry::{NewLimit, TenantRef};

#[derive(Default)]
pub(crate) struct LimitMutation;

#[Object]
impl LimitMutation {
    /// Changes the limits that a tenant has of its own, at once, and tells what they are then; without changes, what they
    /// are. For operators.
    #[graphql(complexity = "50 + child_complexity")]
    async fn change_tenant_limits(
        &self,
        context: &Context<'_>,
        tenant: String,
        changes: Vec<OwnLimitInput>,
    ) -> Result<Vec<OwnLimit>, Error> {
        let limits = change(context, &tenant, &changes).await;
        limits.map_err(into_error)
    }
}

async fn change(
    context: &Context<'_>,
    tenant: &str,
    changes: &[OwnLimitInput],
) -> Result<Vec<OwnLimit>, Failure> {
    let by = by(context)?;
    let tenant = TenantRef::parse(tenant)?;
    let changes: Result<Vec<_>, _> = changes.iter().map(OwnLimitInput::parse).collect();
    let (registry, changes) = (&super::platform(context)?.registry, changes?);
    let limits = registry.change_limits(&by, &tenant, &changes).await?;
    let known = Limit::ALL.into_iter().filter_map(|name| {
        let value = limits.get(name.name())?.as_i64()?;
        Some(OwnLimit {
            name,
            value: BigInt(value),
        })
    });
    Ok(known.collect())
}

/// A limit with its new value.
#[derive(InputObject)]
struct OwnLimitInput {
    name: Limit,
    /// From 1. Null takes it away, so that the limit of all tenants counts again.
    value: Option<BigInt>,
}

impl OwnLimitInput {
    fn parse(&self) -> Result<NewLimit, Failure> {
        let value = self.value.as_ref().map(|value| {
            let number = u64::try_from(value.0).ok().and_then(NewLimit::checked);
            number.ok_or_else(|| Failure::bad_input("value", "a limit is a number from 1"))
        });
        Ok(NewLimit {
            limit: self.name,
            value: value.transpose()?,
        })
    }
}

/// A limit that a tenant has of its own.
#[derive(SimpleObject)]
struct OwnLimit {
    name: Limit,
    value: BigInt,
}
