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
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    pub(crate) const SECRET: &str = "bYjA6lGq0X7vR2nPz4TfWm9sKc1hEu8dQiLo5xJtVaB3";

    fn tokens() -> Tokens {
        let lifetimes = Lifetimes {
            access: Duration::from_hours(1),
            session: Duration::from_hours(24),
        };
        Tokens::new(&JwtSecret::parse(SECRET).unwrap(), lifetimes)
    }

    const TENANT: TenantId = TenantId(Uuid::from_u128(1));
    const USER: UserId = UserId(Uuid::from_u128(2));

    fn session(tenant: Option<TenantId>) -> Session {
        Session {
            id: SessionId(Uuid::from_u128(3)),
            account: USER,
            tenant,
        }
    }

    /// A token with any header and claims, signed as the header says with the right secret.
    fn forge(header: &Header, claims: &serde_json::Value) -> String {
        encode(header, claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
    }

    fn claims(patch: &serde_json::Value) -> serde_json::Value {
        let mut claims = json!({"iss": "tenantry", "sub": USER.0, "tid": TENANT.0, "role": "member", "iat": now(), "exp": now() + 60});
        for (key, value) in patch.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().shift_remove(key);
            } else {
                claims[key] = value.clone();
            }
        }
        claims
    }

    fn refusal(token: &str) -> Code {
        tokens().verify(token, TENANT).expect_err(token).code
    }

    #[test]
    fn a_token_comes_back_as_it_went() {
        let role = Some(MemberRole::Admin);
        let token = tokens().issue(&session(Some(TENANT)), role).unwrap();
        let claim = tokens().verify(token.as_str(), TENANT).unwrap();
        assert_eq!((claim.user, Some(claim.role)), (USER, role));
        assert_eq!(claim.session, Some(session(None).id));
        // From before there were sessions and audiences.
        let old = forge(&Header::default(), &claims(&json!({})));
        assert_eq!(tokens().verify(&old, TENANT).unwrap().session, None);
    }

    #[test]
    fn another_tenants_token_is_forbidden() {
        let other = Some(TenantId(Uuid::from_u128(9)));
        let token = tokens().issue(&session(other), Some(MemberRole::Owner));
        assert_eq!(refusal(token.unwrap().as_str()), Code::Forbidden);
    }

    #[test]
    fn the_base_domain_and_tenants_take_each_their_own() {
        let (account, member) = (
            tokens().issue(&session(None), None).unwrap(),
            tokens()
                .issue(&session(Some(TENANT)), Some(MemberRole::Owner))
                .unwrap(),
        );
        assert_eq!(refusal(account.as_str()), Code::Unauthenticated);
        assert!(tokens().verify_account(member.as_str()).is_err());
        assert_eq!(
            tokens().verify_account(account.as_str()).unwrap(),
            (USER, session(None).id)
        );
        // Whatever else it says, it is the audience that counts.
        for patch in [
            json!({"aud": "account"}),
            json!({"aud": "operator"}),
            json!({"aud": ["tenant"]}),
        ] {
            let token = forge(&Header::default(), &claims(&patch));
            assert_eq!(refusal(&token), Code::Unauthenticated, "{patch}");
        }
    }

    #[test]
    fn the_next_refresh_token_is_always_the_same_and_never_this_one() {
        let first = RefreshToken::random();
        let second = tokens().successor(&first).unwrap();
        assert!(second == tokens().successor(&first).unwrap() && second != first);
        let other = JwtSecret::parse(&SECRET.replace('A', "B")).unwrap();
        let other = Tokens::new(&other, tokens().lifetimes);
        assert!(other.successor(&first).unwrap() != second);
    }

    #[test]
    fn wrong_claims_are_refused() {
        for patch in [
            json!({"exp": now() - 60}),
            json!({"exp": null}),
            json!({"exp": "soon"}),
            json!({"iat": now() + 60}),
            json!({"iat": null}),
            json!({"nbf": now() + 60}),
            json!({"iss": "somebody"}),
            json!({"iss": null}),
            json!({"sub": null}),
            json!({"sub": "ada"}),
            json!({"tid": null}),
            json!({"role": "root"}),
            json!({"role": null}),
        ] {
            assert_eq!(
                refusal(&forge(&Header::default(), &claims(&patch))),
                Code::Unauthenticated,
                "{patch}"
            );
        }
    }

    #[test]
    fn only_hs256_and_only_our_key() {
        for algorithm in [Algorithm::HS384, Algorithm::HS512] {
            assert_eq!(
                refusal(&forge(&Header::new(algorithm), &claims(&json!({})))),
                Code::Unauthenticated
            );
        }
        let other = EncodingKey::from_secret(&[7; 32]);
        assert_eq!(
            refusal(&encode(&Header::default(), &claims(&json!({})), &other).unwrap()),
            Code::Unauthenticated
        );
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        for alg in ["none", "None", "NONE", "nOnE"] {
            let unsigned = format!(
                "{}.{}.",
                part(&json!({"alg": alg, "typ": "JWT"})),
                part(&claims(&json!({})))
            );
            assert_eq!(refusal(&unsigned), Code::Unauthenticated);
        }
    }

    #[test]
    fn a_token_that_was_good_expires() {
        let tokens = tokens();
        let patch = json!({"exp": now() - LEEWAY + 1});
        let token = forge(&Header::default(), &claims(&patch));
        assert!(tokens.verify(&token, TENANT).is_ok());
        std::thread::sleep(Duration::from_millis(2_100));
        let refused = tokens.verify(&token, TENANT).unwrap_err();
        assert!(refused.message.contains("expired"), "{}", refused.message);
    }

    #[test]
    fn every_tampered_byte_is_noticed() {
        let tokens = tokens();
        let token = tokens
            .issue(&session(Some(TENANT)), Some(MemberRole::Viewer))
            .unwrap()
            .0;
        tokens.verify(&token, TENANT).unwrap(); // from here on it is remembered
        let refusal = |token: &str| tokens.verify(token, TENANT).expect_err(token).code;
        let end = token.len() - 1; // the last character holds two unused bits
        for place in 0..end {
            let mut bytes = token.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            assert_eq!(
                refusal(&String::from_utf8(bytes).unwrap()),
                Code::Unauthenticated,
                "byte {place}"
            );
        }
        for bad in [
            "",
            ".",
            "..",
            "a.b.c",
            "ä.ö.ü",
            &token[..end],
            &format!("{token}.x"),
            &"x".repeat(10_000),
        ] {
            assert_eq!(refusal(bad), Code::Unauthenticated, "{bad}");
        }
    }
}
