//! Smart comments: tags at the head of a Postgres comment; the rest is the description.

/// A parsed `comment on …`.
///
/// Tags stand first, one a line or several in a row: `@name tasks`, `@reverse children`, `@omit`,
/// `@readonly`, `@deprecated why`. What Postgres itself cannot say of a view, tags declare, each on a
/// line of its own: `@primaryKey a, b`, `@unique a, b`, `@foreignKey (a) references t (b)`, and on a
/// column `@notNull` and `@dimensions 2`. Who may do what is said by `@read ROLE`, `@write ROLE`,
/// `@execute ROLE` and `@public`. Other tags are kept out of the description.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Comment {
    pub description: Option<String>,
    pub name: Option<String>,
    /// On a foreign key: the name of the field on the referenced side.
    pub reverse: Option<String>,
    pub omit: bool,
    pub readonly: bool,
    pub deprecated: Option<String>,
    /// On a table: it is the service's own table of users.
    pub users: bool,
    pub declared: Declared,
    pub marks: Marks,
}

/// Which roles may do what, as it was written: `super::access` knows the roles.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Marks {
    pub read: Option<String>,
    pub write: Option<String>,
    pub execute: Option<String>,
    /// Without a token, too.
    pub public: bool,
}

/// What tags declare of a relation or a column, as it was written.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Declared {
    pub primary_key: Option<String>,
    pub unique: Vec<String>,
    pub foreign_keys: Vec<String>,
    pub not_null: bool,
    /// Of an array: the catalog does not know it of a view's column.
    pub dimensions: Option<usize>,
}

impl Comment {
    pub fn parse(comment: Option<&str>) -> Self {
        let mut parsed = Self::default();
        let mut rest = comment.unwrap_or_default().trim();
        while let Some((tag, after)) = split_tag(rest) {
            rest = parsed.read_tag(tag, after).trim_start();
        }
        if !rest.is_empty() {
            parsed.description = Some(rest.to_owned());
        }
        parsed
    }

    /// Takes one tag with its argument, and returns what follows.
    fn read_tag<'a>(&mut self, tag: &str, after: &'a str) -> &'a str {
        let (line, below) = after.split_once('\n').unwrap_or((after, ""));
        let (word, behind) = split_word(after);
        let declared = &mut self.declared;
        match tag {
            "omit" => self.omit = true,
            "readonly" => self.readonly = true,
            "users" => self.users = true,
            "public" => self.marks.public = true,
            "read" | "write" | "execute" => {
                let mark = match tag {
                    "read" => &mut self.marks.read,
                    "write" => &mut self.marks.write,
                    _ => &mut self.marks.execute,
                };
                *mark = Some(word.to_owned());
                return behind;
            }
            "notNull" => declared.not_null = true,
            "primaryKey" => {
                declared.primary_key = Some(line.trim().to_owned());
                return below;
            }
            "unique" => {
                declared.unique.push(line.trim().to_owned());
                return below;
            }
            "foreignKey" => {
                declared.foreign_keys.push(line.trim().to_owned());
                return below;
            }
            "dimensions" => {
                // Postgres has no more than six.
                declared.dimensions = word.parse().ok().filter(|number| (1..=6).contains(number));
                return behind;
            }
            "name" => {
                self.name = Some(word.to_owned()).filter(|word| !word.is_empty());
                return behind;
            }
            "reverse" => {
                self.reverse = Some(word.to_owned()).filter(|word| !word.is_empty());
                return behind;
            }
            "deprecated" => {
                self.deprecated = Some(line.trim().to_owned());
                return below;
            }
            _ => return below,
        }
        after
    }
}

/// `@tag rest` → (`tag`, ` rest`).
fn split_tag(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('@')?;
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// The first word of the line, and what follows it.
fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches([' ', '\t']);
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::Comment;

    #[test]
    fn tags_come_first_and_the_rest_describes() {
        let comment = Comment::parse(Some("@name tasks\n@readonly\nWhat is to be done.\nSoon."));
        assert_eq!(comment.name.as_deref(), Some("tasks"));
        assert!(comment.readonly && !comment.omit);
        assert_eq!(
            comment.description.as_deref(),
            Some("What is to be done.\nSoon.")
        );
    }

    #[test]
    fn tags_may_share_a_line_with_the_description() {
        let comment = Comment::parse(Some("@omit @name x Counts up."));
        assert!(comment.omit);
        assert_eq!(comment.name.as_deref(), Some("x"));
        assert_eq!(comment.description.as_deref(), Some("Counts up."));
    }

    #[test]
    fn roles_are_kept_as_they_were_written() {
        let marks = Comment::parse(Some("@read admin @write owner\nWhat they earn.")).marks;
        assert_eq!(marks.read.as_deref(), Some("admin"));
        assert_eq!(marks.write.as_deref(), Some("owner"));
        assert!(!marks.public && marks.execute.is_none());
        let comment = Comment::parse(Some("@public @execute\nSays hello."));
        assert!(comment.marks.public);
        // The next line is not the role.
        assert_eq!(comment.marks.execute.as_deref(), Some(""));
        assert_eq!(comment.description.as_deref(), Some("Says hello."));
    }

    #[test]
    fn keys_are_declared_a_line_each() {
        let comment = Comment::parse(Some(
            "@primaryKey a, b\n@unique c\n@unique d,e\n@foreignKey (a) references t (x) @name owner\nOf all.",
        ));
        let declared = comment.declared;
        assert_eq!(declared.primary_key.as_deref(), Some("a, b"));
        assert_eq!(declared.unique, ["c", "d,e"]);
        assert_eq!(declared.foreign_keys, ["(a) references t (x) @name owner"]);
        assert_eq!(comment.description.as_deref(), Some("Of all."));
        assert_eq!(comment.name, None);
        let column = Comment::parse(Some("@notNull @dimensions 2 A matrix.")).declared;
        assert!(column.not_null);
        assert_eq!(column.dimensions, Some(2));
    }

    #[test]
    fn unknown_tags_are_no_description() {
        let comment = Comment::parse(Some("@interface mode:single\nText with an @ sign"));
        assert_eq!(comment.description.as_deref(), Some("Text with an @ sign"));
        assert_eq!(
            Comment::parse(Some("me@example.test"))
                .description
                .as_deref(),
            Some("me@example.test")
        );
        assert_eq!(Comment::parse(None), Comment::default());
    }
}
