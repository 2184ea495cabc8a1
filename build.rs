//! Builds the page at `/graphiql` with npm and embeds it; without npm, embeds one that loads its packages from a CDN.
//!
//! Everything is written below `OUT_DIR`: the checkout may be read-only, and target directories don't fight.

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::hash::{Hash as _, Hasher as _};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

const SKIP: &str = "TENANTRY_SKIP_GRAPHIQL";
/// What the page is made of, `src/` aside. Named one by one, since `node_modules` may stand beside them.
const FILES: [&str; 6] = [
    ".npmrc",
    "package.json",
    "package-lock.json",
    "vite.config.js",
    "index.html",
    "cdn.html",
];
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

fn main() -> io::Result<()> {
    let source =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("graphiql");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={SKIP}");
    for name in FILES.iter().chain(&["src"]) {
        println!("cargo::rerun-if-changed={}", source.join(name).display());
    }

    let table = if env::var_os(SKIP).is_some() {
        from_cdn(&source)?
    } else {
        match bundle(&source, &out) {
            Ok(dist) => table(false, &dist.join("index.html"), &dist.join("assets"))?,
            Err(why) => {
                println!(
                    "cargo::warning=/graphiql will load GraphiQL from a public CDN, because {why}; to serve it from \
                     this binary, install Node.js 20.19 or later with npm, run `touch build.rs` and build again"
                );
                // A bundled page doesn't depend on PATH, so only now may a new one bring another result.
                println!("cargo::rerun-if-env-changed=PATH");
                from_cdn(&source)?
            }
        }
    };
    fs::write(out.join("graphiql.rs"), table)
}

/// The folder with the bundled page: that of an earlier run if the sources are the same, else a new one.
fn bundle(source: &Path, out: &Path) -> Result<PathBuf, String> {
    let failed = |error: io::Error| format!("its sources could not be copied ({error})");
    let dist = out.join(format!(
        "graphiql-{:016x}",
        hash_of(source).map_err(failed)?
    ));
    if dist.is_dir() {
        return Ok(dist);
    }

    let work = out.join("graphiql-src");
    copy(source, &work).map_err(failed)?;
    let log = out.join("graphiql-npm.log");
    // No package here needs an install script, so none gets to run. A dead network should be found dead soon.
    let quickly = [
        "--fetch-retries=1",
        "--fetch-retry-mintimeout=1000",
        "--fetch-timeout=60000",
    ];
    npm(
        &work,
        &log,
        &[&["ci", "--include=dev", "--ignore-scripts"], &quickly[..]].concat(),
    )?;
    npm(&work, &log, &["run", "build"])?;

    // Moved only when complete, so that the folder's existence means that it is.
    fs::rename(work.join("dist"), &dist).map_err(|error| format!("npm left no page ({error})"))?;
    // A hundred megabytes of packages that nothing reads again; if they can't go, the page is none the worse.
    fs::remove_dir_all(&work).ok();
    Ok(dist)
}

fn npm(work: &Path, log: &Path, arguments: &[&str]) -> Result<(), String> {
    // Cargo reads this script's standard output, so npm's goes to the log.
    let output = Command::new(NPM)
        .args(arguments)
        .current_dir(work)
        .env_remove("NODE_ENV")
        .output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            fs::write(log, text).map_err(|error| error.to_string())?;
            let command: Vec<_> = arguments
                .iter()
                .copied()
                .take_while(|word| !word.starts_with('-'))
                .collect();
            Err(format!(
                "`npm {}` failed (its output is in {})",
                command.join(" "),
                log.display()
            ))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Err("npm is not on PATH".to_owned()),
        Err(error) => Err(format!("npm could not be run ({error})")),
    }
}

fn hash_of(source: &Path) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    for path in files(source)? {
        path.strip_prefix(source).unwrap_or(&path).hash(&mut hasher);
        fs::read(&path)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn copy(source: &Path, work: &Path) -> io::Result<()> {
    if work.exists() {
        fs::remove_dir_all(work)?;
    }
    fs::create_dir_all(work.join("src"))?;
    for path in files(source)? {
        // Not `fs::copy`, which would carry a read-only checkout's permissions along.
        fs::write(
            work.join(path.strip_prefix(source).unwrap_or(&path)),
            fs::read(&path)?,
        )?;
    }
    Ok(())
}

fn files(source: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<_> = FILES.iter().map(|name| source.join(name)).collect();
    files.extend(listed(&source.join("src"))?);
    Ok(files)
}

/// The files of a folder without folders, in an order that doesn't depend on the file system.
fn listed(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// The page as it stands in the sources: its import map takes the packages from the CDN.
fn from_cdn(source: &Path) -> io::Result<String> {
    table(true, &source.join("cdn.html"), &source.join("src"))
}

/// The Rust source that embeds a page and its assets; its types are in `src/http/graphiql.rs`.
fn table(from_cdn: bool, index: &Path, assets: &Path) -> io::Result<String> {
    let mut table = format!("const FROM_CDN: bool = {from_cdn};\n");
    writeln!(
        table,
        "static INDEX: File = {};",
        entry("index.html", index)?
    )
    .expect("a String takes all text");
    table.push_str("static ASSETS: &[File] = &[\n");
    for path in listed(assets)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.ends_with(".gz") {
            writeln!(table, "    {},", entry(&name, &path)?).expect("a String takes all text");
        }
    }
    table.push_str("];\n");
    Ok(table)
}

fn entry(name: &str, path: &Path) -> io::Result<String> {
    let mut hasher = DefaultHasher::new();
    fs::read(path)?.hash(&mut hasher);
    let etag = format!("W/\"{:016x}\"", hasher.finish());
    let packed = path.with_file_name(format!("{name}.gz"));
    let plain = include(path);
    let gzip = if packed.is_file() {
        format!("Some({})", include(&packed))
    } else {
        "None".to_owned()
    };
    Ok(format!(
        "File {{ name: {name:?}, etag: {etag:?}, plain: {plain}, gzip: {gzip} }}"
    ))
}

fn include(path: &Path) -> String {
    format!("include_bytes!({:?})", path.to_string_lossy())
}
