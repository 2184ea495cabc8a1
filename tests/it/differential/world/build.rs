//! Random tables, and the references between them.

use super::{Column, Kind, NAMES, Reference, Table, World, capital};
use crate::harness::Chance;

impl World {
    pub(crate) fn random(chance: &mut Chance) -> Self {
        let mut world = Self {
            tables: Vec::new(),
            node_ids: Vec::new(),
        };
        let tables = 4 + chance.below(3);
        for index in 0..tables {
            let keyless = index > 2 && chance.percent(30);
            world.tables.push(table(chance, index, keyless));
        }
        for index in 0..tables {
            for _ in 0..=chance.below(2) {
                world.refer(chance, index);
            }
        }
        world.join(chance, tables);
        for index in 0..world.tables.len() {
            world.fill(chance, index);
        }
        world
    }

    /// Adds a reference from one table to any that has a key.
    fn refer(&mut self, chance: &mut Chance, from: usize) {
        const ROLES: [&str; 6] = ["owner", "maker", "friend", "mother", "rival", "origin"];
        let to = chance.below(self.tables.len());
        let key = self.tables[to].key.iter();
        let key: Vec<_> = key
            .map(|&column| &self.tables[to].columns[column])
            .map(|column| (column.name.clone(), column.kind))
            .collect();
        let role = ROLES[self.tables[from].references.len() + chance.below(3)];
        let table = &self.tables[from];
        if key.is_empty() || table.references.iter().any(|known| known.name == role) {
            return;
        }
        // Rows that must refer somewhere need the others to be there first.
        let nullable = to >= from || chance.percent(60);
        let unique = key.len() == 1 && nullable && chance.percent(25);
        let columns = table.columns.len()..table.columns.len() + key.len();
        let reverse = format!(
            "{}Of{}",
            if unique { table.singular } else { table.plural },
            capital(role)
        );
        let table = &mut self.tables[from];
        table
            .columns
            .extend(key.into_iter().map(|(name, kind)| Column {
                name: format!("{role}_{name}"),
                kind,
                nullable,
            }));
        if unique {
            table.unique.push(columns.clone().collect());
        }
        table.references.push(Reference {
            name: role.to_owned(),
            reverse,
            from: columns.collect(),
            to,
            unique,
        });
    }

    /// Adds tables whose key is made of two references.
    fn join(&mut self, chance: &mut Chance, tables: usize) {
        for (near, far) in [(0, 1), (1, 2)] {
            if chance.percent(30) || tables <= far {
                continue;
            }
            let index = self.tables.len();
            let (plural, singular) = NAMES[index];
            self.tables.push(Table {
                plural,
                singular,
                columns: Vec::new(),
                key: Vec::new(),
                unique: Vec::new(),
                references: Vec::new(),
                rows: Vec::new(),
            });
            for (to, name) in [(near, "left"), (far, "right")] {
                let key = self.tables[to].key.clone();
                let columns: Vec<_> = key
                    .iter()
                    .map(|&column| &self.tables[to].columns[column])
                    .map(|column| Column {
                        name: format!("{name}_{}", column.name),
                        kind: column.kind,
                        nullable: false,
                    })
                    .collect();
                let table = &mut self.tables[index];
                let from = table.columns.len()..table.columns.len() + columns.len();
                table.key.extend(from.clone());
                table.columns.extend(columns);
                table.references.push(Reference {
                    name: name.to_owned(),
                    reverse: format!("{plural}Of{}", capital(name)),
                    from: from.collect(),
                    to,
                    unique: false,
                });
            }
            let extra = plain_columns(chance, 1);
            self.tables[index].columns.extend(extra);
        }
    }
}

fn table(chance: &mut Chance, index: usize, keyless: bool) -> Table {
    let (plural, singular) = NAMES[index];
    let key = match chance.below(4) {
        _ if keyless => vec![],
        0 => vec![("shelf", Kind::Int), ("slot", Kind::Text)],
        1 => vec![("code", Kind::Text)],
        2 => vec![("id", Kind::Uuid)],
        _ => vec![("id", Kind::Int)],
    };
    let columns = key.iter().map(|&(name, kind)| Column {
        name: name.to_owned(),
        kind,
        nullable: false,
    });
    let mut columns: Vec<_> = columns.collect();
    let key = (0..columns.len()).collect();
    let plain = 1 + chance.below(4);
    columns.extend(plain_columns(chance, plain));
    let place = columns.len() - 1;
    let unique = if !keyless && chance.percent(30) {
        vec![vec![place]]
    } else {
        vec![]
    };
    Table {
        plural,
        singular,
        columns,
        key,
        unique,
        references: Vec::new(),
        rows: Vec::new(),
    }
}

/// One name always stands for one type: fields of different tables may meet under one key.
fn plain_columns(chance: &mut Chance, count: usize) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    while columns.len() < count {
        let kind = *chance.pick(&Kind::ALL);
        let nullable = chance.percent(50);
        let name = format!(
            "{}_{}",
            if nullable { "maybe" } else { "some" },
            kind.graphql()
                .to_lowercase()
                .replace('[', "list_of_")
                .replace(']', "")
        );
        if columns.iter().all(|known| known.name != name) {
            columns.push(Column {
                name,
                kind,
                nullable,
            });
        }
    }
    columns
}
