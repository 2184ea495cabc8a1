//! What is removed, and what is not: files that nobody could bring back, files that somebody may need, and what is left of a
//! command that is killed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Project, command, done, files, run};
use crate::harness::{Service, eventually, run_on};

const FILES: [(&str, &str); 2] = [
    ("V1__a.sql", "create table a (id int primary key);"),
    ("V2__b.sql", "create table b (id int primary key);"),
];

#[test]
fn files_that_git_does_not_have_are_kept() {
    let Project { dir } = Project::of(&FILES);
    let tables = dir.join("tables");
    let service = Service::dev_in(dir, &["--tenant-sql", tables.to_str().unwrap()]);
    let mut git = Command::new("git");
    if !(git.args(["init", "--quiet"]).current_dir(&tables).status()).is_ok_and(|s| s.success()) {
        return; // there is none on this machine
    }
    let before = files(&tables);
    let (code, text) = run(&["squash", "--remove"], &tables, Some(&service));
    assert_eq!((code, files(&tables)), (4, before), "{text}");
    assert!(text.contains("V1__a.sql, V2__b.sql"), "{text}");
    // Elsewhere somebody else may have them.
    std::fs::remove_dir_all(tables.join(".git")).unwrap();
    let (code, text) = run(&["squash", "--remove"], &tables, Some(&service));
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("is in no repository of git"), "{text}");
    assert_eq!(files(&tables), ["B2__baseline.sql"]);
}

#[test]
fn who_is_deleted_and_behind_is_told_of() {
    let Project { dir } = Project::of(&FILES);
    let tables = dir.join("tables");
    let served = dir.join("served");
    std::fs::create_dir(&served).unwrap();
    std::fs::copy(tables.join("V1__a.sql"), served.join("V1__a.sql")).unwrap();
    let service = Service::dev_in(dir, &["--tenant-sql", served.to_str().unwrap()]);
    let deleted = run_on(&service, &["tenant", "delete", "globex", "--yes"], "");
    assert!(deleted.status.success(), "{deleted:?}");
    done(&["migrate", "--tenant", "acme"], &tables, Some(&service));
    let before = files(&tables);
    let (code, text) = run(&["squash", "--remove"], &tables, Some(&service));
    assert_eq!((code, files(&tables)), (12, before), "{text}");
    let told = "Deleted, and kept to be restored: globex";
    assert!(text.contains(told), "{text}");
    assert!(text.contains("`tenantry tenant purge globex`"), "{text}");
    let purged = run_on(&service, &["tenant", "purge", "globex", "--yes"], "");
    assert!(purged.status.success(), "{purged:?}");
    done(&["squash", "--remove"], &tables, Some(&service));
    assert_eq!(files(&tables), ["B2__baseline.sql"]);
}

/// By nobody's leave, or by Ctrl-C.
#[tokio::test]
async fn a_killed_command_leaves_no_server_behind() {
    let slow = "create table a (id int); select pg_sleep(600);";
    let project = Project::of(&[("V1__a.sql", slow)]);
    for signal in [Signal::SIGKILL, Signal::SIGINT] {
        let place = project.dir.join(signal.as_str());
        std::fs::create_dir(&place).unwrap();
        let mut command = command(&["squash"], &project.tables(), None);
        command.env("TMPDIR", &place).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (directory, server) = eventually("the server runs", async || server(&place)).await;
        // Whatever moment it is.
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        child.wait().unwrap();
        eventually("nothing is left", async || {
            (!runs(server) && !directory.exists()).then_some(())
        })
        .await;
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);
    }
    assert_eq!(project.files(), ["V1__a.sql"]);
}

/// Whether it is more than what its parent has yet to hear of.
fn runs(pid: Pid) -> bool {
    let works_somewhere = || std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok();
    kill(pid, None).is_ok() && (!Path::new("/proc/self").exists() || works_somewhere())
}

/// The directory of a cluster, and its first process, once it is there.
fn server(place: &Path) -> Option<(PathBuf, Pid)> {
    let directory = std::fs::read_dir(place).ok()?.next()?.ok()?.path();
    let file = directory.join("server/data/postmaster.pid");
    let text = std::fs::read_to_string(file).ok()?;
    let ready = text
        .lines()
        .nth(7)
        .is_some_and(|line| line.trim() == "ready");
    let pid = text.lines().next()?.trim().parse().ok()?;
    ready.then_some((directory, Pid::from_raw(pid)))
}
