//! Questions to ask of the tokens of a statement.

use std::borrow::Cow;

use super::lex::{Kind, Token};

/// The tokens of one statement beside the text they point into.
#[derive(Clone, Copy)]
pub(super) struct Tokens<'a> {
    pub(super) text: &'a str,
    pub(super) all: &'a [Token],
}

impl<'a> Tokens<'a> {
    pub(super) fn kind(self, at: usize) -> Option<Kind> {
        self.all.get(at).map(|token| token.kind)
    }

    /// The text of a token; empty past the end.
    pub(super) fn raw(self, at: usize) -> &'a str {
        self.all
            .get(at)
            .map_or("", |token| &self.text[token.start..token.end])
    }

    /// Whether a token is this key word (given in upper case).
    pub(super) fn is(self, at: usize, word: &str) -> bool {
        self.kind(at) == Some(Kind::Word) && self.raw(at).eq_ignore_ascii_case(word)
    }

    pub(super) fn is_any(self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(at, word))
    }

    /// Whether a token is one of these identifiers (given in lower case), which some dumps put in quotes.
    pub(super) fn names_any(self, at: usize, names: &[&str]) -> bool {
        self.name(at)
            .is_some_and(|name| names.contains(&name.as_ref()))
    }

    /// Whether these key words stand one after the other.
    pub(super) fn are(self, at: usize, words: &[&str]) -> bool {
        words
            .iter()
            .enumerate()
            .all(|(offset, word)| self.is(at + offset, word))
    }

    /// The identifier as the catalog has it: folded to lower case, or without its quotes.
    pub(super) fn name(self, at: usize) -> Option<Cow<'a, str>> {
        let raw = self.raw(at);
        match self.kind(at)? {
            Kind::Word if raw.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                Some(raw.to_ascii_lowercase().into())
            }
            Kind::Word => Some(raw.into()),
            Kind::Quoted => {
                let inner = &raw[1..raw.len() - 1];
                Some(if inner.contains('"') {
                    inner.replace("\"\"", "\"").into()
                } else {
                    inner.into()
                })
            }
            _ => None,
        }
    }

    /// What a simple literal says: `'text'` without its quotes.
    pub(super) fn literal(self, at: usize) -> Option<&'a str> {
        let raw = self.raw(at);
        (self.kind(at)? == Kind::Plain || self.kind(at)? == Kind::Escape)
            .then(|| raw.split_once('\''))?
            .map(|(_, rest)| &rest[..rest.len() - 1])
    }

    /// An identifier or a literal, as settings and options take either.
    pub(super) fn value(self, at: usize) -> Option<Cow<'a, str>> {
        self.name(at)
            .or_else(|| self.literal(at).map(Cow::Borrowed))
    }

    /// The positions of the tokens that are outside of all parentheses.
    pub(super) fn outside_parentheses(self) -> impl Iterator<Item = usize> + 'a {
        let mut depth = 0_usize;
        self.all.iter().enumerate().filter_map(move |(at, token)| {
            match token.kind {
                Kind::Open => depth += 1,
                Kind::Close => depth = depth.saturating_sub(1),
                _ => return (depth == 0).then_some(at),
            }
            None
        })
    }
}
