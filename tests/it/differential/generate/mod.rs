//! Random operations that are valid, but for an argument now and then.

mod list;

use serde_json::json;

use super::input::{self, Input, leaf};
use super::operation::{Item, Operation, item, plain};
use super::world::{At, Link, World};
use crate::harness::Chance;

/// A list's order, and cursors into lists of that order, as both sides made them.
pub(crate) struct Cursors {
    pub(crate) table: usize,
    pub(crate) order: Input,
    pub(crate) count: usize,
}

/// Stands in documents and variables for a cursor, which is another one for each side.
pub(crate) fn cursor_mark(pool: usize, index: usize) -> String {
    format!("<cursor {pool} {index}>")
}

pub(crate) struct Generator<'w> {
    pub(crate) world: &'w World,
    pub(crate) cursors: &'w [Cursors],
    pub(crate) chance: Chance,
    operation: Operation,
    aliases: usize,
    /// How many more fields there may be, roughly.
    budget: usize,
}

impl<'w> Generator<'w> {
    pub(crate) fn new(world: &'w World, cursors: &'w [Cursors], mut chance: Chance) -> Self {
        let budget = 5 + chance.below(50);
        Self {
            world,
            cursors,
            chance,
            operation: Operation::default(),
            aliases: 0,
            budget,
        }
    }

    pub(crate) fn operation(mut self) -> Operation {
        let roots = 1 + self.chance.below(3);
        let mut items = Vec::new();
        for _ in 0..roots {
            let item = self.root();
            self.push(&mut items, item, "Query");
        }
        self.operation.items = items;
        self.operation
    }

    fn root(&mut self) -> Item {
        let table = self.chance.below(self.world.tables.len());
        let def = &self.world.tables[table];
        match self.chance.below(10) {
            0 => plain("__typename"),
            1 | 2 if !def.key.is_empty() => self.by_key(table),
            3 if !def.rows.is_empty() && !def.key.is_empty() => self.node(table),
            _ => self.list(table, def.plural),
        }
    }

    fn by_key(&mut self, table: usize) -> Item {
        let def = &self.world.tables[table];
        let unique: Vec<_> = def
            .unique
            .iter()
            .filter(|_| self.chance.percent(40))
            .collect();
        let key = unique.first().map_or(&def.key, |key| *key);
        let columns: Vec<_> = key.iter().map(|&column| &def.columns[column]).collect();
        let name = if key == &def.key {
            def.singular.to_owned()
        } else {
            let columns: Vec<_> = columns
                .iter()
                .map(|column| super::world::capital(&column.field()))
                .collect();
            format!("{}By{}", def.singular, columns.join("And"))
        };
        let known = self.chance.below(def.rows.len());
        let known = (self.chance.percent(80) && !def.rows.is_empty())
            .then(|| self.world.cells(At { table, row: known }, key));
        let mut arguments = Vec::new();
        for (index, column) in columns.iter().enumerate() {
            let found = known.as_ref().map(|cells| cells[index].clone());
            let cell = found.filter(|cell| *cell != super::world::Cell::Null);
            let cell = cell.unwrap_or_else(|| column.kind.cell(&mut self.chance));
            arguments.push((column.field(), input::value(column.kind, &cell, true)));
        }
        let head = self.head(&name, arguments);
        item(head, self.row(table, 3))
    }

    fn node(&mut self, table: usize) -> Item {
        let id = self.chance.pick(&self.world.node_ids[table]).clone();
        let head = self.head("node", vec![("nodeId".into(), leaf("ID!", json!(id)))]);
        let mut inner = vec![plain("nodeId")];
        for table in [table, self.chance.below(self.world.tables.len())] {
            if !self.world.tables[table].key.is_empty() {
                let name = self.world.tables[table].type_name();
                let fields = self.row(table, 2);
                inner.push(item(format!("... on {name}"), fields));
            }
        }
        item(head, inner)
    }

    /// A field under a new alias, with its arguments.
    fn head(&mut self, name: &str, arguments: Vec<(String, Input)>) -> String {
        self.aliases += 1;
        let alias = self.aliases;
        let arguments: Vec<_> = arguments
            .into_iter()
            .map(|(name, value)| {
                let variables = &mut self.operation.variables;
                format!("{name}: {}", value.write(&mut self.chance, variables))
            })
            .collect();
        match arguments.as_slice() {
            [] => name.to_owned(),
            all => format!("a{alias}: {name}({})", all.join(", ")),
        }
    }

    /// Fields of a row.
    fn row(&mut self, table: usize, most: usize) -> Vec<Item> {
        let def = &self.world.tables[table];
        let name = def.type_name();
        let links = self.world.links(table);
        let mut items = Vec::new();
        for _ in 0..=self.chance.below(most + 1) {
            self.budget = self.budget.saturating_sub(1);
            let item = match self.chance.below(10) {
                0 => plain("__typename"),
                1 if !def.key.is_empty() => plain("nodeId"),
                2..=5 if !links.is_empty() && self.budget > 0 => {
                    let link = *self.chance.pick(&links);
                    self.link(table, link)
                }
                _ => self.column(table),
            };
            self.push(&mut items, item, &name);
        }
        items
    }

    fn column(&mut self, table: usize) -> Item {
        let name = self.chance.pick(&self.world.tables[table].columns).field();
        self.aliases += 1;
        let alias = self.aliases;
        let head = if self.chance.percent(25) {
            format!("a{alias}: {name}")
        } else {
            name
        };
        plain(head)
    }

    fn link(&mut self, table: usize, link: Link) -> Item {
        let (target, name) = self.world.link(table, link);
        if self.world.is_list(link) {
            return self.list(target, &name);
        }
        self.aliases += 1;
        let alias = self.aliases;
        let head = if self.chance.percent(25) {
            format!("a{alias}: {name}")
        } else {
            name
        };
        item(head, self.row(target, 3))
    }

    /// Adds a field: as it is, within a fragment, under a directive, or a second time.
    fn push(&mut self, items: &mut Vec<Item>, mut field: Item, on: &str) {
        if self.chance.percent(6) && !field.inner.is_empty() {
            // Merged with itself, each time with another part of its fields.
            let split = self.chance.below(field.inner.len());
            let mut second = field.clone();
            second.inner = field.inner[split..].to_vec();
            items.push(second);
        }
        if self.chance.percent(8) {
            field.head += &self.directive();
        }
        let on_node = field.head == "nodeId";
        match self.chance.below(20) {
            0 => {
                let head = format!("...{}", self.directive());
                items.push(item(head, vec![field]));
            }
            1 => {
                let on = if on_node { "Node" } else { on };
                items.push(item(format!("... on {on}"), vec![field]));
            }
            2 => {
                let on = if on_node { "Node" } else { on };
                self.operation.fragments.push((on.to_owned(), vec![field]));
                let index = self.operation.fragments.len() - 1;
                let directive = if self.chance.percent(20) {
                    self.directive()
                } else {
                    String::new()
                };
                items.push(plain(format!("...F{index}{directive}")));
                if self.chance.percent(30) {
                    items.push(plain(format!("...F{index}")));
                }
            }
            3 => {
                // A fragment that was made for another place.
                items.push(field);
                let known = self
                    .operation
                    .fragments
                    .iter()
                    .position(|(name, _)| name == on);
                if let Some(known) = known {
                    items.push(plain(format!("...F{known}")));
                }
            }
            _ => items.push(field),
        }
    }

    fn directive(&mut self) -> String {
        let name = *self.chance.pick(&["skip", "include"]);
        let yes = if name == "skip" {
            self.chance.percent(30)
        } else {
            self.chance.percent(70)
        };
        let condition =
            leaf("Boolean!", json!(yes)).write(&mut self.chance, &mut self.operation.variables);
        format!(" @{name}(if: {condition})")
    }
}
