//! Arguments of random operations: values with their types, written in the document or sent as
//! variables, at whatever depth chance says.

use serde_json::{Map, Value, json};

use super::operation::Variable;
use super::world::{Cell, Kind, Link, MOODS, World, decimal};
use crate::harness::Chance;

/// A value, and the type of its place.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    /// As it stands in the document, and as JSON.
    Leaf(String, String, Value),
    Object(String, Vec<(String, Input)>),
    List(String, Vec<Input>),
}

impl Input {
    fn ty(&self) -> &str {
        match self {
            Self::Leaf(ty, ..) | Self::Object(ty, _) | Self::List(ty, _) => ty,
        }
    }

    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Leaf(_, _, json) => json.clone(),
            Self::Object(_, members) => {
                let members = members.iter();
                Value::Object(
                    members
                        .map(|(name, value)| (name.clone(), value.json()))
                        .collect::<Map<_, _>>(),
                )
            }
            Self::List(_, items) => items.iter().map(Self::json).collect(),
        }
    }

    /// As it stands in a document, without variables.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Leaf(_, text, _) => text.clone(),
            Self::Object(_, members) => {
                let members = members.iter();
                let members: Vec<_> = members
                    .map(|(name, value)| format!("{name}: {}", value.text()))
                    .collect();
                format!("{{{}}}", members.join(", "))
            }
            Self::List(_, items) => {
                let items: Vec<_> = items.iter().map(Self::text).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }

    /// As it stands in a document, with new variables for some of its parts.
    pub(crate) fn write(&self, chance: &mut Chance, variables: &mut Vec<Variable>) -> String {
        let written = matches!(self, Self::Leaf(_, text, _) if text.starts_with('$'));
        if !written && chance.percent(20) {
            return self.variable(chance, variables);
        }
        match self {
            Self::Leaf(_, text, _) => text.clone(),
            Self::Object(ty, members) => {
                let mut parts = Vec::new();
                for (name, value) in members {
                    parts.push(format!("{name}: {}", value.write(chance, variables)));
                }
                // A variable without a value is as good as nothing, in any place that can be left out.
                if ty.ends_with("Filter")
                    && chance.percent(4)
                    && !members.iter().any(|(name, _)| name == "isNull")
                {
                    let name = if members.iter().any(|(name, _)| name == "eq") {
                        "isNull: "
                    } else {
                        ""
                    };
                    if !name.is_empty() {
                        variables.push(Variable {
                            ty: "Boolean".into(),
                            default: None,
                            value: None,
                        });
                        parts.push(format!("{name}$v{}", variables.len() - 1));
                    }
                }
                format!("{{{}}}", parts.join(", "))
            }
            Self::List(_, items) => {
                // A single value stands for a list of one.
                if let [single] = items.as_slice()
                    && chance.percent(30)
                {
                    return match single {
                        Self::Leaf(_, text, _) => text.clone(),
                        other => other.write_plain(chance, variables),
                    };
                }
                let items: Vec<_> = items
                    .iter()
                    .map(|item| item.write(chance, variables))
                    .collect();
                format!("[{}]", items.join(", "))
            }
        }
    }

    /// Not as one variable: its type would not fit the place of a list.
    fn write_plain(&self, chance: &mut Chance, variables: &mut Vec<Variable>) -> String {
        loop {
            let before = variables.len();
            let text = self.write(chance, variables);
            if !text.starts_with('$') {
                return text;
            }
            variables.truncate(before);
        }
    }

    fn variable(&self, chance: &mut Chance, variables: &mut Vec<Variable>) -> String {
        let mut json = self.json();
        if let (Value::Array(items), Self::List(..)) = (&json, self)
            && items.len() == 1
            && chance.percent(30)
        {
            json = items[0].clone();
        }
        // A variable with a default may stand where a value is required, and is given or not.
        let strict = self.ty().to_owned();
        let (ty, default, value) = match chance.below(4) {
            0 => (
                strict.trim_end_matches('!').to_owned(),
                Some((self.text(), self.json())),
                None,
            ),
            1 => (strict, Some((self.text(), self.json())), Some(json)),
            2 => (
                format!("{}!", strict.trim_end_matches('!')),
                None,
                Some(json),
            ),
            _ => (strict, None, Some(json)),
        };
        variables.push(Variable { ty, default, value });
        format!("$v{}", variables.len() - 1)
    }
}

pub(crate) fn leaf(ty: &str, json: Value) -> Input {
    // The strings in use look the same in JSON and in GraphQL.
    Input::Leaf(ty.to_owned(), json.to_string(), json)
}

pub(crate) fn word(ty: &str, word: &str) -> Input {
    Input::Leaf(ty.to_owned(), word.to_owned(), json!(word))
}

/// A value of a column's type; `required` is for the elements of lists and for keys.
pub(crate) fn value(kind: Kind, cell: &Cell, required: bool) -> Input {
    let ty = format!("{}{}", kind.graphql(), if required { "!" } else { "" });
    match cell {
        Cell::Null => leaf(&ty, Value::Null),
        Cell::Bool(yes) => leaf(&ty, json!(yes)),
        Cell::Int(place) if kind == Kind::Mood => {
            word(&ty, MOODS[usize::try_from(*place).unwrap()].1)
        }
        Cell::Int(number) if kind == Kind::BigInt => leaf(&ty, json!(number.to_string())),
        Cell::Int(hundredths) if kind == Kind::Decimal => leaf(&ty, json!(decimal(*hundredths))),
        Cell::Int(number) => leaf(&ty, json!(number)),
        // A whole number looks like an integer.
        Cell::Float(number) => leaf(&ty, serde_json::from_str(&number.to_string()).unwrap()),
        Cell::Text(text) => leaf(&ty, json!(text)),
        // A single value stands for a list of one.
        Cell::Tags(tags) if tags.len() == 1 && tags[0].len() % 2 == 0 => leaf(&ty, json!(tags[0])),
        Cell::Tags(tags) => leaf(&ty, json!(tags)),
    }
}

/// A condition on rows of a table.
pub(crate) fn filter(world: &World, chance: &mut Chance, table: usize, depth: usize) -> Input {
    let def = &world.tables[table];
    let ty = format!("{}Filter", def.type_name());
    let mut members: Vec<(String, Input)> = Vec::new();
    for _ in 0..=chance.below(2) {
        let links = world.links(table);
        let (name, input) = match chance.below(10) {
            0 if depth > 0 => ("not".to_owned(), filter(world, chance, table, depth - 1)),
            choice @ 1..=2 if depth > 0 => {
                let few = chance.below(3);
                let all = (0..few).map(|_| required(filter(world, chance, table, depth - 1)));
                let list = Input::List(format!("[{ty}!]"), all.collect());
                (["and", "or"][choice - 1].to_owned(), list)
            }
            3..=5 if depth > 0 && !links.is_empty() => {
                let link = *chance.pick(&links);
                let (target, name) = world.link(table, link);
                let inner = filter(world, chance, target, depth - 1);
                (
                    name,
                    if let Link::ToOne(_) = link {
                        inner
                    } else {
                        let quantifier = *chance.pick(&["some", "every", "none"]);
                        let ty = format!("{}ListFilter", world.tables[target].type_name());
                        Input::Object(ty, vec![(quantifier.to_owned(), inner)])
                    },
                )
            }
            _ => comparison(world, chance, table),
        };
        if members.iter().all(|(known, _)| *known != name) {
            members.push((name, input));
        }
    }
    Input::Object(ty, members)
}

fn required(input: Input) -> Input {
    match input {
        Input::Object(ty, members) => Input::Object(ty + "!", members),
        other => other,
    }
}

fn comparison(world: &World, chance: &mut Chance, table: usize) -> (String, Input) {
    let column = chance.pick(&world.tables[table].columns);
    let kind = column.kind;
    let mut operators = vec!["eq", "ne", "isNull"];
    if kind == Kind::Tags {
        operators.extend(["contains", "containedBy", "overlaps"]);
    } else if kind != Kind::Bool {
        operators.extend(["in", "notIn", "lt", "lte", "gt", "gte"]);
    }
    if kind == Kind::Text {
        operators.extend(["startsWith", "endsWith", "contains"]);
    }
    let operator = *chance.pick(&operators);
    let operand = match operator {
        "isNull" => leaf("Boolean", json!(chance.percent(50))),
        "in" | "notIn" => {
            let few = chance.below(4);
            let items = (0..few).map(|_| value(kind, &kind.cell(chance), true));
            Input::List(format!("[{}!]", kind.graphql()), items.collect())
        }
        _ => value(kind, &kind.cell(chance), false),
    };
    let ty = match kind {
        Kind::Tags => "StringArrayFilter".to_owned(),
        _ => format!("{}Filter", kind.graphql()),
    };
    (
        column.field(),
        Input::Object(ty, vec![(operator.to_owned(), operand)]),
    )
}

/// A list of keys to sort by.
pub(crate) fn order(world: &World, chance: &mut Chance, table: usize) -> Input {
    let few = chance.below(4);
    let keys = (0..few).map(|_| required(key(world, chance, table, 2)));
    let ty = format!("[{}Order!]", world.tables[table].type_name());
    Input::List(ty, keys.collect())
}

fn key(world: &World, chance: &mut Chance, table: usize, hops: usize) -> Input {
    const DIRECTIONS: [&str; 6] = [
        "ASC",
        "DESC",
        "ASC_NULLS_FIRST",
        "ASC_NULLS_LAST",
        "DESC_NULLS_FIRST",
        "DESC_NULLS_LAST",
    ];
    let def = &world.tables[table];
    let member = match chance.try_pick(&def.references) {
        Some(reference) if hops > 0 && chance.percent(30) => (
            reference.name.clone(),
            key(world, chance, reference.to, hops - 1),
        ),
        _ => (
            chance.pick(&def.columns).field(),
            word("SortOrder", chance.pick::<&str>(&DIRECTIONS)),
        ),
    };
    Input::Object(format!("{}Order", def.type_name()), vec![member])
}
