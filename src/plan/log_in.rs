//! The planned mutation `logIn`.

use std::sync::Arc;

use super::types::{ParamId, ResponseKey, RootRow};

/// The mutation `logIn`, which the service answers; only `user` is read from the tenant's tables.
#[derive(Debug)]
pub struct LogIn {
    pub email: ParamId,
    pub password: ParamId,
    pub fields: Vec<(ResponseKey, LogInField)>,
}

#[derive(Debug)]
pub enum LogInField {
    Typename(Arc<str>),
    AccessToken,
    User(RootRow),
}
