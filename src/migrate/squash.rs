//! What whoever makes a baseline wants to know of the files, and has to say.

use std::collections::BTreeSet;

use super::baseline::Baseline;
use super::{History, LoadError, MigrationError, MigrationFile, MigrationSet, Migrations, SetName};

impl Migrations {
    /// The same, but that new schemas go the way of all files; these have to be there for that.
    pub(crate) fn without_baseline(mut self) -> Result<Self, LoadError> {
        self.app.without_baseline()?;
        self.finish()
    }

    /// Whether all is there that is to run where this has run.
    pub(crate) fn check_gone(&self, history: &History) -> Result<(), MigrationError> {
        self.app.refuse_gone(&history.of(SetName::App))
    }

    /// The service's own tables alone.
    pub(crate) fn without_app(mut self) -> Self {
        self.app.files.clear();
        self.app.baseline = None;
        self
    }
}

impl MigrationSet {
    /// The baseline's name, if there is one, and the last version that it stands for.
    pub(crate) fn baseline(&self) -> Option<(&str, i32)> {
        let baseline = self.baseline.as_ref()?;
        Some((&baseline.name, baseline.version()))
    }

    /// What a baseline of all files is called, as wide as the last one: `B007__baseline.sql`.
    pub(crate) fn baseline_name(&self) -> String {
        let last = self.last().and_then(|name| name.split_once("__"));
        let digits = last.and_then(|(number, _)| number.strip_prefix(['V', 'U']));
        let digits = digits.filter(|digits| digits.parse::<i32>() == Ok(self.version()));
        let number = digits.map_or_else(|| self.version().to_string(), str::to_owned);
        format!("B{number}__baseline.sql")
    }

    /// The text of a baseline that stands for all files.
    pub(crate) fn baseline_text(&self, body: &str) -> String {
        let files = self.files.iter().map(|file| &file.migration);
        Baseline::write(files, self.names.as_deref(), body)
    }

    /// The files up to a version that are there.
    pub(crate) fn there(&self, version: i32) -> impl Iterator<Item = &str> {
        let files = self.files.iter();
        let there = files.filter(move |file| file.version() <= version && !file.is_gone());
        there.map(MigrationFile::name)
    }

    /// The extensions that the files ask for.
    pub(crate) fn extensions(&self) -> BTreeSet<&str> {
        let extensions = self.scripts().flat_map(|script| &script.extensions);
        extensions.map(String::as_str).collect()
    }
}
