//! Text, single characters, UUIDs and bytes as JSON strings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::EncodeError;

/// Appends a JSON string. `bytes` are UTF-8; bytes that are not reach the output as they are.
#[inline]
pub(super) fn write_string(bytes: &[u8], out: &mut Vec<u8>) {
    if is_plain(bytes) {
        write_plain(bytes, out);
    } else {
        write_escaped(bytes, out);
    }
}

#[inline]
pub fn write_str(text: &str, out: &mut Vec<u8>) {
    write_string(text.as_bytes(), out);
}

/// Appends text that came over the wire. A database whose encoding is `SQL_ASCII` can hold what is not UTF-8; that
/// must not make the whole response unreadable.
#[inline]
pub(super) fn write_text(value: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if is_plain(value) {
        write_plain(value, out);
    } else {
        write_escaped(utf8(value)?.as_bytes(), out);
    }
    Ok(())
}

/// Appends JSON text as it is: Postgres has parsed it.
#[inline]
pub(super) fn write_json(value: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if value.is_empty() {
        return Err(EncodeError::Malformed);
    }
    out.extend_from_slice(utf8(value)?.as_bytes());
    Ok(())
}

/// Appends a `"char"` in the text form that Postgres has had since version 16, the first that is UTF-8 for every
/// byte: nothing for zero, `\ooo` in octal beyond ASCII.
pub(super) fn write_char(byte: u8, out: &mut Vec<u8>) {
    let octal = |shift: u8| b'0' + ((byte >> shift) & 7);
    match byte {
        0 => write_string(b"", out),
        1..0x80 => write_string(&[byte], out),
        0x80.. => write_string(&[b'\\', octal(6), octal(3), octal(0)], out),
    }
}

/// Appends a UUID in its usual lower-case form with hyphens.
#[inline]
pub(super) fn write_uuid(bytes: [u8; 16], out: &mut Vec<u8>) {
    let digit = |nibble: u8| nibble + b'0' + u8::from(nibble > 9) * (b'a' - b'0' - 10);
    let mut hex = [0; 32];
    for (pair, byte) in hex.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }
    let mut text = *b"\"00000000-0000-0000-0000-000000000000\"";
    text[1..9].copy_from_slice(&hex[..8]);
    text[10..14].copy_from_slice(&hex[8..12]);
    text[15..19].copy_from_slice(&hex[12..16]);
    text[20..24].copy_from_slice(&hex[16..20]);
    text[25..37].copy_from_slice(&hex[20..]);
    out.extend_from_slice(&text);
}

/// Appends standard base64 with padding, as a string.
pub(super) fn write_base64(value: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    out.push(b'"');
    let start = out.len();
    out.resize(start + value.len().div_ceil(3) * 4, 0);
    let written = STANDARD
        .encode_slice(value, &mut out[start..])
        .map_err(|_| EncodeError::Malformed)?;
    out.truncate(start + written);
    out.push(b'"');
    Ok(())
}

#[inline]
fn utf8(value: &[u8]) -> Result<&str, EncodeError> {
    std::str::from_utf8(value).map_err(|_| EncodeError::Malformed)
}

/// Whether a JSON string can hold `bytes` as they are and they are ASCII, so that UTF-8 needs no check.
///
/// Blocks of a fixed size become vector instructions; the last block of a size overlaps the one before it, so that no
/// loop over single bytes is left.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    let (blocks, tail) = bytes.as_chunks::<16>();
    blocks.iter().all(is_plain_block)
        && if let Some(last) = bytes.last_chunk::<16>() {
            is_plain_block(last)
        } else if let (Some(first), Some(last)) = (tail.first_chunk::<8>(), tail.last_chunk::<8>())
        {
            is_plain_block(first) & is_plain_block(last)
        } else if let (Some(first), Some(last)) = (tail.first_chunk::<4>(), tail.last_chunk::<4>())
        {
            is_plain_block(first) & is_plain_block(last)
        } else {
            tail.iter().all(|byte| is_plain_byte(*byte))
        }
}

#[inline]
fn is_plain_block<const N: usize>(block: &[u8; N]) -> bool {
    // Without short-circuiting, which would forbid looking at all bytes at once.
    block
        .iter()
        .fold(true, |plain, byte| plain & is_plain_byte(*byte))
}

#[inline]
fn is_plain_byte(byte: u8) -> bool {
    // As a signed number a byte beyond ASCII is less than a space, too.
    byte.cast_signed() >= 0x20 && byte != b'"' && byte != b'\\'
}

#[inline]
fn write_plain(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    out.extend_from_slice(bytes);
    out.push(b'"');
}

/// What follows the backslash in the escape of a byte, `u` for the long form; 0 for a byte that needs none.
const ESCAPES: [u8; 256] = {
    let mut escapes = [0; 256];
    let mut control = 0;
    while control < 0x20 {
        escapes[control] = b'u';
        control += 1;
    }
    escapes[0x08] = b'b';
    escapes[0x09] = b't';
    escapes[0x0a] = b'n';
    escapes[0x0c] = b'f';
    escapes[0x0d] = b'r';
    escapes[b'"' as usize] = b'"';
    escapes[b'\\' as usize] = b'\\';
    escapes
};

/// Appends a string in which something may need an escape. Most blocks have nothing to escape, and what lies between
/// two escapes is copied at once.
fn write_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    const BLOCK: usize = 8;
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut copied = 0;
    for (index, block) in bytes.chunks(BLOCK).enumerate() {
        if block.first_chunk::<BLOCK>().is_some_and(is_clean_block) {
            continue;
        }
        for (offset, &byte) in block.iter().enumerate() {
            let escape = ESCAPES[usize::from(byte)];
            if escape != 0 {
                let at = index * BLOCK + offset;
                out.extend_from_slice(&bytes[copied..at]);
                write_escape(byte, escape, out);
                copied = at + 1;
            }
        }
    }
    out.extend_from_slice(&bytes[copied..]);
    out.push(b'"');
}

/// Whether no byte has an escape, in a form that looks at all bytes at once.
#[inline]
fn is_clean_block<const N: usize>(block: &[u8; N]) -> bool {
    block
        .iter()
        .fold(true, |clean, byte| clean & !needs_escape(*byte))
}

/// The same as having an entry in `ESCAPES`, without a look-up.
#[inline]
fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

#[inline]
fn write_escape(byte: u8, escape: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    if escape == b'u' {
        let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
        out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
    } else {
        out.extend_from_slice(&[b'\\', escape]);
    }
}

#[cfg(test)]
mod tests {
    use super::write_str;
    use crate::encode::scalar::{Codec, EncodeError};
    use crate::encode::testing::{check, json};

    #[test]
    fn strings() {
        check(
            &Codec::Text,
            &[
                ("", r#""""#),
                ("706c61696e", r#""plain""#),
                ("0108090a0b0c0d1f", r#""\u0001\b\t\n\u000b\f\r\u001f""#),
                ("2271756f74656422205c202f", r#""\"quoted\" \\ /""#),
                ("c3a920e282acf09f9880", r#""é €😀""#),
                (
                    "7369787465656e2063686172616374657273c3a922",
                    r#""sixteen charactersé\"""#,
                ),
            ],
        );
    }

    #[test]
    fn every_byte_is_escaped_at_every_place() {
        for length in 1..50 {
            for at in 0..length {
                for special in ('\0'..='\u{80}').chain(['\u{2028}']) {
                    let mut text = "x".repeat(length);
                    text.replace_range(at..=at, special.encode_utf8(&mut [0; 4]));
                    let mut out = Vec::new();
                    write_str(&text, &mut out);
                    assert_eq!(out, serde_json::to_vec(&text).unwrap(), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_utf8_is_refused() {
        for codec in [Codec::Text, Codec::Json] {
            assert_eq!(json(&codec, "61ff62"), Err(EncodeError::Malformed));
        }
        assert_eq!(json(&Codec::Jsonb, "0122c322"), Err(EncodeError::Malformed));
    }

    #[test]
    fn single_bytes() {
        // Beyond ASCII as Postgres 16 and later print them; up to 15 they are not UTF-8.
        check(
            &Codec::Char,
            &[
                ("61", r#""a""#),
                ("22", r#""\"""#),
                ("00", r#""""#),
                ("0a", r#""\n""#),
                ("80", r#""\\200""#),
                ("ff", r#""\\377""#),
            ],
        );
    }

    #[test]
    fn uuids() {
        check(
            &Codec::Uuid,
            &[
                (
                    "f81d4fae7dec11d0a76500a0c91e6bf6",
                    r#""f81d4fae-7dec-11d0-a765-00a0c91e6bf6""#,
                ),
                (
                    "00000000000000000000000000000000",
                    r#""00000000-0000-0000-0000-000000000000""#,
                ),
                (
                    "ffffffffffffffffffffffffffffffff",
                    r#""ffffffff-ffff-ffff-ffff-ffffffffffff""#,
                ),
            ],
        );
    }

    #[test]
    fn bytes_are_base64() {
        check(
            &Codec::Bytea,
            &[
                ("", r#""""#),
                ("00", r#""AA==""#),
                ("fbff", r#""+/8=""#),
                ("010203", r#""AQID""#),
            ],
        );
    }
}
