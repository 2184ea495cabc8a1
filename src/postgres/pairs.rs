//! Splits libpq's `keyword = value` form of a database address into its pairs.

/// The pairs of libpq's `keyword = value` form that have not been read yet.
pub(super) struct Pairs<'a>(pub(super) &'a str);

impl<'a> Pairs<'a> {
    /// The next pair; `Some(None)` at the end, `None` for a mistake.
    #[expect(
        clippy::option_option,
        reason = "a mistake has nothing to say: its text may be the password"
    )]
    pub(super) fn next(&mut self) -> Option<Option<(&'a str, String)>> {
        let text = self.0.trim_start();
        if text.is_empty() {
            return Some(None);
        }
        let (key, value) = text.split_once('=')?;
        let key = key.trim_end();
        if key.is_empty() || key.contains(char::is_whitespace) {
            return None;
        }
        let value = self.read_value(value.trim_start())?;
        Some(Some((key, value)))
    }

    /// Reads a quoted or a bare value; in both, a backslash takes the next character as it is.
    fn read_value(&mut self, text: &'a str) -> Option<String> {
        let inner = text.strip_prefix('\'');
        let mut value = String::new();
        let mut characters = inner.unwrap_or(text).chars();
        loop {
            match (characters.next(), inner) {
                (Some('\''), Some(_)) | (None, None) => break,
                (Some(character), None) if character.is_whitespace() => break,
                (Some('\\'), _) => value.push(characters.next()?),
                (Some(character), _) => value.push(character),
                (None, Some(_)) => return None,
            }
        }
        self.0 = characters.as_str();
        Some(value)
    }
}
