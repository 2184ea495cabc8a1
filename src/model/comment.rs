//! Smart comments: tags at the head of a Postgres comment; the rest is the description.

/// A parsed `comment on …`.
///
/// Tags stand first, one a line or several in a row: `@name tasks`, `@reverse children`, `@omit`,
/// `@readonly`, `@deprecated why`. Other tags are kept out of the description and left for later.
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
        match tag {
            "omit" => self.omit = true,
            "readonly" => self.readonly = true,
            "users" => self.users = true,
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
    fn unknown_tags_are_no_description() {
        let comment = Comment::parse(Some(
            "@foreignKey (a) references b (c)\nText with an @ sign",
        ));
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
