//! With and without a transaction: what becomes of the statements that need the one or the other.

use std::collections::HashSet;

use super::concurrently::{Concurrently, What, find};
use super::edit::Edit;
use super::enums::Change;
use super::lex::{Kind, tokens as lex};
use super::literals::{bodies, code};
use super::marker::MARKER;
use super::rules::{Seen, Verdict};
use super::settings;
use super::tokens::Tokens;

/// How the statements of a file run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// In a transaction, as those of most files do.
    Transaction,
    /// In a transaction although the file is marked: in a schema that nobody else sees yet.
    Unseen,
    /// One by one, without a transaction.
    Autocommit,
}

use Verdict::{Refuse, Run, RunAndTell, Skip, SkipAndTell};

/// None for statements that the mode does not matter to.
pub(super) fn judge(tokens: Tokens<'_>, mode: Mode, seen: Seen<'_>) -> Option<Verdict> {
    if tokens.is(0, "VACUUM") {
        return Some(vacuum(tokens, mode));
    }
    if mode == Mode::Unseen
        && let Some(change) = seen.known.enums.completed(tokens)
    {
        return Some(match change {
            Change::LeaveOut => Skip,
            Change::Edit(edit) => Run(vec![edit]),
        });
    }
    match (find(tokens), mode) {
        (Some(found), Mode::Transaction) => Some(in_transaction(tokens, found, seen.fresh)),
        // There is nothing to build anew.
        (Some(found), Mode::Unseen) if found.what == What::Reindex => Some(Skip),
        (Some(found), Mode::Unseen) => Some(Run(vec![found.cut(tokens)])),
        (Some(found), Mode::Autocommit) => Some(alone(tokens, found)),
        (None, Mode::Transaction) => None,
        (None, Mode::Unseen) => tokens.is(0, "DO").then(|| Run(without_commits(tokens))),
        (None, Mode::Autocommit) => autocommit(tokens),
    }
}

/// On a table that nobody else sees yet CONCURRENTLY is pointless; elsewhere it is the author's point.
fn in_transaction(tokens: Tokens<'_>, found: Concurrently, fresh: &HashSet<String>) -> Verdict {
    let statement = match found.what {
        What::CreateIndex if is_on(tokens, found, fresh) => {
            let message = "the index is built without CONCURRENTLY";
            return RunAndTell(vec![found.cut(tokens)], message.into());
        }
        What::DropIndex => {
            let message = format!(
                "the index is dropped without CONCURRENTLY, as the file does not begin with {MARKER:?}"
            );
            return RunAndTell(vec![found.cut(tokens)], message);
        }
        What::CreateIndex => "CREATE INDEX CONCURRENTLY",
        What::Reindex => "REINDEX CONCURRENTLY",
        What::DetachPartition => "DETACH PARTITION CONCURRENTLY",
    };
    Refuse(format!(
        "{statement} can't run in a transaction, and a file is one unless it begins with the line {MARKER:?}: \
         put the statement into a file of its own that does"
    ))
}

/// Whether the index is on one of these tables.
fn is_on(tokens: Tokens<'_>, found: Concurrently, tables: &HashSet<String>) -> bool {
    let on = (found.at..tokens.all.len()).find(|on| tokens.is(*on, "ON"));
    let on = on.unwrap_or(found.at);
    let mut table = on + if tokens.is(on + 1, "ONLY") { 2 } else { 1 };
    if tokens.kind(table + 1) == Some(Kind::Dot) {
        table += 2;
    }
    let name = tokens.name(table);
    name.is_some_and(|name| tables.contains(name.as_ref()))
}

fn alone(tokens: Tokens<'_>, found: Concurrently) -> Verdict {
    match found.what {
        What::CreateIndex if found.index(tokens).is_none() => Refuse(
            "an index that is built CONCURRENTLY needs a name, by which what is left of it is found when \
             the run is cut short"
                .into(),
        ),
        What::Reindex if (1..tokens.all.len()).any(|at| reindexes_all(tokens, at)) => {
            SkipAndTell("REINDEX of more than one table: left out".into())
        }
        _ => Run(Vec::new()),
    }
}

fn reindexes_all(tokens: Tokens<'_>, at: usize) -> bool {
    tokens.is_any(at, &["DATABASE", "SYSTEM", "SCHEMA"])
}

/// Without a table it would visit every tenant.
fn vacuum(tokens: Tokens<'_>, mode: Mode) -> Verdict {
    const OPTIONS: [&str; 5] = ["full", "freeze", "verbose", "analyze", "analyse"];
    let mut outside = tokens.outside_parentheses().skip(1);
    let names_a_table = outside.any(|at| {
        let name = tokens.name(at);
        name.is_some_and(|name| !OPTIONS.contains(&name.as_ref()))
    });
    match mode {
        Mode::Unseen => Skip,
        Mode::Autocommit if names_a_table => Run(Vec::new()),
        Mode::Autocommit => {
            SkipAndTell("VACUUM without a table would visit every tenant: left out".into())
        }
        Mode::Transaction => SkipAndTell(format!(
            "VACUUM can't run in a transaction: left out, as the file does not begin with {MARKER:?}"
        )),
    }
}

fn autocommit(tokens: Tokens<'_>) -> Option<Verdict> {
    const TRANSACTION: [&str; 8] = [
        "BEGIN",
        "START",
        "COMMIT",
        "END",
        "ROLLBACK",
        "ABORT",
        "SAVEPOINT",
        "RELEASE",
    ];
    if tokens.is_any(0, &TRANSACTION) || tokens.are(0, &["PREPARE", "TRANSACTION"]) {
        let message = "this file runs statement by statement, without a transaction: what belongs together \
             goes into a file without the mark, or into a DO block";
        return Some(Refuse(message.into()));
    }
    if !tokens.is_any(0, &["SET", "RESET"]) {
        return None;
    }
    // What ends with the transaction elsewhere, ends with the file here.
    match settings::set(tokens) {
        Run(_) if tokens.is(1, "LOCAL") => {
            let word = tokens.all[0].end..tokens.all[1].end;
            Some(Run(vec![Edit::cut(word)]))
        }
        Run(_) => Some(Run(Vec::new())),
        other => Some(other),
    }
}

/// A DO block that works in portions, and commits after each, as one that does not.
fn without_commits(tokens: Tokens<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    for at in bodies(tokens) {
        let range = code(tokens, at);
        let (start, text) = (range.start, &tokens.text[range]);
        let Some(all) = lex(text) else { continue };
        let inner = Tokens { text, all: &all };
        let commits = (0..all.len()).filter(|at| is_commit(inner, *at));
        edits.extend(commits.map(|at| {
            let word = all[at].start..all[at].end;
            Edit::replace(word, "null".into()).shifted(start)
        }));
        let chains = (1..all.len()).filter(|at| is_commit(inner, *at - 1));
        let chains = chains.filter(|at| inner.are(*at, &["AND", "CHAIN"]));
        edits.extend(chains.map(|at| Edit::cut(all[at].start..all[at + 1].end).shifted(start)));
    }
    edits
}

/// Whether the word is a statement of PL/pgSQL.
fn is_commit(tokens: Tokens<'_>, at: usize) -> bool {
    let ends = tokens.kind(at + 1) == Some(Kind::Semicolon) || tokens.is(at + 1, "AND");
    let begins = at.checked_sub(1).is_some_and(|before| {
        tokens.kind(before) == Some(Kind::Semicolon)
            || tokens.is_any(before, &["BEGIN", "LOOP", "THEN", "ELSE"])
    });
    tokens.is(at, "COMMIT") && begins && ends
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Mode, Seen, judge};
    use crate::migrate::script::edit::apply;
    use crate::migrate::script::lex::tokens;
    use crate::migrate::script::names::Known;
    use crate::migrate::script::rules::Verdict;
    use crate::migrate::script::tokens::Tokens;

    fn verdict(sql: &str, mode: Mode) -> Option<Verdict> {
        let all = tokens(sql).unwrap();
        let tokens = Tokens {
            text: sql,
            all: &all,
        };
        let fresh = HashSet::from(["fresh".to_owned()]);
        let mut known = Known::default();
        known.foresee(["create type e as enum ('a'); alter type e add value 'b'"].into_iter());
        let seen = Seen {
            fresh: &fresh,
            known: &known,
        };
        judge(tokens, mode, seen)
    }

    /// The statement as it runs; its verdict where that is no way to run it.
    fn run(sql: &str, mode: Mode) -> String {
        match verdict(sql, mode) {
            Some(Verdict::Run(edits) | Verdict::RunAndTell(edits, _)) => {
                apply(sql, 0..sql.len(), edits)
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_file_is_a_transaction_unless_it_is_marked() {
        let unmarked = |sql: &str| run(sql, Mode::Transaction);
        assert_eq!(
            unmarked("create unique index concurrently i on public.fresh (a)"),
            "create unique index i on public.fresh (a)"
        );
        assert_eq!(unmarked("drop index concurrently i"), "drop index i");
        for sql in [
            "create index concurrently on old (a)",
            "reindex table concurrently t",
            "reindex (concurrently) index i",
            "alter table t detach partition p concurrently",
        ] {
            let refused = unmarked(sql);
            assert!(
                refused.contains("-- tenantry: no transaction"),
                "{sql}: {refused}"
            );
        }
        for sql in [
            "select 1",
            "refresh materialized view concurrently v",
            "alter type t add value 'x'",
        ] {
            assert_eq!(verdict(sql, Mode::Transaction), None, "{sql}");
        }
        assert!(matches!(
            verdict("vacuum t", Mode::Transaction),
            Some(Verdict::SkipAndTell(_))
        ));
    }

    #[test]
    fn without_a_transaction_statements_run_as_they_are() {
        for sql in [
            "create index concurrently i on old (a)",
            "drop index concurrently if exists i",
            "reindex (concurrently) table t",
            "alter table t detach partition p concurrently",
            "vacuum (analyze) t",
            "VACUUM FULL t",
            "set lock_timeout = '5s'",
        ] {
            assert_eq!(run(sql, Mode::Autocommit), sql);
        }
        assert_eq!(
            run("set local work_mem = 1", Mode::Autocommit),
            "set work_mem = 1"
        );
        assert_eq!(
            verdict("set role joe", Mode::Autocommit),
            Some(Verdict::Skip)
        );
        for sql in [
            "vacuum",
            "vacuum (analyze)",
            "vacuum full",
            "reindex schema concurrently s",
        ] {
            let verdict = verdict(sql, Mode::Autocommit);
            assert!(matches!(verdict, Some(Verdict::SkipAndTell(_))), "{sql}");
        }
        for sql in [
            "begin",
            "commit",
            "savepoint a",
            "create index concurrently on t (a)",
        ] {
            let verdict = verdict(sql, Mode::Autocommit);
            assert!(matches!(verdict, Some(Verdict::Refuse(_))), "{sql}");
        }
    }

    #[test]
    fn where_nobody_looks_a_marked_file_is_a_transaction_too() {
        let unseen = |sql: &str| run(sql, Mode::Unseen);
        assert_eq!(
            unseen("create index concurrently i on old (a)"),
            "create index i on old (a)"
        );
        assert_eq!(unseen("drop index concurrently i"), "drop index i");
        for sql in ["vacuum t", "reindex index concurrently i"] {
            assert_eq!(verdict(sql, Mode::Unseen), Some(Verdict::Skip), "{sql}");
        }
        assert_eq!(
            unseen("create type e as enum ('a')"),
            "create type e as enum ('a', 'b')"
        );
        assert_eq!(
            verdict("alter type e add value 'b'", Mode::Unseen),
            Some(Verdict::Skip)
        );
        assert_eq!(
            verdict("alter type e add value 'b'", Mode::Transaction),
            None
        );
        assert_eq!(
            unseen(
                "do $x$ begin loop update t set commit = 1; exit when not found; COMMIT; commit and chain; end loop; end $x$"
            ),
            "do $x$ begin loop update t set commit = 1; exit when not found; null; null ; end loop; end $x$"
        );
    }
}
