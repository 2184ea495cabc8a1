//! The commands: one file each.

mod ask;
mod audit;
mod database;
mod dev;
mod diff;
mod documents;
mod exit;
mod git;
mod health;
mod migrate;
mod migration;
mod operator;
mod output;
mod schema;
mod scratch;
mod serve;
mod service;
mod squash;
mod status;
mod stragglers;
mod tenant;

use std::num::NonZeroUsize;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::telemetry::{self, LogFormat};
use exit::Printing;

/// A schema-per-tenant GraphQL service on `PostgreSQL`.
#[derive(Debug, Parser)]
#[command(name = "tenantry", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// What is logged: a level, or directives such as `info,tenantry=debug`. `info` when left out, for what serves requests,
    /// and `warn` for all other commands.
    #[arg(long, env = "TENANTRY_LOG", global = true)]
    log: Option<String>,

    /// How it is logged.
    #[arg(long, env = "TENANTRY_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, global = true)]
    log_format: LogFormat,

    /// Threads that serve requests. Half as many as there are cores when left out: on one machine with
    /// Postgres, which does most of the work, more threads only wake each other.
    #[arg(long, env = "TENANTRY_THREADS", value_name = "N", global = true, value_parser = at_least_one)]
    threads: Option<NonZeroUsize>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs everything on this machine: a private Postgres, two demo tenants, the service.
    Dev(Box<dev::Arguments>),
    /// Runs the service on your database.
    Serve(Box<serve::Arguments>),
    /// Brings the tables of all tenants to the version of the migrations, while they are served.
    Migrate(Box<migrate::Arguments>),
    /// Tells at which versions the tenants are, and whose tables somebody has changed by hand.
    Status(Box<status::Arguments>),
    /// Tells how a tenant's tables differ from what the migrations make, as SQL that mends them.
    Diff(Box<diff::Arguments>),
    /// Prints the GraphQL schema that the migrations make, or tells what they change in it.
    Schema(schema::Arguments),
    /// Migrations: makes the next file, and says what files would do.
    Migration(Box<migration::Arguments>),
    /// Makes one file of many migrations, so that signing up stays fast; proven to make the same.
    Squash(Box<squash::Arguments>),
    /// Operators: makes, lists and disables those who may run the service by its API.
    Operator(operator::Arguments),
    /// Tenants: makes, lists, renames, suspends, deletes and restores them, and more.
    Tenant(Box<tenant::Arguments>),
    /// Tells who has done what, at one tenant or at all.
    Audit(Box<audit::Arguments>),
    /// Asks the service on this machine whether it is well; fails when it isn't.
    Health(health::Arguments),
    /// Removes what a private Postgres has left, once standard input ends: the service's own.
    #[command(hide = true)]
    ClearAway(scratch::caretaker::Arguments),
}

/// Runs the command line, and says in one sentence what went wrong.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return exit::wrong_command_line(&error),
    };
    let printing = arguments.command.printing();
    match start(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::tell(&error, printing),
    }
}

fn start(arguments: Arguments) -> anyhow::Result<()> {
    let log = arguments.log.as_deref();
    let log = log.unwrap_or(arguments.command.logs());
    telemetry::start(log, arguments.log_format)?;
    raise_file_limit();
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = (arguments.threads).map_or(cores.div_ceil(2), NonZeroUsize::get);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let result = runtime.block_on(run(arguments.command));
    // Tasks that still wait for the network are not waited for.
    runtime.shutdown_background();
    result
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Dev(arguments) => dev::run(*arguments).await,
        Command::Serve(arguments) => Box::pin(serve::run(*arguments)).await,
        Command::Migrate(arguments) => migrate::run(*arguments).await,
        Command::Status(arguments) => status::run(*arguments).await,
        Command::Diff(arguments) => diff::run(*arguments).await,
        Command::Schema(arguments) => schema::run(arguments).await,
        Command::Migration(arguments) => migration::run(*arguments).await,
        Command::Squash(arguments) => squash::run(*arguments).await,
        Command::Operator(arguments) => operator::run(arguments).await,
        Command::Tenant(arguments) => tenant::run(*arguments).await,
        Command::Audit(arguments) => audit::run(*arguments).await,
        Command::Health(arguments) => health::run(&arguments),
        Command::ClearAway(arguments) => scratch::caretaker::run(arguments).await,
    }
}

impl Command {
    /// What is logged unless somebody says so: whoever waits for a command wants to hear what it is about, and no more.
    fn logs(&self) -> &'static str {
        match self {
            Self::Dev(_) | Self::Serve(_) => "info",
            _ => "warn",
        }
    }

    fn printing(&self) -> Printing {
        let is_json = match self {
            Self::Migrate(arguments) if arguments.json() => return Printing::Events,
            Self::Status(arguments) => arguments.json(),
            Self::Diff(arguments) => arguments.json(),
            Self::Schema(arguments) => arguments.json(),
            Self::Migration(arguments) => arguments.json(),
            Self::Operator(arguments) => arguments.json(),
            Self::Tenant(arguments) => arguments.json(),
            Self::Audit(arguments) => arguments.json(),
            _ => false,
        };
        if is_json {
            Printing::Document
        } else {
            Printing::Text
        }
    }
}

/// The value of a flag that takes a number of things, none of which would be no use.
fn at_least_one(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse()
        .map_err(|_| "a whole number is wanted, 1 or more")
}

/// As many open files, and so connections, as the system lets the process have.
fn raise_file_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}
