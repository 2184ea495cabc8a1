//! Documents: given as text, by their hash, or by the id of one that the operator trusts; parsed and
//! validated once.
//!
//! Automatic persisted queries follow Apollo's protocol: a client asks by the SHA-256 of the text; when
//! the hash is unknown it sends both, and from then on the hash is enough. A text is kept under no
//! other hash than its own, so that nobody can put words into anybody's mouth.

mod trusted;

use std::sync::Arc;

use arc_swap::ArcSwap;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use crate::error::{Code, Failure};
use crate::limits::{Limit, Limits};
use crate::plan::{self, Document, Variables};
use crate::schema::Api;

pub(crate) use trusted::Trusted;

/// What a GraphQL request asks for.
#[derive(Debug, Default)]
pub(crate) struct Operation {
    /// Empty where the document is named instead.
    pub(crate) query: String,
    /// The document's hash or id.
    pub(crate) document: Option<DocumentId>,
    pub(crate) name: Option<String>,
    pub(crate) variables: Variables,
}

/// What names a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DocumentId {
    /// Apollo's `extensions.persistedQuery.sha256Hash`; some generators put other hashes there.
    Hash(String),
    /// `documentId`, as the GraphQL-over-HTTP working group proposes: `sha256:…`, or of the
    /// operator's own choice.
    Id(String),
}

/// Which documents are run.
pub(crate) enum Policy {
    Any,
    /// Those of `--trusted-documents`.
    Trusted(Arc<ArcSwap<Trusted>>, Others),
}

/// What becomes of documents that are not trusted; introspection is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Others {
    /// They are answered `DOCUMENT_NOT_TRUSTED`.
    Refuse,
    /// They are run, and logged as warnings.
    Log,
}

/// The documents of one process.
pub(crate) struct Documents {
    policy: Policy,
    known: Cache<Key, Arc<Document>, Weight>,
}

/// A document of an API, under what it is asked for by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key(u64, Name<Box<str>>);

/// The same, borrowed from a request.
#[derive(Hash)]
struct KeyRef<'a>(u64, Name<&'a str>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Name<T> {
    Text(T),
    /// In hexadecimal digits.
    Sha256(T),
    /// The number of a trusted one.
    Trusted(u64),
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.0 == key.0
            && match (self.1, &key.1) {
                (Name::Text(asked), Name::Text(known))
                | (Name::Sha256(asked), Name::Sha256(known)) => *asked == **known,
                (Name::Trusted(asked), Name::Trusted(known)) => asked == *known,
                _ => false,
            }
    }
}

impl Documents {
    /// Keeps so many bytes of them.
    pub(crate) fn new(bytes: u64, policy: Policy) -> Self {
        let entries = usize::try_from(bytes / 4096).unwrap_or(usize::MAX).max(64);
        Self {
            policy,
            known: Cache::with_weighter(entries, bytes, Weight),
        }
    }

    /// The valid document of an operation, and whether it may do no more than introspect.
    pub(crate) fn find(
        &self,
        api: &Api,
        operation: &Operation,
        limits: &Limits,
    ) -> Result<(Arc<Document>, bool), Vec<Failure>> {
        limits
            .check(Limit::Document, operation.query.len() as u64)
            .map_err(|failure| vec![failure])?;
        let Policy::Trusted(trusted, others) = &self.policy else {
            return Ok((self.any(api, operation)?, false));
        };
        let trusted = trusted.load();
        if let Some(found) = trusted.find(operation) {
            let name = Name::Trusted(found.number);
            return Ok((self.parsed(api, name, &found.text)?, false));
        }
        match others {
            Others::Log => {
                tracing::warn!(
                    operation.name = operation.name,
                    document.id = ?operation.document,
                    document.bytes = operation.query.len(),
                    "a document that is not trusted"
                );
                Ok((self.any(api, operation)?, false))
            }
            Others::Refuse if operation.query.is_empty() => Err(vec![not_trusted()]),
            Others::Refuse => Ok((self.any(api, operation)?, true)),
        }
    }

    fn any(&self, api: &Api, operation: &Operation) -> Result<Arc<Document>, Vec<Failure>> {
        let text = &*operation.query;
        let Some(id) = &operation.document else {
            return self.parsed(api, Name::Text(text), text);
        };
        let digits = sha256_of(id).map_err(|failure| vec![failure])?;
        if let Some(document) = self.known.get(&KeyRef(api.id, Name::Sha256(digits))) {
            return Ok(document);
        }
        if text.is_empty() {
            // Clients look for these very words before they send the text.
            let failure = Failure::new(Code::PersistedQueryNotFound, "PersistedQueryNotFound");
            return Err(vec![failure]);
        }
        if plan::sha256(text) != digits {
            let message =
                "the hash is not the SHA-256 of the query, in lowercase hexadecimal digits";
            return Err(vec![Failure::new(Code::BadUserInput, message)]);
        }
        self.parsed(api, Name::Sha256(digits), text)
    }

    fn parsed(
        &self,
        api: &Api,
        name: Name<&str>,
        text: &str,
    ) -> Result<Arc<Document>, Vec<Failure>> {
        if let Some(document) = self.known.get(&KeyRef(api.id, name)) {
            return Ok(document);
        }
        let document = Document::parse(api, text)
            .map_err(|errors| errors.into_iter().map(Failure::from).collect::<Vec<_>>())?;
        let document = Arc::new(document);
        let name = match name {
            Name::Text(text) => Name::Text(text.into()),
            Name::Sha256(digits) => Name::Sha256(digits.into()),
            Name::Trusted(number) => Name::Trusted(number),
        };
        self.known.insert(Key(api.id, name), Arc::clone(&document));
        Ok(document)
    }

    /// Lets go of what was parsed for an API.
    pub(crate) fn forget(&self, api: &Api) {
        self.known.retain(|key, _| key.0 != api.id);
    }

    #[cfg(test)]
    pub(crate) fn weight(&self) -> u64 {
        self.known.weight()
    }

    pub(crate) fn are_trusted(&self) -> bool {
        matches!(self.policy, Policy::Trusted(..))
    }

    /// Tells which of the trusted documents do not fit an API: of other schema versions, perhaps.
    pub(crate) fn misfits(&self, api: &Api) -> Vec<String> {
        let Policy::Trusted(trusted, _) = &self.policy else {
            return Vec::new();
        };
        let trusted = trusted.load();
        let problems = trusted.all().filter_map(|document| {
            let errors = Document::parse(api, &document.text).err()?;
            let first = errors.first()?;
            Some(format!("{}: {first}", document.origin))
        });
        problems.collect()
    }
}

pub(crate) fn not_trusted() -> Failure {
    let message =
        "this service runs the documents that its operator trusts, and this is none of them";
    Failure::new(Code::DocumentNotTrusted, message)
}

/// The hexadecimal digits of a document's hash.
fn sha256_of(id: &DocumentId) -> Result<&str, Failure> {
    match id {
        DocumentId::Hash(digits) => Ok(digits),
        DocumentId::Id(id) => id.strip_prefix("sha256:").ok_or_else(|| {
            let message =
                "without trusted documents, a documentId is sha256: and the hash of the document";
            Failure::new(Code::BadUserInput, message)
        }),
    }
}

/// A parsed document takes about twenty bytes for each of its text.
pub(crate) const DOCUMENT_BYTES: usize = 20;

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Arc<Document>> for Weight {
    fn weight(&self, _: &Key, document: &Arc<Document>) -> u64 {
        (document.text_bytes * DOCUMENT_BYTES + 1024) as u64
    }
}
