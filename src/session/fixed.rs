//! The statements that are the same for all tenants.

/// A statement that every transaction has.
pub(super) struct Fixed {
    /// What the server knows it by, where it knows any.
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    /// How many, all of type text.
    pub(super) parameters: usize,
}

pub(super) const BEGIN: Fixed = Fixed {
    name: "begin",
    text: "begin read write",
    parameters: 0,
};

pub(super) const COMMIT: Fixed = Fixed {
    name: "commit",
    text: "commit",
    parameters: 0,
};

/// What a function or a trigger of the app may have left in the server's session: settings that are not
/// local to their transaction, temporary tables, channels it listens to, locks.
///
/// Forgotten before the next transaction can see it, which may be another tenant's.
pub(super) const CLEAN: [Fixed; 4] = [
    Fixed {
        name: "reset_all",
        text: "reset all",
        parameters: 0,
    },
    Fixed {
        name: "discard_temp",
        text: "discard temp",
        parameters: 0,
    },
    Fixed {
        name: "unlisten",
        text: "unlisten *",
        parameters: 0,
    },
    Fixed {
        name: "unlock",
        text: "select pg_advisory_unlock_all()",
        parameters: 0,
    },
];

/// Fails where somebody has put a prepared statement of his own in the place of one of these: it would run before
/// the role is that of a tenant. Named in full, as the path may be his, too.
pub(super) const UNTOUCHED: &str = "select pg_catalog.int4div(1, case when exists \
     (select from pg_catalog.pg_prepared_statements where from_sql) then 0 else 1 end)";
