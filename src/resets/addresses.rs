//! Other addresses of mail: told to the old one, and proven at the new one.

use time::OffsetDateTime;
use uuid::Uuid;

use super::Resets;
use crate::error::Failure;
use crate::mail::{Mail, MailKind};
use crate::names::UserId;
use crate::registry::{EmailChange, EmailChanged};
use crate::request::RequestInfo;

impl Resets {
    /// Has a token sent to the new address, and the old one told.
    pub(crate) async fn request_email_change(
        &self,
        account: UserId,
        email: &str,
        password: &str,
        client: &RequestInfo,
    ) -> Result<(), Failure> {
        let asked = self
            .registry
            .begin_email_change(account, email, password, client);
        let EmailChange {
            before,
            after,
            token,
            expires_at,
            to_be_sent,
        } = asked.await?;
        let until = OffsetDateTime::from(expires_at);
        let after = after.as_str();
        let notice = self.mail(
            MailKind::EmailChangeRequested,
            before.as_str(),
            after,
            until,
        );
        self.mailer.send(notice);
        if to_be_sent {
            self.mailer.send(Mail {
                token: Some(token.as_str().to_owned()),
                ..self.mail(MailKind::EmailChange, after, after, until)
            });
        }
        Ok(())
    }

    /// Makes the new address the account's, and tells the old one.
    pub(crate) async fn confirm_email_change(
        &self,
        token: &str,
        client: &RequestInfo,
    ) -> Result<(), Failure> {
        self.registry.count_guess(client.ip)?;
        let changed = self.registry.change_email(token, client).await?;
        let EmailChanged { before, after } = changed;
        let now = OffsetDateTime::now_utc();
        let told = self.mail(MailKind::EmailChanged, &before, &after, now);
        self.mailer.send(told);
        Ok(())
    }

    fn mail(&self, kind: MailKind, to: &str, email: &str, expires_at: OffsetDateTime) -> Mail {
        Mail {
            id: Uuid::now_v7(),
            kind,
            to: to.to_owned(),
            tenant_id: None,
            tenant: None,
            url: self.public_url.of_platform(),
            token: None,
            domain: None,
            email: Some(email.to_owned()),
            expires_at,
        }
    }
}
