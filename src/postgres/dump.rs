//! `pg_dump` of a private cluster's database.

use super::Cluster;
use super::error::{ClusterError, file};

impl Cluster {
    /// Runs `pg_dump` on a database, and gives what it prints.
    pub(crate) async fn dump(
        &self,
        database: &str,
        arguments: &[String],
    ) -> Result<String, ClusterError> {
        let binaries = self.binaries();
        let program = binaries.directory.join("pg_dump");
        if !program.is_file() {
            return Err(ClusterError::NoDump {
                directory: binaries.directory.clone(),
                major: binaries.version.major,
            });
        }
        let mut command = binaries.command("pg_dump");
        command
            // Others can read command lines.
            .env("PGPASSWORD", self.password())
            .args(["--host=127.0.0.1", "--username=postgres", "--no-password"])
            .arg(format!("--port={}", self.port()))
            .arg(format!("--dbname={database}"))
            .args(["--encoding=UTF8"])
            .args(arguments)
            .kill_on_drop(true);
        let output = command.output().await.map_err(file("run", &program))?;
        if !output.status.success() {
            let output = String::from_utf8_lossy(&output.stderr);
            return Err(ClusterError::DumpFailed {
                output: output.trim().to_owned(),
            });
        }
        String::from_utf8(output.stdout).map_err(|error| ClusterError::DumpFailed {
            output: error.to_string(),
        })
    }
}
