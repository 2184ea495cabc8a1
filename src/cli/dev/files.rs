//! The SQL files that a `dev` works with: read when asked for, and watched.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::config::TenantSql;
use crate::migrate::{self, Migrations};

/// How often they are looked at. File systems of other machines and of containers tell of no changes, and a look at
/// some files costs nothing.
const LOOK: Duration = Duration::from_millis(200);

/// Enough of each file to know that it has changed.
type Seen = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

pub(super) struct Files {
    sql: TenantSql,
    seen: Seen,
    /// What their author has been told of.
    notes: HashSet<String>,
}

impl Files {
    /// Looks at them, so that no change from now on is missed.
    pub(super) fn of(sql: &TenantSql) -> Self {
        let sql = sql.clone().for_authors();
        Self {
            seen: look(&sql.places()),
            notes: HashSet::new(),
            sql,
        }
    }

    /// Reads them, without those that have just been begun; `run` is the last version that a tenant has.
    pub(super) fn read(&mut self, run: i32) -> anyhow::Result<Migrations> {
        let migrations = self.sql.load_begun(run)?;
        for note in migrations.notes() {
            if !self.notes.contains(&note) {
                tracing::warn!("{note}");
                self.notes.insert(note);
            }
        }
        Ok(migrations)
    }

    /// Waits until they have changed, and been left alone for a moment: editors write in several steps.
    pub(super) async fn changed(&mut self) {
        let mut last = self.seen.clone();
        loop {
            tokio::time::sleep(LOOK).await;
            let now = look(&self.sql.places());
            if now == last && now != self.seen {
                self.seen = now;
                return;
            }
            last = now;
        }
    }
}

/// What cannot be read is not there; reading the files says why.
fn look(places: &[PathBuf]) -> Seen {
    let files = |place: &PathBuf| std::fs::read_dir(place).into_iter().flatten().flatten();
    let paths = places.iter().flat_map(files).map(|entry| entry.path());
    let sql = paths.filter(|path| migrate::is_sql(path));
    sql.map(|path| (path.clone(), state(&path))).collect()
}

fn state(path: &Path) -> (Option<SystemTime>, u64) {
    match std::fs::metadata(path) {
        Ok(found) => (found.modified().ok(), found.len()),
        Err(_) => (None, 0),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::write;

    use tokio::time::timeout;

    use super::*;

    fn files(dir: &Path) -> Files {
        Files::of(&TenantSql {
            tenant_sql: Some(dir.to_owned()),
            shared_sql: None,
        })
    }

    #[tokio::test]
    async fn a_change_is_told_once_it_is_over() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("tables");
        std::fs::create_dir(&dir).unwrap();
        write(dir.join("V1__a.sql"), "select 1").unwrap();
        let mut files = files(&dir);
        assert!(timeout(LOOK * 3, files.changed()).await.is_err());

        let writing = async {
            for length in 1..=8 {
                write(dir.join("V2__b.sql"), "select 2".split_at(length).0).unwrap();
                tokio::time::sleep(LOOK / 2).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = files.changed() => {}
            () = writing => {}
        }
        let text = std::fs::read_to_string(dir.join("V2__b.sql")).unwrap();
        assert_eq!(
            text, "select 2",
            "a half of the file was taken for the whole"
        );

        for other in ["notes.md", ".#V3__c.sql", "V3__c.sql~", "V3__c.sql.swp"] {
            write(dir.join(other), "no migration").unwrap();
        }
        assert!(timeout(LOOK * 3, files.changed()).await.is_err());

        // Files that tenants share may come to be.
        let shared = home.path().join("shared");
        std::fs::create_dir(&shared).unwrap();
        write(shared.join("V1__s.sql"), "select 1").unwrap();
        files.changed().await;
        std::fs::remove_file(dir.join("V2__b.sql")).unwrap();
        files.changed().await;
        assert!(timeout(LOOK * 3, files.changed()).await.is_err());
    }
}
