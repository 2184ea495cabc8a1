//! Values that later files add to an enum: where all files run in one transaction, the type has them from the beginning.
//!
//! Before Postgres 17 nobody may use a value in the transaction that adds it, unless it was made together with its type. So
//! tenants that were there could be migrated, and nobody could sign up.

use std::collections::HashMap;

use super::edit::Edit;
use super::lex::{Kind, tokens as lex};
use super::literals::{bodies, code};
use super::split::split;
use super::tokens::Tokens;

/// The types that get more values.
#[derive(Debug, Clone, Default)]
pub(super) struct Enums(HashMap<String, Growing>);

/// The values in the end, as literals, and the statements that make them.
#[derive(Debug, Clone)]
struct Growing {
    values: Vec<String>,
    statements: Vec<String>,
}

/// What the files say of one type.
#[derive(Default)]
struct Story {
    values: Vec<String>,
    statements: Vec<String>,
    /// Whether some were added.
    grows: bool,
    /// Whether more happens to it than is understood here.
    is_odd: bool,
    /// Whether it is called otherwise from now on, or is no more: what comes later runs as it stands.
    is_over: bool,
}

impl Enums {
    /// Whether a file says anything of such a type.
    pub(super) fn concern(&self, text: &str) -> bool {
        !self.0.is_empty()
            && split(text).unwrap_or_default().iter().any(|piece| {
                let tokens = Tokens {
                    text,
                    all: &piece.tokens,
                };
                self.completed(tokens).is_some()
            })
    }

    /// What the files, in their order, make of their types.
    pub(super) fn of<'a>(files: impl Iterator<Item = &'a str>) -> Self {
        let mut stories: HashMap<String, Story> = HashMap::new();
        for text in files {
            // Files that cannot be read are told of by whoever reads them.
            for piece in split(text).unwrap_or_default() {
                let tokens = Tokens {
                    text,
                    all: &piece.tokens,
                };
                read(tokens, &mut stories);
            }
        }
        stories.retain(|_, story| story.grows && !story.is_odd);
        let growing = stories.into_iter().map(|(name, story)| {
            let Story {
                values, statements, ..
            } = story;
            (name, Growing { values, statements })
        });
        Self(growing.collect())
    }

    /// The change of a statement that creates such a type; all of it goes, where it adds a value.
    pub(super) fn completed(&self, tokens: Tokens<'_>) -> Option<Change> {
        let (name, at) = type_name(tokens)?;
        let Growing { values, statements } = self.0.get(&name)?;
        if !statements.iter().any(|one| one == whole(tokens)) {
            return None;
        }
        if added(tokens, at).is_some() {
            return Some(Change::LeaveOut);
        }
        let (open, close) = list(tokens, at)?;
        let range = tokens.all[open].end..tokens.all[close].start;
        Some(Change::Edit(Edit::replace(range, values.join(", "))))
    }
}

/// The values that a file adds to enums, by itself or in blocks of code; quotes in them are doubled.
pub(crate) fn added_values(text: &str) -> Vec<String> {
    let mut values = Vec::new();
    for piece in split(text).unwrap_or_default() {
        let tokens = Tokens {
            text,
            all: &piece.tokens,
        };
        collect_values(tokens, &mut values);
        if !tokens.is(0, "DO") {
            continue;
        }
        for at in bodies(tokens) {
            let text = &text[code(tokens, at)];
            let Some(all) = lex(text) else { continue };
            collect_values(Tokens { text, all: &all }, &mut values);
        }
    }
    values
}

fn collect_values(tokens: Tokens<'_>, values: &mut Vec<String>) {
    let added = (0..tokens.all.len()).filter_map(|at| added(tokens, at)?.value);
    values.extend(added.filter_map(|literal| {
        let (_, rest) = literal.split_once('\'')?;
        Some(rest.strip_suffix('\'')?.to_owned())
    }));
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    LeaveOut,
    Edit(Edit),
}

fn read(tokens: Tokens<'_>, stories: &mut HashMap<String, Story>) {
    if tokens.are(0, &["DROP", "TYPE"]) {
        // Any of several names.
        for at in 2..tokens.all.len() {
            if let Some(story) = tokens
                .name(at)
                .and_then(|name| stories.get_mut(name.as_ref()))
            {
                story.is_over = true;
            }
        }
        return;
    }
    let Some((name, at)) = type_name(tokens) else {
        return;
    };
    let is_known = stories.contains_key(&name);
    let story = stories.entry(name).or_default();
    let statement = whole(tokens);
    if story.is_over {
        // Which one of them is meant could not be told.
        story.is_odd |= story.statements.iter().any(|one| one == statement);
    } else if tokens.is(0, "CREATE") {
        let values = list(tokens, at).and_then(|(open, close)| literals(tokens, open, close));
        story.is_odd |= is_known || values.is_none();
        story.values = values.unwrap_or_default();
        story.statements.push(statement.to_owned());
    } else if !is_known {
        // Made elsewhere, or in a way that is not seen here.
        story.is_odd = true;
    } else if let Some(addition) = added(tokens, at) {
        story.grows = true;
        story.is_odd |= !addition.to(&mut story.values);
        story.statements.push(statement.to_owned());
    } else if !tokens.are(at, &["OWNER", "TO"]) {
        story.is_over = true;
    }
}

/// The text of a statement.
fn whole(tokens: Tokens<'_>) -> &str {
    let (first, last) = (tokens.all.first(), tokens.all.last());
    first
        .zip(last)
        .map_or("", |(first, last)| &tokens.text[first.start..last.end])
}

/// The type of `CREATE TYPE` or `ALTER TYPE`, and what follows its name.
fn type_name(tokens: Tokens<'_>) -> Option<(String, usize)> {
    if !tokens.is_any(0, &["CREATE", "ALTER"]) || !tokens.is(1, "TYPE") {
        return None;
    }
    let at = if tokens.kind(3) == Some(Kind::Dot) {
        4
    } else {
        2
    };
    Some((tokens.name(at)?.into_owned(), at + 1))
}

/// The parentheses of `AS ENUM (…)`.
fn list(tokens: Tokens<'_>, at: usize) -> Option<(usize, usize)> {
    let is_enum = tokens.are(at, &["AS", "ENUM"]) && tokens.kind(at + 2) == Some(Kind::Open);
    let last = tokens.all.len() - 1;
    (is_enum && tokens.kind(last) == Some(Kind::Close)).then_some((at + 2, last))
}

fn literals(tokens: Tokens<'_>, open: usize, close: usize) -> Option<Vec<String>> {
    let values = (open + 1..close).filter(|at| tokens.kind(*at) != Some(Kind::Comma));
    values.map(|at| literal(tokens, at)).collect()
}

fn literal(tokens: Tokens<'_>, at: usize) -> Option<String> {
    (tokens.kind(at) == Some(Kind::Plain)).then(|| tokens.raw(at).to_owned())
}

/// `ADD VALUE [IF NOT EXISTS] 'value' [BEFORE | AFTER 'other']`
struct Addition {
    value: Option<String>,
    /// Whether it comes behind the other one.
    next_to: Option<(bool, Option<String>)>,
}

fn added(tokens: Tokens<'_>, at: usize) -> Option<Addition> {
    if !tokens.are(at, &["ADD", "VALUE"]) {
        return None;
    }
    let exists = if tokens.are(at + 2, &["IF", "NOT", "EXISTS"]) {
        3
    } else {
        0
    };
    let value = at + 2 + exists;
    let next_to = tokens
        .is_any(value + 1, &["BEFORE", "AFTER"])
        .then(|| (tokens.is(value + 1, "AFTER"), literal(tokens, value + 2)));
    Some(Addition {
        value: literal(tokens, value),
        next_to,
    })
}

impl Addition {
    /// False where it makes no sense here.
    fn to(self, values: &mut Vec<String>) -> bool {
        let Some(value) = self.value else {
            return false;
        };
        if values.contains(&value) {
            return true;
        }
        let at = match self.next_to {
            None => Some(values.len()),
            Some((behind, other)) => {
                let found = values
                    .iter()
                    .position(|known| Some(known) == other.as_ref());
                found.map(|at| at + usize::from(behind))
            }
        };
        let Some(at) = at else { return false };
        values.insert(at, value);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Enums};
    use crate::migrate::script::edit::apply;
    use crate::migrate::script::lex::tokens;
    use crate::migrate::script::tokens::Tokens;

    /// The first statement with all values; none where it stays as it is.
    fn grown(files: &[&str]) -> Option<String> {
        let enums = Enums::of(files.iter().copied());
        let text = files[0].trim_end_matches(';');
        let all = tokens(text).unwrap();
        match enums.completed(Tokens { text, all: &all })? {
            Change::Edit(edit) => Some(apply(text, 0..text.len(), vec![edit])),
            Change::LeaveOut => None,
        }
    }

    #[test]
    fn a_type_has_its_later_values_in_their_places() {
        let create = "create type public.Mood as enum ('sad', 'ok');";
        assert_eq!(grown(&[create, "select 1"]), None);
        let files = [
            create,
            "alter type mood add value 'happy'; alter type mood owner to joe;",
            "ALTER TYPE public.mood ADD VALUE IF NOT EXISTS 'it''s fine' BEFORE 'happy'; \
             alter type mood add value if not exists 'ok'; alter type \"mood\" add value 'awful' before 'sad'",
            "alter type mood add value 'so so' after 'sad'",
        ];
        let expected = "create type public.Mood as enum ('awful', 'sad', 'so so', 'ok', 'it''s fine', 'happy')";
        assert_eq!(grown(&files).as_deref(), Some(expected));
    }

    /// Files that have run cannot be changed when a later one calls the type otherwise.
    #[test]
    fn what_comes_before_a_renaming_has_all_values() {
        let create = "create type t as enum ('a');";
        for over in [
            "alter type t rename value 'a' to 'c'; alter type t add value 'd'",
            "alter type t rename to u; alter type u add value 'd'",
            "alter type t set schema other",
            "drop type if exists u, t cascade; create type t as enum ('x'); alter type t add value 'y'",
        ] {
            let files = [create, "alter type t add value 'b';", over];
            let expected = "create type t as enum ('a', 'b')";
            assert_eq!(grown(&files).as_deref(), Some(expected), "{over}");
            // The later ones run as they stand.
            let enums = Enums::of(files.into_iter());
            assert!(!enums.concern(over), "{over}");
        }
    }

    #[test]
    fn what_is_not_understood_stays_as_it_is() {
        let create = "create type t as enum ('a');";
        for odd in [
            "alter type t add value 'b' after 'x'",
            "alter type t add value 'b'; create type other.t as enum ('a')",
            "alter type t add value 'b'; drop type t; create type t as enum ('a');",
            "alter type t rename value 'a' to 'c'; alter type t add value 'b'",
            "alter type t add value E'b'",
            "alter type t rename to u; alter type u add value 'b'",
            "do $$ begin create type v as enum ('a'); end $$; alter type v add value 'b'",
        ] {
            assert_eq!(grown(&[create, odd]), None, "{odd}");
        }
        let composite = ["create type t as (a int);", "alter type t add value 'b'"];
        assert_eq!(grown(&composite), None);
        assert_eq!(grown(&["alter type v add value 'b';"]), None);
    }
}
