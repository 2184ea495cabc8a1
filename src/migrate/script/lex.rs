//! The tokens of Postgres' SQL: just enough of its lexer to know what is a name and what only looks like one.

use super::ScriptError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier or key word without quotes.
    Word,
    /// `"identifier"`
    Quoted,
    /// `'literal'`, also `N'…'`, `B'…'` and `X'…'`
    Plain,
    /// `E'literal'`, or any literal while `standard_conforming_strings` is off: backslashes escape.
    Escape,
    /// `U&'literal'` and `U&"identifier"`, which nothing here looks into.
    Unicode,
    /// `$tag$literal$tag$`
    Dollar,
    Number,
    Open,
    Close,
    Comma,
    Dot,
    Semicolon,
    /// `::`
    Cast,
    /// A backslash outside of any literal: the start of a psql command.
    Backslash,
    /// Any other character: operators, brackets, `$1`.
    Other,
}

/// A token and its byte range in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    pub(super) position: usize,
    /// `standard_conforming_strings = off`, as dumps of Postgres before 9.1 set it.
    pub(super) backslashes: bool,
    /// The last token was an `E'…'`, which a literal on a following line continues.
    continues_escape: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            position: 0,
            backslashes: false,
            continues_escape: false,
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Token>, ScriptError> {
        let gap = self.position;
        self.skip_blanks()?;
        let start = self.position;
        let Some(first) = self.byte(start) else {
            return Ok(None);
        };
        let new_line = self.text[gap..start].contains('\n');
        let kind = match first {
            b'\'' if self.continues_escape && new_line => self.literal(1, Kind::Escape)?,
            b'\'' => self.literal(1, self.ordinary())?,
            b'"' => self.quoted(1, Kind::Quoted)?,
            b'$' => self.dollar()?,
            b'0'..=b'9' => self.number(),
            byte if starts_word(byte) => self.word_or_literal(first)?,
            _ => self.symbol(first),
        };
        self.continues_escape = kind == Kind::Escape;
        Ok(Some(Token {
            kind,
            start,
            end: self.position,
        }))
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn ordinary(&self) -> Kind {
        if self.backslashes {
            Kind::Escape
        } else {
            Kind::Plain
        }
    }

    fn skip_blanks(&mut self) -> Result<(), ScriptError> {
        loop {
            let rest = &self.text.as_bytes()[self.position..];
            match rest {
                [b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c', ..] => self.position += 1,
                [b'-', b'-', ..] => {
                    let line = rest.iter().position(|byte| *byte == b'\n');
                    self.position += line.unwrap_or(rest.len());
                }
                [b'/', b'*', ..] => self.position += self.comment(rest)?,
                _ => return Ok(()),
            }
        }
    }

    /// The length of a block comment; they nest.
    fn comment(&self, rest: &[u8]) -> Result<usize, ScriptError> {
        let (mut depth, mut at) = (0_usize, 0_usize);
        while at < rest.len() {
            match &rest[at..] {
                [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
                [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
                _ => at += 1,
            }
            if depth == 0 {
                return Ok(at);
            }
        }
        Err(self.unterminated("comment"))
    }

    fn literal(&mut self, prefix: usize, kind: Kind) -> Result<Kind, ScriptError> {
        let bytes = self.text.as_bytes();
        let mut at = self.position + prefix;
        while let Some(byte) = self.byte(at) {
            at += match byte {
                b'\\' if kind == Kind::Escape => 2,
                b'\'' if bytes.get(at + 1) == Some(&b'\'') => 2,
                b'\'' => {
                    self.position = at + 1;
                    return Ok(kind);
                }
                _ => 1,
            };
        }
        Err(self.unterminated("string"))
    }

    fn quoted(&mut self, prefix: usize, kind: Kind) -> Result<Kind, ScriptError> {
        let mut at = self.position + prefix;
        while let Some(byte) = self.byte(at) {
            at += match (byte, self.byte(at + 1)) {
                (b'"', Some(b'"')) => 2,
                (b'"', _) => {
                    self.position = at + 1;
                    return Ok(kind);
                }
                _ => 1,
            };
        }
        Err(self.unterminated("quoted identifier"))
    }

    /// `$tag$…$tag$`; a `$` that opens nothing (as in `$1`) is a symbol.
    fn dollar(&mut self) -> Result<Kind, ScriptError> {
        let rest = &self.text[self.position..];
        let tag =
            rest[1..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()));
        let Some(length) = tag.filter(|length| rest[1 + length..].starts_with('$')) else {
            return Ok(self.symbol(b'$'));
        };
        if rest.as_bytes()[1].is_ascii_digit() {
            return Ok(self.symbol(b'$'));
        }
        let delimiter = &rest[..length + 2];
        let Some(close) = rest[delimiter.len()..].find(delimiter) else {
            return Err(self.unterminated("dollar-quoted string"));
        };
        self.position += close + 2 * delimiter.len();
        Ok(Kind::Dollar)
    }

    /// Digits with what clings to them. The dots of `1..10` (a PL/pgSQL range) are left alone.
    fn number(&mut self) -> Kind {
        while let Some(byte) = self.byte(self.position) {
            let fraction = byte == b'.'
                && self
                    .byte(self.position + 1)
                    .is_some_and(|next| next.is_ascii_digit());
            if !fraction && !byte.is_ascii_alphanumeric() && byte != b'_' {
                break;
            }
            self.position += 1;
        }
        Kind::Number
    }

    fn word_or_literal(&mut self, first: u8) -> Result<Kind, ScriptError> {
        let (second, third) = (self.byte(self.position + 1), self.byte(self.position + 2));
        match (first, second, third) {
            (b'e' | b'E', Some(b'\''), _) => return self.literal(2, Kind::Escape),
            (b'b' | b'B' | b'x' | b'X', Some(b'\''), _) => return self.literal(2, Kind::Plain),
            (b'n' | b'N', Some(b'\''), _) => return self.literal(2, self.ordinary()),
            (b'u' | b'U', Some(b'&'), Some(b'\'')) => return self.literal(3, Kind::Unicode),
            (b'u' | b'U', Some(b'&'), Some(b'"')) => return self.quoted(3, Kind::Unicode),
            _ => {}
        }
        while self.byte(self.position).is_some_and(continues_word) {
            self.position += 1;
        }
        Ok(Kind::Word)
    }

    fn symbol(&mut self, first: u8) -> Kind {
        let double = self.byte(self.position + 1) == Some(first);
        let (kind, length) = match first {
            b'(' => (Kind::Open, 1),
            b')' => (Kind::Close, 1),
            b',' => (Kind::Comma, 1),
            b';' => (Kind::Semicolon, 1),
            b'\\' => (Kind::Backslash, 1),
            b':' if double => (Kind::Cast, 2),
            b'.' if double => (Kind::Other, 2),
            b'.' => (Kind::Dot, 1),
            _ => (Kind::Other, 1),
        };
        self.position += length;
        kind
    }

    fn unterminated(&self, what: &str) -> ScriptError {
        ScriptError::new(
            line_at(self.text, self.position),
            format!("the {what} that starts here has no end"),
        )
    }
}

/// All tokens of a text without psql's additions, such as a function's body; `None` when it is not SQL.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut lexer = Lexer::new(text);
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next().ok()? {
        tokens.push(token);
    }
    Some(tokens)
}

/// The line, from 1, that a byte of the text is on.
pub(super) fn line_at(text: &str, offset: usize) -> u32 {
    let newlines = text[..offset].matches('\n').count();
    u32::try_from(newlines + 1).unwrap_or(u32::MAX)
}

fn starts_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

fn continues_word(byte: u8) -> bool {
    starts_word(byte) || byte.is_ascii_digit() || byte == b'$'
}

#[cfg(test)]
mod tests {
    use super::{Kind, Lexer};

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        super::tokens(text)
            .unwrap()
            .into_iter()
            .map(|token| (token.kind, &text[token.start..token.end]))
            .collect()
    }

    #[test]
    fn literals_end_where_postgres_ends_them() {
        for (text, kind) in [
            (r"'it''s; \'", Kind::Plain),
            (r"E'it\'s; \\'", Kind::Escape),
            (r"e'a''b'", Kind::Escape),
            (r"U&'\0041;'", Kind::Unicode),
            (r#"U&"d\0061t""a""#, Kind::Unicode),
            (r"X'1F'", Kind::Plain),
            (r#""semi;""colon""#, Kind::Quoted),
            ("$$ a; 'b $x$ $$", Kind::Dollar),
            ("$été$ $$ ; $été$", Kind::Dollar),
        ] {
            assert_eq!(kinds(text), [(kind, text)], "{text}");
        }
    }

    #[test]
    fn a_dollar_inside_a_name_or_before_a_digit_quotes_nothing() {
        assert_eq!(kinds("a$b$c"), [(Kind::Word, "a$b$c")]);
        assert_eq!(kinds("$1"), [(Kind::Other, "$"), (Kind::Number, "1")]);
        assert_eq!(kinds("$1$2")[0], (Kind::Other, "$"));
    }

    #[test]
    fn comments_nest_and_hide_their_text() {
        assert_eq!(kinds("a /* 1 /* 2; */ ' */ b -- ; '\n;").len(), 3);
        assert!(super::tokens("/* /* */").is_none());
    }

    #[test]
    fn an_escape_string_goes_on_across_a_newline() {
        assert_eq!(kinds("E'a'\n'b\\'c'")[1], (Kind::Escape, "'b\\'c'"));
        assert_eq!(kinds("E'a', 'b\\'")[2], (Kind::Plain, "'b\\'"));
    }

    #[test]
    fn a_range_in_plpgsql_is_not_a_fraction() {
        assert_eq!(
            kinds("1..10"),
            [
                (Kind::Number, "1"),
                (Kind::Other, ".."),
                (Kind::Number, "10")
            ]
        );
        assert_eq!(kinds("1.5e3"), [(Kind::Number, "1.5e3")]);
    }

    #[test]
    fn old_dumps_escape_with_backslashes() {
        let mut lexer = Lexer::new(r"'a\'b'");
        lexer.backslashes = true;
        assert_eq!(lexer.next().unwrap().unwrap().end, 6);
    }

    #[test]
    fn an_error_names_the_line_where_the_literal_began() {
        let mut lexer = Lexer::new("a\n\n 'b\n\n");
        assert!(lexer.next().unwrap().is_some());
        assert_eq!(lexer.next().unwrap_err().line, 3);
    }
}
