//! What becomes SQL text as it is: identifiers, which quote themselves, and expressions of the catalog.

use std::fmt::{self, Write as _};
use std::sync::Arc;

/// A name that came from the catalog. Displayed it is a quoted identifier, so that no other way
/// into SQL text exists: quotes are doubled, and case and reserved words need no thought.
///
/// <https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS>
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ident(Arc<str>);

impl Ident {
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The bare name, for messages and for naming things in GraphQL; never for SQL text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for part in self.0.split_inclusive('"') {
            f.write_str(part)?;
            if part.ends_with('"') {
                f.write_char('"')?;
            }
        }
        f.write_char('"')
    }
}

impl fmt::Debug for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An expression that came from the catalog, such as a column's default: SQL text that the app's own
/// migrations wrote and Postgres printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression(Arc<str>);

impl Expression {
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Ident;

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(Ident::new("issues").to_string(), r#""issues""#);
        assert_eq!(Ident::new(r#"a"; drop"#).to_string(), r#""a""; drop""#);
        assert_eq!(Ident::new(r#""""#).to_string(), r#""""""""#);
    }
}
