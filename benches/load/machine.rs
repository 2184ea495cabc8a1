//! The machine that the figures are from.

use std::fs;

use tokio_postgres::Client;

/// One sentence: date, processors, memory, system and Postgres.
pub(crate) async fn describe(client: &Client) -> anyhow::Result<String> {
    let row = client.query_one("show server_version", &[]).await?;
    let postgres: &str = row.get(0);
    let cores = std::thread::available_parallelism()?;
    let cpu = value("/proc/cpuinfo", "model name");
    let kilobytes: u64 = value("/proc/meminfo", "MemTotal")
        .trim_end_matches(" kB")
        .parse()?;
    let memory = kilobytes.div_ceil(1 << 20);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let load = fs::read_to_string("/proc/loadavg")?;
    let load = load.split(' ').nth(2).unwrap_or_default();
    let date = time::OffsetDateTime::now_utc().date();
    let kernel = kernel.trim();
    Ok(format!(
        "{date}, {cores} cores of {cpu}, {memory} GB, Linux {kernel}, Postgres {postgres}; \
         load average of the last 15 minutes, this run included: {load}"
    ))
}

/// The value of the first `name : value` in a file of /proc.
fn value(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|line| line.split_once(':'));
    value.map_or_else(String::new, |(_, value)| value.trim().to_owned())
}
