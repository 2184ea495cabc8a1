//! A server that runs already: how it is recognized and how it is stopped.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use super::error::ClusterError;

/// Postgres' fast shutdown, then its immediate one, then force; each with its limit.
const STEPS: [(Signal, Duration); 3] = [
    (Signal::SIGINT, Duration::from_secs(20)),
    (Signal::SIGQUIT, Duration::from_secs(5)),
    (Signal::SIGKILL, Duration::from_secs(5)),
];

/// The process that `postmaster.pid` names, alive or not.
pub(super) fn recorded(data: &Path) -> Option<Pid> {
    let pid = status_lines(data).first()?.trim().parse().ok()?;
    (pid > 1).then(|| Pid::from_raw(pid))
}

/// Whether the server with this id has reported that it accepts connections.
pub(super) fn is_ready(data: &Path, pid: Pid) -> bool {
    let lines = status_lines(data);
    // The eighth line is the status that `pg_ctl --wait` goes by.
    recorded(data) == Some(pid) && lines.get(7).is_some_and(|status| status.trim() == "ready")
}

/// The server that runs on `data`, whoever started it. A stranger that got a dead server's id is none.
pub(super) fn find(data: &Path) -> Option<Pid> {
    recorded(data).filter(|&pid| serves(pid, data))
}

/// Stops a server that is not our child.
pub(super) async fn stop(pid: Pid, data: &Path) -> Result<(), ClusterError> {
    terminate(pid, || !serves(pid, data)).await
}

/// Asks more and more firmly until the process has gone.
pub(super) async fn terminate(
    pid: Pid,
    mut has_gone: impl FnMut() -> bool,
) -> Result<(), ClusterError> {
    for (signal, limit) in STEPS {
        // It may have gone by itself in the meantime.
        let _ = kill(pid, signal);
        let sent = Instant::now();
        while sent.elapsed() < limit {
            if has_gone() {
                return Ok(());
            }
            sleep(Duration::from_millis(5)).await;
        }
        tracing::warn!(postgres.pid = pid.as_raw(), %signal, "postgres does not stop");
    }
    Err(ClusterError::NotStopped {
        pid: pid.as_raw(),
        limit: STEPS.iter().map(|(_, limit)| *limit).sum(),
    })
}

/// Stops the server on `data` at once and waits for it by blocking, for destructors. The data recovers at the next start.
pub(super) fn quit_now(data: &Path) {
    let Some(pid) = find(data) else { return };
    let _ = kill(pid, Signal::SIGQUIT);
    for _ in 0..400 {
        if !serves(pid, data) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = kill(pid, Signal::SIGKILL);
}

fn status_lines(data: &Path) -> Vec<String> {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Every Postgres process works in its data directory, which tells it from a process that got the same id later.
#[cfg(target_os = "linux")]
fn serves(pid: Pid, data: &Path) -> bool {
    let process = Path::new("/proc").join(pid.to_string());
    let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
    name.trim() == "postgres" && fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == data)
}

/// The command line names the data directory, which tells it from a process that got the same id later.
#[cfg(not(target_os = "linux"))]
fn serves(pid: Pid, data: &Path) -> bool {
    let Ok(output) = std::process::Command::new("ps")
        .args(["-ww", "-o", "stat=,command=", "-p", &pid.to_string()])
        .output()
    else {
        return false;
    };
    let line = String::from_utf8_lossy(&output.stdout);
    // A process that ended and was not waited for is a zombie.
    !line.trim_start().starts_with('Z')
        && line.contains("postgres")
        && line.contains(&*data.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_with_the_recorded_id_is_left_alone() {
        let data = tempfile::tempdir().unwrap();
        let pid_file = data.path().join("postmaster.pid");
        assert_eq!(recorded(data.path()), None);
        fs::write(&pid_file, format!("{}\n/somewhere\n", std::process::id())).unwrap();
        assert!(recorded(data.path()).is_some());
        assert_eq!(find(data.path()), None);
        for bogus in ["", "-1\n", "0\n", "1\n", "text\n"] {
            fs::write(&pid_file, bogus).unwrap();
            assert_eq!(recorded(data.path()), None, "{bogus:?}");
        }
    }
}
