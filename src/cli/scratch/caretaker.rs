//! Another process of this program, which removes what a Postgres that lives for a moment leaves behind when the command
//! that has started it is killed.
//!
//! It waits for the end of its standard input, which comes with that of the command, whatever that dies of. Ctrl-C does not
//! reach it.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clap::Args;

use crate::postgres::Cluster;

/// What it is called on the command line.
const COMMAND: &str = "clear-away";

/// A program that was killed with the command, such as `initdb`, needs a moment to notice that its files are gone.
const ATTEMPTS: u32 = 20;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    directory: PathBuf,
}

/// Lets go of the process when dropped, and waits for its end.
pub(super) struct Caretaker(Child);

impl Caretaker {
    /// None where there can be none: then nobody clears up behind a command that is killed.
    pub(super) fn of(directory: &Path) -> Option<Self> {
        let mut command = Command::new(std::env::current_exe().ok()?);
        command.args([COMMAND, "--threads", "1"]).arg(directory);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        command.stderr(Stdio::null()).process_group(0);
        command.spawn().ok().map(Self)
    }
}

impl Drop for Caretaker {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// The other process.
pub(in crate::cli) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let directory = &arguments.directory;
    // Whatever it is that ends it, an error too.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    for attempt in 1.. {
        if !directory.exists() {
            break;
        }
        let cleared = Cluster::clear_away(directory);
        let removed = std::fs::remove_dir_all(directory);
        if attempt == ATTEMPTS {
            cleared?;
            removed?;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
