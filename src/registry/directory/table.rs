//! Tenants by subdomain, by id and by domain: read without locks by every request, written one change at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::index::Index;
use crate::names::{DomainName, Subdomain, TenantId};
use crate::registry::{Tenant, TenantStatus};

/// A tenant, and when it was last seen in the database.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) tenant: Arc<Tenant>,
    pub(super) checked: Instant,
}

#[derive(Default)]
pub(super) struct Table {
    tenants: Index<Subdomain, Entry>,
    places: Index<TenantId, Subdomain>,
    domains: Index<DomainName, TenantId>,
    /// Keeps writers in line.
    writing: Mutex<()>,
    /// Tells that tenants have other versions, or that others are active.
    pub(super) versions_changed: Notify,
}

impl Table {
    pub(super) fn get(&self, subdomain: &Subdomain) -> Option<Entry> {
        self.tenants.get(subdomain)
    }

    /// The subdomain of a tenant.
    pub(super) fn place(&self, id: TenantId) -> Option<Subdomain> {
        self.places.get(&id)
    }

    /// The subdomain of the tenant that has a domain.
    pub(super) fn of_domain(&self, domain: &DomainName) -> Option<Subdomain> {
        self.place(self.domains.get(domain)?)
    }

    /// Takes the marks of those who have been active.
    pub(super) fn take_marked(&self) -> Vec<Arc<Tenant>> {
        let mut found = Vec::new();
        self.tenants.each(|entry| {
            if entry.tenant.meter.take_mark() {
                found.push(Arc::clone(&entry.tenant));
            }
        });
        found
    }

    pub(super) fn of_each_version(&self) -> Vec<Arc<Tenant>> {
        let mut found = HashMap::new();
        self.tenants.each(|entry| {
            if entry.tenant.status == TenantStatus::Active {
                let tenant = || Arc::clone(&entry.tenant);
                found.entry(entry.tenant.version).or_insert_with(tenant);
            }
        });
        found.into_values().collect()
    }

    /// Takes in a row, unless a newer copy of it is there already. Returns what is there then, when it is at
    /// the row's subdomain.
    pub(super) fn put(&self, mut tenant: Tenant, checked: Instant) -> Option<Arc<Tenant>> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let subdomain = tenant.subdomain.clone();
        let mut as_before = false;
        if let Some(place) = self.place(tenant.id)
            && let Some(known) = self.get(&place)
        {
            if known.tenant.revision > tenant.revision {
                return (place == subdomain).then_some(known.tenant);
            }
            let serving = |tenant: &Tenant| (tenant.version, tenant.status);
            as_before = serving(&known.tenant) == serving(&tenant);
            tenant.meter = Arc::clone(&known.tenant.meter);
            self.forget_domains(&known.tenant, &tenant.domains);
            if place != subdomain {
                self.tenants.remove(&place); // renamed
            }
        }
        let tenant = Arc::new(tenant);
        let entry = Entry {
            tenant: Arc::clone(&tenant),
            checked,
        };
        let before = self.tenants.insert(subdomain.clone(), entry);
        // A name that one tenant gave up and another took, before we heard of the first half.
        if let Some(before) = before
            && before.tenant.id != tenant.id
        {
            self.places.remove(&before.tenant.id);
        }
        if self.place(tenant.id).as_ref() != Some(&subdomain) {
            self.places.insert(tenant.id, subdomain);
        }
        for domain in &tenant.domains {
            if self.domains.get(domain) != Some(tenant.id) {
                self.domains.insert(domain.clone(), tenant.id);
            }
        }
        if !as_before {
            self.versions_changed.notify_one();
        }
        Some(tenant)
    }

    /// Forgets whatever is at a subdomain.
    pub(super) fn remove(&self, subdomain: &Subdomain) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = self.tenants.remove(subdomain) {
            self.places.remove(&entry.tenant.id);
            self.forget_domains(&entry.tenant, &[]);
            self.versions_changed.notify_one();
        }
    }

    /// Forgets a tenant, wherever it is.
    pub(super) fn forget(&self, id: TenantId) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = self.places.remove(&id)
            && let Some(entry) = self.tenants.remove(&place)
        {
            self.forget_domains(&entry.tenant, &[]);
            self.versions_changed.notify_one();
        }
    }

    /// Makes the table hold these tenants and no others.
    pub(super) fn replace(&self, tenants: Vec<Tenant>) {
        let checked = Instant::now();
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let tenants = tenants.into_iter().map(|mut tenant| {
            let known = self.place(tenant.id).and_then(|place| self.get(&place));
            if let Some(known) = known {
                tenant.meter = Arc::clone(&known.tenant.meter);
            }
            Arc::new(tenant)
        });
        let tenants: Vec<_> = tenants.collect();
        let entries = tenants.iter().map(|tenant| {
            let tenant = Arc::clone(tenant);
            (tenant.subdomain.clone(), Entry { tenant, checked })
        });
        self.tenants.replace(entries);
        let places = tenants.iter();
        self.places
            .replace(places.map(|tenant| (tenant.id, tenant.subdomain.clone())));
        let domains = tenants.iter().flat_map(|tenant| {
            let domains = tenant.domains.iter();
            domains.map(|domain| (domain.clone(), tenant.id))
        });
        self.domains.replace(domains);
        self.versions_changed.notify_one();
    }

    /// Another tenant may have a domain by now.
    fn forget_domains(&self, tenant: &Tenant, kept: &[DomainName]) {
        for domain in &tenant.domains {
            if !kept.contains(domain) && self.domains.get(domain) == Some(tenant.id) {
                self.domains.remove(domain);
            }
        }
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
            version: SchemaVersion {
                base: 1,
                app: 1,
                digest: 1,
            },
            limits: Overrides::default(),
            over_quota: false,
            meter: Arc::default(),
            access_changed_at: None,
            domains: Vec::new(),
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

    #[tokio::test]
    async fn other_versions_are_told_of() {
        let table = Table::default();
        let told = async || {
            let soon = std::time::Duration::from_millis(1);
            let told = tokio::time::timeout(soon, table.versions_changed.notified());
            told.await.is_ok()
        };
        let mut acme = tenant(1, "acme", 1);
        let mut put = |change: fn(&mut Tenant)| {
            change(&mut acme);
            acme.revision += 1;
            table.put(acme.clone(), Instant::now());
        };
        assert!(!told().await);
        put(|_| {});
        assert!(told().await && !told().await);
        put(|acme| acme.name.push('!'));
        assert!(!told().await);
        put(|acme| acme.version.app += 1);
        assert!(told().await);
        put(|acme| acme.status = TenantStatus::Suspended);
        assert!(told().await);
        table.forget(TenantId(uuid::Uuid::from_u128(1)));
        assert!(told().await);
        table.replace(Vec::new());
        assert!(told().await);
    }

    #[test]
    fn domains_follow_their_tenant() {
        let table = Table::default();
        let domain = DomainName::parse("app.acme.test").unwrap();
        let with_domain = |id, subdomain, revision| Tenant {
            domains: vec![domain.clone()],
            ..tenant(id, subdomain, revision)
        };
        let found = || table.of_domain(&domain).map(|place| place.to_string());
        table.put(with_domain(1, "acme", 2), Instant::now());
        assert_eq!(found().unwrap(), "acme");
        table.put(tenant(1, "acme", 1), Instant::now());
        assert_eq!(found().unwrap(), "acme", "that was long ago");
        table.put(with_domain(1, "roadrunner", 3), Instant::now());
        assert_eq!(found().unwrap(), "roadrunner");
        // Another tenant has it now, and the first one's loss of it is heard of later.
        table.put(with_domain(2, "globex", 5), Instant::now());
        table.put(tenant(1, "roadrunner", 4), Instant::now());
        assert_eq!(found().unwrap(), "globex");
        table.put(tenant(2, "globex", 6), Instant::now());
        assert_eq!(found(), None);
        table.replace(vec![with_domain(1, "acme", 9)]);
        assert_eq!(found().unwrap(), "acme");
        table.forget(tenant(1, "acme", 9).id);
        assert_eq!(found(), None);
    }
}
