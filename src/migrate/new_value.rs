//! A value that one file adds to an enum and a later one uses: Postgres wants a commit in between.

use std::fmt;

use tokio_postgres::error::SqlState;

use super::{History, MigrationError, MigrationFile, Migrations, SetName, script};

/// A file that does not run in the transaction of the files before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewValue<'a> {
    /// Uses the value.
    user: &'a MigrationFile,
    /// Adds it, where that can be told from its text.
    adder: Option<&'a MigrationFile>,
    /// The last file that has to be committed.
    last: &'a MigrationFile,
}

impl<'a> NewValue<'a> {
    /// The file that uses the value.
    pub(crate) fn name(&self) -> &'a str {
        self.user.name()
    }

    pub(crate) fn version(&self) -> i32 {
        self.user.version()
    }

    /// The version that has to be committed first.
    pub(crate) fn before(&self) -> i32 {
        self.last.version()
    }
}

/// What the file does.
impl fmt::Display for NewValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.adder {
            Some(adder) => write!(f, "it uses a value that {} adds to an enum", adder.name())?,
            None => f.write_str("it uses a value that was added to an enum before")?,
        }
        f.write_str(", which has to be committed first")
    }
}

impl Migrations {
    /// Why a file has failed that would not have, had the files before it been committed; none where that was another reason, or
    /// where nothing would have been committed. `history` is what had run before.
    pub(super) fn new_value(
        &self,
        error: &MigrationError,
        history: &History,
    ) -> Option<NewValue<'_>> {
        let MigrationError::Statement { file, source, .. } = error else {
            return None;
        };
        let answer = source.as_db_error()?;
        if *answer.code() != SqlState::UNSAFE_NEW_ENUM_VALUE_USAGE {
            return None;
        }
        let user = self.app.files.iter().find(|one| one.name() == file)?;
        let has_run = |file: &MigrationFile| {
            let mut ran = history.versions(SetName::App);
            ran.any(|ran| ran == file.version())
        };
        let before = self.app.files.iter();
        let mut before = before.filter(|one| one.version() < user.version() && !has_run(one));
        let adds_it = |file: &MigrationFile| {
            let mut values = script::added_values(file.text()).into_iter();
            values.any(|value| is_named(&value, answer.message()))
        };
        let adder = before.clone().find(|one| adds_it(one));
        if adder.is_none() && adds_it(user) {
            return None;
        }
        let last = before.next_back()?;
        Some(NewValue { user, adder, last })
    }
}

impl MigrationFile {
    /// Whether it names a value that an earlier file adds to an enum.
    pub(crate) fn names_a_value_of(&self, earlier: &Self) -> bool {
        let mut values = script::added_values(earlier.text()).into_iter();
        values.any(|value| self.text().contains(&format!("'{value}'")))
    }
}

/// Whether a message names the value. Each language has quotes of its own.
fn is_named(value: &str, message: &str) -> bool {
    let is_free = |beside: Option<char>| beside.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    let value = value.replace("''", "'");
    message.match_indices(&value).any(|(at, found)| {
        is_free(message[..at].chars().next_back())
            && is_free(message[at + found.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::is_named;
    use crate::migrate::script::added_values;

    #[test]
    fn the_values_of_a_file_are_found_wherever_they_are_added() {
        let text = "alter type mood add value 'happy' before 'ok'; -- add value 'no'\n\
            ALTER TYPE public.mood ADD VALUE IF NOT EXISTS 'it''s fine';\n\
            do $$ begin alter type mood add value 'odd'; exception when duplicate_object then null; end $$;\n\
            select 'add value ''none''', value from t;";
        assert_eq!(added_values(text), ["happy", "it''s fine", "odd"]);
        assert!(added_values("create type mood as enum ('a')").is_empty());
    }

    #[test]
    fn a_message_names_a_value_in_any_language() {
        let english = "unsafe use of new value \"urgent\" of enum type \"mood\"";
        assert!(is_named("urgent", english) && !is_named("gent", english));
        let german = "unsichere Verwendung des neuen Werts »it's« des Enum-Typs »mood«";
        assert!(is_named("it''s", german) && !is_named("it", "»it_s«"));
    }
}
