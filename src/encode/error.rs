//! Why a binary value could not become JSON.

/// Every variant means that Postgres sent something the plan did not expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Lengths don't fit, a field is out of its type's range, or text is not UTF-8.
    #[error("a binary value is malformed")]
    Malformed,
    /// An enum label that is newer than the API.
    #[error("an enum label is unknown")]
    UnknownEnumLabel,
    /// The response outgrew its limit.
    #[error("the response is too large")]
    TooLarge,
    /// A list of rows with another number of dimensions than one.
    #[error("an array has an unexpected number of dimensions")]
    Dimensions,
}
