//! The statements that do their work in several transactions of their own: what they make, and what they leave behind
//! when they are cut short.

use super::edit::Edit;
use super::lex::Kind;
use super::tokens::Tokens;

/// What a statement of a file without a transaction does, as far as going on after a failure depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Changes a setting, for the statements that follow it in the file.
    Setting {
        lock_timeout: bool,
    },
    /// Builds an index of this name. Cut short, it leaves one that is not valid.
    CreateIndex(String),
    /// Drops the index of this name.
    DropIndex(String),
    /// Builds the indexes of a table, or one index, anew. Cut short, it leaves copies that are not valid.
    Reindex(String),
    /// Takes a partition out of its table. Cut short, it can only be finished, by the second statement.
    DetachPartition {
        partition: String,
        finish: String,
    },
    Other,
}

/// CONCURRENTLY in a statement that Postgres refuses inside of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Concurrently {
    pub(super) what: What,
    /// The token.
    pub(super) at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    CreateIndex,
    DropIndex,
    Reindex,
    DetachPartition,
}

pub(super) fn find(tokens: Tokens<'_>) -> Option<Concurrently> {
    let unique = usize::from(tokens.is(1, "UNIQUE"));
    let is = |at: usize| tokens.is(at, "CONCURRENTLY");
    let (what, at) = if tokens.is(0, "CREATE") && tokens.is(1 + unique, "INDEX") {
        (What::CreateIndex, is(2 + unique).then_some(2 + unique)?)
    } else if tokens.are(0, &["DROP", "INDEX"]) {
        (What::DropIndex, is(2).then_some(2)?)
    } else if tokens.is(0, "REINDEX") {
        (What::Reindex, (1..tokens.all.len()).find(|at| is(*at))?)
    } else if tokens.are(0, &["ALTER", "TABLE"]) {
        let last = tokens.all.len() - 1;
        detached(tokens)?;
        (What::DetachPartition, is(last).then_some(last)?)
    } else {
        return None;
    };
    Some(Concurrently { what, at })
}

/// The name of the partition in `ALTER TABLE … DETACH PARTITION …`.
fn detached(tokens: Tokens<'_>) -> Option<usize> {
    let mut outside = tokens.outside_parentheses();
    outside
        .find(|at| tokens.are(*at, &["DETACH", "PARTITION"]))
        .map(|at| at + 2)
}

impl Concurrently {
    /// The same statement for inside of a transaction.
    pub(super) fn cut(self, tokens: Tokens<'_>) -> Edit {
        let end = match tokens.all.get(self.at + 1) {
            Some(next) => next.start,
            None => tokens.all[self.at].end,
        };
        Edit::cut(tokens.all[self.at].start..end)
    }

    /// The index of `CREATE INDEX`, if the statement names it.
    pub(super) fn index(self, tokens: Tokens<'_>) -> Option<String> {
        let exists = if tokens.are(self.at + 1, &["IF", "NOT", "EXISTS"]) {
            3
        } else {
            0
        };
        let at = self.at + 1 + exists;
        if tokens.is(at, "ON") {
            return None;
        }
        tokens.name(at).map(Into::into)
    }
}

/// `text` is the statement as it will be sent.
pub(super) fn effect(tokens: Tokens<'_>, text: &str) -> Effect {
    if tokens.is_any(0, &["SET", "RESET"]) {
        let lock_timeout = (1..=2).any(|at| tokens.names_any(at, &["lock_timeout"]));
        return Effect::Setting { lock_timeout };
    }
    let effect = find(tokens).and_then(|found| match found.what {
        What::CreateIndex => found.index(tokens).map(Effect::CreateIndex),
        What::DropIndex => {
            let exists = if tokens.are(found.at + 1, &["IF", "EXISTS"]) {
                2
            } else {
                0
            };
            last_name(tokens, found.at + 1 + exists).map(Effect::DropIndex)
        }
        What::Reindex => {
            let kind = (1..tokens.all.len()).find(|at| tokens.is_any(*at, &["INDEX", "TABLE"]))?;
            let after = usize::from(tokens.is(kind + 1, "CONCURRENTLY"));
            last_name(tokens, kind + 1 + after).map(Effect::Reindex)
        }
        What::DetachPartition => {
            let partition = last_name(tokens, detached(tokens)?)?;
            let (before, _) = text.rsplit_once(tokens.raw(found.at))?;
            let finish = [before, "finalize"].concat();
            Some(Effect::DetachPartition { partition, finish })
        }
    });
    effect.unwrap_or(Effect::Other)
}

/// `name` of `schema.name`, which will be in the tenant's schema.
fn last_name(tokens: Tokens<'_>, mut at: usize) -> Option<String> {
    while tokens.kind(at + 1) == Some(Kind::Dot) {
        at += 2;
    }
    tokens.name(at).map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::{Effect, effect, find};
    use crate::migrate::script::edit::apply;
    use crate::migrate::script::lex::tokens;
    use crate::migrate::script::tokens::Tokens;

    fn of(sql: &str) -> (Effect, String) {
        let all = tokens(sql).unwrap();
        let tokens = Tokens {
            text: sql,
            all: &all,
        };
        let edits = find(tokens).map(|found| found.cut(tokens));
        (
            effect(tokens, sql),
            apply(sql, 0..sql.len(), edits.into_iter().collect()),
        )
    }

    #[test]
    fn what_they_make_and_how_they_look_in_a_transaction() {
        let (create, drop) = (
            |name: &str| Effect::CreateIndex(name.to_owned()),
            |name: &str| Effect::DropIndex(name.to_owned()),
        );
        let reindex = |name: &str| Effect::Reindex(name.to_owned());
        for (sql, expected, within) in [
            (
                "create index concurrently I on t (a)",
                create("i"),
                "create index I on t (a)",
            ),
            (
                "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"a \"\"b\" ON ONLY t (a)",
                create("a \"b"),
                "CREATE UNIQUE INDEX IF NOT EXISTS \"a \"\"b\" ON ONLY t (a)",
            ),
            (
                "create index concurrently on t (a)",
                Effect::Other,
                "create index on t (a)",
            ),
            (
                "drop index concurrently if exists public.i",
                drop("i"),
                "drop index if exists public.i",
            ),
            (
                "reindex table concurrently public.t",
                reindex("t"),
                "reindex table public.t",
            ),
            (
                "reindex (verbose) index concurrently i",
                reindex("i"),
                "reindex (verbose) index i",
            ),
            (
                "create index i on t (concurrently)",
                Effect::Other,
                "create index i on t (concurrently)",
            ),
            (
                "refresh materialized view concurrently v",
                Effect::Other,
                "refresh materialized view concurrently v",
            ),
            (
                "set lock_timeout = '1s'",
                Effect::Setting { lock_timeout: true },
                "set lock_timeout = '1s'",
            ),
            (
                "set work_mem = '1MB'",
                Effect::Setting {
                    lock_timeout: false,
                },
                "set work_mem = '1MB'",
            ),
        ] {
            assert_eq!(of(sql), (expected, within.to_owned()), "{sql}");
        }
        assert_eq!(of("reindex (concurrently) table t").0, reindex("t"));
    }

    #[test]
    fn a_partition_can_be_detached_to_the_end() {
        let (effect, within) = of("alter table t detach partition only_2020 concurrently");
        assert_eq!(
            within.trim_end(),
            "alter table t detach partition only_2020"
        );
        let finish = "alter table t detach partition only_2020 finalize".to_owned();
        let partition = "only_2020".to_owned();
        assert_eq!(effect, Effect::DetachPartition { partition, finish });
    }
}
