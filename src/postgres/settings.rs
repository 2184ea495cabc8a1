//! The server's `postgresql.conf`, written anew at every start; `ALTER SYSTEM` overrides it.

use std::fmt::Write;

/// Tuned for development on a laptop: small, quick to start, sound after any crash.
///
/// `fsync` stays on, so that even a crash of the machine leaves a consistent cluster. `synchronous_commit = off` is what
/// makes commits fast; a killed server may then lose the commits of the last three `wal_writer_delay`s.
const DEFAULTS: &[(&str, &str)] = &[
    ("cluster_name", "tenantry"),
    ("max_connections", "200"),
    ("shared_buffers", "128MB"),
    // Every tenant has tables of its own, and a migration of the fleet may lock many at once.
    ("max_locks_per_transaction", "256"),
    ("synchronous_commit", "off"),
    ("wal_writer_delay", "10ms"),
    ("jit", "off"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("max_wal_size", "512MB"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("log_line_prefix", "%m [%p] %q%u@%d "),
    ("default_text_search_config", "pg_catalog.english"),
];

/// The text of the file: the defaults, then `extra`, of which the last one of a name wins.
pub(super) fn render(extra: &[(String, String)]) -> String {
    let mut text =
        "# Written by tenantry at every start: use ALTER SYSTEM for settings of your own.\n"
            .to_owned();
    let defaults = DEFAULTS.iter().copied();
    let extra = extra.iter().map(|(name, value)| (&**name, &**value));
    for (name, value) in defaults.chain(extra) {
        let value = value.replace('\\', r"\\").replace('\'', "''");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name} = '{value}'");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_values_and_lets_extra_settings_win() {
        let text = render(&[
            ("jit".to_owned(), "on".to_owned()),
            ("cluster_name".to_owned(), r"it's a\b".to_owned()),
        ]);
        assert!(
            text.ends_with("jit = 'on'\ncluster_name = 'it''s a\\\\b'\n"),
            "{text}"
        );
        assert!(text.contains("\njit = 'off'\n"));
    }
}
