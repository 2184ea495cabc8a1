//! Changes to a text that leave everything else, and the number of its lines, as it was.

use std::ops::Range;

/// Replaces a byte range of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

impl Edit {
    pub(super) fn cut(range: Range<usize>) -> Self {
        Self::replace(range, String::new())
    }

    pub(super) fn replace(range: Range<usize>, text: String) -> Self {
        Self { range, text }
    }

    pub(super) fn insert(at: usize, text: &str) -> Self {
        Self::replace(at..at, text.to_owned())
    }

    /// The same edit where the text it was made for is a part of a larger one.
    pub(super) fn shifted(self, by: usize) -> Self {
        Self {
            range: self.range.start + by..self.range.end + by,
            text: self.text,
        }
    }
}

/// The part of the text within `range`, edited. Of edits that overlap, the first wins.
pub(super) fn apply(text: &str, range: Range<usize>, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| edit.range.start);
    let mut result = String::with_capacity(range.len());
    let mut position = range.start;
    for edit in edits {
        if edit.range.start < position {
            continue;
        }
        result.push_str(&text[position..edit.range.start]);
        result.push_str(&edit.text);
        let lost = newlines(&text[edit.range.clone()]).saturating_sub(newlines(&edit.text));
        result.extend(std::iter::repeat_n('\n', lost));
        position = edit.range.end;
    }
    result.push_str(&text[position..range.end]);
    result
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::{Edit, apply};

    #[test]
    fn lines_stay_in_place() {
        let edits = vec![
            Edit::replace(4..9, "X".into()),
            Edit::cut(0..2),
            Edit::cut(5..11),
        ];
        assert_eq!(apply("aabb\n\ncc\nddee", 0..13, edits), "bbX\n\n\nddee");
    }
}
