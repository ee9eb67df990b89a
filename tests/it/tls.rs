//! The HTTP client over TLS: whom it trusts, what it says of certificates.
//!
//! `tls/` holds a certificate authority made for these tests (its key is gone), one key, and two
//! certificates for `api.heygen.test` and 127.0.0.1: one valid until 2126, one expired on
//! 2026-01-01.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use heygen_monitor::http_client::{
    ClientOptions, Connection, Exchange, HostEntry, HostTable, HttpClient, Limits, Request,
    TransportFailure, TransportKind, Trust,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls").join(name)
}

/// Answers every request on every connection with 200 and `{}`.
#[expect(clippy::disallowed_methods, reason = "the other side of a test runs beside it")]
async fn server(certificate: &str) -> SocketAddr {
    let chain = vec![CertificateDer::from_pem_file(file(certificate)).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file("key.pem")).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
    let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut request = [0; 4096];
                while stream.read(&mut request).await.is_ok_and(|length| length > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                    stream.write_all(answer).await.unwrap();
                }
            });
        }
    });
    address
}

fn client(trusted: Option<&str>, address: SocketAddr) -> HttpClient {
    let names = ["api.heygen.test", "other.test"];
    let entry = |name: &str| (name.to_owned(), HostEntry::Addresses(vec![address]));
    let hosts = HostTable::new(names.map(entry));
    let ca_file = trusted.map(file);
    HttpClient::new(&ClientOptions { hosts, ca_file, ..ClientOptions::default() }).unwrap()
}

async fn get(client: &HttpClient, url: &str) -> Result<Exchange, TransportFailure> {
    let limits = Limits::API.within(Duration::from_secs(3));
    client.send(Request::get(url.parse().unwrap(), limits).on(Connection::Kept)).await
}

#[tokio::test]
async fn a_trusted_certificate_is_reported_with_its_end() {
    let address = server("valid.pem").await;
    let client = client(Some("ca.pem"), address);
    let end = "2126-01-01T00:00:00Z".parse().unwrap();
    let first = get(&client, "https://api.heygen.test/").await.unwrap();
    assert_eq!((first.status, first.certificate_expires_at), (200, Some(end)));
    assert!(first.phases.dns.is_some() && first.phases.connect.is_some());
    let second = get(&client, "https://api.heygen.test/").await.unwrap();
    assert_eq!(second.certificate_expires_at, Some(end), "a kept connection knows it too");
    assert_eq!((second.phases.dns, second.phases.connect), (None, None), "it was kept");
    get(&client, &format!("https://{address}/")).await.unwrap();
}

#[tokio::test]
async fn whoever_trusts_nobody_still_has_his_own_file() {
    let address = server("valid.pem").await;
    let limits = Limits::API.within(Duration::from_secs(3));
    let url: url::Url = format!("https://{address}/").parse().unwrap();
    for (ca_file, is_trusted) in [(None, false), (Some(file("ca.pem")), true)] {
        let options = ClientOptions { trust: Trust::Nobody, ca_file, ..ClientOptions::default() };
        let client = HttpClient::new(&options).unwrap();
        let sent = client.send(Request::get(url.clone(), limits)).await;
        assert_eq!(sent.is_ok(), is_trusted, "{sent:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_expired_strange_or_anothers_is_a_tls_failure() {
    for (certificate, trusted, host, word) in [
        ("expired.pem", Some("ca.pem"), "api.heygen.test", "expired"),
        ("valid.pem", Some("ca.pem"), "other.test", "not valid for name"),
        ("valid.pem", None, "api.heygen.test", "UnknownIssuer"),
    ] {
        let address = server(certificate).await;
        let client = client(trusted, address);
        let failed = get(&client, &format!("https://{host}/")).await.unwrap_err();
        assert_eq!(failed.kind, TransportKind::Tls, "{}", failed.text);
        assert!(failed.text.starts_with(&format!("no TLS with {host}: ")), "{}", failed.text);
        assert!(failed.text.contains(word), "{}", failed.text);
        assert!(!failed.answered);
    }
}
