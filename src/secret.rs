//! Random secrets that are given out once, and of which only hashes are kept: one-time tokens, API keys.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A prefix, by which people and scanners for leaked secrets know what it is, and 256 random bits.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn random(prefix: &str) -> Self {
        let bits: [u8; 32] = rand::random();
        Self(prefix.to_owned() + &URL_SAFE_NO_PAD.encode(bits))
    }

    /// One that somebody has sent.
    pub(crate) fn received(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// SHA-256, which is enough for random bits: nobody guesses them.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_do_not_show() {
        let (one, other) = (Secret::random("tk_"), Secret::random("tk_"));
        assert_ne!(one.hash(), other.hash());
        assert!(one.as_str().starts_with("tk_") && one.as_str().len() == 46);
        assert_eq!(
            Secret::received(&format!(" {}\n", one.as_str())).hash(),
            one.hash()
        );
        assert_eq!(format!("{one:?}"), "Secret(…)");
    }
}
