//! The steps of a script, and the way back from a position in a step to a line of the file.

/// What to run, in order, inside one transaction whose `search_path` is the tenant's schema and `extensions`.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Statements for one simple-query message.
    Sql(Batch),
    CopyIn(CopyIn),
}

/// Statements that follow each other, each ended by a semicolon and a newline.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    text: String,
    marks: Vec<Mark>,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    /// Where the statement starts in the batch, in bytes.
    offset: usize,
    /// Where it starts in the file.
    line: u32,
}

/// `COPY … FROM stdin` and the rows that follow it.
#[derive(Debug, Clone)]
pub(crate) struct CopyIn {
    pub(crate) statement: String,
    pub(crate) data: String,
    pub(crate) line: u32,
}

/// A place in the migration file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub(crate) line: u32,
    /// The statement's first line.
    pub(crate) excerpt: &'a str,
}

/// Large enough to make round trips rare, small enough that a dump's megabytes don't become one parse tree.
const BATCH_BYTES: usize = 512 * 1024;

impl Step {
    /// Finds the place of an error: by its position (in characters from 1, as Postgres reports it), or else by the number
    /// of statements of this step that were completed before it.
    pub(crate) fn locate(&self, completed: usize, position: Option<u32>) -> Place<'_> {
        match self {
            Step::Sql(batch) => batch.locate(completed, position),
            Step::CopyIn(copy) => Place {
                line: copy.line,
                excerpt: first_line(&copy.statement),
            },
        }
    }
}

impl Batch {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.text.len() >= BATCH_BYTES
    }

    pub(crate) fn push(&mut self, statement: &str, line: u32) {
        self.marks.push(Mark {
            offset: self.text.len(),
            line,
        });
        self.text.push_str(statement);
        self.text.push_str(";\n");
    }

    /// Each statement with the line that it starts on in the file.
    pub(crate) fn statements(&self) -> impl Iterator<Item = (u32, &str)> {
        let ends = self.marks.iter().skip(1).map(|next| next.offset);
        let ends = ends.chain([self.text.len()]);
        let marks = self.marks.iter().zip(ends);
        marks.map(|(mark, end)| {
            let text = &self.text[mark.offset..end];
            (mark.line, text.strip_suffix(";\n").unwrap_or(text))
        })
    }

    fn locate(&self, completed: usize, position: Option<u32>) -> Place<'_> {
        let nth = position.map(|characters| characters.saturating_sub(1) as usize);
        let at = nth
            .and_then(|nth| self.text.char_indices().nth(nth))
            .map(|(at, _)| at);
        let index = match at {
            Some(at) => self
                .marks
                .partition_point(|mark| mark.offset <= at)
                .saturating_sub(1),
            None => completed.min(self.marks.len().saturating_sub(1)),
        };
        let Some(mark) = self.marks.get(index) else {
            return Place {
                line: 1,
                excerpt: "",
            };
        };
        let statement = &self.text[mark.offset..];
        // Edits keep the newlines of what they replace, so that lines can be counted here.
        let newlines = at.map_or(0, |at| self.text[mark.offset..at].matches('\n').count());
        Place {
            line: mark.line + u32::try_from(newlines).unwrap_or(0),
            excerpt: first_line(statement),
        }
    }
}

fn first_line(statement: &str) -> &str {
    let line = statement.lines().next().unwrap_or_default();
    let end = line
        .char_indices()
        .nth(120)
        .map_or(line.len(), |(at, _)| at);
    line[..end].trim_end_matches(';')
}

#[cfg(test)]
mod tests {
    use super::{Batch, Place, Step};

    #[test]
    fn a_position_leads_back_to_the_file() {
        let mut batch = Batch::default();
        batch.push("select 'é'", 3);
        batch.push("select\n  nope", 7);
        let step = Step::Sql(batch);
        let place = |line, excerpt| Place { line, excerpt };
        assert_eq!(step.locate(0, Some(1)), place(3, "select 'é'"));
        // 12 characters of the first statement and its end, then "select\n  ".
        assert_eq!(step.locate(0, Some(22)), place(8, "select"));
        assert_eq!(step.locate(1, None), place(7, "select"));
        assert_eq!(step.locate(9, Some(999)), place(7, "select"));
    }
}
