//! The secret that tokens are signed with, and which ones are too weak for that.

use std::fmt;

/// The secret that tokens are signed with: at least 32 bytes that nobody guesses.
#[derive(Clone)]
pub(crate) struct JwtSecret(pub(super) String);

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

#[cfg(test)]
mod tests {
    use super::super::token::tests::SECRET;
    use super::*;

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
