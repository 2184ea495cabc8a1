//! How fast requests may come from one address that nobody has logged in from, in memory of a fixed size.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;

use super::meter::{Bucket, Rate, now, seconds};
use crate::error::Failure;

/// Buckets of each table. Addresses that share one are told apart by the other table: whoever floods from
/// thousands of addresses shuts out few others.
const BUCKETS: usize = 1 << 16; // two bytes of a hash

/// Counts requests by the address of their client.
pub(crate) struct Addresses {
    rate: Option<Rate>,
    tables: [(RandomState, Box<[Bucket]>); 2],
}

impl Addresses {
    /// Without a rate, everything is taken.
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        let count = rate.map_or(0, |_| BUCKETS);
        let table = || {
            let buckets = (0..count).map(|_| Bucket::default());
            (RandomState::new(), buckets.collect())
        };
        Self {
            rate,
            tables: [table(), table()],
        }
    }

    /// Counts a request, if it does not come too fast.
    pub(crate) fn arrive(&self, address: IpAddr) -> Result<(), Failure> {
        let Some(rate) = self.rate else { return Ok(()) };
        let (network, now) = (network(address), now());
        let waits = self.tables.iter().map(|(hasher, buckets)| {
            let hash = hasher.hash_one(network).to_le_bytes();
            let index = usize::from(u16::from_le_bytes([hash[0], hash[1]]));
            buckets[index].take(rate, now).err()
        });
        // All of them count it; one that takes it is enough.
        match waits.min().flatten() {
            None => Ok(()),
            Some(wait) => {
                let message =
                    "too many requests come from this address without a token: try again later";
                Err(Failure::rate_limited(message, seconds(wait).max(1)))
            }
        }
    }
}

/// Whoever has one address of version 6 has all that begin alike.
fn network(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits() >> 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_flood_from_one_address_leaves_the_others_alone() {
        let addresses = Addresses::new(Some(Rate {
            per_second: 1,
            burst: 20,
        }));
        let flood = address("192.0.2.1");
        let taken = (0..1000)
            .filter(|_| addresses.arrive(flood).is_ok())
            .count();
        assert!((20..=22).contains(&taken), "{taken}");
        let refused = addresses.arrive(flood).unwrap_err();
        assert_eq!(
            (refused.code, refused.details.retry_after),
            (Code::RateLimited, Some(1))
        );
        for other in 2..250 {
            addresses.arrive(IpAddr::from([192, 0, 2, other])).unwrap();
        }
    }

    #[test]
    fn a_network_of_version_6_counts_as_one_address() {
        let addresses = Addresses::new(Some(Rate {
            per_second: 1,
            burst: 2,
        }));
        addresses.arrive(address("2001:db8::1")).unwrap();
        addresses.arrive(address("2001:db8::ffff:1")).unwrap();
        addresses.arrive(address("2001:db8::2")).unwrap_err();
        addresses.arrive(address("2001:db8:0:1::1")).unwrap();
    }

    #[test]
    fn without_a_rate_everything_is_taken() {
        let addresses = Addresses::new(None);
        for _ in 0..10_000 {
            addresses.arrive(address("192.0.2.1")).unwrap();
        }
    }
}
