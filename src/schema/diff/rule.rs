//! The kinds of differences, and what each means to clients.

/// What becomes of clients that know the schema as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Impact {
    /// Operations that were valid are not, or answers are of other types.
    Breaking,
    /// All operations are valid; clients may meet what they do not expect.
    Dangerous,
    Safe,
}

impl Impact {
    pub(crate) const ALL: [Self; 3] = [Self::Breaking, Self::Dangerous, Self::Safe];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Dangerous => "dangerous",
            Self::Safe => "safe",
        }
    }
}

/// Each rule has its impact and its id, which is what scripts see and `docs/schema-diff.md` explains.
macro_rules! rules {
    ($($rule:ident = $id:literal: $impact:ident;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Rule { $($rule),* }

        impl Rule {
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$rule),*];

            pub(crate) fn id(self) -> &'static str {
                match self { $(Self::$rule => $id),* }
            }

            pub(crate) fn impact(self) -> Impact {
                match self { $(Self::$rule => Impact::$impact),* }
            }
        }
    };
}

rules! {
    RootRemoved = "root-removed": Breaking;
    TypeRemoved = "type-removed": Breaking;
    TypeKindChanged = "type-kind-changed": Breaking;
    FieldRemoved = "field-removed": Breaking;
    FieldTypeChanged = "field-type-changed": Breaking;
    FieldMadeNullable = "field-made-nullable": Breaking;
    ArgumentRemoved = "argument-removed": Breaking;
    ArgumentRequired = "argument-required": Breaking;
    ArgumentTypeChanged = "argument-type-changed": Breaking;
    InputFieldRemoved = "input-field-removed": Breaking;
    InputFieldRequired = "input-field-required": Breaking;
    InputFieldTypeChanged = "input-field-type-changed": Breaking;
    BecameOneOf = "input-one-of": Breaking;
    ValueRemoved = "enum-value-removed": Breaking;
    MemberRemoved = "union-member-removed": Breaking;
    InterfaceRemoved = "interface-removed": Breaking;
    DirectiveRemoved = "directive-removed": Breaking;

    ValueAdded = "enum-value-added": Dangerous;
    MemberAdded = "union-member-added": Dangerous;
    InterfaceAdded = "interface-added": Dangerous;
    DefaultChanged = "default-changed": Dangerous;
    AccessChanged = "access-changed": Dangerous;

    RootAdded = "root-added": Safe;
    TypeAdded = "type-added": Safe;
    FieldAdded = "field-added": Safe;
    FieldNeverNull = "field-never-null": Safe;
    ArgumentAdded = "argument-added": Safe;
    ArgumentOptional = "argument-optional": Safe;
    InputFieldAdded = "input-field-added": Safe;
    InputFieldOptional = "input-field-optional": Safe;
    NotOneOf = "input-not-one-of": Safe;
    ValueAccepted = "enum-value-accepted": Safe;
    DirectiveAdded = "directive-added": Safe;
    Deprecated = "deprecated": Safe;
    NotDeprecated = "not-deprecated": Safe;
    DescriptionChanged = "description-changed": Safe;
}
