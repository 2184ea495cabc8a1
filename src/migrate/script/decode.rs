//! The text of a migration file, whatever of the usual encodings it is in.

use std::borrow::Cow;

use super::ScriptError;
use super::lex::line_at;
use super::split::split;
use super::tokens::Tokens;

/// UTF-8, or else the encoding that the script itself names by `SET client_encoding`.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ScriptError> {
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let line = line_at(&String::from_utf8_lossy(&bytes[..at]), at);
        return Err(ScriptError::new(
            line,
            "there is a NUL byte, which no text may have; save the file in UTF-8",
        ));
    }
    let Err(invalid) = std::str::from_utf8(bytes) else {
        return Ok(String::from_utf8_lossy(bytes));
    };
    let latin: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    match named_encoding(&latin).as_deref() {
        Some("latin1" | "iso88591") => Ok(latin.into()),
        Some("win1252") => Ok(latin.chars().map(windows).collect::<String>().into()),
        _ => {
            let line = line_at(&String::from_utf8_lossy(bytes), invalid.valid_up_to());
            Err(ScriptError::new(
                line,
                "this is not UTF-8; save the file in UTF-8",
            ))
        }
    }
}

fn named_encoding(sql: &str) -> Option<String> {
    let pieces = split(sql).ok()?;
    let tokens = pieces
        .iter()
        .map(|piece| Tokens {
            text: sql,
            all: &piece.tokens,
        })
        .find(|tokens| tokens.are(0, &["SET", "CLIENT_ENCODING"]))?;
    Some(
        tokens
            .value(3)?
            .to_ascii_lowercase()
            .replace(['-', '_'], ""),
    )
}

/// Windows-1252 differs from ISO 8859-1 in these 32 characters, of which it leaves five undefined.
fn windows(latin: char) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    let index = (latin as usize).checked_sub(0x80);
    index
        .and_then(|index| HIGH.get(index))
        .copied()
        .unwrap_or(latin)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn a_script_may_name_its_encoding() {
        assert_eq!(decode("select 'é'".as_bytes()).unwrap(), "select 'é'");
        assert_eq!(
            decode(b"SET client_encoding = 'LATIN1'; select '\xe9\x80';").unwrap(),
            "SET client_encoding = 'LATIN1'; select 'é\u{80}';"
        );
        assert_eq!(
            decode(b"set client_encoding to win1252; select '\x80\xe9'").unwrap(),
            "set client_encoding to win1252; select '€é'"
        );
        assert_eq!(decode(b"select 1;\nselect '\xe9'").unwrap_err().line, 2);
    }
}
