//! Mail: what people have to be told outside of the API, handed to a webhook that sends it, or to the log.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use serde::Serialize;
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use url::Url;
use uuid::Uuid;

/// One mail; the webhook gets it as a JSON object and makes a text of it.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Mail {
    /// The same in every try, so that nobody gets it twice.
    pub(crate) id: Uuid,
    pub(crate) kind: MailKind,
    pub(crate) to: String,
    /// What the tenant is called; none for what is about the account itself.
    pub(crate) tenant: Option<String>,
    /// Where the tenant is, or the service.
    pub(crate) url: String,
    /// The one-time token, for a link to a page of the app; null where nothing is to be done by one.
    pub(crate) token: Option<String>,
    /// Of mails about a domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) domain: Option<String>,
    /// When the token is no longer good, or the domain is no longer the tenant's.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) expires_at: OffsetDateTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum MailKind {
    Invitation,
    PasswordReset,
    /// The proof that a domain is the tenant's is gone. It has to be back at `expiresAt`.
    DomainLost,
    /// Requests to the domain do not reach the tenant any more.
    DomainUnverified,
}

/// Without the token, whoever prints it.
impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mail({} {:?})", self.id, self.kind)
    }
}

/// The seconds before each further try.
const RETRIES: [u64; 5] = [1, 5, 30, 120, 600];

/// Mails on their way at the same time; beyond that they are lost, and the log says so.
const MOST: usize = 1000;

const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Where mails go.
pub(crate) struct Mailer {
    way: Way,
    places: Arc<Semaphore>,
}

enum Way {
    Webhook(reqwest::Client, Url),
    /// The whole mail, token included: on a developer's machine.
    Log,
    Nowhere,
}

impl Mailer {
    /// Posts mails as JSON, with retries.
    pub(crate) fn webhook(url: Url) -> anyhow::Result<Self> {
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
        Ok(Self::new(Way::Webhook(client, url)))
    }

    pub(crate) fn log() -> Self {
        Self::new(Way::Log)
    }

    pub(crate) fn nowhere() -> Self {
        Self::new(Way::Nowhere)
    }

    fn new(way: Way) -> Self {
        Self {
            way,
            places: Arc::new(Semaphore::new(MOST)),
        }
    }

    /// Whether mails arrive at all.
    pub(crate) fn sends(&self) -> bool {
        !matches!(self.way, Way::Nowhere)
    }

    /// Sends it in the background. Belongs after the commit of what it tells of.
    pub(crate) fn send(&self, mail: Mail) {
        match &self.way {
            Way::Nowhere => tracing::error!(?mail, "there is no --mail-webhook: a mail is lost"),
            Way::Log => tracing::info!(
                to = mail.to,
                kind = ?mail.kind,
                domain = mail.domain,
                url = mail.url,
                token = mail.token,
                "a mail would be sent"
            ),
            Way::Webhook(client, url) => {
                let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                    tracing::error!(?mail, "too many mails wait for the webhook: one is lost");
                    return;
                };
                let (client, url) = (client.clone(), url.clone());
                tokio::spawn(async move {
                    deliver(&client, url, &mail).await;
                    drop(place);
                });
            }
        }
    }
}

async fn deliver(client: &reqwest::Client, url: Url, mail: &Mail) {
    let body = match serde_json::to_vec(mail) {
        Ok(body) => body,
        Err(error) => return tracing::error!(?mail, %error, "a mail cannot be written"),
    };
    let mut pauses = RETRIES.into_iter();
    loop {
        let request = client
            .post(url.clone())
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(body.clone());
        let problem = match request.send().await {
            Ok(response) if response.status().is_success() => return,
            Ok(response) => response.status().to_string(),
            // The webhook's address may hold a secret.
            Err(error) => error.without_url().to_string(),
        };
        let Some(pause) = pauses.next() else {
            return tracing::error!(
                ?mail,
                problem,
                "the webhook does not take a mail: it is lost"
            );
        };
        tracing::warn!(
            ?mail,
            problem,
            retry_after = pause,
            "the webhook did not take a mail"
        );
        tokio::time::sleep(Duration::from_secs(pause)).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn mail() -> Mail {
        Mail {
            id: Uuid::now_v7(),
            kind: MailKind::PasswordReset,
            to: "ada@acme.test".to_owned(),
            tenant: None,
            url: "https://example.com".to_owned(),
            token: Some("one-time".to_owned()),
            domain: None,
            expires_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    /// Answers one request with a status, and tells what it was.
    async fn answer(listener: &TcpListener, status: &str) -> String {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut text = String::new();
        while !text.ends_with('}') {
            let mut piece = [0; 4096];
            let read = stream.read(&mut piece).await.unwrap();
            text.push_str(&String::from_utf8_lossy(&piece[..read]));
        }
        let reply = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        stream.write_all(reply.as_bytes()).await.unwrap();
        text
    }

    #[tokio::test]
    async fn a_webhook_that_fails_is_asked_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mails?key=k", listener.local_addr().unwrap());
        let mailer = Mailer::webhook(url.parse().unwrap()).unwrap();
        let mail = mail();
        mailer.send(mail.clone());
        let first = answer(&listener, "500 No").await;
        let second = answer(&listener, "204 OK").await;
        assert!(first.starts_with("POST /mails?key=k HTTP/1.1"), "{first}");
        let body = |text: &str| text.split("\r\n\r\n").nth(1).unwrap().to_owned();
        assert_eq!(body(&first), body(&second));
        let expected = format!(
            r#"{{"id":"{}","kind":"passwordReset","to":"ada@acme.test","tenant":null,"url":"https://example.com","token":"one-time","expiresAt":"1970-01-01T00:00:00Z"}}"#,
            mail.id
        );
        assert_eq!(body(&first), expected);
    }

    #[test]
    fn tokens_do_not_show() {
        assert!(!format!("{:?}", mail()).contains("one-time"));
    }
}
