//! `tenantry migration`: for those who write migrations.

mod lint;
mod new;
mod trial;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes the next file, and prints its path.
    New(new::Arguments),
    /// Says what migrations would do to tables that are in use: locks, lost data, broken clients.
    Lint(lint::Arguments),
}

impl Arguments {
    pub(super) fn json(&self) -> bool {
        matches!(&self.command, Command::Lint(arguments) if arguments.json())
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command {
        Command::New(arguments) => new::run(&arguments),
        Command::Lint(arguments) => lint::run(arguments).await,
    }
}
