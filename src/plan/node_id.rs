//! Global ids of rows: `["Issue","0b54…"]` in URL-safe base64.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The type that an id names.
pub(super) fn type_name(id: &Value) -> Option<String> {
    match decode(id)?.into_iter().next()? {
        Value::String(name) => Some(name),
        _ => None,
    }
}

/// The value of one column of the key.
pub(super) fn key(id: &Value, index: usize) -> Option<Value> {
    decode(id)?
        .into_iter()
        .nth(index + 1)
        .filter(|value| !value.is_null())
}

/// Appends the base64 of a JSON array that is already written.
pub fn encode(json: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + json.len().div_ceil(3) * 4, 0);
    let written = URL_SAFE_NO_PAD
        .encode_slice(json, &mut out[start..])
        .unwrap_or(0);
    out.truncate(start + written);
}

fn decode(id: &Value) -> Option<Vec<Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(id.as_str()?).ok()?;
    serde_json::from_slice(&bytes).ok()
}
