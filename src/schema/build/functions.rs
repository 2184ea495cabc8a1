//! Functions as fields: of Query, of Mutation, and of the rows that they are about.

use std::sync::Arc;

use indexmap::IndexMap;

use super::Builder;
use super::writes::mutation_result_type;
use crate::model::{ColumnId, Function, FunctionId, FunctionResult, Relation, RelationId};
use crate::schema::computed::{field_names, is_column};
use crate::schema::naming::{Clash, describe, describe_function};
use crate::schema::scalars::graphql_type;
use crate::schema::types::{FieldDef, FieldMeaning, InputFieldDef, InputMeaning, Type, TypeDef};
use crate::schema::words::camel;

const OWN_ORDER: &str = "The first key decides, then the next. In the function's own order when left out, \
     and `after` counts rows then.";

impl Builder<'_> {
    /// The functions of no row, as fields of Query: those that only read.
    pub(super) fn add_query_functions(
        &self,
        query: &mut IndexMap<String, FieldDef>,
    ) -> Result<(), Clash> {
        for (id, function) in self.functions() {
            if function.row.is_some() || function.volatile {
                continue;
            }
            let Some(def) = self.function_field(id, function)? else {
                continue;
            };
            let name = function.comment.name.as_ref().unwrap_or(&function.label);
            let (second, remedy) = (describe_function(function), remedy(function));
            self.add_root(query, camel(name), def, second, remedy)?;
        }
        Ok(())
    }

    /// The functions of no row that may write, as fields of Mutation. Rows that they return are read
    /// once they have written, by a key.
    pub(super) fn add_mutation_functions(
        &mut self,
        fields: &mut IndexMap<String, FieldDef>,
    ) -> Result<(), Clash> {
        let model = self.model;
        for (index, function) in model.functions.iter().enumerate() {
            if function.row.is_some() || !function.volatile {
                continue;
            }
            let Some(mut def) = self.function_field(FunctionId(index), function)? else {
                continue;
            };
            if let FunctionResult::Row(relation) = function.result {
                let Some(name) = self.names.of(relation).cloned() else {
                    continue;
                };
                if !is_found_again(model.relation(relation)) {
                    continue;
                }
                def.args = self.function_args(function, IndexMap::new())?;
                if function.set {
                    let result = self.names.mutation_result(&name);
                    let ty = TypeDef::Object(mutation_result_type(&name));
                    self.types.entry(result.clone()).or_insert(ty);
                    def.ty = Type::named(result).non_null();
                }
            }
            let name = function.comment.name.as_ref().unwrap_or(&function.label);
            let (second, remedy) = (describe_function(function), remedy(function));
            self.add_root(fields, camel(name), def, second, remedy)?;
        }
        Ok(())
    }

    /// The functions of a row, as far as they are not columns of it.
    pub(super) fn add_row_functions(
        &self,
        relation: RelationId,
        fields: &mut IndexMap<String, FieldDef>,
    ) -> Result<(), Clash> {
        for (id, function) in self.functions() {
            if function.row != Some(relation) || is_column(function) {
                continue;
            }
            // A whole row is an argument to those only who may read all of it.
            if !self.model.relation(relation).is_wholly_readable() {
                break;
            }
            let Some(def) = self.function_field(id, function)? else {
                continue;
            };
            let names = field_names(function, self.model.relation(relation));
            let name = names.iter().find(|name| !fields.contains_key(*name));
            let Some(name) = name else {
                return Err(Clash {
                    name: names.last().cloned().unwrap_or_default(),
                    first: format!(
                        "another field of {}",
                        describe(self.model.relation(relation))
                    ),
                    second: describe_function(function),
                    remedy: remedy(function),
                });
            };
            fields.insert(name.clone(), def);
        }
        Ok(())
    }

    fn functions(&self) -> impl Iterator<Item = (FunctionId, &Function)> {
        let functions = self.model.functions.iter().enumerate();
        functions.map(|(index, function)| (FunctionId(index), function))
    }

    /// None where it returns rows of a table that is omitted, or nothing.
    fn function_field(
        &self,
        id: FunctionId,
        function: &Function,
    ) -> Result<Option<FieldDef>, Clash> {
        let (ty, rest) = match &function.result {
            FunctionResult::Nothing if function.volatile => {
                (Type::named("Boolean").non_null(), IndexMap::new())
            }
            FunctionResult::Nothing => return Ok(None),
            FunctionResult::Value { ty, not_null } => {
                let ty = graphql_type(ty, &|name| Arc::clone(&self.enums[name]));
                if function.set {
                    let list = ty.non_null_if(*not_null).list().non_null();
                    (list, self.value_list_args())
                } else {
                    (ty.non_null_if(*not_null), IndexMap::new())
                }
            }
            FunctionResult::Row(relation) => {
                let Some(name) = self.names.of(*relation) else {
                    return Ok(None);
                };
                if function.set {
                    let ty = Type::named(self.names.connection(name)).non_null();
                    let mut args = self.list_args(*relation, name);
                    if let Some(order) = args.get_mut("orderBy") {
                        order.description = Some(OWN_ORDER.to_owned());
                    }
                    (ty, args)
                } else {
                    (Type::named(Arc::clone(name)), IndexMap::new())
                }
            }
        };
        Ok(Some(FieldDef {
            description: self.describe_call(id),
            deprecated: function.comment.deprecated.clone(),
            args: self.function_args(function, rest)?,
            ty,
            meaning: FieldMeaning::Function(id),
        }))
    }

    /// The function's own arguments, before those that every list has: one that is called like one
    /// of those (`first`) steps aside.
    fn function_args(
        &self,
        function: &Function,
        rest: IndexMap<String, InputFieldDef>,
    ) -> Result<IndexMap<String, InputFieldDef>, Clash> {
        let mut args = IndexMap::new();
        for (index, argument) in function.arguments.iter().enumerate() {
            let mut name = match &argument.name {
                Some(name) => camel(name.as_str()),
                None => format!("arg{}", index + 1),
            };
            if rest.contains_key(&name) {
                name.push_str("Arg");
            }
            let ty = graphql_type(&argument.ty, &|name| Arc::clone(&self.enums[name]));
            let def = InputFieldDef {
                description: None,
                ty: ty.non_null_if(!argument.has_default),
                meaning: InputMeaning::Argument(index),
            };
            if args.insert(name.clone(), def).is_some() {
                return Err(Clash {
                    name,
                    first: "an argument".into(),
                    second: format!("another one of {}", describe_function(function)),
                    remedy: format!("comment on {} is '@omit'", describe_function(function)),
                });
            }
        }
        args.extend(rest);
        Ok(args)
    }
}

/// Whether a row's key tells which one it is.
fn is_found_again(relation: &Relation) -> bool {
    let usable = |id: &ColumnId| {
        let ty = &relation.column(*id).ty;
        ty.cast.is_some() && !ty.is_array()
    };
    let key = relation.identity();
    relation.kind.has_rows() && key.is_some_and(|key| key.columns.iter().all(usable))
}

fn remedy(function: &Function) -> String {
    format!(
        "comment on {} is '@name something_else'",
        describe_function(function)
    )
}
