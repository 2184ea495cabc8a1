//! API keys of a tenant: issued, listed, revoked.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::ServiceContext;
use crate::error::Failure;
use crate::names::{ApiKeyId, DisplayName, MemberRole};
use crate::registry::{ApiKey, NewApiKey, audit};

#[derive(Default)]
pub(crate) struct ApiKeyMutation;

#[Object]
impl ApiKeyMutation {
    /// Makes a key for a machine. Only people can, and only this answer has the key.
    async fn issue_api_key(
        &self,
        context: &Context<'_>,
        input: IssueApiKeyInput,
    ) -> Result<IssueApiKeyPayload, Failure> {
        let service = ServiceContext::of(context)?;
        let actor = service.actor(MemberRole::Admin)?;
        service.account()?;
        let name = DisplayName::parse(&input.name)
            .map_err(|error| Failure::bad_input("name", error.to_string()))?;
        let new = NewApiKey {
            name,
            role: input.role,
            expires_at: input.expires_at,
        };
        let (key, secret) = service
            .environment()
            .registry
            .issue_api_key(service.transaction().await?, service.tenant(), actor, new)
            .await?;
        record(service, "issueApiKey", &key).await?;
        Ok(IssueApiKeyPayload {
            key: secret.as_str().to_owned(),
            api_key: key.into(),
        })
    }

    /// Makes a key good for nothing, at once.
    async fn revoke_api_key(
        &self,
        context: &Context<'_>,
        id: Uuid,
    ) -> Result<TenantApiKey, Failure> {
        let service = ServiceContext::of(context)?;
        let actor = service.actor(MemberRole::Admin)?;
        let (transaction, id) = (service.transaction().await?, ApiKeyId(id));
        let key = service
            .environment()
            .registry
            .revoke_api_key(transaction, service.tenant(), actor, id)
            .await?;
        record(service, "revokeApiKey", &key).await?;
        Ok(key.into())
    }
}

/// On `CurrentTenant`.
pub(super) struct ApiKeys;

#[Object]
impl ApiKeys {
    /// The keys by which machines call this API, the newest first; for admins.
    async fn api_keys(&self, context: &Context<'_>) -> Result<Vec<TenantApiKey>, Failure> {
        let service = ServiceContext::of(context)?;
        service.at_least(MemberRole::Admin)?;
        let registry = &service.environment().registry;
        let transaction = service.transaction().await?;
        let keys = registry.api_keys(transaction, service.tenant()).await?;
        Ok(keys.into_iter().map(TenantApiKey::from).collect())
    }
}

async fn record(service: &ServiceContext, action: &str, key: &ApiKey) -> Result<(), Failure> {
    let details = json!({"id": key.id.0, "name": key.name, "role": key.role.as_str()});
    service.record(audit::Kind::Access, action, details).await
}

#[derive(InputObject)]
struct IssueApiKeyInput {
    /// What it is for.
    name: String,
    /// What it may do: no more than you.
    role: MemberRole,
    /// Never, when left out.
    expires_at: Option<OffsetDateTime>,
}

/// A new key.
#[derive(SimpleObject)]
struct IssueApiKeyPayload {
    /// Goes into the header `Authorization: Bearer …`. It is not shown again.
    key: String,
    api_key: TenantApiKey,
}

/// A key by which a machine calls this API.
#[derive(SimpleObject)]
struct TenantApiKey {
    id: Uuid,
    name: String,
    /// How it begins.
    prefix: String,
    role: MemberRole,
    /// Null for somebody who is gone.
    created_by: Option<Uuid>,
    created_at: OffsetDateTime,
    expires_at: Option<OffsetDateTime>,
    /// To the minute; null when it has not been used.
    last_used_at: Option<OffsetDateTime>,
}

impl From<ApiKey> for TenantApiKey {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id.0,
            name: key.name,
            prefix: key.prefix,
            role: key.role,
            created_by: key.created_by.map(|user| user.0),
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
        }
    }
}
