//! How much a tenant may do, where it has no limits of its own.

use clap::Args;

use crate::limits::{NONE, Rate};

/// For each, 0 stands for no limit. Each replica counts by itself.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_field_names, reason = "they are the names of flags")]
pub(crate) struct Rates {
    /// The requests of one tenant in a second; more are answered `RATE_LIMITED`.
    #[arg(
        long,
        env = "TENANTRY_MAX_REQUESTS",
        value_name = "N",
        default_value_t = 0
    )]
    pub(crate) max_requests: u64,

    /// The requests of one tenant at once, before their rate counts; twice that rate when 0.
    #[arg(
        long,
        env = "TENANTRY_MAX_BURST",
        value_name = "N",
        default_value_t = 0
    )]
    pub(crate) max_burst: u64,

    /// The operations of one tenant that may run at once; more are answered `RATE_LIMITED`.
    #[arg(
        long,
        env = "TENANTRY_MAX_CONCURRENT",
        value_name = "N",
        default_value_t = 0
    )]
    pub(crate) max_concurrent: u64,

    /// The bytes of one tenant's tables and indexes; with more, it can only delete.
    #[arg(
        long,
        env = "TENANTRY_MAX_STORAGE",
        value_name = "BYTES",
        default_value_t = 0
    )]
    pub(crate) max_storage: u64,

    /// The requests without a token that one address may send in a second, after ten times as many at once.
    #[arg(
        long,
        env = "TENANTRY_MAX_ANONYMOUS_REQUESTS",
        value_name = "N",
        default_value_t = 100
    )]
    pub(crate) max_anonymous_requests: u64,
}

impl Rates {
    pub(crate) fn anonymous(&self) -> Option<Rate> {
        let per_second = self.max_anonymous_requests;
        let burst = per_second.saturating_mul(10);
        (per_second > 0).then_some(Rate { per_second, burst })
    }
}

pub(crate) fn or_none(limit: u64) -> u64 {
    if limit == 0 { NONE } else { limit }
}
