//! Malformed and half-malformed requests: the golden cases with parts dropped, doubled, swapped and made
//! absurd. Whatever comes in, what comes out is an answer or a refusal, and never a fault of the service.
//!
//! `FUZZ_SEED` repeats a run, `FUZZ_REQUESTS` says how many requests it has.

use std::path::Path;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::harness::database::names;
use crate::harness::{Answer, Caller, Chance, Service, setting};

/// A connection whose last request was too large may be closed just now: another one is tried.
async fn send(caller: &Caller, body: &[u8]) -> Answer {
    for _ in 0..3 {
        let request = caller
            .request(Method::POST, "/graphql")
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_vec());
        if let Ok(answer) = Answer::try_of(request).await {
            return answer;
        }
    }
    let start = String::from_utf8_lossy(&body[..body.len().min(1000)]);
    panic!("no answer to {} bytes: {start}", body.len());
}

/// A golden case.
struct Case {
    document: String,
    variables: Value,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &Path| {
        let variables = std::fs::read_to_string(path.join("variables.json"));
        Some(Case {
            document: std::fs::read_to_string(path.join("request.graphql")).ok()?,
            variables: variables.map_or_else(|_| json!({}), |text| text.parse().unwrap()),
        })
    };
    paths.iter().filter_map(|path| read(path)).collect()
}

/// A tenant with the rows of the golden cases.
async fn owner(service: &Service) -> Caller {
    let owner = service.sign_up("fuzz").await;
    let psql = service.psql().await;
    let (schema, _) = names(&psql, owner.subdomain()).await;
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/data.sql");
    let data = std::fs::read_to_string(data).unwrap();
    let rows = format!("set search_path = {schema}; {data}");
    psql.batch_execute(&rows).await.unwrap();
    owner
}

#[tokio::test]
async fn absurd_requests_are_refused_and_nothing_breaks() {
    let service = Service::shared();
    let (seed, requests) = (setting("FUZZ_SEED", 1), setting("FUZZ_REQUESTS", 1000));
    let (caller, cases) = (owner(service).await, cases());
    let (mut answered, mut refused) = (0, 0);
    for index in 0..requests {
        let mut chance = Chance::branch(seed, index);
        let case = chance.pick(&cases);
        let body = body(&mut chance, case);
        let answer = send(&caller, &body).await;
        let shown = || {
            let body = String::from_utf8_lossy(&body);
            format!("request {index} of FUZZ_SEED={seed}:\n{body}\n{answer:?}")
        };
        assert!(answer.status.as_u16() < 500, "{}", shown());
        assert!(!answer.text.contains("\"INTERNAL\""), "{}", shown());
        let json: Value =
            serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("{}", shown()));
        assert!(
            json.get("data").is_some() || json["errors"][0]["message"].is_string(),
            "{}",
            shown()
        );
        match json.get("data") {
            Some(_) => answered += 1,
            None => refused += 1,
        }
    }
    assert!(!service.process().log_text().contains("panicked"));
    // Neither nonsense alone nor nothing but the cases themselves.
    assert!(
        answered * 20 > requests && refused * 20 > requests,
        "{answered} {refused}"
    );
}

fn body(chance: &mut Chance, case: &Case) -> Vec<u8> {
    let mut document = case.document.clone();
    let mut variables = case.variables.clone();
    for _ in 0..chance.below(4) {
        document = mutated(chance, &document);
    }
    for _ in 0..chance.below(4) {
        mutate(chance, &mut variables);
    }
    let mut body = json!({"query": document, "variables": variables});
    if chance.percent(5) {
        mutate(chance, &mut body);
    }
    let mut text = body.to_string();
    // What serde would never write: halves of surrogates, and bytes that are no UTF-8.
    if chance.percent(5) {
        text = text.replacen('a', "\\ud800", 1 + chance.below(3));
    }
    let mut bytes = text.into_bytes();
    if chance.percent(3) {
        let place = chance.below(bytes.len());
        bytes[place] = u8::try_from(chance.below(256)).unwrap();
    }
    bytes
}

/// Places between which a document can be cut: tokens, roughly.
fn tokens(text: &str) -> Vec<&str> {
    let (mut tokens, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '.';
        let end = match first {
            '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        tokens.push(&rest[..end]);
        rest = &rest[end..];
    }
    tokens
}

fn mutated(chance: &mut Chance, text: &str) -> String {
    const ABSURD: [&str; 24] = [
        "99999999999999999999999999",
        "-1",
        "-0",
        "1e400",
        "2147483648",
        "9223372036854775808",
        "0.1",
        "null",
        "true",
        "\"\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\"\"block \"\"\"",
        "\u{0}",
        "🗄",
        "{}",
        "[]",
        "[[[[null]]]]",
        "$nothing",
        "@skip(if: true)",
        "...Nothing",
        "__typename",
        "{ __schema { types { name } } }",
        "ASC",
    ];
    let mut tokens: Vec<_> = tokens(text).into_iter().map(str::to_owned).collect();
    if tokens.is_empty() {
        return text.to_owned();
    }
    let (place, other) = (chance.below(tokens.len()), chance.below(tokens.len()));
    match chance.below(8) {
        0 => drop(tokens.remove(place)),
        1 => tokens.swap(place, other),
        2 => tokens.insert(place, tokens[other].clone()),
        3 => {
            let copy = tokens[other].clone();
            tokens[place] = copy;
        }
        4 => tokens.truncate(place),
        5 => {
            let open = *chance.pick(&["{a", "[", "(a:{", "{ ... "]);
            tokens.insert(place, open.repeat([3, 99, 5000][chance.below(3)]));
        }
        _ => tokens[place] = String::from(*chance.pick(&ABSURD)),
    }
    tokens.concat()
}

/// Changes a value somewhere within.
fn mutate(chance: &mut Chance, value: &mut Value) {
    let descend = chance.percent(80);
    match value {
        Value::Object(members) if descend && !members.is_empty() => {
            let place = chance.below(members.len());
            let (key, inner) = members.iter_mut().nth(place).unwrap();
            if chance.percent(10) {
                let key = key.clone();
                let inner = members.remove(&key).unwrap();
                members.insert(key + "x", inner);
            } else {
                mutate(chance, inner);
            }
        }
        Value::Array(items) if descend && !items.is_empty() => {
            let place = chance.below(items.len());
            mutate(chance, &mut items[place]);
        }
        other => *other = absurd(chance, other.clone()),
    }
}

fn absurd(chance: &mut Chance, value: Value) -> Value {
    match chance.below(18) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1),
        3 => json!(i64::MAX),
        4 => json!(u64::MAX),
        5 => json!(1e308),
        6 => json!(0.5),
        7 => json!(""),
        8 => json!("\u{0}"),
        9 => json!("a\u{0}b"),
        10 => json!("🗄\u{202e}\u{feff}"),
        11 => json!("x".repeat(100_000)),
        12 => json!({}),
        13 => json!([value]),
        14 => json!([[value, null]]),
        15 => {
            // Large, but not too large to be made.
            let most = 2_000_000 / (value.to_string().len() + 1);
            Value::Array(vec![value; most.min(20_000)])
        }
        16 => (0..200).fold(value, |value, _| json!([value])),
        _ => json!({"eq": value}),
    }
}
