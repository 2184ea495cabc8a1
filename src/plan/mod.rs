//! Validated operation → [`Plan`]: pure, without I/O, clock or randomness. The same request always
//! has the same plan.

mod access;
mod aggregate;
mod call;
mod collect;
mod compare;
mod computed;
mod connection;
mod cost;
mod cursor;
mod data;
mod document;
mod error;
mod filter;
mod format;
mod group;
mod input;
mod introspection;
mod list;
mod log_in;
mod measure;
mod node_id;
mod order;
mod params;
mod parse;
mod part;
mod predicate;
mod root;
mod row;
mod rules;
mod service;
mod size;
mod typename;
mod types;
mod variables;
mod write;

pub use access::{Subject, Use, refused, refused_user};
pub use cost::Cost;
pub use cursor::{encode as encode_cursor, encode_offset as encode_offset_cursor};
pub use document::{Document, SelectedOperation, sha256};
pub use error::{InputError, PlanError, PlanErrorKind};
pub use introspection::{CompiledFields, introspect};
pub use log_in::{LogIn, LogInField};
pub use measure::Measures;
pub use node_id::encode as encode_node_id;
pub use params::{Bindings, Bound, Param, ParamSource, Params, Variables, bind};
pub use parse::parse;
pub use part::{complete, service_part};
pub use types::*;
pub use variables::{Shape, shape};
pub use write::{
    Answer, AnswerField, Assignment, At, Between, CallStep, Case, Conflict, Delete, Find, Follow,
    Insert, InsertColumn, Kept, KeptColumn, KeptValue, Lookup, Scope, Slot, Update, Write,
    WriteStep, row_key,
};

use async_graphql::Positioned;
use async_graphql::parser::types::{ExecutableDocument, Field};

use collect::Collector;
use input::{Input, InputEnv};
use params::{FieldPath, Limits};

use crate::schema::{Api, FieldDef, InputMeaning};
use crate::sql::Ident;

/// The most parameters of one operation. Postgres takes 65,535, and long before that a statement
/// takes longer to plan than to run.
const MOST_PARAMS: usize = 10_000;

/// Compiles one operation. `variables` must have passed [`shape`]: their structure is relied on,
/// and of their scalars nothing but Booleans and global ids is looked at.
pub fn plan(
    api: &Api,
    document: &Document,
    operation: SelectedOperation<'_>,
    variables: &Variables,
) -> Result<Plan, PlanError> {
    let inputs = InputEnv {
        blueprint: &api.blueprint,
        declared: &operation.info.variables,
        variables,
    };
    let env = Env {
        api,
        document: &document.ast,
        inputs,
    };
    let mut state = State {
        params: Params::default(),
        limits: Limits::default(),
        path: Vec::new(),
        slots: 0,
    };
    let kind = root::kind(operation)?;
    let roots = root::roots(&env, &mut state, operation)?;
    let cost = Cost::of(&roots);
    let needs = access::needs(&api.access, kind, &roots);
    if state.params.len() > MOST_PARAMS {
        return Err(parse::too_complex(format!(
            "an operation may compare with at most {MOST_PARAMS} values; a list counts as one"
        )));
    }
    Ok(Plan {
        kind,
        roots,
        needs,
        cost,
        params: state.params,
        limits: state.limits,
    })
}

/// What planning reads.
struct Env<'a> {
    api: &'a Api,
    document: &'a ExecutableDocument,
    inputs: InputEnv<'a>,
}

/// What planning writes.
struct State {
    params: Params,
    limits: Limits,
    /// Response keys down to the field at hand, for errors.
    path: Vec<String>,
    /// How many places for rows that are written have been given away.
    slots: usize,
}

type Result<T, E = PlanError> = std::result::Result<T, E>;

impl<'a> Env<'a> {
    fn collector(&self) -> Collector<'a, 'a> {
        Collector {
            document: self.document,
            inputs: self.inputs,
        }
    }

    /// The fields that a field selects on its object type.
    fn selected(
        &self,
        type_name: &str,
        fields: &[&'a Positioned<Field>],
    ) -> Result<Vec<Selected<'a>>> {
        let sets = fields.iter().map(|field| &field.node.selection_set.node);
        let object = self.api.blueprint.object(type_name);
        let object = object.ok_or_else(|| PlanError::validation(format!("no type {type_name}")))?;
        let collected = self.collector().fields(type_name, object.node, sets);
        collected
            .into_iter()
            .map(|(key, fields)| {
                let name = fields[0].node.name.node.as_str();
                let def = object.fields.get(name);
                if def.is_none() && name != "__typename" {
                    return Err(PlanError::validation(format!(
                        "{type_name} has no field {name}"
                    )));
                }
                Ok(Selected { key, fields, def })
            })
            .collect()
    }

    /// The arguments of a field that are given, in the order of their definition.
    fn arguments(
        &self,
        state: &State,
        selected: &Selected<'a>,
    ) -> Result<Vec<(&'a InputMeaning, Input<'a>)>> {
        let mut arguments = Vec::new();
        let Some(def) = selected.def else {
            return Ok(arguments);
        };
        let field = &selected.fields[0].node;
        for (name, arg) in &def.args {
            let value = match field.get_argument(name) {
                Some(value) => self
                    .inputs
                    .coerce(&arg.ty, &value.node)
                    .map_err(|error| state.error(selected, &format!("{name}: {error}")))?,
                None => None,
            };
            match value {
                Some(value) => arguments.push((&arg.meaning, value)),
                None if arg.ty.is_non_null() => {
                    return Err(state.error(selected, &format!("{name} is required")));
                }
                None => {}
            }
        }
        Ok(arguments)
    }
}

/// A response key, the fields that share it, and their definition; none for `__typename`.
struct Selected<'a> {
    key: &'a str,
    fields: Vec<&'a Positioned<Field>>,
    def: Option<&'a FieldDef>,
}

impl State {
    /// Runs `f` with a response key added to the path.
    fn within<T>(&mut self, key: &str, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.path.push(key.to_owned());
        let result = f(self);
        self.path.pop();
        result
    }

    /// Adds a parameter for an argument of the field at hand.
    fn param(&mut self, source: ParamSource, cast: Option<Ident>, array: bool) -> ParamId {
        let path = self.path();
        self.params.add(source, cast, array, path)
    }

    fn path(&self) -> FieldPath {
        self.path.clone().into()
    }

    /// An error of the field's arguments.
    fn error(&self, selected: &Selected<'_>, message: &str) -> PlanError {
        let pos = selected.fields[0].pos;
        PlanError {
            path: self.path.clone(),
            locations: vec![(pos.line, pos.column)],
            ..PlanError::bad_input(message)
        }
    }
}
