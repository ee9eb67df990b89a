//! E-mail over TLS: whom it trusts, and that nothing leaks before or beside it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use heygen_monitor::model::{AttemptResult, EventKind};
use heygen_monitor::notify::email::SmtpTls;
use heygen_monitor::secret::Secret;
use heygen_monitor::simulator::smtp::{Script, SmtpServer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{delivery, mail_channel, mail_target, message, now};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls").join(name)
}

fn acceptor(certificate: &str) -> TlsAcceptor {
    let chain = vec![CertificateDer::from_pem_file(file(certificate)).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file("key.pem")).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

/// TLS in front of `server`: from the first byte, or after STARTTLS.
#[expect(clippy::disallowed_methods, reason = "the other side of a test runs beside it")]
async fn front(server: SocketAddr, certificate: &str, tls: SmtpTls) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = acceptor(certificate);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let _ends = connection(client, server, &acceptor, tls).await;
        }
    });
    port
}

async fn connection(
    client: TcpStream,
    server: SocketAddr,
    acceptor: &TlsAcceptor,
    tls: SmtpTls,
) -> std::io::Result<()> {
    let mut behind = BufReader::new(TcpStream::connect(server).await?);
    let client = match tls {
        SmtpTls::Tls => client,
        SmtpTls::Starttls | SmtpTls::None => {
            // The greeting was given in the clear; after STARTTLS the client says EHLO again.
            behind.read_line(&mut String::new()).await?;
            upgraded(client).await?
        }
    };
    let mut client = acceptor.accept(client).await?;
    join(&mut client, &mut behind.into_inner()).await
}

async fn upgraded(client: TcpStream) -> std::io::Result<TcpStream> {
    let mut client = BufReader::new(client);
    client.write_all(b"220 front\r\n").await?;
    client.read_line(&mut String::new()).await?;
    client.write_all(b"250-front\r\n250 STARTTLS\r\n").await?;
    client.read_line(&mut String::new()).await?;
    client.write_all(b"220 go ahead\r\n").await?;
    Ok(client.into_inner())
}

async fn join(
    one: &mut (impl AsyncRead + AsyncWrite + Unpin),
    other: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> std::io::Result<()> {
    tokio::io::copy_bidirectional(one, other).await.map(drop)
}

async fn attempt(certificate: &str, tls: SmtpTls, ca: Option<&str>) -> (AttemptResult, SmtpServer) {
    let login = Some(("monitor".to_owned(), "right horse".to_owned()));
    let server = SmtpServer::start(Script { login, ..Script::default() }).await.unwrap();
    let mut target = mail_target(front(server.address(), certificate, tls).await);
    target.smtp.tls = tls;
    target.smtp.login = Some(("monitor".to_owned(), Secret::new("right horse")));
    target.smtp.ca_file = ca.map(file);
    let result = mail_channel(target).send(&delivery(message(EventKind::Opened)), now()).await;
    (result, server)
}

#[tokio::test]
async fn mail_goes_out_over_tls_and_over_starttls() {
    for tls in [SmtpTls::Tls, SmtpTls::Starttls] {
        let (result, server) = attempt("valid.pem", tls, Some("ca.pem")).await;
        assert!(matches!(result, AttemptResult::Accepted { .. }), "{tls:?}: {result:?}");
        assert_eq!(server.mails().len(), 1, "{tls:?}");
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_trusted_learns_nothing() {
    for tls in [SmtpTls::Tls, SmtpTls::Starttls] {
        for (certificate, ca) in [("valid.pem", None), ("expired.pem", Some("ca.pem"))] {
            let (result, server) = attempt(certificate, tls, ca).await;
            assert!(matches!(result, AttemptResult::Retry { .. }), "{tls:?}: {result:?}");
            assert_eq!(server.commands(), [""; 0], "{tls:?} {certificate}");
        }
    }
}

#[tokio::test]
async fn a_ca_file_that_cannot_be_read_is_said_plainly() {
    let (result, _) = attempt("valid.pem", SmtpTls::Tls, Some("missing.pem")).await;
    let AttemptResult::Retry { detail, .. } = result else { panic!("{result:?}") };
    assert!(detail.starts_with("the ca_file cannot be read"), "{detail}");
}

/// Collects every log line.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_level_shows_passwords_or_addresses() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    tracing::trace!("the log is read");
    let (result, _) = attempt("valid.pem", SmtpTls::Starttls, Some("ca.pem")).await;
    assert!(matches!(result, AttemptResult::Accepted { .. }), "{result:?}");
    drop(guard);
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("the log is read"));
    // The password as it stands in AUTH PLAIN: base64 of "\0monitor\0right horse".
    for secret in ["right horse", "AG1vbml0b3IAcmlnaHQgaG9yc2U=", "oncall@example.org"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
