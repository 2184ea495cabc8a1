//! The world as a migration.

use std::fmt::Write as _;

use super::{Cell, Kind, MOODS, Reference, Table, World, decimal};

impl World {
    /// The migration that makes the tables and their rows.
    pub(crate) fn sql(&self) -> String {
        let labels: Vec<_> = MOODS
            .iter()
            .map(|(label, _)| format!("'{label}'"))
            .collect();
        let mut sql = format!("create type mood as enum ({});\n", labels.join(", "));
        for table in &self.tables {
            let mut parts: Vec<_> = table
                .columns
                .iter()
                .map(|column| {
                    let null = if column.nullable { "" } else { " not null" };
                    format!("{} {}{null}", column.name, column.kind.sql())
                })
                .collect();
            if !table.key.is_empty() {
                parts.push(format!("primary key ({})", table.names(&table.key)));
            }
            parts.extend(
                table
                    .unique
                    .iter()
                    .map(|key| format!("unique ({})", table.names(key))),
            );
            let _ = write!(
                sql,
                "create table {} (\n  {}\n);\n",
                table.plural,
                parts.join(",\n  ")
            );
            for row in &table.rows {
                let cells = row.iter().zip(&table.columns);
                let values: Vec<_> = cells
                    .map(|(cell, column)| literal(cell, column.kind))
                    .collect();
                let _ = writeln!(
                    sql,
                    "insert into {} values ({});",
                    table.plural,
                    values.join(", ")
                );
            }
        }
        for table in &self.tables {
            for Reference {
                name,
                reverse,
                from,
                to,
                ..
            } in &table.references
            {
                let (here, constraint) = (table.plural, format!("{}_{name}", table.plural));
                let _ = write!(
                    sql,
                    "alter table {here} add constraint {constraint} foreign key ({}) references {};\n\
                     comment on constraint {constraint} on {here} is '@name {name} @reverse {reverse}';\n",
                    table.names(from),
                    self.tables[*to].plural,
                );
            }
        }
        sql
    }
}

impl Table {
    fn names(&self, columns: &[usize]) -> String {
        let names: Vec<_> = columns
            .iter()
            .map(|&column| self.columns[column].name.as_str())
            .collect();
        names.join(", ")
    }
}

fn literal(cell: &Cell, kind: Kind) -> String {
    match cell {
        Cell::Null => "null".into(),
        Cell::Bool(yes) => yes.to_string(),
        Cell::Int(place) if kind == Kind::Mood => {
            format!("'{}'", MOODS[usize::try_from(*place).unwrap()].0)
        }
        Cell::Int(hundredths) if kind == Kind::Decimal => decimal(*hundredths),
        Cell::Int(number) => number.to_string(),
        Cell::Float(number) => format!("'{number:e}'"),
        Cell::Tags(tags) => {
            let tags = tags
                .iter()
                .map(|tag| format!("'{}'", tag.replace('\'', "''")));
            format!("array[{}]::text[]", tags.collect::<Vec<_>>().join(", "))
        }
        Cell::Text(text) => format!("'{}'", text.replace('\'', "''")),
    }
}
