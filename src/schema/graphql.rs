//! The blueprint as an async-graphql schema, which validates, introspects and prints it.

use async_graphql::SDLExportOptions;
use async_graphql::dynamic::{
    Enum, EnumItem, Field, FieldFuture, InputObject, InputValue, Interface, InterfaceField, Object,
    Scalar, Schema, TypeRef,
};

use super::build::SchemaError;
use super::types::{
    Blueprint, EnumDef, FieldDef, InputDef, InputFieldDef, ObjectDef, ScalarDef, Type, TypeDef,
};

pub(super) fn schema(blueprint: &Blueprint, suggestions: bool) -> Result<Schema, SchemaError> {
    let mut builder = Schema::build("Query", Some("Mutation"), None)
        .extension(crate::plan::CompiledFields)
        .limit_recursive_depth(64);
    if !suggestions {
        builder = builder.disable_suggestions();
    }
    for (name, def) in &blueprint.types {
        builder = match def {
            TypeDef::Scalar(def) => builder.register(scalar(name, def)),
            TypeDef::Enum(def) => builder.register(enumeration(name, def)),
            TypeDef::Object(def) => builder.register(object(name, def)),
            TypeDef::Interface(def) => builder.register(interface(name, def)),
            TypeDef::Input(def) | TypeDef::Data(def) => builder.register(input_object(name, def)),
        };
    }
    builder
        .finish()
        .map_err(|error| SchemaError::Refused(error.to_string()))
}

pub(super) fn sdl(schema: &Schema) -> String {
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .include_specified_by();
    schema.sdl_with_options(options)
}

fn scalar(name: &str, def: &ScalarDef) -> Scalar {
    let scalar = Scalar::new(name).description(def.description);
    match def.specified_by {
        Some(url) => scalar.specified_by_url(url),
        None => scalar,
    }
}

fn enumeration(name: &str, def: &EnumDef) -> Enum {
    let base = Enum::new(name).items(def.values.iter().map(EnumItem::new));
    match &def.description {
        Some(text) => base.description(text),
        None => base,
    }
}

fn object(name: &str, def: &ObjectDef) -> Object {
    let mut object = Object::new(name);
    if let Some(text) = &def.description {
        object = object.description(text);
    }
    if def.node {
        object = object.implement("Node");
    }
    def.fields
        .iter()
        .fold(object, |object, (name, def)| object.field(field(name, def)))
}

fn field(name: &str, def: &FieldDef) -> Field {
    // Never called: operations are compiled, and only introspection is left to the executor.
    let mut field = Field::new(name, type_ref(&def.ty), |_| {
        FieldFuture::new(async {
            Err::<Option<async_graphql::Value>, _>(async_graphql::Error::new(
                "fields are compiled, not resolved",
            ))
        })
    });
    if let Some(text) = &def.description {
        field = field.description(text);
    }
    if let Some(reason) = &def.deprecated {
        field = field.deprecation(Some(reason));
    }
    def.args.iter().fold(field, |field, (name, def)| {
        field.argument(input_value(name, def))
    })
}

fn interface(name: &str, def: &ObjectDef) -> Interface {
    let mut interface = Interface::new(name);
    if let Some(text) = &def.description {
        interface = interface.description(text);
    }
    def.fields.iter().fold(interface, |interface, (name, def)| {
        let field = InterfaceField::new(name, type_ref(&def.ty));
        interface.field(match &def.description {
            Some(text) => field.description(text),
            None => field,
        })
    })
}

fn input_object(name: &str, def: &InputDef) -> InputObject {
    let mut input = InputObject::new(name);
    if let Some(text) = &def.description {
        input = input.description(text);
    }
    if def.one_of {
        input = input.oneof();
    }
    def.fields.iter().fold(input, |input, (name, def)| {
        input.field(input_value(name, def))
    })
}

fn input_value(name: &str, def: &InputFieldDef) -> InputValue {
    let value = InputValue::new(name, type_ref(&def.ty));
    match &def.description {
        Some(text) => value.description(text),
        None => value,
    }
}

fn type_ref(ty: &Type) -> TypeRef {
    let (inner, non_null) = match ty {
        Type::Named { name, non_null } => (TypeRef::named(&**name), *non_null),
        Type::List { element, non_null } => (TypeRef::List(Box::new(type_ref(element))), *non_null),
    };
    if non_null {
        TypeRef::NonNull(Box::new(inner))
    } else {
        inner
    }
}
