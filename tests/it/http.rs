//! The HTTP client against servers that misbehave: every failure has its phase's word and its
//! bound in time and size.

use std::time::Duration;

use heygen_monitor::http_client::{
    ClientOptions, Connection, Exchange, HostEntry, HostTable, HttpClient, Limits, Request,
    TransportFailure, TransportKind,
};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};
use url::Url;

use crate::faulty::{Behaviour, Server, answer, closed_port, gzip_bomb, json};

/// For exchanges that are to succeed, on a busy machine too.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(3),
    idle: Duration::from_secs(3),
    total: Duration::from_secs(5),
    body_bytes: 64 << 10,
};
/// For exchanges that are to run out of time.
const TIGHT: Limits = Limits {
    connect: Duration::from_millis(400),
    idle: Duration::from_millis(400),
    total: Duration::from_millis(1500),
    ..LIMITS
};

fn client() -> HttpClient {
    HttpClient::new(&ClientOptions::default()).unwrap()
}

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

async fn get(url: Url) -> Result<Exchange, TransportFailure> {
    get_within(LIMITS, url).await
}

async fn get_within(limits: Limits, url: Url) -> Result<Exchange, TransportFailure> {
    client().send(Request::get(url, limits)).await
}

async fn failure(behaviour: Behaviour) -> TransportFailure {
    let server = Server::start(vec![behaviour]).await;
    get_within(TIGHT, server.url("/secret-path")).await.unwrap_err()
}

#[tokio::test]
async fn an_answer_arrives_with_its_phases() {
    let server = Server::start(vec![Behaviour::Answer(json("200 OK", "{\"data\":1}"))]).await;
    let exchange = get(server.url("/v3/x?limit=1")).await.unwrap();
    assert_eq!((exchange.status, exchange.body.as_slice()), (200, &b"{\"data\":1}"[..]));
    assert_eq!(exchange.header("content-type"), Some("application/json"));
    assert_eq!(exchange.remote, Some(server.address));
    assert!(!exchange.truncated);
    assert_eq!(exchange.phases.dns, None, "a literal address is not looked up");
    assert!(exchange.phases.connect.is_some() && exchange.phases.ttfb.is_some());
    assert!(exchange.phases.body.is_some());
    let request = server.requests().remove(0).to_lowercase();
    assert!(request.starts_with("get /v3/x?limit=1 http/1.1\r\n"), "{request}");
    assert!(request.contains("user-agent: heygen-monitor/"), "{request}");
    assert!(!request.contains("referer"), "{request}");
}

#[tokio::test]
async fn refused_reset_and_closed_are_connect_failures() {
    let refused = get(url(&format!("http://{}/", closed_port().await))).await.unwrap_err();
    assert_eq!(refused.kind, TransportKind::Connect);
    assert_eq!(refused.text, "connection refused by 127.0.0.1");
    for (behaviour, answered) in [
        (Behaviour::Reset, false),
        (Behaviour::Close, false),
        (Behaviour::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec()), true),
        (
            Behaviour::Answer(
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe".to_vec(),
            ),
            true,
        ),
        (Behaviour::Answer(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), false),
    ] {
        let failed = failure(behaviour.clone()).await;
        assert_eq!(failed.kind, TransportKind::Connect, "{behaviour:?}: {}", failed.text);
        assert_eq!(failed.answered, answered, "{behaviour:?}: {}", failed.text);
        assert!(!failed.text.contains("secret-path"), "{}", failed.text);
    }
}

#[tokio::test]
async fn silence_is_a_timeout_within_the_whole_deadline() {
    let began = Instant::now();
    let failed = failure(Behaviour::Hang).await;
    assert_eq!((failed.kind, failed.answered), (TransportKind::Timeout, false));
    assert_eq!(failed.text, "no answer from 127.0.0.1 within 1.5 s");
    assert!(failed.phases.connect.is_some(), "it was connected");
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_body_that_stops_or_drips_is_a_timeout() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n".to_vec();
    let began = Instant::now();
    let stalled = failure(Behaviour::Stall(head.clone())).await;
    assert_eq!((stalled.kind, stalled.answered), (TransportKind::Timeout, true));
    assert!(began.elapsed() < Duration::from_millis(1200), "the idle deadline ended it");
    let began = Instant::now();
    let dripped = failure(Behaviour::Drip(head, Duration::from_millis(50))).await;
    assert_eq!((dripped.kind, dripped.answered), (TransportKind::Timeout, true));
    assert!(began.elapsed() > Duration::from_millis(1400), "only the whole deadline can end it");
}

#[tokio::test]
async fn a_timeout_before_the_request_takes_its_phases_word() {
    let mute = Server::start(vec![Behaviour::Mute]).await;
    let https = url(&format!("https://{}/", mute.address));
    let handshake = get_within(TIGHT, https).await.unwrap_err();
    assert_eq!(handshake.kind, TransportKind::Tls, "{}", handshake.text);

    // A queue that is full: the kernel drops what knocks next.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(connection) =
        timeout(Duration::from_millis(200), TcpStream::connect(address)).await
    {
        waiting.push(connection.unwrap());
    }
    for scheme in ["http", "https"] {
        let failed = get_within(TIGHT, url(&format!("{scheme}://{address}/"))).await.unwrap_err();
        assert_eq!(failed.kind, TransportKind::Connect, "{scheme}: {}", failed.text);
        assert!(!failed.answered);
    }
}

#[tokio::test]
async fn what_is_not_tls_is_a_tls_failure_and_what_hangs_up_is_not() {
    for (behaviour, kind) in [
        (Behaviour::Answer(answer("400 Bad Request", "", "plain")), TransportKind::Tls),
        (Behaviour::Close, TransportKind::Connect),
        (Behaviour::Reset, TransportKind::Connect),
    ] {
        let server = Server::start(vec![behaviour.clone()]).await;
        let failed = get(url(&format!("https://{}/", server.address))).await.unwrap_err();
        assert_eq!(failed.kind, kind, "{behaviour:?}: {}", failed.text);
    }
}

#[tokio::test]
async fn bodies_are_cut_at_the_cap_as_they_are_decoded() {
    let bomb = gzip_bomb(100_000);
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        bomb.len()
    );
    let bomb = [head.into_bytes(), bomb].concat();
    let flood = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    for behaviour in [Behaviour::Answer(bomb), Behaviour::Flood(flood)] {
        let server = Server::start(vec![behaviour]).await;
        let exchange = get(server.url("/")).await.unwrap();
        assert!(exchange.truncated);
        assert_eq!(exchange.body.len(), LIMITS.body_bytes);
        assert!(exchange.body.iter().all(|byte| *byte == 0));
    }
}

#[tokio::test]
async fn broken_compression_is_an_answer_that_was_cut() {
    let body = "content-encoding: gzip\r\n";
    let server = Server::start(vec![Behaviour::Answer(answer("200 OK", body, "not gzip"))]).await;
    let exchange = get(server.url("/")).await.unwrap();
    assert!(exchange.truncated && exchange.body.is_empty());
}

#[tokio::test]
async fn too_many_or_too_large_headers_are_no_answer() {
    use std::fmt::Write;
    let mut many = String::new();
    for number in 0..200 {
        write!(many, "x-{number}: 1\r\n").unwrap();
    }
    let large = format!("x-large: {}\r\n", "a".repeat(70 << 10));
    let endless = format!("x-endless: {}\r\n", "a".repeat(2 << 20));
    for headers in [many, large, endless] {
        let failed = failure(Behaviour::Answer(answer("200 OK", &headers, ""))).await;
        assert_eq!(failed.kind, TransportKind::Connect, "{}", failed.text);
        assert!(failed.text.len() < 300);
    }
}

#[tokio::test]
async fn a_kept_connection_is_reused_and_a_fresh_one_is_not() {
    let server = Server::start(vec![Behaviour::KeepAlive(json("200 OK", "{}"))]).await;
    let client = client();
    for _ in 0..3 {
        let request = Request::get(server.url("/"), LIMITS).on(Connection::Kept);
        client.send(request).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
    for _ in 0..2 {
        client.send(Request::get(server.url("/"), LIMITS)).await.unwrap();
    }
    assert_eq!(server.connections(), 3);
    let post = Request::post(server.url("/"), "application/json", b"{}".to_vec(), LIMITS);
    client.send(post.on(Connection::Kept)).await.unwrap();
    assert_eq!(server.connections(), 4, "a POST never rides on a kept connection");
}

#[tokio::test]
async fn a_stale_kept_connection_is_never_seen() {
    let fine = json("200 OK", "{}");
    for stale in [Behaviour::Close, Behaviour::Reset, Behaviour::Hang] {
        let first = Behaviour::Once(fine.clone(), Box::new(stale.clone()));
        let server = Server::start(vec![first, Behaviour::KeepAlive(fine.clone())]).await;
        let client = client();
        for _ in 0..2 {
            let request =
                Request::get(server.url("/"), Limits { total: Duration::from_secs(2), ..LIMITS })
                    .on(Connection::Kept);
            let exchange = client.send(request).await;
            assert_eq!(exchange.unwrap().status, 200, "{stale:?}");
        }
        assert_eq!((server.connections(), server.requests().len()), (2, 3), "{stale:?}");
    }
}

#[tokio::test]
async fn a_fresh_connection_that_fails_is_not_tried_again() {
    for connection in [Connection::Fresh, Connection::Kept] {
        let server = Server::start(vec![Behaviour::Close]).await;
        let request = Request::get(server.url("/"), LIMITS).on(connection);
        client().send(request).await.unwrap_err();
        assert_eq!(server.connections(), 1, "{connection:?}");
    }
}

#[tokio::test]
async fn a_post_goes_out_once_whatever_comes_back() {
    let mut behaviours = vec![
        Behaviour::Close,
        Behaviour::Reset,
        Behaviour::Hang,
        Behaviour::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()),
        Behaviour::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()),
        Behaviour::Answer(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
    ];
    let again = "location: /again\r\nretry-after: 0\r\nconnection: close\r\n";
    for status in [301, 302, 303, 307, 308, 401, 407, 408, 409, 421, 425, 429, 500, 502, 503, 504] {
        behaviours.push(Behaviour::Answer(answer(&format!("{status} Again"), again, "")));
    }
    for behaviour in behaviours {
        let server = Server::start(vec![behaviour.clone()]).await;
        let other = Server::start(vec![Behaviour::KeepAlive(json("200 OK", "{}"))]).await;
        let addresses = HostEntry::Addresses(vec![server.address, other.address]);
        let hosts = HostTable::new([("api.test".to_owned(), addresses)]);
        let client = HttpClient::new(&ClientOptions { hosts, ..ClientOptions::default() }).unwrap();
        let post = Request::post(url("http://api.test/"), "text/plain", b"1".to_vec(), TIGHT);
        drop(client.send(post.on(Connection::Kept)).await);
        let seen = (server.connections(), server.requests().len(), other.requests().len());
        assert_eq!(seen, (1, 1, 0), "{behaviour:?}");
    }
}

/// HTTP/2 may say that a request was not taken, after which libraries send it again.
#[tokio::test]
async fn http_1_alone_is_offered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let asked = get(url(&format!("https://{}/", listener.local_addr().unwrap())));
    let greeted = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut greeting = vec![0; 8192];
        let length = stream.read(&mut greeting).await.unwrap();
        greeting.truncate(length);
        greeting
    };
    let (failed, greeting) = tokio::join!(asked, greeted);
    failed.unwrap_err();
    // The extension for protocols (RFC 7301), with a list of one.
    let offer = b"\x00\x10\x00\x0b\x00\x09\x08http/1.1";
    assert!(greeting.windows(offer.len()).any(|part| part == offer), "{greeting:?}");
}

#[tokio::test]
async fn redirects_are_answers_and_nobody_follows_them() {
    let other = Server::start(vec![Behaviour::Answer(json("200 OK", "{}"))]).await;
    let https = format!("https://{}/stolen", other.address);
    for target in [other.url("/stolen").as_str(), &https, "//127.0.0.2/stolen", "/stolen"] {
        let location = format!("location: {target}\r\n");
        let found = Behaviour::Answer(answer("302 Found", &location, ""));
        let server = Server::start(vec![found]).await;
        let key = heygen_monitor::secret::Secret::new("sk_test_do_not_leak_0123456789");
        let request = Request::get(server.url("/"), LIMITS).secret_header("x-api-key", key);
        assert_eq!(client().send(request).await.unwrap().status, 302);
        assert_eq!((server.connections(), other.connections()), (1, 0), "{target}");
    }
}

#[tokio::test]
async fn names_of_the_table_resolve_or_fail_as_told() {
    let server = Server::start(vec![Behaviour::Answer(json("200 OK", "{}"))]).await;
    let entries = [
        ("api.test", HostEntry::Addresses(vec![server.address])),
        ("gone.test", HostEntry::Unknown),
        ("silent.test", HostEntry::Silent),
    ];
    let hosts = HostTable::new(entries.map(|(name, entry)| (name.to_owned(), entry)));
    let client = HttpClient::new(&ClientOptions { hosts, ..ClientOptions::default() }).unwrap();
    let send = |text: &str| client.send(Request::get(url(text), TIGHT));

    let exchange = send("http://api.test/").await.unwrap();
    assert!(exchange.phases.dns.is_some(), "a name is looked up");
    let gone = send("https://gone.test/").await.unwrap_err();
    assert_eq!(gone.kind, TransportKind::Dns);
    assert_eq!(gone.text, "gone.test does not resolve: no such name");
    let silent = send("https://silent.test/").await.unwrap_err();
    assert_eq!(silent.kind, TransportKind::Dns, "{}", silent.text);
    assert_eq!(silent.text, "silent.test did not resolve within 0.4 s");
}

#[tokio::test]
async fn private_addresses_are_refused_before_anything_is_sent() {
    let server = Server::start(vec![Behaviour::Answer(json("200 OK", "{}"))]).await;
    let port = server.address.port();
    for text in [
        "https://10.0.0.1/".to_owned(),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        format!("http://localhost:{port}/"),
        format!("https://localhost:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        format!("http://[::ffff:10.0.0.1]:{port}/"),
        "http://192.0.2.1/".to_owned(),
    ] {
        let failed = get(url(&text)).await.unwrap_err();
        assert_eq!(failed.kind, TransportKind::Address, "{text}: {}", failed.text);
    }
    assert_eq!(server.connections(), 0);
    let hint = get(url(&format!("https://localhost:{port}/"))).await.unwrap_err().text;
    assert!(hint.contains("127.0.0.1"), "{hint}");
}

#[tokio::test]
async fn the_configured_proxy_is_asked_for_everything_but_this_machine() {
    let proxy = Server::start(vec![Behaviour::Answer(json("200 OK", "{}"))]).await;
    let hosts = HostTable::new([("api.test".to_owned(), HostEntry::Unknown)]);
    let options = ClientOptions { proxy: Some(proxy.url("/")), hosts, ..ClientOptions::default() };
    let client = HttpClient::new(&options).unwrap();
    client.send(Request::get(url("http://api.test/x"), LIMITS)).await.unwrap();
    assert!(proxy.requests()[0].starts_with("GET http://api.test/x HTTP/1.1"));
    for host in ["127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]"] {
        let nobody = format!("http://{host}:{}/x", closed_port().await.port());
        let failed = client.send(Request::get(url(&nobody), LIMITS)).await.unwrap_err();
        assert_eq!(failed.kind, TransportKind::Connect, "{host}: {}", failed.text);
    }
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn a_useless_ca_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for path in [empty, folder.path().join("missing.pem")] {
        let options = ClientOptions { ca_file: Some(path.clone()), ..ClientOptions::default() };
        let error = HttpClient::new(&options).unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}
