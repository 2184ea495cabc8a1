//! Tokens as the service makes them, and as it never would.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

/// What signs tokens.
pub(crate) struct Secret(pub(crate) String);

/// What a token says.
#[derive(Clone)]
pub(crate) struct Claims(pub(crate) Value);

impl Claims {
    /// Those of a token that the service gave out.
    pub(crate) fn of(token: &str) -> Self {
        let payload = token.split('.').nth(1).unwrap();
        let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
        Self(serde_json::from_slice(&payload).unwrap())
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0[name] = value.into();
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.as_object_mut().unwrap().remove(name);
        self
    }

    pub(crate) fn sign(&self, secret: &Secret) -> String {
        self.sign_with(Algorithm::HS256, secret)
    }

    pub(crate) fn sign_with(&self, algorithm: Algorithm, secret: &Secret) -> String {
        let key = EncodingKey::from_secret(secret.0.as_bytes());
        encode(&Header::new(algorithm), &self.0, &key).unwrap()
    }

    /// Without a signature, which the header admits.
    pub(crate) fn unsigned(&self, algorithm: &str) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": algorithm, "typ": "JWT"});
        format!("{}.{}.", part(&header), part(&self.0))
    }
}

/// Seconds since 1970, shifted.
pub(crate) fn from_now(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + seconds
}
