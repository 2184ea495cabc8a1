//! What it is for: signing up is as quick after hundreds of files as after one.

use std::time::{Duration, Instant};

use super::{Project, done};
use crate::harness::Service;

const FILES: usize = 300;

/// The shortest of some sign-ups.
async fn sign_up(service: &Service) -> Duration {
    let mut shortest = Duration::MAX;
    for number in 0..5 {
        let started = Instant::now();
        let signed_up = service.try_sign_up(&format!("quick-{number}")).await;
        shortest = shortest.min(started.elapsed());
        signed_up.data();
    }
    shortest
}

fn start(project: Project) -> Service {
    let tables = project.tables();
    Service::dev_in(project.dir, &["--tenant-sql", tables.to_str().unwrap()])
}

/// Twenty tables, whose columns come and go.
fn three_hundred() -> Project {
    let project = Project::of(&[]);
    for number in 1..=FILES {
        let table = number % 20;
        let text = match number {
            0..=20 => format!("create table t{table} (id int primary key, name text);"),
            _ if number % 3 == 0 => format!(
                "alter table t{table} add c{number} int; alter table t{table} drop c{number};"
            ),
            _ if number % 3 == 1 => {
                format!("alter table t{table} alter name set default '{number}';")
            }
            _ => format!("create index i{number} on t{table} (name, id); drop index i{number};"),
        };
        project.write(&format!("V{number:03}__x.sql"), &text);
    }
    project
}

#[tokio::test]
async fn signing_up_takes_a_fraction_of_the_time() {
    let project = three_hundred();
    let tables = project.tables();
    let service = start(project);
    let files = sign_up(&service).await;
    let dir = service.stop();
    done(&["squash"], &tables, None);
    assert!(tables.join("B300__baseline.sql").exists());
    let service = Service::dev_in(dir, &["--tenant-sql", tables.to_str().unwrap(), "--reset"]);
    let baseline = sign_up(&service).await;
    println!("{FILES} files: {files:?}, the baseline: {baseline:?}");
    // What is left is the password's hash and the service's own tables, and other tests are at work.
    assert!(baseline * 4 < files * 3, "{baseline:?} and {files:?}");
}
