//! Passwords: which ones are good enough, and their Argon2id hashes.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::task::{JoinHandle, spawn_blocking};

use super::turns::{Turn, Turns};
use crate::error::Failure;
use crate::names::{EmailAddress, TenantId};

/// A password that was chosen for a new account and is good enough.
pub(crate) struct Password(String);

/// More than anybody types; bounds the work that a request can ask for.
const LONGEST: usize = 1024;
const SHORTEST: usize = 10;

/// The commonest passwords that are long enough to be allowed otherwise.
const COMMON: &str = "
    1234567890 0123456789 0987654321 9876543210 1111111111 0000000000 12345678910 123456789a 1q2w3e4r5t
    1q2w3e4r5t6y 1qaz2wsx3edc qwertyuiop qwerty12345 qwerty123456 asdfghjkl; abcdefghij abc1234567 password12
    password123 password1234 passwordpassword iloveyou12 iloveyou123 letmein123 letmein1234 welcome123
    welcome1234 changeme123 adminadmin admin12345 administrator superman123 football123 baseball123
    princess123 correcthorsebatterystaple
";

impl Password {
    /// Length is what counts (NIST SP 800-63B §5.1.1.2): no rules about the kinds of characters.
    pub(crate) fn choose(text: &str, email: &EmailAddress, name: &str) -> Result<Self, Failure> {
        let refuse = |why: &'static str| Err(Failure::bad_input("password", why));
        let lower = text.to_lowercase();
        let local = email.as_str().split('@').next().unwrap_or_default();
        let repeated = text
            .chars()
            .next()
            .is_some_and(|first| text.chars().all(|c| c == first));
        if text.chars().count() < SHORTEST {
            refuse("a password has at least 10 characters")
        } else if text.len() > LONGEST {
            refuse("a password has at most 1024 bytes")
        } else if repeated || is_common(&lower) {
            refuse("this password is one of the first that an attacker tries")
        } else if [email.as_str(), local, name]
            .iter()
            .any(|known| known.to_lowercase() == lower)
        {
            refuse("a password is not the e-mail address or a name that everybody knows")
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

/// Whether it is on the list, perhaps with spaces in between.
fn is_common(lower: &str) -> bool {
    let word: String = lower.split_whitespace().collect();
    COMMON.split_ascii_whitespace().any(|common| common == word)
}

/// Hashes on threads of their own, few at a time: one hash takes 19 MiB and tens of milliseconds.
#[derive(Debug)]
pub(crate) struct Hasher {
    turns: Arc<Turns>,
}

impl Hasher {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            turns: Turns::new((cores / 2).max(1)),
        }
    }

    /// Waits for a turn; tenants take turns, and then whoever asks there.
    pub(super) async fn turn(&self, place: Option<TenantId>) -> Result<Turn, Failure> {
        self.turns.take(place).await
    }

    /// The PHC string to keep.
    pub(super) async fn hash(&self, password: Password) -> Result<String, Failure> {
        let mut hashing = self.begin(password).await?;
        Ok(hashing.hash().await?.to_owned())
    }

    /// Waits for a turn, and hashes while other things are done.
    pub(super) async fn begin(&self, password: Password) -> Result<Hashing, Failure> {
        let turn = self.turn(None).await?;
        let hash = move || {
            let _turn = turn;
            Argon2::default()
                .hash_password(password.0.as_bytes())
                .map(|hash| hash.to_string())
        };
        Ok(Hashing::Running(spawn_blocking(hash)))
    }

    /// Whether a password belongs to a hash. Without a hash the answer is no, after just as long a time.
    pub(super) async fn verify(
        &self,
        turn: Turn,
        password: &str,
        hash: Option<String>,
    ) -> Result<bool, Failure> {
        let possible =
            hash.as_deref().is_some_and(|hash| hash != NOBODYS) && password.len() <= LONGEST;
        let password = if possible {
            password.to_owned()
        } else {
            String::new()
        };
        let verify = move || {
            let hash = if possible { hash } else { None };
            let hash = PasswordHash::new(hash.as_deref().unwrap_or(NOBODYS))?;
            Ok::<_, argon2::password_hash::phc::Error>(
                Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok(),
            )
        };
        let matches = run(turn, verify).await?.map_err(Failure::internal)?;
        Ok(possible && matches)
    }
}

/// A hash that is being made.
pub(super) enum Hashing {
    Running(JoinHandle<Result<String, argon2::password_hash::Error>>),
    Done(String),
}

impl Hashing {
    /// The PHC string, once it is there.
    pub(super) async fn hash(&mut self) -> Result<&str, Failure> {
        if let Self::Running(work) = self {
            let hash = work.await.map_err(Failure::internal)?;
            *self = Self::Done(hash.map_err(Failure::internal)?);
        }
        match self {
            Self::Done(hash) => Ok(hash),
            Self::Running(_) => Err(Failure::internal("a hash was not finished")),
        }
    }
}

async fn run<T: Send + 'static>(
    turn: Turn,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let work = move || {
        let _turn = turn; // kept until the work is done, even when nobody waits for it any more
        work()
    };
    spawn_blocking(work).await.map_err(Failure::internal)
}

/// A hash with the parameters of [`Argon2::default`], for accounts that do not exist and for those that have no password.
/// No password belongs to it, not even the text that it was made of.
pub(super) const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0IGZvciBub2JvZHk$7w2NDVgRjkPDLqWZ3ib3fHqVtPLXDmsAAmHYQJWRKXU";

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(text: &str) -> Result<Password, Failure> {
        let email = EmailAddress::parse("bill.lumbergh@initech.test").unwrap();
        Password::choose(text, &email, "Initech Inc.")
    }

    #[test]
    fn long_passwords_are_good_and_guessable_ones_are_not() {
        for good in [
            "demo-password",
            "a long password",
            "пароль-пароль",
            &"x1".repeat(512),
        ] {
            assert!(choose(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "short",
            "ninechars",
            "aaaaaaaaaaaa",
            "Password123",
            "correct horse battery staple",
            "qwertyuiop",
            "initech inc.",
            "Bill.Lumbergh",
            "bill.lumbergh@initech.test",
            &"x1".repeat(513),
        ] {
            let failure = choose(bad)
                .err()
                .unwrap_or_else(|| panic!("{bad} was accepted"));
            assert_eq!(failure.details.field.as_deref(), Some("password"));
        }
    }

    #[test]
    fn nobodys_hash_costs_as_much_as_a_real_one() {
        let real = Argon2::default().hash_password(b"x").unwrap().to_string();
        let cost = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(cost(&real), cost(NOBODYS));
        assert!(PasswordHash::new(NOBODYS).is_ok());
    }

    #[tokio::test]
    async fn a_hash_knows_its_password() {
        let hasher = Hasher::new();
        let hash = hasher
            .hash(Password("a long password".into()))
            .await
            .unwrap();
        assert!(hash.starts_with("$argon2id$v=19$"));
        let verify = async |password: &str, hash: Option<&String>| {
            let turn = hasher.turn(None).await.unwrap();
            hasher.verify(turn, password, hash.cloned()).await.unwrap()
        };
        assert!(verify("a long password", Some(&hash)).await);
        assert!(!verify("a long passwor", Some(&hash)).await);
        assert!(!verify(&"x".repeat(2000), Some(&hash)).await);
        assert!(!verify("a long password", None).await);
        assert!(!verify("", None).await);
    }
}
