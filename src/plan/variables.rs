//! The shape of an operation's variables: all of their values that decide what the statement looks
//! like, and none that a parameter carries. Requests of one shape share a plan.
//!
//! Walking a value by its declared type also checks it: after [`shape`] has succeeded every object
//! has known fields, every required field is there, and every keyword is one. Scalars are checked
//! when they are bound.

use serde_json::{Map, Value};

use super::document::SelectedOperation;
use super::error::InputError;
use super::node_id;
use super::params::{Step, Variables};
use crate::schema::{Blueprint, EnumMeaning, InputDef, Type, TypeDef};

/// Equal for two requests exactly when one plan serves both.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Shape(Vec<u8>);

impl Shape {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `most` is how many items a list may have.
pub fn shape(
    blueprint: &Blueprint,
    operation: SelectedOperation<'_>,
    variables: &Variables,
    most: u64,
) -> Result<Shape, InputError> {
    let mut walk = Walk {
        blueprint,
        most,
        name: "",
        path: Vec::new(),
        out: Vec::new(),
    };
    for info in &operation.info.variables {
        walk.name = &info.name;
        match variables.get(&*info.name) {
            Some(value) => walk.value(&info.ty, value)?,
            None if info.ty.is_non_null() => return Err(walk.error("a value is required")),
            None => walk.out.push(b'-'),
        }
    }
    Ok(Shape(walk.out))
}

struct Walk<'a> {
    blueprint: &'a Blueprint,
    most: u64,
    name: &'a str,
    path: Vec<Step>,
    out: Vec<u8>,
}

impl Walk<'_> {
    fn value(&mut self, ty: &Type, value: &Value) -> Result<(), InputError> {
        if value.is_null() {
            if ty.is_non_null() {
                return Err(self.error("must not be null"));
            }
            self.out.push(b'0');
            return Ok(());
        }
        if let Some(TypeDef::Data(def)) = self.blueprint.types.get(&**ty.name()) {
            self.check_rows(ty, value)?;
            self.rows(def, &items(value));
            return Ok(());
        }
        match ty {
            Type::List { element, .. } => self.list(element, value),
            Type::Named { name, .. } => self.named(name, value),
        }
    }

    /// Rows have one shape together: whether there are any, and which fields all of them have, which
    /// some, and which none.
    fn rows(&mut self, def: &InputDef, rows: &[&Value]) {
        let blueprint = self.blueprint;
        if rows.is_empty() {
            self.out.push(b'0');
            return;
        }
        self.out.push(b'{');
        for (index, (name, field)) in def.fields.iter().enumerate() {
            let given: Vec<_> = rows.iter().filter_map(|row| row.get(name)).collect();
            if given.is_empty() {
                continue;
            }
            self.out.extend_from_slice(index.to_string().as_bytes());
            let all = given.len() == rows.len();
            self.out.push(if all { b':' } else { b'?' });
            if let Some(TypeDef::Data(def)) = blueprint.types.get(&**field.ty.name()) {
                let inner: Vec<_> = given.into_iter().flat_map(items).collect();
                self.rows(def, &inner);
            }
        }
        self.out.push(b'}');
    }

    /// Checks the structure of rows, one by one, so that errors name the one.
    fn check_rows(&mut self, ty: &Type, value: &Value) -> Result<(), InputError> {
        let blueprint = self.blueprint;
        if value.is_null() {
            return if ty.is_non_null() {
                Err(self.error("must not be null"))
            } else {
                Ok(())
            };
        }
        match (ty, value) {
            (Type::List { element, .. }, Value::Array(items)) => {
                self.check_length(value)?;
                for (index, item) in items.iter().enumerate() {
                    self.path.push(Step::Item(index));
                    self.check_rows(element, item)?;
                    self.path.pop();
                }
                Ok(())
            }
            (Type::List { element, .. }, single) => self.check_rows(element, single),
            (Type::Named { name, .. }, value) => {
                let Some(TypeDef::Data(def)) = blueprint.types.get(&**name) else {
                    return Ok(());
                };
                let members = self.members(name, def, value)?;
                for (field, def) in &def.fields {
                    if let Some(value) = members.get(field) {
                        self.path.push(Step::Field(field.clone()));
                        self.check_rows(&def.ty, value)?;
                        self.path.pop();
                    }
                }
                Ok(())
            }
        }
    }

    fn check_length(&self, value: &Value) -> Result<(), InputError> {
        let length = value.as_array().map_or(0, Vec::len) as u64;
        if length <= self.most {
            return Ok(());
        }
        let problem = format!("a list of {length} items, and {} are allowed", self.most);
        Err(self.error(&problem).too_complex())
    }

    /// A list of scalars is one parameter, whatever its length; of others, each has its shape.
    fn list(&mut self, element: &Type, value: &Value) -> Result<(), InputError> {
        let is_leaf = self.is_leaf(element.name());
        self.check_length(value)?;
        let Value::Array(items) = value else {
            if is_leaf {
                self.out.push(b'V');
                return Ok(());
            }
            self.out.push(b'[');
            self.value(element, value)?;
            self.out.push(b']');
            return Ok(());
        };
        if is_leaf {
            self.out.push(b'V');
            if let Some(index) = items
                .iter()
                .position(Value::is_null)
                .filter(|_| element.is_non_null())
            {
                self.path.push(Step::Item(index));
                return Err(self.error("must not be null"));
            }
            return Ok(());
        }
        self.out.push(b'[');
        for (index, item) in items.iter().enumerate() {
            self.path.push(Step::Item(index));
            self.value(element, item)?;
            self.path.pop();
        }
        self.out.push(b']');
        Ok(())
    }

    fn named(&mut self, name: &str, value: &Value) -> Result<(), InputError> {
        let blueprint = self.blueprint;
        match blueprint.types.get(name) {
            Some(TypeDef::Input(def)) => self.object(name, def, value),
            Some(TypeDef::Enum(def)) if matches!(def.meaning, EnumMeaning::Keyword) => {
                let word = value
                    .as_str()
                    .filter(|word| def.values.iter().any(|known| known == word));
                let Some(word) = word else {
                    return Err(
                        self.error(&format!("{value} is none of {}", def.values.join(", ")))
                    );
                };
                self.out.extend_from_slice(word.as_bytes());
                self.out.push(b';');
                Ok(())
            }
            _ => self.scalar(name, value),
        }
    }

    fn scalar(&mut self, name: &str, value: &Value) -> Result<(), InputError> {
        match (name, value) {
            ("Boolean", Value::Bool(yes)) => self.out.push(if *yes { b't' } else { b'f' }),
            ("Boolean", _) => return Err(self.error(&format!("{value} is not a Boolean"))),
            // The type that a global id names decides which table is read.
            ("ID", _) => {
                let name = node_id::type_name(value).unwrap_or_default();
                self.out
                    .extend_from_slice(name.len().to_string().as_bytes());
                self.out.push(b'i');
                self.out.extend_from_slice(name.as_bytes());
            }
            _ => self.out.push(b'v'),
        }
        Ok(())
    }

    /// Fields in the order of the definition, so that their order in the request does not matter.
    fn object(&mut self, name: &str, def: &InputDef, value: &Value) -> Result<(), InputError> {
        let members = self.members(name, def, value)?;
        self.out.push(b'{');
        for (index, (field, def)) in def.fields.iter().enumerate() {
            let Some(value) = members.get(field) else {
                continue;
            };
            self.out.extend_from_slice(index.to_string().as_bytes());
            self.out.push(b':');
            self.path.push(Step::Field(field.clone()));
            self.value(&def.ty, value)?;
            self.path.pop();
        }
        self.out.push(b'}');
        Ok(())
    }

    /// The fields of an object: all of them known, and those that are required among them.
    fn members<'v>(
        &self,
        name: &str,
        def: &InputDef,
        value: &'v Value,
    ) -> Result<&'v Map<String, Value>, InputError> {
        let Value::Object(members) = value else {
            return Err(self.error(&format!("{value} is not a {name}")));
        };
        if let Some(unknown) = members.keys().find(|key| !def.fields.contains_key(*key)) {
            return Err(self.error(&format!("{name} has no field {unknown}")));
        }
        if def.one_of && (members.len() != 1 || members.values().any(Value::is_null)) {
            return Err(self.error(&format!("{name} takes exactly one field")));
        }
        let is_missing = |field: &str, ty: &Type| ty.is_non_null() && !members.contains_key(field);
        let mut fields = def.fields.iter();
        if let Some((field, _)) = fields.find(|(field, def)| is_missing(field, &def.ty)) {
            return Err(self.error(&format!("{name}.{field} is required")));
        }
        Ok(members)
    }

    fn is_leaf(&self, name: &str) -> bool {
        super::input::is_leaf(self.blueprint, name)
    }

    fn error(&self, problem: &str) -> InputError {
        InputError::in_variable(self.name, &self.path, problem)
    }
}

/// The items of a list; a single value stands for a list of one, null for none.
fn items(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        single => vec![single],
    }
}
