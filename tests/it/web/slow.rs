//! Peers that connect and then only sit there.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::{Site, say, served, serving};
use crate::sample_view::api_outage;

const SILENT: usize = 1_000;

/// Far above what an answer takes on a slow machine, far below the 10 s a head may take.
const AT_ONCE: Duration = Duration::from_secs(5);

/// This process holds both ends of every connection.
fn allow_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised).expect("the hard limit is allowed");
}

#[tokio::test]
async fn a_thousand_peers_that_send_one_byte_keep_nobody_out() {
    allow_files();
    let site = Site::new(Some(api_outage()));
    served(&site, async |address| {
        let head = "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let mut silent = Vec::new();
        for i in 0..SILENT {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"G").await.unwrap();
            silent.push(stream);
            if i % 200 == 199 {
                let begun = Instant::now();
                assert!(say(address, head).await.starts_with("HTTP/1.1 200 OK"), "after {i}");
                assert!(begun.elapsed() < AT_ONCE, "{:?} after {i}", begun.elapsed());
            }
        }
        // Those that sat there longest had to go.
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(AT_ONCE, silent[0].read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "the first of them still holds a place");
    })
    .await;
}

#[tokio::test]
async fn an_answer_under_way_is_never_cut_for_a_newcomer() {
    allow_files();
    let site = Site::new(Some(api_outage()));
    served(&site, async |address| {
        // It asks, and asks again on the same connection each time fifty others have come.
        let mut steady = TcpStream::connect(address).await.unwrap();
        let mut silent = Vec::new();
        for round in 0..8 {
            let head = b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n";
            steady.write_all(head).await.unwrap();
            let mut answer = vec![0; 64];
            let read = steady.read(&mut answer).await.unwrap();
            assert!(answer[..read].starts_with(b"HTTP/1.1 200"), "round {round}");
            let mut rest = vec![0; 4_096];
            let _more =
                tokio::time::timeout(Duration::from_millis(50), steady.read(&mut rest)).await;
            for _ in 0..50 {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(b"G").await.unwrap();
                silent.push(stream);
            }
        }
    })
    .await;
}

const ASK: &[u8] = b"GET /assets/page.js HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Asks on a connection that stays open, and reads the whole answer.
async fn ask(stream: &mut TcpStream) {
    stream.write_all(ASK).await.unwrap();
    let mut answer = String::new();
    while !answer.contains("addEventListener(\"visibilitychange\"") {
        let mut part = vec![0; 16_384];
        let read = tokio::time::timeout(AT_ONCE, stream.read(&mut part)).await;
        let read = read.expect("an answer comes at once").unwrap();
        assert!(read > 0, "the connection is closed: {answer}");
        answer.push_str(std::str::from_utf8(&part[..read]).unwrap());
    }
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

/// Lets the clock of both sides run on without waiting.
async fn later(by: Duration) {
    // What was sent has arrived before time passes.
    tokio::time::sleep(Duration::from_millis(50)).await;
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

async fn ends_within(stream: &mut TcpStream, patience: Duration) -> bool {
    let mut rest = Vec::new();
    tokio::time::timeout(patience, stream.read_to_end(&mut rest)).await.is_ok()
}

/// How long it takes to believe that a connection stays open.
const A_MOMENT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_connection_is_kept_for_a_minute_without_a_question() {
    let site = Site::new(Some(api_outage()));
    serving(&site, async |address| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        for _ in 0..3 {
            ask(&mut stream).await;
            later(Duration::from_secs(50)).await;
        }
        ask(&mut stream).await;
        later(Duration::from_secs(61)).await;
        assert!(ends_within(&mut stream, AT_ONCE).await, "it is idle for more than a minute");
    })
    .await;
}

#[tokio::test]
async fn a_head_has_ten_seconds_from_its_first_byte() {
    let site = Site::new(Some(api_outage()));
    serving(&site, async |address| {
        let mut fresh = TcpStream::connect(address).await.unwrap();
        let mut kept = TcpStream::connect(address).await.unwrap();
        ask(&mut kept).await;
        later(Duration::from_secs(5)).await;
        assert!(!ends_within(&mut fresh, A_MOMENT).await);
        later(Duration::from_secs(6)).await;
        assert!(ends_within(&mut fresh, AT_ONCE).await, "it never said anything");
        // A byte every few seconds does not prolong it.
        for _ in 0..2 {
            kept.write_all(b"G").await.unwrap();
            later(Duration::from_secs(3)).await;
            assert!(!ends_within(&mut kept, A_MOMENT).await);
        }
        later(Duration::from_secs(5)).await;
        assert!(ends_within(&mut kept, AT_ONCE).await, "its head is not whole after ten seconds");
    })
    .await;
}
