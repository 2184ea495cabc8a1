//! One issuer's keys, kept fresh by a task of their own: requests read them without a lock and without I/O.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::config::{self, ConfigError};
use super::fetch::{FetchError, Fetcher};
use super::jwks::{JwksDocument, KeySet, NoKey};

/// How long keys are kept when the issuer says nothing, and the bounds of what it may say.
const KEPT: Duration = Duration::from_mins(10);
const KEPT_AT_LEAST: Duration = Duration::from_mins(1);
const KEPT_AT_MOST: Duration = Duration::from_hours(1);

/// The pause after a failure; twice as long after each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Tokens with unknown keys have the issuer asked again: so many times at once, and then once in so long.
const BURST: u32 = 3;
const REFILL: Duration = Duration::from_secs(10);

/// How long a request waits for that.
const PATIENCE: Duration = Duration::from_secs(6);

pub(super) struct Keys {
    shared: Arc<Shared>,
    task: AbortHandle,
}

struct Shared {
    current: ArcSwap<KeySet>,
    /// Counts the answers to those who wait: keys that came, that did not come, or that were not asked for.
    rounds: watch::Sender<u64>,
    /// The round that somebody waits for.
    wanted: AtomicU64,
    wake: Notify,
}

/// Why a token cannot be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Key(NoKey),
    /// The issuer has never been reached.
    All,
}

impl Keys {
    /// Starts asking the issuer; whether it answers does not matter to the start.
    pub(super) fn start(fetcher: Fetcher, source: Source) -> Self {
        let shared = Arc::new(Shared {
            current: ArcSwap::default(),
            rounds: watch::channel(0).0,
            wanted: AtomicU64::new(0),
            wake: Notify::new(),
        });
        let run = refresh(fetcher, source, Arc::clone(&shared));
        Self {
            shared,
            task: tokio::spawn(run).abort_handle(),
        }
    }

    /// The key that a token names. One that nobody has heard of is asked for, once for all who ask.
    pub(super) async fn find(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<DecodingKey, Missing> {
        match self.known(id, algorithm) {
            Err(Missing::All | Missing::Key(NoKey::Unknown)) => {}
            found => return found,
        }
        let mut rounds = self.shared.rounds.subscribe();
        let round = *rounds.borrow_and_update() + 1;
        self.shared.wanted.fetch_max(round, Ordering::AcqRel);
        self.shared.wake.notify_one();
        let _ = timeout(PATIENCE, rounds.wait_for(|done| *done >= round)).await;
        self.known(id, algorithm)
    }

    fn known(&self, id: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, Missing> {
        let keys = self.shared.current.load();
        if keys.is_empty() {
            return Err(Missing::All);
        }
        keys.find(id, algorithm).cloned().map_err(Missing::Key)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Asks the issuer for ever: when its keys grow old, after failures, and when somebody waits for a new key.
async fn refresh(fetcher: Fetcher, mut source: Source, shared: Arc<Shared>) {
    let mut budget = Budget::new();
    let mut failures = 0;
    loop {
        let pause = match source.keys(&fetcher).await {
            Ok((keys, kept)) => {
                failures = 0;
                shared.current.store(Arc::new(keys));
                kept.unwrap_or(KEPT).clamp(KEPT_AT_LEAST, KEPT_AT_MOST)
            }
            Err(error) => {
                tracing::warn!(
                    issuer = source.issuer, %error,
                    "the keys of an issuer could not be had; those that are known go on"
                );
                failures += 1;
                (FIRST_PAUSE * 2_u32.pow(failures.min(6) - 1)).min(LONGEST_PAUSE)
            }
        };
        let due = Instant::now() + pause;
        loop {
            shared.rounds.send_modify(|done| *done += 1);
            if !wait(&shared, due).await || budget.take(Instant::now()) {
                break;
            }
        }
    }
}

/// Whether somebody waits for new keys before they are due.
async fn wait(shared: &Shared, due: Instant) -> bool {
    loop {
        if shared.wanted.load(Ordering::Acquire) > *shared.rounds.borrow() {
            return true;
        }
        tokio::select! {
            () = shared.wake.notified() => {}
            () = sleep(due.saturating_duration_since(Instant::now())) => return false,
        }
    }
}

/// How often strangers may have the issuer asked.
struct Budget {
    left: u32,
    since: Instant,
}

impl Budget {
    fn new() -> Self {
        Self {
            left: BURST,
            since: Instant::now(),
        }
    }

    fn take(&mut self, now: Instant) -> bool {
        while self.left < BURST && now.duration_since(self.since) >= REFILL {
            self.left += 1;
            self.since += REFILL;
        }
        if self.left == BURST {
            self.since = now;
        }
        let some = self.left > 0;
        self.left = self.left.saturating_sub(1);
        some
    }
}

/// Where an issuer's keys are.
pub(super) struct Source {
    issuer: String,
    /// As configured.
    given: Option<Url>,
    /// As the issuer said; asked for anew when nothing is there any more.
    discovered: Option<Url>,
}

/// What of `OpenID` Connect Discovery (§3) is needed here.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

#[derive(Debug, thiserror::Error)]
enum SourceError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{url}: {source}")]
    Fetch { url: Url, source: FetchError },
    #[error("it calls itself {0:?}, and has to be configured by that very name")]
    OtherName(String),
    #[error("{0}: there is no key that can be used")]
    Empty(Url),
}

impl Source {
    pub(super) fn new(issuer: &str, jwks_url: Option<&str>) -> Result<Self, ConfigError> {
        Ok(Self {
            issuer: issuer.to_owned(),
            given: jwks_url.map(config::secure).transpose()?,
            discovered: None,
        })
    }

    async fn keys(&mut self, fetcher: &Fetcher) -> Result<(KeySet, Option<Duration>), SourceError> {
        let url = match self.given.clone().or_else(|| self.discovered.take()) {
            Some(url) => url,
            None => self.discover(fetcher).await?,
        };
        let answer = fetcher.json::<JwksDocument>(&url).await;
        let (document, kept) = answer.map_err(|source| SourceError::Fetch {
            url: url.clone(),
            source,
        })?;
        let keys = KeySet::read(document);
        // More likely a slip than the wish that nobody gets in any more.
        if keys.is_empty() {
            return Err(SourceError::Empty(url));
        }
        self.discovered = Some(url);
        Ok((keys, kept))
    }

    async fn discover(&self, fetcher: &Fetcher) -> Result<Url, SourceError> {
        let base = self.issuer.trim_end_matches('/');
        let url = config::secure(&format!("{base}/.well-known/openid-configuration"))?;
        let answer = fetcher.json::<Discovery>(&url).await;
        let (found, _) = answer.map_err(|source| SourceError::Fetch { url, source })?;
        if found.issuer != self.issuer {
            return Err(SourceError::OtherName(found.issuer));
        }
        Ok(config::secure(&found.jwks_uri)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_have_the_issuer_asked_now_and_then_only() {
        let mut budget = Budget::new();
        let mut now = budget.since;
        let mut taken_after = |pause| {
            now += pause;
            (0..10).filter(|_| budget.take(now)).count()
        };
        assert_eq!(taken_after(Duration::ZERO), 3);
        assert_eq!(taken_after(REFILL / 2), 0);
        assert_eq!(taken_after(REFILL / 2), 1);
        assert_eq!(taken_after(REFILL * 100), 3);
    }
}
