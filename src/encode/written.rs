//! What a write answers: its row, or how many rows there were and the rows.

use super::error::EncodeError;
use super::record::Elements;
use super::row::{Encoder, Fault, PathSegment};
use super::slots::{Items, Slots};
use super::text::write_str;
use crate::plan::{Answer, AnswerField, Selection};
use crate::rows::Row;

impl Encoder<'_> {
    /// The columns of `row` are the count, where it is asked for, and the rows.
    pub(super) fn written(&mut self, answer: &Answer, row: Row<'_>) -> Result<(), Fault> {
        match answer {
            Answer::Row(selection) => self.written_row(selection, row.column(0)),
            Answer::Rows {
                fields,
                groups,
                count,
            } => {
                let affected = count.then(|| row.column(0)).flatten();
                let rows = (!groups.is_empty())
                    .then(|| row.column(usize::from(*count)))
                    .flatten();
                self.object(fields, |encoder, field| match field {
                    AnswerField::Typename(name) => {
                        write_str(name, &mut encoder.out);
                        Ok(())
                    }
                    AnswerField::AffectedCount => encoder.count(affected),
                    AnswerField::Nodes(group) => encoder.written_rows(groups, *group, rows),
                })
            }
        }
    }

    fn written_row(&mut self, selection: &Selection, value: Option<&[u8]>) -> Result<(), Fault> {
        let Some(value) = value else {
            self.out.extend_from_slice(b"null");
            return Ok(());
        };
        let start = self.out.len();
        match self.selection(selection, &mut Slots::record(value)?) {
            Err(Fault::Field(error)) => {
                self.out.truncate(start);
                self.null_or_fault(false, error)
            }
            result => result,
        }
    }

    fn count(&mut self, value: Option<&[u8]>) -> Result<(), Fault> {
        let bytes = value.and_then(|value| value.try_into().ok());
        let count = i64::from_be_bytes(bytes.ok_or(EncodeError::Malformed)?);
        let mut digits = itoa::Buffer::new();
        self.out.extend_from_slice(digits.format(count).as_bytes());
        Ok(())
    }

    /// `[…]` of one selection, which starts behind those before it.
    fn written_rows(
        &mut self,
        groups: &[Selection],
        group: usize,
        value: Option<&[u8]>,
    ) -> Result<(), Fault> {
        let rows = Items::Array(Elements::new(value.ok_or(EncodeError::Malformed)?)?);
        let start = groups[..group].iter().map(Selection::width).sum();
        self.out.push(b'[');
        rows.each(0..rows.len(), |index, slots| {
            if self.out.len() > self.limit {
                return Err(Fault::Broken(EncodeError::TooLarge));
            }
            if index > 0 {
                self.out.push(b',');
            }
            let segment = || PathSegment::Index(index);
            self.located(segment, |encoder| {
                slots.advance_to(start)?;
                encoder.selection(&groups[group], slots)
            })
        })?;
        self.out.push(b']');
        Ok(())
    }
}
