//! Starts the server process and waits until it accepts connections.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use nix::unistd::Pid;
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use super::binaries::Binaries;
use super::error::{ClusterError, file};
use super::home::Home;
use super::log::Log;
use super::running;

/// Recovery after a crash may take its time on a loaded machine.
const START_LIMIT: Duration = Duration::from_mins(1);
/// The port may be taken between our look and the server's; a killed server's processes may need a moment to go.
const ATTEMPTS: u32 = 4;

/// All that it takes to start the server, once or again.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) binaries: Binaries,
    pub(super) home: Home,
    pub(super) log: Log,
    pub(super) port: u16,
}

impl Launch {
    /// Starts the server on the preferred port, or on another one when that is taken.
    pub(super) async fn start(&mut self) -> Result<Child, ClusterError> {
        let mut attempt = 1;
        loop {
            self.port = free_port(self.port).map_err(file("listen on", "127.0.0.1".as_ref()))?;
            let log_position = self.log.size();
            let mut child = self.spawn()?;
            let problem = match self.wait_until_ready(&mut child).await {
                Ok(()) => return Ok(child),
                Err(problem) => problem,
            };
            let tail = self.log.tail(log_position);
            let passing = tail.contains("could not bind") || tail.contains("shared memory block");
            if !passing || attempt == ATTEMPTS {
                return Err(ClusterError::StartFailed {
                    problem,
                    log: self.log.path().to_owned(),
                    tail,
                });
            }
            sleep(Duration::from_millis(100) * attempt).await;
            attempt += 1;
        }
    }

    /// Starts the server process, without waiting for it.
    pub(super) fn spawn(&self) -> Result<Child, ClusterError> {
        let output = self.log.open()?;
        let errors = output.try_clone().map_err(file("open", self.log.path()))?;
        let data = self.home.data();
        let mut command = self.binaries.command("postgres");
        command
            .arg("-D")
            .arg(&data)
            // What we rely on stands here, where neither postgresql.conf nor ALTER SYSTEM can change it.
            .arg(format!("--port={}", self.port))
            .arg("--listen-addresses=127.0.0.1")
            .arg(self.socket_directory())
            .args(["--logging-collector=off", "--log-destination=stderr"])
            .stdout(Stdio::from(output))
            .stderr(Stdio::from(errors))
            // Ctrl-C in a terminal goes to the whole process group; the server must outlive the requests in flight.
            .process_group(0)
            .kill_on_drop(true);
        // We know that the recorded process is no server on this data; Postgres only knows that the number is in use.
        if let Some(stale) = running::recorded(&data) {
            command.env("PG_GRANDPARENT_PID", stale.to_string());
        }
        if let Some(account) = self.home.account {
            account.run(&mut command);
        }
        let program = self.binaries.directory.join("postgres");
        command.spawn().map_err(file("run", &program))
    }

    /// Sockets are in a directory that nobody else may enter, if their paths are not too long for one.
    fn socket_directory(&self) -> OsString {
        let mut argument = OsString::from("--unix-socket-directories=");
        if let Some(directory) = self.home.sockets() {
            argument.push(directory);
        }
        argument
    }

    async fn wait_until_ready(&self, child: &mut Child) -> Result<(), String> {
        let data = self.home.data();
        let started = Instant::now();
        while started.elapsed() < START_LIMIT {
            if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
                return Err(status.to_string());
            }
            if pid(child).is_some_and(|pid| running::is_ready(&data, pid)) {
                return Ok(());
            }
            sleep(Duration::from_millis(5)).await;
        }
        // Dropping the child kills it.
        Err(format!("not ready after {} s", START_LIMIT.as_secs()))
    }
}

/// The id of a child that has not been waited for.
pub(super) fn pid(child: &Child) -> Option<Pid> {
    child.id()?.try_into().ok().map(Pid::from_raw)
}

/// `preferred` if nobody listens there (0 stands for none), else a port that the system chooses.
fn free_port(preferred: u16) -> std::io::Result<u16> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = bind(preferred).or_else(|_| bind(0))?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_left_alone() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_ne!(free_port(port).unwrap(), port);
        drop(taken);
        assert_eq!(free_port(port).unwrap(), port);
    }
}
