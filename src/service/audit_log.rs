//! `currentTenant { auditLog }`: what has been changed, by whom and from where; for owners and admins.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use time::OffsetDateTime;
use uuid::Uuid;

use super::ServiceContext;
use crate::error::Failure;
use crate::names::MemberRole;
use crate::registry::audit::{self, Kind, Place, Recorded, Wanted};

pub(super) struct AuditFields;

/// The most entries of a page.
const MOST: i32 = 1000;

#[Object]
impl AuditFields {
    /// What has been changed in the tenant, the newest first. For owners and admins.
    async fn audit_log(
        &self,
        context: &Context<'_>,
        #[graphql(default = 50)] first: i32,
        after: Option<String>,
        #[graphql(name = "where")] filter: Option<TenantAuditFilter>,
    ) -> Result<TenantAuditConnection, Failure> {
        let service = ServiceContext::of(context)?;
        service.at_least(MemberRole::Admin)?;
        let count = page_length(first)?;
        let after = after.as_deref().map(Place::parse).transpose()?;
        let wanted = Wanted {
            tenant: Some(service.tenant().id),
            ..filter.unwrap_or_default().into()
        };
        let transaction = service.transaction().await?;
        let (entries, more) = audit::page(transaction, &wanted, after, count).await?;
        Ok(TenantAuditConnection {
            page_info: TenantAuditPageInfo::new(&entries, more),
            nodes: entries.into_iter().map(TenantAuditEntry::from).collect(),
        })
    }
}

/// How many entries a page has.
pub(crate) fn page_length(first: i32) -> Result<u16, Failure> {
    let count = u16::try_from(first).ok().filter(|_| first <= MOST);
    count.ok_or_else(|| {
        let message = format!("first is a number from 0 to {MOST}");
        Failure::bad_input("first", message)
    })
}

/// Which entries; all of which nothing is said.
#[derive(InputObject, Default)]
pub(crate) struct TenantAuditFilter {
    kind: Option<Kind>,
    /// A user, an API key or an operator.
    actor_id: Option<Uuid>,
    /// The operation's name, or that of the field.
    action: Option<String>,
    since: Option<OffsetDateTime>,
    /// Exclusive.
    until: Option<OffsetDateTime>,
    /// Those that failed, or those that did not.
    failed: Option<bool>,
}

#[derive(SimpleObject)]
struct TenantAuditConnection {
    nodes: Vec<TenantAuditEntry>,
    page_info: TenantAuditPageInfo,
}

#[derive(SimpleObject)]
pub(crate) struct TenantAuditPageInfo {
    has_next_page: bool,
    /// For `after`.
    end_cursor: Option<String>,
}

/// Something that was done, or that failed.
#[derive(SimpleObject)]
pub(crate) struct TenantAuditEntry {
    id: Uuid,
    at: OffsetDateTime,
    kind: Kind,
    /// The operation's name, or that of the field.
    action: String,
    actor: TenantAuditActor,
    /// The client's address.
    ip: Option<String>,
    user_agent: Option<String>,
    /// The header X-Request-Id of the answer.
    request_id: Option<String>,
    /// `ok`, or the code of the error.
    outcome: String,
    /// The SHA-256 of the document.
    document: Option<String>,
    /// The fields of a mutation of tables.
    fields: Vec<TenantAuditField>,
    /// Of anything else: what it was about.
    details: Vec<TenantAuditDetail>,
}

/// Who did it.
#[derive(SimpleObject)]
struct TenantAuditActor {
    /// `user`, `api_key`, `support` (an operator whom the tenant let in), `operator`, `command_line` or `anonymous`.
    kind: String,
    id: Option<Uuid>,
    name: Option<String>,
    /// The role at that time.
    role: Option<String>,
}

/// A field of a mutation.
#[derive(SimpleObject)]
struct TenantAuditField {
    name: String,
    rows: Vec<TenantAuditRows>,
}

/// Rows of a table that a field has written.
#[derive(SimpleObject)]
struct TenantAuditRows {
    table: String,
    /// `insert`, `update`, `delete`, or `call` for what a function has returned.
    action: String,
    /// How many; null where it failed.
    count: Option<i64>,
    /// The first hundred keys, each with its columns in their order.
    keys: Vec<Vec<String>>,
}

/// Something that an entry is about.
#[derive(SimpleObject)]
struct TenantAuditDetail {
    name: String,
    value: String,
}

impl From<TenantAuditFilter> for Wanted {
    fn from(filter: TenantAuditFilter) -> Self {
        Self {
            tenant: None,
            kind: filter.kind,
            actors: filter.actor_id.map(|id| vec![id]),
            action: filter.action,
            since: filter.since,
            until: filter.until,
            failed: filter.failed,
        }
    }
}

impl TenantAuditPageInfo {
    pub(crate) fn new(entries: &[Recorded], more: bool) -> Self {
        Self {
            has_next_page: more,
            end_cursor: entries.last().map(|entry| entry.place().cursor()),
        }
    }
}

impl From<Recorded> for TenantAuditEntry {
    fn from(entry: Recorded) -> Self {
        let is_data = entry.kind == Kind::Data;
        let document = entry.details.get("document").and_then(|hash| hash.as_str());
        Self {
            id: entry.id,
            at: entry.at,
            kind: entry.kind,
            actor: TenantAuditActor {
                kind: entry.actor_kind,
                id: entry.actor_id,
                name: entry.actor_name,
                role: entry.actor_role,
            },
            document: document.map(str::to_owned),
            fields: fields(&entry.details, entry.keys.as_ref()),
            details: if is_data {
                Vec::new()
            } else {
                details(&entry.details)
            },
            action: entry.action,
            ip: entry.ip,
            user_agent: entry.user_agent,
            request_id: entry.request_id,
            outcome: entry.outcome,
        }
    }
}

/// The fields, with the keys shared out among their rows: as many arrays for each as its key has columns, and one for what has none.
fn fields(details: &serde_json::Value, keys: Option<&serde_json::Value>) -> Vec<TenantAuditField> {
    let list =
        |value: Option<&serde_json::Value>| value.and_then(|value| value.as_array()).cloned();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut arrays = list(keys).unwrap_or_default().into_iter();
    let mut rows_of = |rows: &serde_json::Value| {
        let width = rows["columns"].as_u64().unwrap_or_default();
        let arrays: Vec<_> = (0..width.max(1)).filter_map(|_| arrays.next()).collect();
        let length = arrays
            .first()
            .and_then(|array| Some(array[1].as_array()?.len()));
        let keys = (0..length.unwrap_or_default()).filter(|_| width > 0);
        TenantAuditRows {
            table: text(&rows["table"]),
            action: text(&rows["action"]),
            count: arrays.first().and_then(|array| array[0].as_i64()),
            keys: keys
                .map(|index| arrays.iter().map(|array| text(&array[1][index])).collect())
                .collect(),
        }
    };
    let fields = list(details.get("fields")).unwrap_or_default();
    let mut field = |field: &serde_json::Value| TenantAuditField {
        name: text(&field["field"]),
        rows: list(field.get("rows"))
            .unwrap_or_default()
            .iter()
            .map(&mut rows_of)
            .collect(),
    };
    fields.iter().map(&mut field).collect()
}

fn details(details: &serde_json::Value) -> Vec<TenantAuditDetail> {
    let members = details.as_object().into_iter().flatten();
    let detail = |(name, value): (&String, &serde_json::Value)| TenantAuditDetail {
        name: name.clone(),
        value: value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
    };
    members.map(detail).collect()
}
