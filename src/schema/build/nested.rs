//! Writes to rows that are linked to those a write is about: `comments: {create: […]}`,
//! `project: {connect: {key: "APP"}}`.

use std::sync::Arc;

use indexmap::IndexMap;

use super::writes::{can_be_set, writes_of};
use super::{Builder, input};
use crate::model::{Column, ColumnId, Relation, RelationId};
use crate::schema::links::LinkField;
use crate::schema::types::{
    FieldMeaning, InputDef, InputFieldDef, InputMeaning, ListLink, Nested, Type, TypeDef,
};
use crate::schema::words::pascal;

type Fields = IndexMap<String, InputFieldDef>;

impl Builder<'_> {
    /// The fields of an input, or of a patch, that stand for linked rows.
    pub(super) fn nested_fields(
        &self,
        relation: &Relation,
        links: &[LinkField],
        suffix: &str,
    ) -> Vec<(String, InputFieldDef)> {
        let mut fields = Vec::new();
        for link in links {
            let Some(target) = self.names.of(link.target) else {
                continue;
            };
            if !self.takes_nested(self.model.relation(link.target)) {
                continue;
            }
            let (meaning, many) = match &link.meaning {
                FieldMeaning::ToOne(link) => {
                    let ours = link.on.iter().map(|&(ours, _)| ours);
                    let granted = if suffix == "Input" {
                        |column: &Column| column.grants.insert
                    } else {
                        |column: &Column| column.grants.update
                    };
                    if !settable(relation, ours, granted) {
                        continue;
                    }
                    (InputMeaning::ToOne(Arc::clone(link)), false)
                }
                FieldMeaning::ToOneReverse(to_many) | FieldMeaning::ToMany(to_many) => {
                    let theirs = to_many.on.iter().map(|&(theirs, _)| theirs);
                    let granted = |column: &Column| column.grants.insert && column.grants.update;
                    if !settable(self.model.relation(to_many.target), theirs, granted) {
                        continue;
                    }
                    let many = matches!(link.meaning, FieldMeaning::ToMany(_));
                    let link = ListLink::Direct(Arc::clone(to_many));
                    (InputMeaning::ToMany(link), many)
                }
                FieldMeaning::Through(through) => {
                    let columns = through.near.iter().chain(&through.far);
                    let columns: Vec<_> = columns.map(|&(column, _)| column).collect();
                    if !self.is_plain_junction(through.junction, &columns) {
                        continue;
                    }
                    let link = ListLink::Through(Arc::clone(through));
                    (InputMeaning::ToMany(link), true)
                }
                _ => continue,
            };
            let text = match (&meaning, many) {
                (InputMeaning::ToOne(_), _) => {
                    "The row that this one refers to, in the place of its key."
                }
                (_, true) => "Rows that are linked to this one.",
                (_, false) => "The row that refers to this one.",
            };
            let kind = if many { "ToMany" } else { "ToOne" };
            let ty = self.names.written(target, &format!("{kind}{suffix}"));
            fields.push((link.name.clone(), input(Type::named(ty), meaning, text)));
        }
        fields
    }

    /// Whether rows of a junction can be made of the keys of both sides alone.
    fn is_plain_junction(&self, junction: RelationId, keys: &[ColumnId]) -> bool {
        let junction = self.model.relation(junction);
        let needless = |id: &ColumnId| {
            let column = junction.column(*id);
            keys.contains(id) || !column.not_null || column.has_default || column.generated
        };
        self.takes_nested(junction)
            && settable(junction, keys.iter().copied(), |column| {
                column.grants.insert
            })
            && junction.column_ids().all(|id| needless(&id))
    }

    /// The types that others refer to a table's rows by.
    pub(super) fn nested_types(&self, relation: &Relation, name: &str) -> Vec<(String, TypeDef)> {
        let named = |suffix: &str| Type::named(self.names.written(name, suffix));
        let new = Type::named(self.names.input(name));
        let mut types = self.key_types(relation, name);
        let keyed = !types.is_empty();
        let (mut one, mut many) = (Fields::new(), Fields::new());
        let mut add = |field: &str, ty: &Type, nested: Nested, text: &str| {
            let meaning = InputMeaning::Nested(nested);
            one.insert(field.to_owned(), input(ty.clone(), meaning.clone(), text));
            let list = ty.clone().non_null().list();
            many.insert(field.to_owned(), input(list, meaning, text));
        };
        let creates = writes_of(relation).insert;
        if creates {
            add("create", &new, Nested::Create, "New rows.");
        }
        let key = named("Key");
        if keyed {
            let text = "Rows that exist, by a key.";
            add("connect", &key, Nested::Connect, text);
        }
        if keyed && creates {
            let text = "Rows by a key; those that do not exist are made.";
            let either = named("ConnectOrCreate");
            add("connectOrCreate", &either, Nested::ConnectOrCreate, text);
            types.push((either.name().to_string(), connect_or_create(key, new)));
        }
        let (mut one_patch, mut many_patch) = (one.clone(), many.clone());
        types.push((self.names.written(name, "ToOneInput"), data(one, true)));
        types.push((self.names.written(name, "ToManyInput"), data(many, false)));
        let changes = [
            (
                "disconnect",
                Nested::Disconnect,
                "Ends the link; the row stays.",
            ),
            ("delete", Nested::Delete, "Removes the row."),
        ];
        let deletes = writes_of(relation).delete;
        let changes = changes
            .into_iter()
            .filter(|(_, nested, _)| deletes || *nested != Nested::Delete);
        for (field, nested, text) in changes {
            let flag = Type::named("Boolean");
            one_patch.insert(
                field.to_owned(),
                input(flag, InputMeaning::Nested(nested), text),
            );
            let keys = named("Key").non_null().list();
            many_patch.insert(
                field.to_owned(),
                input(keys, InputMeaning::Nested(nested), text),
            );
        }
        let patch = Type::named(self.names.patch(name));
        let meaning = InputMeaning::Nested(Nested::Update);
        let text = "New values of linked rows.";
        one_patch.insert(
            "update".to_owned(),
            input(patch.clone(), meaning.clone(), text),
        );
        if keyed {
            let update = named("Update");
            let list = update.clone().non_null().list();
            many_patch.insert("update".to_owned(), input(list, meaning, text));
            let key = InputMeaning::Nested(Nested::Connect);
            let fields = [
                (
                    "key",
                    input(named("Key").non_null(), key, "Which of the linked rows."),
                ),
                (
                    "set",
                    input(patch.non_null(), InputMeaning::Set, "Its new values."),
                ),
            ];
            let fields = fields.map(|(name, def)| (name.to_owned(), def));
            types.push((update.name().to_string(), data(Fields::from(fields), false)));
        } else {
            many_patch.shift_remove("disconnect");
            many_patch.shift_remove("delete");
        }
        types.push((
            self.names.written(name, "ToOnePatch"),
            data(one_patch, true),
        ));
        types.push((
            self.names.written(name, "ToManyPatch"),
            data(many_patch, false),
        ));
        types
    }

    /// `IssueKey`: one of the unique keys. None where there is none.
    fn key_types(&self, relation: &Relation, name: &str) -> Vec<(String, TypeDef)> {
        let mut types = Vec::new();
        let mut alternatives = Fields::new();
        for (key_name, columns) in self.unique_keys(relation, |_| true) {
            let fields = columns.iter().filter_map(|&id| {
                let column = relation.column(id);
                let def = InputFieldDef {
                    description: column.comment.description.clone(),
                    ty: self.column_type(column).non_null(),
                    meaning: InputMeaning::Column(id),
                };
                Some((self.column_field(column)?, def))
            });
            let fields: Fields = fields.collect();
            let mut def = if let ([_], Some((_, only))) = (&columns[..], fields.first()) {
                InputFieldDef {
                    description: None,
                    ty: only.ty.clone(),
                    meaning: only.meaning.clone(),
                }
            } else {
                let ty = self
                    .names
                    .written(name, &format!("{}Key", pascal(&key_name)));
                let text = "The values of these columns together.";
                let def = input(Type::named(ty.as_str()), InputMeaning::CompositeKey, text);
                types.push((ty, data(fields, false)));
                def
            };
            def.ty = def.ty.nullable();
            alternatives.insert(key_name, def);
        }
        if !alternatives.is_empty() {
            types.push((self.names.written(name, "Key"), data(alternatives, true)));
        }
        types
    }
}

/// `IssueConnectOrCreate`: a key, and the row that has it from then on.
fn connect_or_create(key: Type, new: Type) -> TypeDef {
    let fields = [
        ("connect", key, Nested::Connect, "The key to look for."),
        (
            "create",
            new,
            Nested::Create,
            "The new row, which has this key, where there is none.",
        ),
    ];
    let fields = fields.map(|(name, ty, nested, text)| {
        let def = input(ty.non_null(), InputMeaning::Nested(nested), text);
        (name.to_owned(), def)
    });
    data(Fields::from(fields), false)
}

fn settable(
    relation: &Relation,
    columns: impl Iterator<Item = ColumnId>,
    granted: fn(&Column) -> bool,
) -> bool {
    let mut columns = columns.map(|column| relation.column(column));
    columns.all(|column| granted(column) && can_be_set(relation, column))
}

fn data(fields: Fields, one_of: bool) -> TypeDef {
    TypeDef::Data(InputDef {
        description: None,
        fields,
        one_of,
    })
}
