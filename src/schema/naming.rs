//! Which GraphQL type and root fields a relation gets, and what happens when two want one name.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::words::{camel, pascal, plural, singular};
use crate::model::{Column, EnumType, Function, Model, Relation, RelationId, RelationKind};

/// Two things want one GraphQL name. The start stops with this.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "the GraphQL name {name} is wanted twice: by {first} and by {second}; rename one with: {remedy}"
)]
pub struct Clash {
    pub name: String,
    pub first: String,
    pub second: String,
    /// The statement that resolves it.
    pub remedy: String,
}

/// What the names of a family end in, behind its own name.
const FAMILY: [&str; 5] = ["", "Filter", "Order", "By", "Key"];

/// The type name of each relation; none for those that are omitted.
pub(super) struct TypeNames {
    names: Vec<Option<Arc<str>>>,
    /// Those, and the names of enums.
    all: HashSet<Arc<str>>,
}

impl TypeNames {
    pub(super) fn new(model: &Model, is_reserved: impl Fn(&str) -> bool) -> Result<Self, Clash> {
        let mut owners: HashMap<String, &Relation> = HashMap::new();
        let mut names = Vec::with_capacity(model.relations.len());
        for relation in &model.relations {
            // A table without readable columns has no type: GraphQL has no empty objects.
            if relation.comment.omit || relation.columns.iter().all(|column| column.comment.omit) {
                names.push(None);
                continue;
            }
            let mut name = match &relation.comment.name {
                Some(name) => singular(&pascal(name)),
                None => singular(&pascal(relation.name.as_str())),
            };
            if is_reserved(&name) || relation.kind == RelationKind::Result {
                name.push_str("Row");
            }
            if let Some(other) = owners.insert(name.clone(), relation) {
                return Err(Clash {
                    name,
                    first: describe(other),
                    second: describe(relation),
                    remedy: format!(
                        "comment on {} is '@name something_else'",
                        describe(relation)
                    ),
                });
            }
            names.push(Some(name.into()));
        }
        let enums = model.enums.iter().map(|ty| Arc::from(enum_name(ty)));
        let all = names.iter().flatten().cloned().chain(enums).collect();
        Ok(Self { names, all })
    }

    pub(super) fn of(&self, relation: RelationId) -> Option<&Arc<str>> {
        self.names[relation.0].as_ref()
    }

    /// A list of rows: `IssueConnection`.
    pub(super) fn connection(&self, name: &str) -> String {
        self.derived(name, "Connection", "RowConnection")
    }

    /// A row in a list: `IssueEdge`.
    pub(super) fn edge(&self, name: &str) -> String {
        self.derived(name, "Edge", "RowEdge")
    }

    /// The filter of rows: `IssueFilter`.
    pub(super) fn filter(&self, name: &str) -> String {
        self.derived(name, "Filter", "RowFilter")
    }

    /// What rows can be sorted by: `IssueOrder`.
    pub(super) fn order(&self, name: &str) -> String {
        self.derived(name, "Order", "RowOrder")
    }

    /// The filter of a list of rows: `IssueListFilter`. Where there is an `issue_list`, that is the
    /// name of its rows' filter.
    pub(super) fn list_filter(&self, name: &str) -> String {
        if self.all.contains(format!("{name}List").as_str()) {
            return format!("{name}ToManyFilter");
        }
        self.derived(name, "ListFilter", "ToManyFilter")
    }

    /// What lists of rows can be sorted by: `IssueAggregatesOrder`.
    pub(super) fn aggregates_order(&self, name: &str) -> String {
        format!("{}Order", self.derived_family(name, "Aggregates"))
    }

    /// One of the types that come with a table's own together with a filter and an order:
    /// `IssueSum`, `IssueSumFilter`, `IssueSumOrder`. Where a table has any of these names, all
    /// three step aside.
    pub(super) fn derived_family(&self, name: &str, suffix: &str) -> String {
        let family = format!("{name}{suffix}");
        let taken = |member: &str| self.all.contains(format!("{family}{member}").as_str());
        if FAMILY.iter().any(|member| taken(member)) {
            format!("{name}Row{suffix}")
        } else {
            family
        }
    }

    /// A new row: `IssueInput`.
    pub(super) fn input(&self, name: &str) -> String {
        self.derived(name, "Input", "RowInput")
    }

    /// New values of a row: `IssuePatch`.
    pub(super) fn patch(&self, name: &str) -> String {
        self.derived(name, "Patch", "RowPatch")
    }

    /// What a write to many rows answers: `IssueMutationResult`.
    pub(super) fn mutation_result(&self, name: &str) -> String {
        self.derived(name, "MutationResult", "RowMutationResult")
    }

    /// Another type that comes with writing: `IssueOnConflict`, `IssueIncrement`, ….
    pub(super) fn written(&self, name: &str, suffix: &str) -> String {
        self.derived(name, suffix, &format!("Row{suffix}"))
    }

    /// A type that comes with a table's own. It steps aside for tables: `customer_orders` beside
    /// `customers` is nothing that anybody should have to rename.
    fn derived(&self, name: &str, suffix: &str, otherwise: &str) -> String {
        let derived = format!("{name}{suffix}");
        if self.all.contains(derived.as_str()) {
            format!("{name}{otherwise}")
        } else {
            derived
        }
    }

    pub(super) fn into_inner(self) -> Vec<Option<Arc<str>>> {
        self.names
    }
}

/// A relation as SQL calls it.
/// `IssueStatus`, where no table has that name.
pub(super) fn enum_name(ty: &EnumType) -> String {
    pascal(ty.comment.name.as_deref().unwrap_or(ty.name.as_str()))
}

pub(super) fn describe(relation: &Relation) -> String {
    let kind = match relation.kind {
        RelationKind::Table => "table",
        RelationKind::View => "view",
        RelationKind::MaterializedView => "materialized view",
        RelationKind::ForeignTable => "foreign table",
        RelationKind::Composite => "type",
        RelationKind::Result => "function",
    };
    match &relation.elsewhere {
        Some(schema) => format!("{kind} {schema}.{}", relation.name),
        None => format!("{kind} {}", relation.name),
    }
}

/// A function as SQL calls it: overloads are told apart by their arguments.
pub(super) fn describe_function(function: &Function) -> String {
    format!("function {}({})", function.name, function.signature)
}

/// `issues` for the type `Issue`.
pub(super) fn list_field(type_name: &str) -> String {
    plural(&camel(type_name))
}

/// `issue` for the type `Issue`.
pub(super) fn single_field(type_name: &str) -> String {
    camel(type_name)
}

/// The field of a column; none when it is omitted. A column `node_id` leaves `node_id_field` to the
/// row's global id.
pub(super) fn column_field(column: &Column, node_id_field: &str) -> Option<String> {
    if column.comment.omit {
        return None;
    }
    let name = column.comment.name.as_deref();
    let mut field = camel(name.unwrap_or(column.name.as_str()));
    if field == node_id_field {
        field.push_str("Value");
    }
    Some(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Comment;
    use crate::sql::Ident;

    fn table(name: &str) -> Relation {
        crate::schema::testing::table(name, &["id"])
    }

    #[test]
    fn the_global_id_keeps_its_name() {
        let mut tables = table("edges");
        let column = &mut tables.columns[0];
        column.name = Ident::new("node_id");
        let field = column_field(column, "nodeId");
        assert_eq!(field.as_deref(), Some("nodeIdValue"));
        assert_eq!(column_field(column, "gid").as_deref(), Some("nodeId"));
    }

    #[test]
    fn a_table_of_lists_keeps_the_name_of_its_filter() {
        let model = Model {
            relations: vec![table("customer"), table("customer_list"), table("film")],
            ..Model::default()
        };
        let names = TypeNames::new(&model, |_| false).unwrap();
        assert_eq!(names.list_filter("Customer"), "CustomerToManyFilter");
        assert_eq!(names.list_filter("CustomerList"), "CustomerListListFilter");
        assert_eq!(names.list_filter("Film"), "FilmListFilter");
    }

    #[test]
    fn types_beside_a_table_step_aside_for_enums() {
        let group = EnumType {
            name: Ident::new("customer_group"),
            labels: Vec::new(),
            comment: Comment::default(),
        };
        let model = Model {
            relations: vec![table("customers"), table("customer_sum_filters")],
            enums: vec![Arc::new(group)],
            ..Model::default()
        };
        let names = TypeNames::new(&model, |_| false).unwrap();
        assert_eq!(
            names.derived_family("Customer", "Group"),
            "CustomerRowGroup"
        );
        assert_eq!(names.derived_family("Customer", "Sum"), "CustomerRowSum");
        assert_eq!(names.derived_family("Customer", "Having"), "CustomerHaving");
    }

    #[test]
    fn types_beside_a_table_step_aside() {
        let tables = ["customer", "customer_orders", "metrics", "metric_filters"];
        let model = Model {
            relations: tables.map(table).into(),
            ..Model::default()
        };
        let names = TypeNames::new(&model, |_| false).unwrap();
        assert_eq!(names.order("Customer"), "CustomerRowOrder");
        assert_eq!(names.filter("Customer"), "CustomerFilter");
        assert_eq!(names.order("CustomerOrder"), "CustomerOrderOrder");
        assert_eq!(names.filter("Metric"), "MetricRowFilter");
    }
}
