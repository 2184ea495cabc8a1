//! Files as they are read one after the other, each knowing what those before it have established.

use std::path::Path;

use super::{Known, LoadError, MigrationFile, MigrationSet, ScriptFile};

impl MigrationSet {
    /// Makes the files fit into a tenant's schema. Mistakes are told with the place that the files are in.
    pub(super) fn read(&mut self, known: &mut Known, place: &Path) -> Result<(), LoadError> {
        let bad = |name: &str, error| LoadError::BadScript {
            path: place.join(name),
            error,
        };
        known.foresee(self.texts_of_new_schemas());
        if let Some(baseline) = &mut self.baseline {
            let mut told = known.clone();
            let read = baseline.read(&mut told);
            read.map_err(|error| bad(&baseline.name, error))?;
            // The files themselves know best.
            if self.files.iter().any(MigrationFile::is_gone) {
                *known = told;
            }
        }
        for MigrationFile { migration, script } in &mut self.files {
            if let Some(text) = migration.sql() {
                let name = std::mem::take(&mut script.name);
                let read = ScriptFile::parse(&name, text, known);
                *script = read.map_err(|error| bad(&name, error))?;
            }
        }
        self.names = known.noted();
        Ok(())
    }

    /// What a schema is made of in one transaction, in this order.
    fn texts_of_new_schemas(&self) -> impl Iterator<Item = &str> {
        let baseline = self.baseline.as_ref();
        let last = baseline.map(|baseline| &*baseline.text);
        let files = self.files.iter().map(|file| &file.migration);
        let files = files.filter(move |file| {
            baseline.is_none_or(|baseline| baseline.of_version(file.version()).is_none())
        });
        last.into_iter().chain(files.filter_map(|file| file.sql()))
    }

    /// Leaves out what comes after a version, the baseline too where it goes beyond it.
    pub(in crate::migrate) fn cut(&mut self, last: i32) -> Result<(), LoadError> {
        self.files.retain(|file| file.version() <= last);
        let baseline = self.baseline.take_if(|baseline| baseline.version() > last);
        if let Some(baseline) = baseline {
            return self.without(&baseline.name);
        }
        // Files that are left out may have shaped what others make of a new schema.
        if self.scripts().all(|script| script.new.is_none()) {
            return Ok(());
        }
        self.read(&mut Known::default(), Path::new(""))
    }

    /// Has new schemas go the way of all files, when they are there.
    pub(in crate::migrate) fn without_baseline(&mut self) -> Result<(), LoadError> {
        match self.baseline.take() {
            Some(baseline) => self.without(&baseline.name),
            None => Ok(()),
        }
    }

    fn without(&mut self, baseline: &str) -> Result<(), LoadError> {
        let gone = self.files.iter().filter(|file| file.is_gone());
        let files: Vec<_> = gone.map(|file| file.name().to_owned()).collect();
        if !files.is_empty() {
            let baseline = baseline.to_owned();
            return Err(LoadError::Replaced { files, baseline });
        }
        self.read(&mut Known::default(), Path::new(""))
    }
}
