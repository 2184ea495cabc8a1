//! What a relation answers with: its rows, and lists of them.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::{Builder, field};
use crate::model::{Column, Relation, RelationId};
use crate::schema::links::LinkField;
use crate::schema::naming::{Clash, column_field};
use crate::schema::types::{FieldDef, FieldMeaning, ObjectDef, Type};

impl Builder<'_> {
    pub(super) fn row_type(
        &self,
        id: RelationId,
        relation: &Relation,
        links: &[LinkField],
    ) -> Result<ObjectDef, Clash> {
        let mut fields = IndexMap::new();
        let node = relation.identity().is_some();
        if node {
            let text = "Identifies the row among all rows, for `node` and for client caches.";
            let def = field(Type::named("ID").non_null(), FieldMeaning::NodeId, text);
            fields.insert(self.options.node_id_field.clone(), def);
        }
        let mut origins: HashMap<String, &Column> = HashMap::new();
        for column_id in relation.column_ids() {
            let column = relation.column(column_id);
            let Some(name) = column_field(column, &self.options.node_id_field) else {
                continue;
            };
            if let Some(other) = origins.insert(name.clone(), column) {
                return Err(Clash {
                    name,
                    first: format!("column {}.{}", relation.name, other.name),
                    second: format!("column {}.{}", relation.name, column.name),
                    remedy: format!(
                        "comment on column {}.{} is '@name something_else'",
                        relation.name, column.name
                    ),
                });
            }
            fields.insert(
                name,
                FieldDef {
                    description: self.describe_column(id, column_id),
                    deprecated: column.comment.deprecated.clone(),
                    args: IndexMap::new(),
                    // Null stands for what may not be read, so that the rest of the row is there.
                    ty: self
                        .column_type(column)
                        .non_null_if(column.not_null && column.grants.select),
                    meaning: if column.grants.select {
                        FieldMeaning::Column(column_id)
                    } else {
                        FieldMeaning::Forbidden
                    },
                },
            );
        }
        for link in links {
            fields.insert(link.name.clone(), self.link_field(link));
        }
        self.add_row_functions(id, &mut fields)?;
        let description = relation.comment.description.clone();
        Ok(ObjectDef {
            description,
            fields,
            node,
        })
    }

    pub(super) fn connection_type(&self, id: RelationId, name: &str, edge: &str) -> ObjectDef {
        let aggregates = self.names.derived_family(name, "Aggregates");
        let row = Type::named(name).non_null();
        let edge = Type::named(edge).non_null();
        let mut fields = IndexMap::from([
            (
                "nodes".to_owned(),
                field(
                    row.list().non_null(),
                    FieldMeaning::Nodes,
                    "The rows of this page.",
                ),
            ),
            (
                "edges".to_owned(),
                field(
                    edge.list().non_null(),
                    FieldMeaning::Edges,
                    "The rows of this page with their cursors.",
                ),
            ),
            (
                "pageInfo".to_owned(),
                field(
                    Type::named("PageInfo").non_null(),
                    FieldMeaning::PageInfo,
                    "Where this page lies in the list.",
                ),
            ),
            (
                "totalCount".to_owned(),
                field(
                    Type::named("Int").non_null(),
                    FieldMeaning::TotalCount,
                    "How many rows match, on all pages.",
                ),
            ),
            (
                "aggregates".to_owned(),
                field(
                    Type::named(aggregates).non_null(),
                    FieldMeaning::Aggregates,
                    "What is computed over the rows that match, on all pages.",
                ),
            ),
        ]);
        if let Some(groups) = self.groups_field(id, name) {
            fields.insert("groups".to_owned(), groups);
        }
        ObjectDef {
            description: Some(format!("A list of {name} rows.")),
            fields,
            node: false,
        }
    }

    fn link_field(&self, link: &LinkField) -> FieldDef {
        let target = self
            .names
            .of(link.target)
            .map_or_else(Arc::default, Arc::clone);
        let (ty, args) = match &link.meaning {
            FieldMeaning::ToOne(to_one) => (
                Type::named(target).non_null_if(to_one.required),
                IndexMap::new(),
            ),
            FieldMeaning::ToOneReverse(_) => (Type::named(target), IndexMap::new()),
            _ => {
                let ty = Type::named(self.names.connection(&target)).non_null();
                (ty, self.list_args(link.target, &target))
            }
        };
        FieldDef {
            description: None,
            deprecated: None,
            args,
            ty,
            meaning: link.meaning.clone(),
        }
    }
}

pub(super) fn edge_type(name: &str) -> ObjectDef {
    let fields = IndexMap::from([
        (
            "cursor".to_owned(),
            field(
                Type::named("Cursor").non_null(),
                FieldMeaning::Cursor,
                "The row's place in the list.",
            ),
        ),
        (
            "node".to_owned(),
            field(
                Type::named(name).non_null(),
                FieldMeaning::EdgeNode,
                "The row.",
            ),
        ),
    ]);
    ObjectDef {
        description: None,
        fields,
        node: false,
    }
}
