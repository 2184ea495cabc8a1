//! Access tokens: JSON Web Tokens, signed with HS256 and nothing else, each good at one place for a short time.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::Claim;
use super::refresh::RefreshToken;
use super::secret::JwtSecret;
use super::verified::Verified;
use crate::error::{Code, Failure};
use crate::names::{MemberRole, SessionId, TenantId, UserId};
use crate::registry::Session;

/// By this name the service signs.
pub(crate) const ISSUER: &str = "tenantry";

/// How far the clocks of two replicas may be apart, in seconds.
const LEEWAY: u64 = 5;

/// A signed token, as it goes to the client.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct AccessToken(String);

impl AccessToken {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

/// Where a token is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Audience {
    /// At one tenant's hosts.
    Tenant,
    /// At the base domain, for whoever has an account.
    Account,
}

/// What a token says, in the order of RFC 7519. The names are documented in the README.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    /// None in tokens from before there were several audiences: they were all for tenants.
    aud: Option<Audience>,
    sub: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    tid: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<MemberRole>,
    /// The session; none in tokens from before there were sessions.
    sid: Option<Uuid>,
    iat: u64,
    exp: u64,
}

/// For how long what is given out is good.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetimes {
    pub(crate) access: Duration,
    /// Of a session that is not refreshed.
    pub(crate) session: Duration,
}

/// Signs tokens and reads them.
pub(crate) struct Tokens {
    signing: EncodingKey,
    checking: DecodingKey,
    rules: Validation,
    lifetimes: Lifetimes,
    verified: Verified<Arc<Claims>>,
}

impl Tokens {
    pub(crate) fn new(secret: &JwtSecret, lifetimes: Lifetimes) -> Self {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_issuer(&[ISSUER]);
        rules.set_required_spec_claims(&["iss", "sub", "exp"]);
        rules.leeway = LEEWAY;
        rules.validate_nbf = true;
        rules.validate_aud = false; // our own type does
        Self {
            signing: EncodingKey::from_secret(secret.0.as_bytes()),
            checking: DecodingKey::from_secret(secret.0.as_bytes()),
            rules,
            lifetimes,
            verified: Verified::default(),
        }
    }

    pub(super) fn lifetimes(&self) -> Lifetimes {
        self.lifetimes
    }

    /// A token for the place that the session belongs to.
    pub(super) fn issue(
        &self,
        session: &Session,
        role: Option<MemberRole>,
    ) -> Result<AccessToken, Failure> {
        let iat = now();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: Some(match session.tenant {
                Some(_) => Audience::Tenant,
                None => Audience::Account,
            }),
            sub: session.account.0,
            tid: session.tenant.map(|tenant| tenant.0),
            role,
            sid: Some(session.id.0),
            iat,
            exp: iat.saturating_add(self.lifetimes.access.as_secs()),
        };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.signing);
        token.map(AccessToken).map_err(Failure::internal)
    }

    /// The refresh token that follows this one, always the same. No JSON Web Token begins like what is signed here.
    pub(super) fn successor(&self, token: &RefreshToken) -> Result<RefreshToken, Failure> {
        let message = [b"refresh\0", &token.bytes()[..]].concat();
        let signature = sign(&message, &self.signing, Algorithm::HS256);
        let secret = URL_SAFE_NO_PAD.decode(signature.map_err(Failure::internal)?);
        let secret = secret.ok().and_then(|secret| secret.try_into().ok());
        let secret = secret.ok_or_else(|| Failure::internal("HMAC-SHA256 has 32 bytes"))?;
        Ok(token.successor(secret))
    }

    /// Reads a token that came to a tenant's host. Refused there when it was made for another tenant.
    pub(super) fn verify(&self, token: &str, tenant: TenantId) -> Result<Claim, Failure> {
        let claims = self.decode(token)?;
        let (Some(tid), Some(role), Some(Audience::Tenant) | None) =
            (claims.tid, claims.role, claims.aud)
        else {
            return Err(not_valid());
        };
        if tid != tenant.0 {
            return Err(Failure::new(
                Code::Forbidden,
                "the access token belongs to another tenant",
            ));
        }
        Ok(Claim {
            user: UserId(claims.sub),
            role,
            session: claims.sid.map(SessionId),
            issued_at: claims.iat,
        })
    }

    /// Reads a token that came to the base domain.
    pub(super) fn verify_account(&self, token: &str) -> Result<(UserId, SessionId), Failure> {
        let claims = self.decode(token)?;
        match (claims.aud, claims.sid) {
            (Some(Audience::Account), Some(session)) => {
                Ok((UserId(claims.sub), SessionId(session)))
            }
            _ => Err(not_valid()),
        }
    }

    fn decode(&self, token: &str) -> Result<Arc<Claims>, Failure> {
        let claims = if let Some(claims) = self.verified.get(token) {
            claims
        } else {
            let claims = Arc::new(self.check(token)?);
            self.verified.put(token, Arc::clone(&claims));
            claims
        };
        // What time changes is asked each time.
        let now = now();
        if claims.exp < now.saturating_sub(LEEWAY) {
            return Err(expired());
        }
        if claims.iat > now.saturating_add(LEEWAY) {
            return Err(Failure::unauthenticated(
                "the access token is not valid yet",
            ));
        }
        Ok(claims)
    }

    /// Checks the signature and what stands beside it.
    fn check(&self, token: &str) -> Result<Claims, Failure> {
        match decode::<Claims>(token, &self.checking, &self.rules) {
            Ok(token) => Ok(token.claims),
            Err(error) => Err(match error.kind() {
                ErrorKind::ExpiredSignature => expired(),
                _ => not_valid().with_log(error),
            }),
        }
    }
}

fn expired() -> Failure {
    Failure::unauthenticated("the access token has expired: refresh the session, or log in again")
}

fn not_valid() -> Failure {
    Failure::unauthenticated("the access token is not valid")
}

/// The tenant that a token says it is for, which may be a lie.
pub(super) fn tenant_of(token: &str) -> Option<TenantId> {
    #[derive(Deserialize)]
    struct Tid {
        tid: Uuid,
    }
    let claims = jsonwebtoken::dangerous::insecure_decode_claims::<Tid>(token);
    Some(TenantId(claims.ok()?.tid))
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
pub(crate) mod tests;
