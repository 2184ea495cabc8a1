//! Operators at the base domain: they log in here, and nowhere else.

use async_graphql::{Context, Error, InputObject, Object, SimpleObject};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Platform, into_error};
use crate::error::{Code, Failure};
use crate::guard::PlatformIdentity;
use crate::names::OperatorId;
use crate::registry::audit::Actor;
use crate::registry::{self, By};
use crate::request::RequestInfo;

/// The operator who asks; nobody else gets any further.
pub(super) fn operator(context: &Context<'_>) -> Result<OperatorId, Failure> {
    match context.data_opt::<PlatformIdentity>() {
        Some(PlatformIdentity::Operator(id)) => Ok(*id),
        Some(PlatformIdentity::Account { .. }) => {
            Err(Failure::new(Code::Forbidden, "this is for operators"))
        }
        Some(PlatformIdentity::Anonymous) | None => Err(Failure::unauthenticated(
            "this is for operators: log in by operatorLogIn, and send the header Authorization: Bearer <accessToken>",
        )),
    }
}

/// The same, for the trail.
pub(super) fn by(context: &Context<'_>) -> Result<By, Failure> {
    Ok(By {
        actor: Actor::Operator(operator(context)?),
        request: context.data_opt::<RequestInfo>().cloned(),
    })
}

#[derive(Default)]
pub(crate) struct OperatorQuery;

#[Object]
impl OperatorQuery {
    /// The operator whom the access token belongs to; null for everybody else.
    #[graphql(complexity = 50)]
    async fn operator(&self, context: &Context<'_>) -> Result<Option<Operator>, Error> {
        let Ok(id) = operator(context) else {
            return Ok(None);
        };
        let platform = context.data::<Platform>()?;
        let operator = platform.registry.operator(id).await.map_err(into_error)?;
        Ok(Some(operator.into()))
    }

    /// Those who run the service. For operators.
    #[graphql(complexity = "50 + child_complexity")]
    async fn operators(&self, context: &Context<'_>) -> Result<Vec<Operator>, Error> {
        operator(context).map_err(into_error)?;
        let platform = context.data::<Platform>()?;
        let operators = platform.registry.list_operators().await;
        let operators = operators.map_err(|error| into_error(error.into()))?;
        Ok(operators.into_iter().map(Operator::from).collect())
    }
}

#[derive(Default)]
pub(crate) struct OperatorMutation;

#[Object]
impl OperatorMutation {
    /// Begins an operator's session.
    #[graphql(complexity = "200 + child_complexity")]
    async fn operator_log_in(
        &self,
        context: &Context<'_>,
        input: OperatorLogInInput,
    ) -> Result<OperatorSession, Error> {
        let platform = context.data::<Platform>()?;
        let client = context.data::<RequestInfo>()?;
        let session = platform
            .registry
            .operator_log_in(client, &input.email, &input.password);
        Ok(session.await.map_err(into_error)?.into())
    }

    /// Chooses the password of an operator, by the token that `tenantry operator create` has printed, and begins a
    /// session.
    #[graphql(complexity = "200 + child_complexity")]
    async fn activate_operator(
        &self,
        context: &Context<'_>,
        input: ActivateOperatorInput,
    ) -> Result<OperatorSession, Error> {
        let platform = context.data::<Platform>()?;
        let client = context.data::<RequestInfo>()?;
        let session = platform
            .registry
            .activate_operator(client, &input.token, &input.password);
        Ok(session.await.map_err(into_error)?.into())
    }

    /// Ends all sessions of the operator who asks.
    #[graphql(complexity = 50)]
    async fn operator_log_out(&self, context: &Context<'_>) -> Result<bool, Error> {
        let id = operator(context).map_err(into_error)?;
        let platform = context.data::<Platform>()?;
        let ended = platform.registry.operator_log_out(id).await;
        ended.map_err(|error| into_error(error.into()))?;
        Ok(true)
    }
}

#[derive(InputObject)]
struct OperatorLogInInput {
    email: String,
    #[graphql(secret)]
    password: String,
}

#[derive(InputObject)]
struct ActivateOperatorInput {
    /// The one-time token.
    #[graphql(secret)]
    token: String,
    /// At least 10 characters.
    #[graphql(secret)]
    password: String,
}

/// Somebody who runs the service.
#[derive(SimpleObject)]
struct Operator {
    id: Uuid,
    email: String,
    created_at: OffsetDateTime,
    last_log_in_at: Option<OffsetDateTime>,
    disabled_at: Option<OffsetDateTime>,
}

impl From<registry::Operator> for Operator {
    fn from(operator: registry::Operator) -> Self {
        Self {
            id: operator.id.0,
            email: operator.email,
            created_at: operator.created_at,
            last_log_in_at: operator.last_log_in_at,
            disabled_at: operator.disabled_at,
        }
    }
}

/// A session that has begun.
#[derive(SimpleObject)]
struct OperatorSession {
    /// For the header `Authorization: Bearer <accessToken>`, at the base domain.
    access_token: String,
    /// When it ends.
    expires_at: OffsetDateTime,
    operator: Operator,
}

impl From<registry::OperatorSession> for OperatorSession {
    fn from(session: registry::OperatorSession) -> Self {
        Self {
            access_token: session.token.as_str().to_owned(),
            expires_at: session.expires_at,
            operator: session.operator.into(),
        }
    }
}
