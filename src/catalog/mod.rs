//! What is in the schemas of tenants, as texts that can be compared: with each other, and with what the migrations make.

mod change;
mod compare;
mod kind;
mod remedy;
mod script;
mod shape;
mod texts;

use std::collections::BTreeSet;
use std::fmt;

use sha2::{Digest as _, Sha256};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, GenericClient, Row, Transaction};

use crate::names::{RoleName, SchemaName};

pub(crate) use compare::{Change, Comparison, Difference, compare};
pub(crate) use kind::Kind;
pub(crate) use script::{Script, for_migrations};
pub(crate) use shape::shapes;

/// What stands for the name of a tenant's role in every text.
const ROLE: &str = "\"tenantry tenant role\"";
/// What stands for the schema's own name, where it has to be told.
const SCHEMA: &str = "\"tenantry tenant schema\"";
const SCHEMA_LITERAL: &str = "'tenantry tenant schema'";

/// Where a tenant's tables are, and who reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Workspace {
    pub(crate) schema: SchemaName,
    pub(crate) role: RoleName,
}

/// One thing that can be there or be otherwise by itself. Names are quoted as SQL wants them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) kind: Kind,
    /// What it is a part of, as statements call it (`table issues`), or nothing.
    pub(crate) parent: String,
    pub(crate) name: String,
    /// SQL, or the greater part of it.
    pub(crate) definition: String,
    /// What was made first comes first, within a kind.
    pub(crate) position: i64,
}

/// A digest of all objects of a schema: the same for the same tables.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint(String);

impl Fingerprint {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All that is in one schema, and what of it reads what else.
#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    pub(crate) objects: Vec<Object>,
    /// A relation, and a view or function that does not go on without it as it is.
    readers: BTreeSet<(String, (Kind, String))>,
}

impl Catalog {
    /// The names of the tables, as SQL wants them.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &str> {
        let tables = self.objects.iter();
        let tables = tables.filter(|object| object.kind == Kind::Table);
        tables.map(|table| table.name.as_str())
    }

    /// The same, but that the columns of its tables are those that they have in another one.
    pub(crate) fn with_columns_of(&self, other: &Self) -> Self {
        let tables: BTreeSet<_> = self.tables().map(|name| format!("table {name}")).collect();
        let is_column = |object: &&Object| {
            let kinds = [Kind::Column, Kind::NotNull, Kind::Default, Kind::Identity];
            kinds.contains(&object.kind) && tables.contains(&object.parent)
        };
        let kept = self.objects.iter().filter(|object| !is_column(object));
        let columns = other.objects.iter().filter(is_column);
        Self {
            objects: kept.chain(columns).cloned().collect(),
            readers: self.readers.clone(),
        }
    }
}

macro_rules! objects {
    () => {
        include_str!("../../sql/catalog/objects.sql")
    };
}

/// Lists what is in a schema but for `hidden` tables.
///
/// Settings of the transaction change: it is good for nothing else afterwards.
pub(crate) async fn list(
    transaction: &Transaction<'_>,
    workspace: &Workspace,
    hidden: &[&str],
) -> Result<Catalog, Error> {
    settle(transaction).await?;
    let rows = query(transaction, objects!(), &[workspace], hidden).await?;
    let objects = rows.iter().map(object).collect::<Result<_, _>>()?;
    let schema = workspace.schema.as_str();
    let readers = include_str!("../../sql/catalog/readers.sql");
    let rows = transaction
        .query_typed(readers, &[(&schema, Type::TEXT)])
        .await?;
    let reader = |row: &Row| -> Result<_, Error> {
        let kind = Kind::parse(row.try_get(1)?);
        Ok((row.try_get(0)?, (kind, row.try_get(2)?)))
    };
    let readers = rows.iter().map(reader).collect::<Result<_, _>>()?;
    Ok(Catalog { objects, readers })
}

/// The fingerprints of schemas, in their order; none for those that do not exist.
///
/// Settings of the transaction change: it is good for nothing else afterwards. Relations that views read are locked
/// against changes until it ends.
pub(crate) async fn fingerprints(
    transaction: &Transaction<'_>,
    workspaces: &[&Workspace],
    hidden: &[&str],
) -> Result<Vec<Option<Fingerprint>>, Error> {
    settle(transaction).await?;
    let statement = concat!(
        "with objects as (",
        objects!(),
        ") select workspace, encode(sha256(convert_to(string_agg( \
             concat_ws(e'\\x1f', kind, parent, name, definition), e'\\x1e' \
             order by kind collate \"C\", parent collate \"C\", name collate \"C\", definition collate \"C\"), \
           'UTF8')), 'hex') \
         from objects group by workspace"
    );
    let mut found = vec![None; workspaces.len()];
    for row in query(transaction, statement, workspaces, hidden).await? {
        let place = usize::try_from(row.try_get::<_, i32>(0)? - 1).unwrap_or(usize::MAX);
        if let Some(fingerprint) = found.get_mut(place) {
            *fingerprint = Some(Fingerprint(row.try_get(1)?));
        }
    }
    Ok(found)
}

/// What is another one as soon as anything in a schema has changed, or is listed in another way: texts that tell whether a
/// fingerprint still holds; none for schemas that do not exist.
///
/// A stamp that is taken before the fingerprint never stands for one of an older state.
pub(crate) async fn stamps(
    client: &impl GenericClient,
    schemas: &[&str],
) -> Result<Vec<Option<String>>, Error> {
    let digest = Sha256::digest(objects!());
    let listing: String = digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let statement = include_str!("../../sql/catalog/stamps.sql");
    let mut found = vec![None; schemas.len()];
    let rows = client
        .query_typed(statement, &[(&schemas, Type::TEXT_ARRAY)])
        .await?;
    for row in rows {
        let place = usize::try_from(row.try_get::<_, i32>(0)? - 1).unwrap_or(usize::MAX);
        if let Some(stamp) = found.get_mut(place) {
            *stamp = Some(format!("{listing} {}", row.try_get::<_, &str>(1)?));
        }
    }
    Ok(found)
}

/// Texts are printed, and the statements read, the same in every session: dumps leave settings behind. Catalogs are large where
/// tenants are many, and what is looked for in them is not.
async fn settle(transaction: &Transaction<'_>) -> Result<(), Error> {
    let statement = "select set_config('search_path', '', true), set_config('datestyle', 'ISO', true), \
         set_config('timezone', 'UTC', true), set_config('intervalstyle', 'iso_8601', true), \
         set_config('bytea_output', 'hex', true), set_config('extra_float_digits', '1', true), \
         set_config('quote_all_identifiers', 'off', true), set_config('jit', 'off', true), \
         set_config('standard_conforming_strings', 'on', true), \
         set_config('enable_seqscan', 'off', true)";
    transaction.query_typed(statement, &[]).await.map(drop)
}

async fn query(
    transaction: &Transaction<'_>,
    statement: &str,
    workspaces: &[&Workspace],
    hidden: &[&str],
) -> Result<Vec<Row>, Error> {
    let schemas = workspaces.iter().map(|w| w.schema.as_str());
    let roles = workspaces.iter().map(|w| w.role.as_str());
    let (schemas, roles): (Vec<_>, Vec<_>) = (schemas.collect(), roles.collect());
    let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
        (&schemas, Type::TEXT_ARRAY),
        (&roles, Type::TEXT_ARRAY),
        (&hidden, Type::TEXT_ARRAY),
    ];
    transaction.query_typed(statement, &parameters).await
}

fn object(row: &Row) -> Result<Object, Error> {
    Ok(Object {
        kind: Kind::parse(row.try_get("kind")?),
        parent: row.try_get("parent")?,
        name: row.try_get("name")?,
        definition: row.try_get("definition")?,
        position: row.try_get("position")?,
    })
}

#[cfg(test)]
mod tests;
