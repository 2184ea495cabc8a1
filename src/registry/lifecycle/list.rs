//! Tenants, listed: filtered, sorted by what operators ask for, in keyset pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::record::{last_activity, record_columns};
use super::{TenantRecord, TenantRef, failed, tenant_row};
use crate::error::Failure;
use crate::registry::{Registry, TenantStatus};

/// Which tenants, and in which order.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub(crate) filter: Filter,
    pub(crate) sort: Sort,
    pub(crate) descending: bool,
    pub(crate) first: u16,
    /// A cursor of an earlier page in the same order.
    pub(crate) after: Option<String>,
}

/// Which tenants are wanted; all of them, where nothing is said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) statuses: Vec<TenantStatus>,
    /// Part of the name, of the subdomain or of an owner's e-mail address, in any case.
    pub(crate) search: Option<String>,
}

/// What tenants are sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, async_graphql::Enum, clap::ValueEnum)]
#[graphql(name = "ManagedTenantSort")]
pub(crate) enum Sort {
    Name,
    #[default]
    Subdomain,
    Created,
    /// The latest first comes with the descending order; who was never active counts as 1970.
    LastActivity,
    Bytes,
    Rows,
    Users,
}

impl Sort {
    fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Subdomain => "subdomain",
            Self::Created => "created",
            Self::LastActivity => "last_activity",
            Self::Bytes => "bytes",
            Self::Rows => "rows",
            Self::Users => "users",
        }
    }
}

/// Some tenants, and where each is in the order.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) tenants: Vec<(TenantRecord, String)>,
    pub(crate) has_more: bool,
}

/// A tenant's place in an order: texts sort by the first key, numbers by the second, and equals by id.
struct Place {
    text: String,
    number: i64,
    id: Uuid,
}

/// What [`Filter`] asks of a tenant `t`, by `$1` and `$2`.
macro_rules! filter {
    () => {
        "(cardinality($1::text[]) = 0 or t.status = any($1)) and ($2::text is null \
           or strpos(lower(t.name), lower($2)) > 0 or strpos(t.subdomain, lower($2)) > 0 \
           or exists (select from tenantry.memberships m join tenantry.accounts o on o.id = m.account_id \
                where m.tenant_id = t.id and m.role = 'owner' and strpos(lower(o.email), lower($2)) > 0))"
    };
}

/// `$1` statuses, `$2` search, `$3` sort, `$4`–`$6` the place after which to go on, `$7` how many.
///
/// A case looks at one of its branches only: sizes are measured of all tenants when they are the order, else of the page.
macro_rules! page {
    ($direction:literal, $beyond:literal) => {
        concat!(
            "with keyed as ( \
               select t.id, \
                 (case $3 when 'name' then lower(t.name) when 'subdomain' then t.subdomain else '' end) \
                   collate \"C\" as text_key, \
                 case $3 \
                   when 'created' then (extract(epoch from t.created_at) * 1000000)::bigint \
                   when 'last_activity' then coalesce((extract(epoch from ", last_activity!(), ") * 1000000)::bigint, 0) \
                   when 'bytes' then coalesce((tenantry.measure_workspace(t.schema_name)).bytes, 0) \
                   when 'rows' then coalesce((tenantry.measure_workspace(t.schema_name)).live_rows, 0) \
                   when 'users' then (select count(*) from tenantry.memberships m where m.tenant_id = t.id) \
                   else 0 end as number_key \
               from tenantry.tenants t where ",
            filter!(),
            "), page as ( \
               select * from keyed where $6::uuid is null or (text_key, number_key, id) ",
            $beyond,
            " (($4::text) collate \"C\", $5::bigint, $6::uuid) \
               order by text_key ", $direction, ", number_key ", $direction, ", id ", $direction, " limit $7) \
             select page.text_key, page.number_key, ",
            record_columns!(),
            " from page join tenantry.tenants t on t.id = page.id \
             cross join lateral tenantry.measure_workspace(t.schema_name) as size \
             order by page.text_key ", $direction, ", page.number_key ", $direction, ", page.id ", $direction
        )
    };
}

impl Registry {
    /// One page of the tenants.
    pub(crate) async fn list_tenants(&self, listing: &Listing) -> Result<Page, Failure> {
        let place = match &listing.after {
            None => None,
            Some(cursor) => Some(Place::parse(cursor, listing)?),
        };
        let (text, number, id) = match &place {
            None => (None, None, None),
            Some(place) => (Some(&place.text), Some(place.number), Some(place.id)),
        };
        let statuses = listing.filter.words();
        let search = listing.filter.search();
        let sort = listing.sort.word();
        let limit = i64::from(listing.first) + 1; // one more tells whether there are more
        let statement = if listing.descending {
            page!("desc", "<")
        } else {
            page!("asc", ">")
        };
        let parameters: [(&(dyn ToSql + Sync), Type); 7] = [
            (&statuses, Type::TEXT_ARRAY),
            (&search, Type::TEXT),
            (&sort, Type::TEXT),
            (&text, Type::TEXT),
            (&number, Type::INT8),
            (&id, Type::UUID),
            (&limit, Type::INT8),
        ];
        let connection = self.connection().await?;
        let rows = connection.query_typed(statement, &parameters).await;
        let rows = rows.map_err(failed)?;
        let first = usize::from(listing.first);
        let mut tenants = Vec::with_capacity(rows.len().min(first));
        for row in rows.iter().take(first) {
            let record = TenantRecord::from_row(row)?;
            let place = Place {
                text: row.try_get(0).map_err(failed)?,
                number: row.try_get(1).map_err(failed)?,
                id: record.id.0,
            };
            tenants.push((record, place.cursor(listing)));
        }
        Ok(Page {
            tenants,
            has_more: rows.len() > first,
        })
    }

    /// How many tenants there are.
    pub(crate) async fn count_tenants(&self, filter: &Filter) -> Result<i64, Failure> {
        let (statuses, search) = (filter.words(), filter.search());
        let statement = concat!("select count(*) from tenantry.tenants t where ", filter!());
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&statuses, Type::TEXT_ARRAY), (&search, Type::TEXT)];
        let connection = self.connection().await?;
        let row = connection.query_typed_one(statement, &parameters).await;
        row.map_err(failed)?.try_get(0).map_err(failed)
    }

    /// One tenant, whatever its status.
    pub(crate) async fn tenant_record(&self, tenant: &TenantRef) -> Result<TenantRecord, Failure> {
        let statement = concat!(
            "select ",
            record_columns!(),
            " from tenantry.tenants t cross join lateral tenantry.measure_workspace(t.schema_name) as size \
             where t.id = $1 or t.subdomain = $2"
        );
        let connection = self.connection().await?;
        let row = tenant_row(&**connection, statement, tenant).await?;
        Ok(TenantRecord::from_row(&row)?)
    }
}

impl Filter {
    fn words(&self) -> Vec<&'static str> {
        self.statuses.iter().map(|status| status.word()).collect()
    }

    fn search(&self) -> Option<&str> {
        let search = self.search.as_deref().map(str::trim);
        search.filter(|search| !search.is_empty())
    }
}

impl Place {
    /// Only good in the order that it was made for.
    fn cursor(&self, listing: &Listing) -> String {
        let Self { text, number, id } = self;
        let (sort, descending) = (listing.sort.word(), listing.descending);
        URL_SAFE_NO_PAD.encode(format!("{sort} {descending} {number} {id} {text}"))
    }

    fn parse(cursor: &str, listing: &Listing) -> Result<Self, Failure> {
        let wrong = || Failure::bad_input("after", "this is not a cursor of this list");
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
        let text = String::from_utf8(bytes).map_err(|_| wrong())?;
        let mut parts = text.splitn(5, ' ');
        let mut next = || parts.next().ok_or_else(wrong);
        if next()? != listing.sort.word() || next()? != listing.descending.to_string() {
            return Err(wrong());
        }
        let number = next()?.parse().map_err(|_| wrong())?;
        let id = next()?.parse().map_err(|_| wrong())?;
        let text = next()?.to_owned();
        if text.contains('\0') {
            return Err(wrong());
        }
        Ok(Self { text, number, id })
    }
}
