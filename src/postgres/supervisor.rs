//! Keeps the server running: a task that owns the process and starts it again when it dies.

use std::time::Duration;

use tokio::process::Child;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::error::ClusterError;
use super::launch::{Launch, pid};
use super::running;

const LOG_CHECK: Duration = Duration::from_mins(1);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A server that lived as long as this did not die of the way it was started.
const HEALTHY: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Supervisor {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ClusterError>>,
}

impl Supervisor {
    pub(super) fn start(launch: Launch, child: Child) -> Supervisor {
        let (stop, stopped) = oneshot::channel();
        Supervisor {
            stop,
            task: tokio::spawn(supervise(launch, child, stopped)),
        }
    }

    /// Shuts the server down and waits until it has gone.
    pub(super) async fn stop(self) -> Result<(), ClusterError> {
        // The task listens as long as it lives, and it lives until it is told to stop.
        let _ = self.stop.send(());
        match self.task.await {
            Ok(result) => result,
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is going down, and dropping the child has killed it.
                Err(_) => Ok(()),
            },
        }
    }
}

/// Runs until it is told to stop, or until the other end of `stop` is dropped.
async fn supervise(
    launch: Launch,
    mut child: Child,
    mut stop: oneshot::Receiver<()>,
) -> Result<(), ClusterError> {
    let mut log_check = interval(LOG_CHECK);
    log_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut started = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let status = tokio::select! {
            // Told to stop and dead at once means: stop.
            biased;
            _ = &mut stop => return shut_down(&mut child).await,
            status = child.wait() => status,
            _ = log_check.tick() => {
                launch.log.trim();
                continue;
            }
        };
        let died_of = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        tracing::warn!(postgres.status = died_of, log = %launch.log.path().display(), "postgres died: starting it again");
        if started.elapsed() > HEALTHY {
            pause = FIRST_PAUSE;
        }
        child = loop {
            tokio::select! {
                biased;
                _ = &mut stop => return Ok(()),
                () = sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            match launch.spawn() {
                Ok(child) => break child,
                Err(error) => tracing::warn!(%error, "postgres cannot be started"),
            }
        };
        started = Instant::now();
    }
}

/// Fast shutdown of our own child, then firmer ways. A child that is dead already is fine.
pub(super) async fn shut_down(child: &mut Child) -> Result<(), ClusterError> {
    let Some(pid) = pid(child) else { return Ok(()) };
    // Waiting fails only if somebody else waited for the child, which then has gone too.
    running::terminate(pid, || !matches!(child.try_wait(), Ok(None))).await
}
