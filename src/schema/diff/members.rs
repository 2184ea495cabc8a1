//! Differences of what is answered: fields, values of enums, interfaces and unions.

use async_graphql::Positioned;
use async_graphql::parser::types::{ConstDirective, EnumValueDefinition, FieldDefinition, Type};
use async_graphql_value::Name;

use super::{Comparison, Difference, Rule, is_within, nullable, pairs};

impl Comparison<'_> {
    pub(super) fn fields(
        &mut self,
        owner: &str,
        before: &[Positioned<FieldDefinition>],
        after: &[Positioned<FieldDefinition>],
    ) {
        let name = |field: &Positioned<FieldDefinition>| field.node.name.node.to_string();
        let pairs = pairs(before.iter(), after.iter(), name);
        let new = pairs.values().filter_map(|pair| match pair {
            (None, Some(field)) => Some(&field.node),
            _ => None,
        });
        let new: Vec<_> = new.collect();
        for (name, pair) in &pairs {
            let path = format!("{owner}.{name}");
            match pair {
                (Some(before), None) => {
                    let difference = removed(path, &before.node, &new);
                    self.found.push(difference);
                }
                (None, Some(after)) => {
                    let message = format!("is new: {}", after.node.ty.node);
                    self.report(Rule::FieldAdded, &path, message);
                }
                (Some(before), Some(after)) => self.field(&path, &before.node, &after.node),
                (None, None) => {}
            }
        }
    }

    fn field(&mut self, path: &str, before: &FieldDefinition, after: &FieldDefinition) {
        self.answer(path, &before.ty.node, &after.ty.node);
        self.description(
            path,
            before.description.as_ref(),
            after.description.as_ref(),
        );
        match (
            is_deprecated(&before.directives),
            is_deprecated(&after.directives),
        ) {
            (false, true) => self.report(Rule::Deprecated, path, "is deprecated"),
            (true, false) => self.report(Rule::NotDeprecated, path, "is no longer deprecated"),
            _ => {}
        }
        self.arguments(path, &before.arguments, &after.arguments);
    }

    fn answer(&mut self, path: &str, before: &Type, after: &Type) {
        if before == after {
            return;
        }
        let message = format!("was {before} and is {after}");
        let rule = if is_within(after, before) {
            Rule::FieldNeverNull
        } else if nullable(before) == nullable(after) {
            Rule::FieldMadeNullable
        } else {
            Rule::FieldTypeChanged
        };
        self.report(rule, path, message);
    }

    pub(super) fn values(
        &mut self,
        owner: &str,
        before: &[Positioned<EnumValueDefinition>],
        after: &[Positioned<EnumValueDefinition>],
    ) {
        let name = |value: &Positioned<EnumValueDefinition>| value.node.value.node.to_string();
        for (name, pair) in pairs(before.iter(), after.iter(), name) {
            let path = format!("{owner}.{name}");
            match pair {
                (Some(_), None) => self.report(Rule::ValueRemoved, &path, "was removed"),
                (None, Some(_)) if self.answered.contains(owner) => {
                    let message = "is new: clients that switch over the values do not know it";
                    self.report(Rule::ValueAdded, &path, message);
                }
                (None, Some(_)) => self.report(Rule::ValueAccepted, &path, "is new"),
                (Some(before), Some(after)) => {
                    let (before, after) = (&before.node, &after.node);
                    self.description(
                        &path,
                        before.description.as_ref(),
                        after.description.as_ref(),
                    );
                }
                (None, None) => {}
            }
        }
    }

    pub(super) fn interfaces(
        &mut self,
        owner: &str,
        before: &[Positioned<Name>],
        after: &[Positioned<Name>],
    ) {
        for name in missing(before, after) {
            let message = format!("no longer implements {name}");
            self.report(Rule::InterfaceRemoved, owner, message);
        }
        for name in missing(after, before) {
            let message = format!("implements {name}, too");
            self.report(Rule::InterfaceAdded, owner, message);
        }
    }

    pub(super) fn union_members(
        &mut self,
        owner: &str,
        before: &[Positioned<Name>],
        after: &[Positioned<Name>],
    ) {
        for name in missing(before, after) {
            self.report(Rule::MemberRemoved, owner, format!("is never {name}"));
        }
        for name in missing(after, before) {
            self.report(Rule::MemberAdded, owner, format!("may be {name}, too"));
        }
    }
}

/// A field of the same type that is new may be this one under another name.
fn removed(path: String, field: &FieldDefinition, new: &[&FieldDefinition]) -> Difference {
    let deprecated = is_deprecated(&field.directives);
    let mut twins = new.iter().filter(|new| new.ty.node == field.ty.node);
    let hint = match (twins.next(), twins.next()) {
        (Some(twin), None) => Some(format!(
            "if {} is the same under another name: a comment '@name {}' on it keeps the old one",
            twin.name.node, field.name.node
        )),
        _ if deprecated => None,
        _ => Some("first deprecate it, by a comment '@deprecated why'".to_owned()),
    };
    let message = if deprecated {
        "was removed, and was deprecated before"
    } else {
        "was removed"
    };
    Difference {
        rule: Rule::FieldRemoved,
        path,
        message: message.to_owned(),
        hint,
    }
}

fn is_deprecated(directives: &[Positioned<ConstDirective>]) -> bool {
    let mut names = directives.iter().map(|directive| &directive.node.name.node);
    names.any(|name| name == "deprecated")
}

/// What of `names` is not among `others`.
fn missing<'a>(
    names: &'a [Positioned<Name>],
    others: &'a [Positioned<Name>],
) -> impl Iterator<Item = &'a Name> {
    let is_missing = |name: &&Positioned<Name>| others.iter().all(|other| other.node != name.node);
    names.iter().filter(is_missing).map(|name| &name.node)
}
