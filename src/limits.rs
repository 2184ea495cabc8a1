//! How much one operation may ask for: what the service allows everybody, and what it allows a tenant.

mod addresses;
mod meter;

use std::num::NonZeroU64;
use std::sync::Arc;

use serde_json::Value;

pub(crate) use addresses::Addresses;
pub(crate) use meter::{Meter, Rate, Running};

use crate::error::{Code, Failure};
use meter::Excess;

/// What is limited. The configuration has a flag for each, the registry a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
#[graphql(name = "OwnLimitName")]
pub(crate) enum Limit {
    /// The values of an answer, if every list were as long as it may be.
    Complexity,
    /// Fields within fields.
    Depth,
    Aliases,
    RootFields,
    /// The rows of one list: `first`, `last`.
    Rows,
    /// The items of a list in the input.
    Items,
    /// The bytes of a document.
    Document,
    /// The bytes of a request's body.
    Body,
    /// The bytes of an answer.
    Response,
    /// The requests of a tenant in a second, on average.
    Requests,
    /// The requests of a tenant that may come at once, before their rate counts.
    Burst,
    /// The operations of a tenant that may run at once.
    Concurrent,
    /// The milliseconds after which Postgres gives a statement up.
    Timeout,
    /// The bytes of a tenant's tables.
    Storage,
}

impl Limit {
    pub(crate) const ALL: [Self; 14] = [
        Self::Complexity,
        Self::Depth,
        Self::Aliases,
        Self::RootFields,
        Self::Rows,
        Self::Items,
        Self::Document,
        Self::Body,
        Self::Response,
        Self::Requests,
        Self::Burst,
        Self::Concurrent,
        Self::Timeout,
        Self::Storage,
    ];

    /// Its name in the registry.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Complexity => "complexity",
            Self::Depth => "depth",
            Self::Aliases => "aliases",
            Self::RootFields => "root_fields",
            Self::Rows => "rows",
            Self::Items => "items",
            Self::Document => "document",
            Self::Body => "body",
            Self::Response => "response",
            Self::Requests => "requests",
            Self::Burst => "burst",
            Self::Concurrent => "concurrent",
            Self::Timeout => "timeout",
            Self::Storage => "storage",
        }
    }

    /// What an operation has too much of, and what to do about it.
    fn exceeded(self, found: u64, most: u64) -> String {
        match self {
            Self::Complexity => format!(
                "the answer could have {found} values, and {most} are allowed: ask for fewer rows \
                 (first) or fields; each list counts as many rows as it may have"
            ),
            Self::Depth => format!("fields are nested {found} deep, and {most} is allowed"),
            Self::Aliases => format!("there are {found} aliases, and {most} are allowed"),
            Self::RootFields => format!("there are {found} root fields, and {most} are allowed"),
            Self::Rows => format!("a list of {found} rows is asked for, and {most} are allowed"),
            Self::Items => format!("a list has {found} items, and {most} are allowed"),
            Self::Document => format!("the document has {found} bytes, and {most} are allowed"),
            Self::Body => format!("the body has more than {most} bytes"),
            Self::Response => {
                format!("the answer has more than {most} bytes: ask for less at once")
            }
            Self::Requests | Self::Burst => format!("more than {most} requests come at once"),
            Self::Concurrent => format!("more than {most} operations run at once"),
            Self::Timeout => format!("a statement takes more than {most} ms"),
            Self::Storage => format!("the tables have more than {most} bytes"),
        }
    }
}

/// For what is not limited.
pub(crate) const NONE: u64 = u64::MAX;

/// A number for each [`Limit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits([u64; Limit::ALL.len()]);

impl Limits {
    pub(crate) fn new(of: impl Fn(Limit) -> u64) -> Self {
        Self(Limit::ALL.map(of))
    }

    pub(crate) fn get(&self, limit: Limit) -> u64 {
        self.0[limit as usize]
    }

    /// The same, where there is one.
    pub(crate) fn own(&self, limit: Limit) -> Option<u64> {
        Some(self.get(limit)).filter(|most| *most != NONE)
    }

    /// The same as a size in memory.
    pub(crate) fn bytes(&self, limit: Limit) -> usize {
        usize::try_from(self.get(limit)).unwrap_or(usize::MAX)
    }

    /// With those of a tenant in their place.
    #[must_use]
    pub(crate) fn with(&self, own: &Overrides) -> Self {
        Self::new(|limit| own.0[limit as usize].map_or(self.get(limit), NonZeroU64::get))
    }

    /// Counts a request of a tenant, unless they come too fast.
    pub(crate) fn arrive(&self, meter: &Meter) -> Result<(), Failure> {
        let per_second = self.get(Limit::Requests);
        if per_second == NONE {
            return Ok(());
        }
        let burst = match self.get(Limit::Burst) {
            NONE => per_second.saturating_mul(2),
            burst => burst,
        };
        let taken = meter.arrive(Rate { per_second, burst });
        taken.map_err(|excess| self.too_many(excess))
    }

    /// Counts an operation of a tenant as running until what this returns is dropped, unless there are too many.
    pub(crate) fn run(&self, meter: &Arc<Meter>) -> Result<Option<Running>, Failure> {
        match self.get(Limit::Concurrent) {
            NONE => Ok(None),
            most => (meter.run(most).map(Some)).map_err(|excess| self.too_many(excess)),
        }
    }

    fn too_many(&self, excess: Excess) -> Failure {
        let (limit, retry_after) = match excess {
            Excess::Rate(seconds) => (Limit::Requests, seconds.max(1)),
            Excess::Running => (Limit::Concurrent, 1),
        };
        let most = self.get(limit);
        let message = match limit {
            Limit::Concurrent => {
                format!("{most} operations of this tenant run already: try again later")
            }
            _ => format!("this tenant may send {most} requests a second: try again later"),
        };
        Failure::rate_limited(message, retry_after)
    }

    pub(crate) fn check(&self, limit: Limit, found: u64) -> Result<(), Failure> {
        let most = self.get(limit);
        if found <= most {
            return Ok(());
        }
        Err(self.exceeded(limit, Some(found)))
    }

    /// Too much, of a number that is not always known.
    pub(crate) fn exceeded(&self, limit: Limit, found: Option<u64>) -> Failure {
        let most = self.get(limit);
        let message = limit.exceeded(found.unwrap_or(most), most);
        let mut failure = Failure::new(Code::QueryTooComplex, message);
        failure.details.exceeded = found.map(|found| (found, most));
        failure
    }
}

/// The limits that a tenant has of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Overrides([Option<NonZeroU64>; Limit::ALL.len()]);

impl Overrides {
    pub(crate) fn get(&self, limit: Limit) -> Option<u64> {
        self.0[limit as usize].map(NonZeroU64::get)
    }

    /// Reads `{"complexity": 5000000, "rows": 5000}`. What is no limit is left out and told: a slip
    /// in the registry should neither stop a tenant nor lift its limits.
    pub(crate) fn read(json: &Value) -> (Self, Vec<String>) {
        let (mut own, mut wrong) = (Self::default(), Vec::new());
        let Some(members) = json.as_object() else {
            return (own, vec![format!("{json} is no object")]);
        };
        for (name, value) in members {
            let limit = Limit::ALL.into_iter().find(|limit| limit.name() == name);
            let number = value.as_u64().and_then(NonZeroU64::new);
            match (limit, number) {
                (Some(limit), Some(number)) => own.0[limit as usize] = Some(number),
                (Some(_), None) => wrong.push(format!("{name}: {value} is no number from 1")),
                (None, _) => wrong.push(format!("there is no limit {name}")),
            }
        }
        (own, wrong)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tenant_has_its_own_limits_and_the_others_of_all() {
        let all = Limits::new(|limit| 10 + limit as u64);
        let (own, wrong) = Overrides::read(&json!({"depth": 3, "response": 99}));
        assert_eq!(wrong, [""; 0]);
        let both = all.with(&own);
        for limit in Limit::ALL {
            let expected = match limit {
                Limit::Depth => 3,
                Limit::Response => 99,
                other => all.get(other),
            };
            assert_eq!(both.get(limit), expected, "{limit:?}");
        }
        assert!(both.check(Limit::Depth, 3).is_ok());
        let failure = both.check(Limit::Depth, 4).unwrap_err();
        assert_eq!(failure.code, Code::QueryTooComplex);
        assert_eq!(failure.details.exceeded, Some((4, 3)));
    }

    #[test]
    fn slips_lift_no_limit() {
        let slips =
            json!({"depth": 0, "rows": -1, "aliases": "9", "items": 1.5, "deep": 1, "body": 7});
        let (own, wrong) = Overrides::read(&slips);
        assert_eq!(wrong.len(), 5, "{wrong:?}");
        let all = Limits::new(|_| 5);
        let expected = Limits::new(|limit| if limit == Limit::Body { 7 } else { 5 });
        assert_eq!(all.with(&own), expected);
        assert_eq!(Overrides::read(&json!([])).1.len(), 1);
    }
}
