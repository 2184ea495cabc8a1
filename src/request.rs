//! Where a request comes from, for whoever writes that down or counts by it.

use std::net::IpAddr;
use std::sync::Arc;

/// The client, as far as a request tells.
#[derive(Debug, Clone)]
pub(crate) struct RequestInfo {
    /// Of the client itself: proxies are seen through when they are trusted.
    pub(crate) ip: IpAddr,
    /// What it calls itself, cut off where it goes on for too long.
    pub(crate) user_agent: Option<Arc<str>>,
    /// What the answer's header, the log, internal errors and the audit log call the request.
    pub(crate) id: Arc<str>,
}
