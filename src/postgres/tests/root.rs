//! What is particular to root, who may not run Postgres and whose directories are closed to the account that does.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::*;

#[tokio::test]
async fn a_project_in_a_private_directory_keeps_its_data_elsewhere() {
    // An ordinary user runs Postgres as itself, so nothing has to be elsewhere.
    let is_root = nix::unistd::geteuid().is_root();
    let directory = directory_with_mode(0o700);
    let data_dir = directory.path().join("project");
    let cluster = start(&data_dir).await;
    run(&cluster, "create table kept as select 'here' as place").await;
    let data = server_data(&data_dir);
    assert_eq!(data_dir.join("server").is_symlink(), is_root);
    assert_eq!(
        data.starts_with(directory.path().canonicalize().unwrap()),
        !is_root
    );
    assert_ne!(data.metadata().unwrap().uid(), 0);
    cluster.stop().await.unwrap();

    // A moved project finds its data, and a copy of a project does not touch the original's.
    let moved = directory.path().join("moved");
    fs::rename(&data_dir, &moved).unwrap();
    let cluster = start(&moved).await;
    assert_eq!(ask(&cluster, "select place from kept").await, "here");
    let copy = directory.path().join("copy");
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .args([&moved, &copy])
        .status();
    assert!(copied.unwrap().success());
    let other = start(&copy).await;
    assert_ne!(server_data(&copy), server_data(&moved));
    assert_eq!(ask(&cluster, "select place from kept").await, "here");
    other.destroy().await.unwrap();
    cluster.destroy().await.unwrap();
    assert!(!data.exists());

    // A project that was deleted by hand leaves a home behind, which the next project of this path does not inherit.
    let cluster = start(&moved).await;
    run(&cluster, "create table kept ()").await;
    cluster.stop().await.unwrap();
    fs::remove_dir_all(&moved).unwrap();
    let cluster = start(&moved).await;
    run(&cluster, "create table kept ()").await;
    cluster.destroy().await.unwrap();
}
