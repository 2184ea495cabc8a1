//! What the tests stand on: services that end with the tests, and a handle for each identity.

mod caller;
mod chance;
pub(crate) mod database;
pub(crate) mod dns;
pub(crate) mod issuer;
pub(crate) mod process;
pub(crate) mod service;
pub(crate) mod token;

use std::time::{Duration, Instant};

pub(crate) use caller::{Answer, Caller};
pub(crate) use chance::{Chance, setting};
pub(crate) use process::{DataDir, run, run_on, tenantry};
pub(crate) use service::Service;
pub(crate) use token::Claims;

/// Waits until `check` gives something, for as long as a slow machine may need.
pub(crate) async fn eventually<T>(what: &str, check: impl AsyncFnMut() -> Option<T>) -> T {
    within(Duration::from_secs(20), what, check).await
}

/// Waits, for no longer than a second, until this is what a caller gets.
pub(crate) async fn soon(caller: &Caller, wanted: &str) -> Answer {
    within(Duration::from_secs(1), wanted, async || {
        let answer = caller.query("{ projects { totalCount } }").await;
        let json = answer.json();
        let code = &json["errors"][0]["extensions"]["code"];
        (code.as_str().unwrap_or("OK") == wanted).then_some(answer)
    })
    .await
}

/// Waits until `check` gives something, and fails when that takes longer than `limit`.
pub(crate) async fn within<T>(
    limit: Duration,
    what: &str,
    mut check: impl AsyncFnMut() -> Option<T>,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = check().await {
            return value;
        }
        assert!(
            started.elapsed() < limit,
            "it took longer than {limit:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
