//! What git knows of a directory, where there is git.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

/// A command of git's about a directory.
pub(super) fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(dir).args(arguments);
    git
}

/// Those of a directory's files that the last commit does not have as they are now. None outside of a repository, and where
/// there is no git.
pub(super) fn uncommitted<'a>(dir: &Path, files: &'a [String]) -> Option<Vec<&'a str>> {
    let inside = names(dir, &["rev-parse", "--is-inside-work-tree"])?;
    if !inside.contains("true\n") {
        return None;
    }
    // Without any commit there is nothing in it.
    let known = ["ls-tree", "-z", "--name-only", "HEAD", "./"];
    let known = names(dir, &known).unwrap_or_default();
    let changed = [
        "diff",
        "-z",
        "--name-only",
        "--relative",
        "HEAD",
        "--",
        "./",
    ];
    let changed = names(dir, &changed).unwrap_or_default();
    let files = files.iter().map(String::as_str);
    let lost = files.filter(|file| !known.contains(*file) || changed.contains(*file));
    Some(lost.collect())
}

/// What it has printed, if it went well.
fn names(dir: &Path, arguments: &[&str]) -> Option<HashSet<String>> {
    let output = command(dir, arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = text.split('\0').map(str::to_owned);
    output.status.success().then(|| names.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_safe_as_it_was_committed() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("deep");
        std::fs::create_dir(&place).unwrap();
        let files = ["a.sql", "it's é.sql", "new.sql"].map(str::to_owned);
        let write = |file: &str, text: &str| std::fs::write(place.join(file), text).unwrap();
        write(&files[0], "1");
        write(&files[1], "1");
        let git = |arguments: &[&str]| {
            let who = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
            let mut git = command(dir.path(), &who);
            let output = git.args(arguments).env("GIT_CONFIG_NOSYSTEM", "1").output();
            output.is_ok_and(|output| output.status.success())
        };
        if !git(&["version"]) {
            return; // there is none on this machine
        }
        assert_eq!(uncommitted(&place, &files), None);
        assert!(git(&["init", "--quiet"]));
        assert_eq!(uncommitted(&place, &files).unwrap().len(), 3);
        assert!(git(&["add", "."]) && git(&["commit", "--quiet", "-m", "both"]));
        write(&files[2], "1");
        assert_eq!(uncommitted(&place, &files).unwrap(), ["new.sql"]);
        write(&files[0], "2");
        let lost = ["a.sql", "new.sql"];
        assert_eq!(uncommitted(&place, &files).unwrap(), lost);
        assert!(git(&["add", "."]));
        assert_eq!(uncommitted(&place, &files).unwrap(), lost);
        assert!(git(&["commit", "--quiet", "-m", "all"]));
        assert!(uncommitted(&place, &files).unwrap().is_empty());
    }
}
