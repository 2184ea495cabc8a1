//! Limits as constants, for Postgres' planner.
//!
//! A plan that is kept for a prepared statement has to be good for any limit, so Postgres takes it
//! for a tenth of the table, finds that a plan made for the limit at hand would be cheaper, and
//! plans each execution anew: for tables of more than a few hundred rows that takes longer than the
//! execution. Limits that people ask for are few, so there is a statement for each of them.

use crate::plan::LimitId;

/// What lists are limited to most often. What becomes text is taken from here.
const COMMON: [u32; 38] = [
    1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 16, 20, 24, 25, 30, 32, 40, 48, 50, 60, 64, 75, 80, 90, 96,
    100, 120, 128, 150, 200, 250, 256, 300, 400, 500, 512, 1000, 1024,
];

/// The limits of a plan's lists, as far as they are common ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Constants(Vec<Option<u32>>);

impl Constants {
    /// None when there is no common one among the limits.
    pub fn among(limits: &[u32]) -> Option<Self> {
        let common: Vec<_> = limits.iter().map(|&limit| common(limit)).collect();
        (common.iter().any(Option::is_some)).then_some(Self(common))
    }

    /// Whether they are those among these limits.
    pub fn are_among(&self, limits: &[u32]) -> bool {
        self.0.len() == limits.len()
            && (self.0.iter().zip(limits)).all(|(&constant, &limit)| constant == common(limit))
    }

    pub(super) fn get(&self, id: LimitId) -> Option<u32> {
        *self.0.get(id.0)?
    }
}

fn common(limit: u32) -> Option<u32> {
    let place = COMMON.binary_search(&limit).ok()?;
    COMMON.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_common_limits_are_constants() {
        assert!(COMMON.is_sorted());
        assert_eq!(Constants::among(&[]), None);
        assert_eq!(Constants::among(&[7, 13]), None);
        let constants = Constants::among(&[50, 7]).unwrap();
        let get = |id| constants.get(LimitId(id));
        assert_eq!((get(0), get(1), get(2)), (Some(50), None, None));
        for (limits, same) in [
            ([50, 7], true),
            ([50, 9], true),
            ([50, 10], false),
            ([20, 7], false),
            ([7, 7], false),
        ] {
            assert_eq!(constants.are_among(&limits), same, "{limits:?}");
        }
    }
}
