//! What a string literal is for: most are data, but some are names, and some are code.

use std::ops::Range;

use super::lex::Kind;
use super::names::Known;
use super::tokens::Tokens;

/// Casts to these types, and literals of them, hold a name.
const NAME_TYPES: [&str; 8] = [
    "regclass",
    "regtype",
    "regproc",
    "regprocedure",
    "regoper",
    "regoperator",
    "regconfig",
    "regdictionary",
];

/// The first argument of these functions is a name.
const NAME_FUNCTIONS: [&str; 8] = [
    "nextval",
    "setval",
    "currval",
    "pg_get_serial_sequence",
    "to_regclass",
    "to_regtype",
    "to_regproc",
    "to_regprocedure",
];

/// The first of two arguments is a name; a single one is a text.
const SEARCH_FUNCTIONS: [&str; 6] = [
    "to_tsvector",
    "to_tsquery",
    "plainto_tsquery",
    "phraseto_tsquery",
    "websearch_to_tsquery",
    "ts_headline",
];

/// Whether Postgres reads this literal as the name of an object.
pub(super) fn is_object_name(tokens: Tokens<'_>, at: usize) -> bool {
    let mut after = at + 1;
    loop {
        after += match tokens.kind(after) {
            Some(Kind::Close) => 1,
            Some(Kind::Cast) => {
                let catalog = tokens.names_any(after + 1, &["pg_catalog"])
                    && tokens.kind(after + 2) == Some(Kind::Dot);
                let of = after + if catalog { 3 } else { 1 };
                if tokens.names_any(of, &NAME_TYPES) {
                    return true;
                }
                of + 1 - after
            }
            _ => break,
        };
    }
    if tokens.is(at + 1, "AS") && tokens.names_any(at + 2, &NAME_TYPES) {
        return true;
    }
    let mut before = at;
    while before > 0 && tokens.kind(before - 1) == Some(Kind::Open) {
        before -= 1;
    }
    if before == 0 {
        return false;
    }
    if before == at {
        return tokens.names_any(at - 1, &NAME_TYPES);
    }
    let two = tokens.kind(at + 1) == Some(Kind::Comma);
    tokens.names_any(before - 1, &NAME_FUNCTIONS)
        || two && tokens.names_any(before - 1, &SEARCH_FUNCTIONS)
}

/// `table_schema = 'public'` and `'public'::regnamespace`, with which scripts look into the catalog.
pub(super) fn is_schema_name(tokens: Tokens<'_>, at: usize, known: &Known) -> bool {
    const COLUMNS: [&str; 8] = [
        "table_schema",
        "schemaname",
        "nspname",
        "constraint_schema",
        "routine_schema",
        "trigger_schema",
        "sequence_schema",
        "udt_schema",
    ];
    let compared = at > 1 && tokens.raw(at - 1) == "=" && tokens.names_any(at - 2, &COLUMNS);
    let cast =
        tokens.kind(at + 1) == Some(Kind::Cast) && tokens.names_any(at + 2, &["regnamespace"]);
    (compared || cast)
        && tokens
            .literal(at)
            .is_some_and(|name| known.has_schema(name))
}

/// `EXECUTE 'statement'` and `EXECUTE format('statement', …)` of PL/pgSQL.
pub(super) fn is_executed(tokens: Tokens<'_>, at: usize) -> bool {
    let directly = at > 0 && tokens.is(at - 1, "EXECUTE");
    directly
        || at > 2
            && tokens.kind(at - 1) == Some(Kind::Open)
            && tokens.is(at - 2, "FORMAT")
            && tokens.is(at - 3, "EXECUTE")
}

/// Where the code of such a literal stands in the text: without the quotes around it.
pub(super) fn code(tokens: Tokens<'_>, at: usize) -> Range<usize> {
    let raw = tokens.raw(at);
    let delimiter = match tokens.kind(at) {
        Some(Kind::Dollar) => raw[1..].find('$').map_or(0, |tag| tag + 2),
        _ => 1,
    };
    tokens.all[at].start + delimiter..tokens.all[at].end - delimiter
}

/// The literals of a statement that hold the code of a function or a DO block.
pub(super) fn bodies(tokens: Tokens<'_>) -> Vec<usize> {
    let block = tokens.is(0, "DO");
    let replace = if tokens.are(1, &["OR", "REPLACE"]) {
        2
    } else {
        0
    };
    let routine = tokens.is(0, "CREATE") && tokens.is_any(1 + replace, &["FUNCTION", "PROCEDURE"]);
    if !block && !routine {
        return Vec::new();
    }
    let outside: Vec<usize> = tokens.outside_parentheses().filter(|at| *at > 0).collect();
    let readable = outside
        .iter()
        .filter(|at| tokens.is(**at - 1, "LANGUAGE"))
        .all(|at| {
            tokens.value(*at).is_some_and(|name| {
                ["sql", "plpgsql"].contains(&name.to_ascii_lowercase().as_str())
            })
        });
    let is_literal = |at: usize| {
        matches!(
            tokens.kind(at),
            Some(Kind::Plain | Kind::Escape | Kind::Dollar)
        )
    };
    outside
        .into_iter()
        .filter(|at| readable && is_literal(*at))
        .filter(|at| tokens.is(at - 1, "AS") || block && !tokens.is(at - 1, "LANGUAGE"))
        .collect()
}
