//! Those who guess passwords: counted by account, by address and by tenant, and made to wait.
//!
//! Addresses and tenants are counted in memory, as there are many of them and each replica can judge by itself. An account
//! that is under attack is counted in the database, so that more replicas do not mean more guesses; it gets there only after
//! some wrong passwords, so that made-up addresses of mail leave nothing. Unknown accounts are counted as known ones are.
//! Whoever has a session of the account from the same address is not held up by what others do.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};
use tokio_postgres::types::Type;

use super::{Registry, RegistryError};
use crate::error::Failure;
use crate::names::{EmailAddress, TenantId};

/// Wrong passwords for one account that cost nothing but time.
const FREE: u32 = 5;

/// After how long without a wrong password an account is as good as new.
const FORGET: Duration = Duration::from_mins(15);

/// Wrong passwords in a row that an address may have, and how many seconds give one back: an office shares an address.
const OF_ADDRESS: (f64, f64) = (50.0, 6.0);

/// The same of a tenant, of which only strangers are held up.
const OF_TENANT: (f64, f64) = (500.0, 0.2);

/// Invitations of a tenant to the same address of mail: nobody floods a stranger with mail.
const OF_INVITED: (f64, f64) = (5.0, 600.0);

/// What is counted at the same time; what was not seen for longest is forgotten.
const COUNTED: usize = 10_000;

/// SHA-256 of an address of mail in lower case.
pub(super) type EmailHash = [u8; 32];

#[derive(Debug)]
pub(super) struct Guesses {
    accounts: Cache<EmailHash, Arc<Mutex<Attempts>>>,
    addresses: Cache<IpAddr, Arc<Bucket>>,
    tenants: Cache<Option<TenantId>, Arc<Bucket>>,
    invited: Cache<(TenantId, EmailHash), Arc<Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Attempts {
    /// Those that have not turned out right (yet).
    count: u32,
    last: Instant,
    /// Until when the database has said that nobody may try.
    blocked: Option<Instant>,
}

/// What is given back little by little.
#[derive(Debug)]
struct Bucket {
    most: f64,
    seconds_each: f64,
    left: Mutex<(f64, Instant)>,
}

/// One password that is about to be looked at.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) email: EmailHash,
    attempts: Arc<Mutex<Attempts>>,
    address: Arc<Bucket>,
    tenant: Arc<Bucket>,
    /// Whether so many were wrong that the database counts.
    pub(super) suspicious: bool,
    /// How long strangers have to wait.
    pub(super) wait: Option<Duration>,
}

impl Guesses {
    pub(super) fn new() -> Self {
        Self {
            accounts: Cache::new(COUNTED),
            addresses: Cache::new(COUNTED),
            tenants: Cache::new(COUNTED),
            invited: Cache::new(COUNTED),
        }
    }

    /// Counts an attempt as a wrong one, until it turns out to be right: so of many at once no more get through.
    pub(super) fn begin(
        &self,
        tenant: Option<TenantId>,
        email: &str,
        address: IpAddr,
    ) -> Result<Attempt, Failure> {
        let now = Instant::now();
        let address = bucket(&self.addresses, &network(address), OF_ADDRESS);
        address.take(now).map_err(too_many)?;
        let tenant = bucket(&self.tenants, &tenant, OF_TENANT);
        let crowded = tenant.take(now).err();
        let email = email_hash(email);
        let attempts = self.accounts.get_or_insert_with(&email, || {
            let attempts = Attempts {
                count: 0,
                last: now,
                blocked: None,
            };
            Ok::<_, std::convert::Infallible>(Arc::new(Mutex::new(attempts)))
        });
        let Ok(attempts) = attempts;
        let (suspicious, blocked) = {
            let mut attempts = attempts.lock().unwrap_or_else(PoisonError::into_inner);
            if now.duration_since(attempts.last) > FORGET {
                attempts.count = 0;
            }
            attempts.last = now;
            attempts.count = attempts.count.saturating_add(1);
            let blocked = attempts
                .blocked
                .and_then(|at| at.checked_duration_since(now));
            (attempts.count > FREE, blocked)
        };
        Ok(Attempt {
            email,
            attempts,
            address,
            tenant,
            suspicious,
            wait: blocked.max(crowded),
        })
    }
}

impl Attempt {
    /// It was the right password.
    pub(super) fn succeed(self) {
        self.address.give_back();
        self.tenant.give_back();
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.count = 0;
        attempts.blocked = None;
    }

    fn block(&self, wait: Duration) {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.blocked = Instant::now().checked_add(wait);
    }
}

impl Bucket {
    /// Takes one out, or tells how long until there is one.
    fn take(&self, now: Instant) -> Result<(), Duration> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.saturating_duration_since(left.1).as_secs_f64();
        left.0 = (left.0 + since / self.seconds_each).min(self.most);
        left.1 = now;
        if left.0 < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - left.0) * self.seconds_each));
        }
        left.0 -= 1.0;
        Ok(())
    }

    fn give_back(&self) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.0 = (left.0 + 1.0).min(self.most);
    }
}

fn bucket<K: Eq + std::hash::Hash + Clone>(
    cache: &Cache<K, Arc<Bucket>>,
    key: &K,
    (most, seconds_each): (f64, f64),
) -> Arc<Bucket> {
    let make = || {
        Ok::<_, std::convert::Infallible>(Arc::new(Bucket {
            most,
            seconds_each,
            left: Mutex::new((most, Instant::now())),
        }))
    };
    let Ok(bucket) = cache.get_or_insert_with(key, make);
    bucket
}

fn email_hash(email: &str) -> EmailHash {
    Sha256::digest(email.trim().to_lowercase()).into()
}

/// One address of the old kind; of the new kind, the part that one customer of a provider has.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

pub(super) fn too_many(wait: Duration) -> Failure {
    let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
    Failure::rate_limited(
        "too many wrong passwords: wait a moment, or reset the password",
        seconds.saturating_add(1),
    )
}

impl Registry {
    /// Counts a request that costs much and succeeds always, as a wrong password of the address.
    pub(crate) fn count_guess(&self, address: IpAddr) -> Result<(), Failure> {
        let address = bucket(&self.guesses.addresses, &network(address), OF_ADDRESS);
        address.take(Instant::now()).map_err(too_many)
    }

    /// Counts an invitation, which is a mail: of one address as often as it is invited, taken back or not.
    pub(super) fn count_invitation(
        &self,
        tenant: TenantId,
        email: &EmailAddress,
    ) -> Result<(), Failure> {
        let invited = (tenant, email_hash(email.as_str()));
        let invited = bucket(&self.guesses.invited, &invited, OF_INVITED);
        invited.take(Instant::now()).map_err(|wait| {
            let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
            let message = "this address has been invited several times: wait before doing it again";
            Failure::rate_limited(message, seconds.saturating_add(1)).with_field("email")
        })
    }

    /// Counts a guess at an account that is under attack, at all replicas: the next one has to wait twice as long, up to a
    /// minute. Returns how long this one has to, when it comes too early.
    pub(super) async fn reserve_guess(
        &self,
        attempt: &Attempt,
    ) -> Result<Option<Duration>, RegistryError> {
        let row = self
            .connection()
            .await?
            .query_typed_one(
                "with expired as ( \
                   delete from tenantry.guesses where email_hash in ( \
                     select email_hash from tenantry.guesses \
                     where last_at < now() - interval '1 hour' and email_hash <> $1 \
                     order by last_at limit 20 for update skip locked) \
                 ), reserved as ( \
                   insert into tenantry.guesses as g (email_hash, failures, next_at) \
                   values ($1, 1, now() + interval '1 second') \
                   on conflict (email_hash) do update set last_at = now(), \
                     failures = case when g.last_at < now() - interval '15 minutes' then 1 else least(g.failures + 1, 6) end, \
                     next_at = now() + make_interval(secs => \
                       case when g.last_at < now() - interval '15 minutes' then 1 else least(2 ^ g.failures, 60) end) \
                   where g.next_at <= now() returning email_hash \
                 ) \
                 select exists (select from reserved), coalesce(( \
                   select extract(epoch from next_at - now())::float8 from tenantry.guesses where email_hash = $1), 1)",
                &[(&&attempt.email[..], Type::BYTEA)],
            )
            .await?;
        if row.try_get(0)? {
            return Ok(None);
        }
        let wait = Duration::from_secs_f64(row.try_get::<_, f64>(1)?.clamp(0.0, 60.0));
        attempt.block(wait);
        Ok(Some(wait))
    }

    /// Forgets the guesses at an account whose owner has logged in.
    pub(super) async fn forgive_guesses(&self, email: &EmailHash) -> Result<(), RegistryError> {
        self.connection()
            .await?
            .execute_typed(
                "delete from tenantry.guesses where email_hash = $1",
                &[(&&email[..], Type::BYTEA)],
            )
            .await?;
        Ok(())
    }

    /// Whether the account has a session from that address: then it may well be its owner.
    pub(super) async fn is_familiar(
        &self,
        email: &str,
        address: IpAddr,
    ) -> Result<bool, RegistryError> {
        let row = self
            .connection()
            .await?
            .query_typed_one(
                "select exists (select from tenantry.accounts a join tenantry.sessions s on s.account_id = a.id \
                 where lower(a.email) = lower($1) and s.expires_at > now() \
                   and s.address <<= set_masklen($2, case family($2) when 4 then 32 else 64 end))",
                &[(&email.trim(), Type::TEXT), (&address, Type::INET)],
            )
            .await?;
        Ok(row.try_get(0)?)
    }
}
