//! What an operation may cost: a formula, made with the plan, in which only the lengths of lists are
//! still unknown.

use super::log_in::LogInField;
use super::types::{
    ComputedField, Connection, ConnectionField, EdgeField, FieldValue, Grouping, LimitId,
    ResponseKey, Root, RootValue, Selection,
};
use super::write::{Answer, AnswerField};

/// What the rows of a write count as.
const WRITTEN: u64 = 100;

/// The values of an answer: those that are there once, and for each list those of one row.
#[derive(Debug, Default)]
pub struct Cost {
    values: u64,
    lists: Vec<ListCost>,
}

#[derive(Debug)]
struct ListCost {
    /// None for the rows of a write, whose number is known when it is done.
    limit: Option<LimitId>,
    /// Response keys, from the list or the operation around it.
    path: Vec<String>,
    row: Cost,
}

impl Cost {
    pub(super) fn of(roots: &[Root]) -> Self {
        let mut cost = Self::default();
        for root in roots {
            let path = &mut vec![root.key.name().to_owned()];
            cost.values += 1;
            match &root.value {
                RootValue::Connection(connection) => cost.connection(connection, path),
                RootValue::Row(row) => cost.selection(&row.selection, path),
                RootValue::LogIn(log_in) => {
                    for (_, field) in &log_in.fields {
                        cost.values += 1;
                        if let LogInField::User(row) = field {
                            cost.selection(&row.selection, path);
                        }
                    }
                }
                RootValue::Write(write) => match &write.answer {
                    Answer::Row(selection) => cost.selection(selection, path),
                    Answer::Rows { fields, groups, .. } => cost.written(fields, groups, path),
                },
                RootValue::Service { values, .. } => {
                    cost.values = cost.values.saturating_add(*values);
                }
                RootValue::Typename(_)
                | RootValue::Null
                | RootValue::Forbidden
                | RootValue::Call(_)
                | RootValue::Introspection => {}
            }
        }
        cost
    }

    fn selection(&mut self, selection: &Selection, path: &mut Vec<String>) {
        for field in &selection.fields {
            self.values += 1;
            path.push(field.key.name().to_owned());
            match &field.value {
                FieldValue::ToOne(row) => self.selection(&row.selection, path),
                FieldValue::Connection(connection) => self.connection(connection, path),
                FieldValue::Typename(_)
                | FieldValue::NodeId(_)
                | FieldValue::Forbidden
                | FieldValue::Column(_)
                | FieldValue::Call(_) => {}
            }
            path.pop();
        }
    }

    fn connection(&mut self, connection: &Connection, around: &[String]) {
        let mut row = Self::default();
        for (key, field) in &connection.fields {
            self.values += 1;
            let path = &mut vec![key.name().to_owned()];
            match field {
                ConnectionField::Nodes(group) => row.selection(&connection.groups[*group], path),
                ConnectionField::Edges(fields) => {
                    for (key, field) in fields {
                        row.values += 1;
                        if let EdgeField::Node(group) = field {
                            path.push(key.name().to_owned());
                            row.selection(&connection.groups[*group], path);
                            path.pop();
                        }
                    }
                }
                ConnectionField::PageInfo(fields) => self.values += fields.len() as u64,
                ConnectionField::Aggregates(fields) => self.computed(fields),
                ConnectionField::Groups(index) => {
                    self.groups(&connection.groupings[*index], &[around, path].concat());
                }
                ConnectionField::Typename(_) | ConnectionField::TotalCount(_) => {}
            }
        }
        self.lists.push(ListCost {
            limit: Some(connection.page.limit),
            path: around.to_vec(),
            row,
        });
    }

    fn groups(&mut self, grouping: &Grouping, path: &[String]) {
        let mut row = Self::default();
        row.computed(&grouping.fields);
        self.lists.push(ListCost {
            limit: Some(grouping.limit),
            path: path.to_vec(),
            row,
        });
    }

    fn written(
        &mut self,
        fields: &[(ResponseKey, AnswerField)],
        groups: &[Selection],
        path: &[String],
    ) {
        self.values += fields.len() as u64;
        let mut row = Self::default();
        for (key, field) in fields {
            if let AnswerField::Nodes(group) = field {
                row.selection(&groups[*group], &mut vec![key.name().to_owned()]);
            }
        }
        self.lists.push(ListCost {
            limit: None,
            path: path.to_vec(),
            row,
        });
    }

    fn computed(&mut self, fields: &[(ResponseKey, ComputedField)]) {
        for (_, field) in fields {
            self.values += 1;
            match field {
                ComputedField::Object(inner) => self.computed(inner),
                ComputedField::Typename(_)
                | ComputedField::Null
                | ComputedField::Key(_)
                | ComputedField::Aggregate(_) => {}
            }
        }
    }

    /// How many values there are at most when lists are as long as these limits.
    pub fn values(&self, limits: &[u32]) -> u64 {
        self.count(&|list: &ListCost| list.rows(limits))
    }

    /// The same with one row in each list: the size of the answer's description.
    pub fn fields(&self) -> u64 {
        self.count(&|_| 1)
    }

    fn count(&self, rows: &impl Fn(&ListCost) -> u64) -> u64 {
        let lists = self
            .lists
            .iter()
            .map(|list| rows(list).saturating_mul(list.row.count(rows)));
        lists.fold(self.values, u64::saturating_add)
    }

    /// The innermost list whose rows alone have more than `most` values.
    pub fn heaviest(&self, limits: &[u32], most: u64) -> Vec<String> {
        let (mut path, mut cost, mut times) = (Vec::new(), self, 1_u64);
        loop {
            let all = |list: &&ListCost| {
                let rows = times.saturating_mul(list.rows(limits));
                rows.saturating_mul(list.row.values(limits))
            };
            let list = cost.lists.iter().max_by_key(all);
            let Some(list) = list.filter(|list| path.is_empty() || all(list) > most) else {
                return path;
            };
            path.extend(list.path.iter().cloned());
            times = times.saturating_mul(list.rows(limits));
            cost = &list.row;
        }
    }
}

impl ListCost {
    fn rows(&self, limits: &[u32]) -> u64 {
        let limit = self.limit.and_then(|limit| limits.get(limit.0));
        limit.map_or(WRITTEN, |&limit| limit.into())
    }
}
