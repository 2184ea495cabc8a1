//! Killed servers, killed owners, and what the next start makes of it.

use std::env;
use std::fs;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};

use super::*;

/// Tells the test program, when it runs as a child of a test, to be the owner of this data directory.
const OWN: &str = "TENANTRY_TEST_OWN_CLUSTER";

#[tokio::test]
async fn a_killed_server_is_started_again_on_the_same_port() {
    let directory = open_directory();
    let cluster = start(directory.path()).await;
    make_table_kept(&cluster).await;
    let killed = server_pid(directory.path());
    kill(killed, Signal::SIGKILL).unwrap();
    let data = server_data(directory.path());
    eventually("restarted", || {
        running::find(&data).is_some_and(|pid| pid != killed && running::is_ready(&data, pid))
    })
    .await;
    assert_eq!(ask(&cluster, "select state from kept").await, "committed");

    // Stopping while it is dead, or just coming up, works too.
    kill(server_pid(directory.path()), Signal::SIGKILL).unwrap();
    cluster.stop().await.unwrap();
    assert_eq!(running::find(&data), None);
    let cluster = start(directory.path()).await;
    assert_eq!(ask(&cluster, "select state from kept").await, "committed");
    cluster.destroy().await.unwrap();
}

#[tokio::test]
async fn a_server_that_outlived_its_owner_is_replaced() {
    let directory = open_directory();
    let data_dir = directory.path().join("data");
    let mut owner = spawn_owner(&data_dir);
    eventually("owned", || directory.path().join("owned").exists()).await;
    let orphan = server_pid(&data_dir);
    let refused = try_start(&data_dir).await.unwrap_err().to_string();
    assert!(
        refused.contains(&format!("process {}", owner.id())),
        "{refused}"
    );

    owner.kill().unwrap();
    owner.wait().unwrap();
    assert_eq!(
        server_pid(&data_dir),
        orphan,
        "the server outlives its owner"
    );
    let cluster = start(&data_dir).await;
    assert_ne!(server_pid(&data_dir), orphan);
    assert_eq!(ask(&cluster, "select state from kept").await, "committed");
    cluster.destroy().await.unwrap();
}

#[tokio::test]
async fn both_killed_at_once_recover() {
    let directory = open_directory();
    let data_dir = directory.path().join("data");
    let mut owner = spawn_owner(&data_dir);
    eventually("owned", || directory.path().join("owned").exists()).await;
    let server = server_pid(&data_dir);
    owner.kill().unwrap();
    kill(server, Signal::SIGKILL).unwrap();
    owner.wait().unwrap();
    let cluster = start(&data_dir).await;
    assert_eq!(ask(&cluster, "select state from kept").await, "committed");
    cluster.destroy().await.unwrap();
}

#[tokio::test]
async fn leftovers_of_a_crash_do_not_matter() {
    let directory = open_directory();
    let cluster = start(directory.path()).await;
    cluster.stop().await.unwrap();

    // After a reboot, a dead server's process id may be anybody's: here it is a process of the server's own account.
    let data = server_data(directory.path());
    let mut stranger = Command::new("sleep");
    stranger.arg("60");
    if nix::unistd::geteuid().is_root() {
        use std::os::unix::fs::MetadataExt;
        use std::os::unix::process::CommandExt;
        stranger.uid(data.metadata().unwrap().uid());
    }
    let mut stranger = stranger.spawn().unwrap();
    let lines = format!("{}\n{}\n1700000000\n5432\n", stranger.id(), data.display());
    fs::write(data.join("postmaster.pid"), lines).unwrap();
    let cluster = start(directory.path()).await;
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger lives");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    cluster.stop().await.unwrap();

    // An `initdb` that was killed half-way.
    let home = data.parent().unwrap();
    fs::rename(&data, home.join("data.new-1")).unwrap();
    fs::remove_file(home.join("data.new-1/PG_VERSION")).unwrap();
    let cluster = start(directory.path()).await;
    assert_eq!(ask(&cluster, "select 'fine'").await, "fine");
    assert!(!home.join("data.new-1").exists());
    cluster.destroy().await.unwrap();
}

/// Runs this test program again as the owner of a cluster with a table `kept`; it makes the file `owned` when it is ready.
fn spawn_owner(data_dir: &Path) -> std::process::Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "postgres::tests::crash::owner"])
        .env(OWN, data_dir)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// No test of its own: the body of [`spawn_owner`].
#[tokio::test]
async fn owner() {
    let Some(data_dir) = env::var_os(OWN).map(PathBuf::from) else {
        return;
    };
    let cluster = start(&data_dir).await;
    make_table_kept(&cluster).await;
    fs::write(data_dir.with_file_name("owned"), "").unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
}
