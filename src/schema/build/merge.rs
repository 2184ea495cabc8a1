//! The service's own types and root fields, taken over from the schema that answers them.

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    ConstDirective, EnumType, FieldDefinition, InputObjectType, InputValueDefinition, ObjectType,
    ServiceDocument, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use async_graphql_value::ConstValue;
use indexmap::IndexMap;

use super::mutations::Fields;
use super::{Builder, SchemaError, undescribed};
use crate::model::Standing;
use crate::schema::naming::Clash;
use crate::schema::types::{
    EnumDef, EnumMeaning, FieldDef, FieldMeaning, InputDef, InputFieldDef, InputMeaning, ObjectDef,
    Type, TypeDef,
};

/// What the service adds to the API of every tenant.
#[derive(Default)]
pub(super) struct Merged {
    types: Vec<(String, TypeDef)>,
    pub(super) query: Fields,
    pub(super) mutation: Fields,
}

impl Merged {
    /// Reads the schema. It has objects, inputs, enums, and the scalars that tables have too.
    pub(super) fn read(sdl: &str, public: &[&str]) -> Result<Self, SchemaError> {
        let document = if sdl.is_empty() {
            ServiceDocument {
                definitions: Vec::new(),
            }
        } else {
            parse_schema(sdl).map_err(|error| SchemaError::Refused(error.to_string()))?
        };
        let mut merged = Self::default();
        for definition in document.definitions {
            let TypeSystemDefinition::Type(Positioned { node, .. }) = definition else {
                continue;
            };
            merged.add(node, public)?;
        }
        Ok(merged)
    }

    fn add(&mut self, definition: TypeDefinition, public: &[&str]) -> Result<(), SchemaError> {
        let name = definition.name.node.to_string();
        let description = text(definition.description);
        let def = match definition.kind {
            // Those that tables have too.
            TypeKind::Scalar => return Ok(()),
            TypeKind::Object(object) => {
                let fields = fields(object, public);
                match name.as_str() {
                    "Query" => self.query.extend(fields),
                    "Mutation" => self.mutation.extend(fields),
                    _ => {
                        let def = ObjectDef {
                            description,
                            fields: fields.collect(),
                            node: false,
                        };
                        self.types.push((name, TypeDef::Object(def)));
                    }
                }
                return Ok(());
            }
            TypeKind::Enum(def) => TypeDef::Enum(enumeration(description, def)),
            TypeKind::InputObject(def) => {
                let one_of = directive(&definition.directives, "oneOf").is_some();
                TypeDef::Input(input(description, def, one_of))
            }
            TypeKind::Interface(_) | TypeKind::Union(_) => {
                let message = format!("{name}: the service has neither interfaces nor unions");
                return Err(SchemaError::Refused(message));
            }
        };
        self.types.push((name, def));
        Ok(())
    }

    /// Whether a table cannot have a type of this name.
    pub(super) fn reserves(&self, name: &str) -> bool {
        self.types.iter().any(|(reserved, _)| reserved == name)
    }
}

impl Builder<'_> {
    pub(super) fn add_merged(&mut self, merged: &mut Merged) -> Result<(), Clash> {
        for (name, def) in std::mem::take(&mut merged.types) {
            self.add(name, def, "the service".into(), "")?;
        }
        Ok(())
    }
}

fn fields(object: ObjectType, public: &[&str]) -> impl Iterator<Item = (String, FieldDef)> {
    object.fields.into_iter().map(|field| {
        let FieldDefinition {
            description,
            name,
            arguments,
            ty,
            directives,
        } = field.node;
        let takes = if public.contains(&name.node.as_str()) {
            Standing::Stranger
        } else {
            Standing::Viewer
        };
        let def = FieldDef {
            description: text(description),
            deprecated: deprecation(&directives),
            args: arguments.into_iter().map(argument).collect(),
            ty: (&ty.node).into(),
            meaning: FieldMeaning::Service(takes),
        };
        (name.node.to_string(), def)
    })
}

fn argument(argument: Positioned<InputValueDefinition>) -> (String, InputFieldDef) {
    let InputValueDefinition {
        description,
        name,
        ty,
        default_value,
        ..
    } = argument.node;
    let ty = Type::from(&ty.node);
    // What has a default may be left out; which one it is, the description says.
    let ty = match default_value {
        Some(_) => ty.nullable(),
        None => ty,
    };
    let def = InputFieldDef {
        description: text(description),
        ..undescribed(ty, InputMeaning::Plain)
    };
    (name.node.to_string(), def)
}

fn input(description: Option<String>, def: InputObjectType, one_of: bool) -> InputDef {
    InputDef {
        description,
        fields: def
            .fields
            .into_iter()
            .map(argument)
            .collect::<IndexMap<_, _>>(),
        one_of,
    }
}

fn enumeration(description: Option<String>, def: EnumType) -> EnumDef {
    let values = def.values.into_iter();
    EnumDef {
        description,
        values: values
            .map(|value| value.node.value.node.to_string())
            .collect(),
        meaning: EnumMeaning::Keyword,
    }
}

fn text(description: Option<Positioned<String>>) -> Option<String> {
    description.map(|text| text.node)
}

fn directive<'a>(
    directives: &'a [Positioned<ConstDirective>],
    name: &str,
) -> Option<&'a ConstDirective> {
    let mut nodes = directives.iter().map(|directive| &directive.node);
    nodes.find(|directive| directive.name.node == name)
}

fn deprecation(directives: &[Positioned<ConstDirective>]) -> Option<String> {
    match &directive(directives, "deprecated")?
        .get_argument("reason")?
        .node
    {
        ConstValue::String(reason) => Some(reason.clone()),
        _ => None,
    }
}
