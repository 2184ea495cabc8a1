//! The catalog queries of `sql/introspect`, and their rows put together.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::{GenericClient, Row};

use super::comment::Comment;
use super::declared::{self, DeclarationError};
use super::types::{
    Column, ColumnId, ColumnType, Constraint, EnumType, ForeignKey, Key, Model, OtherText,
    OwnAggregates, Relation, RelationId, RelationKind, TypeKind,
};
use crate::sql::{Expression, Ident};

#[derive(Debug, thiserror::Error)]
pub enum IntrospectionError {
    #[error("no such schema: {0}")]
    NoSchema(String),
    #[error(transparent)]
    Declaration(#[from] DeclarationError),
    #[error("cannot read the catalog: {0}")]
    Postgres(#[from] tokio_postgres::Error),
}

/// Reads `schema`, and of its functions those that `role` may call (none stands for the role of
/// `client`). `hidden` names tables that are the service's own business (the migration histories).
pub async fn introspect(
    client: &impl GenericClient,
    schema: &str,
    role: Option<&str>,
    hidden: &[&str],
) -> Result<Model, IntrospectionError> {
    let oid: u32 = client
        .query_opt(
            "select oid from pg_namespace where nspname = $1",
            &[&schema],
        )
        .await?
        .ok_or_else(|| IntrospectionError::NoSchema(schema.to_owned()))?
        .get(0);
    let relations = client
        .query(include_str!("../../sql/introspect/relations.sql"), &[&oid])
        .await?;
    let columns = client
        .query(include_str!("../../sql/introspect/columns.sql"), &[&oid])
        .await?;
    let types = client
        .query(include_str!("../../sql/introspect/types.sql"), &[&oid])
        .await?;
    let keys = client
        .query(include_str!("../../sql/introspect/keys.sql"), &[&oid])
        .await?;
    let foreign = client
        .query(
            include_str!("../../sql/introspect/foreign_keys.sql"),
            &[&oid],
        )
        .await?;
    let functions = client
        .query(
            include_str!("../../sql/introspect/functions.sql"),
            &[&oid, &role],
        )
        .await?;

    let constraints = client
        .query(
            include_str!("../../sql/introspect/constraints.sql"),
            &[&oid],
        )
        .await?;

    let mut catalog = Catalog::new(&types);
    for row in &relations {
        if !hidden.contains(&row.get::<_, &str>("relname")) {
            catalog.add_relation(row);
        }
    }
    for row in &columns {
        catalog.add_column(row);
    }
    for row in &keys {
        catalog.add_key(row);
    }
    for row in &foreign {
        catalog.add_foreign_key(row);
    }
    for row in &functions {
        catalog.add_function(row);
    }
    for row in &constraints {
        catalog.add_constraint(row);
    }
    let mut model = catalog.finish();
    declared::declare(&mut model)?;
    for (key, statement) in declared::comparisons(&model, &Ident::new(schema)) {
        if let Err(error) = client.prepare(&statement).await {
            let reason = error.as_db_error().map(|error| error.message().to_owned());
            return Err(IntrospectionError::Declaration(DeclarationError {
                relation: model.relation(key.from).name.to_string(),
                tag: key.name.as_str().trim_start_matches('@').to_owned(),
                problem: reason.unwrap_or_else(|| error.to_string()),
            }));
        }
    }
    Ok(model)
}

/// The model under construction, with the object ids that join the catalog's rows.
pub(super) struct Catalog {
    pub(super) model: Model,
    pub(super) types: HashMap<u32, CatalogType>,
    enums: HashMap<u32, Arc<EnumType>>,
    pub(super) relations: HashMap<u32, RelationId>,
    /// (relation, attnum) → position, as dropped columns leave holes in attnum.
    columns: HashMap<(u32, i16), ColumnId>,
}

pub(super) struct CatalogType {
    name: String,
    pub(super) typtype: String,
    pub(super) base: u32,
    /// The relation that it is the row type of.
    pub(super) relation: u32,
    pub(super) element: u32,
    not_null: bool,
    home: String,
    shadowed: bool,
    sortable: bool,
    aggregates: OwnAggregates,
    labels: Option<Vec<String>>,
    comment: Comment,
}

impl Catalog {
    fn new(rows: &[Row]) -> Self {
        let types = rows
            .iter()
            .map(|row| {
                let ty = CatalogType {
                    name: row.get("typname"),
                    typtype: row.get("typtype"),
                    base: row.get("typbasetype"),
                    relation: row.get("typrelid"),
                    element: row.get("element"),
                    not_null: row.get("typnotnull"),
                    home: row.get("home"),
                    shadowed: row.get("shadowed"),
                    sortable: row.get("sortable"),
                    aggregates: OwnAggregates {
                        extremes: row.get("has_extremes"),
                        sum: row.get("has_sum"),
                    },
                    labels: row.get("labels"),
                    comment: Comment::parse(row.get("comment")),
                };
                (row.get("oid"), ty)
            })
            .collect();
        Self {
            model: Model::default(),
            types,
            enums: HashMap::new(),
            relations: HashMap::new(),
            columns: HashMap::new(),
        }
    }

    fn add_relation(&mut self, row: &Row) {
        let id = RelationId(self.model.relations.len());
        self.relations.insert(row.get("oid"), id);
        self.model.relations.push(Relation {
            name: Ident::new(row.get("relname")),
            kind: match row.get::<_, &str>("relkind") {
                "v" => RelationKind::View,
                "m" => RelationKind::MaterializedView,
                "f" => RelationKind::ForeignTable,
                "c" => RelationKind::Composite,
                _ => RelationKind::Table,
            },
            comment: Comment::parse(row.get("comment")),
            columns: Vec::new(),
            keys: Vec::new(),
        });
    }

    fn add_column(&mut self, row: &Row) {
        let oid: u32 = row.get("attrelid");
        let Some(&relation) = self.relations.get(&oid) else {
            return;
        };
        let type_oid: u32 = row.get("atttypid");
        let comment = Comment::parse(row.get("comment"));
        let dimensions = usize::try_from(row.get::<_, i32>("attndims")).unwrap_or(0);
        let dimensions = comment.declared.dimensions.unwrap_or(dimensions);
        let not_null = row.get("attnotnull") || self.is_not_null(type_oid);
        let column = Column {
            name: Ident::new(row.get("attname")),
            not_null: not_null || comment.declared.not_null,
            ty: self.column_type(type_oid, dimensions),
            generated: row.get("generated"),
            has_default: row.get("has_default"),
            computed: None,
            default: row
                .get::<_, Option<&str>>("default_expression")
                .map(Expression::new),
            comment,
        };
        let columns = &mut self.model.relations[relation.0].columns;
        self.columns
            .insert((oid, row.get("attnum")), ColumnId(columns.len()));
        columns.push(column);
    }

    fn add_key(&mut self, row: &Row) {
        let oid: u32 = row.get("indrelid");
        let Some(&relation) = self.relations.get(&oid) else {
            return;
        };
        let Some(columns) = self.column_ids(oid, &row.get::<_, Vec<i16>>("columns")) else {
            return;
        };
        let primary = row.get("indisprimary");
        let keys = &mut self.model.relations[relation.0].keys;
        if keys.iter().all(|key| key.columns != columns) {
            keys.push(Key { columns, primary });
        }
    }

    fn add_foreign_key(&mut self, row: &Row) {
        let (from, to): (u32, u32) = (row.get("conrelid"), row.get("confrelid"));
        let (Some(&from_id), Some(&to_id)) = (self.relations.get(&from), self.relations.get(&to))
        else {
            return;
        };
        let (Some(from_columns), Some(to_columns)) = (
            self.column_ids(from, &row.get::<_, Vec<i16>>("conkey")),
            self.column_ids(to, &row.get::<_, Vec<i16>>("confkey")),
        ) else {
            return;
        };
        // Two constraints over the same columns are one relation.
        let known = self.model.foreign_keys.iter().any(|key| {
            key.from == from_id
                && key.to == to_id
                && key.from_columns == from_columns
                && key.to_columns == to_columns
        });
        if !known {
            self.model.foreign_keys.push(ForeignKey {
                name: Ident::new(row.get("conname")),
                comment: Comment::parse(row.get("comment")),
                from: from_id,
                from_columns,
                to: to_id,
                to_columns,
                validated: row.get("convalidated"),
            });
        }
    }

    fn add_constraint(&mut self, row: &Row) {
        let oid: u32 = row.get("relation");
        let Some(&relation) = self.relations.get(&oid) else {
            return;
        };
        let columns = self.column_ids(oid, &row.get::<_, Vec<i16>>("columns"));
        self.model.constraints.push(Constraint {
            relation,
            name: row.get("name"),
            columns: columns.unwrap_or_default(),
        });
    }

    fn column_ids(&self, relation: u32, attnums: &[i16]) -> Option<Vec<ColumnId>> {
        attnums
            .iter()
            .map(|&attnum| self.columns.get(&(relation, attnum)).copied())
            .collect()
    }

    fn finish(mut self) -> Model {
        self.label_functions();
        let mut enums: Vec<_> = self.enums.into_values().collect();
        enums.sort_by(|a, b| a.name.cmp(&b.name));
        self.model.enums = enums;
        self.model
    }

    /// A domain "not null" says so for its columns.
    pub(super) fn is_not_null(&self, oid: u32) -> bool {
        self.types
            .get(&oid)
            .is_some_and(|ty| ty.typtype == "d" && (ty.not_null || self.is_not_null(ty.base)))
    }

    pub(super) fn column_type(&mut self, oid: u32, dimensions: usize) -> ColumnType {
        let Some(ty) = self.types.get(&oid) else {
            return ColumnType {
                kind: TypeKind::Other(OtherText::Cast),
                cast: None,
                sortable: false,
                enum_domain: false,
                aggregates: OwnAggregates::default(),
            };
        };
        let (base, element, is_domain) = (ty.base, ty.element, ty.typtype == "d");
        let reachable = ty.home == "catalog" || (ty.home != "elsewhere" && !ty.shadowed);
        let cast = reachable.then(|| Ident::new(&ty.name));
        let (sortable, aggregates) = (ty.sortable, ty.aggregates);
        if is_domain {
            // Values compare and travel as those of the base type.
            let ty = self.column_type(base, dimensions);
            let enum_domain = matches!(ty.kind, TypeKind::Enum(_));
            return ColumnType { enum_domain, ..ty };
        }
        if element != 0 {
            let element = self.column_type(element, 0);
            let sortable = element.sortable && cast.is_some();
            let cast = cast.filter(|_| element.cast.is_some());
            let kind = TypeKind::Array {
                element: Box::new(element),
                dimensions: dimensions.max(1),
            };
            return ColumnType {
                kind,
                cast,
                sortable,
                enum_domain: false,
                aggregates: OwnAggregates::default(),
            };
        }
        // Values that no parameter can be compared with cannot be a cursor's either.
        let sortable = sortable && cast.is_some();
        ColumnType {
            kind: self.kind(oid),
            cast,
            sortable,
            enum_domain: false,
            aggregates,
        }
    }

    fn kind(&mut self, oid: u32) -> TypeKind {
        let ty = &self.types[&oid];
        if let Some(labels) = &ty.labels {
            let made = self.enums.entry(oid).or_insert_with(|| {
                Arc::new(EnumType {
                    name: Ident::new(&ty.name),
                    labels: labels.clone(),
                    comment: ty.comment.clone(),
                })
            });
            return TypeKind::Enum(Arc::clone(made));
        }
        match (ty.home.as_str(), ty.name.as_str()) {
            ("catalog", name) => builtin(name),
            ("extensions", "citext") => TypeKind::Text,
            _ => TypeKind::Other(OtherText::Cast),
        }
    }
}

fn builtin(name: &str) -> TypeKind {
    match name {
        "bool" => TypeKind::Bool,
        "int2" => TypeKind::Int2,
        "int4" => TypeKind::Int4,
        "int8" => TypeKind::Int8,
        "oid" => TypeKind::Oid,
        "float4" => TypeKind::Float4,
        "float8" => TypeKind::Float8,
        "numeric" => TypeKind::Numeric,
        "text" | "varchar" | "bpchar" | "name" => TypeKind::Text,
        "char" => TypeKind::Char,
        "uuid" => TypeKind::Uuid,
        "timestamptz" => TypeKind::TimestampTz,
        "timestamp" => TypeKind::Timestamp,
        "date" => TypeKind::Date,
        "time" => TypeKind::Time,
        "interval" => TypeKind::Interval,
        "json" => TypeKind::Json,
        "jsonb" => TypeKind::Jsonb,
        "bytea" => TypeKind::Bytea,
        "inet" | "cidr" => TypeKind::Other(OtherText::Output),
        _ => TypeKind::Other(OtherText::Cast),
    }
}
