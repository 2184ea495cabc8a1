//! An issuer's public keys, as a JSON Web Key Set has them (RFC 7517), and which of them may check what.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// The most keys of one issuer; who has more is mistaken for one.
const MOST_KEYS: usize = 100;

/// Shorter RSA keys can be broken (RFC 7518, §3.3), and longer ones cost too much.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

const RSA: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// The keys that can be used here.
#[derive(Default)]
pub(super) struct KeySet {
    usable: Vec<Key>,
}

/// A key, and the algorithms that it is for: the kind of key decides, never the token.
struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    verifying: DecodingKey,
}

/// Why a token's key is not among those of its issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    Unknown,
    /// There is one of that name, for other algorithms.
    OfAnotherKind,
    /// The token names no key, and more than one would do.
    Ambiguous,
}

/// As it is sent. Keys are read one by one, so that a strange one spoils nothing.
#[derive(Deserialize)]
pub(super) struct JwksDocument {
    keys: Vec<Value>,
}

impl KeySet {
    pub(super) fn read(document: JwksDocument) -> Self {
        let keys = document.keys.into_iter().take(MOST_KEYS);
        Self {
            usable: keys.filter_map(read).collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.usable.is_empty()
    }

    /// The key that a token names by `kid`; without a name, the only one that it may be.
    pub(super) fn find(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<&DecodingKey, NoKey> {
        let named = |key: &&Key| id.is_none() || key.id.as_deref() == id;
        let mut named = self.usable.iter().filter(named).peekable();
        if named.peek().is_none() {
            return Err(NoKey::Unknown);
        }
        let mut fitting = named.filter(|key| key.algorithms.contains(&algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(&key.verifying),
            (Some(_), Some(_)) => Err(NoKey::Ambiguous),
            (None, _) => Err(NoKey::OfAnotherKind),
        }
    }
}

fn read(value: Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let common = &jwk.common;
    let checks = |operations: &Vec<KeyOperations>| operations.contains(&KeyOperations::Verify);
    let for_signatures =
        !matches!(&common.public_key_use, Some(kind) if *kind != PublicKeyUse::Signature);
    if !for_signatures || !common.key_operations.as_ref().is_none_or(checks) {
        return None;
    }
    let mut algorithms = match &jwk.algorithm {
        AlgorithmParameters::RSA(rsa) => {
            let modulus = URL_SAFE_NO_PAD.decode(&rsa.n).ok()?;
            let length = modulus.iter().skip_while(|byte| **byte == 0).count();
            RSA_BYTES.contains(&length).then(|| RSA.to_vec())?
        }
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => vec![Algorithm::ES256],
            EllipticCurve::P384 => vec![Algorithm::ES384],
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            vec![Algorithm::EdDSA]
        }
        // A secret is no public key: whoever reads it here could sign with it.
        _ => return None,
    };
    if let Some(only) = common.key_algorithm {
        algorithms.retain(|algorithm| is(only, *algorithm));
    }
    Some(Key {
        id: common.key_id.clone(),
        verifying: DecodingKey::from_jwk(&jwk).ok()?,
        algorithms,
    })
}

/// `EdDSA` may be called by its curve, too (RFC 9864).
fn is(named: KeyAlgorithm, algorithm: Algorithm) -> bool {
    named.to_string() == format!("{algorithm:?}")
        || (algorithm == Algorithm::EdDSA && named.to_string() == "Ed25519")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(keys: &Value) -> KeySet {
        KeySet::read(serde_json::from_value(json!({ "keys": keys })).unwrap())
    }

    /// Any point will do: nothing is checked with it here.
    fn ec(id: &str, more: &Value) -> Value {
        let mut key = json!({"kty": "EC", "crv": "P-256", "kid": id,
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"});
        let more = more.as_object().unwrap().clone();
        key.as_object_mut().unwrap().extend(more);
        key
    }

    #[test]
    fn the_kind_of_key_decides_what_it_checks() {
        let rsa = |bytes: usize| URL_SAFE_NO_PAD.encode(vec![0xff; bytes]);
        let keys = set(&json!([
            ec("ec", &json!({})),
            {"kty": "RSA", "kid": "rsa", "n": rsa(256), "e": "AQAB", "alg": "RS256"},
            {"kty": "RSA", "kid": "short", "n": rsa(128), "e": "AQAB"},
            {"kty": "RSA", "kid": "huge", "n": rsa(1024), "e": "AQAB"},
            {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"},
            {"kty": "new", "kid": "strange"},
            "rubbish",
            ec("encrypts", &json!({"use": "enc"})),
            ec("signs", &json!({"key_ops": ["sign"]})),
            ec("twice", &json!({})),
            ec("twice", &json!({})),
        ]));
        let found = |id, algorithm| keys.find(Some(id), algorithm).map(drop);
        assert_eq!(found("ec", Algorithm::ES256), Ok(()));
        assert_eq!(found("rsa", Algorithm::RS256), Ok(()));
        for (id, algorithm, expected) in [
            ("ec", Algorithm::ES384, NoKey::OfAnotherKind),
            ("ec", Algorithm::RS256, NoKey::OfAnotherKind),
            ("ec", Algorithm::HS256, NoKey::OfAnotherKind),
            ("rsa", Algorithm::HS256, NoKey::OfAnotherKind),
            ("rsa", Algorithm::PS256, NoKey::OfAnotherKind),
            ("rsa", Algorithm::ES256, NoKey::OfAnotherKind),
            ("short", Algorithm::RS256, NoKey::Unknown),
            ("huge", Algorithm::RS256, NoKey::Unknown),
            ("secret", Algorithm::HS256, NoKey::Unknown),
            ("strange", Algorithm::RS256, NoKey::Unknown),
            ("encrypts", Algorithm::ES256, NoKey::Unknown),
            ("signs", Algorithm::ES256, NoKey::Unknown),
            ("twice", Algorithm::ES256, NoKey::Ambiguous),
            ("nobody", Algorithm::ES256, NoKey::Unknown),
        ] {
            assert_eq!(found(id, algorithm), Err(expected), "{id} {algorithm:?}");
        }
        assert!(keys.find(None, Algorithm::RS256).is_ok(), "the only one");
        assert_eq!(
            keys.find(None, Algorithm::ES256).map(drop),
            Err(NoKey::Ambiguous)
        );
    }
}
