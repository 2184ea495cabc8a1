//! Keys and references that comments declare, where Postgres knows of none: on views above all.

use super::comment::{Comment, Declared};
use super::types::{ColumnId, ForeignKey, Key, Model, Relation, RelationId};
use crate::sql::Ident;

/// What the names of declared references begin with.
const REFERENCE: &str = "@foreignKey ";

/// What is wrong with a comment; the start stops with this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the comment on {relation} has \"@{tag}\": {problem}")]
pub struct DeclarationError {
    pub relation: String,
    pub tag: String,
    pub problem: String,
}

type Problem = String;

/// The statements that show whether the columns of declared references can be compared, and the
/// references; Postgres need not run them.
pub(super) fn comparisons<'m>(
    model: &'m Model,
    schema: &Ident,
) -> impl Iterator<Item = (&'m ForeignKey, String)> {
    let declared = |key: &&ForeignKey| key.name.as_str().starts_with(REFERENCE);
    model.foreign_keys.iter().filter(declared).map(move |key| {
        let (from, to) = (model.relation(key.from), model.relation(key.to));
        let pairs = key.from_columns.iter().zip(&key.to_columns);
        let on: Vec<_> = pairs
            .map(|(ours, theirs)| {
                let (ours, theirs) = (&from.column(*ours).name, &to.column(*theirs).name);
                format!("a.{ours} = b.{theirs}")
            })
            .collect();
        let on = on.join(" and ");
        let [ours, theirs] = [from, to].map(|side| side.elsewhere.as_ref().unwrap_or(schema));
        let text = format!(
            "select from {ours}.{} a join {theirs}.{} b on {on}",
            from.name, to.name
        );
        (key, text)
    })
}

/// Adds to the model what its comments declare.
pub(super) fn declare(model: &mut Model) -> Result<(), DeclarationError> {
    // Rows of a bare type lie nowhere: what is declared of one (for other tools) means nothing here.
    let places: Vec<_> = model
        .relation_ids()
        .filter(|&id| model.relation(id).kind.has_rows())
        .collect();
    for &id in &places {
        let declared = model.relation(id).comment.declared.clone();
        let name = model.relation(id).name.to_string();
        let failed = |tag: &str, text: &str| {
            let (relation, tag) = (name.clone(), format!("{tag} {text}"));
            move |problem| DeclarationError {
                relation,
                tag,
                problem,
            }
        };
        keys(&mut model.relations[id.0], &declared, failed)?;
    }
    // References look at the keys of others.
    for id in places {
        let texts = model.relation(id).comment.declared.foreign_keys.clone();
        for text in texts {
            let key = foreign_key(model, id, &text).map_err(|problem| DeclarationError {
                relation: model.relation(id).name.to_string(),
                tag: format!("foreignKey {text}"),
                problem,
            })?;
            model.foreign_keys.push(key);
        }
    }
    Ok(())
}

/// A declared primary key is what it says: its columns are never null.
fn keys<F: FnOnce(Problem) -> DeclarationError>(
    relation: &mut Relation,
    declared: &Declared,
    failed: impl Fn(&str, &str) -> F,
) -> Result<(), DeclarationError> {
    if let Some(text) = &declared.primary_key {
        let columns = columns(relation, text).map_err(failed("primaryKey", text))?;
        if relation.keys.iter().any(|key| key.primary) {
            let problem = "it has a primary key".to_owned();
            return Err(failed("primaryKey", text)(problem));
        }
        for column in &columns {
            relation.columns[column.0].not_null = true;
        }
        relation.keys.retain(|key| key.columns != columns);
        let primary = true;
        relation.keys.insert(
            0,
            Key {
                columns,
                primary,
                immediate: false,
            },
        );
    }
    for text in &declared.unique {
        let columns = columns(relation, text).map_err(failed("unique", text))?;
        if relation.keys.iter().all(|key| key.columns != columns) {
            let primary = false;
            relation.keys.push(Key {
                columns,
                primary,
                immediate: false,
            });
        }
    }
    Ok(())
}

/// `(customer_id) references customers (id)`, with `@name` and `@reverse` behind it; without the
/// other columns, the primary key is meant.
fn foreign_key(model: &Model, from: RelationId, text: &str) -> Result<ForeignKey, Problem> {
    const FORM: &str = "expected (column, …) references table (column, …)";
    // PostGraphile's way of writing it is understood too.
    let (text, tags) = match text.find(['@', '|']) {
        Some(at) => (&text[..at], text[at..].replace('|', " ")),
        None => (text, String::new()),
    };
    let tags = tags
        .replace("@foreignFieldName", "@reverse")
        .replace("@fieldName", "@name");
    let (ours, rest) = parenthesized(text.trim()).ok_or(FORM)?;
    let rest = rest.trim_start();
    let rest = rest
        .get(.."references ".len())
        .filter(|word| word.eq_ignore_ascii_case("references "))
        .map(|word| &rest[word.len()..])
        .ok_or(FORM)?;
    let (table, theirs) = match rest.find('(') {
        Some(at) => (&rest[..at], Some(parenthesized(&rest[at..]).ok_or(FORM)?.0)),
        None => (rest, None),
    };
    let table = names(table, '.').pop().ok_or(FORM)?;
    let tables = || {
        let ids = model.relation_ids();
        ids.filter(|id| model.relation(*id).kind.has_rows())
    };
    let to = found(tables, &table, |id| &model.relation(id).name)
        .ok_or_else(|| format!("there is no table {table}"))?;
    let from_columns = columns(model.relation(from), ours)?;
    let to_columns = if let Some(theirs) = theirs {
        columns(model.relation(to), theirs)?
    } else {
        let primary = model.relation(to).keys.iter().find(|key| key.primary);
        let columns = primary.map(|key| key.columns.clone());
        columns
            .ok_or_else(|| format!("{table} has no primary key: name the columns it refers to"))?
    };
    if from_columns.len() != to_columns.len() {
        return Err("both sides must have as many columns".to_owned());
    }
    Ok(ForeignKey {
        name: Ident::new(&format!("{REFERENCE}{}", text.trim())),
        comment: Comment::parse(Some(&tags)),
        from,
        from_columns,
        to,
        to_columns,
        // Nothing makes sure that the other row is there.
        validated: false,
        indexed: false,
    })
}

/// `(a, b) rest` → (`a, b`, ` rest`).
fn parenthesized(text: &str) -> Option<(&str, &str)> {
    let end = text.find(')')?;
    Some((text.strip_prefix('(')?.get(..end - 1)?, &text[end + 1..]))
}

fn columns(relation: &Relation, text: &str) -> Result<Vec<ColumnId>, Problem> {
    let names = names(text, ',');
    if names.is_empty() {
        return Err("expected the names of columns".to_owned());
    }
    let mut ids: Vec<ColumnId> = Vec::with_capacity(names.len());
    for name in names {
        let id = found(
            || relation.column_ids(),
            &name,
            |id| &relation.column(id).name,
        )
        .ok_or_else(|| format!("there is no column {name}"))?;
        if ids.contains(&id) {
            return Err(format!("column {name} is named twice"));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// The one of that name, or else of that name in lower case, as SQL has it.
fn found<'a, T: Copy, I: Iterator<Item = T>>(
    all: impl Fn() -> I,
    name: &str,
    name_of: impl Fn(T) -> &'a Ident,
) -> Option<T> {
    let lower = name.to_lowercase();
    let find = |name: &str| all().find(|one| name_of(*one).as_str() == name);
    find(name).or_else(|| find(&lower))
}

/// Names between separators, in quotes or without.
fn names(text: &str, separator: char) -> Vec<String> {
    let (mut names, mut name, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        quoted ^= c == '"';
        if c == separator && !quoted {
            names.push(std::mem::take(&mut name));
        } else {
            name.push(c);
        }
    }
    names.push(name);
    names
        .iter()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty())
        .map(|name| {
            let inner = name
                .strip_prefix('"')
                .and_then(|name| name.strip_suffix('"'));
            inner.map_or_else(|| name.to_owned(), |inner| inner.replace("\"\"", "\""))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Column, ColumnType, RelationKind, TypeKind};

    fn relation(name: &str, names: &[&str], comment: &str) -> Relation {
        let column = |name: &&str| Column::bare(name, ColumnType::builtin(TypeKind::Int4, "int4"));
        Relation {
            comment: Comment::parse(Some(comment)),
            ..Relation::bare(name, RelationKind::View, names.iter().map(column).collect())
        }
    }

    fn model(comment: &str) -> Result<Model, String> {
        let mut model = Model {
            relations: vec![
                relation("totals", &["id", "a, b", "Owner"], comment),
                relation("People", &["id"], "@primaryKey id"),
                relation("loose", &["id"], ""),
            ],
            ..Model::default()
        };
        match declare(&mut model) {
            Ok(()) => Ok(model),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn keys_and_references_are_declared() {
        let text = "@primaryKey ID\n@unique \"a, b\" ,id\n\
             @foreignKey (\"Owner\") references public.\"People\" @name keeper\n\
             @foreignKey (id, \"a, b\") REFERENCES Loose (id)|@fieldName x";
        assert!(model(text).unwrap_err().contains("as many columns"));
        let text = text.replace("(id, \"a, b\")", "(id)");
        let model = model(&text).unwrap();
        let totals = &model.relations[0];
        assert!(totals.columns[0].not_null && !totals.columns[1].not_null);
        let keys: Vec<_> = totals
            .keys
            .iter()
            .map(|key| (&key.columns[..], key.primary))
            .collect();
        assert_eq!(
            keys,
            [
                (&[ColumnId(0)][..], true),
                (&[ColumnId(1), ColumnId(0)][..], false)
            ]
        );
        let names: Vec<_> = model
            .foreign_keys
            .iter()
            .map(|key| (key.from_columns[0].0, key.to.0, key.comment.name.as_deref()))
            .collect();
        assert_eq!(names, [(2, 1, Some("keeper")), (0, 2, Some("x"))]);
    }

    #[test]
    fn what_is_declared_must_be_there() {
        for (comment, problem) in [
            ("@primaryKey idd", "there is no column idd"),
            ("@primaryKey", "expected the names of columns"),
            ("@unique id,id", "named twice"),
            ("@foreignKey id references loose", "expected (column, …)"),
            ("@foreignKey (id) refers to loose", "expected (column, …)"),
            (
                "@foreignKey (id) references Persons (id)",
                "there is no table Persons",
            ),
            ("@foreignKey (id) references loose", "no primary key"),
            (
                "@foreignKey (id) references \"People\" (x)",
                "there is no column x",
            ),
        ] {
            let error = model(comment).unwrap_err();
            assert!(error.contains(problem), "{comment}: {error}");
            assert!(
                error.starts_with("the comment on \"totals\" has"),
                "{error}"
            );
        }
    }
}
