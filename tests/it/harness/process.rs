//! Processes of `tenantry` that cannot outlive the tests, however those end.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::Service;

/// How long a process may take to get ready, on a slow machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(90);

/// Runs the service as its child and stops it as soon as nobody holds the other end of its standard
/// input: dropped, panicked, interrupted or killed, the tests always leave a closed pipe behind.
/// What does not stop within twenty seconds is killed. When the tests are gone altogether, the keeper
/// clears up after them, a Postgres without an owner included.
const KEEPER: &str = r#"
log=$1 dir=$2 tests=$3; shift 3
"$@" 2>>"$log" & pid=$!
echo "pid $pid"
exec >&-
cat >/dev/null
kill -TERM $pid 2>/dev/null
{ n=0; while [ $n -lt 200 ]; do sleep 0.1; n=$((n + 1)); done; kill -KILL $pid; } & patience=$!
wait $pid; status=$?
kill $patience 2>/dev/null
[ -z "$dir" ] && exit $status
[ -n "$tests" ] && sleep 0.1 && kill -0 "$tests" 2>/dev/null && exit $status
orphan=$(head -n 1 "$dir/data/server/data/postmaster.pid" 2>/dev/null)
if [ -n "$orphan" ] && kill -QUIT "$orphan" 2>/dev/null; then
  n=0; while [ $n -lt 50 ] && kill -0 "$orphan" 2>/dev/null; do sleep 0.1; n=$((n + 1)); done
fi
rm -rf "$dir"
exit $status
"#;

/// A command line of `tenantry`, with nothing of the surrounding configuration.
pub(crate) fn tenantry(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.args(arguments).env_clear().envs(surroundings());
    command
}

/// Runs a command on the database of the shared service, with this for its standard input.
pub(crate) fn run(arguments: &[&str], input: &str) -> Output {
    run_on(Service::shared(), arguments, input)
}

/// The same, on the database of that service.
pub(crate) fn run_on(service: &Service, arguments: &[&str], input: &str) -> Output {
    let mut command = tenantry(arguments);
    command.arg("--data-dir").arg(service.dir().data());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn surroundings() -> impl Iterator<Item = (String, String)> {
    let kept = ["PATH", "HOME", "USER", "TMPDIR", "TENANTRY_PG_BIN"];
    let given = std::env::vars().filter(move |(name, _)| kept.contains(&name.as_str()));
    let log = [
        ("TENANTRY_LOG", "info,tenantry=debug"),
        ("TENANTRY_LOG_FORMAT", "json"),
    ];
    given.chain(log.map(|(name, value)| (name.to_owned(), value.to_owned())))
}

/// A place for one test, with a data directory in it; removed when dropped.
pub(crate) struct DataDir {
    home: Option<tempfile::TempDir>,
    path: PathBuf,
}

impl DataDir {
    pub(crate) fn new() -> Self {
        let home = tempfile::Builder::new().prefix("tenantry-it-").tempdir();
        let home = home.expect("a temporary directory");
        // Postgres runs as a user of its own when the tests run as root.
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(home.path(), mode).unwrap();
        let path = home.path().to_owned();
        Self {
            home: Some(home),
            path,
        }
    }

    /// For a service that lives as long as the tests: its keeper removes the place.
    pub(crate) fn kept(mut self) -> Self {
        self.path = self.home.take().unwrap().keep();
        self
    }

    /// What `--data-dir` names.
    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// A path beside the data, for the test's own files.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.data().join(name)).unwrap()
    }

    /// The process that the cluster in here runs as.
    pub(crate) fn postgres(&self) -> Option<Pid> {
        let file = self.data().join("server/data/postmaster.pid");
        let text = std::fs::read_to_string(file).ok()?;
        text.lines().next()?.parse().ok().map(Pid::from_raw)
    }
}

/// A running `tenantry`.
pub(crate) struct Process {
    keeper: Child,
    pid: Pid,
    lines: Mutex<Receiver<String>>,
    log: PathBuf,
}

impl Process {
    /// Starts `command`, whose data are in `dir`; its log goes to a file of that name there.
    pub(crate) fn start(command: &Command, dir: &DataDir, log: &str) -> Self {
        let tests = dir.home.as_ref().map(|_| std::process::id().to_string());
        let tests = tests.unwrap_or_default();
        Self::keep(command, &dir.join(log), &dir.path, &tests)
    }

    /// Starts `command` on data that another process keeps.
    pub(crate) fn start_beside(command: &Command, dir: &DataDir, log: &str) -> Self {
        Self::keep(command, &dir.join(log), Path::new(""), "")
    }

    /// `dir` is removed at the end, unless the process `tests` is still there to do that itself.
    fn keep(command: &Command, log: &Path, dir: &Path, tests: &str) -> Self {
        let mut keeper = Command::new("/bin/sh")
            .args(["-c", KEEPER, "keeper"])
            .args([log, dir, Path::new(tests)])
            .arg(command.get_program())
            .args(command.get_args())
            .env_clear()
            .envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))))
            .current_dir(log.parent().unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0) // Ctrl-C is for the tests; the keeper sees them end
            .spawn()
            .unwrap();
        let stdout = BufReader::new(keeper.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut process = Self {
            keeper,
            pid: Pid::from_raw(0),
            lines: Mutex::new(lines),
            log: log.to_owned(),
        };
        let pid = process.line("pid ").expect("the keeper tells the process");
        process.pid = Pid::from_raw(pid.parse().unwrap());
        process
    }

    /// What follows `prefix` on the first line that starts with it; none when the process ends before.
    pub(crate) fn line(&self, prefix: &str) -> Option<String> {
        let lines = self.lines.lock().unwrap();
        loop {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    if let Some(rest) = line.strip_prefix(prefix) {
                        return Some(rest.to_owned());
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => panic!("no {prefix:?}:\n{}", self.log_text()),
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid, signal).unwrap();
    }

    /// Waits for the end of the process, and gives its status.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        while self.line("\0").is_some() {}
        self.end()
    }

    fn end(&mut self) -> ExitStatus {
        drop(self.keeper.stdin.take());
        self.keeper.wait().unwrap()
    }

    pub(crate) fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The events logged so far, each as the object of its fields.
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = self.log_text();
        let events = text.lines().filter_map(|line| {
            let event: Value = serde_json::from_str(line).ok()?;
            event.get("fields").cloned()
        });
        events.collect()
    }
}

impl Drop for Process {
    /// Under a failing test, prints what went wrong in the service: its answers only say INTERNAL.
    fn drop(&mut self) {
        self.end();
        if std::thread::panicking() {
            let log = self.log_text();
            let troubles = log
                .lines()
                .filter(|line| line.contains("\"WARN\"") || line.contains("\"ERROR\""));
            for line in troubles.take(20) {
                eprintln!("{}: {line}", self.log.display());
            }
        }
    }
}

/// Whether a process of that id runs.
pub(crate) fn runs(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"));
    match stat {
        Ok(stat) => !stat.contains(") Z "), // not one that only waits to be reaped
        Err(_) => kill(pid, None).is_ok() && !Path::new("/proc/self").exists(),
    }
}
