//! Functions of a row: what their fields are called, and those among them that are like columns.

use std::collections::HashSet;

use super::naming::column_field;
use super::words::{camel, singular};
use crate::model::{Function, FunctionResult, Model, Relation};

/// A function of a row and nothing else that returns one value is a column to everybody who reads:
/// it can be selected, compared and sorted by.
pub(super) fn is_column(function: &Function) -> bool {
    function.row.is_some()
        && function.arguments.is_empty()
        && !function.set
        && matches!(function.result, FunctionResult::Value { .. })
}

/// Adds the columns that functions compute, behind those that the tables have.
pub(super) fn add_columns(model: &mut Model, node_id_field: &str) {
    for function in &model.functions {
        let Some(row) = function.row.filter(|_| is_column(function)) else {
            continue;
        };
        let relation = &mut model.relations[row.0];
        // A whole row is an argument to those only who may read all of it.
        if !relation.is_wholly_readable() {
            continue;
        }
        let columns = relation.columns.iter();
        let taken: HashSet<_> = columns
            .filter_map(|column| column_field(column, node_id_field))
            .collect();
        let names = field_names(function, relation);
        let free = names.iter().find(|name| !taken.contains(*name));
        // Without a free one, the clash stops the start.
        let name = free.or(names.last()).map_or("", String::as_str);
        relation.columns.extend(function.column(name));
    }
}

/// `issue_age_in_days` of `issues` is `ageInDays`, or `issueAgeInDays` where that is taken.
pub(super) fn field_names(function: &Function, relation: &Relation) -> Vec<String> {
    if let Some(name) = &function.comment.name {
        return vec![camel(name)];
    }
    let long = camel(&function.label);
    let table = camel(relation.name.as_str());
    let short = [singular(&table), table].iter().find_map(|prefix| {
        let rest = long.strip_prefix(prefix.as_str())?;
        let first = rest.chars().next().filter(char::is_ascii_uppercase)?;
        Some(format!("{}{}", first.to_ascii_lowercase(), &rest[1..]))
    });
    short.into_iter().chain([long]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Comment, RelationId};
    use crate::schema::testing::table;
    use crate::sql::Ident;

    fn names(function: &str, comment: &str) -> Vec<String> {
        let function = Function {
            name: Ident::new(function),
            signature: String::new(),
            comment: Comment::parse(Some(comment)),
            label: function.to_owned(),
            volatile: false,
            row: Some(RelationId(0)),
            arguments: Vec::new(),
            result: FunctionResult::Nothing,
            set: false,
        };
        field_names(&function, &table("issues", &["id"]))
    }

    #[test]
    fn the_tables_name_is_left_out_of_its_functions() {
        assert_eq!(
            names("issue_age_in_days", ""),
            ["ageInDays", "issueAgeInDays"]
        );
        assert_eq!(names("issues_size", ""), ["size", "issuesSize"]);
        for whole in ["issue", "issued_at", "issue2", "age"] {
            assert_eq!(names(whole, ""), [camel(whole)]);
        }
        assert_eq!(names("issue_age", "@name how_old"), ["howOld"]);
    }
}
