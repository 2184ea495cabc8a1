//! A random schema with random rows: kept in memory for the reference, and told to Postgres as SQL.

mod build;
mod rows;
mod sql;

use crate::harness::Chance;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    BigInt,
    Float,
    Bool,
    Text,
    Uuid,
    Date,
    Moment,
    /// With two digits behind the point; cells hold hundredths.
    Decimal,
    Mood,
    Tags,
}

/// The labels of the enum `mood`, and their names in GraphQL.
pub(crate) const MOODS: [(&str, &str); 4] = [
    ("sad", "SAD"),
    ("so-so", "SO_SO"),
    ("happy", "HAPPY"),
    ("Über glad", "UBER_GLAD"),
];

const TEXTS: [&str; 12] = [
    "",
    "a",
    "ab",
    "abc",
    "B",
    "a%c",
    "a_c",
    "it's \"so\"",
    "back\\slash",
    "Ünï🗄",
    "NULL",
    "two\nlines",
];

impl Kind {
    const ALL: [Self; 11] = [
        Self::Int,
        Self::BigInt,
        Self::Float,
        Self::Bool,
        Self::Text,
        Self::Uuid,
        Self::Date,
        Self::Moment,
        Self::Decimal,
        Self::Mood,
        Self::Tags,
    ];

    fn sql(self) -> &'static str {
        match self {
            Self::Int => "integer",
            Self::BigInt => "bigint",
            Self::Float => "double precision",
            Self::Bool => "boolean",
            Self::Text => "text",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::Moment => "timestamptz",
            Self::Decimal => "numeric(6, 2)",
            Self::Mood => "mood",
            Self::Tags => "text[]",
        }
    }

    pub(crate) fn graphql(self) -> &'static str {
        match self {
            Self::Int => "Int",
            Self::BigInt => "BigInt",
            Self::Float => "Float",
            Self::Bool => "Boolean",
            Self::Text => "String",
            Self::Uuid => "UUID",
            Self::Date => "Date",
            Self::Moment => "DateTime",
            Self::Decimal => "Decimal",
            Self::Mood => "Mood",
            Self::Tags => "[String]",
        }
    }

    /// Whether an aggregate function takes it.
    pub(crate) fn has(self, function: &str) -> bool {
        match function {
            "sum" => matches!(self, Self::Int | Self::BigInt | Self::Decimal),
            "min" | "max" => !matches!(self, Self::Bool | Self::Uuid | Self::Tags),
            _ => true,
        }
    }

    /// Few different values, so that ties and matches are common.
    pub(crate) fn cell(self, chance: &mut Chance) -> Cell {
        let few = i64::try_from(chance.below(7)).unwrap();
        match self {
            Self::Int => Cell::Int(few - 2),
            Self::BigInt => Cell::Int((few - 3) * 3_000_000_000_000_000_000_i64.saturating_sub(1)),
            Self::Float => {
                Cell::Float([-1.5, 0.0, 0.25, 3.0, 1e21, 1e-7, 100.125][chance.below(7)])
            }
            Self::Bool => Cell::Bool(chance.percent(50)),
            Self::Text => Cell::Text((*chance.pick(&TEXTS)).to_owned()),
            Self::Uuid => Cell::Text(format!("{few:08x}-0000-4000-8000-00000000000{few}")),
            Self::Date => Cell::Text(format!("20{:02}-0{}-1{few}", 20 + few, 1 + few)),
            Self::Moment => Cell::Text(format!("20{}-02-28T0{few}:59:0{few}Z", 20 + few)),
            Self::Decimal => Cell::Int([-999_999, -150, -5, 0, 1, 100, 123_456][chance.below(7)]),
            Self::Mood => Cell::Int(few % 4),
            Self::Tags => {
                let few = chance.below(3);
                let tags = (0..few).map(|_| (*chance.pick(&TEXTS)).to_owned());
                Cell::Tags(tags.collect())
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Bool(bool),
    /// Of an enum: the label's place.
    Int(i64),
    Float(f64),
    /// Also of the types whose text sorts as their values do.
    Text(String),
    Tags(Vec<String>),
}

/// Hundredths as a decimal number.
pub(crate) fn decimal(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let whole = hundredths.abs();
    format!("{sign}{}.{:02}", whole / 100, whole % 100)
}

pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
}

impl Column {
    /// Its name in GraphQL.
    pub(crate) fn field(&self) -> String {
        camel(&self.name)
    }
}

/// A foreign key to another table's primary key.
pub(crate) struct Reference {
    pub(crate) name: String,
    pub(crate) reverse: String,
    pub(crate) from: Vec<usize>,
    pub(crate) to: usize,
    /// At most one row refers to each: the reverse is one row, not a list.
    pub(crate) unique: bool,
}

pub(crate) struct Table {
    pub(crate) plural: &'static str,
    pub(crate) singular: &'static str,
    pub(crate) columns: Vec<Column>,
    /// The primary key's columns; none where there is no key at all.
    pub(crate) key: Vec<usize>,
    pub(crate) unique: Vec<Vec<usize>>,
    pub(crate) references: Vec<Reference>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

pub(crate) struct World {
    pub(crate) tables: Vec<Table>,
    /// The service's global id of each row, once it has told them.
    pub(crate) node_ids: Vec<Vec<String>>,
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) table: usize,
    pub(crate) row: usize,
}

/// A field that leads from one table to another.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Link {
    /// (of this table's references)
    ToOne(usize),
    /// (table, of its references)
    Reverse(usize, usize),
    /// (table, of its references: the near one, the far one)
    Through(usize, usize, usize),
}

pub(crate) const NAMES: [(&str, &str); 8] = [
    ("boats", "boat"),
    ("cities", "city"),
    ("dogs", "dog"),
    ("essays", "essay"),
    ("farms", "farm"),
    ("games", "game"),
    ("houses", "house"),
    ("islands", "island"),
];

pub(crate) fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &capital(word))
}

pub(crate) fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

impl Table {
    pub(crate) fn type_name(&self) -> String {
        capital(self.singular)
    }
}

impl World {
    /// The related table and the field's name.
    pub(crate) fn link(&self, table: usize, link: Link) -> (usize, String) {
        match link {
            Link::ToOne(reference) => {
                let reference = &self.tables[table].references[reference];
                (reference.to, reference.name.clone())
            }
            Link::Reverse(from, reference) => (
                from,
                self.tables[from].references[reference].reverse.clone(),
            ),
            Link::Through(junction, _, far) => {
                let target = self.tables[junction].references[far].to;
                (target, self.tables[target].plural.to_owned())
            }
        }
    }

    pub(crate) fn is_list(&self, link: Link) -> bool {
        match link {
            Link::ToOne(_) => false,
            Link::Reverse(from, reference) => !self.tables[from].references[reference].unique,
            Link::Through(..) => true,
        }
    }

    pub(crate) fn links(&self, table: usize) -> Vec<Link> {
        let own = 0..self.tables[table].references.len();
        let mut links: Vec<_> = own.map(Link::ToOne).collect();
        for (from, other) in self.tables.iter().enumerate() {
            for (index, reference) in other.references.iter().enumerate() {
                if reference.to != table {
                    continue;
                }
                links.push(Link::Reverse(from, index));
                if other.is_junction() {
                    links.push(Link::Through(from, index, 1 - index));
                }
            }
        }
        links
    }

    /// The rows that a link leads to.
    pub(crate) fn follow(&self, at: At, link: Link) -> Vec<usize> {
        match link {
            Link::ToOne(reference) => {
                let reference = &self.tables[at.table].references[reference];
                let wanted = self.cells(at, &reference.from);
                let target = &self.tables[reference.to];
                let rows = 0..target.rows.len();
                rows.filter(|&row| {
                    let to = At {
                        table: reference.to,
                        row,
                    };
                    !wanted.contains(&Cell::Null) && self.cells(to, &target.key) == wanted
                })
                .collect()
            }
            Link::Reverse(table, reference) => {
                let rows = 0..self.tables[table].rows.len();
                rows.filter(|&row| {
                    self.follow(At { table, row }, Link::ToOne(reference)) == [at.row]
                })
                .collect()
            }
            Link::Through(junction, near, far) => {
                let between = self.follow(at, Link::Reverse(junction, near)).into_iter();
                between
                    .flat_map(|row| {
                        self.follow(
                            At {
                                table: junction,
                                row,
                            },
                            Link::ToOne(far),
                        )
                    })
                    .collect()
            }
        }
    }

    pub(crate) fn cells(&self, at: At, columns: &[usize]) -> Vec<Cell> {
        let row = &self.tables[at.table].rows[at.row];
        columns.iter().map(|&column| row[column].clone()).collect()
    }
}

impl Table {
    /// Whether its key is made of two references, which makes the tables on both sides related.
    pub(crate) fn is_junction(&self) -> bool {
        self.references
            .first()
            .is_some_and(|reference| reference.name == "left")
    }
}
