//! What a request and its answer have to do with cookies, without a word of HTTP.

use std::sync::{Mutex, PoisonError};

use super::Granted;
use crate::error::{Code, Failure};

/// The session's cookies: what came with a request, and what its answer does about them.
#[derive(Debug, Default)]
pub(crate) struct Cookies {
    pub(crate) origin: Origin,
    /// The refresh token that came.
    pub(crate) refresh: Option<Secret>,
    change: Mutex<Option<CookieChange>>,
}

/// Which page sent the request, as the browser tells.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// One of this host, or no page at all.
    #[default]
    Own,
    /// One of another host, be it another tenant's: it must not act for whoever is logged in here.
    Foreign,
}

/// A token that does not show in logs.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What the answer does to the cookies.
#[derive(Debug, Clone)]
pub(crate) enum CookieChange {
    Keep(Granted),
    Clear,
}

impl Cookies {
    /// The same request's, with changes of their own.
    pub(crate) fn copy(&self) -> Self {
        Self {
            origin: self.origin,
            refresh: self.refresh.clone(),
            change: Mutex::default(),
        }
    }

    /// Has the browser keep the tokens.
    pub(crate) fn keep(&self, granted: &Granted) {
        self.set(CookieChange::Keep(granted.clone()));
    }

    /// Has the browser forget the tokens.
    pub(crate) fn clear(&self) {
        self.set(CookieChange::Clear);
    }

    /// The refresh token that the browser kept.
    pub(crate) fn refresh(&self) -> Result<&str, Failure> {
        self.own()?;
        let refresh = self.refresh.as_ref();
        refresh.map(|token| token.0.as_str()).ok_or_else(|| {
            Failure::unauthenticated("give a refreshToken, or log in with cookie: true")
        })
    }

    /// What is to be told to the browser.
    pub(crate) fn take_change(&self) -> Option<CookieChange> {
        self.change
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    pub(crate) fn set(&self, change: CookieChange) {
        *self.change.lock().unwrap_or_else(PoisonError::into_inner) = Some(change);
    }

    /// Refuses requests of other hosts' pages.
    pub(crate) fn own(&self) -> Result<(), Failure> {
        match self.origin {
            Origin::Own => Ok(()),
            Origin::Foreign => Err(Failure::new(
                Code::Forbidden,
                "cookies are for pages of this host: the request comes from another one",
            )),
        }
    }
}
