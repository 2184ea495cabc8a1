//! The kinds of things that are in a schema.

use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $word:literal,)*) => {
        /// What an object is. The words are those of `sql/catalog/objects.sql`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// What is not known here is told of, and that is all.
            pub(super) fn parse(word: &str) -> Self {
                match word {
                    $($word => Self::$kind,)*
                    _ => Self::Other,
                }
            }

            pub(crate) fn word(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }
        }
    };
}

kinds! {
    Type = "type",
    Domain = "domain",
    Sequence = "sequence",
    /// Foreign tables and partitions, too.
    Table = "table",
    Column = "column",
    /// Before what may make the column an identity.
    NotNull = "not null",
    /// Also how a column is generated.
    Default = "default",
    /// The sequence of an identity column.
    Identity = "identity",
    OwnedBy = "owned by",
    Function = "function",
    Procedure = "procedure",
    Aggregate = "aggregate",
    View = "view",
    MaterializedView = "materialized view",
    Constraint = "constraint",
    Index = "index",
    Rule = "rule",
    Trigger = "trigger",
    /// Where it is not the usual one.
    TriggerState = "trigger state",
    Policy = "policy",
    RowSecurity = "row security",
    /// Whose something is that is not the schema's owner's.
    Owner = "owner",
    Grant = "grant",
    ColumnGrant = "column grant",
    /// What is granted on all that is yet to be made.
    DefaultGrant = "default grant",
    Comment = "comment",
    /// Operators, collations and their like.
    Other = "other",
}

impl Kind {
    /// What others may read, and what is made anew as a whole.
    pub(super) fn is_code(self) -> bool {
        matches!(
            self,
            Self::View
                | Self::MaterializedView
                | Self::Function
                | Self::Procedure
                | Self::Aggregate
        )
    }

    pub(super) fn is_right(self) -> bool {
        matches!(self, Self::Grant | Self::ColumnGrant | Self::DefaultGrant)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
