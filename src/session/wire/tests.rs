//! The protocol against a server that this test plays, which sends and takes as it likes.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::*;

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[tag], &length.to_be_bytes()[..], body].concat()
}

fn row(value: &[u8]) -> Vec<u8> {
    let length = i32::try_from(value.len()).unwrap();
    message(b'D', &[&[0, 1], &length.to_be_bytes()[..], value].concat())
}

fn done() -> Vec<u8> {
    message(b'C', b"SELECT\0")
}

fn ready(status: u8) -> Vec<u8> {
    message(b'Z', &[status])
}

fn error(code: &str) -> Vec<u8> {
    message(
        b'E',
        format!("SERROR\0C{code}\0Mno\0nthe_key\0\0").as_bytes(),
    )
}

fn pair() -> (Wire, DuplexStream) {
    let (ours, theirs) = duplex(64);
    (Wire::new(Box::new(ours)), theirs)
}

/// Takes a train up to its Sync.
async fn take(server: &mut DuplexStream) {
    loop {
        let tag = server.read_u8().await.unwrap();
        let length = server.read_u32().await.unwrap();
        let mut body = vec![0; usize::try_from(length).unwrap() - 4];
        server.read_exact(&mut body).await.unwrap();
        if matches!(tag, b'S' | b'Q') {
            return;
        }
    }
}

fn column(rows: &Rows) -> Vec<&[u8]> {
    rows.iter().filter_map(|row| row.column(0)).collect()
}

#[tokio::test]
async fn an_answer_in_pieces_is_put_together() {
    let (mut wire, mut server) = pair();
    let long = vec![7; 100_000];
    let answer = [
        message(b'1', b""),
        message(b'2', b""),
        row(b"not wanted"),
        done(),
        row(b"first"),
        row(&long),
        done(),
        message(b'N', b"SNOTICE\0\0"),
        done(),
        row(b"last"),
        done(),
        ready(b'I'),
    ]
    .concat();
    tokio::spawn(async move {
        take(&mut server).await;
        for piece in answer.chunks(11) {
            server.write_all(piece).await.unwrap();
        }
        server
    });
    wire.parse("", "select 1").unwrap();
    wire.sync();
    let answer = wire.exchange(1).await.unwrap();
    assert_eq!(answer.done, 4);
    assert!(answer.error.is_none());
    let results: Vec<_> = answer.into_rows().collect();
    assert_eq!(column(&results[0]), [&b"first"[..], &long]);
    assert!(results[1].is_empty());
    assert_eq!(column(&results[2]), [b"last"]);
    assert!(wire.is_idle());
}

#[tokio::test]
async fn both_sides_may_talk_at_once() {
    let (mut wire, mut server) = pair();
    // The server answers before it has taken everything, and takes nothing more until that is read.
    tokio::spawn(async move {
        server.read_u8().await.unwrap();
        for _ in 0..100 {
            server.write_all(&row(&[1; 1000])).await.unwrap();
        }
        let mut rest = vec![0; 10_000];
        while server.read(&mut rest).await.unwrap() == 64 {}
        server
            .write_all(&[done(), ready(b'I')].concat())
            .await
            .unwrap();
        server
    });
    wire.parse("", &"x".repeat(50_001)).unwrap();
    wire.sync();
    let answer = wire.exchange(0).await.unwrap();
    assert_eq!(answer.into_rows().next().unwrap().len(), 100);
}

#[tokio::test]
async fn a_failed_transaction_is_rolled_back_before_the_connection_is_idle() {
    let (mut wire, mut server) = pair();
    let server = tokio::spawn(async move {
        take(&mut server).await;
        let failed = [done(), error("23505"), ready(b'E')].concat();
        server.write_all(&failed).await.unwrap();
        take(&mut server).await;
        server
            .write_all(&[done(), ready(b'I')].concat())
            .await
            .unwrap();
        server
    });
    wire.sync();
    let answer = wire.exchange(0).await.unwrap();
    let refused = answer.error.unwrap();
    assert_eq!((answer.done, refused.code()), (1, "23505"));
    assert_eq!(refused.to_string(), "23505: no (the_key)");
    assert!(!wire.is_idle());
    wire.finish().await.unwrap();
    assert!(wire.is_idle());
    drop(server);
}

#[tokio::test]
async fn an_exchange_that_was_dropped_is_finished() {
    let (mut wire, mut server) = pair();
    wire.parse("", &"x".repeat(1000)).unwrap();
    wire.sync();
    let cut = tokio::time::timeout(std::time::Duration::from_millis(10), wire.exchange(0));
    assert!(cut.await.is_err());
    assert!(!wire.is_idle());
    tokio::spawn(async move {
        take(&mut server).await;
        let answer = [row(b"late"), done(), ready(b'T')].concat();
        server.write_all(&answer).await.unwrap();
        take(&mut server).await;
        server
            .write_all(&[done(), ready(b'I')].concat())
            .await
            .unwrap();
        server
    });
    wire.finish().await.unwrap();
    assert!(wire.is_idle());
}

#[tokio::test]
async fn last_words_are_heard() {
    let (mut wire, mut server) = pair();
    wire.sync();
    server.write_all(&error("57P01")).await.unwrap();
    drop(server);
    match wire.exchange(0).await {
        Err(Broken::Ended(error)) => assert_eq!(error.code(), "57P01"),
        Err(Broken::Io(_)) => {} // what is written to it fails first
        other => panic!("{other:?}"),
    }
    assert!(!wire.is_idle());
}

#[tokio::test]
async fn a_connection_that_ended_while_idle_is_not_alive() {
    let (mut wire, mut server) = pair();
    assert!(wire.is_alive());
    let changed = message(b'S', b"TimeZone\0UTC\0");
    server.write_all(&changed).await.unwrap();
    assert!(wire.is_alive());
    server.write_all(&error("57P01")).await.unwrap();
    assert!(!wire.is_alive());
    let (mut wire, server) = pair();
    drop(server);
    assert!(!wire.is_alive());
}

#[tokio::test]
async fn nonsense_is_refused() {
    for nonsense in [
        message(b'G', b"\0\0\0"),
        vec![b'D', 0xff, 0xff, 0xff, 0xff],
        vec![b'Z', 0, 0, 0, 0],
        vec![b'C', 0, 0, 0, 3],
    ] {
        let (mut wire, mut server) = pair();
        wire.sync();
        server.write_all(&nonsense).await.unwrap();
        assert!(wire.exchange(0).await.is_err(), "{nonsense:?}");
    }
}
