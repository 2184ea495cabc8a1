//! The types of one model: rows, connections, filters, orders, and the roots.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::Options;
use super::links::{LinkField, link_fields};
use super::naming::{Clash, TypeNames, column_field, describe, list_field, single_field};
use super::scalars::{SCALARS, filter_def, graphql_type, scalar_defs};
use super::types::{
    Blueprint, EnumDef, EnumMeaning, EnumNames, FieldDef, FieldMeaning, InputDef, InputFieldDef,
    InputMeaning, ListLink, ObjectDef, Quantifier, Type, TypeDef,
};
use super::words::{constants, pascal, singular};
use crate::model::{Column, EnumType, Key, Model, Relation, RelationId};

#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    #[error(transparent)]
    Clash(#[from] Clash),
    #[error("async-graphql refuses the schema: {0}")]
    Refused(String),
}

/// Type names that the service itself defines.
const RESERVED: [&str; 15] = [
    "Query",
    "Mutation",
    "Subscription",
    "Node",
    "PageInfo",
    "SortOrder",
    "LogIn",
    "Int",
    "Float",
    "String",
    "Boolean",
    "ID",
    "Upload",
    "Opaque",
    "JSONText",
];

/// The directions a list can be sorted in.
pub(crate) const SORT_ORDERS: [&str; 6] = [
    "ASC",
    "ASC_NULLS_FIRST",
    "ASC_NULLS_LAST",
    "DESC",
    "DESC_NULLS_FIRST",
    "DESC_NULLS_LAST",
];

pub(super) fn blueprint(model: &Model, options: &Options) -> Result<Blueprint, SchemaError> {
    let is_reserved =
        |name: &str| RESERVED.contains(&name) || SCALARS.iter().any(|(scalar, ..)| *scalar == name);
    let names = TypeNames::new(model, is_reserved)?;
    let links = link_fields(model, &names, &options.node_id_field)?;
    let mut builder = Builder {
        model,
        options,
        enums: enum_names(model, &names, is_reserved),
        names: &names,
        types: IndexMap::new(),
        origins: HashMap::new(),
    };
    builder.add_service_types()?;
    builder.add_enums()?;
    for id in model.relation_ids() {
        if let Some(name) = names.of(id) {
            builder.add_relation(id, name, &links[id.0])?;
        }
    }
    builder.add_roots()?;
    let types = builder.types;
    Ok(Blueprint {
        types,
        type_names: names.into_inner(),
    })
}

/// The GraphQL name of each Postgres enum; a table of the same name goes first.
fn enum_names(
    model: &Model,
    names: &TypeNames,
    is_reserved: impl Fn(&str) -> bool,
) -> HashMap<String, Arc<str>> {
    let tables: Vec<_> = model.relation_ids().filter_map(|id| names.of(id)).collect();
    let name_of = |ty: &EnumType| {
        let mut name = pascal(ty.comment.name.as_deref().unwrap_or(ty.name.as_str()));
        if is_reserved(&name) || tables.iter().any(|table| ***table == name) {
            name.push_str("Enum");
        }
        name
    };
    model
        .enums
        .iter()
        .map(|ty| (ty.name.as_str().to_owned(), name_of(ty).into()))
        .collect()
}

struct Builder<'m> {
    model: &'m Model,
    options: &'m Options,
    names: &'m TypeNames,
    enums: HashMap<String, Arc<str>>,
    types: IndexMap<String, TypeDef>,
    /// What each type comes from, for a clash's message.
    origins: HashMap<String, String>,
}

impl Builder<'_> {
    fn add(
        &mut self,
        name: String,
        def: TypeDef,
        origin: String,
        remedy: &str,
    ) -> Result<(), Clash> {
        if let Some(first) = self.origins.get(&name) {
            let (first, remedy) = (first.clone(), remedy.to_owned());
            return Err(Clash {
                name,
                first,
                second: origin,
                remedy,
            });
        }
        self.origins.insert(name.clone(), origin);
        self.types.insert(name, def);
        Ok(())
    }

    fn add_service_types(&mut self) -> Result<(), Clash> {
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
        )?;
        self.add_log_in()
    }

    fn add_log_in(&mut self) -> Result<(), Clash> {
        let string = Type::named("String").non_null();
        let input = InputDef {
            description: None,
            fields: IndexMap::from([
                ("email".to_owned(), plain(string.clone())),
                ("password".to_owned(), plain(string.clone())),
            ]),
            one_of: false,
        };
        self.add(
            "LogInInput".into(),
            TypeDef::Input(input),
            "the service".into(),
            "",
        )?;
        let token = field(
            string,
            FieldMeaning::AccessToken,
            "Goes into the header `Authorization: Bearer …`.",
        );
        let mut fields = IndexMap::from([("accessToken".to_owned(), token)]);
        if let Some(user) = self.users() {
            let user = Type::named(Arc::clone(user));
            fields.insert(
                "user".into(),
                field(user, FieldMeaning::LoggedInUser, "Who has logged in."),
            );
        }
        let payload = ObjectDef {
            description: None,
            fields,
            node: false,
        };
        self.add(
            "LogInPayload".into(),
            TypeDef::Object(payload),
            "the service".into(),
            "",
        )
    }

    /// The type of the service's own table of users.
    fn users(&self) -> Option<&Arc<str>> {
        let id = self
            .model
            .relations
            .iter()
            .position(|relation| relation.comment.users)?;
        self.names.of(RelationId(id))
    }

    fn add_enums(&mut self) -> Result<(), Clash> {
        for ty in &self.model.enums {
            let name = self.enums[ty.name.as_str()].to_string();
            let values = constants(&ty.labels);
            let names = EnumNames {
                ty: Arc::clone(ty),
                names: values.clone(),
            };
            let def = EnumDef {
                description: ty.comment.description.clone(),
                values,
                meaning: EnumMeaning::Labels(Arc::new(names)),
            };
            let remedy = format!("comment on type {} is '@name something_else'", ty.name);
            self.add(
                name,
                TypeDef::Enum(def),
                format!("enum {}", ty.name),
                &remedy,
            )?;
        }
        Ok(())
    }

    fn add_relation(
        &mut self,
        id: RelationId,
        name: &Arc<str>,
        links: &[LinkField],
    ) -> Result<(), Clash> {
        let relation = self.model.relation(id);
        let row = self.row_type(id, relation, links)?;
        let filter = self.filter_type(id, relation, name, links)?;
        let order = self.order_type(relation, links);
        let edge_name = self.names.edge(name);
        let connection = connection_type(name, &edge_name);
        let edge = edge_type(name);
        let list_filter = list_filter_type(&self.names.filter(name));
        let mut types = vec![
            (name.to_string(), TypeDef::Object(row)),
            (self.names.connection(name), TypeDef::Object(connection)),
            (edge_name, TypeDef::Object(edge)),
            (self.names.filter(name), TypeDef::Input(filter)),
            (self.names.list_filter(name), TypeDef::Input(list_filter)),
        ];
        if !order.fields.is_empty() {
            types.push((self.names.order(name), TypeDef::Input(order)));
        }
        let remedy = format!(
            "comment on table {} is '@name something_else'",
            relation.name
        );
        for (name, def) in types {
            self.add(name, def, describe(relation), &remedy)?;
        }
        Ok(())
    }

    fn column_field(&self, column: &Column) -> Option<String> {
        column_field(column, &self.options.node_id_field)
    }

    fn column_type(&self, column: &Column) -> Type {
        graphql_type(&column.ty, &|name| Arc::clone(&self.enums[name]))
    }

    fn row_type(
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
            let Some(name) = self.column_field(column) else {
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
                    description: column.comment.description.clone(),
                    deprecated: column.comment.deprecated.clone(),
                    args: IndexMap::new(),
                    ty: self.column_type(column).non_null_if(column.not_null),
                    meaning: FieldMeaning::Column(column_id),
                },
            );
        }
        for link in links {
            fields.insert(link.name.clone(), self.link_field(link));
        }
        let _ = id;
        let description = relation.comment.description.clone();
        Ok(ObjectDef {
            description,
            fields,
            node,
        })
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

    fn list_args(&self, relation: RelationId, name: &str) -> IndexMap<String, InputFieldDef> {
        let int = || Type::named("Int");
        let cursor = || Type::named("Cursor");
        let mut args = IndexMap::new();
        let mut add = |name: &str, ty: Type, meaning: InputMeaning, description: String| {
            args.insert(
                name.to_owned(),
                InputFieldDef {
                    description: Some(description),
                    ty,
                    meaning,
                },
            );
        };
        let Options {
            default_limit,
            max_limit,
            ..
        } = self.options;
        add(
            "where",
            Type::named(self.names.filter(name)),
            InputMeaning::Where,
            "Only rows that match.".into(),
        );
        if is_sortable(self.model.relation(relation)) {
            let order = Type::named(self.names.order(name)).non_null().list();
            add(
                "orderBy",
                order,
                InputMeaning::OrderBy,
                "The first key decides, then the next. By primary key when left out.".into(),
            );
        }
        add(
            "first",
            int(),
            InputMeaning::First,
            format!(
                "At most so many rows, from the start. {default_limit} when left out, {max_limit} at most."
            ),
        );
        add(
            "after",
            cursor(),
            InputMeaning::After,
            "Only rows behind this place.".into(),
        );
        add(
            "last",
            int(),
            InputMeaning::Last,
            "At most so many rows, from the end.".into(),
        );
        add(
            "before",
            cursor(),
            InputMeaning::Before,
            "Only rows before this place.".into(),
        );
        add(
            "offset",
            int(),
            InputMeaning::Offset,
            "Skips so many rows. Cursors are faster and stable.".into(),
        );
        args
    }

    fn filter_type(
        &mut self,
        id: RelationId,
        relation: &Relation,
        name: &str,
        links: &[LinkField],
    ) -> Result<InputDef, Clash> {
        let own = Type::named(self.names.filter(name));
        let mut fields = IndexMap::new();
        let list = own.clone().non_null().list();
        fields.insert(
            "and".to_owned(),
            input(list.clone(), InputMeaning::And, "All of these hold."),
        );
        fields.insert(
            "or".to_owned(),
            input(list, InputMeaning::Or, "At least one of these holds."),
        );
        fields.insert(
            "not".to_owned(),
            input(own, InputMeaning::Not, "This does not hold."),
        );
        for column_id in relation.column_ids() {
            let column = relation.column(column_id);
            let Some(field_name) = self.column_field(column) else {
                continue;
            };
            let (filter, def) = filter_def(&column.ty, &self.column_type(column));
            self.types
                .entry(filter.clone())
                .or_insert(TypeDef::Input(def));
            self.origins
                .entry(filter.clone())
                .or_insert_with(|| "the service".into());
            let def = InputFieldDef {
                description: column.comment.description.clone(),
                ty: Type::named(filter),
                meaning: InputMeaning::Column(column_id),
            };
            if fields.insert(field_name.clone(), def).is_some() {
                return Err(Clash {
                    name: field_name,
                    first: format!("the filter's own and, or, not on {}", describe(relation)),
                    second: format!("column {}.{}", relation.name, column.name),
                    remedy: format!(
                        "comment on column {}.{} is '@name something_else'",
                        relation.name, column.name
                    ),
                });
            }
        }
        for link in links {
            let Some(target) = self.names.of(link.target) else {
                continue;
            };
            let (ty, meaning) = match &link.meaning {
                FieldMeaning::ToOne(to_one) => (
                    self.names.filter(target),
                    InputMeaning::ToOne(Arc::clone(to_one)),
                ),
                FieldMeaning::ToOneReverse(link) | FieldMeaning::ToMany(link) => (
                    self.names.list_filter(target),
                    InputMeaning::ToMany(ListLink::Direct(Arc::clone(link))),
                ),
                FieldMeaning::Through(link) => (
                    self.names.list_filter(target),
                    InputMeaning::ToMany(ListLink::Through(Arc::clone(link))),
                ),
                _ => continue,
            };
            let def = InputFieldDef {
                description: None,
                ty: Type::named(ty),
                meaning,
            };
            fields.entry(link.name.clone()).or_insert(def);
        }
        let _ = id;
        let description = Some(format!(
            "Selects {name} rows; all given conditions must hold."
        ));
        Ok(InputDef {
            description,
            fields,
            one_of: false,
        })
    }

    fn order_type(&self, relation: &Relation, links: &[LinkField]) -> InputDef {
        let mut fields = IndexMap::new();
        for column_id in relation.column_ids() {
            let column = relation.column(column_id);
            if let Some(name) = self.column_field(column).filter(|_| column.ty.sortable) {
                let ty = Type::named("SortOrder");
                fields.insert(
                    name,
                    InputFieldDef {
                        description: None,
                        ty,
                        meaning: InputMeaning::Column(column_id),
                    },
                );
            }
        }
        if fields.is_empty() {
            return InputDef {
                description: None,
                fields,
                one_of: true,
            };
        }
        for link in links {
            if let (FieldMeaning::ToOne(to_one), Some(target)) =
                (&link.meaning, self.names.of(link.target))
                && is_sortable(self.model.relation(link.target))
            {
                let ty = Type::named(self.names.order(target));
                let meaning = InputMeaning::ToOne(Arc::clone(to_one));
                fields.insert(
                    link.name.clone(),
                    InputFieldDef {
                        description: None,
                        ty,
                        meaning,
                    },
                );
            }
        }
        InputDef {
            description: Some("One key to sort by.".into()),
            fields,
            one_of: true,
        }
    }

    fn add_roots(&mut self) -> Result<(), Clash> {
        let mut query: IndexMap<String, FieldDef> = IndexMap::new();
        let node_id = input(
            Type::named("ID").non_null(),
            InputMeaning::NodeId,
            "From any row.",
        );
        query.insert(
            "node".into(),
            FieldDef {
                args: IndexMap::from([(self.options.node_id_field.clone(), node_id)]),
                ..field(
                    Type::named("Node"),
                    FieldMeaning::Node,
                    "Any row, by its global id.",
                )
            },
        );
        if let Some(user) = self.users() {
            let user = Type::named(Arc::clone(user));
            query.insert(
                "viewer".into(),
                field(user, FieldMeaning::Viewer, "Who is asking."),
            );
        }
        let relations: Vec<_> = self
            .model
            .relation_ids()
            .filter_map(|id| Some((id, self.names.of(id)?)))
            .collect();
        for &(id, name) in &relations {
            let ty = Type::named(self.names.connection(name)).non_null();
            let def = FieldDef {
                description: self.model.relation(id).comment.description.clone(),
                deprecated: self.model.relation(id).comment.deprecated.clone(),
                args: self.list_args(id, name),
                ty,
                meaning: FieldMeaning::List(id),
            };
            self.add_root(&mut query, list_field(name), def, id)?;
        }
        for &(id, name) in &relations {
            for key in &self.model.relation(id).keys {
                self.add_lookup(&mut query, id, name, key)?;
            }
        }
        let description = Some("Everything that can be read.".to_owned());
        self.types.insert(
            "Query".into(),
            TypeDef::Object(ObjectDef {
                description,
                fields: query,
                node: false,
            }),
        );
        let log_in = FieldDef {
            args: IndexMap::from([(
                "input".to_owned(),
                plain(Type::named("LogInInput").non_null()),
            )]),
            ..field(
                Type::named("LogInPayload").non_null(),
                FieldMeaning::LogIn,
                "Exchanges an email address and a password for an access token.",
            )
        };
        let description = Some("Everything that can be changed.".to_owned());
        let fields = IndexMap::from([("logIn".to_owned(), log_in)]);
        self.types.insert(
            "Mutation".into(),
            TypeDef::Object(ObjectDef {
                description,
                fields,
                node: false,
            }),
        );
        Ok(())
    }

    /// `issue(id:)` for the primary key, `issueByProjectIdAndNumber(…)` for the others.
    fn add_lookup(
        &self,
        query: &mut IndexMap<String, FieldDef>,
        id: RelationId,
        name: &str,
        key: &Key,
    ) -> Result<(), Clash> {
        let relation = self.model.relation(id);
        let mut args = IndexMap::new();
        for &column_id in &key.columns {
            let column = relation.column(column_id);
            // A key with an omitted or an incomparable column cannot be asked for.
            let (Some(field), true) = (self.column_field(column), column.ty.sortable) else {
                return Ok(());
            };
            let ty = self.column_type(column).non_null();
            args.insert(
                field,
                InputFieldDef {
                    description: None,
                    ty,
                    meaning: InputMeaning::Key(column_id),
                },
            );
        }
        let long = {
            let columns: Vec<_> = args.keys().map(|name| pascal(name)).collect();
            format!("{}By{}", single_field(name), columns.join("And"))
        };
        let short = single_field(name);
        // Where singular and plural are one word (`news`), the lookup takes its long name.
        let field_name = if key.primary && !query.contains_key(&short) {
            short
        } else {
            long
        };
        let ty = Type::named(Arc::from(name));
        let text = format!("The {} with this key, if there is one.", singular(name));
        let def = FieldDef {
            args,
            ..field(ty, FieldMeaning::ByKey(id, key.columns.clone()), &text)
        };
        self.add_root(query, field_name, def, id)
    }

    fn add_root(
        &self,
        query: &mut IndexMap<String, FieldDef>,
        name: String,
        def: FieldDef,
        id: RelationId,
    ) -> Result<(), Clash> {
        let Some(other) = query.get(&name) else {
            query.insert(name, def);
            return Ok(());
        };
        let first = match &other.meaning {
            FieldMeaning::List(other) | FieldMeaning::ByKey(other, _) => {
                describe(self.model.relation(*other))
            }
            _ => "the service".into(),
        };
        let relation = self.model.relation(id);
        let remedy = format!(
            "comment on table {} is '@name something_else'",
            relation.name
        );
        Err(Clash {
            name,
            first,
            second: describe(relation),
            remedy,
        })
    }
}

/// Whether a list of these rows can be ordered by anything.
fn is_sortable(relation: &Relation) -> bool {
    relation
        .columns
        .iter()
        .any(|column| column.ty.sortable && !column.comment.omit)
}

fn connection_type(name: &str, edge: &str) -> ObjectDef {
    let row = Type::named(name).non_null();
    let edge = Type::named(edge).non_null();
    let fields = IndexMap::from([
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
    ]);
    ObjectDef {
        description: Some(format!("A list of {name} rows.")),
        fields,
        node: false,
    }
}

fn edge_type(name: &str) -> ObjectDef {
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

fn list_filter_type(filter: &str) -> InputDef {
    let filter = Type::named(filter);
    let quantifiers = [
        (
            "some",
            Quantifier::Some,
            "At least one of the rows matches.",
        ),
        (
            "every",
            Quantifier::Every,
            "All of the rows match; so do none at all.",
        ),
        ("none", Quantifier::None, "None of the rows matches."),
    ];
    let fields = quantifiers.into_iter().map(|(name, quantifier, text)| {
        (
            name.to_owned(),
            input(filter.clone(), InputMeaning::Quantifier(quantifier), text),
        )
    });
    InputDef {
        description: None,
        fields: fields.collect(),
        one_of: false,
    }
}

fn field(ty: Type, meaning: FieldMeaning, description: &str) -> FieldDef {
    FieldDef {
        description: Some(description.into()),
        deprecated: None,
        args: IndexMap::new(),
        ty,
        meaning,
    }
}

fn input(ty: Type, meaning: InputMeaning, description: &str) -> InputFieldDef {
    InputFieldDef {
        description: Some(description.into()),
        ty,
        meaning,
    }
}

fn plain(ty: Type) -> InputFieldDef {
    InputFieldDef {
        description: None,
        ty,
        meaning: InputMeaning::Plain,
    }
}
