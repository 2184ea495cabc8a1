//! The baseline of a directory, and what it stands for: files that are there still, and files that are gone.

use super::{LoadError, MigrationFile, MigrationSet, Sources, baseline};
use crate::migrate::baseline::Baseline;

impl Sources {
    /// Finds the baseline, if there is one, and adds the files that it stands for and that are gone.
    pub(super) fn put_baseline(&self, set: &mut MigrationSet) -> Result<(), LoadError> {
        let Some(baseline) = self.baseline()? else {
            return Ok(());
        };
        for file in &set.files {
            self.check(file, &baseline)?;
        }
        let gone = baseline.files_that_are_gone(&set.files);
        set.files.extend(gone);
        set.files.sort_by_key(MigrationFile::version);
        set.baseline = Some(Box::new(baseline));
        Ok(())
    }

    /// The last one: a squash that was killed has left the one before.
    fn baseline(&self) -> Result<Option<Baseline>, LoadError> {
        let files = self.files.iter();
        let numbered = files.filter_map(|file| Some((baseline::version_in(&file.0)?, file)));
        let Some((_, (name, text))) = numbered.max_by_key(|(version, _)| *version) else {
            return Ok(None);
        };
        let baseline = Baseline::parse(name, text);
        let baseline = baseline.map_err(|error| LoadError::BadBaseline {
            path: self.place.join(name),
            error,
        });
        baseline.map(Some)
    }

    /// A file that is there has to be the one that is meant, or to come after all of those.
    fn check(&self, file: &MigrationFile, baseline: &Baseline) -> Result<(), LoadError> {
        let (path, name) = (self.place.join(file.name()), baseline.name.clone());
        match baseline.of_version(file.version()) {
            Some(meant) if *meant != file.migration => Err(LoadError::OtherFile {
                path,
                baseline: name,
            }),
            // What is called U may run late.
            None if file.version() < baseline.version() && !file.name().starts_with('U') => {
                Err(LoadError::TooLate {
                    path,
                    next: baseline.version() + 1,
                    baseline: name,
                })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use refinery_core::Migration;

    use super::*;
    use crate::migrate::load::next_file;
    use crate::migrate::{Migrations, SchemaVersion};

    const FILES: [(&str, &str); 4] = [
        ("V1__a.sql", "create table a (id int)"),
        ("U2__b.sql", "create table b (id int)"),
        ("V3__c.sql", "create table c (id int)"),
        ("V5__d.sql", "create table d (id int)"),
    ];

    /// Stands for the first so many files.
    fn baseline(count: usize) -> (String, String) {
        let files = FILES[..count].iter().map(|(name, text)| {
            let stem = name.strip_suffix(".sql").unwrap();
            Migration::unapplied(stem, text).unwrap()
        });
        let files: Vec<_> = files.collect();
        let text = Baseline::write(files.iter(), None, "create table all_of_it ();\n");
        let version = files.last().unwrap().version();
        (format!("B{version}__baseline.sql"), text)
    }

    fn load(files: &[(&str, &str)]) -> Result<Migrations, String> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        Migrations::from_dir(dir.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_replaced_counts_whether_it_is_there_or_not() {
        let whole = load(&FILES).unwrap();
        let (name, text) = baseline(3);
        let baseline = (name.as_str(), text.as_str());
        for there in [&FILES[..], &FILES[1..], &FILES[3..]] {
            let loaded = load(&[&[baseline], there].concat()).unwrap();
            assert_eq!(loaded.version(), whole.version());
            assert_eq!(loaded.digest(), whole.digest());
            assert_eq!(loaded.app.len(), 4);
            assert!(loaded.app.baseline.is_some());
        }
        let alone = load(&[baseline]).unwrap();
        assert_eq!(alone.version(), whole.clone().up_to(3).unwrap().version());
        // Of two the later one counts.
        let (later, all) = self::baseline(4);
        let both = load(&[baseline, (&later, &all)]).unwrap();
        assert_eq!(both.app.baseline.unwrap().name, later);
    }

    #[test]
    fn the_past_is_there_as_long_as_its_files_are() {
        let whole = load(&FILES).unwrap();
        let (name, text) = baseline(3);
        let kept = load(&[&[(&*name, &*text)], &FILES[..]].concat()).unwrap();
        let removed = load(&[(&name, &text), FILES[3]]).unwrap();
        for version in [1, 2] {
            let then = whole.clone().up_to(version).unwrap().version();
            let cut = kept.clone().up_to(version).unwrap();
            assert!(cut.version() == then && cut.app.baseline.is_none());
            assert!(kept.at(then).is_some() && removed.at(then).is_none());
            let error = removed.clone().up_to(version).unwrap_err().to_string();
            assert!(error.contains("stands for them: V1__a.sql"), "{error}");
        }
        for version in [3, 5] {
            let then = whole.clone().up_to(version).unwrap().version();
            let [kept, removed] = [&kept, &removed].map(|files| files.at(then).unwrap());
            assert!(kept.app.baseline.is_some() && removed.app.baseline.is_some());
        }
        let other = SchemaVersion {
            digest: 5,
            ..whole.version()
        };
        assert!(kept.at(other).is_none());
    }

    #[test]
    fn files_that_are_not_meant_are_refused() {
        let (name, text) = baseline(3);
        let baseline = (name.as_str(), text.as_str());
        let refused = |file: (&str, &str), expected: &str| {
            let error = load(&[baseline, file]).unwrap_err();
            assert!(
                error.contains(file.0) && error.contains(expected),
                "{error}"
            );
        };
        refused(("V1__a.sql", "create table e (id int)"), "must not change");
        refused(("V3__other.sql", FILES[2].1), "must not change");
        let late = load(&[baseline, ("V2__late.sql", "select 2")]).unwrap_err();
        assert!(late.contains("must not change"), "{late}");
        let (name, text) = self::baseline(4);
        let error = load(&[(&name, &text), ("V4__late.sql", "select 4")]).unwrap_err();
        assert!(
            error.contains("greater number") && error.contains("version 6"),
            "{error}"
        );
        assert!(load(&[(&name, &text), ("U4__late.sql", "select 4")]).is_ok());
        let error = load(&[("B3__x.sql", "create table a ()")]).unwrap_err();
        assert!(error.contains("B3__x.sql: its first lines"), "{error}");
    }

    #[test]
    fn the_next_file_comes_after_the_baseline() {
        let dir = tempfile::tempdir().unwrap();
        let (name, text) = baseline(4);
        std::fs::write(dir.path().join(&name), text).unwrap();
        assert_eq!(next_file(dir.path(), "x").unwrap(), "V6__x.sql");
        std::fs::write(dir.path().join("V07__e.sql"), "select 7").unwrap();
        assert_eq!(next_file(dir.path(), "x").unwrap(), "V08__x.sql");
    }

    #[test]
    fn later_files_name_what_those_that_are_gone_have_established() {
        let one = (
            "V1__a.sql",
            "create schema hr; create schema pr; create table hr.d (a int); create table pr.d (a int);",
        );
        let two = (
            "V2__b.sql",
            "alter table pr.d add b int; insert into hr.d values (1);",
        );
        let files = load(&[one, two]).unwrap();
        let body = "create table d (a int); create table pr_d (a int);";
        let first = files.app.files[..1].iter().map(|file| &file.migration);
        let text = Baseline::write(first, files.app.names.as_deref(), body);
        let squashed = load(&[("B1__baseline.sql", &text), two]).unwrap();
        let statements = |migrations: &Migrations| -> Vec<String> {
            let later = migrations.app.after(1)[0].statements();
            later.iter().map(|one| one.text().to_owned()).collect()
        };
        assert_eq!(statements(&squashed), statements(&files));
        assert_eq!(statements(&squashed)[0], "alter table pr_d add b int");
    }
}
