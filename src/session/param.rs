//! Bound parameters on the wire.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::{Format, IsNull, ToSql, Type};

use crate::plan::Bound;

/// Each value goes in the form that it has: text for Postgres' input functions, or binary, which
/// came from Postgres itself in a cursor. The statement casts every parameter, so that its type
/// need not be known here.
impl ToSql for Bound {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Text(text) => out.put_slice(text.as_bytes()),
            Self::Binary(bytes) => out.put_slice(bytes),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        match self {
            Self::Binary(_) => Format::Binary,
            Self::Text(_) | Self::Null => Format::Text,
        }
    }

    tokio_postgres::types::to_sql_checked!();
}
