//! The file that comes next in a directory of migrations.

use std::path::Path;

use super::{LoadError, baseline, directory, migration_stem};

/// What the next file in a directory is to be called; `name` is what follows its number.
pub(crate) fn next_file(place: &Path, name: &str) -> Result<String, LoadError> {
    let sources = directory(place)?;
    let versioned = sources.versioned()?;
    let last = versioned.last();
    let last = last.map(|(migration, (file, _))| (migration.version(), file));
    let baselines = sources.files.iter().filter_map(|(file, _)| {
        let version = baseline::version_in(file)?;
        Some((version, file))
    });
    let Some((last, file)) = baselines.chain(last).max_by_key(|(version, _)| *version) else {
        return Ok(format!("V1__{name}.sql"));
    };
    let is_numbered = migration_stem(file).is_some() || baseline::version_in(file).is_some();
    let Some((number, _)) = file.split_once("__").filter(|_| is_numbered) else {
        return Err(LoadError::Alone(place.join(file)));
    };
    let next = last.checked_add(1);
    let next = next.ok_or_else(|| LoadError::LastNumber(place.join(file)))?;
    // As wide as the others: V007 comes before V008.
    let width = number.len() - 1;
    Ok(format!("V{next:0width$}__{name}.sql"))
}

#[cfg(test)]
mod tests {
    use super::next_file;

    #[test]
    fn the_next_file_has_the_next_number_as_wide_as_the_last() {
        for (files, expected) in [
            (&[][..], Ok("V1__x.sql")),
            (&["seed.sql"], Ok("V1__x.sql")),
            (&["V1__a.sql"], Ok("V2__x.sql")),
            (&["V9__a.sql", "U10__b.sql"], Ok("V11__x.sql")),
            (&["V001__a.sql", "V009__b.sql"], Ok("V010__x.sql")),
            (&["chinook.sql"], Err("chinook.sql is alone")),
            (&["V2147483647__a.sql"], Err("last number")),
        ] {
            let dir = tempfile::tempdir().unwrap();
            for name in files {
                std::fs::write(dir.path().join(name), "select 1").unwrap();
            }
            let next = next_file(dir.path(), "x").map_err(|error| error.to_string());
            match (next, expected) {
                (Ok(next), Ok(expected)) => assert_eq!(next, expected),
                (Err(error), Err(expected)) => assert!(error.contains(expected), "{error}"),
                (next, expected) => panic!("{files:?}: {next:?}, not {expected:?}"),
            }
        }
    }
}
