//! What a change of the GraphQL schema means to clients: two schemas, in GraphQL's own language, and how they differ.
//!
//! The kinds of changes are those of graphql-js (`findSchemaChanges`) and GraphQL Inspector. Two are judged by what this service does: an
//! optional argument or input field that is new is safe, as what is left out means what it meant before; and a new
//! value of an enum is dangerous only where answers may hold it.

mod definitions;
mod inputs;
mod members;
mod rule;

use std::collections::{BTreeMap, HashSet};

use async_graphql::Positioned;
use async_graphql::parser::types::{
    BaseType, InterfaceType, ObjectType, Type, TypeDefinition, TypeKind,
};

use definitions::Definitions;
pub(crate) use definitions::UnreadableSchema;
pub(crate) use rule::{Impact, Rule};

/// One thing that is not as it was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) rule: Rule,
    /// `Issue.title`, `Query.issues(first:)`, `IssueStatus.OPEN`
    pub(crate) path: String,
    pub(crate) message: String,
    /// How its author could spare clients the change.
    pub(crate) hint: Option<String>,
}

/// Compares two schemas; what breaks clients comes first, then what may, then the rest, each in the order of names.
pub(crate) fn diff(before: &str, after: &str) -> Result<Vec<Difference>, UnreadableSchema> {
    let (before, after) = (Definitions::read(before)?, Definitions::read(after)?);
    let mut comparison = Comparison {
        answered: after.answered(),
        found: Vec::new(),
    };
    comparison.roots(&before, &after);
    comparison.types(&before, &after);
    comparison.directives(&before, &after);
    let mut found = comparison.found;
    found.sort_by_key(|difference| difference.rule.impact());
    Ok(found)
}

struct Comparison<'a> {
    /// The types that answers may hold.
    answered: HashSet<&'a str>,
    found: Vec<Difference>,
}

impl Comparison<'_> {
    fn report(&mut self, rule: Rule, path: &str, message: impl Into<String>) {
        self.found.push(Difference {
            rule,
            path: path.to_owned(),
            message: message.into(),
            hint: None,
        });
    }

    fn roots(&mut self, before: &Definitions, after: &Definitions) {
        for (kind, before, after) in before.roots_beside(after) {
            match (before, after) {
                (Some(before), None) => {
                    let message = format!("is no longer the {kind}: there is none");
                    self.report(Rule::RootRemoved, before, message);
                }
                (None, Some(after)) => {
                    self.report(Rule::RootAdded, after, format!("is the {kind}"));
                }
                (Some(before), Some(after)) if before != after => {
                    let message = format!("is no longer the {kind}: {after} is");
                    self.report(Rule::RootRemoved, before, message);
                }
                _ => {}
            }
        }
    }

    fn types(&mut self, before: &Definitions, after: &Definitions) {
        let name = |ty: &TypeDefinition| ty.name.node.to_string();
        for (name, pair) in pairs(before.types.iter(), after.types.iter(), name) {
            match pair {
                (Some(_), None) => self.report(Rule::TypeRemoved, &name, "was removed"),
                (None, Some(after)) => {
                    let message = format!("is a new {}", kind(&after.kind));
                    self.report(Rule::TypeAdded, &name, message);
                }
                (Some(before), Some(after)) => self.ty(&name, before, after),
                (None, None) => {}
            }
        }
    }

    fn ty(&mut self, name: &str, before: &TypeDefinition, after: &TypeDefinition) {
        self.description(
            name,
            before.description.as_ref(),
            after.description.as_ref(),
        );
        match (&before.kind, &after.kind) {
            (TypeKind::Object(before), TypeKind::Object(after)) => {
                let ObjectType { implements, fields } = before;
                self.interfaces(name, implements, &after.implements);
                self.fields(name, fields, &after.fields);
            }
            (TypeKind::Interface(before), TypeKind::Interface(after)) => {
                let InterfaceType { implements, fields } = before;
                self.interfaces(name, implements, &after.implements);
                self.fields(name, fields, &after.fields);
            }
            (TypeKind::InputObject(before_kind), TypeKind::InputObject(after_kind)) => {
                self.one_of(name, before, after);
                self.input_fields(name, &before_kind.fields, &after_kind.fields);
            }
            (TypeKind::Enum(before), TypeKind::Enum(after)) => {
                self.values(name, &before.values, &after.values);
            }
            (TypeKind::Union(before), TypeKind::Union(after)) => {
                self.union_members(name, &before.members, &after.members);
            }
            (TypeKind::Scalar, TypeKind::Scalar) => {}
            (before, after) => {
                let message = format!(
                    "was of kind {} and is of kind {}",
                    kind(before),
                    kind(after)
                );
                self.report(Rule::TypeKindChanged, name, message);
            }
        }
    }

    fn directives(&mut self, before: &Definitions, after: &Definitions) {
        for name in before.directives.difference(&after.directives) {
            self.report(Rule::DirectiveRemoved, &format!("@{name}"), "was removed");
        }
        for name in after.directives.difference(&before.directives) {
            self.report(Rule::DirectiveAdded, &format!("@{name}"), "is new");
        }
    }

    /// Which role something takes is told by its description, and matters more than words.
    fn description(
        &mut self,
        path: &str,
        before: Option<&Positioned<String>>,
        after: Option<&Positioned<String>>,
    ) {
        let text = |description: Option<&Positioned<String>>| {
            description
                .map(|text| text.node.clone())
                .unwrap_or_default()
        };
        let (before, after) = (text(before), text(after));
        if before == after {
            return;
        }
        let (took, takes) = (super::access_told(&before), super::access_told(&after));
        if took == takes {
            self.report(
                Rule::DescriptionChanged,
                path,
                "is described in other words",
            );
            return;
        }
        let told = |access: &str| {
            let access = access.trim_end_matches('.').to_lowercase();
            if access.is_empty() {
                "takes no role of its own".to_owned()
            } else {
                access
            }
        };
        let message = format!("{} (before: {})", told(takes), told(took));
        self.report(Rule::AccessChanged, path, message);
    }
}

/// What has a name, beside what had it.
type Pairs<'a, T> = BTreeMap<String, (Option<&'a T>, Option<&'a T>)>;

fn pairs<'a, T>(
    before: impl Iterator<Item = &'a T>,
    after: impl Iterator<Item = &'a T>,
    name: impl Fn(&T) -> String,
) -> Pairs<'a, T> {
    let mut pairs = Pairs::new();
    for item in before {
        pairs.entry(name(item)).or_default().0 = Some(item);
    }
    for item in after {
        pairs.entry(name(item)).or_default().1 = Some(item);
    }
    pairs
}

/// In the words of the specification.
fn kind(kind: &TypeKind) -> &'static str {
    match kind {
        TypeKind::Scalar => "scalar",
        TypeKind::Object(_) => "object",
        TypeKind::Interface(_) => "interface",
        TypeKind::Union(_) => "union",
        TypeKind::Enum(_) => "enum",
        TypeKind::InputObject(_) => "input",
    }
}

/// The type as it would be if null were allowed everywhere.
fn nullable(ty: &Type) -> String {
    ty.to_string().replace('!', "")
}

/// Whether whoever expects `wide` can deal with `narrow`: the same type, with null in fewer places.
fn is_within(narrow: &Type, wide: &Type) -> bool {
    let null = !narrow.nullable || wide.nullable;
    null && match (&narrow.base, &wide.base) {
        (BaseType::Named(narrow), BaseType::Named(wide)) => narrow == wide,
        (BaseType::List(narrow), BaseType::List(wide)) => is_within(narrow, wide),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
