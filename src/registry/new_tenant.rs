//! What is told of a tenant that is to be made.

use super::Password;
use super::lifecycle::By;
use crate::error::Failure;
use crate::names::{DisplayName, EmailAddress, NameError, Subdomain};
use crate::request::RequestInfo;

/// What a customer tells at sign-up, already checked.
pub(crate) struct NewTenant {
    pub(crate) organization: DisplayName,
    pub(crate) subdomain: Subdomain,
    pub(crate) owner_name: DisplayName,
    pub(crate) email: EmailAddress,
    pub(crate) password: Password,
    pub(crate) content: Content,
    /// The operator who makes it; none when it is the owner who signs up.
    pub(crate) by: Option<By>,
    /// The request by which the owner signs up.
    pub(crate) request: Option<RequestInfo>,
}

/// What the new tables hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// What every new tenant starts with.
    Seed,
    /// That, and the rows that make a demonstration look real.
    Demo,
}

impl NewTenant {
    /// Checks what came in. Without a subdomain, one is made of the organization's name.
    pub(crate) fn parse(
        organization: &str,
        subdomain: Option<&str>,
        owner_name: &str,
        email: &str,
        password: &str,
    ) -> Result<Self, Failure> {
        let organization = named("organization", DisplayName::parse(organization))?;
        let owner_name = named("name", DisplayName::parse(owner_name))?;
        let email = named("email", EmailAddress::parse(email))?;
        let subdomain = match subdomain {
            Some(text) => Subdomain::claim(text),
            None => Subdomain::derive(organization.as_str()),
        };
        let subdomain =
            subdomain.map_err(|error| Failure::bad_input("subdomain", error.to_string()))?;
        let password = Password::choose(password, &email, organization.as_str())?;
        Ok(Self {
            organization,
            subdomain,
            owner_name,
            email,
            password,
            content: Content::Seed,
            by: None,
            request: None,
        })
    }
}

fn named<T>(field: &'static str, parsed: Result<T, NameError>) -> Result<T, Failure> {
    parsed.map_err(|error| Failure::bad_input(field, error.to_string()))
}
