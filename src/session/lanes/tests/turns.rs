//! Who waits where when one tenant wants everything.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn a_flood_stands_in_its_own_queue() {
    let database = TestDatabase::new().await;
    let replica = database.replica().await;
    for subdomain in ["flood", "other"] {
        replica.sign_up(subdomain).await;
    }
    let lanes = narrow(&database, &replica, Preparing::Nothing);
    let (flood, other) = (
        admit(&replica, "flood").await,
        admit(&replica, "other").await,
    );
    let slow = query("select pg_sleep(0.02)");
    let done = AtomicUsize::new(0);
    let ask = async |context: &TenantContext| {
        let answer = lanes.read(context, &slow, &Bindings::default()).await;
        answer.map(|_| done.fetch_add(1, Ordering::Relaxed))
    };
    let flooding = join_all((0..20).map(|_| ask(&flood)));
    // Polled after all of the flood, so it has come last.
    let (flooded, place) = tokio::join!(flooding, ask(&other));
    // Before it were the request that was running, and at most one that had its turn.
    let place = place.unwrap();
    assert!(place <= 2, "{place}");
    assert!(flooded.into_iter().all(|answer| answer.is_ok()));
}
