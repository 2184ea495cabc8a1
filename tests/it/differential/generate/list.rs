//! Random lists: their arguments, and what of them is asked for.

use serde_json::json;

use super::{Generator, cursor_mark};
use crate::differential::input::{self, Input, leaf};
use crate::differential::operation::{Item, Variable, item, plain};
use crate::harness::Chance;

impl Generator<'_> {
    pub(super) fn list(&mut self, table: usize, name: &str) -> Item {
        let arguments = self.list_arguments(table);
        let head = self.head(name, arguments);
        item(head, self.connection(table))
    }

    fn list_arguments(&mut self, table: usize) -> Vec<(String, Input)> {
        let world = self.world;
        let chance = &mut self.chance;
        let mut arguments = Vec::new();
        if chance.percent(35) {
            arguments.push(("where".into(), input::filter(world, chance, table, 2)));
        }
        let keyed = !world.tables[table].key.is_empty();
        let pools = self.cursors.iter().enumerate();
        let pools: Vec<_> = pools
            .filter(|(_, pool)| pool.table == table && pool.count > 0)
            .collect();
        let pool = chance
            .try_pick(&pools)
            .copied()
            .filter(|_| chance.clone().percent(30));
        let cursor = |chance: &mut Chance| {
            let (index, pool) = pool?;
            Some(leaf(
                "Cursor",
                json!(cursor_mark(index, chance.below(pool.count))),
            ))
        };
        match pool {
            Some((_, pool)) => arguments.push(("orderBy".into(), pool.order.clone())),
            None if chance.percent(40) => {
                arguments.push(("orderBy".into(), input::order(world, chance, table)));
            }
            None => {}
        }
        let size = [0, 1, 2, 3, 5, 1000][chance.below(6)];
        let backward = keyed && chance.percent(30);
        if chance.percent(50) || backward {
            let name = if backward { "last" } else { "first" };
            arguments.push((name.into(), leaf("Int", json!(size))));
        }
        if chance.percent(70)
            && let Some(after) = cursor(chance)
        {
            arguments.push(("after".into(), after));
        }
        if keyed
            && chance.percent(40)
            && let Some(before) = cursor(chance)
        {
            arguments.push(("before".into(), before));
        }
        let has_after = arguments.iter().any(|(name, _)| name == "after");
        if !backward && (keyed || !has_after) && chance.percent(15) {
            arguments.push(("offset".into(), leaf("Int", json!(chance.below(4)))));
        }
        self.spoil(&mut arguments);
        arguments
    }

    /// Now and then makes `first` wrong, or a variable that has no value.
    fn spoil(&mut self, arguments: &mut Vec<(String, Input)>) {
        let chance = &mut self.chance;
        if !self.operation.invalid && chance.percent(3) {
            self.operation.invalid = true;
            arguments.retain(|(name, _)| name != "first");
            arguments.push((
                "first".into(),
                leaf("Int", json!([-1, 1001][chance.below(2)])),
            ));
        } else if !arguments.iter().any(|(name, _)| name == "first") && chance.percent(5) {
            let nothing = Variable {
                ty: "Int".into(),
                default: None,
                value: chance.percent(50).then(|| json!(null)),
            };
            self.operation.variables.push(nothing);
            let name = format!("$v{}", self.operation.variables.len() - 1);
            arguments.push(("first".into(), Input::Leaf("Int".into(), name, json!(null))));
        }
    }

    fn aggregates(&mut self, table: usize) -> Vec<Item> {
        let world = self.world;
        let mut items = vec![plain("count")];
        for function in ["countDistinct", "min", "max", "sum"] {
            let columns = world.tables[table].columns.iter();
            let columns: Vec<_> = columns.filter(|column| column.kind.has(function)).collect();
            if let Some(column) = self.chance.try_pick(&columns)
                && self.chance.percent(40)
            {
                let column = column.field();
                self.aliases += 1;
                let second = format!("a{}: {column}", self.aliases);
                items.push(item(function, vec![plain(column), plain(second)]));
            }
        }
        items
    }

    fn connection(&mut self, table: usize) -> Vec<Item> {
        let name = format!("{}Connection", self.world.tables[table].type_name());
        let mut items = Vec::new();
        for _ in 0..=self.chance.below(3) {
            let item = match self.chance.below(9) {
                0 => plain("__typename"),
                1 => plain("totalCount"),
                2 => {
                    let all = [
                        "hasNextPage",
                        "hasPreviousPage",
                        "startCursor",
                        "endCursor",
                        "__typename",
                    ];
                    let fields =
                        (0..=self.chance.below(3)).map(|_| plain(*self.chance.pick::<&str>(&all)));
                    item("pageInfo", fields.collect())
                }
                8 => item("aggregates", self.aggregates(table)),
                3 | 4 => {
                    let mut inner = vec![item("node", self.row(table, 2))];
                    if self.chance.percent(50) {
                        inner.push(plain("cursor"));
                    }
                    if self.chance.percent(20) {
                        inner.push(item("again: node", self.row(table, 1)));
                    }
                    Item {
                        head: "edges".into(),
                        inner,
                    }
                }
                _ => item("nodes", self.row(table, 3)),
            };
            self.push(&mut items, item, &name);
        }
        items
    }
}
