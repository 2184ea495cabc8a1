//! What Linux knows of a process: the processor time it took and the memory it holds.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use tokio::process::Command;

/// Clock ticks in a second, as programs are told them: the same on every architecture of today.
const TICKS: f64 = 100.0;

/// Seconds of processor time so far, user and kernel; see `/proc/pid/stat` in proc(5).
pub(crate) fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in parentheses, may hold anything.
    let (_, after_name) = stat.rsplit_once(')').context("no name")?;
    let fields: Vec<_> = after_name.split_ascii_whitespace().collect();
    let ticks = |index: usize| -> anyhow::Result<f64> {
        Ok(fields.get(index).context("too few fields")?.parse()?)
    };
    Ok((ticks(11)? + ticks(12)?) / TICKS)
}

/// Bytes that are in memory, shared ones included.
pub(crate) fn resident(pid: u32) -> anyhow::Result<u64> {
    sum(&format!("/proc/{pid}/status"), "VmRSS:")
}

/// Bytes in memory that no other process shares.
pub(crate) fn private(pid: u32) -> anyhow::Result<u64> {
    sum(&format!("/proc/{pid}/smaps_rollup"), "Private_")
}

/// The sum of the lines that begin like this, which are in kB.
fn sum(path: &str, name: &str) -> anyhow::Result<u64> {
    let mut kilobytes = 0;
    for line in fs::read_to_string(path)?.lines() {
        if line.starts_with(name) {
            let value = line.split_ascii_whitespace().nth(1).context("no value")?;
            kilobytes += value.parse::<u64>()?;
        }
    }
    Ok(kilobytes * 1024)
}

/// Records where a process spends its time.
pub(crate) async fn record(pid: u32, file: &Path, duration: Duration) -> anyhow::Result<()> {
    let recorded = Command::new("perf")
        .args(["record", "--quiet", "--call-graph", "fp", "--freq", "1999"])
        .args(["--pid", &pid.to_string(), "--output"])
        .arg(file)
        .args(["--", "sleep", &duration.as_secs().to_string()])
        .status()
        .await
        .context("cannot run perf: install it (Debian's package is called linux-perf)")?;
    anyhow::ensure!(recorded.success(), "perf: {recorded}");
    Ok(())
}
