//! The source text, file by file, and what can be asked of it.

use std::fs;
use std::path::Path;

/// A file of `src` or `tests`.
pub(crate) struct File {
    /// From the root of the package, with `/` between folders.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// The module that it belongs to: `plan`, `http`, or `apis` for `src/apis.rs`.
    pub(crate) fn module(&self) -> &str {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inner.split(['/', '.']).next().unwrap_or_default()
    }

    pub(crate) fn is_test(&self) -> bool {
        let names = ["tests.rs", "testing.rs", "residue.rs"];
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || names
                .iter()
                .any(|name| self.path.ends_with(&format!("/{name}")))
    }

    /// The lines of code, with their numbers: without comments, and without the unit tests at the end.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self
            .text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line));
        lines
            .take_while(|(_, line)| *line != "#[cfg(test)]")
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

pub(crate) fn files(folder: &str) -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        for path in
            entries.filter(|path| path.file_name().is_some_and(|name| name != "node_modules"))
        {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(File {
                    path: relative(root, &path),
                    text: fs::read_to_string(&path).unwrap(),
                });
            }
        }
    }
    assert!(!files.is_empty());
    files
}

fn relative(root: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(root).unwrap().iter();
    parts
        .map(|part| part.to_str().unwrap())
        .collect::<Vec<_>>()
        .join("/")
}

/// The product's code, without its tests.
pub(crate) fn sources() -> Vec<File> {
    files("src")
        .into_iter()
        .filter(|file| !file.is_test())
        .collect()
}

/// Fails with every place where a file that should not mention one of `words` does.
pub(crate) fn forbid(words: &[&str], why: &str, applies: impl Fn(&File) -> bool) {
    let mut found = Vec::new();
    for file in sources().iter().filter(|file| applies(file)) {
        for (number, line) in file.code() {
            if words.iter().any(|word| mentions(line, word)) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{why}\n{}", found.join("\n"));
}

/// Whether the word stands there, and not as a part of a longer one.
fn mentions(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let behind = line[start + word.len()..].chars().next();
        let open = |c: Option<char>| !c.is_some_and(part);
        (open(before) || !word.starts_with(part)) && (open(behind) || !word.ends_with(part))
    })
}
