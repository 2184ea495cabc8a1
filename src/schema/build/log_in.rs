//! Getting in: `logIn`, `refreshSession` and `resetPassword`, which answer alike.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{Builder, described, field, plain};
use crate::schema::naming::Clash;
use crate::schema::types::{
    FieldDef, FieldMeaning, InputDef, InputFieldDef, LogInMeans, ObjectDef, Type, TypeDef,
};

const COOKIE: &str = "Has the browser keep the tokens in cookies that scripts cannot read, instead of answering with them.";

/// The mutations that let people in.
pub(super) fn log_in_fields() -> IndexMap<String, FieldDef> {
    let fields = [
        (
            "logIn",
            Type::named("LogInInput").non_null(),
            LogInMeans::Password,
            "Begins a session with an email address and a password. Stands in an operation of its own.",
        ),
        (
            "refreshSession",
            Type::named("RefreshSessionInput"),
            LogInMeans::Refresh,
            "Goes on with a session, with new tokens: each refresh token is good for one use. Send it without an \
             access token.",
        ),
        (
            "resetPassword",
            Type::named("ResetPasswordInput").non_null(),
            LogInMeans::Reset,
            "Sets a new password with the token that requestPasswordReset had sent, ends all sessions of the account and \
             begins a new one.",
        ),
    ];
    let fields = fields.map(|(name, input, means, text)| {
        let field = FieldDef {
            args: IndexMap::from([("input".to_owned(), plain(input))]),
            ..field(
                Type::named("LogInPayload").non_null(),
                FieldMeaning::LogIn(means),
                text,
            )
        };
        (name.to_owned(), field)
    });
    fields.into()
}

impl Builder<'_> {
    pub(super) fn add_log_in(&mut self) -> Result<(), Clash> {
        let required = || plain(Type::named("String").non_null());
        let cookie = || described(Type::named("Boolean"), COOKIE);
        let log_in = [
            ("email", required()),
            ("password", required()),
            ("cookie", cookie()),
        ];
        self.add_input("LogInInput", log_in)?;
        let token = "Left out, it is the cookie's, and the cookies are renewed.";
        let refresh = [("refreshToken", described(Type::named("String"), token))];
        self.add_input("RefreshSessionInput", refresh)?;
        let reset = [
            ("token", required()),
            (
                "password",
                described(
                    Type::named("String").non_null(),
                    "The new one: at least 10 characters.",
                ),
            ),
            ("cookie", cookie()),
        ];
        self.add_input("ResetPasswordInput", reset)?;
        self.add_payload()
    }

    fn add_input<const N: usize>(
        &mut self,
        name: &str,
        fields: [(&str, InputFieldDef); N],
    ) -> Result<(), Clash> {
        let fields = fields.map(|(name, def)| (name.to_owned(), def));
        let input = InputDef {
            description: None,
            fields: fields.into(),
            one_of: false,
        };
        self.add(name.into(), TypeDef::Input(input), "the service".into(), "")
    }

    fn add_payload(&mut self) -> Result<(), Clash> {
        let string = || Type::named("String");
        let fields = [
            (
                "accessToken",
                string(),
                FieldMeaning::AccessToken,
                "Goes into the header `Authorization: Bearer …`. Null when cookies keep the tokens.",
            ),
            (
                "refreshToken",
                string(),
                FieldMeaning::RefreshToken,
                "Goes to `refreshSession`, once. Null when cookies keep the tokens.",
            ),
            (
                "expiresIn",
                Type::named("Int").non_null(),
                FieldMeaning::ExpiresIn,
                "Seconds until the access token expires.",
            ),
        ];
        let fields =
            fields.map(|(name, ty, meaning, text)| (name.to_owned(), field(ty, meaning, text)));
        let mut fields = IndexMap::from(fields);
        if let Some(user) = self.users() {
            let user = Type::named(Arc::clone(user));
            fields.insert(
                "user".into(),
                field(user, FieldMeaning::LoggedInUser, "Who has logged in."),
            );
        }
        let payload = ObjectDef {
            description: None,
            fields,
            node: false,
        };
        let name = "LogInPayload".into();
        self.add(name, TypeDef::Object(payload), "the service".into(), "")
    }
}
