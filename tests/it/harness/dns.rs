//! A name server with the records that a test puts there: texts, and addresses.

use std::collections::HashMap;
use std::net::UdpSocket;
use std::sync::{Arc, Mutex};

/// By name and type, as they go over the wire.
type Records = Arc<Mutex<HashMap<(String, u16), Vec<Vec<u8>>>>>;

const ADDRESS: u16 = 1;
const TEXT: u16 = 16;

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
        let record = |text: &&str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        self.put(name, TEXT, texts.iter().map(record).collect());
    }

    /// Has a name lead to an IPv4 address.
    pub(crate) fn lead(&self, name: &str, address: &str) {
        let address: std::net::Ipv4Addr = address.parse().unwrap();
        self.put(name, ADDRESS, vec![address.octets().to_vec()]);
    }

    fn put(&self, name: &str, kind: u16, records: Vec<Vec<u8>>) {
        let key = (name.to_lowercase(), kind);
        self.records.lock().unwrap().insert(key, records);
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
    let kind = u16::from_be_bytes([*query.get(at + 1)?, *query.get(at + 2)?]);
    let records = records.lock().unwrap();
    let found = records.get(&(labels.join("."), kind));
    let code = if found.is_some() { 0 } else { 3 };
    let found = found.map_or(&[][..], Vec::as_slice);
    let mut answer = query[..2].to_vec();
    answer.extend([
        0x85,
        0x80 | code,
        0,
        1,
        0,
        u8::try_from(found.len()).unwrap(),
    ]);
    answer.extend([0; 4]);
    answer.extend(question);
    for record in found {
        let length = u8::try_from(record.len()).unwrap();
        answer.extend([0xc0, 12, 0]);
        answer.extend([u8::try_from(kind).unwrap(), 0, 1, 0, 0, 0, 0, 0, length]);
        answer.extend(record);
    }
    Some(answer)
}
