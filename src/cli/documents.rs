//! Trusted documents: read at the start and at SIGHUP, and checked against the APIs they are for.

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::signal::unix::{SignalKind, signal};

use super::dev;
use crate::config::Serving;
use crate::documents::{Policy, Trusted};
use crate::http::Service;

/// Which documents are run, as configured.
pub(super) fn policy(serving: &Serving) -> anyhow::Result<Policy> {
    let Some(dir) = &serving.trusted_documents else {
        return Ok(Policy::Any);
    };
    let trusted = Trusted::load(dir)?;
    tracing::info!(documents = trusted.len(), dir = %dir.display(), "trusted documents");
    let trusted = Arc::new(ArcSwap::from_pointee(trusted));
    tokio::spawn(reload(dir.clone(), Arc::clone(&trusted)));
    Ok(Policy::Trusted(trusted, serving.untrusted_documents))
}

/// Reads the directory again at each SIGHUP. What cannot be read changes nothing.
async fn reload(dir: PathBuf, trusted: Arc<ArcSwap<Trusted>>) {
    let Ok(mut hangups) = signal(SignalKind::hangup()) else {
        return;
    };
    while hangups.recv().await.is_some() {
        match Trusted::load(&dir) {
            Ok(new) => {
                tracing::info!(documents = new.len(), "read the trusted documents again");
                trusted.store(Arc::new(new));
            }
            Err(error) => tracing::error!("the trusted documents stay as they were: {error:#}"),
        }
    }
}

/// The documents that do not fit the API of some tenants: of one tenant for each schema version.
pub(super) async fn misfits(service: &Service) -> anyhow::Result<Vec<String>> {
    let mut problems = Vec::new();
    if !service.compiler.documents.are_trusted() {
        return Ok(problems);
    }
    for tenant in service.directory.of_each_version() {
        let api = service.apis.of(&tenant).await.map_err(dev::explain)?;
        problems.extend(service.compiler.documents.misfits(&api));
    }
    Ok(problems)
}
