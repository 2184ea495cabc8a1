//! The server's log: a file in the data directory that is kept small.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::error::ClusterError;
use super::files::open_private;

/// Above this size (bytes) the log is moved to `postgres.log.1` and begun anew.
const MAX_SIZE: u64 = 16 * 1024 * 1024;
/// How much of the end (bytes) is read to find the last lines.
const TAIL_SIZE: u64 = 16 * 1024;
const TAIL_LINES: usize = 15;

#[derive(Debug, Clone)]
pub(super) struct Log {
    path: PathBuf,
}

impl Log {
    pub(super) fn new(path: PathBuf) -> Log {
        Log { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A handle for the server's output. It appends, so the file may be emptied while the server writes.
    pub(super) fn open(&self) -> Result<File, ClusterError> {
        open_private(&self.path)
    }

    /// The size in bytes; what is logged from now on stands after it.
    pub(super) fn size(&self) -> u64 {
        self.path.metadata().map_or(0, |file| file.len())
    }

    /// Keeps one former log of at most about [`MAX_SIZE`] bytes. A failure only means that the log grows on.
    pub(super) fn trim(&self) {
        if self.size() > MAX_SIZE && fs::copy(&self.path, self.former()).is_ok() {
            let _ = File::options()
                .write(true)
                .open(&self.path)
                .and_then(|file| file.set_len(0));
        }
    }

    pub(super) fn remove(&self) {
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(self.former());
    }

    /// The last lines that were logged after position `from`.
    pub(super) fn tail(&self, from: u64) -> String {
        let start = from.max(self.size().saturating_sub(TAIL_SIZE));
        let mut bytes = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(start))?;
            file.read_to_end(&mut bytes)
        });
        if read.is_err() || bytes.is_empty() {
            return "(nothing)".to_owned();
        }
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }

    fn former(&self) -> PathBuf {
        self.path.with_added_extension("1")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn tells_the_last_lines_of_this_start_only() {
        let directory = tempfile::tempdir().unwrap();
        let log = Log::new(directory.path().join("postgres.log"));
        assert_eq!(log.tail(0), "(nothing)");
        let mut file = log.open().unwrap();
        writeln!(file, "of the former start").unwrap();
        let from = log.size();
        for line in 0..20 {
            writeln!(file, "line {line}").unwrap();
        }
        let tail = log.tail(from);
        assert!(
            tail.starts_with("line 5\n") && tail.ends_with("line 19"),
            "{tail}"
        );
        assert!(log.tail(from + 7).starts_with("line 5"));
    }

    #[test]
    fn a_long_log_is_begun_anew_under_an_open_handle() {
        let directory = tempfile::tempdir().unwrap();
        let log = Log::new(directory.path().join("postgres.log"));
        let mut file = log.open().unwrap();
        file.write_all(b"short\n").unwrap();
        log.trim();
        assert_eq!(log.size(), 6);
        file.write_all(&vec![b'x'; usize::try_from(MAX_SIZE).unwrap()])
            .unwrap();
        log.trim();
        file.write_all(b"after\n").unwrap();
        assert_eq!(log.tail(0), "after");
        assert!(log.former().metadata().unwrap().len() > MAX_SIZE);
    }
}
