//! The differential test: random operations over a random schema, answered by the service and by a
//! resolver for each field over the same rows; both answers must be the same.
//!
//! `DIFFERENTIAL_SEED` repeats a run, `DIFFERENTIAL_OPERATIONS` says how many operations it has.

mod compare;
mod generate;
mod input;
mod operation;
mod reference;
mod world;

use serde_json::{Map, Value, json};

use crate::harness::{Answer, Caller, Chance, DataDir, Service, setting};
use compare::difference;
use generate::{Cursors, Generator, cursor_mark};
use operation::Operation;
use reference::Reference;
use world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_operations_have_the_answers_of_a_simple_implementation() {
    let seed = setting("DIFFERENTIAL_SEED", 1);
    let operations = setting("DIFFERENTIAL_OPERATIONS", 500);
    // A schema for so many operations, so that many operations see many schemas.
    for (round, start) in (0..operations).step_by(500).enumerate() {
        let seed = seed + u64::try_from(round).unwrap();
        let both = Both::new(seed).await;
        let count = (operations - start).min(500);
        both.check(seed, count).await;
    }
}

/// The executor of the reference answers null for an object without fields, which is none of
/// GraphQL's rules: there, every object gets one more, which is no part of the comparison.
const FILLER: &str = " filler: __typename";

/// The service and the reference, with the same rows.
struct Both {
    caller: Caller,
    reference: Reference,
    cursors: Vec<Cursors>,
    /// For each pool of cursors: the service's and the reference's.
    pairs: Vec<Vec<(String, String)>>,
    _service: Service,
}

impl Both {
    async fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let mut world = World::random(&mut chance);
        let dir = DataDir::new();
        let sql = dir.join("sql");
        std::fs::create_dir(&sql).unwrap();
        std::fs::write(sql.join("V1__random.sql"), world.sql()).unwrap();
        // How large answers could be is no matter here.
        let arguments = [
            "--tenant-sql",
            sql.to_str().unwrap(),
            "--max-complexity=18446744073709551615",
            "--max-depth=100",
        ];
        let service = Service::dev_in(dir, &arguments);
        let caller = service.tenant("acme").owner().await;
        world.node_ids = node_ids(&world, &caller).await;
        let reference = Reference::new(world);
        let mut both = Self {
            caller,
            reference,
            cursors: vec![],
            pairs: vec![],
            _service: service,
        };
        for table in 0..both.reference.world().tables.len() {
            for _ in 0..3 {
                both.harvest(&mut chance, table).await;
            }
        }
        both
    }

    /// Has both sides make cursors for all rows of a table, in some order.
    async fn harvest(&mut self, chance: &mut Chance, table: usize) {
        let order = input::order(self.reference.world(), chance, table);
        let name = self.reference.world().tables[table].plural;
        let document = format!(
            "{{ {name}(orderBy: {}, first: 1000) {{ edges {{ cursor }} }} }}",
            order.text()
        );
        let answer = self.caller.query(&document).await.data();
        let (expected, errors) = self.reference.answer(&document, Map::new()).await;
        assert!(errors.is_empty(), "{errors:?}");
        let cursors = |data: &Value| -> Vec<String> {
            let edges = data[name]["edges"].as_array().unwrap().iter();
            edges
                .map(|edge| edge["cursor"].as_str().unwrap().to_owned())
                .collect()
        };
        let pairs: Vec<_> = cursors(&answer)
            .into_iter()
            .zip(cursors(&expected))
            .collect();
        self.cursors.push(Cursors {
            table,
            order,
            count: pairs.len(),
        });
        self.pairs.push(pairs);
    }

    async fn check(&self, seed: u64, count: u64) {
        let mut compared = 0;
        for index in 0..count {
            let chance = Chance::branch(seed, index);
            let generator = Generator::new(self.reference.world(), &self.cursors, chance);
            let operation = generator.operation();
            match self.difference(&operation).await {
                Ok(rows) => compared += rows,
                Err(problem) => {
                    let (operation, problem) = self.shrink(operation, problem).await;
                    panic!(
                        "operation {index} of DIFFERENTIAL_SEED={seed}: {problem}\n{}\n{}\n{}",
                        self.marked(&operation.document(""), |pair| &pair.0),
                        self.marked(&json!(operation.values()[0]).to_string(), |pair| &pair.0),
                        self.reference.world().sql(),
                    );
                }
            }
        }
        // Two sides that answer nothing would agree as well.
        assert!(
            compared > usize::try_from(count).unwrap() * 5,
            "only {compared} values were compared"
        );
    }

    /// Takes away what the difference does not need.
    async fn shrink(&self, mut operation: Operation, mut problem: String) -> (Operation, String) {
        'smaller: loop {
            for smaller in operation.smaller() {
                // The same difference, not another one that taking away has made.
                if let Err(now) = self.difference(&smaller).await
                    && now.split(':').next() == problem.split(':').next()
                {
                    (operation, problem) = (smaller, now);
                    continue 'smaller;
                }
            }
            return (operation, problem);
        }
    }

    /// Asks both. Gives the number of equal values.
    async fn difference(&self, operation: &Operation) -> Result<usize, String> {
        let document = operation.document("");
        let filled = operation.document(FILLER);
        let [sent, effective] = operation.values().map(|values| json!(values).to_string());
        let theirs = |text: &str| self.marked(text, |pair| &pair.1);
        let (expected, errors) = self
            .reference
            .answer(
                &theirs(&filled),
                serde_json::from_str(&theirs(&effective)).unwrap(),
            )
            .await;
        let ours = |text: &str| self.marked(text, |pair| &pair.0);
        let variables: Value = serde_json::from_str(&ours(&sent)).unwrap();
        let answer: Answer = self.caller.ask(&ours(&document), variables).await;
        let answer = answer.json();
        if let Some(found) = answer["errors"].as_array() {
            let found = &found[0];
            let path = found["path"].as_array().into_iter().flatten();
            let path: Vec<_> = path.filter_map(Value::as_str).collect();
            let code = &found["extensions"]["code"];
            // Both refuse the same field; or the reference has no row whose field it would be.
            let same = errors
                .iter()
                .any(|error| error.starts_with(&format!("{}: ", path.join("."))));
            if operation.invalid && code == "BAD_USER_INPUT" && (same || errors.is_empty()) {
                return Ok(1);
            }
            return Err(format!(
                "the service refuses: {answer}, the reference has {errors:?} {expected}"
            ));
        }
        if !errors.is_empty() {
            return Err(format!(
                "the service answers what the reference refuses: {errors:?} {answer}"
            ));
        }
        difference(&answer["data"], &expected)
    }

    /// Puts one side's cursors where they are marked.
    fn marked(&self, text: &str, side: impl Fn(&(String, String)) -> &String) -> String {
        let mut text = text.to_owned();
        while let Some(start) = text.find("<cursor ") {
            let end = start + text[start..].find('>').unwrap();
            let mut numbers = text[start + 8..end]
                .split(' ')
                .map(|number| number.parse::<usize>().unwrap());
            let (pool, index) = (numbers.next().unwrap(), numbers.next().unwrap());
            assert_eq!(cursor_mark(pool, index), text[start..=end]);
            let cursor = side(&self.pairs[pool][index]).clone();
            text.replace_range(start..=end, &cursor);
        }
        text
    }
}

/// The global ids that the service gives to the rows, found by their keys.
async fn node_ids(world: &World, caller: &Caller) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for table in &world.tables {
        if table.key.is_empty() {
            all.push(Vec::new());
            continue;
        }
        let fields: Vec<_> = table
            .key
            .iter()
            .map(|&column| table.columns[column].field())
            .collect();
        let document = format!(
            "{{ {}(first: 1000) {{ nodes {{ nodeId {} }} }} }}",
            table.plural,
            fields.join(" ")
        );
        let data = caller.query(&document).await.data();
        let nodes = data[table.plural]["nodes"].as_array().unwrap();
        let ids = table.rows.iter().map(|row| {
            let has_key = |node: &&Value| {
                table.key.iter().zip(&fields).all(|(&column, field)| {
                    let kind = table.columns[column].kind;
                    node[field] == input::value(kind, &row[column], true).json()
                })
            };
            nodes.iter().find(has_key).unwrap()["nodeId"]
                .as_str()
                .unwrap()
                .to_owned()
        });
        all.push(ids.collect());
    }
    all
}
