//! The service that sends mails: each is posted to it as JSON, several times if need be.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::CONTENT_TYPE;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep_until, timeout};
use url::Url;

use super::Mail;
use super::queue::{Failed, Next, Queue, Waiting};

/// Mails on their way at the same time.
const AT_ONCE: usize = 8;

const ANSWER_WITHIN: Duration = Duration::from_secs(10);

pub(super) struct Webhook {
    client: reqwest::Client,
    url: Url,
    queue: Mutex<Queue>,
    /// There may be something to do.
    changed: Notify,
    /// The last mail has gone.
    empty: Notify,
}

impl Webhook {
    /// Begins to wait for mails.
    pub(super) fn start(url: Url) -> anyhow::Result<Arc<Self>> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ANSWER_WITHIN)
            .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let webhook = Arc::new(Self {
            client,
            url,
            queue: Mutex::default(),
            changed: Notify::new(),
            empty: Notify::new(),
        });
        tokio::spawn(Arc::clone(&webhook).run());
        Ok(webhook)
    }

    pub(super) fn send(&self, mail: Mail) {
        match self.queue().push(mail) {
            Ok(()) => self.changed.notify_one(),
            Err(mail) => {
                tracing::error!(?mail, "too many mails wait for the webhook: one is lost");
            }
        }
    }

    /// Has all that waits be tried once more, for no longer than that, and tells of what is lost.
    pub(super) async fn finish(&self, within: Duration) {
        self.queue().stop();
        self.changed.notify_one();
        let emptied = async {
            while !self.queue().is_empty() {
                self.empty.notified().await;
            }
        };
        if timeout(within, emptied).await.is_err() {
            let mails = self.queue().len();
            tracing::error!(
                mails,
                "the service stops, and the webhook has not taken all mails: they are lost"
            );
        }
    }

    async fn run(self: Arc<Self>) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            let waiting = self.next().await;
            let webhook = Arc::clone(&self);
            tokio::spawn(async move {
                webhook.try_once(waiting).await;
                drop(place);
            });
        }
    }

    /// Waits for the next mail.
    async fn next(&self) -> Waiting {
        loop {
            let next = self.queue().next(Instant::now());
            match next {
                Next::Send(waiting) => return waiting,
                Next::At(due) => {
                    tokio::select! {
                        () = sleep_until(due.into()) => {}
                        () = self.changed.notified() => {}
                    }
                }
                Next::Nothing => self.changed.notified().await,
            }
        }
    }

    async fn try_once(&self, waiting: Waiting) {
        let mail = &waiting.mail;
        let Err(problem) = self.post(mail).await else {
            self.queue().done(mail);
            return self.empty.notify_one();
        };
        let told = format!("{mail:?}");
        let failed = self.queue().failed(waiting, Instant::now());
        match failed {
            Failed::Again(pause) => {
                let retry_after = pause.as_secs();
                tracing::warn!(
                    mail = told,
                    problem,
                    retry_after,
                    "the webhook did not take a mail"
                );
                self.changed.notify_one();
            }
            Failed::Lost => {
                tracing::error!(
                    mail = told,
                    problem,
                    "the webhook does not take a mail: it is lost"
                );
                self.empty.notify_one();
            }
        }
    }

    async fn post(&self, mail: &Mail) -> Result<(), String> {
        let body = serde_json::to_vec(mail).map_err(|error| error.to_string())?;
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        match request.send().await {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(response.status().to_string()),
            // The webhook's address may hold a secret.
            Err(error) => Err(error.without_url().to_string()),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
