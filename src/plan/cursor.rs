//! Cursors: the place of a row in a list, as the values of the list's order keys.
//!
//! The bytes are a version, the fingerprint of the list they belong to, and for each key an i32
//! length (-1 for null) with the value in Postgres' binary form; in URL-safe base64. A cursor of
//! another list or another order is recognised by its fingerprint.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::types::{OrderKey, OrderValue};
use crate::model::{Model, RelationId};
use crate::schema::{Aggregate, ListLink};

const VERSION: u8 = 1;
const HEADER: usize = 9;

const MALFORMED: &str = "not a cursor of this service";
const FOREIGN: &str = "the cursor belongs to another list or another orderBy";

/// What a list and its order are, in 64 bits; stable across restarts and replicas.
pub(super) fn fingerprint(model: &Model, relation: RelationId, order: &[OrderKey]) -> u64 {
    let mut hash = Fnv::new();
    hash.add(model.relation(relation).name.as_str());
    for key in order {
        let mut owner = relation;
        for hop in &key.hops {
            for (from, _) in &hop.on {
                hash.add(model.relation(owner).column(*from).name.as_str());
            }
            owner = hop.target;
        }
        match &key.value {
            OrderValue::Column(column) => {
                hash.add(model.relation(owner).column(*column).name.as_str());
            }
            OrderValue::Near(column, nearness, _) => {
                hash.add(model.relation(owner).column(*column).name.as_str());
                hash.add(nearness.suffix());
            }
            OrderValue::Aggregate(link, aggregate) => add_list(&mut hash, model, link, *aggregate),
        }
        hash.add(if key.descending { "desc" } else { "asc" });
        hash.add(if key.nulls_first { "first" } else { "last" });
    }
    hash.0
}

/// A list is told by what refers to its owner, and by what that leads to.
fn add_list(hash: &mut Fnv, model: &Model, link: &ListLink, aggregate: Aggregate) {
    let (near, keys, target) = match link {
        ListLink::Direct(link) => (link.target, &link.on, link.target),
        ListLink::Through(link) => (link.junction, &link.near, link.target),
    };
    hash.add(model.relation(near).name.as_str());
    for (column, _) in keys {
        hash.add(model.relation(near).column(*column).name.as_str());
    }
    hash.add(model.relation(target).name.as_str());
    match aggregate {
        Aggregate::Count => hash.add("count"),
        Aggregate::Of(function, column) => {
            hash.add(function.field().0);
            hash.add(model.relation(target).column(column).name.as_str());
        }
    }
}

/// Writes a cursor in base64, from the values of the order's keys.
pub fn encode<'a>(
    fingerprint: u64,
    keys: impl Iterator<Item = Option<&'a [u8]>>,
    scratch: &mut Vec<u8>,
    out: &mut Vec<u8>,
) {
    scratch.clear();
    scratch.push(VERSION);
    scratch.extend_from_slice(&fingerprint.to_be_bytes());
    for key in keys {
        let length = key.map_or(-1, |key| i32::try_from(key.len()).unwrap_or(-1));
        scratch.extend_from_slice(&length.to_be_bytes());
        scratch.extend_from_slice(key.unwrap_or_default());
    }
    let start = out.len();
    out.resize(start + scratch.len().div_ceil(3) * 4, 0);
    let written = URL_SAFE_NO_PAD
        .encode_slice(&scratch, &mut out[start..])
        .unwrap_or(0);
    out.truncate(start + written);
}

/// The cursor of a row in a list without keys: its place, counted from zero.
pub fn encode_offset(fingerprint: u64, place: u32, scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
    encode(
        fingerprint,
        std::iter::once(Some(&place.to_be_bytes()[..])),
        scratch,
        out,
    );
}

/// The value of one of the cursor's keys.
pub(super) fn key(
    cursor: &str,
    fingerprint: u64,
    keys: usize,
    index: usize,
) -> Result<Option<Vec<u8>>, &'static str> {
    let values = decode(cursor, fingerprint)?;
    if values.len() != keys {
        return Err(MALFORMED);
    }
    values.into_iter().nth(index).ok_or(MALFORMED)
}

pub(super) fn offset(cursor: &str, fingerprint: u64) -> Result<u32, &'static str> {
    match &decode(cursor, fingerprint)?[..] {
        [Some(place)] => Ok(u32::from_be_bytes(
            place.as_slice().try_into().map_err(|_| MALFORMED)?,
        )),
        _ => Err(MALFORMED),
    }
}

/// All values of a cursor of this list.
fn decode(cursor: &str, fingerprint: u64) -> Result<Vec<Option<Vec<u8>>>, &'static str> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| MALFORMED)?;
    if bytes.len() < HEADER || bytes[0] != VERSION {
        return Err(MALFORMED);
    }
    if bytes[1..HEADER] != fingerprint.to_be_bytes() {
        return Err(FOREIGN);
    }
    let mut rest = &bytes[HEADER..];
    let mut values = Vec::new();
    while !rest.is_empty() {
        let (length, tail) = rest.split_first_chunk::<4>().ok_or(MALFORMED)?;
        match usize::try_from(i32::from_be_bytes(*length)) {
            Err(_) => {
                values.push(None);
                rest = tail;
            }
            Ok(length) => {
                let (value, tail) = tail.split_at_checked(length).ok_or(MALFORMED)?;
                values.push(Some(value.to_vec()));
                rest = tail;
            }
        }
    }
    Ok(values)
}

/// FNV-1a: <http://www.isthe.com/chongo/tech/comp/fnv/>. Not for security: a cursor only says where
/// to go on in what its bearer may read anyway.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(keys: &[Option<&[u8]>]) -> String {
        let mut out = Vec::new();
        encode(7, keys.iter().copied(), &mut Vec::new(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn keys_come_back() {
        let text = cursor(&[Some(b"abc"), None, Some(b"")]);
        assert_eq!(key(&text, 7, 3, 0), Ok(Some(b"abc".to_vec())));
        assert_eq!(key(&text, 7, 3, 1), Ok(None));
        assert_eq!(key(&text, 7, 3, 2), Ok(Some(vec![])));
    }

    #[test]
    fn foreign_and_malformed_ones_are_told_apart() {
        let text = cursor(&[Some(b"abc")]);
        assert_eq!(key(&text, 8, 1, 0), Err(FOREIGN));
        assert_eq!(key(&text, 7, 2, 0), Err(MALFORMED));
        for bad in [
            "",
            "x",
            "!!!!",
            &text[..text.len() - 2],
            "AQAAAAAAAAAHf____w",
        ] {
            assert_eq!(key(bad, 7, 1, 0), Err(MALFORMED), "{bad}");
        }
    }
}
