//! Lists: their rows, edges, cursors, and where the page lies.

use super::computed::Computed;
use super::error::EncodeError;
use super::record::{Elements, Record};
use super::row::{Encoder, Fault, PathSegment};
use super::slots::{Items, Slots};
use super::text::write_str;
use crate::plan::{
    Bound, ComputedField, Connection, ConnectionField, Direction, EdgeField, PageField,
    ResponseKey, Selection, encode_cursor, encode_offset_cursor,
};

/// A list with what is known of it.
struct Page<'r, 'v, 'c> {
    connection: &'c Connection,
    rows: &'r Items<'v>,
    /// The rows to show; the query may have read one more.
    visible: std::ops::Range<usize>,
    /// There is one more in the direction of reading.
    more: bool,
    beside: &'r Beside<'v>,
    totals: &'r Computed<'v, 'c>,
    /// The place of the first row, where cursors are offsets.
    offset: u32,
}

/// What came beside the rows.
#[derive(Default)]
pub(super) struct Beside<'v> {
    totals: Option<&'v [u8]>,
    /// There are rows on the side that reading comes from.
    behind: bool,
    groupings: Vec<Elements<'v>>,
}

/// The values that a list consists of: a single one stands for itself, several come as a record.
enum Parts<'v> {
    One(&'v [u8]),
    Several(Record<'v>),
}

impl<'v> Parts<'v> {
    fn new(connection: &Connection, value: &'v [u8]) -> Result<Self, EncodeError> {
        Ok(match connection.parts() {
            1 => Self::One(value),
            _ => Self::Several(Record::new(value)?),
        })
    }

    fn next(&mut self) -> Result<&'v [u8], EncodeError> {
        match self {
            Self::One(value) => Ok(*value),
            Self::Several(record) => record.next()?.ok_or(EncodeError::Malformed),
        }
    }
}

impl Encoder<'_> {
    /// A list that arrived as one value: an array of rows, or a record with more beside it.
    pub(super) fn connection(
        &mut self,
        connection: &Connection,
        value: &[u8],
    ) -> Result<(), Fault> {
        let needs = connection.needs;
        let mut parts = Parts::new(connection, value)?;
        let rows = if needs.rows {
            Items::Array(Elements::new(parts.next()?)?)
        } else {
            Items::None
        };
        let mut beside = Beside::default();
        if !connection.totals.is_empty() {
            beside.totals = Some(parts.next()?);
        }
        if needs.behind {
            beside.behind = parts.next()? == [1];
        }
        for _ in &connection.groupings {
            beside.groupings.push(Elements::new(parts.next()?)?);
        }
        self.list(connection, &rows, &beside)
    }

    pub(super) fn list(
        &mut self,
        connection: &Connection,
        rows: &Items<'_>,
        beside: &Beside<'_>,
    ) -> Result<(), Fault> {
        let limit = self
            .bindings
            .limits
            .get(connection.page.limit.0)
            .copied()
            .unwrap_or_default() as usize;
        let (count, length) = (rows.len(), rows.len().min(limit));
        let visible = match connection.page.direction {
            Direction::Forward => 0..length,
            // Read backwards and turned around, the row too many comes first.
            Direction::Backward => count - length..count,
        };
        let totals = Computed::totals(&connection.totals, beside.totals)?;
        let page = Page {
            connection,
            rows,
            visible,
            more: count > length,
            beside,
            totals: &totals,
            offset: self.offset(connection),
        };
        self.object(&connection.fields, |encoder, field| {
            encoder.connection_field(&page, field)
        })
    }

    /// Where a list without keys starts: its cursors count rows.
    fn offset(&self, connection: &Connection) -> u32 {
        let page = &connection.page;
        let param = page.offset.or_else(|| {
            page.after
                .as_ref()
                .and_then(|after| after.0.first().copied())
        });
        match param
            .filter(|_| !connection.keyed)
            .and_then(|param| self.bindings.params.get(param.0))
        {
            Some(Bound::Number(offset)) => u32::try_from(*offset).unwrap_or_default(),
            _ => 0,
        }
    }

    fn connection_field(
        &mut self,
        page: &Page<'_, '_, '_>,
        field: &ConnectionField,
    ) -> Result<(), Fault> {
        match field {
            ConnectionField::Typename(name) => write_str(name, &mut self.out),
            ConnectionField::TotalCount(place) => {
                return self.computed_field(page.totals, &ComputedField::Aggregate(*place));
            }
            ConnectionField::Aggregates(fields) => return self.computed(page.totals, fields),
            ConnectionField::Groups(place) => {
                let grouping = page.connection.groupings.get(*place);
                let groups = page.beside.groupings.get(*place);
                let (grouping, groups) = grouping.zip(groups).ok_or(EncodeError::Malformed)?;
                return self.groups(grouping, groups.clone());
            }
            ConnectionField::Nodes(group) => {
                let (selection, start) = page.group(*group);
                return self.items(page, |encoder, _, slots| {
                    slots.advance_to(start)?;
                    encoder.selection(selection, slots)
                });
            }
            ConnectionField::Edges(fields) => {
                return self.edges(page, fields);
            }
            ConnectionField::PageInfo(fields) => {
                return self.object(fields, |encoder, field| encoder.page_field(page, field));
            }
        }
        Ok(())
    }

    /// `[…]` over the visible rows.
    fn items(
        &mut self,
        page: &Page<'_, '_, '_>,
        mut write: impl FnMut(&mut Self, usize, &mut Slots<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.out.push(b'[');
        page.rows.each(page.visible.clone(), |index, slots| {
            if self.out.len() > self.limit {
                return Err(Fault::Broken(EncodeError::TooLarge));
            }
            if index > 0 {
                self.out.push(b',');
            }
            self.located(
                || PathSegment::Index(index),
                |encoder| write(encoder, index, slots),
            )
        })?;
        self.out.push(b']');
        Ok(())
    }

    fn edges(
        &mut self,
        page: &Page<'_, '_, '_>,
        fields: &[(ResponseKey, EdgeField)],
    ) -> Result<(), Fault> {
        self.items(page, |encoder, index, slots| {
            // Cursors and nodes come in any order: each field reads the row from its start.
            encoder.object(fields, |encoder, field| {
                encoder.edge_field(page, index, field, slots.clone())
            })
        })
    }

    fn edge_field(
        &mut self,
        page: &Page<'_, '_, '_>,
        index: usize,
        field: &EdgeField,
        mut slots: Slots<'_>,
    ) -> Result<(), Fault> {
        match field {
            EdgeField::Typename(name) => {
                write_str(name, &mut self.out);
                Ok(())
            }
            EdgeField::Cursor => self.cursor(page, index, slots),
            EdgeField::Node(group) => {
                let (selection, start) = page.group(*group);
                slots.advance_to(start)?;
                self.selection(selection, &mut slots)
            }
        }
    }

    fn page_field(&mut self, page: &Page<'_, '_, '_>, field: &PageField) -> Result<(), Fault> {
        let forward = page.connection.page.direction == Direction::Forward;
        let length = page.visible.len();
        match field {
            PageField::Typename(name) => write_str(name, &mut self.out),
            PageField::HasNextPage => self.boolean(if forward {
                page.more
            } else {
                page.beside.behind
            }),
            PageField::HasPreviousPage => {
                self.boolean(if forward {
                    page.beside.behind
                } else {
                    page.more
                });
            }
            PageField::StartCursor | PageField::EndCursor if length == 0 => {
                self.out.extend_from_slice(b"null");
            }
            PageField::StartCursor => return self.cursor_of(page, 0),
            PageField::EndCursor => return self.cursor_of(page, length - 1),
        }
        Ok(())
    }

    fn boolean(&mut self, value: bool) {
        self.out
            .extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn cursor_of(&mut self, page: &Page<'_, '_, '_>, index: usize) -> Result<(), Fault> {
        let place = page.visible.start + index;
        page.rows.each(place..place + 1, |_, slots| {
            self.cursor(page, index, slots.clone())
        })
    }

    fn cursor(
        &mut self,
        page: &Page<'_, '_, '_>,
        index: usize,
        mut slots: Slots<'_>,
    ) -> Result<(), Fault> {
        let Page {
            connection, offset, ..
        } = page;
        self.out.push(b'"');
        if connection.keyed {
            let mut keys = Vec::with_capacity(connection.order.len());
            for _ in &connection.order {
                keys.push(slots.next()?);
            }
            encode_cursor(
                connection.fingerprint,
                keys.into_iter(),
                &mut self.scratch,
                &mut self.out,
            );
        } else {
            let place = offset.saturating_add(u32::try_from(index).unwrap_or(u32::MAX));
            encode_offset_cursor(
                connection.fingerprint,
                place,
                &mut self.scratch,
                &mut self.out,
            );
        }
        self.out.push(b'"');
        Ok(())
    }
}

impl<'c> Page<'_, '_, 'c> {
    /// The selection of a group, and the column that it starts at.
    fn group(&self, group: usize) -> (&'c Selection, usize) {
        let keys = if self.connection.cursors {
            self.connection.order.len()
        } else {
            0
        };
        let before: usize = self.connection.groups[..group]
            .iter()
            .map(Selection::width)
            .sum();
        (&self.connection.groups[group], keys + before)
    }
}
