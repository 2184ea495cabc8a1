//! Where claims stand in a token: by a plain name, a nested path, or a name that is a URL.

use serde::Deserialize;
use serde_json::{Map, Value};

/// `sub`, `app_metadata.tenant`, `https://example.com/tenant`.
///
/// A name may hold dots itself, so a claim of the whole name comes before a way through objects.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct ClaimPath(String);

/// A name that leads to no claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a claim is named like sub, app_metadata.tenant or https://example.com/tenant, in 1 to 200 characters"
)]
pub(crate) struct ClaimPathError;

impl TryFrom<String> for ClaimPath {
    type Error = ClaimPathError;

    fn try_from(text: String) -> Result<Self, ClaimPathError> {
        let plain = |c: char| !c.is_whitespace() && !c.is_control();
        if (1..=200).contains(&text.len()) && text.chars().all(plain) {
            Ok(Self(text))
        } else {
            Err(ClaimPathError)
        }
    }
}

impl std::str::FromStr for ClaimPath {
    type Err = ClaimPathError;

    fn from_str(text: &str) -> Result<Self, ClaimPathError> {
        Self::try_from(text.to_owned())
    }
}

impl ClaimPath {
    /// One of the names of RFC 7519 or `OpenID` Connect.
    pub(super) fn standard(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// A text, or a number as text; none for what is missing, empty or something else.
    pub(super) fn text(&self, claims: &Map<String, Value>) -> Option<String> {
        plain(find(claims, &self.0)?)
    }

    /// One text, or those of a list.
    pub(super) fn texts(&self, claims: &Map<String, Value>) -> Vec<String> {
        match find(claims, &self.0) {
            Some(Value::Array(items)) => items.iter().filter_map(plain).collect(),
            Some(value) => plain(value).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// Whether it is true; some issuers write it as a text.
    pub(super) fn is_true(&self, claims: &Map<String, Value>) -> bool {
        match find(claims, &self.0) {
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) => text == "true",
            _ => false,
        }
    }
}

fn find<'c>(claims: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    path.match_indices('.').find_map(|(dot, _)| {
        let inner = claims.get(&path[..dot])?.as_object()?;
        find(inner, &path[dot + 1..])
    })
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn claims_are_found_wherever_they_stand() {
        let claims = json!({
            "sub": "auth0|1",
            "number": 7,
            "empty": "",
            "app_metadata": {"tenant": "acme", "roles": ["a", 1, null, ""], "a.b": {"c": "deep"}},
            "https://example.com/tenant": "globex",
            "https://example.com/app": {"tenant": "initech"},
            "dotted.name": "whole",
            "dotted": {"name": "nested"},
            "verified": true,
            "verified_text": "true",
        });
        let claims = claims.as_object().unwrap();
        for (path, expected) in [
            ("sub", Some("auth0|1")),
            ("number", Some("7")),
            ("app_metadata.tenant", Some("acme")),
            ("app_metadata.a.b.c", Some("deep")),
            ("https://example.com/tenant", Some("globex")),
            ("https://example.com/app.tenant", Some("initech")),
            ("dotted.name", Some("whole")),
            ("empty", None),
            ("app_metadata", None),
            ("app_metadata.roles", None),
            ("app_metadata.tenant.more", None),
            ("missing", None),
            (".", None),
            ("verified", None),
        ] {
            let path: ClaimPath = path.parse().unwrap();
            assert_eq!(path.text(claims).as_deref(), expected, "{path:?}");
        }
        let roles: ClaimPath = "app_metadata.roles".parse().unwrap();
        assert_eq!(roles.texts(claims), ["a", "1"]);
        for (path, expected) in [("verified", true), ("verified_text", true), ("sub", false)] {
            assert_eq!(path.parse::<ClaimPath>().unwrap().is_true(claims), expected);
        }
        for bad in ["", "a b", "a\0", &"x".repeat(201)] {
            assert_eq!(bad.parse::<ClaimPath>(), Err(ClaimPathError), "{bad:?}");
        }
    }
}
