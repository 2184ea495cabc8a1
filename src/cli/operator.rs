//! `tenantry operator …`: those who may run the service through its GraphQL API.

use std::io::IsTerminal as _;

use clap::{Args, Subcommand};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::ask;
use super::database::{DatabaseArguments, command_line};
use super::exit::Refused;
use super::output::{self, Table, moment};
use crate::error::Failure;
use crate::names::EmailAddress;
use crate::secret::Secret;

/// Exit status: 0 done, 1 failed, 2 wrong command line, 3 no such operator, 4 not possible, 5 not confirmed.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: DatabaseArguments,

    /// Prints JSON.
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes an operator, and prints a one-time token by which the operator chooses a password.
    Create(Create),
    /// Lists operators.
    List,
    /// Prints a new one-time token; the old password is forgotten, and a disabled operator is one again.
    Reset(Named),
    /// Takes everything away from an operator, at once.
    Disable(Disable),
}

#[derive(Debug, Args)]
struct Named {
    /// The operator's e-mail address.
    email: String,
}

#[derive(Debug, Args)]
struct Create {
    #[command(flatten)]
    named: Named,

    /// Reads a password from the terminal or from standard input, instead of making a token.
    #[arg(long)]
    password: bool,
}

#[derive(Debug, Args)]
struct Disable {
    #[command(flatten)]
    named: Named,

    /// Does not ask.
    #[arg(long)]
    yes: bool,
}

impl Arguments {
    pub(super) fn json(&self) -> bool {
        self.json
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let registry = arguments.database.registry().await?;
    let by = command_line();
    match arguments.command {
        Command::Create(create) => {
            let email = create.named.parse()?;
            let password = create.password.then(ask::password).transpose()?;
            let made = registry
                .create_operator(&by, &email, password.as_deref())
                .await;
            let token = made.map_err(refused)?;
            told(arguments.json, &email, token.as_ref().map(Secret::as_str));
        }
        Command::Reset(named) => {
            let email = named.parse()?;
            let token = registry
                .reset_operator(&by, &email)
                .await
                .map_err(refused)?;
            told(arguments.json, &email, Some(token.as_str()));
        }
        Command::Disable(disable) => {
            let email = disable.named.parse()?;
            ask::confirm(
                disable.yes,
                &format!("Disable the operator {email}? [y/N]"),
                "y",
            )?;
            registry
                .disable_operator(&by, &email)
                .await
                .map_err(refused)?;
            told(arguments.json, &email, None);
        }
        Command::List => {
            let operators = registry.list_operators().await?;
            if arguments.json {
                let at = |at: Option<OffsetDateTime>| at.and_then(|at| at.format(&Rfc3339).ok());
                let all = operators.iter().map(|operator| {
                    json!({
                        "id": operator.id.to_string(),
                        "email": operator.email,
                        "createdAt": at(Some(operator.created_at)),
                        "lastLogInAt": at(operator.last_log_in_at),
                        "disabledAt": at(operator.disabled_at),
                    })
                });
                output::json(&all.collect());
                return Ok(());
            }
            let mut table = Table::new(["EMAIL", "STATUS", "LAST LOG-IN", "CREATED"]);
            for operator in operators {
                let status = operator.disabled_at.map_or("active", |_| "disabled");
                table.push([
                    operator.email,
                    status.to_owned(),
                    moment(operator.last_log_in_at),
                    moment(Some(operator.created_at)),
                ]);
            }
            table.print();
        }
    }
    Ok(())
}

/// The token alone goes to standard output, where a script can take it.
fn refused(failure: Failure) -> Refused {
    Refused::from(failure).plainly()
}

fn told(json: bool, email: &EmailAddress, token: Option<&str>) {
    if json {
        output::json(&json!({"email": email.as_str(), "token": token}));
    } else if let Some(token) = token {
        eprintln!(
            "{email} chooses a password with this token, within a day, at the base domain (its page /graphiql will do):"
        );
        eprintln!("{}", activation(token));
        output::write(&format!("{token}\n"));
    }
}

/// The mutation, to be pasted. What is not read by a person at a terminal may be kept, and does not have the token in it.
fn activation(token: &str) -> String {
    let token = if std::io::stderr().is_terminal() {
        token
    } else {
        "TOKEN"
    };
    format!(
        r#"mutation {{ activateOperator(input: {{token: "{token}", password: "PASSWORD"}}) {{ accessToken }} }}"#
    )
}

impl Named {
    fn parse(&self) -> anyhow::Result<EmailAddress> {
        let email = EmailAddress::parse(&self.email);
        Ok(email.map_err(|error| Refused::from(Failure::bad_input("email", error.to_string())))?)
    }
}
