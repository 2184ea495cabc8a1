//! An operation as a tree, which can be printed, and shrunk without becoming invalid.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value};

/// A field, a fragment, or a spread: what stands before its braces, and what within.
#[derive(Debug, Clone, Default)]
pub(crate) struct Item {
    pub(crate) head: String,
    pub(crate) inner: Vec<Item>,
}

pub(crate) fn item(head: impl Into<String>, inner: Vec<Item>) -> Item {
    let head = head.into();
    Item { head, inner }
}

/// A field without fields of its own.
pub(crate) fn plain(head: impl Into<String>) -> Item {
    item(head, Vec::new())
}

#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) ty: String,
    /// As GraphQL, and as JSON.
    pub(crate) default: Option<(String, Value)>,
    pub(crate) value: Option<Value>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Operation {
    pub(crate) items: Vec<Item>,
    /// `$v0`, `$v1`, …
    pub(crate) variables: Vec<Variable>,
    /// `F0`, `F1`, … with their type conditions.
    pub(crate) fragments: Vec<(String, Vec<Item>)>,
    /// It has an argument that the service must refuse.
    pub(crate) invalid: bool,
}

impl Operation {
    /// The document: what the operation does not use is left out of it. `filler` is a field for all
    /// objects, so that none is empty.
    pub(crate) fn document(&self, filler: &str) -> String {
        let used = self.used();
        let variables = self.variables.iter().enumerate();
        let variables: Vec<_> = variables
            .filter(|(index, _)| used.contains(&format!("$v{index}")))
            .map(|(index, Variable { ty, default, .. })| match default {
                Some((text, _)) => format!("$v{index}: {ty} = {text}"),
                None => format!("$v{index}: {ty}"),
            })
            .collect();
        let mut text = match variables.as_slice() {
            [] => "query".to_owned(),
            all => format!("query ({})", all.join(", ")),
        };
        print(&self.items, filler, 1, &mut text);
        for (index, (on, items)) in self.fragments.iter().enumerate() {
            if used.contains(&format!("...F{index}")) {
                let _ = write!(text, "\nfragment F{index} on {on}");
                print(items, filler, 1, &mut text);
            }
        }
        text
    }

    /// The values of the variables that are sent, and those with defaults filled in.
    pub(crate) fn values(&self) -> [Map<String, Value>; 2] {
        let used = self.used();
        let (mut sent, mut effective) = (Map::new(), Map::new());
        for (index, variable) in self.variables.iter().enumerate() {
            if !used.contains(&format!("$v{index}")) {
                continue;
            }
            let default = variable.default.as_ref().map(|(_, value)| value);
            if let Some(value) = &variable.value {
                sent.insert(format!("v{index}"), value.clone());
            }
            if let Some(value) = variable.value.as_ref().or(default) {
                effective.insert(format!("v{index}"), value.clone());
            }
        }
        [sent, effective]
    }

    /// Variables and fragments that are reached from the operation.
    fn used(&self) -> BTreeSet<String> {
        let (mut used, mut rest) = (BTreeSet::new(), vec![&self.items]);
        while let Some(items) = rest.pop() {
            for item in items {
                rest.push(&item.inner);
                for word in words(&item.head) {
                    let fragment = word
                        .strip_prefix("...F")
                        .and_then(|n| n.parse::<usize>().ok());
                    if used.insert(word.to_owned()) {
                        rest.extend(fragment.map(|n| &self.fragments[n].1));
                    }
                }
            }
        }
        used
    }

    /// This operation with one thing less, for each thing.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let mut keep = |items: Vec<Item>, fragment: Option<usize>| {
            let mut smaller = self.clone();
            match fragment {
                None => smaller.items = items,
                Some(index) => smaller.fragments[index].1 = items,
            }
            all.push(smaller);
        };
        for items in without_one(&self.items) {
            keep(items, None);
        }
        for (index, (_, items)) in self.fragments.iter().enumerate() {
            for items in without_one(items) {
                keep(items, Some(index));
            }
        }
        all
    }
}

/// `$v3` and `...F3` within the head of a field.
fn words(head: &str) -> impl Iterator<Item = &str> {
    head.split(|c: char| !c.is_ascii_alphanumeric() && !"$.".contains(c))
        .filter(|word| word.starts_with("$v") || word.starts_with("...F"))
}

/// The larger parts first. Braces never become empty.
fn without_one(items: &[Item]) -> Vec<Vec<Item>> {
    let mut all = Vec::new();
    for index in 0..items.len() {
        if items.len() > 1 {
            let mut fewer = items.to_vec();
            fewer.remove(index);
            all.push(fewer);
        }
    }
    for (index, item) in items.iter().enumerate() {
        let inner = without_one(&item.inner).into_iter();
        // The inner fields of a fragment can stand in its place.
        let lifted =
            (item.head == "..." || item.head.starts_with("... @")).then(|| item.inner.clone());
        for inner in inner {
            let mut changed = items.to_vec();
            changed[index].inner = inner;
            all.push(changed);
        }
        if let Some(lifted) = lifted {
            let mut changed = items.to_vec();
            changed.splice(index..=index, lifted);
            all.push(changed);
        }
    }
    all
}

fn print(items: &[Item], filler: &str, depth: usize, text: &mut String) {
    let _ = writeln!(text, " {{{filler}");
    for item in items {
        *text += &"  ".repeat(depth);
        *text += &item.head;
        match item.inner.as_slice() {
            [] => text.push('\n'),
            inner => print(inner, filler, depth + 1, text),
        }
    }
    *text += &"  ".repeat(depth - 1);
    *text += "}\n";
}
