//! Objects of values that are computed over many rows.

use super::error::EncodeError;
use super::record::Record;
use super::row::{Encoder, Fault};
use super::text::write_str;
use crate::plan::{AggregateRead, ComputedField, ResponseKey};

/// The values of one row of aggregates, in the order in which they were planned.
pub(super) struct Computed<'v, 'c> {
    reads: &'c [AggregateRead],
    values: Vec<Option<&'v [u8]>>,
}

impl<'v, 'c> Computed<'v, 'c> {
    /// A single value stands for itself; several come as a record.
    pub(super) fn totals(
        reads: &'c [AggregateRead],
        value: Option<&'v [u8]>,
    ) -> Result<Self, EncodeError> {
        let mut values = Vec::with_capacity(reads.len());
        if reads.len() > 1 {
            let mut record = Record::new(value.ok_or(EncodeError::Malformed)?)?;
            for _ in reads {
                values.push(record.next()?);
            }
        } else {
            values.push(value);
        }
        Ok(Self { reads, values })
    }
}

impl Encoder<'_> {
    pub(super) fn computed(
        &mut self,
        computed: &Computed<'_, '_>,
        fields: &[(ResponseKey, ComputedField)],
    ) -> Result<(), Fault> {
        self.object(fields, |encoder, field| {
            encoder.computed_field(computed, field)
        })
    }

    pub(super) fn computed_field(
        &mut self,
        computed: &Computed<'_, '_>,
        field: &ComputedField,
    ) -> Result<(), Fault> {
        match field {
            ComputedField::Typename(name) => {
                write_str(name, &mut self.out);
                Ok(())
            }
            ComputedField::Aggregate(place) => {
                let read = computed.reads.get(*place).ok_or(EncodeError::Malformed)?;
                let value = computed.values.get(*place).copied().flatten();
                self.value(&read.codec, read.non_null, value)
            }
            ComputedField::Object(fields) => self.computed(computed, fields),
        }
    }
}
