//! What is looked for: the rules, which `docs/lint.md` explains one by one.

use serde::{Serialize, Serializer};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    Fails,
    NameClash,
    RequiredColumn,
    SetsNotNull,
    RewritesTable,
    ValidatesAtOnce,
    BuildsIndex,
    AddsUnique,
    RefreshesView,
    WorksUnderLock,
    DropsColumn,
    DropsTable,
    EmptiesTable,
    RenamesColumn,
    RenamesTable,
    BadAllow,
    ReadOtherwise,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Good to know.
    Note,
    /// Requests wait or fail, or data are lost.
    Warning,
    /// The migration fails.
    Error,
}

impl Rule {
    pub(crate) const ALL: [Self; 17] = [
        Self::Fails,
        Self::NameClash,
        Self::RequiredColumn,
        Self::SetsNotNull,
        Self::RewritesTable,
        Self::ValidatesAtOnce,
        Self::BuildsIndex,
        Self::AddsUnique,
        Self::RefreshesView,
        Self::WorksUnderLock,
        Self::DropsColumn,
        Self::DropsTable,
        Self::EmptiesTable,
        Self::RenamesColumn,
        Self::RenamesTable,
        Self::BadAllow,
        Self::ReadOtherwise,
    ];

    /// What it is called in comments and reports.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Fails => "fails",
            Self::NameClash => "name-clash",
            Self::RequiredColumn => "required-column",
            Self::SetsNotNull => "sets-not-null",
            Self::RewritesTable => "rewrites-table",
            Self::ValidatesAtOnce => "validates-at-once",
            Self::BuildsIndex => "builds-index",
            Self::AddsUnique => "adds-unique",
            Self::RefreshesView => "refreshes-view",
            Self::WorksUnderLock => "works-under-lock",
            Self::DropsColumn => "drops-column",
            Self::DropsTable => "drops-table",
            Self::EmptiesTable => "empties-table",
            Self::RenamesColumn => "renames-column",
            Self::RenamesTable => "renames-table",
            Self::BadAllow => "bad-allow",
            Self::ReadOtherwise => "read-otherwise",
        }
    }

    pub(crate) fn find(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.id() == id)
    }

    pub(crate) fn level(self) -> Level {
        match self {
            Self::Fails | Self::NameClash | Self::RequiredColumn | Self::BadAllow => Level::Error,
            Self::ReadOtherwise => Level::Note,
            _ => Level::Warning,
        }
    }

    /// Whether it is bad because it takes as long as the table has rows.
    pub(super) fn grows(self) -> bool {
        matches!(
            self,
            Self::SetsNotNull
                | Self::RewritesTable
                | Self::ValidatesAtOnce
                | Self::BuildsIndex
                | Self::AddsUnique
                | Self::RefreshesView
                | Self::WorksUnderLock
        )
    }

    /// Whether a comment may allow it.
    pub(super) fn may_be_allowed(self) -> bool {
        !matches!(self, Self::Fails | Self::NameClash | Self::BadAllow)
    }
}

impl Level {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
