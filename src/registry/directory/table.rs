//! Tenants by subdomain: read without locks by every request, written one change at a time.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio::time::Instant;

use crate::names::{Subdomain, TenantId};
use crate::registry::{Tenant, TenantStatus};

/// A change copies one shard: with 10,000 tenants, about 40 entries.
const SHARDS: usize = 256;

type Shard = HashMap<Subdomain, Entry>;

/// A tenant, and when it was last seen in the database.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) tenant: Arc<Tenant>,
    pub(super) checked: Instant,
}

pub(super) struct Table {
    hasher: RandomState,
    shards: Vec<ArcSwap<Shard>>,
    /// Where each tenant is; the lock also keeps writers in line.
    places: Mutex<HashMap<TenantId, Subdomain>>,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| ArcSwap::default()).collect(),
            places: Mutex::default(),
        }
    }
}

impl Table {
    pub(super) fn get(&self, subdomain: &Subdomain) -> Option<Entry> {
        self.shards[self.shard(subdomain)]
            .load()
            .get(subdomain)
            .cloned()
    }

    pub(super) fn of_each_version(&self) -> Vec<Arc<Tenant>> {
        let mut found = HashMap::new();
        for shard in &self.shards {
            for entry in shard.load().values() {
                if entry.tenant.status == TenantStatus::Active {
                    found.insert(entry.tenant.version, Arc::clone(&entry.tenant));
                }
            }
        }
        found.into_values().collect()
    }

    /// Takes in a row, unless a newer copy of it is there already. Returns what is there then, when it is at
    /// the row's subdomain.
    pub(super) fn put(&self, mut tenant: Tenant, checked: Instant) -> Option<Arc<Tenant>> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let subdomain = tenant.subdomain.clone();
        if let Some(place) = places.get(&tenant.id)
            && let Some(known) = self.get(place)
        {
            if known.tenant.revision > tenant.revision {
                return (*place == subdomain).then_some(known.tenant);
            }
            tenant.meter = Arc::clone(&known.tenant.meter);
            if *place != subdomain {
                self.change(place, Shard::remove); // renamed
            }
        }
        let tenant = Arc::new(tenant);
        let entry = Entry {
            tenant: Arc::clone(&tenant),
            checked,
        };
        let before = self.change(&subdomain, |shard, subdomain| {
            shard.insert(subdomain.clone(), entry)
        });
        // A name that one tenant gave up and another took, before we heard of the first half.
        if let Some(before) = before
            && before.tenant.id != tenant.id
        {
            places.remove(&before.tenant.id);
        }
        places.insert(tenant.id, subdomain);
        Some(tenant)
    }

    /// Forgets whatever is at a subdomain.
    pub(super) fn remove(&self, subdomain: &Subdomain) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = self.get(subdomain) {
            places.remove(&entry.tenant.id);
            self.change(subdomain, Shard::remove);
        }
    }

    /// Forgets a tenant, wherever it is.
    pub(super) fn forget(&self, id: TenantId) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.remove(&id) {
            self.change(&place, Shard::remove);
        }
    }

    /// Makes the table hold these tenants and no others.
    pub(super) fn replace(&self, tenants: Vec<Tenant>) {
        let checked = Instant::now();
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shards = vec![Shard::new(); SHARDS];
        let meter = |id| Some(self.get(places.get(&id)?)?.tenant.meter.clone());
        let meters: Vec<_> = tenants.iter().map(|tenant| meter(tenant.id)).collect();
        places.clear();
        for (mut tenant, meter) in tenants.into_iter().zip(meters) {
            if let Some(meter) = meter {
                tenant.meter = meter;
            }
            let subdomain = tenant.subdomain.clone();
            places.insert(tenant.id, subdomain.clone());
            shards[self.shard(&subdomain)].insert(
                subdomain,
                Entry {
                    tenant: Arc::new(tenant),
                    checked,
                },
            );
        }
        for (place, shard) in self.shards.iter().zip(shards) {
            place.store(Arc::new(shard));
        }
    }

    fn shard(&self, subdomain: &Subdomain) -> usize {
        let hash = self.hasher.hash_one(subdomain).to_le_bytes();
        usize::from(hash[0]) // 256 shards, a byte each
    }

    fn change<T>(
        &self,
        subdomain: &Subdomain,
        change: impl FnOnce(&mut Shard, &Subdomain) -> T,
    ) -> T {
        let place = &self.shards[self.shard(subdomain)];
        let mut shard = Shard::clone(&place.load());
        let outcome = change(&mut shard, subdomain);
        place.store(Arc::new(shard));
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Overrides;
    use crate::migrate::SchemaVersion;
    use crate::names::{RoleName, SchemaName};
    use crate::registry::TenantStatus;

    fn tenant(id: u128, subdomain: &str, revision: i64) -> Tenant {
        Tenant {
            id: TenantId(uuid::Uuid::from_u128(id)),
            name: format!("revision {revision}"),
            subdomain: Subdomain::parse(subdomain).unwrap(),
            schema: SchemaName::parse("s").unwrap(),
            role: RoleName::parse("r").unwrap(),
            status: TenantStatus::Active,
            version: SchemaVersion { base: 1, app: 1 },
            limits: Overrides::default(),
            over_quota: false,
            meter: Arc::default(),
            access_changed_at: None,
            revision,
        }
    }

    fn name(table: &Table, subdomain: &str) -> Option<String> {
        Some(
            table
                .get(&Subdomain::parse(subdomain).unwrap())?
                .tenant
                .name
                .clone(),
        )
    }

    #[test]
    fn an_older_copy_never_replaces_a_newer_one() {
        let table = Table::default();
        table.put(tenant(1, "acme", 2), Instant::now());
        let kept = table.put(tenant(1, "acme", 1), Instant::now()).unwrap();
        assert_eq!(kept.revision, 2);
        assert_eq!(name(&table, "acme").unwrap(), "revision 2");
        table.put(tenant(1, "acme", 3), Instant::now());
        assert_eq!(name(&table, "acme").unwrap(), "revision 3");
    }

    #[test]
    fn a_renamed_tenant_leaves_its_old_place() {
        let table = Table::default();
        table.put(tenant(1, "acme", 1), Instant::now());
        table.put(tenant(1, "roadrunner", 2), Instant::now());
        assert_eq!(name(&table, "acme"), None);
        assert_eq!(name(&table, "roadrunner").unwrap(), "revision 2");
        assert!(
            table.put(tenant(1, "acme", 1), Instant::now()).is_none(),
            "what it was once is no answer"
        );
        assert_eq!(name(&table, "acme"), None);
    }

    #[test]
    fn a_name_may_pass_from_one_tenant_to_another_in_any_order_of_news() {
        let table = Table::default();
        table.put(tenant(1, "acme", 1), Instant::now());
        table.put(tenant(2, "acme", 2), Instant::now());
        table.put(tenant(1, "old-acme", 2), Instant::now());
        assert_eq!(
            table
                .get(&Subdomain::parse("acme").unwrap())
                .unwrap()
                .tenant
                .id,
            tenant(2, "x", 1).id
        );
        table.forget(tenant(1, "x", 1).id);
        assert_eq!(name(&table, "old-acme"), None);
        assert!(name(&table, "acme").is_some());
    }

    #[test]
    fn what_a_tenant_is_doing_outlives_changes_of_its_row() {
        let table = Table::default();
        let acme = Subdomain::parse("acme").unwrap();
        let meter = |place| Arc::clone(&table.get(place).unwrap().tenant.meter);
        table.put(tenant(1, "acme", 1), Instant::now());
        let first = meter(&acme);
        table.put(tenant(1, "acme", 2), Instant::now());
        assert!(Arc::ptr_eq(&first, &meter(&acme)));
        table.replace(vec![tenant(1, "acme", 3), tenant(2, "globex", 1)]);
        assert!(Arc::ptr_eq(&first, &meter(&acme)));
        let renamed = Subdomain::parse("roadrunner").unwrap();
        table.put(tenant(1, "roadrunner", 4), Instant::now());
        assert!(Arc::ptr_eq(&first, &meter(&renamed)));
        table.put(tenant(3, "acme", 1), Instant::now());
        assert!(!Arc::ptr_eq(&first, &meter(&acme)), "another tenant's");
    }

    #[test]
    fn replacing_forgets_the_others() {
        let table = Table::default();
        table.put(tenant(1, "acme", 1), Instant::now());
        table.replace(vec![tenant(2, "globex", 1)]);
        assert!(name(&table, "acme").is_none() && name(&table, "globex").is_some());
        table.remove(&Subdomain::parse("globex").unwrap());
        assert!(name(&table, "globex").is_none());
    }
}
