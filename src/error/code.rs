//! The words by which clients tell failures apart.

/// The stable word in `extensions.code` by which a frontend tells failures apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Code {
    BadUserInput,
    GraphqlParseFailed,
    GraphqlValidationFailed,
    PersistedQueryNotFound,
    DocumentNotTrusted,
    Unauthenticated,
    Forbidden,
    TenantNotFound,
    TenantSuspended,
    TenantMoved,
    TenantMigrating,
    RateLimited,
    QuotaExceeded,
    Overloaded,
    QueryTooComplex,
    Timeout,
    UniqueViolation,
    ForeignKeyViolation,
    NotNullViolation,
    CheckViolation,
    Conflict,
    Internal,
}

impl Code {
    /// Every code, in the order of the documentation.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 22] = [
        Self::BadUserInput,
        Self::GraphqlParseFailed,
        Self::GraphqlValidationFailed,
        Self::PersistedQueryNotFound,
        Self::DocumentNotTrusted,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::TenantNotFound,
        Self::TenantSuspended,
        Self::TenantMoved,
        Self::TenantMigrating,
        Self::RateLimited,
        Self::QuotaExceeded,
        Self::Overloaded,
        Self::QueryTooComplex,
        Self::Timeout,
        Self::UniqueViolation,
        Self::ForeignKeyViolation,
        Self::NotNullViolation,
        Self::CheckViolation,
        Self::Conflict,
        Self::Internal,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::GraphqlParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::GraphqlValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::DocumentNotTrusted => "DOCUMENT_NOT_TRUSTED",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::TenantNotFound => "TENANT_NOT_FOUND",
            Self::TenantSuspended => "TENANT_SUSPENDED",
            Self::TenantMoved => "TENANT_MOVED",
            Self::TenantMigrating => "TENANT_MIGRATING",
            Self::RateLimited => "RATE_LIMITED",
            Self::QuotaExceeded => "QUOTA_EXCEEDED",
            Self::Overloaded => "OVERLOADED",
            Self::QueryTooComplex => "QUERY_TOO_COMPLEX",
            Self::Timeout => "TIMEOUT",
            Self::UniqueViolation => "UNIQUE_VIOLATION",
            Self::ForeignKeyViolation => "FOREIGN_KEY_VIOLATION",
            Self::NotNullViolation => "NOT_NULL_VIOLATION",
            Self::CheckViolation => "CHECK_VIOLATION",
            Self::Conflict => "CONFLICT",
            Self::Internal => "INTERNAL",
        }
    }

    /// The HTTP status of a response that consists of this failure alone, without `data`.
    pub(crate) fn http_status(self) -> u16 {
        match self {
            Self::BadUserInput
            | Self::GraphqlParseFailed
            | Self::GraphqlValidationFailed
            | Self::PersistedQueryNotFound
            | Self::QueryTooComplex
            | Self::NotNullViolation
            | Self::CheckViolation => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden
            | Self::QuotaExceeded
            | Self::DocumentNotTrusted
            | Self::TenantSuspended => 403,
            Self::TenantNotFound => 404,
            // The method and the body go along to the new address (RFC 9110 §15.4.9).
            Self::TenantMoved => 308,
            Self::UniqueViolation | Self::ForeignKeyViolation | Self::Conflict => 409,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::TenantMigrating | Self::Overloaded => 503,
            Self::Timeout => 504,
        }
    }
}
