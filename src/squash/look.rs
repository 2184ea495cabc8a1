//! All that one can tell of a schema: its catalog, how many objects of each kind are in it, and its rows.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error};

use super::error::SquashError;
use crate::catalog::{Catalog, Workspace};
use crate::migrate::Migrations;
use crate::names::SchemaName;
use crate::registry::Registry;

#[derive(Debug)]
pub(super) struct Look {
    pub(super) workspace: Workspace,
    pub(super) catalog: Catalog,
    pub(super) contents: Contents,
}

/// What is in the relations of a schema, by their names as SQL wants them, and how many objects there are of each kind.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Contents {
    relations: BTreeMap<String, Content>,
    kinds: BTreeMap<String, i64>,
}

#[derive(Debug, PartialEq, Eq)]
enum Content {
    /// How many there are, and the sum of their hashes.
    Rows(i64, String),
    /// Where a sequence is, and the table that it is dumped with, if it is that of an identity.
    Position(String, Option<String>),
    /// The same of the files that have run, which are the runner's business.
    Ran(i64, String),
    /// A materialized view that has been filled: what is in it follows from tables, as they were when it was filled last.
    Filled,
    /// Nothing has been put into it: a view that has not been filled, a sequence at its beginning.
    Nothing,
}

impl Look {
    /// Makes a schema, and looks at it.
    pub(super) async fn at_new(
        registry: &Registry,
        client: &Client,
        files: &Migrations,
    ) -> Result<Self, SquashError> {
        let workspace = registry.make_scratch(files).await?;
        let catalog = registry.catalog(files, &workspace).await?;
        let schema = &workspace.schema;
        // Of the files that have run, the time does not count.
        let history = files.app.history();
        let hidden = [files.base.history(), history];
        let mut contents = Contents::of(client, schema, &hidden).await?;
        let ran = format!("concat_ws(' ', {ROW}.version, {ROW}.name, {ROW}.checksum)");
        let (count, sum) = sum(client, schema, history, &ran).await?;
        let ran = Content::Ran(count, sum);
        contents.relations.insert(history.to_owned(), ran);
        Ok(Self {
            workspace,
            catalog,
            contents,
        })
    }

    /// The columns that have other values in another schema of the same tables.
    pub(super) async fn differing_columns(
        &self,
        other: &Self,
        client: &Client,
    ) -> Result<Vec<String>, SquashError> {
        let mut columns = Vec::new();
        for table in differing(&self.contents.relations, &other.contents.relations) {
            let before = columns.len();
            let [here, there] = [&self.workspace.schema, &other.workspace.schema];
            let statement = "select quote_ident(attname) from pg_attribute \
                 where attrelid = to_regclass($1) and attnum > 0 and not attisdropped order by attnum";
            let relation = format!("{}.{table}", here.quoted());
            let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&relation, Type::TEXT)];
            for row in client.query_typed(statement, &parameters).await? {
                let column: String = row.try_get(0)?;
                let value = format!("coalesce({ROW}.{column}::text, '')");
                let values = async |schema: &SchemaName| {
                    enter(client, schema).await?;
                    sum(client, schema, &table, &value).await
                };
                if values(here).await? != values(there).await? {
                    columns.push(format!("{table}.{column}"));
                }
            }
            if columns.len() == before {
                columns.push(table);
            }
        }
        Ok(columns)
    }
}

impl Contents {
    /// What is in a schema but for `hidden` tables.
    pub(super) async fn of(
        client: &Client,
        schema: &SchemaName,
        hidden: &[&str],
    ) -> Result<Self, SquashError> {
        enter(client, schema).await?;
        let statement = "select quote_ident(c.relname), c.relkind::text, c.relispopulated, coalesce(s.seqstart, 0), \
               (select quote_ident(t.relname) from pg_depend d join pg_class t on t.oid = d.refobjid \
                where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass \
                  and d.deptype = 'i') \
             from pg_class c left join pg_sequence s on s.seqrelid = c.oid \
             where c.relnamespace = to_regnamespace(quote_ident($1)) and c.relkind in ('r', 'm', 'S') \
               and c.relname <> all ($2)";
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&schema.as_str(), Type::TEXT), (&hidden, Type::TEXT_ARRAY)];
        let mut relations = BTreeMap::new();
        for row in client.query_typed(statement, &parameters).await? {
            let name: String = row.try_get(0)?;
            let content = match (row.try_get(1)?, row.try_get(2)?) {
                ("S", _) => match position(client, schema, &name, row.try_get(3)?).await? {
                    Some(position) => Content::Position(position, row.try_get(4)?),
                    None => Content::Nothing,
                },
                (_, false) => Content::Nothing,
                ("m", true) => Content::Filled,
                (_, true) => {
                    let row = format!("{ROW}::text");
                    let (count, sum) = sum(client, schema, &name, &row).await?;
                    Content::Rows(count, sum)
                }
            };
            relations.insert(name, content);
        }
        let kinds = kinds(client, schema).await?;
        Ok(Self { relations, kinds })
    }

    /// What has to be dumped for its rows: tables into which some have been put, and sequences that have moved.
    pub(super) fn filled(&self) -> BTreeSet<&str> {
        let filled = self
            .relations
            .iter()
            .filter_map(|(name, content)| match content {
                Content::Rows(0, _) | Content::Ran(..) | Content::Filled | Content::Nothing => None,
                Content::Position(_, Some(table)) => Some(table.as_str()),
                Content::Rows(..) | Content::Position(_, None) => Some(name.as_str()),
            });
        filled.collect()
    }

    /// What is not the same in another schema.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let mut names: Vec<_> = differing(&self.relations, &other.relations);
        let kinds = differing(&self.kinds, &other.kinds).into_iter();
        names.extend(kinds.map(|kind| format!("the number of entries in {kind}")));
        names
    }
}

fn differing<T: PartialEq>(one: &BTreeMap<String, T>, other: &BTreeMap<String, T>) -> Vec<String> {
    let here = one
        .iter()
        .filter(|(name, is)| other.get(*name) != Some(*is));
    let there = other.keys().filter(|name| !one.contains_key(*name));
    here.map(|(name, _)| name).chain(there).cloned().collect()
}

/// A name that no column has, so that it means the row.
const ROW: &str = "tenantry_row";

/// Values are printed the same whatever the schema is called.
async fn enter(client: &Client, schema: &SchemaName) -> Result<(), Error> {
    let statement = "select set_config('search_path', quote_ident($1) || ', extensions', false)";
    let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&schema.as_str(), Type::TEXT)];
    client.query_typed(statement, &parameters).await.map(drop)
}

/// The number of rows and the sum of their hashes, which does not depend on their order.
async fn sum(
    client: &Client,
    schema: &SchemaName,
    table: &str,
    value: &str,
) -> Result<(i64, String), Error> {
    let statement = format!(
        "select count(*), coalesce(sum(hashtextextended({value}, 0)), 0)::text from only {}.{table} as {ROW}",
        schema.quoted()
    );
    let row = client.query_typed_one(&statement, &[]).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// None at its beginning.
async fn position(
    client: &Client,
    schema: &SchemaName,
    sequence: &str,
    start: i64,
) -> Result<Option<String>, Error> {
    let schema = schema.quoted();
    let statement = format!("select last_value, is_called from {schema}.{sequence}");
    let row = client.query_typed_one(&statement, &[]).await?;
    let (last, called): (i64, bool) = (row.try_get(0)?, row.try_get(1)?);
    Ok((last != start || called).then(|| format!("{last} {called}")))
}

/// The catalogs with entries of this schema, or of types in it, and how many: also those that no listing knows.
async fn kinds(client: &Client, schema: &SchemaName) -> Result<BTreeMap<String, i64>, SquashError> {
    let statement = "with home as (select to_regnamespace(quote_ident($1))::oid as oid), \
         entries as ( \
           select d.classid, d.objid from pg_depend d, home \
           where d.refclassid = 'pg_namespace'::regclass and d.refobjid = home.oid \
           union \
           select d.classid, d.objid from home join pg_type t on t.typnamespace = home.oid \
           join pg_depend d on d.refclassid = 'pg_type'::regclass and d.refobjid = t.oid \
           where d.classid in ('pg_cast'::regclass, 'pg_transform'::regclass)) \
         select classid::regclass::text, count(*) from entries group by classid";
    let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&schema.as_str(), Type::TEXT)];
    let rows = client.query_typed(statement, &parameters).await?;
    let kinds = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    Ok(kinds.collect::<Result<_, Error>>()?)
}
