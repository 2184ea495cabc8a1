//! The documents that an operator trusts: files of GraphQL, and the manifests that client tools write.
//!
//! graphql-codegen and Relay write `{"<hash>": "<document>"}`, whatever the hash; Apollo writes
//! `{"format": "apollo-persisted-query-manifest", "operations": [{"id", "body"}]}`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::{DocumentId, Operation};
use crate::plan;

/// All of them, by what clients ask for them by.
#[derive(Debug, Default)]
pub(crate) struct Trusted {
    by_id: HashMap<Box<str>, Arc<TrustedDocument>>,
    by_text: HashMap<Box<str>, Arc<TrustedDocument>>,
}

#[derive(Debug)]
pub(crate) struct TrustedDocument {
    /// Never reused, so that what is cached under it is this document's.
    pub(super) number: u64,
    pub(super) text: Box<str>,
    /// The file, and the id within.
    pub(super) origin: String,
}

impl Trusted {
    /// Reads a directory: `*.graphql`, `*.gql` and `*.json` in it and below.
    pub(crate) fn load(dir: &Path) -> anyhow::Result<Self> {
        let mut trusted = Self::default();
        for file in files(dir)? {
            let shown = file.display().to_string();
            let text =
                std::fs::read_to_string(&file).with_context(|| format!("cannot read {shown}"))?;
            if file
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                trusted.manifest(&shown, &text).context(shown)?;
            } else {
                let stem = file.file_stem().unwrap_or_default().to_string_lossy();
                trusted.add(&stem, &text, shown.clone()).context(shown)?;
            }
        }
        ensure!(
            !trusted.by_id.is_empty(),
            "{} has no documents: *.graphql, *.gql, or manifests *.json",
            dir.display()
        );
        Ok(trusted)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_text.len()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &TrustedDocument> {
        self.by_text.values().map(|document| &**document)
    }

    /// By its id, with or without `sha256:` before it, or by its text.
    pub(super) fn find(&self, operation: &Operation) -> Option<&TrustedDocument> {
        let found = match &operation.document {
            Some(DocumentId::Hash(id)) => self.by_id.get(&**id),
            Some(DocumentId::Id(id)) => {
                let plain = id.strip_prefix("sha256:").unwrap_or(id);
                self.by_id.get(&**id).or_else(|| self.by_id.get(plain))
            }
            None => self.by_text.get(operation.query.trim()),
        };
        found.map(|document| &**document)
    }

    fn manifest(&mut self, file: &str, text: &str) -> anyhow::Result<()> {
        let value: Value = serde_json::from_str(text).context("it is not JSON")?;
        let Some(members) = value.as_object() else {
            bail!("it is no object");
        };
        if let Some(operations) = members.get("operations").and_then(Value::as_array) {
            for (index, operation) in operations.iter().enumerate() {
                let text = |name: &str| {
                    let text = operation[name].as_str();
                    text.with_context(|| format!("operation {index} has no {name}"))
                };
                let (id, body) = (text("id")?, text("body")?);
                self.add(id, body, format!("{file}, {id}"))?;
            }
            return Ok(());
        }
        for (id, document) in members {
            let Some(text) = document.as_str() else {
                bail!("{id} is no text: a manifest is {{\"<id>\": \"<document>\"}}, or Apollo's");
            };
            self.add(id, text, format!("{file}, {id}"))?;
        }
        Ok(())
    }

    /// Its SHA-256 is an id besides.
    fn add(&mut self, id: &str, text: &str, origin: String) -> anyhow::Result<()> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        plan::parse(text).with_context(|| format!("{id} is not GraphQL"))?;
        let hash = plan::sha256(text);
        let known = self.by_text.get(text.trim());
        let document = known.cloned().unwrap_or_else(|| {
            Arc::new(TrustedDocument {
                number: NEXT.fetch_add(1, Ordering::Relaxed),
                text: text.into(),
                origin,
            })
        });
        for id in [id, &hash] {
            let other = self.by_id.insert(id.into(), Arc::clone(&document));
            if let Some(other) = other.filter(|other| !Arc::ptr_eq(other, &document)) {
                bail!(
                    "the id {id} is also that of another document, in {}",
                    other.origin
                );
            }
        }
        self.by_text.insert(text.trim().into(), document);
        Ok(())
    }
}

/// In an order that does not depend on the machine.
fn files(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries =
        std::fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    for entry in entries {
        let path = entry?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if matches!(extension, Some("graphql" | "gql" | "json")) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(files: &[(&str, &str)]) -> anyhow::Result<Trusted> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Trusted::load(dir.path())
    }

    fn by_id(trusted: &Trusted, id: &str) -> Option<String> {
        let operation = Operation {
            document: Some(DocumentId::Id(id.into())),
            ..Operation::default()
        };
        Some(trusted.find(&operation)?.text.to_string())
    }

    #[test]
    fn what_client_tools_write_is_read() {
        let apollo = r#"{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [
            {"id": "ap0110", "name": "B", "type": "query", "body": "query B { b }"}]}"#;
        let trusted = load(&[
            ("A.graphql", "query A { a }\n"),
            ("deep/er/apollo.json", apollo),
            (
                "persisted-documents.json",
                r#"{"c0de": "query C { c }", "other": "query A { a }"}"#,
            ),
            ("README.md", "not { GraphQL"),
        ])
        .unwrap();
        assert_eq!(trusted.len(), 3);
        for (id, text) in [
            ("A", "query A { a }\n"),
            ("other", "query A { a }\n"),
            ("ap0110", "query B { b }"),
            ("c0de", "query C { c }"),
            ("sha256:c0de", "query C { c }"),
        ] {
            assert_eq!(by_id(&trusted, id).as_deref(), Some(text), "{id}");
        }
        let hash = plan::sha256("query C { c }");
        assert!(by_id(&trusted, &hash).is_some() && by_id(&trusted, "sha256:no").is_none());
        let by_text = Operation {
            query: " query C { c }\n".into(),
            ..Operation::default()
        };
        assert!(trusted.find(&by_text).is_some());
    }

    #[test]
    fn mistakes_are_told_with_their_file() {
        for (files, expected) in [
            (&[("A.graphql", "query {")][..], "A.graphql"),
            (&[("m.json", "[]")], "m.json"),
            (&[("m.json", r#"{"a": 1}"#)], "a is no text"),
            (
                &[("m.json", r#"{"operations": [{"id": "x"}]}"#)],
                "has no body",
            ),
            (
                &[("A.graphql", "{ a }"), ("b/A.gql", "{ b }")],
                "another document",
            ),
            (&[("README.md", "")], "has no documents"),
        ] {
            let error = format!("{:#}", load(files).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }
}
