//! Random rows that violate no key and no reference.

use super::{Cell, Kind, Reference, World};
use crate::harness::Chance;

impl World {
    pub(super) fn fill(&mut self, chance: &mut Chance, index: usize) {
        let wanted = [0, 3, 10, 20, 30][chance.below(5)];
        for _ in 0..wanted {
            if let Some(row) = self.row(chance, index) {
                self.tables[index].rows.push(row);
            }
        }
        // References to this table's own rows, or to rows of later tables, are made behind them all.
        if index + 1 < self.tables.len() {
            return;
        }
        for index in 0..self.tables.len() {
            for reference in 0..self.tables[index].references.len() {
                let Reference { to, from, .. } = &self.tables[index].references[reference];
                if *to < index {
                    continue;
                }
                let (to, from) = (*to, from.clone());
                for row in 0..self.tables[index].rows.len() {
                    let cells = self.referred(chance, to, from.len());
                    for (&column, cell) in from.iter().zip(cells) {
                        self.tables[index].rows[row][column] = cell;
                    }
                }
                self.thin_out(index, &from);
            }
        }
    }

    /// A row that violates no key; none where chance does not find one.
    fn row(&self, chance: &mut Chance, index: usize) -> Option<Vec<Cell>> {
        let table = &self.tables[index];
        let mut row = Vec::with_capacity(table.columns.len());
        for (place, column) in table.columns.iter().enumerate() {
            let cell = column.kind.cell(chance);
            let optional = column.nullable && chance.percent(30);
            row.push(if optional { Cell::Null } else { cell });
            if table.key.contains(&place) && column.kind == Kind::Int {
                row[place] = Cell::Int(i64::try_from(chance.below(50)).unwrap());
            }
        }
        for reference in &table.references {
            let cells = if reference.to < index {
                let cells = self.referred(chance, reference.to, reference.from.len());
                let required = reference
                    .from
                    .iter()
                    .any(|&column| !table.columns[column].nullable);
                if required && cells.contains(&Cell::Null) {
                    let any = chance.below(self.tables[reference.to].rows.len());
                    let target = &self.tables[reference.to];
                    let found = target.rows.get(any)?;
                    target
                        .key
                        .iter()
                        .map(|&column| found[column].clone())
                        .collect()
                } else {
                    cells
                }
            } else {
                vec![Cell::Null; reference.from.len()]
            };
            for (&column, cell) in reference.from.iter().zip(cells) {
                row[column] = cell;
            }
        }
        let keys = table.unique.iter().chain([&table.key]);
        let is_new = |key: &Vec<usize>| {
            let has_null = key.iter().any(|&column| row[column] == Cell::Null);
            let same = |other: &Vec<Cell>| key.iter().all(|&column| other[column] == row[column]);
            key.is_empty() || has_null || !table.rows.iter().any(same)
        };
        keys.clone().all(is_new).then(|| row.clone())
    }

    /// What refers to some row of a table, or to none; of several columns, one alone may be null.
    fn referred(&self, chance: &mut Chance, to: usize, width: usize) -> Vec<Cell> {
        let target = &self.tables[to];
        let found = chance
            .try_pick(&target.rows)
            .filter(|_| !chance.clone().percent(25));
        let Some(found) = found else {
            return vec![Cell::Null; width];
        };
        let mut cells: Vec<_> = target
            .key
            .iter()
            .map(|&column| found[column].clone())
            .collect();
        if width > 1 && chance.percent(15) {
            cells[chance.below(width)] = Cell::Null;
        }
        cells
    }

    /// Drops references until those that must be unique are.
    fn thin_out(&mut self, index: usize, from: &[usize]) {
        let table = &mut self.tables[index];
        if !table.unique.iter().any(|unique| unique == from) {
            return;
        }
        let mut seen: Vec<Vec<Cell>> = Vec::new();
        for row in &mut table.rows {
            let cells: Vec<_> = from.iter().map(|&column| row[column].clone()).collect();
            if seen.contains(&cells) {
                for &column in from {
                    row[column] = Cell::Null;
                }
            }
            seen.push(cells);
        }
    }
}
