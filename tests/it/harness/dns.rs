//! A name server with the TXT records that a test puts there.

use std::collections::HashMap;
use std::net::UdpSocket;
use std::sync::{Arc, Mutex};

type Records = Arc<Mutex<HashMap<String, Vec<String>>>>;

pub(crate) struct NameServer {
    /// What `--dns-server` is told.
    pub(crate) address: String,
    records: Records,
}

impl NameServer {
    pub(crate) fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let records = Records::default();
        let served = Arc::clone(&records);
        std::thread::spawn(move || {
            let mut query = [0; 1500];
            while let Ok((length, client)) = socket.recv_from(&mut query) {
                if let Some(answer) = answer(&query[..length], &served) {
                    let _ = socket.send_to(&answer, client);
                }
            }
        });
        Self { address, records }
    }

    pub(crate) fn set(&self, name: &str, texts: &[&str]) {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        self.records
            .lock()
            .unwrap()
            .insert(name.to_lowercase(), texts);
    }
}

/// The answer to a query (RFC 1035, §4.1): its question, and the records; or that there is no such name.
fn answer(query: &[u8], records: &Records) -> Option<Vec<u8>> {
    let (mut at, mut labels) = (12, Vec::new());
    while *query.get(at)? != 0 {
        let length = usize::from(query[at]);
        let label = query.get(at + 1..=at + length)?;
        labels.push(String::from_utf8_lossy(label).to_lowercase());
        at += length + 1;
    }
    let question = query.get(12..at + 5)?;
    let records = records.lock().unwrap();
    let texts = records.get(&labels.join("."));
    let code = if texts.is_some() { 0 } else { 3 };
    let texts = texts.map_or(&[][..], Vec::as_slice);
    let mut answer = query[..2].to_vec();
    answer.extend([
        0x85,
        0x80 | code,
        0,
        1,
        0,
        u8::try_from(texts.len()).unwrap(),
    ]);
    answer.extend([0; 4]);
    answer.extend(question);
    for text in texts {
        let length = u8::try_from(text.len()).unwrap();
        answer.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, length + 1, length]);
        answer.extend(text.as_bytes());
    }
    Some(answer)
}
