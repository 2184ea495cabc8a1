//! Tokens that are not what they seem: each is refused, and says why.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::{TENANT, WHO, refusal, tenant, trusting};
use crate::harness::issuer::{Issuer, Key};
use crate::harness::token::{Secret, from_now};
use crate::harness::{Claims, Service};

/// What the public half of a key looks like to somebody who takes it for a secret.
fn as_secrets(key: &Key) -> Vec<Vec<u8>> {
    let modulus = URL_SAFE_NO_PAD
        .decode(key.public["n"].as_str().unwrap())
        .unwrap();
    vec![
        modulus,
        key.public["n"].as_str().unwrap().into(),
        key.public.to_string().into_bytes(),
        Vec::new(),
    ]
}

fn hs256(id: &str, claims: &Value, secret: &[u8]) -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(id.to_owned());
    encode(&header, claims, &EncodingKey::from_secret(secret)).unwrap()
}

/// Good claims, and what is done to them.
struct Forge<'a> {
    rsa: &'a Key,
    issuer: &'a Issuer,
    good: Value,
}

impl Forge<'_> {
    fn with(&self, name: &str, value: impl Into<Value>) -> String {
        let mut claims = self.good.clone();
        claims[name] = value.into();
        self.rsa.sign(&claims)
    }

    fn without(&self, name: &str) -> String {
        let mut claims = self.good.clone();
        claims.as_object_mut().unwrap().shift_remove(name);
        self.rsa.sign(&claims)
    }

    fn as_header(&self, change: fn(&mut Header)) -> String {
        let mut header = self.rsa.posing_as(Some("rsa"));
        change(&mut header);
        self.rsa.sign_as(&header, &self.good)
    }

    /// The head and the signature of a good token, around the body of another.
    fn another_body(&self) -> String {
        let (good, other) = (self.rsa.sign(&self.good), self.with("sub", "ada"));
        let mut parts: Vec<_> = good.split('.').collect();
        parts[1] = other.split('.').nth(1).unwrap();
        parts.join(".")
    }

    /// What is wrong with a signature or a header.
    fn signatures(&self, stranger: &Key) -> Vec<(&'static str, String, &'static str)> {
        let good = || Claims(self.good.clone());
        let own = Secret(Service::shared().dir().read("jwt-secret"));
        let named = |id| self.rsa.sign_as(&self.rsa.posing_as(Some(id)), &self.good);
        let mut table = vec![
            ("alg none", good().unsigned("none"), "names no algorithm"),
            ("alg nOnE", good().unsigned("nOnE"), "names no algorithm"),
            (
                "no signature",
                good().unsigned("RS256"),
                "signature is wrong",
            ),
            ("our own secret", good().sign(&own), "not accepted"),
            ("unknown kid", named("nobody"), "does not have"),
            ("kid of another kind", named("ec"), "its key is not for"),
            (
                "a stranger",
                stranger.sign(&self.good),
                "signature is wrong",
            ),
            ("another body", self.another_body(), "signature is wrong"),
            ("rubbish", "x.y.z".to_owned(), "not valid"),
            (
                "critical",
                self.as_header(|header| header.crit = Some(vec!["b64".to_owned()])),
                "critical",
            ),
        ];
        for secret in as_secrets(self.rsa) {
            let token = hs256("rsa", &self.good, &secret);
            table.push(("HS256 with the public key", token, "not accepted"));
        }
        table
    }

    /// What is wrong with claims.
    fn claims(&self) -> Vec<(&'static str, String, &'static str)> {
        vec![
            ("expired", self.with("exp", from_now(-60)), "has expired"),
            ("no end", self.without("exp"), "lacks the claim exp"),
            (
                "an end that is none",
                self.with("exp", "soon"),
                "lacks the claim exp",
            ),
            ("not yet", self.with("nbf", from_now(600)), "not valid yet"),
            (
                "from the future",
                self.with("iat", from_now(600)),
                "not valid yet",
            ),
            (
                "another audience",
                self.with("aud", "https://other.test"),
                "another audience",
            ),
            (
                "audiences of others",
                self.with("aud", json!(["a", "b"])),
                "another audience",
            ),
            ("no audience", self.without("aud"), "another audience"),
            ("no user", self.without("sub"), "lacks the claim sub"),
            ("an empty user", self.with("sub", ""), "lacks the claim sub"),
            (
                "no tenant",
                self.without(TENANT),
                "lacks the claim https://example.com/tenant",
            ),
            (
                "a tenant that is no text",
                self.with(TENANT, json!({"id": 1})),
                "lacks the claim",
            ),
            (
                "another issuer",
                self.with("iss", "https://evil.test"),
                "not valid",
            ),
            (
                "two issuers",
                self.with("iss", json!([self.issuer.url, "tenantry"])),
                "not valid",
            ),
            ("our own name", self.with("iss", "tenantry"), "not valid"),
            ("no issuer", self.without("iss"), "not valid"),
        ]
    }
}

#[tokio::test]
async fn forged_tokens_are_refused_and_told_why() {
    let rsa = Key::new("rsa", Algorithm::RS256);
    let (ec, stranger) = (
        Key::new("ec", Algorithm::ES256),
        Key::new("ec", Algorithm::ES256),
    );
    let issuer = Issuer::start(&[&rsa, &ec]);
    let replica = trusting(&issuer, &[]).await;
    let owner = tenant("anyone").await.at(&replica);
    let mut good = issuer.claims("eve");
    good[TENANT] = owner.subdomain().into();
    let forge = Forge {
        rsa: &rsa,
        issuer: &issuer,
        good,
    };
    let table = [forge.signatures(&stranger), forge.claims()].concat();
    for (what, token, expected) in table {
        let (code, message) = refusal(&owner.with_token(Some(&token))).await;
        assert_eq!(code, "UNAUTHENTICATED", "{what}: {message}");
        assert!(message.contains(expected), "{what}: {message}");
    }
    // Keys that the token itself brings, or names, are nobody's.
    let brought = forge.as_header(|header| header.jku = Some("https://evil.test/keys".to_owned()));
    let brought = owner.with_token(Some(&brought));
    assert_eq!(brought.query(WHO).await.status, 200);
    let other = owner.with_token(Some(&forge.with(TENANT, "acme")));
    assert_eq!(refusal(&other).await.0, "FORBIDDEN");
    let acme = replica.tenant("acme").anonymous();
    let acme = acme.with_token(Some(&rsa.sign(&forge.good)));
    assert_eq!(refusal(&acme).await.0, "FORBIDDEN");
    // A token that was good is good until it ends, and not longer because it was seen before.
    let short = owner.with_token(Some(&forge.with("exp", from_now(-28))));
    assert_eq!(short.query(WHO).await.status, 200, "clocks differ a little");
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    assert!(refusal(&short).await.1.contains("expired"));
}
