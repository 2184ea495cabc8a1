//! Files that have just been begun: run as they are, they could never be finished.

use super::{LoadError, Sources, script};

impl Sources {
    /// Leaves out the last files, after a version, that hold no statement yet; `run` is the last version that a
    /// tenant has.
    pub(in crate::migrate) fn begun(mut self, run: i32) -> Result<Self, LoadError> {
        let versioned = self.versioned()?;
        let begun = versioned.iter().rev().take_while(|(migration, (_, text))| {
            migration.version() > run && script::is_blank(text)
        });
        let begun: Vec<_> = begun.map(|(_, (name, _))| name.clone()).collect();
        // A directory of nothing else is told to hold no migration.
        self.files.retain(|(name, _)| !begun.contains(name));
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::migrate::Migrations;

    #[test]
    fn the_last_files_wait_for_a_statement_unless_they_have_run() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("V1__a.sql", "create table a (id int)"),
            ("V2__b.sql", "-- nothing\n"),
            ("V3__c.sql", "select 3"),
            ("V4__d.sql", "-- what it will do\n/* is not\nclear */ ;\n"),
            ("V5__e.sql", ""),
        ] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let app = |run| {
            let migrations = Migrations::load(Some((dir.path(), None)), run);
            migrations.unwrap().version().app
        };
        assert_eq!(app(None), 5);
        assert_eq!(app(Some(0)), 3);
        assert_eq!(app(Some(4)), 4);
    }
}
