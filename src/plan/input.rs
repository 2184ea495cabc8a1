//! Arguments, coerced: each value knows its definition and where it comes from, so that a plan made
//! for one request's variables serves the next one's.

use std::sync::Arc;

use async_graphql_value::{ConstValue, Value as Ast};
use serde_json::Value;

use super::document::VariableInfo;
use super::error::InputError;
use super::params::{Step, ValueSource, Variables};
use crate::schema::{Blueprint, EnumMeaning, InputFieldDef, Type, TypeDef};

/// A value of an argument or input field.
#[derive(Debug)]
pub(super) enum Input<'a> {
    Null,
    /// A scalar, a value of a Postgres enum, or a list of such that is taken as a whole.
    Leaf(ValueSource),
    /// A value of an enum that belongs to the query language.
    Keyword(String),
    List(Vec<Input<'a>>),
    Object(Vec<Member<'a>>),
}

#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) name: &'a str,
    pub(super) def: &'a InputFieldDef,
    pub(super) value: Input<'a>,
}

/// What coercion looks things up in.
#[derive(Clone, Copy)]
pub(super) struct InputEnv<'a> {
    pub(super) blueprint: &'a Blueprint,
    pub(super) declared: &'a [VariableInfo],
    pub(super) variables: &'a Variables,
}

/// Whether a parameter can carry values of this type.
pub(super) fn is_leaf(blueprint: &Blueprint, name: &str) -> bool {
    match blueprint.types.get(name) {
        Some(TypeDef::Enum(def)) => !matches!(def.meaning, EnumMeaning::Keyword),
        // Rows are looked at where they stand, by what is made of them.
        Some(TypeDef::Input(_)) => false,
        _ => true,
    }
}

impl<'a> InputEnv<'a> {
    /// Coerces a value in the document; none when it is a variable without a value, which counts
    /// as left out.
    pub(super) fn coerce(&self, ty: &Type, value: &Ast) -> Result<Option<Input<'a>>, InputError> {
        if let Ast::Variable(name) = value {
            let Some(info) = self.declared.iter().find(|info| *info.name == **name) else {
                return Err(InputError::new(format!("variable ${name} is not declared")));
            };
            let given = self.variables.get(name.as_str());
            let Some(given) = given else {
                return if ty.is_non_null() {
                    Err(InputError::in_variable(name, &[], "a value is required"))
                } else {
                    Ok(None)
                };
            };
            return self.variable(ty, given, info, &mut Vec::new()).map(Some);
        }
        self.literal(ty, value).map(Some)
    }

    fn literal(&self, ty: &Type, value: &Ast) -> Result<Input<'a>, InputError> {
        if matches!(value, Ast::Null) {
            return if ty.is_non_null() {
                Err(InputError::new(format!("null is not a {ty}")))
            } else {
                Ok(Input::Null)
            };
        }
        match ty {
            Type::List { element, .. } => self.literal_list(element, value),
            Type::Named { name, .. } => self.literal_named(name, value),
        }
    }

    fn literal_list(&self, element: &Type, value: &Ast) -> Result<Input<'a>, InputError> {
        let Ast::List(items) = value else {
            return Ok(Input::List(vec![self.literal(element, value)?]));
        };
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            match self.coerce(element, item)? {
                // A list among the values of a list is one value.
                Some(Input::List(_)) if is_leaf(self.blueprint, element.name()) => {
                    let whole = ValueSource::Template(Arc::new(item.clone()));
                    list.push(Input::Leaf(whole));
                }
                Some(item) => list.push(item),
                // Inside a list there is no "left out": a missing value is null.
                None => list.push(Input::Null),
            }
        }
        Ok(Input::List(list))
    }

    fn literal_named(&self, name: &str, value: &Ast) -> Result<Input<'a>, InputError> {
        match (self.blueprint.types.get(name), value) {
            (Some(TypeDef::Input(def) | TypeDef::Data(def)), Ast::Object(members)) => {
                if let Some(unknown) = members
                    .keys()
                    .find(|key| !def.fields.contains_key(key.as_str()))
                {
                    return Err(InputError::new(format!("{name} has no field {unknown}")));
                }
                let mut object = Vec::with_capacity(members.len());
                for (field, def) in &def.fields {
                    let value = match members.get(field.as_str()) {
                        Some(value) => self.coerce(&def.ty, value)?,
                        None => None,
                    };
                    match value {
                        Some(value) => object.push(Member {
                            name: field,
                            def,
                            value,
                        }),
                        None if def.ty.is_non_null() => {
                            return Err(InputError::new(format!("{name}.{field} is required")));
                        }
                        None => {}
                    }
                }
                // Also where a variable without a value is the other one.
                let one = members.len() == 1 && object.len() == 1;
                if def.one_of && (!one || matches!(object[0].value, Input::Null)) {
                    return Err(InputError::new(format!("{name} takes exactly one field")));
                }
                Ok(Input::Object(object))
            }
            (Some(TypeDef::Input(_) | TypeDef::Data(_)), _) => {
                Err(InputError::new(format!("{value} is not a {name}")))
            }
            (Some(TypeDef::Enum(def)), Ast::Enum(word)) => {
                if !def.values.iter().any(|known| known == word.as_str()) {
                    return Err(InputError::new(format!(
                        "{word} is none of {}",
                        def.values.join(", ")
                    )));
                }
                Ok(match def.meaning {
                    EnumMeaning::Keyword => Input::Keyword(word.to_string()),
                    EnumMeaning::Labels(_) => {
                        Input::Leaf(ValueSource::Literal(word.as_str().into()))
                    }
                })
            }
            (Some(TypeDef::Enum(_)), _) => Err(InputError::new(format!("{value} is not a {name}"))),
            _ => literal_scalar(name, value),
        }
    }

    fn variable(
        &self,
        ty: &Type,
        value: &Value,
        info: &VariableInfo,
        path: &mut Vec<Step>,
    ) -> Result<Input<'a>, InputError> {
        if value.is_null() {
            return if ty.is_non_null() {
                Err(InputError::in_variable(
                    &info.name,
                    path,
                    "must not be null",
                ))
            } else {
                Ok(Input::Null)
            };
        }
        let source = |path: &[Step]| ValueSource::Variable {
            name: Arc::clone(&info.name),
            path: path.to_vec(),
        };
        let type_name = ty.name();
        if is_leaf(self.blueprint, type_name) {
            return Ok(Input::Leaf(source(path)));
        }
        match (ty, value) {
            (Type::List { element, .. }, Value::Array(items)) => {
                let mut list = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    path.push(Step::Item(index));
                    list.push(self.variable(element, item, info, path)?);
                    path.pop();
                }
                Ok(Input::List(list))
            }
            (Type::List { element, .. }, single) => Ok(Input::List(vec![
                self.variable(element, single, info, path)?,
            ])),
            (Type::Named { name, .. }, value) => self.variable_named(name, value, info, path),
        }
    }

    /// An object or a keyword. Its structure is sound: the shape of the variables was taken first.
    fn variable_named(
        &self,
        name: &str,
        value: &Value,
        info: &VariableInfo,
        path: &mut Vec<Step>,
    ) -> Result<Input<'a>, InputError> {
        let Some(TypeDef::Input(def)) = self.blueprint.types.get(name) else {
            return Ok(Input::Keyword(
                value.as_str().unwrap_or_default().to_owned(),
            ));
        };
        let mut object = Vec::new();
        for (field, def) in &def.fields {
            if let Some(value) = value.get(field) {
                path.push(Step::Field(field.clone()));
                object.push(Member {
                    name: field,
                    def,
                    value: self.variable(&def.ty, value, info, path)?,
                });
                path.pop();
            }
        }
        Ok(Input::Object(object))
    }
}

fn literal_scalar<'a>(name: &str, value: &Ast) -> Result<Input<'a>, InputError> {
    if name != "JSON" && matches!(value, Ast::Enum(_) | Ast::Object(_) | Ast::List(_)) {
        return Err(InputError::new(format!("{value} is not a {name}")));
    }
    let json = value.clone().into_const().map(ConstValue::into_json);
    Ok(Input::Leaf(match json {
        Some(Ok(json)) => ValueSource::Literal(json),
        // A JSON literal with variables in it is put together when it is bound.
        _ => ValueSource::Template(Arc::new(value.clone())),
    }))
}

#[cfg(test)]
mod tests {
    use async_graphql_value::Name;
    use serde_json::json;

    use super::*;

    #[test]
    fn variables_inside_json_are_filled_in() {
        let mut variables = Variables::new();
        variables.insert("team".into(), json!(["red", null]));
        let literal = Ast::List(vec![
            Ast::Variable(Name::new("team")),
            Ast::Number(1.into()),
        ]);
        let Ok(Input::Leaf(source)) = literal_scalar("JSON", &literal) else {
            panic!("a JSON literal is a leaf");
        };
        assert_eq!(*source.resolve(&variables), json!([["red", null], 1]));
    }
}
