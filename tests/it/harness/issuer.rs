//! An issuer of tokens as Auth0 or Keycloak are: discovery, keys made for the test, and whims.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PublicKeyData as _, SignatureAlgorithm};
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

use super::token::from_now;

/// A key of an issuer: it signs, and its public half is published.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) algorithm: Algorithm,
    signs: EncodingKey,
    pub(crate) public: Value,
}

impl Key {
    pub(crate) fn new(id: &str, algorithm: Algorithm) -> Self {
        let (signs, mut public) = match algorithm {
            Algorithm::ES256 => curve(&rcgen::PKCS_ECDSA_P256_SHA256, "P-256"),
            Algorithm::ES384 => curve(&rcgen::PKCS_ECDSA_P384_SHA384, "P-384"),
            Algorithm::EdDSA => curve(&rcgen::PKCS_ED25519, "Ed25519"),
            _ => rsa(),
        };
        public["kid"] = id.into();
        public["use"] = "sig".into();
        Self {
            id: id.to_owned(),
            algorithm,
            signs,
            public,
        }
    }

    /// The same key, for tokens that say something else of it.
    pub(crate) fn posing_as(&self, id: Option<&str>) -> Header {
        Header {
            kid: id.map(str::to_owned),
            ..Header::new(self.algorithm)
        }
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(&self.posing_as(Some(&self.id)), claims)
    }

    pub(crate) fn sign_as(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &self.signs).unwrap()
    }
}

/// Making one takes a while, so that all tests share them.
fn rsa() -> (EncodingKey, Value) {
    static MADE: OnceLock<Mutex<Vec<rsa::RsaPrivateKey>>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let make = || rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
        Mutex::new(vec![make(), make()])
    });
    let mut made = made.lock().unwrap();
    made.rotate_left(1);
    let public = json!({
        "kty": "RSA",
        "n": URL_SAFE_NO_PAD.encode(made[0].n().to_bytes_be()),
        "e": URL_SAFE_NO_PAD.encode(made[0].e().to_bytes_be()),
    });
    let private = made[0].to_pkcs1_der().unwrap();
    (EncodingKey::from_rsa_der(private.as_bytes()), public)
}

fn curve(algorithm: &'static SignatureAlgorithm, name: &str) -> (EncodingKey, Value) {
    let pair = KeyPair::generate_for(algorithm).unwrap();
    let (private, public) = (pair.serialize_der(), pair.der_bytes());
    if name == "Ed25519" {
        let x = URL_SAFE_NO_PAD.encode(public);
        let public = json!({"kty": "OKP", "crv": name, "x": x});
        return (EncodingKey::from_ed_der(&private), public);
    }
    let (x, y) = public[1..].split_at((public.len() - 1) / 2);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    let public = json!({"kty": "EC", "crv": name, "x": x, "y": y});
    (EncodingKey::from_ec_der(&private), public)
}

/// An issuer at a port of this machine.
pub(crate) struct Issuer {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    keys: Vec<Value>,
    down: bool,
    /// How often its keys were asked for.
    asked: usize,
}

impl Issuer {
    pub(crate) fn start(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let (served, issuer) = (Arc::clone(&state), url.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let _ = serve(&stream.unwrap(), &issuer, &served);
            }
        });
        let issuer = Self { url, state };
        issuer.publish(keys);
        issuer
    }

    /// Has these keys from now on, and no others.
    pub(crate) fn publish(&self, keys: &[&Key]) {
        let keys = keys.iter().map(|key| key.public.clone()).collect();
        self.state.lock().unwrap().keys = keys;
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.state.lock().unwrap().down = down;
    }

    pub(crate) fn asked(&self) -> usize {
        self.state.lock().unwrap().asked
    }

    /// Good claims for anybody.
    pub(crate) fn claims(&self, subject: &str) -> Value {
        json!({
            "iss": self.url,
            "aud": ["https://api.test", "somebody else"],
            "sub": subject,
            "email": format!("{subject}@elsewhere.test"),
            "email_verified": true,
            "name": format!("{subject} Elsewhere"),
            "iat": from_now(0),
            "exp": from_now(600),
        })
    }
}

fn serve(mut stream: &TcpStream, issuer: &str, state: &Mutex<State>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}
    let mut state = state.lock().unwrap();
    if state.down {
        return stream.shutdown(Shutdown::Both);
    }
    let (status, body) = match request.split(' ').nth(1) {
        Some("/.well-known/openid-configuration") => {
            let body = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys")});
            ("200 OK", body)
        }
        Some("/keys") => {
            state.asked += 1;
            ("200 OK", json!({"keys": state.keys}))
        }
        _ => ("404 Not Found", Value::Null),
    };
    let (body, head) = (body.to_string(), "Content-Type: application/json");
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
