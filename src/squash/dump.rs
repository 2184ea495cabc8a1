//! What `pg_dump` writes of a schema, as the body of a migration.

use std::fmt::Write as _;

use tokio_postgres::Client;

use super::error::SquashError;
use super::look::Look;
use crate::postgres::Cluster;
use crate::sql::Ident;

/// The database that a private cluster begins with.
const DATABASE: &str = "postgres";

/// The parts of a baseline, in the order in which they run.
#[derive(Debug)]
pub(super) struct Dump {
    pub(super) extensions: Vec<String>,
    /// Types, functions and tables.
    before_rows: String,
    /// What the files do to columns of the service's own tables. It comes before the first table, as views may read them.
    pub(super) columns: String,
    rows: String,
    /// Keys, indexes, triggers and policies.
    after_rows: String,
    /// What a dump does not tell.
    pub(super) rest: String,
}

impl Dump {
    /// Dumps what has been looked at, but for some tables, whose rows are dumped all the same.
    pub(super) async fn of(
        cluster: &Cluster,
        client: &Client,
        look: &Look,
        without: &[&str],
    ) -> Result<Self, SquashError> {
        // Names are written as in everybody's dumps: the schema is `public`, and the role is called as in migrations.
        let (schema, role) = (look.workspace.schema.quoted(), look.workspace.role.quoted());
        let rename = format!(
            "drop schema public; alter schema {schema} rename to public; alter role {role} rename to tenant"
        );
        client.batch_execute(&rename).await?;
        let dump = Self::written(cluster, look, without).await?;
        let back = format!(
            "alter schema public rename to {schema}; alter role tenant rename to {role}; create schema public"
        );
        client.batch_execute(&back).await?;
        Ok(dump)
    }

    async fn written(
        cluster: &Cluster,
        look: &Look,
        without: &[&str],
    ) -> Result<Self, SquashError> {
        let section = async |section: &str| {
            let excluded = without
                .iter()
                .map(|table| format!("--exclude-table=public.{table}"));
            let mut arguments = arguments(section);
            arguments.push("--schema=public".to_owned());
            arguments.extend(excluded);
            dump(cluster, &arguments).await
        };
        // Empty tables would cost a new tenant a round trip each.
        let filled = look.contents.filled().into_iter();
        let filled: Vec<_> = filled
            .map(|name| format!("--table=public.{name}"))
            .collect();
        let rows = if filled.is_empty() {
            String::new()
        } else {
            dump(cluster, &[arguments("data"), filled].concat()).await?
        };
        Ok(Self {
            extensions: Vec::new(),
            before_rows: section("pre-data").await?,
            columns: String::new(),
            rows,
            after_rows: section("post-data").await?,
            rest: String::new(),
        })
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for name in &self.extensions {
            let name = Ident::new(name);
            let _ = writeln!(text, "CREATE EXTENSION IF NOT EXISTS {name};");
        }
        // Functions come before the tables that they read.
        text.push_str("SET check_function_bodies = false;\n");
        let (before, after) = self.before_rows.split_at(first_relation(&self.before_rows));
        text.push_str(before);
        if !self.columns.is_empty() {
            text.push_str("\n-- Columns of the service's own tables.\n");
            text.push_str(&self.columns);
        }
        for part in [after, &self.rows, &self.after_rows] {
            text.push_str(part);
        }
        if !self.rest.is_empty() {
            text.push_str("\n-- What belongs to the service's own tables, and privileges.\n");
            text.push_str(&self.rest);
        }
        text.push_str("\nSET check_function_bodies = true;\n");
        text
    }
}

fn arguments(section: &str) -> Vec<String> {
    let arguments = [
        "--no-owner",
        "--no-privileges",
        "--no-tablespaces",
        "--no-security-labels",
        "--no-publications",
        "--no-subscriptions",
    ];
    let section = format!("--section={section}");
    (arguments.into_iter().map(str::to_owned))
        .chain([section])
        .collect()
}

async fn dump(cluster: &Cluster, arguments: &[String]) -> Result<String, SquashError> {
    let text = cluster.dump(DATABASE, arguments).await?;
    Ok(statements(&text).to_owned())
}

/// Every object is written under such a line.
const OBJECT: [&str; 2] = ["\n--\n-- Name: ", "\n--\n-- Data for Name: "];

/// A dump without its head, whose settings are the runner's business, and without its end.
fn statements(dump: &str) -> &str {
    let starts = OBJECT.iter().filter_map(|line| dump.find(line));
    let end = dump.rfind("\n--\n-- PostgreSQL database dump complete");
    match (starts.min(), end) {
        (Some(start), Some(end)) if start < end => &dump[start..end],
        _ => "",
    }
}

/// Where the first table, view or sequence is made; types and functions are before it.
fn first_relation(dump: &str) -> usize {
    let is_relation = |at: usize| {
        let line = dump[at..].trim_start_matches(['\n', '-']);
        let line = line.lines().next().unwrap_or_default();
        [
            "TABLE",
            "VIEW",
            "MATERIALIZED VIEW",
            "SEQUENCE",
            "FOREIGN TABLE",
        ]
        .iter()
        .any(|kind| line.contains(&format!("; Type: {kind};")))
    };
    let mut objects = dump.match_indices(OBJECT[0]).map(|(at, _)| at);
    objects.find(|at| is_relation(*at)).unwrap_or(dump.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "--\n-- PostgreSQL database dump\n--\n\n\\restrict x\n\nSET row_security = off;\n\n\
        --\n-- Name: mood; Type: TYPE; Schema: public; Owner: -\n--\n\ncreate type public.mood as enum ();\n\n\n\
        --\n-- Name: \"a;b\"; Type: TABLE; Schema: public; Owner: -\n--\n\ncreate table public.\"a;b\" ();\n\n\n\
        --\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict x\n\n";

    #[test]
    fn what_is_not_of_the_tables_is_left_out() {
        let text = statements(TEXT);
        assert!(text.starts_with("\n--\n-- Name: mood;"), "{text}");
        assert!(text.ends_with("();\n\n"), "{text}");
        assert!(!text.contains("restrict") && !text.contains("row_security"));
        assert_eq!(statements("--\n-- PostgreSQL database dump\n--\n"), "");
        assert_eq!(statements(""), "");
    }

    #[test]
    fn columns_of_the_service_come_after_types_and_before_tables() {
        let dump = Dump {
            extensions: vec!["odd \"one\"".to_owned()],
            before_rows: statements(TEXT).to_owned(),
            columns: "alter table users add mood mood;\n".to_owned(),
            rows: String::new(),
            after_rows: String::new(),
            rest: "comment on table users is 'x';\n".to_owned(),
        };
        let text = dump.text();
        let parts = [
            "CREATE EXTENSION IF NOT EXISTS \"odd \"\"one\"\"\";",
            "check_function_bodies = false",
            "create type",
            "alter table users",
            "create table",
            "comment on",
            "check_function_bodies = true",
        ];
        let places = parts.map(|part| text.find(part).unwrap_or_else(|| panic!("{part}: {text}")));
        assert!(places.is_sorted(), "{text}");
    }
}
