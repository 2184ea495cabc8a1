//! Objects: the fields of a row in the order of the answer, and what becomes of nulls.

use super::error::EncodeError;
use super::scalar::Codec;
use super::slots::Slots;
use super::text::write_str;
use crate::plan::{Bindings, FieldValue, NodeId, ResponseKey, Selection, ToOneRow, encode_node_id};

/// Writes one response.
pub(super) struct Encoder<'a> {
    pub(super) bindings: &'a Bindings,
    pub(super) out: Vec<u8>,
    /// The most bytes of `out`.
    pub(super) limit: usize,
    /// Reused for cursors and ids.
    pub(super) scratch: Vec<u8>,
    pub(super) errors: Vec<FieldError>,
}

/// A field that has no value it could show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    pub kind: FieldErrorKind,
    pub message: String,
    /// From the field outwards while the response is written, then turned around.
    pub path: Vec<PathSegment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldErrorKind {
    /// It may not be read.
    Forbidden,
    /// It is not what the schema says.
    Broken,
}

impl FieldError {
    fn new(kind: FieldErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            path: Vec::new(),
        }
    }

    pub(super) fn forbidden() -> Self {
        Self::new(FieldErrorKind::Forbidden, "this may not be read")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathSegment {
    Key(Box<str>),
    Index(usize),
}

/// Why a value was not written.
pub(super) enum Fault {
    /// The field is null although it must not be: its parent becomes null in its place.
    /// <https://spec.graphql.org/October2021/#sec-Handling-Field-Errors>
    Field(FieldError),
    /// The rows are not what the plan expects.
    Broken(EncodeError),
}

impl From<EncodeError> for Fault {
    fn from(error: EncodeError) -> Self {
        Self::Broken(error)
    }
}

impl<'a> Encoder<'a> {
    pub(super) fn new(bindings: &'a Bindings, limit: usize, out: Vec<u8>) -> Self {
        Self {
            bindings,
            limit,
            out,
            scratch: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// `{…}` of one row.
    pub(super) fn selection(
        &mut self,
        selection: &Selection,
        slots: &mut Slots<'_>,
    ) -> Result<(), Fault> {
        self.out.push(b'{');
        for (index, field) in selection.fields.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.member(&field.key, |encoder| encoder.field(&field.value, slots))?;
        }
        self.out.push(b'}');
        Ok(())
    }

    /// `{…}` of fields that need no row.
    pub(super) fn object<T>(
        &mut self,
        fields: &[(ResponseKey, T)],
        mut write: impl FnMut(&mut Self, &T) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.out.push(b'{');
        for (index, (key, value)) in fields.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.member(key, |encoder| write(encoder, value))?;
        }
        self.out.push(b'}');
        Ok(())
    }

    /// `"key":value`; errors on the way get the key into their path.
    fn member(
        &mut self,
        key: &ResponseKey,
        write: impl FnOnce(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.out.extend_from_slice(key.json());
        self.located(|| PathSegment::Key(key.name().into()), write)
    }

    /// Runs `write`, and adds the segment to the path of every error it leaves.
    pub(super) fn located(
        &mut self,
        segment: impl Fn() -> PathSegment,
        write: impl FnOnce(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let errors = self.errors.len();
        let result = write(self);
        for error in &mut self.errors[errors..] {
            error.path.push(segment());
        }
        result.map_err(|fault| match fault {
            Fault::Field(mut error) => {
                error.path.push(segment());
                Fault::Field(error)
            }
            broken @ Fault::Broken(_) => broken,
        })
    }

    fn field(&mut self, value: &FieldValue, slots: &mut Slots<'_>) -> Result<(), Fault> {
        match value {
            FieldValue::Typename(name) => {
                write_str(name, &mut self.out);
                Ok(())
            }
            FieldValue::Forbidden => self.null_or_fault(false, FieldError::forbidden()),
            FieldValue::Column(read) => self.value(&read.codec, read.non_null, slots.next()?),
            FieldValue::Call(read) => self.value(&read.codec, read.non_null, slots.next()?),
            FieldValue::NodeId(id) => self.node_id(id, slots),
            FieldValue::ToOne(row) => self.joined(row, slots),
            FieldValue::Connection(connection) => {
                let value = slots.next()?.ok_or(EncodeError::Malformed)?;
                self.connection(connection, value)
            }
        }
    }

    pub(super) fn value(
        &mut self,
        codec: &Codec,
        non_null: bool,
        value: Option<&[u8]>,
    ) -> Result<(), Fault> {
        let start = self.out.len();
        let problem = match value {
            Some(value) => match codec.write(value, &mut self.out) {
                Ok(()) => return Ok(()),
                Err(error) => error.to_string(),
            },
            None if non_null => "the column is never null, but it is here".to_owned(),
            None => {
                self.out.extend_from_slice(b"null");
                return Ok(());
            }
        };
        self.out.truncate(start);
        self.null_or_fault(non_null, FieldError::new(FieldErrorKind::Broken, problem))
    }

    /// A related row: its first column says whether it is there.
    fn joined(&mut self, row: &ToOneRow, slots: &mut Slots<'_>) -> Result<(), Fault> {
        let present = slots.next()? == Some(&[1]);
        let end = slots.position() + row.selection.width();
        if !present {
            slots.advance_to(end)?;
            if row.non_null {
                let message = "the related row may not be read";
                let error = FieldError::new(FieldErrorKind::Forbidden, message);
                return Err(Fault::Field(error));
            }
            self.out.extend_from_slice(b"null");
            return Ok(());
        }
        let start = self.out.len();
        match self.selection(&row.selection, slots) {
            Err(Fault::Field(error)) => {
                self.out.truncate(start);
                slots.advance_to(end)?;
                self.null_or_fault(row.non_null, error)
            }
            result => result,
        }
    }

    /// Records the error and writes null, where null may stand.
    pub(super) fn null_or_fault(&mut self, non_null: bool, error: FieldError) -> Result<(), Fault> {
        if non_null {
            return Err(Fault::Field(error));
        }
        self.errors.push(error);
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    /// The base64 of `["Type",key…]`.
    fn node_id(&mut self, id: &NodeId, slots: &mut Slots<'_>) -> Result<(), Fault> {
        let mut json = std::mem::take(&mut self.scratch);
        json.clear();
        json.push(b'[');
        write_str(&id.type_name, &mut json);
        for read in &id.key {
            json.push(b',');
            match slots.next()? {
                Some(value) => read.codec.write(value, &mut json)?,
                None => json.extend_from_slice(b"null"),
            }
        }
        json.push(b']');
        self.out.push(b'"');
        encode_node_id(&json, &mut self.out);
        self.out.push(b'"');
        self.scratch = json;
        Ok(())
    }
}
