//! Full-text search, with the configuration of its column.

use super::writer::Writer;
use crate::model::{ColumnType, TypeKind};
use crate::plan::ParamId;
use crate::schema::Call;

/// The words: a `tsvector` as it is, and of a text `to_tsvector('english'::regconfig, t0."body")`,
/// as its index has it.
pub(super) fn words(writer: &mut Writer<'_>, ty: &ColumnType, value: impl FnOnce(&mut Writer<'_>)) {
    if !matches!(ty.kind, TypeKind::Text) {
        return value(writer);
    }
    writer.push("to_tsvector(");
    configured(writer, ty);
    value(writer);
    writer.push(")");
}

/// `websearch_to_tsquery('english'::regconfig, $1::text)`
pub(super) fn query(writer: &mut Writer<'_>, ty: &ColumnType, call: Call, param: ParamId) {
    writer.push(match call {
        Call::WebSearch => "websearch_to_tsquery(",
        Call::TsQuery => "to_tsquery(",
    });
    configured(writer, ty);
    writer.param(param);
    writer.push(")");
}

fn configured(writer: &mut Writer<'_>, ty: &ColumnType) {
    if let Some(configuration) = &ty.search {
        writer.display(configuration);
        writer.push(", ");
    }
}
