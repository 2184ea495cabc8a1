//! Which tenants go first, so that what a rehearsal cannot show is seen where it hurts least.

use std::str::FromStr;

use super::Behind;
use crate::names::TenantId;
use crate::registry::TenantRef;

/// One part of `--canary acme,5%`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Canary {
    Tenant(TenantRef),
    /// That many in a hundred of those that are behind.
    Share(f64),
}

impl FromStr for Canary {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(percent) = text.strip_suffix('%') else {
            let tenant = TenantRef::parse(text).map_err(|failure| failure.message.into_owned())?;
            return Ok(Self::Tenant(tenant));
        };
        match percent.trim().parse() {
            Ok(share) if (0.0..=100.0).contains(&share) => Ok(Self::Share(share)),
            _ => Err(format!("{text} is not between 0% and 100%")),
        }
    }
}

/// Who goes first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Canaries {
    /// The first of those that are behind.
    One,
    Chosen {
        named: Vec<TenantId>,
        percent: f64,
    },
}

impl Canaries {
    /// Takes them out of the tenants that are behind. Named ones that are not behind are done already.
    pub(super) fn take(&self, tenants: &mut Vec<Behind>) -> Vec<Behind> {
        let (named, count) = match self {
            Self::One => (&[][..], 1),
            Self::Chosen { named, percent } => (&named[..], share(tenants.len(), *percent)),
        };
        let (mut canaries, mut rest): (Vec<_>, Vec<_>) = tenants
            .drain(..)
            .partition(|tenant| named.contains(&tenant.id));
        let more = count.saturating_sub(canaries.len()).min(rest.len());
        canaries.extend(rest.drain(..more));
        *tenants = rest;
        canaries
    }
}

/// At least one of many, but for 0 %.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of a number of tenants is one"
)]
fn share(tenants: usize, percent: f64) -> usize {
    (tenants as f64 * percent / 100.0).ceil() as usize
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::migrate::SchemaVersion;
    use crate::names::{SchemaName, Subdomain};

    fn fleet(size: u128) -> Vec<Behind> {
        let tenant = |number| Behind {
            id: TenantId(Uuid::from_u128(number)),
            subdomain: Subdomain::parse(&format!("tenant-{number}")).unwrap(),
            schema: SchemaName::parse("s").unwrap(),
            version: SchemaVersion {
                base: 1,
                app: 1,
                digest: 1,
            },
        };
        (0..size).map(tenant).collect()
    }

    #[test]
    fn canaries_are_named_or_a_share() {
        let chosen = |named: &[u128], percent| Canaries::Chosen {
            named: named
                .iter()
                .map(|number| TenantId(Uuid::from_u128(*number)))
                .collect(),
            percent,
        };
        for (canaries, size, expected) in [
            (Canaries::One, 3, vec![0]),
            (Canaries::One, 0, vec![]),
            (chosen(&[2, 7], 0.0), 3, vec![2]),
            (chosen(&[], 5.0), 30, vec![0, 1]),
            (chosen(&[9], 1.0), 30, vec![9]),
            (chosen(&[9], 10.0), 30, vec![9, 0, 1]),
            (chosen(&[], 0.0), 30, vec![]),
            (chosen(&[], 100.0), 2, vec![0, 1]),
        ] {
            let mut tenants = fleet(size);
            let first = canaries.take(&mut tenants);
            let numbers: Vec<_> = first.iter().map(|tenant| tenant.id.0.as_u128()).collect();
            assert_eq!(numbers, expected, "{canaries:?} of {size}");
            assert_eq!(first.len() + tenants.len(), usize::try_from(size).unwrap());
        }
    }

    #[test]
    fn the_flag_takes_names_and_shares() {
        assert_eq!("5%".parse(), Ok(Canary::Share(5.0)));
        assert_eq!("0.5 %".parse(), Ok(Canary::Share(0.5)));
        let acme = TenantRef::Subdomain(Subdomain::parse("acme").unwrap());
        assert_eq!("acme".parse(), Ok(Canary::Tenant(acme)));
        for wrong in ["101%", "-1%", "%", "x%", "NaN%", "not a name"] {
            assert!(wrong.parse::<Canary>().is_err(), "{wrong}");
        }
    }
}
