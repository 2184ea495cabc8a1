//! Refresh tokens: random bits that only their hashes are kept of, each good for one use.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::registry::TokenHashes;

/// By which people and scanners for leaked secrets know what it is.
const PREFIX: &str = "tnr_";

/// What goes to the client: the session's family, which stays the same, and a secret that changes with every use.
///
/// The family says of an old token that it was one once: so its use is noticed, without a list of old tokens.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RefreshToken {
    family: [u8; 16],
    secret: [u8; 32],
}

impl RefreshToken {
    pub(super) fn random() -> Self {
        Self {
            family: rand::random(),
            secret: rand::random(),
        }
    }

    /// The same session's next token. What it is made of decides it, so that two tabs that refresh in the same moment
    /// get the same one; without the key nobody can tell.
    pub(super) fn successor(&self, secret: [u8; 32]) -> Self {
        Self {
            family: self.family,
            secret,
        }
    }

    /// None for what never was a token.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (family, secret) = bytes.split_first_chunk()?;
        Some(Self {
            family: *family,
            secret: secret.try_into().ok()?,
        })
    }

    fn to_text(&self) -> String {
        PREFIX.to_owned() + &URL_SAFE_NO_PAD.encode(self.bytes())
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        [&self.family[..], &self.secret[..]].concat()
    }

    pub(super) fn hashes(&self) -> TokenHashes {
        TokenHashes::of(&self.family, &self.bytes())
    }
}

/// A refresh token as it goes to the client.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RefreshText(String);

impl RefreshText {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<RefreshToken> for RefreshText {
    fn from(token: RefreshToken) -> Self {
        Self(token.to_text())
    }
}

impl fmt::Debug for RefreshText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshText(…)")
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_as_they_went_and_nothing_else_does() {
        let token = RefreshToken::random();
        let text = token.to_text();
        assert!(RefreshToken::parse(&text).is_some_and(|parsed| parsed == token));
        assert_eq!(text.len(), 68);
        assert_eq!(format!("{token:?}"), "RefreshToken(…)");
        for bad in [
            "",
            "tnr_",
            "tnr_AAAA",
            &text[4..],
            &text[..67],
            &format!("{text}A"),
            "tnr_ä",
        ] {
            assert!(RefreshToken::parse(bad).is_none(), "{bad}");
        }
    }
}
