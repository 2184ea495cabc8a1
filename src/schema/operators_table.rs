//! `docs/operators.md`: what columns can be compared by, as the code has it.

use std::fmt::Write as _;
use std::path::Path;

use super::operators::{Call, OFFERS, Operator, TEXT};

const OPENING: &str = "\
# Operators

What a column's filter has, by its type. Postgres' catalog decides: an operator is there where the type has it, for types of
extensions, for domains over them, and for ranges of one's own. A test writes this table from the code (`UPDATE_GOLDEN=1 cargo test --lib operators`),
and `tests/types/operators.txt` compares each operator with its condition in SQL.

Filters of types without a scalar of their own are named after the type: `PgInetFilter`, `PgDaterangeFilter`.

## All types

";

const NULLS: &str = "
`eq`, `ne`, `in` and `notIn` are there where the default index of a type can tell its values apart, and for types without any equality
by their texts; `lt` to `gte` where it can sort them. `ne` and `notIn` match rows without a value. An operator whose value is null is refused, never left out.

## Arrays and JSON

| field | takes | |
|---|---|---|
| `some`, `every`, `none` | a filter of the elements | conditions on an array's elements, as on related rows |
| `length` | an `IntFilter` | how many elements an array has |
| `isEmpty` | a Boolean | whether an array has no elements, or a range no values |
| `at` | `{path: [\"a\", \"0\"], eq: …}` | what JSON has at a path, with all of its operators, an order among values of one kind, and `text`: the operators of texts |

## Texts

Patterns are not there for columns of a nondeterministic collation, which Postgres has none for.

";

const ORDERS: &str = "
## Orders by nearness

| columns | key of `orderBy` | in SQL |
|---|---|---|
| that `matches` is for | `searchRank: {matches: \"red shoes\"}` | `ts_rank(…) desc` |
| texts, where pg_trgm is installed | `titleSimilarity: {to: \"red shoos\"}` | `title <-> …` |
| `point`, `cube`, `vector` | `placeDistance: {from: \"(1,2)\"}` | `place <-> …` |

The nearest comes first, and what has no value last; `direction` turns it round. A column that has such a name already keeps it.
";

#[test]
fn the_table_of_operators_is_up_to_date() {
    let mut text = OPENING.to_owned();
    common(&mut text);
    text.push_str(NULLS);
    text.push_str("| field | |\n|---|---|\n");
    for operator in TEXT {
        let (name, description) = operator.name();
        let _ = writeln!(text, "| `{name}` | {description} |");
    }
    text.push_str("\n## By type\n\n| type | field | in SQL | |\n|---|---|---|---|\n");
    for offer in &OFFERS {
        let (left, right) = (offer.signature.split(' '), offer.signature.rsplit(' '));
        let (left, right) = (left.clone().next().unwrap(), right.clone().next().unwrap());
        let right = match offer.call {
            Some(Call::WebSearch) => "websearch_to_tsquery(…)",
            Some(Call::TsQuery) => "to_tsquery(…)",
            None => right,
        };
        let (name, description) = Operator::Offer(offer).name();
        let symbol = offer.symbol().replace('|', "\\|");
        let description = description.replace('|', "\\|");
        let _ = writeln!(
            text,
            "| {} | `{name}` | `{symbol} {right}` | {description} |",
            columns(left)
        );
    }
    text.push_str(ORDERS);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operators.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == text,
        "docs/operators.md is stale: UPDATE_GOLDEN=1 cargo test --lib operators"
    );
}

fn common(text: &mut String) {
    use Operator::{Eq, Gt, Gte, In, IsNull, Lt, Lte, Ne, NotIn};
    text.push_str("| field | |\n|---|---|\n");
    for operator in [Eq, Ne, In, NotIn, Lt, Lte, Gt, Gte, IsNull] {
        let (name, description) = operator.name();
        let _ = writeln!(text, "| `{name}` | {description} |");
    }
}

/// Which columns an operator with this type on its left is for.
fn columns(left: &str) -> String {
    match left {
        "anyarray" => "arrays".into(),
        "anyrange" => "ranges".into(),
        "anymultirange" => "multiranges".into(),
        "tsvector" => "`tsvector`, and texts with an index on `to_tsvector('…', column)`".into(),
        "text" => "texts".into(),
        "jsonb" => "`jsonb`, `json`".into(),
        "inet" => "`inet`, `cidr`".into(),
        other => format!("`{other}`"),
    }
}
