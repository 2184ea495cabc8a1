//! The functions of a schema that clients can call: those whose arguments and results GraphQL can say.

use std::collections::HashMap;

use tokio_postgres::Row;

use super::comment::Comment;
use super::function_types::{Argument, Function, FunctionResult};
use super::introspect::Catalog;
use super::types::{Column, Relation, RelationId, RelationKind};
use crate::sql::Ident;

/// The parameters of a function, as the catalog has them: those that go in and those that come out.
struct Parameters {
    inputs: Vec<(Option<String>, u32)>,
    outputs: Vec<(Option<String>, u32)>,
    /// The last input is one.
    variadic: bool,
    /// So many of the last inputs have one.
    defaults: usize,
}

impl Parameters {
    fn read(row: &Row) -> Self {
        let types: Vec<u32> = row.get("types");
        let (modes, names): (Vec<String>, Vec<String>) = (row.get("modes"), row.get("names"));
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for (index, oid) in types.into_iter().enumerate() {
            let name = names.get(index).filter(|name| !name.is_empty()).cloned();
            let mode = modes.get(index).map_or("i", String::as_str);
            if matches!(mode, "i" | "b" | "v") {
                inputs.push((name.clone(), oid));
            }
            if matches!(mode, "o" | "b" | "t") {
                outputs.push((name, oid));
            }
        }
        Self {
            inputs,
            outputs,
            variadic: row.get("variadic"),
            defaults: usize::try_from(row.get::<_, i32>("pronargdefaults")).unwrap_or(0),
        }
    }
}

impl Catalog {
    /// Functions that need what GraphQL has no word for (any type, a trigger's row) are left out.
    pub(super) fn add_function(&mut self, row: &Row) {
        let comment = Comment::parse(row.get("comment"));
        if comment.omit {
            return;
        }
        let name: String = row.get("proname");
        let mut parameters = Parameters::read(row);
        let first = parameters.inputs.first();
        let of_row = first.and_then(|(_, oid)| self.row_type(*oid));
        if of_row.is_some() {
            parameters.inputs.remove(0);
        }
        let Some(arguments) = self.arguments(&parameters) else {
            return;
        };
        let volatile = row.get("volatile");
        // What a row is changed into is no field of the row.
        if volatile && of_row.is_some() {
            return;
        }
        let result = if row.get("returns_nothing") {
            Some(FunctionResult::Nothing)
        } else {
            self.result(&name, row.get("prorettype"), &parameters, &comment)
        };
        let Some(result) = result else {
            return;
        };
        let set = row.get("proretset");
        // Arrays of different lengths make no array of arrays.
        let arrays = matches!(&result, FunctionResult::Value { ty, .. } if ty.is_array());
        if set && arrays {
            return;
        }
        self.model.functions.push(Function {
            label: name.clone(),
            name: Ident::new(&name),
            signature: row.get("signature"),
            comment,
            volatile,
            row: of_row,
            arguments,
            result,
            set,
        });
    }

    /// Overloads take the names of their arguments into their own, each of them, so that no name
    /// depends on an order.
    pub(super) fn label_functions(&mut self) {
        let mut namesakes: HashMap<(Option<RelationId>, String), usize> = HashMap::new();
        for function in &self.model.functions {
            let key = (function.row, function.label.clone());
            *namesakes.entry(key).or_default() += 1;
        }
        for function in &mut self.model.functions {
            let key = (function.row, function.label.clone());
            if namesakes.get(&key).is_none_or(|count| *count == 1) {
                continue;
            }
            let names: Vec<_> = function
                .arguments
                .iter()
                .filter_map(|argument| Some(argument.name.as_ref()?.as_str()))
                .collect();
            if !names.is_empty() {
                function.label = format!("{}_by_{}", function.label, names.join("_and_"));
            }
        }
        for function in &self.model.functions {
            if let FunctionResult::Row(id) = function.result
                && self.model.relations[id.0].kind == RelationKind::Result
            {
                self.model.relations[id.0].name = Ident::new(&function.label);
            }
        }
    }

    fn arguments(&mut self, parameters: &Parameters) -> Option<Vec<Argument>> {
        let count = parameters.inputs.len();
        let mut arguments = Vec::with_capacity(count);
        for (index, (name, oid)) in parameters.inputs.iter().enumerate() {
            if !self.is_sayable(*oid) {
                return None;
            }
            let ty = self.column_type(*oid, 1);
            ty.cast.as_ref()?;
            arguments.push(Argument {
                name: name.as_deref().map(Ident::new),
                ty,
                has_default: index + parameters.defaults >= count,
                variadic: parameters.variadic && index + 1 == count,
            });
        }
        Some(arguments)
    }

    fn result(
        &mut self,
        name: &str,
        oid: u32,
        parameters: &Parameters,
        comment: &Comment,
    ) -> Option<FunctionResult> {
        if let Some(relation) = self.row_type(oid) {
            return Some(FunctionResult::Row(relation));
        }
        if parameters.outputs.len() > 1 {
            return Some(FunctionResult::Row(self.result_rows(
                name,
                &parameters.outputs,
                comment,
            )?));
        }
        self.is_sayable(oid).then(|| FunctionResult::Value {
            not_null: comment.declared.not_null || self.is_not_null(oid),
            ty: self.column_type(oid, comment.declared.dimensions.unwrap_or(1)),
        })
    }

    /// The columns of `returns table (…)`, as a relation of their own.
    fn result_rows(
        &mut self,
        name: &str,
        outputs: &[(Option<String>, u32)],
        comment: &Comment,
    ) -> Option<RelationId> {
        let mut columns = Vec::with_capacity(outputs.len());
        for (index, (name, oid)) in outputs.iter().enumerate() {
            if !self.is_sayable(*oid) {
                return None;
            }
            let name = name
                .clone()
                .unwrap_or_else(|| format!("column{}", index + 1));
            columns.push(Column {
                not_null: self.is_not_null(*oid),
                ..Column::bare(&name, self.column_type(*oid, 1))
            });
        }
        let id = RelationId(self.model.relations.len());
        let mut relation = Relation::bare(name, RelationKind::Result, columns);
        relation.comment.name.clone_from(&comment.name);
        self.model.relations.push(relation);
        Some(id)
    }

    /// The relation whose rows a type consists of.
    fn row_type(&self, oid: u32) -> Option<RelationId> {
        let ty = self.types.get(&oid)?;
        self.relations.get(&ty.relation).copied()
    }

    /// Whether values of the type can be told one by one: no records, and nothing polymorphic.
    fn is_sayable(&self, oid: u32) -> bool {
        let Some(ty) = self.types.get(&oid) else {
            return false;
        };
        match ty.typtype.as_str() {
            "c" | "p" => false,
            "d" => self.is_sayable(ty.base),
            _ => ty.element == 0 || self.is_sayable(ty.element),
        }
    }
}
