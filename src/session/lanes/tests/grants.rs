//! Tenants that enter their lanes for the first time, all at once.

use futures_util::future::join_all;

use super::*;

/// What a backend believes of its login's memberships may be older than the last grant.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_enters_a_new_lane() {
    let database = TestDatabase::new().await;
    let replica = database.replica().await;
    let tenants = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let tenants = tenants.map(|name| format!("crowd-{name}"));
    for tenant in &tenants {
        replica.sign_up(tenant).await;
    }
    let roles = replica.registry.lane_roles(2).await.unwrap();
    let (user, password) = replica.registry.request_login().unwrap();
    let login = database.database.with_login(user.as_str(), password);
    let config = LanesConfig {
        lanes: NonZeroUsize::new(2).unwrap(),
        connections_per_lane: NonZeroUsize::new(2).unwrap(),
        ..config(Preparing::Nothing)
    };
    let one = query("select 1");
    let enter = async |lanes: &Lanes, tenant: &str| {
        let context = admit(&replica, tenant).await;
        for _ in 0..3 {
            assert_eq!(read(lanes, &context, &one).await.unwrap(), 1);
        }
    };
    // Two replicas that start at the same time.
    let replicas = [(); 2].map(|()| {
        let registry = Arc::clone(&replica.registry);
        Lanes::new(registry, &login, roles.clone(), &config).unwrap()
    });
    let all = replicas
        .iter()
        .flat_map(|lanes| tenants.iter().map(move |tenant| (lanes, tenant)));
    join_all(all.map(|(lanes, tenant)| enter(lanes, tenant))).await;
}
