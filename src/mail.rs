//! Mail: what people have to be told outside of the API, handed to a webhook that sends it, or to the log.

mod queue;
mod webhook;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

use webhook::Webhook;

/// One mail; the webhook gets it as a JSON object and makes a text of it.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Mail {
    /// The same in every try, so that nobody gets it twice.
    pub(crate) id: Uuid,
    pub(crate) kind: MailKind,
    pub(crate) to: String,
    /// Whose mail it is; none for what is about the account itself.
    #[serde(skip)]
    pub(crate) tenant_id: Option<Uuid>,
    /// What the tenant is called.
    pub(crate) tenant: Option<String>,
    /// Where the tenant is, or the service.
    pub(crate) url: String,
    /// The one-time token, for a link to a page of the app; null where nothing is to be done by one.
    pub(crate) token: Option<String>,
    /// Of mails about a domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) domain: Option<String>,
    /// Of mails about an account's address: the new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// When the token is no longer good, or the domain is no longer the tenant's.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) expires_at: OffsetDateTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum MailKind {
    Invitation,
    PasswordReset,
    /// Has the token that makes an address the account's.
    EmailChange,
    /// Somebody who knows the password has asked for that: until `expiresAt`, another password stops it.
    EmailChangeRequested,
    /// It has been done; this is the last mail to the old address.
    EmailChanged,
    /// The proof that a domain is the tenant's is gone. It has to be back at `expiresAt`.
    DomainLost,
    /// Requests to the domain do not reach the tenant any more.
    DomainUnverified,
}

/// Without the token, whoever prints it.
impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mail({} {:?}", self.id, self.kind)?;
        match self.tenant_id {
            Some(tenant) => write!(f, " of tenant {tenant})"),
            None => f.write_str(")"),
        }
    }
}

impl Mail {
    /// The line in which it waits: of its tenant, or else of whom it goes to.
    fn line(&self) -> String {
        match self.tenant_id {
            Some(tenant) => tenant.to_string(),
            None => self.to.to_lowercase(),
        }
    }
}

/// How long mails that wait may take once the service is told to stop.
const FINISH: Duration = Duration::from_secs(5);

/// Where mails go.
pub(crate) struct Mailer(Way);

enum Way {
    Webhook(Arc<Webhook>),
    /// The whole mail, token included: on a developer's machine.
    Log,
    Nowhere,
}

impl Mailer {
    /// Posts mails as JSON, with retries.
    pub(crate) fn webhook(url: Url) -> anyhow::Result<Self> {
        Ok(Self(Way::Webhook(Webhook::start(url)?)))
    }

    pub(crate) fn log() -> Self {
        Self(Way::Log)
    }

    pub(crate) fn nowhere() -> Self {
        Self(Way::Nowhere)
    }

    /// Whether mails arrive at all.
    pub(crate) fn sends(&self) -> bool {
        !matches!(self.0, Way::Nowhere)
    }

    /// Sends it in the background. Belongs after the commit of what it tells of.
    pub(crate) fn send(&self, mail: Mail) {
        match &self.0 {
            Way::Nowhere => tracing::error!(?mail, "there is no --mail-webhook: a mail is lost"),
            Way::Log => tracing::info!(
                to = mail.to,
                kind = ?mail.kind,
                domain = mail.domain,
                email = mail.email,
                url = mail.url,
                token = mail.token,
                "a mail would be sent"
            ),
            Way::Webhook(webhook) => webhook.send(mail),
        }
    }

    /// Sends what waits before the service stops, for a few seconds; nobody keeps it, as tokens are in it.
    pub(crate) async fn finish(&self) {
        if let Way::Webhook(webhook) = &self.0 {
            webhook.finish(FINISH).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// About a tenant, or about an account when it has the number 0.
    pub(super) fn mail_of(tenant: u128, to: &str) -> Mail {
        Mail {
            tenant_id: (tenant > 0).then(|| Uuid::from_u128(tenant)),
            to: to.to_owned(),
            ..mail()
        }
    }

    fn mail() -> Mail {
        Mail {
            id: Uuid::now_v7(),
            kind: MailKind::PasswordReset,
            to: "ada@acme.test".to_owned(),
            tenant_id: None,
            tenant: None,
            url: "https://example.com".to_owned(),
            token: Some("one-time".to_owned()),
            domain: None,
            email: None,
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

    #[tokio::test]
    async fn what_waits_is_sent_before_the_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mailer = Mailer::webhook(url.parse().unwrap()).unwrap();
        mailer.send(mail_of(1, "first"));
        assert!(answer(&listener, "500 No").await.contains("first"));
        mailer.send(mail_of(2, "second"));
        assert!(answer(&listener, "500 No").await.contains("second"));
        let answers = async {
            let texts = [
                answer(&listener, "200 OK").await,
                answer(&listener, "200 OK").await,
            ];
            texts.concat()
        };
        let started = std::time::Instant::now();
        let ((), texts) = tokio::join!(mailer.finish(), answers);
        assert!(texts.contains("first") && texts.contains("second"));
        assert!(started.elapsed() < FINISH);
        // With nothing to send, or with nobody to send it to, there is nothing to wait for.
        mailer.finish().await;
        Mailer::log().finish().await;
    }

    #[test]
    fn tokens_do_not_show() {
        assert!(!format!("{:?}", mail()).contains("one-time"));
    }
}
