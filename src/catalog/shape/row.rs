//! A row of the catalog as a digest that is the same for every schema of the same shape.

use std::error::Error as StdError;

use sha2::{Digest as _, Sha256};
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Error, Row};

use super::labels::{FIRST_OID, Labels, Place};
use super::sources::{Field, Source};

/// What no text in UTF-8 has in it.
const END: u8 = 0xff;
const LABEL: u8 = 0xfe;
const SCHEMA: u8 = 0xfd;
const ROLE: u8 = 0xfc;
const NULL: u8 = 0xfb;

/// What a constant begins with in an expression. Its bytes follow, among which oids may be: `nextval('…'::regclass)` has one,
/// and an array of an enum's values has many.
const CONSTANT: &[u8] = b":constvalue ";

/// What tells the type of the constant that comes next.
const TYPE: &[u8] = b":consttype ";

/// Where in a statement something stood, which no one needs and which varies with the length of a schema's name.
const LOCATIONS: [&[u8]; 3] = [b":location ", b":stmt_location ", b":stmt_len "];

/// Reads the rows of one source.
pub(super) struct Reader<'a> {
    labels: &'a Labels,
    source: &'a Source,
    buffer: Vec<u8>,
}

/// A value as Postgres has sent it.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

pub(super) fn oid(row: &Row, index: usize) -> Result<u32, Error> {
    row.try_get(index)
}

impl<'a> Reader<'a> {
    pub(super) fn new(labels: &'a Labels, source: &'a Source) -> Self {
        Self {
            labels,
            source,
            buffer: Vec::with_capacity(4096),
        }
    }

    /// Whose a row is, and its digest; nothing for rows that are nobody's.
    pub(super) fn digest(&mut self, row: &Row) -> Result<Option<(Place, u128)>, Error> {
        let source = self.source;
        let Some((place, home)) = self.labels.find(source.home, oid(row, 0)?) else {
            return Ok(None);
        };
        self.buffer.clear();
        self.buffer.extend_from_slice(source.name().as_bytes());
        self.buffer.extend_from_slice(&home.to_be_bytes());
        let first = if source.is_referred_to() { 2 } else { 1 };
        for index in first..row.len() {
            let field = source.fields.get(index - first).unwrap_or(&Field::Plain);
            let Some(Raw(value)) = row.try_get(index)? else {
                self.buffer.push(NULL);
                continue;
            };
            match field {
                Field::Plain => self.plain(value),
                Field::Oid(catalog) => {
                    let number = value.try_into().map(u32::from_be_bytes);
                    let label = number
                        .ok()
                        .and_then(|number| self.labels.own_object(place, *catalog, number));
                    match label {
                        Some(label) => self.label(label),
                        None => self.plain(value),
                    }
                }
                Field::Expression => self.expression(place, value),
                Field::Names => self.names(place, value),
            }
            self.buffer.push(END);
        }
        let digest = Sha256::digest(&self.buffer);
        let digest = digest.first_chunk().copied().unwrap_or_default();
        Ok(Some((place, u128::from_be_bytes(digest))))
    }

    /// The length comes first, as some values are not text.
    fn plain(&mut self, value: &[u8]) {
        self.buffer.extend_from_slice(&value.len().to_be_bytes());
        self.buffer.extend_from_slice(value);
    }

    fn label(&mut self, label: u128) {
        self.buffer.push(LABEL);
        self.buffer.extend_from_slice(&label.to_be_bytes());
    }

    /// A tree as Postgres stores it, or a list of oids: numbers that are the schema's own objects get their labels.
    fn expression(&mut self, place: Place, text: &[u8]) {
        let (mut told, mut at) = (0, 0);
        let mut is_reference = false;
        while let Some(&byte) = text.get(at) {
            let rest = &text[at..];
            let starts_with = |field: &[u8]| byte == b':' && rest.starts_with(field);
            let length = if starts_with(TYPE) {
                let number = std::str::from_utf8(digits(&rest[TYPE.len()..]));
                is_reference = number.is_ok_and(has_oids);
                TYPE.len()
            } else if byte.is_ascii_digit() {
                let digits = digits(rest);
                if let Some(label) = self.number(place, digits) {
                    self.buffer.extend_from_slice(&text[told..at]);
                    self.label(label);
                    told = at + digits.len();
                }
                digits.len()
            } else if is_reference
                && starts_with(CONSTANT)
                && let Some(bytes) = bytes(&rest[CONSTANT.len()..])
            {
                let field = rest.len() - bytes.len();
                let length = bytes.iter().position(|byte| *byte == b']');
                let length = length.unwrap_or(bytes.len());
                self.buffer.extend_from_slice(&text[told..at + field]);
                self.constant(place, &bytes[..length]);
                told = at + field + length;
                field + length
            } else if let Some(field) = LOCATIONS.iter().find(|field| starts_with(field)) {
                self.buffer.extend_from_slice(&text[told..at]);
                let length = field.len() + location(&rest[field.len()..]);
                told = at + length;
                length
            } else {
                1
            };
            at += length;
        }
        self.buffer.extend_from_slice(&text[told..]);
    }

    fn number(&self, place: Place, digits: &[u8]) -> Option<u128> {
        let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
        self.labels.own_number(place, number)
    }

    /// Bytes, whose words of four may be oids. They are printed with a sign, or without, as the processor's `char` is.
    fn constant(&mut self, place: Place, text: &[u8]) {
        let bytes = std::str::from_utf8(text).unwrap_or_default();
        let bytes = bytes.split_ascii_whitespace().map(str::parse::<i16>);
        let mut bytes = bytes.map(|byte| byte.unwrap_or_default().to_le_bytes()[0]);
        loop {
            let mut word = [0; 4];
            let mut length = 0;
            for (place, byte) in word.iter_mut().zip(bytes.by_ref()) {
                *place = byte;
                length += 1;
            }
            if length == 0 {
                break;
            }
            if let Some(label) = self.labels.own_number(place, u32::from_le_bytes(word)) {
                self.label(label);
            } else {
                self.buffer.push(END);
                self.buffer.extend_from_slice(&word[..length]);
            }
        }
    }

    /// Text with names of roles and schemas in it, such as grants.
    fn names(&mut self, place: Place, text: &[u8]) {
        let own = self.labels.own(place);
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii();
        for word in text.chunk_by(|left, right| is_part(left) && is_part(right)) {
            if word == own.role.as_bytes() {
                self.buffer.push(ROLE);
            } else if word == own.schema.as_bytes() {
                self.buffer.push(SCHEMA);
            } else {
                self.buffer.extend_from_slice(word);
            }
        }
    }
}

fn digits(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    &text[..end.unwrap_or(text.len())]
}

/// How long a location is, which may be -1.
fn location(text: &[u8]) -> usize {
    let sign = usize::from(text.first() == Some(&b'-'));
    sign + digits(&text[sign..]).len()
}

/// What comes after `8 [`; nothing for null, which is `<>`.
fn bytes(constant: &[u8]) -> Option<&[u8]> {
    constant[digits(constant).len()..].strip_prefix(b" [")
}

/// Whether values of a type may have oids in them: those of `oid`, `regclass` and the like, of arrays of these, and of types that
/// somebody has made, such as enums. A number is a number.
fn has_oids(type_oid: &str) -> bool {
    const BUILT_IN: [&str; 26] = [
        "24", "26", "1008", "1028", "2202", "2203", "2204", "2205", "2206", "2207", "2208", "2209",
        "2210", "2211", "3734", "3735", "3769", "3770", "4089", "4090", "4096", "4097", "4191",
        "4192", "2249", "2287",
    ];
    let number: u32 = type_oid.parse().unwrap_or_default();
    BUILT_IN.contains(&type_oid) || number >= FIRST_OID
}
