//! Why a binary value could not become JSON.

/// Every variant means that Postgres sent something the plan did not expect, except `NotFinite`, which is data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Lengths don't fit, a field is out of its type's range, or text is not UTF-8.
    #[error("a binary value is malformed")]
    Malformed,
    /// NaN or an infinity in a float, which a GraphQL Float can't carry.
    #[error("a float is NaN or infinite")]
    NotFinite,
    /// An enum label that is newer than the API.
    #[error("an enum label is unknown")]
    UnknownEnumLabel,
    /// The response outgrew its limit.
    #[error("the response is too large")]
    TooLarge,
    /// An array with another number of dimensions than its column declares.
    #[error("an array has an unexpected number of dimensions")]
    Dimensions,
}
