//! What can be configured, as flags and environment variables.

mod hosts;
mod lanes;
mod oidc;
mod rates;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use crate::documents::Others;
use crate::guard::Lifetimes;
use crate::http::{Audit, Introspection, Network, Proxies};
use crate::limits::{Limit, Limits};
use crate::migrate::{self, Migrations};
use crate::schema::Options;
use crate::session::LanesConfig;
pub(crate) use hosts::ProofFlags;
use lanes::LaneFlags;
use rates::{Rates, or_none};

/// The tables of the app.
#[derive(Debug, Clone, Args)]
pub(crate) struct TenantSql {
    /// A directory with your own migrations (`V1__name.sql`, …), in place of the issue tracker that
    /// ships as the example. `seed.sql` in it is run for every new tenant.
    #[arg(long, env = "TENANTRY_TENANT_SQL", value_name = "DIR")]
    pub(crate) tenant_sql: Option<PathBuf>,

    /// A directory with migrations of tables that all tenants share. When left out, the directory
    /// `shared` beside that of --tenant-sql, if there are migrations in it.
    #[arg(
        long,
        env = "TENANTRY_SHARED_SQL",
        value_name = "DIR",
        requires = "tenant_sql"
    )]
    pub(crate) shared_sql: Option<PathBuf>,
}

impl TenantSql {
    pub(crate) fn load(&self) -> anyhow::Result<Migrations> {
        let migrations = self.read(None)?;
        for note in migrations.notes() {
            tracing::warn!("{note}");
        }
        Ok(migrations)
    }

    /// The same for those who write the files: without --tenant-sql, a debug build takes the checkout that it was made of.
    pub(crate) fn for_authors(mut self) -> Self {
        self.tenant_sql = self.tenant_sql.or_else(migrate::checkout);
        self
    }

    /// Without the last files that nobody has run yet and that hold no statement; `run` is the last version that somebody has.
    pub(crate) fn load_begun(&self, run: i32) -> anyhow::Result<Migrations> {
        self.read(Some(run))
    }

    /// The directories that files are read from, one that may come to be included.
    pub(crate) fn places(&self) -> Vec<PathBuf> {
        let app = self.tenant_sql.clone();
        let shared = self.shared_sql.clone().or_else(|| next_to(app.as_deref()?));
        app.into_iter().chain(shared).collect()
    }

    /// The directories of the app's files and of those for shared tables, as messages have them before a file's name.
    pub(crate) fn prefixes(&self) -> [String; 2] {
        let app = self.tenant_sql.as_deref();
        let shared = self.shared().map(|shared| {
            // As short as the app's is.
            let near = app.map(|app| app.with_file_name("shared"));
            let near = near.filter(|near| near.canonicalize().is_ok_and(|near| near == shared));
            near.unwrap_or(shared)
        });
        let prefix = |dir: Option<&Path>, usual: &str| {
            let dir = dir.map_or_else(|| usual.to_owned(), |dir| dir.display().to_string());
            format!("{}/", dir.trim_end_matches('/'))
        };
        [
            prefix(app, "sql/tenant"),
            prefix(shared.as_deref(), "sql/shared"),
        ]
    }

    fn read(&self, run: Option<i32>) -> anyhow::Result<Migrations> {
        let shared = self.shared();
        let dirs = self.tenant_sql.as_deref();
        let dirs = dirs.map(|dir| (dir, shared.as_deref()));
        Ok(Migrations::load(dirs, run)?)
    }

    /// The directory of what tenants share: the one that is named, or the one beside.
    pub(crate) fn shared(&self) -> Option<PathBuf> {
        let beside = || beside(self.tenant_sql.as_deref()?);
        self.shared_sql.clone().or_else(beside)
    }
}

/// The directory `shared` beside another one, where it holds migrations.
fn beside(dir: &Path) -> Option<PathBuf> {
    let shared = next_to(dir)?;
    let mut entries = std::fs::read_dir(&shared).ok()?.flatten();
    let holds_some = entries.any(|entry| migrate::is_sql(&entry.path()));
    holds_some.then_some(shared)
}

fn next_to(dir: &Path) -> Option<PathBuf> {
    Some(dir.canonicalize().ok()?.parent()?.join("shared"))
}

/// How requests are served, in development as in production.
#[derive(Debug, Clone, Args)]
pub(crate) struct Serving {
    #[command(flatten)]
    lanes: LaneFlags,

    /// Workspaces that are made ahead, so that signing up is quick and disturbs nobody; 0 makes each
    /// when it is asked for. 16 when left out; with `dev`, 0.
    #[arg(long, env = "TENANTRY_SPARE_WORKSPACES", value_name = "N")]
    pub(crate) spare_workspaces: Option<usize>,

    /// Where mails (invitations, resets of passwords) are posted to as JSON, for your service to send.
    /// Without it there are none; with `dev`, the log has them.
    #[arg(
        long,
        env = "TENANTRY_MAIL_WEBHOOK",
        value_name = "URL",
        hide_env_values = true
    )]
    pub(crate) mail_webhook: Option<url::Url>,

    /// For how many seconds an access token is valid.
    #[arg(
        long,
        env = "TENANTRY_TOKEN_LIFETIME",
        value_name = "S",
        default_value_t = 900
    )]
    pub(crate) token_lifetime: u64,

    /// After how many seconds without a refresh a session ends.
    #[arg(long, env = "TENANTRY_SESSION_LIFETIME", value_name = "S", default_value_t = 30 * 24 * 3600)]
    pub(crate) session_lifetime: u64,

    #[command(flatten)]
    pub(crate) hosts: hosts::HostFlags,

    /// Proxies in front of the service, as addresses or networks (10.0.0.0/8): they are believed when
    /// they say who the client is.
    #[arg(
        long,
        env = "TENANTRY_TRUSTED_PROXIES",
        value_name = "NETWORK",
        value_delimiter = ','
    )]
    pub(crate) trusted_proxies: Vec<Network>,

    /// The header in which they say so: `x-forwarded-for`, `forwarded` (RFC 7239), or one of their own
    /// that holds an address, such as `cf-connecting-ip`.
    #[arg(
        long,
        env = "TENANTRY_CLIENT_ADDRESS_HEADER",
        value_name = "NAME",
        default_value = "x-forwarded-for"
    )]
    pub(crate) client_address_header: String,

    #[command(flatten)]
    pub(crate) rates: Rates,

    /// What the audit log tells of.
    #[arg(long, env = "TENANTRY_AUDIT", value_enum, default_value_t = Audit::All)]
    pub(crate) audit: Audit,

    /// How many days the entries of the audit log are kept; 0 is for ever.
    #[arg(
        long,
        env = "TENANTRY_AUDIT_DAYS",
        value_name = "DAYS",
        default_value_t = 90
    )]
    pub(crate) audit_days: u32,

    /// The largest request body in bytes.
    #[arg(long, env = "TENANTRY_MAX_BODY", value_name = "BYTES", default_value_t = 1 << 20)]
    pub(crate) max_body: u64,

    /// The largest answer in bytes; more is `QUERY_TOO_COMPLEX`.
    #[arg(long, env = "TENANTRY_MAX_RESPONSE", value_name = "BYTES", default_value_t = 16 << 20)]
    pub(crate) max_response: u64,

    /// The most values that an answer may have, if every list were as long as it may be.
    #[arg(
        long,
        env = "TENANTRY_MAX_COMPLEXITY",
        value_name = "N",
        default_value_t = 10_000_000
    )]
    pub(crate) max_complexity: u64,

    /// How deep fields may be nested.
    #[arg(
        long,
        env = "TENANTRY_MAX_DEPTH",
        value_name = "N",
        default_value_t = 30
    )]
    pub(crate) max_depth: u64,

    /// The most aliases of an operation.
    #[arg(
        long,
        env = "TENANTRY_MAX_ALIASES",
        value_name = "N",
        default_value_t = 500
    )]
    pub(crate) max_aliases: u64,

    /// The most root fields of an operation.
    #[arg(
        long,
        env = "TENANTRY_MAX_ROOT_FIELDS",
        value_name = "N",
        default_value_t = 100
    )]
    pub(crate) max_root_fields: u64,

    /// The most items of a list in arguments and variables.
    #[arg(
        long,
        env = "TENANTRY_MAX_ITEMS",
        value_name = "N",
        default_value_t = 10_000
    )]
    pub(crate) max_items: u64,

    /// The largest GraphQL document in bytes.
    #[arg(long, env = "TENANTRY_MAX_DOCUMENT", value_name = "BYTES", default_value_t = 256 << 10)]
    pub(crate) max_document: u64,

    /// Rows of a list when a query asks for no number.
    #[arg(
        long,
        env = "TENANTRY_DEFAULT_LIMIT",
        value_name = "N",
        default_value_t = 50
    )]
    pub(crate) default_limit: u32,

    /// The most rows of a list that a query may ask for.
    #[arg(
        long,
        env = "TENANTRY_MAX_LIMIT",
        value_name = "N",
        default_value_t = 1000
    )]
    pub(crate) max_limit: u32,

    /// The field of the interface Node that holds the global id.
    #[arg(
        long,
        env = "TENANTRY_NODE_ID_FIELD",
        value_name = "NAME",
        default_value = "nodeId"
    )]
    pub(crate) node_id_field: String,

    /// Bytes for compiled operations.
    #[arg(long, env = "TENANTRY_PLAN_CACHE", value_name = "BYTES", default_value_t = 32 << 20)]
    pub(crate) plan_cache: u64,

    /// Only the documents in this directory are run: files of GraphQL (`*.graphql`), and manifests
    /// (`*.json`) as graphql-codegen, Relay and Apollo write them. SIGHUP reads it again.
    #[arg(long, env = "TENANTRY_TRUSTED_DOCUMENTS", value_name = "DIR")]
    pub(crate) trusted_documents: Option<PathBuf>,

    /// What becomes of other documents than the trusted ones.
    #[arg(
        long,
        env = "TENANTRY_UNTRUSTED_DOCUMENTS",
        value_enum,
        default_value = "refuse"
    )]
    pub(crate) untrusted_documents: Others,

    /// Who may introspect a tenant's GraphQL schema.
    #[arg(long, env = "TENANTRY_INTROSPECTION", value_enum)]
    pub(crate) introspection: Option<Introspection>,

    #[command(flatten)]
    pub(crate) oidc: oidc::IssuerFlags,
}

impl Serving {
    pub(crate) fn lifetimes(&self) -> Lifetimes {
        Lifetimes {
            access: Duration::from_secs(self.token_lifetime),
            session: Duration::from_secs(self.session_lifetime),
        }
    }

    /// The server allows so many connections.
    pub(crate) fn lanes(&self, max_connections: usize) -> LanesConfig {
        self.lanes.config(max_connections)
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits::new(|limit| match limit {
            Limit::Complexity => self.max_complexity,
            Limit::Depth => self.max_depth,
            Limit::Aliases => self.max_aliases,
            Limit::RootFields => self.max_root_fields,
            Limit::Rows => self.max_limit.into(),
            Limit::Items => self.max_items,
            Limit::Document => self.max_document,
            Limit::Body => self.max_body,
            Limit::Response => self.max_response,
            Limit::Requests => or_none(self.rates.max_requests),
            Limit::Burst => or_none(self.rates.max_burst),
            Limit::Concurrent => or_none(self.rates.max_concurrent),
            Limit::Timeout => self.lanes.statement_timeout,
            Limit::Storage => or_none(self.rates.max_storage),
        })
    }

    pub(crate) fn proxies(&self) -> anyhow::Result<Proxies> {
        let header = &self.client_address_header;
        Ok(Proxies {
            trusted: self.trusted_proxies.clone(),
            header: (header.parse())
                .with_context(|| format!("--client-address-header: {header:?} is no header"))?,
        })
    }

    pub(crate) fn options(&self, introspection: Introspection) -> anyhow::Result<Options> {
        let valid = self
            .node_id_field
            .starts_with(|c: char| c.is_ascii_alphabetic())
            && self
                .node_id_field
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_');
        anyhow::ensure!(
            valid,
            "--node-id-field: {:?} is no GraphQL name",
            self.node_id_field
        );
        anyhow::ensure!(
            self.max_limit >= 1 && self.default_limit <= self.max_limit,
            "--default-limit must not be greater than --max-limit"
        );
        Ok(Options {
            default_limit: self.default_limit,
            max_limit: self.max_limit,
            node_id_field: self.node_id_field.clone(),
            suggestions: introspection == Introspection::Public,
            service: crate::service::contribution(),
        })
    }
}
