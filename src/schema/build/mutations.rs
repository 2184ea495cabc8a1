//! The fields of Mutation: `createIssue`, `updateIssues`, `deleteIssueByProjectIdAndNumber`, …

use std::sync::Arc;

use indexmap::IndexMap;

use super::log_in::log_in_fields;
use super::writes::writes_of;
use super::{Builder, field, input};
use crate::model::{Key, RelationId};
use crate::schema::naming::{Clash, list_field};
use crate::schema::types::{
    FieldDef, FieldMeaning, InputFieldDef, InputMeaning, ObjectDef, Type, TypeDef, WriteKind,
};
use crate::schema::words::pascal;

pub(super) type Fields = IndexMap<String, FieldDef>;

impl Builder<'_> {
    /// `own` are the service's.
    pub(super) fn add_mutations(&mut self, own: Fields) -> Result<(), Clash> {
        let mut fields = log_in_fields();
        fields.extend(own);
        for id in self.model.relation_ids() {
            let Some(name) = self.names.of(id) else {
                continue;
            };
            let grants = writes_of(self.model.relation(id));
            if grants.insert {
                self.add_creates(&mut fields, id, name)?;
            }
            if self.types.contains_key(&self.names.patch(name)) {
                self.add_updates(&mut fields, id, name)?;
            }
            if grants.delete {
                self.add_deletes(&mut fields, id, name)?;
            }
        }
        self.add_mutation_functions(&mut fields)?;
        let description = "Everything that can be changed. All fields of one operation run in their order, in one \
             transaction: all of them succeed, or none has any effect.";
        let object = ObjectDef {
            description: Some(description.to_owned()),
            fields,
            node: false,
        };
        self.types
            .insert("Mutation".into(), TypeDef::Object(object));
        Ok(())
    }

    fn add_creates(
        &self,
        fields: &mut Fields,
        id: RelationId,
        name: &Arc<str>,
    ) -> Result<(), Clash> {
        let rows = Type::named(self.names.input(name)).non_null();
        let one = input(rows.clone(), InputMeaning::Rows, "The new row.");
        let text = "Adds a row, and answers it as it is then.";
        let args = [("input", one)].into_iter().chain(self.on_conflict(name));
        let def = self.one(id, name, WriteKind::Create, args, text);
        self.add_relation_root(fields, format!("create{name}"), def, id)?;
        let all = input(rows.list().non_null(), InputMeaning::Rows, "The new rows.");
        let text =
            "Adds rows in the order in which they are given, thousands at once where need be.";
        let args = [("inputs", all)].into_iter().chain(self.on_conflict(name));
        let def = self.many(id, name, WriteKind::CreateMany, args, text);
        self.add_relation_root(fields, many("create", name), def, id)
    }

    fn on_conflict(&self, name: &str) -> Option<(&'static str, InputFieldDef)> {
        let type_name = self.names.written(name, "OnConflict");
        self.types.contains_key(&type_name).then(|| {
            let text = "What becomes of a new row whose key exists. When left out, it is an error.";
            let def = input(Type::named(type_name), InputMeaning::OnConflict, text);
            ("onConflict", def)
        })
    }

    fn add_updates(
        &self,
        fields: &mut Fields,
        id: RelationId,
        name: &Arc<str>,
    ) -> Result<(), Clash> {
        let set = || {
            let ty = Type::named(self.names.patch(name)).non_null();
            input(
                ty,
                InputMeaning::Set,
                "The new values. What is left out stays as it is.",
            )
        };
        for key in &self.model.relation(id).keys {
            if let Some(args) = self.key_args(id, key) {
                let field = by_key("update", name, key, &args, fields);
                let set_name = if args.contains_key("set") {
                    "patch"
                } else {
                    "set"
                };
                let args = args.into_iter().chain([(set_name.to_owned(), set())]);
                let text = "Changes the row with this key, and answers it as it is then; null when there is none.";
                let def = self.one(id, name, WriteKind::Update, args, text);
                self.add_relation_root(fields, field, def, id)?;
            }
        }
        let args = [("where", self.required_filter(name)), ("set", set())];
        let text = "Changes all rows that match. An empty filter is refused.";
        let def = self.many(id, name, WriteKind::UpdateMany, args, text);
        self.add_relation_root(fields, many("update", name), def, id)
    }

    fn add_deletes(
        &self,
        fields: &mut Fields,
        id: RelationId,
        name: &Arc<str>,
    ) -> Result<(), Clash> {
        for key in &self.model.relation(id).keys {
            if let Some(args) = self.key_args(id, key) {
                let field = by_key("delete", name, key, &args, fields);
                let text = "Removes the row with this key, and answers it as it was; null when there is none.";
                let def = self.one(id, name, WriteKind::Delete, args, text);
                self.add_relation_root(fields, field, def, id)?;
            }
        }
        let args = [("where", self.required_filter(name))];
        let text = "Removes all rows that match, and answers them as they were. An empty filter is refused.";
        let def = self.many(id, name, WriteKind::DeleteMany, args, text);
        self.add_relation_root(fields, many("delete", name), def, id)
    }

    fn required_filter(&self, name: &str) -> InputFieldDef {
        let ty = Type::named(self.names.filter(name)).non_null();
        input(ty, InputMeaning::Where, "Which rows.")
    }

    /// A field that answers one row, or null.
    fn one(
        &self,
        id: RelationId,
        name: &Arc<str>,
        kind: WriteKind,
        args: impl IntoIterator<Item = (impl Into<String>, InputFieldDef)>,
        text: &str,
    ) -> FieldDef {
        let args = args.into_iter().map(|(name, def)| (name.into(), def));
        let description = match kind {
            // Each column says so for itself.
            WriteKind::Update | WriteKind::UpdateMany => Some(text.to_owned()),
            _ => self.describe_write(id, text),
        };
        FieldDef {
            args: args.collect(),
            description,
            deprecated: self.model.relation(id).comment.deprecated.clone(),
            ..field(
                Type::named(Arc::clone(name)),
                FieldMeaning::Write(id, kind),
                text,
            )
        }
    }

    /// A field that answers how many rows there were, and the rows.
    fn many(
        &self,
        id: RelationId,
        name: &Arc<str>,
        kind: WriteKind,
        args: impl IntoIterator<Item = (&'static str, InputFieldDef)>,
        description: &str,
    ) -> FieldDef {
        FieldDef {
            ty: Type::named(self.names.mutation_result(name)).non_null(),
            ..self.one(id, name, kind, args, description)
        }
    }
}

/// `createIssues`; `createManyNews` where singular and plural are one word.
fn many(verb: &str, name: &str) -> String {
    let plural = pascal(&list_field(name));
    if plural == name {
        format!("{verb}Many{plural}")
    } else {
        format!("{verb}{plural}")
    }
}

/// `updateIssue` for the primary key, `updateIssueByProjectIdAndNumber` for the others.
fn by_key(
    verb: &str,
    name: &str,
    key: &Key,
    args: &IndexMap<String, InputFieldDef>,
    fields: &Fields,
) -> String {
    let short = format!("{verb}{name}");
    if key.primary && !fields.contains_key(&short) {
        return short;
    }
    let columns: Vec<_> = args.keys().map(|name| pascal(name)).collect();
    format!("{short}By{}", columns.join("And"))
}
