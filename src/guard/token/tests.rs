//! Tokens as they go out, and whatever may come in instead.

use super::*;
use serde_json::json;

pub(crate) const SECRET: &str = "bYjA6lGq0X7vR2nPz4TfWm9sKc1hEu8dQiLo5xJtVaB3";

fn tokens() -> Tokens {
    let lifetimes = Lifetimes {
        access: Duration::from_hours(1),
        session: Duration::from_hours(24),
    };
    Tokens::new(&JwtSecret::parse(SECRET).unwrap(), lifetimes)
}

const TENANT: TenantId = TenantId(Uuid::from_u128(1));
const USER: UserId = UserId(Uuid::from_u128(2));

fn session(tenant: Option<TenantId>) -> Session {
    Session {
        id: SessionId(Uuid::from_u128(3)),
        account: USER,
        tenant,
    }
}

/// A token with any header and claims, signed as the header says with the right secret.
fn forge(header: &Header, claims: &serde_json::Value) -> String {
    encode(header, claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

fn claims(patch: &serde_json::Value) -> serde_json::Value {
    let mut claims = json!({"iss": "tenantry", "sub": USER.0, "tid": TENANT.0, "role": "member", "iat": now(), "exp": now() + 60});
    for (key, value) in patch.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().shift_remove(key);
        } else {
            claims[key] = value.clone();
        }
    }
    claims
}

fn refusal(token: &str) -> Code {
    tokens().verify(token, TENANT).expect_err(token).code
}

#[test]
fn a_token_comes_back_as_it_went() {
    let role = Some(MemberRole::Admin);
    let token = tokens().issue(&session(Some(TENANT)), role).unwrap();
    let claim = tokens().verify(token.as_str(), TENANT).unwrap();
    assert_eq!((claim.user, Some(claim.role)), (USER, role));
    assert_eq!(claim.session, Some(session(None).id));
    // From before there were sessions and audiences.
    let old = forge(&Header::default(), &claims(&json!({})));
    assert_eq!(tokens().verify(&old, TENANT).unwrap().session, None);
}

#[test]
fn another_tenants_token_is_forbidden() {
    let other = Some(TenantId(Uuid::from_u128(9)));
    let token = tokens().issue(&session(other), Some(MemberRole::Owner));
    assert_eq!(refusal(token.unwrap().as_str()), Code::Forbidden);
}

#[test]
fn the_base_domain_and_tenants_take_each_their_own() {
    let (account, member) = (
        tokens().issue(&session(None), None).unwrap(),
        tokens()
            .issue(&session(Some(TENANT)), Some(MemberRole::Owner))
            .unwrap(),
    );
    assert_eq!(refusal(account.as_str()), Code::Unauthenticated);
    assert!(tokens().verify_account(member.as_str()).is_err());
    assert_eq!(
        tokens().verify_account(account.as_str()).unwrap(),
        (USER, session(None).id)
    );
    // Whatever else it says, it is the audience that counts.
    for patch in [
        json!({"aud": "account"}),
        json!({"aud": "operator"}),
        json!({"aud": ["tenant"]}),
    ] {
        let token = forge(&Header::default(), &claims(&patch));
        assert_eq!(refusal(&token), Code::Unauthenticated, "{patch}");
    }
}

#[test]
fn the_next_refresh_token_is_always_the_same_and_never_this_one() {
    let first = RefreshToken::random();
    let second = tokens().successor(&first).unwrap();
    assert!(second == tokens().successor(&first).unwrap() && second != first);
    let other = JwtSecret::parse(&SECRET.replace('A', "B")).unwrap();
    let other = Tokens::new(&other, tokens().lifetimes);
    assert!(other.successor(&first).unwrap() != second);
}

#[test]
fn wrong_claims_are_refused() {
    for patch in [
        json!({"exp": now() - 60}),
        json!({"exp": null}),
        json!({"exp": "soon"}),
        json!({"iat": now() + 60}),
        json!({"iat": null}),
        json!({"nbf": now() + 60}),
        json!({"iss": "somebody"}),
        json!({"iss": null}),
        json!({"sub": null}),
        json!({"sub": "ada"}),
        json!({"tid": null}),
        json!({"role": "root"}),
        json!({"role": null}),
    ] {
        assert_eq!(
            refusal(&forge(&Header::default(), &claims(&patch))),
            Code::Unauthenticated,
            "{patch}"
        );
    }
}

#[test]
fn only_hs256_and_only_our_key() {
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        assert_eq!(
            refusal(&forge(&Header::new(algorithm), &claims(&json!({})))),
            Code::Unauthenticated
        );
    }
    let other = EncodingKey::from_secret(&[7; 32]);
    assert_eq!(
        refusal(&encode(&Header::default(), &claims(&json!({})), &other).unwrap()),
        Code::Unauthenticated
    );
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    for alg in ["none", "None", "NONE", "nOnE"] {
        let unsigned = format!(
            "{}.{}.",
            part(&json!({"alg": alg, "typ": "JWT"})),
            part(&claims(&json!({})))
        );
        assert_eq!(refusal(&unsigned), Code::Unauthenticated);
    }
}

#[test]
fn a_token_that_was_good_expires() {
    let tokens = tokens();
    let patch = json!({"exp": now() - LEEWAY + 1});
    let token = forge(&Header::default(), &claims(&patch));
    assert!(tokens.verify(&token, TENANT).is_ok());
    std::thread::sleep(Duration::from_millis(2_100));
    let refused = tokens.verify(&token, TENANT).unwrap_err();
    assert!(refused.message.contains("expired"), "{}", refused.message);
}

#[test]
fn every_tampered_byte_is_noticed() {
    let tokens = tokens();
    let token = tokens
        .issue(&session(Some(TENANT)), Some(MemberRole::Viewer))
        .unwrap()
        .0;
    tokens.verify(&token, TENANT).unwrap(); // from here on it is remembered
    let refusal = |token: &str| tokens.verify(token, TENANT).expect_err(token).code;
    let end = token.len() - 1; // the last character holds two unused bits
    for place in 0..end {
        let mut bytes = token.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        assert_eq!(
            refusal(&String::from_utf8(bytes).unwrap()),
            Code::Unauthenticated,
            "byte {place}"
        );
    }
    for bad in [
        "",
        ".",
        "..",
        "a.b.c",
        "ä.ö.ü",
        &token[..end],
        &format!("{token}.x"),
        &"x".repeat(10_000),
    ] {
        assert_eq!(refusal(bad), Code::Unauthenticated, "{bad}");
    }
}
