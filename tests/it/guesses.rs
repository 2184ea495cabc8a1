//! A flood of password guesses at one tenant, and how little another one notices.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Caller, Service};

/// The guesses of an ordinary run; `GUESSES=100000` takes a minute or two.
const GUESSES: usize = 3000;

const GUESSERS: usize = 64;

const LOG_IN: &str = "mutation ($input: LogInInput!) { logIn(input: $input) { expiresIn } }";

/// A guess from an address of its own: at a known account, at one of many, or at one that is not there.
async fn guess(acme: &Caller, number: usize) -> u16 {
    let email = match number % 3 {
        0 => "ada@acme.test".to_owned(),
        1 => format!("user{}@acme.test", number % 1000),
        _ => format!("nobody{number}@acme.test"),
    };
    let address = format!(
        "10.{}.{}.{}",
        number >> 16 & 255,
        number >> 8 & 255,
        number & 255
    );
    let body = json!({"query": LOG_IN, "variables": {"input": {"email": email, "password": format!("guess {number}")}}});
    let request = acme
        .request(Method::POST, "/graphql")
        .header("x-forwarded-for", address);
    Answer::of(request.json(&body)).await.status.as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_guesses_does_not_stop_other_tenants() {
    let guesses = std::env::var("GUESSES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(GUESSES);
    let service = Service::dev(&["--trusted-proxies", "127.0.0.1/32"]);
    let (acme, grace) = (
        service.tenant("acme").anonymous(),
        service.tenant("globex").member("grace").await,
    );
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let flood: Vec<_> = (0..GUESSERS)
        .map(|_| {
            let (acme, next) = (acme.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                let mut seen = BTreeMap::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= guesses {
                        return seen;
                    }
                    *seen.entry(guess(&acme, number).await).or_insert(0) += 1;
                }
            })
        })
        .collect();
    let over = Arc::new(AtomicBool::new(false));
    let queries = tokio::spawn({
        let (grace, over) = (grace.clone(), Arc::clone(&over));
        async move {
            let mut took = Vec::new();
            while !over.load(Ordering::Relaxed) || took.len() < 20 {
                let begun = Instant::now();
                let answer = grace
                    .query("{ issues(first: 5) { nodes { id title } } }")
                    .await;
                answer.data();
                took.push(begun.elapsed());
            }
            took
        }
    });
    let log_ins = tokio::spawn({
        let (grace, over) = (grace.with_token(None), Arc::clone(&over));
        async move {
            let mut took = Vec::new();
            while !over.load(Ordering::Relaxed) || took.len() < 5 {
                let input =
                    json!({"input": {"email": "grace@globex.test", "password": "demo-password"}});
                let begun = Instant::now();
                grace.ask(LOG_IN, input).await.data();
                took.push(begun.elapsed());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            took
        }
    });
    let mut seen: BTreeMap<u16, usize> = BTreeMap::new();
    for guesser in flood {
        for (status, count) in guesser.await.unwrap() {
            *seen.entry(status).or_default() += count;
        }
    }
    let duration = started.elapsed();
    over.store(true, Ordering::Relaxed);
    let (mut queries, mut log_ins) = (queries.await.unwrap(), log_ins.await.unwrap());
    queries.sort_unstable();
    log_ins.sort_unstable();
    let late = |took: &[Duration]| took[took.len() * 99 / 100];
    eprintln!(
        "{guesses} guesses in {duration:?}: {seen:?}; meanwhile {} queries, p99 {:?}, and {} log-ins, p99 {:?}",
        queries.len(),
        late(&queries),
        log_ins.len(),
        late(&log_ins)
    );
    assert!(
        !seen.contains_key(&200) && !seen.contains_key(&500),
        "{seen:?}"
    );
    assert!(
        seen.get(&429).is_some_and(|count| *count > guesses / 2),
        "{seen:?}"
    );
    assert!(
        late(&queries) < Duration::from_secs(1),
        "{:?}",
        late(&queries)
    );
    assert!(
        late(&log_ins) < Duration::from_secs(5),
        "{:?}",
        late(&log_ins)
    );
}
