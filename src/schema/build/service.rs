//! The types of the service itself: scalars, `Node`, `PageInfo`.

use indexmap::IndexMap;

use super::{Builder, SORT_ORDERS, field};
use crate::schema::naming::Clash;
use crate::schema::scalars::scalar_defs;
use crate::schema::types::{EnumDef, EnumMeaning, FieldMeaning, ObjectDef, Type, TypeDef};

impl Builder<'_> {
    pub(super) fn add_service_types(&mut self) -> Result<(), Clash> {
        for (name, def) in scalar_defs() {
            self.add(name.into(), TypeDef::Scalar(def), "the service".into(), "")?;
        }
        let sort = EnumDef {
            description: Some("Without NULLS, rows without a value count as the greatest.".into()),
            values: SORT_ORDERS.map(str::to_owned).to_vec(),
            meaning: EnumMeaning::Keyword,
        };
        self.add(
            "SortOrder".into(),
            TypeDef::Enum(sort),
            "the service".into(),
            "",
        )?;
        let id = field(
            Type::named("ID").non_null(),
            FieldMeaning::NodeId,
            "Identifies the row among all rows.",
        );
        let node = ObjectDef {
            description: Some("Anything that `node` can fetch.".into()),
            fields: IndexMap::from([(self.options.node_id_field.clone(), id)]),
            node: false,
        };
        self.add(
            "Node".into(),
            TypeDef::Interface(node),
            "the service".into(),
            "",
        )?;
        self.add_page_info()?;
        self.add_groupings()?;
        self.add_log_in()
    }

    fn add_page_info(&mut self) -> Result<(), Clash> {
        let boolean = Type::named("Boolean").non_null();
        let cursor = Type::named("Cursor");
        let page = [
            (
                "hasNextPage",
                boolean.clone(),
                FieldMeaning::HasNextPage,
                "Whether more rows follow.",
            ),
            (
                "hasPreviousPage",
                boolean,
                FieldMeaning::HasPreviousPage,
                "Whether rows come before.",
            ),
            (
                "startCursor",
                cursor.clone(),
                FieldMeaning::StartCursor,
                "The place of the first row.",
            ),
            (
                "endCursor",
                cursor,
                FieldMeaning::EndCursor,
                "The place of the last row.",
            ),
        ];
        let fields = page
            .into_iter()
            .map(|(name, ty, meaning, text)| (name.into(), field(ty, meaning, text)));
        let page = ObjectDef {
            description: Some("Where a page lies in its list.".into()),
            fields: fields.collect(),
            node: false,
        };
        self.add(
            "PageInfo".into(),
            TypeDef::Object(page),
            "the service".into(),
            "",
        )
    }
}
