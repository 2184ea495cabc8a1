//! The relations between tables and the fields they become: to-one, reverse, and many-to-many.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::naming::{Clash, TypeNames, column_field};
use super::types::{FieldMeaning, Through, ToMany, ToOne};
use super::words::{camel, pascal, plural, singular};
use crate::model::{ColumnId, ForeignKey, Model, RelationId};

/// A field that leads to other rows.
#[derive(Debug)]
pub(super) struct LinkField {
    pub name: String,
    pub meaning: FieldMeaning,
    pub target: RelationId,
    /// What it comes from, for a clash's message.
    origin: String,
    /// What gives it another name.
    remedy: String,
}

/// A field before its name is settled: the first of its names that nobody else wants is taken.
struct Candidate {
    names: Vec<String>,
    link: LinkField,
}

/// The link fields of every relation, named.
///
/// A simple name is used when it says enough. Where two keys want the same one (`issues` by its
/// assignee and by its reporter) both get their longer names, so that no name depends on an order.
/// Columns come before to-one relations, those before reverse ones, those before many-to-many.
pub(super) fn link_fields(
    model: &Model,
    names: &TypeNames,
    reserved: &str,
) -> Result<Vec<Vec<LinkField>>, Clash> {
    let mut forward: Vec<Vec<Candidate>> = model.relations.iter().map(|_| Vec::new()).collect();
    let mut reverse: Vec<Vec<Candidate>> = model.relations.iter().map(|_| Vec::new()).collect();
    let mut through: Vec<Vec<Candidate>> = model.relations.iter().map(|_| Vec::new()).collect();
    for key in model
        .foreign_keys
        .iter()
        .filter(|key| is_visible(model, names, key))
    {
        forward[key.from.0].push(to_one(model, names, key));
        reverse[key.to.0].push(to_many(model, names, key));
    }
    for (near, far) in junctions(model, names) {
        through[near.to.0].push(many_to_many(model, names, near, far));
    }
    let mut fields = Vec::with_capacity(model.relations.len());
    for (index, groups) in forward.into_iter().zip(reverse).zip(through).enumerate() {
        let relation = &model.relations[index];
        let columns = relation.columns.iter();
        let mut taken: HashSet<String> = columns
            .filter_map(|column| column_field(column, reserved))
            .collect();
        taken.insert(reserved.to_owned());
        let ((forward, reverse), through) = groups;
        let mut links = Vec::new();
        for group in [forward, reverse, through] {
            settle(relation.name.as_str(), group, &mut taken, &mut links)?;
        }
        fields.push(links);
    }
    Ok(fields)
}

fn is_visible(model: &Model, names: &TypeNames, key: &ForeignKey) -> bool {
    let both = names.of(key.from).is_some() && names.of(key.to).is_some();
    both && !key.comment.omit && model.is_readable(key)
}

/// Gives every candidate the shortest of its names that is free and wanted by no other.
fn settle(
    relation: &str,
    mut group: Vec<Candidate>,
    taken: &mut HashSet<String>,
    links: &mut Vec<LinkField>,
) -> Result<(), Clash> {
    while !group.is_empty() {
        let mut wanted: HashMap<String, usize> = HashMap::new();
        for candidate in &group {
            *wanted.entry(candidate.names[0].clone()).or_default() += 1;
        }
        let mut rest = Vec::new();
        for mut candidate in group {
            let name = candidate.names[0].clone();
            if wanted[&name] == 1 && !taken.contains(&name) {
                taken.insert(name.clone());
                candidate.link.name = name;
                links.push(candidate.link);
            } else if candidate.names.len() > 1 {
                candidate.names.remove(0);
                rest.push(candidate);
            } else {
                return Err(Clash {
                    name,
                    first: format!("another field of table \"{relation}\""),
                    second: candidate.link.origin,
                    remedy: candidate.link.remedy,
                });
            }
        }
        group = rest;
    }
    Ok(())
}

/// `assignee_id → users` is `assignee`.
fn to_one(model: &Model, names: &TypeNames, key: &ForeignKey) -> Candidate {
    let meaning = FieldMeaning::ToOne(Arc::new(ToOne {
        target: key.to,
        on: pairs(&key.from_columns, &key.to_columns),
        required: model.is_required(key) && key.from_columns.len() == key.to_columns.len(),
    }));
    let names = match &key.comment.name {
        Some(name) => vec![camel(name)],
        None => forward_names(model, names, key),
    };
    let remedy = remedy(model, key, "@name");
    candidate(key, names, meaning, key.to, remedy)
}

/// The names of the to-one field, the best first.
///
/// `assignee_id` says `assignee`, and `language_code` says as much of a language; of `reports_to`
/// only the long name tells what it leads to.
fn forward_names(model: &Model, names: &TypeNames, key: &ForeignKey) -> Vec<String> {
    let target = singular_field(names, key.to);
    let long = format!(
        "{target}By{}",
        columns_name(model, key.from, &key.from_columns)
    );
    let short = match role(model, key) {
        Role::Stem(stem) => stem,
        Role::Column(column) if !column.starts_with(&target) => return vec![long],
        Role::Column(_) | Role::Columns => target,
    };
    vec![short, long]
}

/// What the columns of a foreign key call the row they refer to.
enum Role {
    /// `assignee` of `assignee_id`.
    Stem(String),
    /// A column whose name says nothing about its being a reference.
    Column(String),
    Columns,
}

fn role(model: &Model, key: &ForeignKey) -> Role {
    let [column] = key.from_columns[..] else {
        return Role::Columns;
    };
    let column = camel(model.relation(key.from).column(column).name.as_str());
    let stem = ["Id", "Uuid", "Fk", "Ref"]
        .iter()
        .find_map(|suffix| column.strip_suffix(suffix))
        .filter(|stem| !stem.is_empty());
    match stem {
        Some(stem) => Role::Stem(stem.to_owned()),
        None => Role::Column(column),
    }
}

/// How the other side calls the reference: `Assignee` in `issuesByAssignee`.
fn by(model: &Model, names: &TypeNames, key: &ForeignKey) -> String {
    if let Some(name) = &key.comment.name {
        return pascal(name);
    }
    match role(model, key) {
        Role::Stem(name) | Role::Column(name) => pascal(&name),
        Role::Columns => pascal(&singular_field(names, key.to)),
    }
}

/// `issues.assignee_id → users` is `issues` on a user, or `issuesByAssignee`.
fn to_many(model: &Model, names: &TypeNames, key: &ForeignKey) -> Candidate {
    let one = model.is_one_to_one(key);
    let child = if one {
        singular_field(names, key.from)
    } else {
        plural_field(names, key.from)
    };
    let long = format!("{child}By{}", by(model, names, key));
    let longest = format!(
        "{child}By{}",
        columns_name(model, key.from, &key.from_columns)
    );
    let link = Arc::new(ToMany {
        target: key.from,
        on: pairs(&key.from_columns, &key.to_columns),
        indexed: key.indexed,
    });
    let meaning = if one {
        FieldMeaning::ToOneReverse(link)
    } else {
        FieldMeaning::ToMany(link)
    };
    let names = match &key.comment.reverse {
        Some(name) => vec![camel(name)],
        // A row's children of its own kind want the longer name: `categoriesByParent`. Where the
        // plural is the singular too (`newsBySeries`), that may be the name of the other direction.
        None if key.from == key.to => {
            let last = format!("referring{}", pascal(&longest));
            vec![long, longest, last]
        }
        None => vec![child, long, longest],
    };
    let remedy = remedy(model, key, "@reverse");
    candidate(key, names, meaning, key.from, remedy)
}

/// `issue_labels` makes `labels` of an issue.
fn many_to_many(
    model: &Model,
    names: &TypeNames,
    near: &ForeignKey,
    far: &ForeignKey,
) -> Candidate {
    let target = plural_field(names, far.to);
    let junction = pascal(&plural_field(names, near.from));
    let through = format!("{target}Through{junction}");
    let long = format!("{through}By{}", by(model, names, near));
    let longest = format!(
        "{through}By{}And{}",
        columns_name(model, near.from, &near.from_columns),
        columns_name(model, far.from, &far.from_columns)
    );
    let meaning = FieldMeaning::Through(Arc::new(Through {
        target: far.to,
        junction: near.from,
        near: pairs(&near.from_columns, &near.to_columns),
        far: pairs(&far.from_columns, &far.to_columns),
        indexed: near.indexed,
    }));
    let names = vec![target, through, long, longest];
    let remedy = remedy(model, near, "@name");
    candidate(near, names, meaning, far.to, remedy)
}

/// The statement that gives a key's field another name.
fn remedy(model: &Model, key: &ForeignKey, tag: &str) -> String {
    let table = &model.relation(key.from).name;
    format!(
        "comment on constraint {} on {table} is '{tag} something_else'",
        key.name
    )
}

fn candidate(
    key: &ForeignKey,
    names: Vec<String>,
    meaning: FieldMeaning,
    target: RelationId,
    remedy: String,
) -> Candidate {
    let origin = format!("foreign key {}", key.name);
    Candidate {
        names,
        link: LinkField {
            name: String::new(),
            meaning,
            target,
            origin,
            remedy,
        },
    }
}

/// Pairs of keys that together are a key of their table: a junction between two rows.
fn junctions<'m>(model: &'m Model, names: &TypeNames) -> Vec<(&'m ForeignKey, &'m ForeignKey)> {
    let mut found = Vec::new();
    let mut by_table: HashMap<RelationId, Vec<&ForeignKey>> = HashMap::new();
    for key in model
        .foreign_keys
        .iter()
        .filter(|key| is_visible(model, names, key))
    {
        by_table.entry(key.from).or_default().push(key);
    }
    for table in model.relation_ids() {
        let keys = by_table.get(&table).map_or(&[][..], Vec::as_slice);
        for near in keys {
            for far in keys {
                if !std::ptr::eq(*near, *far) && is_junction(model, near, far) {
                    found.push((*near, *far));
                }
            }
        }
    }
    found
}

fn is_junction(model: &Model, near: &ForeignKey, far: &ForeignKey) -> bool {
    let both: HashSet<ColumnId> = near
        .from_columns
        .iter()
        .chain(&far.from_columns)
        .copied()
        .collect();
    let disjoint = both.len() == near.from_columns.len() + far.from_columns.len();
    disjoint
        && model.relation(near.from).keys.iter().any(|key| {
            key.columns.len() == both.len()
                && key.columns.iter().all(|column| both.contains(column))
        })
}

fn pairs(from: &[ColumnId], to: &[ColumnId]) -> Vec<(ColumnId, ColumnId)> {
    from.iter().copied().zip(to.iter().copied()).collect()
}

fn columns_name(model: &Model, relation: RelationId, columns: &[ColumnId]) -> String {
    let relation = model.relation(relation);
    let names: Vec<_> = columns
        .iter()
        .map(|&column| pascal(relation.column(column).name.as_str()))
        .collect();
    names.join("And")
}

fn singular_field(names: &TypeNames, relation: RelationId) -> String {
    camel(names.of(relation).map_or("", |name| name))
}

fn plural_field(names: &TypeNames, relation: RelationId) -> String {
    plural(&singular(&singular_field(names, relation)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Comment, Relation};
    use crate::schema::testing::table;
    use crate::sql::Ident;

    fn key(from: (usize, usize), to: (usize, usize), comment: &str) -> ForeignKey {
        ForeignKey {
            name: Ident::new("key"),
            comment: Comment::parse(Some(comment)),
            from: RelationId(from.0),
            from_columns: vec![ColumnId(from.1)],
            to: RelationId(to.0),
            to_columns: vec![ColumnId(to.1)],
            validated: true,
            indexed: true,
        }
    }

    fn fields(relations: Vec<Relation>, foreign_keys: Vec<ForeignKey>) -> Vec<Vec<String>> {
        let model = Model {
            relations,
            foreign_keys,
            ..Model::default()
        };
        let names = TypeNames::new(&model, |_| false).unwrap();
        let links = link_fields(&model, &names, "nodeId").unwrap();
        let name = |link: &LinkField| link.name.clone();
        links
            .iter()
            .map(|links| links.iter().map(name).collect())
            .collect()
    }

    #[test]
    fn rows_that_refer_to_their_own_kind_without_a_plural() {
        let news = table("news", &["id", "series"]);
        assert_eq!(
            fields(vec![news], vec![key((0, 1), (0, 0), "")]),
            [["newsBySeries", "referringNewsBySeries"]]
        );
    }

    #[test]
    fn a_key_that_old_rows_may_break_requires_no_row() {
        let tables = vec![table("people", &["id"]), table("tasks", &["owner_id"])];
        let mut owner = key((1, 0), (0, 0), "");
        let model = Model {
            relations: tables,
            ..Model::default()
        };
        assert!(model.is_required(&owner));
        owner.validated = false;
        assert!(!model.is_required(&owner));
    }

    #[test]
    fn names_in_comments_become_fields_like_those_of_columns() {
        let tables = vec![table("people", &["id"]), table("tasks", &["id", "owner"])];
        let comment = "@name owned-by @reverse __owned tasks";
        assert_eq!(
            fields(tables, vec![key((1, 1), (0, 0), comment)]),
            [["owned"], ["ownedBy"]]
        );
    }
}
