//! Makes a new cluster with `initdb`, whole or not at all.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use super::binaries::Binaries;
use super::error::{ClusterError, file};
use super::files::write_private;
use super::home::Home;

const LIMIT: Duration = Duration::from_mins(2);

/// Character classes of UTF-8, so that `ilike` and `upper` know more than ASCII; the order of strings is that of code
/// points on every machine. The last choice always exists, and knows ASCII only.
const CHARACTER_TYPES: [&str; 3] = ["C.UTF-8", "en_US.UTF-8", "C"];

/// Makes the cluster beside its final place and renames it when it is complete: a crash half-way leaves none.
pub(super) async fn init(
    binaries: &Binaries,
    home: &Home,
    password: &str,
) -> Result<(), ClusterError> {
    // Whatever is here comes from starts that died half-way. An `initdb` that still runs fails when its files vanish.
    home.clear()?;
    let draft = home.path().join(format!("data.new-{}", std::process::id()));
    let password_file = home.path().join("initial-password");
    write_private(&password_file, password)?;

    let mut output = String::new();
    for character_type in CHARACTER_TYPES {
        let result = initdb(binaries, home, &draft, &password_file, character_type).await?;
        if result.status.success() {
            fs::remove_file(&password_file).map_err(file("remove", &password_file))?;
            return fs::rename(&draft, home.data()).map_err(file("rename", &draft));
        }
        output = String::from_utf8_lossy(&result.stderr).into_owned();
        if !output.contains("locale") {
            break;
        }
    }
    home.clear()?;
    Err(ClusterError::InitFailed {
        directory: home.path().to_owned(),
        output: output.trim().to_owned(),
    })
}

async fn initdb(
    binaries: &Binaries,
    home: &Home,
    draft: &Path,
    password_file: &Path,
    character_type: &str,
) -> Result<Output, ClusterError> {
    let mut command = binaries.command("initdb");
    command
        .arg("--pgdata")
        .arg(draft)
        .arg("--pwfile")
        .arg(password_file)
        .args(["--username=postgres", "--auth=scram-sha-256"])
        .args(["--encoding=UTF8", "--no-locale", "--no-instructions"])
        // Only a crash of the machine within moments of the very first start could tell, and there is no data to lose yet.
        .arg("--no-sync")
        .arg(format!("--lc-ctype={character_type}"))
        // The messages are searched for a word.
        .env("LC_ALL", "C")
        .kill_on_drop(true);
    if let Some(account) = home.account {
        account.run(&mut command);
    }
    let program = binaries.directory.join("initdb");
    match tokio::time::timeout(LIMIT, command.output()).await {
        Ok(output) => output.map_err(file("run", &program)),
        Err(_) => Err(ClusterError::InitFailed {
            directory: home.path().to_owned(),
            output: format!("it did not end within {} s", LIMIT.as_secs()),
        }),
    }
}
