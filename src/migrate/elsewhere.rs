//! What files say of the schemas of certain tenants, though they run for all.

use std::collections::HashSet;

use super::MigrationFile;

impl MigrationFile {
    /// The first of some schemas that the file names: `schema.table`, also in a string that is run.
    pub(crate) fn named_schema<'a>(&'a self, schemas: &HashSet<String>) -> Option<&'a str> {
        let sql = self.text();
        let is_part = |char: char| char.is_alphanumeric() || matches!(char, '_' | '$' | '"');
        let mut parts = sql.split('.');
        // What comes behind the last dot is nobody's schema.
        parts.next_back();
        parts.find_map(|part| {
            let start = part
                .char_indices()
                .rev()
                .take_while(|(_, char)| is_part(*char))
                .last()
                .map_or(part.len(), |(at, _)| at);
            let name = part[start..].trim_matches('"');
            schemas.contains(name).then_some(name)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use crate::migrate::Migrations;

    #[test]
    fn a_schema_is_named_before_a_dot() {
        let schemas = HashSet::from(["tenant_acme".to_owned()]);
        let named = |sql: &str| {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("V1__a.sql"), sql).unwrap();
            let migrations = Migrations::from_dir(dir.path()).unwrap();
            let file = migrations.app.skip(0).first().unwrap();
            file.named_schema(&schemas).map(str::to_owned)
        };
        for sql in [
            "insert into tenant_acme.items values (1)",
            r#"select 1; create table "tenant_acme".t (id int)"#,
            "do $$ begin execute 'drop table tenant_acme.t'; end $$",
        ] {
            assert_eq!(named(sql).as_deref(), Some("tenant_acme"), "{sql}");
        }
        for sql in [
            "create table tenant_acme (id int)",
            "create table my_tenant_acme (id int); select a.id from my_tenant_acme a",
            "create table t (tenant_acme int); select t.tenant_acme from t",
        ] {
            assert_eq!(named(sql), None, "{sql}");
        }
    }
}
