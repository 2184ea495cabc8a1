//! Access tokens: JSON Web Tokens, signed with HS256 and nothing else, each good for one tenant.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::Claim;
use crate::error::{Code, Failure};
use crate::names::{MemberRole, SessionId, TenantId, UserId};

/// By this name the service signs.
pub(crate) const ISSUER: &str = "tenantry";

/// How far the clocks of two replicas may be apart, in seconds.
const LEEWAY: u64 = 5;

/// The secret that tokens are signed with: at least 32 bytes that nobody guesses.
#[derive(Clone)]
pub(crate) struct JwtSecret(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WeakSecret {
    #[error("the secret is shorter than 32 bytes: make one with `openssl rand -base64 48`")]
    Short,
    #[error("the secret is easy to guess: make one with `openssl rand -base64 48`")]
    Guessable,
}

/// Words that stand in examples and never in a real secret.
const PLACEHOLDERS: &str = "
    secret changeme change-me change_me password example placeholder default insecure your- yoursecret
    mysecret jwt tenantry test dev demo key
";

impl JwtSecret {
    pub(crate) fn parse(text: &str) -> Result<Self, WeakSecret> {
        let text = text.trim();
        if text.len() < 32 {
            return Err(WeakSecret::Short);
        }
        let mut bytes: Vec<u8> = text.bytes().collect();
        bytes.sort_unstable();
        bytes.dedup();
        // What is left without the words of examples has to be long enough by itself.
        let rest = PLACEHOLDERS
            .split_ascii_whitespace()
            .fold(text.to_lowercase(), |rest, word| rest.replace(word, ""));
        if bytes.len() < 8 || rest.len() < 24 || is_sequence(text) {
            return Err(WeakSecret::Guessable);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for JwtSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JwtSecret(…)")
    }
}

/// Whether the text repeats a short piece or counts up: `0123456789abcdef0123…`, `abcdefgh…`.
fn is_sequence(text: &str) -> bool {
    let bytes = text.as_bytes();
    let repeats = (1..=bytes.len() / 2).any(|n| bytes.iter().zip(&bytes[n..]).all(|(a, b)| a == b));
    let steps = bytes
        .windows(2)
        .filter(|pair| pair[0].wrapping_add(1) == pair[1])
        .count();
    repeats || steps * 4 > bytes.len() * 3
}

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

/// What a token says, in the order of RFC 7519.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: Uuid,
    tid: Uuid,
    role: MemberRole,
    /// The session; tokens of before there were sessions have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<Uuid>,
    iat: u64,
    exp: u64,
}

/// Signs tokens and reads them.
pub(crate) struct Tokens {
    signing: EncodingKey,
    checking: DecodingKey,
    rules: Validation,
    lifetime: Duration,
}

impl Tokens {
    pub(crate) fn new(secret: &JwtSecret, lifetime: Duration) -> Self {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_issuer(&[ISSUER]);
        rules.set_required_spec_claims(&["iss", "sub", "exp"]);
        rules.leeway = LEEWAY;
        rules.validate_nbf = true;
        Self {
            signing: EncodingKey::from_secret(secret.0.as_bytes()),
            checking: DecodingKey::from_secret(secret.0.as_bytes()),
            rules,
            lifetime,
        }
    }

    pub(super) fn issue(
        &self,
        tenant: TenantId,
        user: UserId,
        role: MemberRole,
    ) -> Result<AccessToken, Failure> {
        let iat = now();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: user.0,
            tid: tenant.0,
            role,
            sid: None,
            iat,
            exp: iat.saturating_add(self.lifetime.as_secs()),
        };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.signing);
        token.map(AccessToken).map_err(Failure::internal)
    }

    /// Reads a token that came to a tenant's host. Refused there when it was made for another tenant.
    pub(super) fn verify(&self, token: &str, tenant: TenantId) -> Result<Claim, Failure> {
        let claims = decode::<Claims>(token, &self.checking, &self.rules)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => {
                    Failure::unauthenticated("the access token has expired: log in again")
                }
                _ => Failure::unauthenticated("the access token is not valid").with_log(error),
            })?
            .claims;
        if claims.iat > now().saturating_add(LEEWAY) {
            return Err(Failure::unauthenticated(
                "the access token is not valid yet",
            ));
        }
        if claims.tid != tenant.0 {
            return Err(Failure::new(
                Code::Forbidden,
                "the access token belongs to another tenant",
            ));
        }
        Ok(Claim {
            user: UserId(claims.sub),
            role: claims.role,
            session: claims.sid.map(SessionId),
            issued_at: claims.iat,
        })
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    pub(crate) const SECRET: &str = "bYjA6lGq0X7vR2nPz4TfWm9sKc1hEu8dQiLo5xJtVaB3";

    fn tokens() -> Tokens {
        Tokens::new(&JwtSecret::parse(SECRET).unwrap(), Duration::from_hours(1))
    }

    const TENANT: TenantId = TenantId(Uuid::from_u128(1));
    const USER: UserId = UserId(Uuid::from_u128(2));

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
        let token = tokens().issue(TENANT, USER, MemberRole::Admin).unwrap();
        let claim = tokens().verify(token.as_str(), TENANT).unwrap();
        assert_eq!((claim.user, claim.role), (USER, MemberRole::Admin));
        assert!(
            tokens()
                .verify(&forge(&Header::default(), &claims(&json!({}))), TENANT)
                .is_ok()
        );
    }

    #[test]
    fn another_tenants_token_is_forbidden() {
        let token = tokens()
            .issue(TenantId(Uuid::from_u128(9)), USER, MemberRole::Owner)
            .unwrap();
        assert_eq!(refusal(token.as_str()), Code::Forbidden);
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
    fn every_tampered_byte_is_noticed() {
        let token = tokens().issue(TENANT, USER, MemberRole::Viewer).unwrap().0;
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

    #[test]
    fn weak_secrets_are_refused() {
        assert!(JwtSecret::parse(SECRET).is_ok());
        assert!(JwtSecret::parse("6f1ed002ab5595859014ebf0951522d9").is_ok());
        for short in [
            "",
            "secret",
            "x".repeat(31).as_str(),
            &format!("{}{}", "   ", "a1".repeat(15)),
        ] {
            assert_eq!(JwtSecret::parse(short).unwrap_err(), WeakSecret::Short);
        }
        for guessable in [
            "x".repeat(64).as_str(),
            "abababababababababababababababababab",
            "0123456789abcdef0123456789abcdef",
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "secretsecretsecretsecretsecretsecret",
            "change-me-change-me-change-me-change-me",
            "your-super-secret-jwt-key-change-me-in-production",
        ] {
            assert_eq!(
                JwtSecret::parse(guessable).unwrap_err(),
                WeakSecret::Guessable,
                "{guessable}"
            );
        }
    }
}
