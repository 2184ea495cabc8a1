//! Tokens from elsewhere: JSON Web Tokens that other issuers signed, checked by the keys that they publish.

mod claims;
mod config;
mod fetch;
mod jwks;
mod keys;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::error::Failure;
use crate::names::MemberRole;
use config::IssuerConfig as Config;
use fetch::Fetcher;
use jwks::NoKey;
use keys::{Keys, Missing, Source};

pub(crate) use claims::ClaimPath;
pub(crate) use config::{ClaimPaths, ConfigError, IssuerConfig};

/// How far an issuer's clock may be from ours, in seconds.
const LEEWAY: u64 = 30;

/// For how long a signature that was good is not checked again: a key that its issuer took back is
/// good for no longer than that, once we know of it.
const CHECKED_FOR: Duration = Duration::from_mins(1);

/// Bytes for tokens that were checked.
const CACHE: u64 = 8 << 20;

/// The longest token; those with many groups have a few kilobytes.
const LONGEST: usize = 16 << 10;

/// Signatures that only the holder of a private key can make. A secret that both sides know is not among
/// them, so that nobody passes a public key off as one.
const ACCEPTED: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// The issuers that are trusted beside the service itself.
pub(crate) struct Issuers {
    trusted: Vec<Issuer>,
    seen: Cache<Box<str>, Checked, Bytes>,
}

struct Issuer {
    config: Config,
    keys: Keys,
}

/// What a token says, once it is known to be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) issuer: Arc<str>,
    pub(crate) subject: String,
    pub(crate) email: Option<String>,
    /// Whether the issuer has made sure that the address is the user's.
    pub(crate) email_verified: bool,
    pub(crate) name: Option<String>,
    pub(crate) tenants: Tenants,
    pub(crate) role: Option<MemberRole>,
    expires: u64,
}

/// For which tenants a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tenants {
    /// Its issuer knows nothing of tenants.
    Unnamed,
    /// Ids or subdomains; at least one.
    Named(Vec<String>),
}

#[derive(Clone)]
struct Checked {
    verified: Arc<Bearer>,
    at: Instant,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Box<str>, Checked> for Bytes {
    fn weight(&self, token: &Box<str>, _: &Checked) -> u64 {
        // What is read from a token is never much longer than the token.
        2 * token.len() as u64 + 300
    }
}

/// Why there are no issuers.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("cannot make an HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

impl Issuers {
    /// Starts to ask the issuers for their keys. `own` is the name by which the service itself signs.
    pub(crate) fn start(configs: Vec<Config>, own: &str) -> Result<Self, StartError> {
        let mut issuers: Vec<Issuer> = Vec::with_capacity(configs.len());
        // Root certificates are read for this, which takes a moment.
        let fetcher = if configs.is_empty() {
            None
        } else {
            Some(Fetcher::new()?)
        };
        for (config, fetcher) in configs.into_iter().zip(fetcher.iter().cycle()) {
            config.check()?;
            if config.issuer == own {
                return Err(ConfigError::Own(config.issuer).into());
            }
            if issuers.iter().any(|one| one.config.issuer == config.issuer) {
                return Err(ConfigError::Twice(config.issuer).into());
            }
            let source = Source::new(&config.issuer, config.jwks_url.as_deref())?;
            let keys = Keys::start(fetcher.clone(), source);
            issuers.push(Issuer { config, keys });
        }
        Ok(Self {
            trusted: issuers,
            seen: Cache::with_weighter(1000, CACHE, Bytes),
        })
    }

    /// Checks a token of one of the issuers; none when it is not one of theirs.
    ///
    /// Whose it is, its `iss` alone decides, before any key is tried.
    pub(crate) async fn verify(&self, token: &str) -> Result<Option<Arc<Bearer>>, Failure> {
        if self.trusted.is_empty() || token.len() > LONGEST {
            return Ok(None);
        }
        if let Some(known) = self.seen.get(token)
            && known.at.elapsed() < CHECKED_FOR
        {
            if known.verified.expires.saturating_add(LEEWAY) < now() {
                return Err(expired());
            }
            return Ok(Some(known.verified));
        }
        let Some(issuer) = issuer_of(token).and_then(|name| self.find(&name)) else {
            return Ok(None);
        };
        let verified = Arc::new(issuer.verify(token).await?);
        let checked = Checked {
            verified: Arc::clone(&verified),
            at: Instant::now(),
        };
        self.seen.insert(token.into(), checked);
        Ok(Some(verified))
    }

    fn find(&self, name: &str) -> Option<&Issuer> {
        self.trusted
            .iter()
            .find(|issuer| issuer.config.issuer == name)
    }
}

impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.trusted.iter().map(|issuer| &issuer.config.issuer);
        f.debug_list().entries(names).finish()
    }
}

/// What a token says of its issuer, which may be a lie.
fn issuer_of(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Iss {
        iss: String,
    }
    let claims = jsonwebtoken::dangerous::insecure_decode_claims::<Iss>(token);
    Some(claims.ok()?.iss)
}

impl Issuer {
    async fn verify(&self, token: &str) -> Result<Bearer, Failure> {
        let refused = |message| Err(Failure::unauthenticated(message));
        let Ok(header) = decode_header(token) else {
            return refused("the token names no algorithm that is accepted");
        };
        if !ACCEPTED.contains(&header.alg) {
            return refused(
                "the token is signed by an algorithm that is not accepted of its issuer",
            );
        }
        // Extensions that have to be understood, and none is (RFC 7515, §4.1.11).
        if header.crit.is_some() {
            return refused("the token has a critical header that is not known here");
        }
        let key = self.keys.find(header.kid.as_deref(), header.alg).await;
        let key = key.map_err(missing)?;
        let mut rules = Validation::new(header.alg);
        rules.set_issuer(&[&self.config.issuer]);
        rules.set_required_spec_claims(&["iss", "exp"]);
        rules.leeway = LEEWAY;
        rules.validate_nbf = true;
        rules.validate_aud = false; // it may stand elsewhere: see below
        let data = decode::<Map<String, Value>>(token, &key, &rules);
        let claims = data.map_err(|error| invalid(&error))?.claims;
        self.read(&claims)
    }

    /// What the claims say, once the signature and the times are good.
    fn read(&self, claims: &Map<String, Value>) -> Result<Bearer, Failure> {
        let Config {
            claims: paths,
            audience,
            ..
        } = &self.config;
        let number = |name| claims.get(name).and_then(Value::as_f64);
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
        let latest = now().saturating_add(LEEWAY) as f64;
        if number("iat").is_some_and(|issued| issued > latest) {
            return Err(Failure::unauthenticated("the token is not valid yet"));
        }
        let audiences = paths.audience.texts(claims);
        if !audiences.iter().any(|one| audience.contains(one)) {
            let message = "the token is for another audience";
            return Err(Failure::unauthenticated(message));
        }
        let fits = |subject: &String| subject.len() <= 500 && !subject.contains('\0');
        let subject = paths.user.text(claims).filter(fits);
        let subject = subject.ok_or_else(|| lacks(&paths.user))?;
        let tenants = match &paths.tenant {
            None => Tenants::Unnamed,
            Some(path) => match path.texts(claims) {
                none if none.is_empty() => return Err(lacks(path)),
                some => Tenants::Named(some),
            },
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it saturates"
        )]
        let expires = number("exp").unwrap_or_default() as u64;
        Ok(Bearer {
            issuer: self.config.issuer.as_str().into(),
            subject,
            email: paths.email.text(claims),
            email_verified: self.config.trust_email || paths.email_verified.is_true(claims),
            name: paths.name.text(claims),
            tenants,
            role: self.role(claims),
            expires,
        })
    }

    /// The highest of the roles that are known.
    fn role(&self, claims: &Map<String, Value>) -> Option<MemberRole> {
        let path = self.config.claims.role.as_ref()?;
        let ours = |name: &String| {
            if self.config.roles.is_empty() {
                name.parse().ok()
            } else {
                self.config.roles.get(name).copied()
            }
        };
        let known = path.texts(claims).iter().filter_map(ours).max();
        known.or(self.config.default_role)
    }
}

fn missing(missing: Missing) -> Failure {
    let message = match missing {
        // Nobody knows whether the token is good, so its owner is not sent away for good.
        Missing::All => return Failure::overloaded(5).with_log("an issuer has never been reached"),
        Missing::Key(NoKey::Unknown) => {
            "the token is signed with a key that its issuer does not have"
        }
        Missing::Key(NoKey::OfAnotherKind) => {
            "the token is signed by an algorithm that its key is not for"
        }
        Missing::Key(NoKey::Ambiguous) => "the token does not say which key it is signed with",
    };
    Failure::unauthenticated(message)
}

fn invalid(error: &jsonwebtoken::errors::Error) -> Failure {
    let message = match error.kind() {
        ErrorKind::ExpiredSignature => return expired(),
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidSignature => "the token's signature is wrong",
        ErrorKind::MissingRequiredClaim(_) => "the token lacks the claim exp",
        _ => "the token is not valid",
    };
    Failure::unauthenticated(message)
}

fn expired() -> Failure {
    Failure::unauthenticated("the token has expired")
}

fn lacks(path: &ClaimPath) -> Failure {
    Failure::unauthenticated(format!("the token lacks the claim {}", path.as_str()))
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
