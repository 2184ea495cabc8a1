//! The catalog queries of `sql/introspect`, and their rows put together.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::{GenericClient, Row};

use super::column_types::CatalogType;
use super::comment::Comment;
use super::declared::{self, DeclarationError};
use super::types::{
    Column, ColumnGrants, ColumnId, EnumType, Grants, Model, Relation, RelationId, RelationKind,
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

/// Reads `schema` and the one that tenants share, with what `role` may do there (none stands for the
/// role of `client`). `hidden` names tables that are the service's own
/// business (the migration histories).
pub async fn introspect(
    client: &impl GenericClient,
    schema: &str,
    shared: Option<&str>,
    role: Option<&str>,
    hidden: &[&str],
) -> Result<Model, IntrospectionError> {
    // Statements this quick only lose by being compiled, which their estimates would have Postgres do.
    client
        .batch_execute("select set_config('jit', 'off', true)")
        .await?;
    let schemas = [Some(schema), shared];
    let oids = oids(client, schemas.into_iter().flatten()).await?;
    macro_rules! ask {
        ($file:literal, $($value:expr),*) => {{
            let statement = include_str!(concat!("../../sql/introspect/", $file, ".sql"));
            client.query(statement, &[$(&$value),*]).await?
        }};
    }
    let members = ask!("relations_of", oids);
    let members: Vec<u32> = members.iter().map(|row| row.get("oid")).collect();
    let relations = ask!("relations", oids, role, members);
    let columns = ask!("columns", oids, role, members);
    let types = ask!("types", oids, members);
    let type_oids: Vec<u32> = types.iter().map(|row| row.get("oid")).collect();
    let operators = ask!("operators", type_oids);
    let searches = ask!("searches", oids, members);
    let keys = ask!("keys", members);
    let foreign = ask!("foreign_keys", members);
    let functions = ask!("functions", oids, role);
    let constraints = ask!("constraints", members);
    let runs_anything = ask!("runs_anything", oids);

    let mut catalog = Catalog::new(&types, &operators);
    for row in &relations {
        if !hidden.contains(&row.get::<_, &str>("relname")) {
            catalog.add_relation(row);
        }
    }
    for row in &columns {
        catalog.add_column(row);
    }
    for row in &searches {
        catalog.add_search(row);
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
    model.runs_anything = runs_anything.iter().any(|row| row.get(0));
    declared::declare(&mut model)?;
    compare(client, &model, schema).await?;
    Ok(model)
}

async fn oids(
    client: &impl GenericClient,
    schemas: impl Iterator<Item = &str>,
) -> Result<Vec<u32>, IntrospectionError> {
    let mut oids = Vec::new();
    for schema in schemas {
        let statement = "select oid from pg_namespace where nspname = $1";
        let row = client.query_opt(statement, &[&schema]).await?;
        let row = row.ok_or_else(|| IntrospectionError::NoSchema(schema.to_owned()))?;
        oids.push(row.get(0));
    }
    Ok(oids)
}

/// Whether Postgres can compare the columns of references that comments declare.
async fn compare(
    client: &impl GenericClient,
    model: &Model,
    schema: &str,
) -> Result<(), IntrospectionError> {
    for (key, statement) in declared::comparisons(model, &Ident::new(schema)) {
        if let Err(error) = client.prepare(&statement).await {
            let reason = error.as_db_error().map(|error| error.message().to_owned());
            return Err(IntrospectionError::Declaration(DeclarationError {
                relation: model.relation(key.from).name.to_string(),
                tag: key.name.as_str().trim_start_matches('@').to_owned(),
                problem: reason.unwrap_or_else(|| error.to_string()),
            }));
        }
    }
    Ok(())
}

/// The model under construction, with the object ids that join the catalog's rows.
pub(super) struct Catalog {
    pub(super) model: Model,
    pub(super) types: HashMap<u32, CatalogType>,
    pub(super) enums: HashMap<u32, Arc<EnumType>>,
    pub(super) relations: HashMap<u32, RelationId>,
    /// (relation, attnum) → position, as dropped columns leave holes in attnum.
    pub(super) columns: HashMap<(u32, i16), ColumnId>,
}

impl Catalog {
    fn new(rows: &[Row], operators: &[Row]) -> Self {
        let types = CatalogType::all(rows, operators);
        let text = types
            .values()
            .find(|ty| ty.name == "text" && ty.home == "catalog");
        let text_operators = text.map(|ty| ty.operators.clone()).unwrap_or_default();
        Self {
            model: Model {
                text_operators,
                ..Model::default()
            },
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
            elsewhere: row.get::<_, Option<&str>>("elsewhere").map(Ident::new),
            kind: match row.get::<_, &str>("relkind") {
                "v" => RelationKind::View,
                "m" => RelationKind::MaterializedView,
                "f" => RelationKind::ForeignTable,
                "c" => RelationKind::Composite,
                _ => RelationKind::Table,
            },
            comment: Comment::parse(row.get("comment")),
            grants: Grants {
                insert: row.get("may_insert"),
                update: row.get("may_update"),
                delete: row.get("may_delete"),
            },
            lockable: row.get("may_lock"),
            row_security: row.get("row_security"),
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
            ty: self
                .column_type(type_oid, dimensions)
                .folding(row.get("folds")),
            generated: row.get("generated"),
            has_default: row.get("has_default"),
            computed: None,
            default: row
                .get::<_, Option<&str>>("default_expression")
                .map(Expression::new),
            grants: ColumnGrants {
                select: row.get("may_select"),
                insert: row.get("may_insert"),
                update: row.get("may_update"),
            },
            comment,
        };
        let columns = &mut self.model.relations[relation.0].columns;
        self.columns
            .insert((oid, row.get("attnum")), ColumnId(columns.len()));
        columns.push(column);
    }

    fn add_search(&mut self, row: &Row) {
        let oid: u32 = row.get("relation");
        let column = self.column_ids(oid, &[row.get("attnum")]);
        if let (Some(&relation), Some([column])) = (self.relations.get(&oid), column.as_deref()) {
            let ty = &mut self.model.relations[relation.0].columns[column.0].ty;
            ty.search = Some(Expression::new(row.get("configuration")));
        }
    }

    fn finish(mut self) -> Model {
        self.label_functions();
        let mut enums: Vec<_> = self.enums.into_values().collect();
        enums.sort_by(|a, b| a.name.cmp(&b.name));
        self.model.enums = enums;
        self.model
    }
}
