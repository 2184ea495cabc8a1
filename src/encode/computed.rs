//! Objects of values that are computed over many rows.

use super::error::EncodeError;
use super::record::{Elements, Record};
use super::row::{Encoder, Fault, PathSegment};
use super::text::write_str;
use crate::plan::{AggregateRead, ComputedField, GroupKey, Grouping, ResponseKey, stands_alone};

/// The values of one row, in the order in which they were planned.
pub(super) struct Computed<'v, 'c> {
    keys: &'c [GroupKey],
    reads: &'c [AggregateRead],
    values: Vec<Option<&'v [u8]>>,
}

impl<'v, 'c> Computed<'v, 'c> {
    /// A single count stands for itself; others come as a record.
    pub(super) fn totals(
        reads: &'c [AggregateRead],
        value: Option<&'v [u8]>,
    ) -> Result<Self, EncodeError> {
        let values = match value {
            Some(value) if !stands_alone(reads) => {
                let mut record = Record::new(value)?;
                let values = reads.iter().map(|_| record.next());
                values.collect::<Result<_, _>>()?
            }
            value => vec![value],
        };
        Ok(Self {
            keys: &[],
            reads,
            values,
        })
    }

    /// A group: its keys, then what is computed over its rows.
    fn group(grouping: &'c Grouping, value: &'v [u8]) -> Result<Self, EncodeError> {
        let count = grouping.keys.len() + grouping.reads.len();
        let mut record = Record::new(value)?;
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(record.next()?);
        }
        Ok(Self {
            keys: &grouping.keys,
            reads: &grouping.reads,
            values,
        })
    }
}

impl Encoder<'_> {
    /// `[…]` of groups.
    pub(super) fn groups(
        &mut self,
        grouping: &Grouping,
        mut groups: Elements<'_>,
    ) -> Result<(), Fault> {
        self.out.push(b'[');
        for index in 0..groups.len() {
            if self.out.len() > self.limit {
                return Err(Fault::Broken(EncodeError::TooLarge));
            }
            if index > 0 {
                self.out.push(b',');
            }
            let group = groups.next()?.flatten().ok_or(EncodeError::Malformed)?;
            let computed = Computed::group(grouping, group)?;
            self.located(
                || PathSegment::Index(index),
                |encoder| encoder.computed(&computed, &grouping.fields),
            )?;
        }
        self.out.push(b']');
        Ok(())
    }

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
            ComputedField::Null => {
                self.out.extend_from_slice(b"null");
                Ok(())
            }
            ComputedField::Key(place) => {
                let key = computed.keys.get(*place).ok_or(EncodeError::Malformed)?;
                let value = computed.values.get(*place).copied().flatten();
                self.value(&key.codec, false, value)
            }
            ComputedField::Aggregate(place) => {
                let read = computed.reads.get(*place).ok_or(EncodeError::Malformed)?;
                let place = computed.keys.len() + place;
                let value = computed.values.get(place).copied().flatten();
                self.value(&read.codec, read.non_null, value)
            }
            ComputedField::Object(fields) => self.computed(computed, fields),
        }
    }
}
