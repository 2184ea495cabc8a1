//! Differences of what is asked with: arguments and the fields of inputs.

use async_graphql::Positioned;
use async_graphql::parser::types::{InputValueDefinition, TypeDefinition};

use super::{Comparison, Rule, is_within, nullable, pairs};

/// What the same change is called at an argument, and at a field of an input.
struct Rules {
    removed: Rule,
    added: Rule,
    required: Rule,
    type_changed: Rule,
    optional: Rule,
}

const ARGUMENT: Rules = Rules {
    removed: Rule::ArgumentRemoved,
    added: Rule::ArgumentAdded,
    required: Rule::ArgumentRequired,
    type_changed: Rule::ArgumentTypeChanged,
    optional: Rule::ArgumentOptional,
};

const INPUT_FIELD: Rules = Rules {
    removed: Rule::InputFieldRemoved,
    added: Rule::InputFieldAdded,
    required: Rule::InputFieldRequired,
    type_changed: Rule::InputFieldTypeChanged,
    optional: Rule::InputFieldOptional,
};

type Values = [Positioned<InputValueDefinition>];

impl Comparison<'_> {
    pub(super) fn arguments(&mut self, field: &str, before: &Values, after: &Values) {
        self.inputs(&ARGUMENT, before, after, |name| format!("{field}({name}:)"));
    }

    pub(super) fn input_fields(&mut self, input: &str, before: &Values, after: &Values) {
        self.inputs(&INPUT_FIELD, before, after, |name| {
            format!("{input}.{name}")
        });
    }

    fn inputs(
        &mut self,
        rules: &Rules,
        before: &Values,
        after: &Values,
        path: impl Fn(&str) -> String,
    ) {
        let name = |value: &Positioned<InputValueDefinition>| value.node.name.node.to_string();
        for (name, pair) in pairs(before.iter(), after.iter(), name) {
            let path = path(&name);
            match pair {
                (Some(_), None) => self.report(rules.removed, &path, "was removed"),
                (None, Some(after)) if is_required(&after.node) => {
                    let message = format!("is new and required: {}", after.node.ty.node);
                    self.report(rules.required, &path, message);
                }
                (None, Some(after)) => {
                    let message = format!("is new: {}", after.node.ty.node);
                    self.report(rules.added, &path, message);
                }
                (Some(before), Some(after)) => {
                    self.input(rules, &path, &before.node, &after.node);
                }
                (None, None) => {}
            }
        }
    }

    fn input(
        &mut self,
        rules: &Rules,
        path: &str,
        before: &InputValueDefinition,
        after: &InputValueDefinition,
    ) {
        let (was, is) = (&before.ty.node, &after.ty.node);
        if was != is {
            let rule = if is_within(was, is) {
                rules.optional
            } else if nullable(was) == nullable(is) {
                rules.required
            } else {
                rules.type_changed
            };
            self.report(rule, path, format!("was {was} and is {is}"));
        }
        let default = |value: &InputValueDefinition| {
            value
                .default_value
                .as_ref()
                .map(|value| value.node.to_string())
        };
        let (was, is) = (default(before), default(after));
        if was != is {
            let told = |default: Option<String>| default.unwrap_or_else(|| "nothing".to_owned());
            let message = format!("means {} when left out (before: {})", told(is), told(was));
            self.report(Rule::DefaultChanged, path, message);
        }
        self.description(
            path,
            before.description.as_ref(),
            after.description.as_ref(),
        );
    }

    /// Whether exactly one field has to be given.
    pub(super) fn one_of(&mut self, name: &str, before: &TypeDefinition, after: &TypeDefinition) {
        let is = |ty: &TypeDefinition| {
            let mut names = ty
                .directives
                .iter()
                .map(|directive| &directive.node.name.node);
            names.any(|name| name == "oneOf")
        };
        match (is(before), is(after)) {
            (false, true) => {
                self.report(
                    Rule::BecameOneOf,
                    name,
                    "takes exactly one field now (@oneOf)",
                );
            }
            (true, false) => {
                self.report(
                    Rule::NotOneOf,
                    name,
                    "takes any number of fields (no @oneOf)",
                );
            }
            _ => {}
        }
    }
}

fn is_required(value: &InputValueDefinition) -> bool {
    !value.ty.node.nullable && value.default_value.is_none()
}
