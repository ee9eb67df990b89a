//! One conversation with a mail server: connect, protect, log in, hand over one mail.
//!
//! Owns the steps, their deadlines, and what each answer means for the delivery. Does not own the
//! mail itself. Invariants: credentials and mail go out only after the protection that the
//! configuration demands; every step has a deadline; one refused recipient never costs the others
//! their mail.

use std::error::Error as _;
use std::future::Future;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;

use super::email::{SmtpServer, SmtpTls};
use crate::model::{AttemptResult, FailureReason};

/// Name lookup, TCP, greeting and EHLO together, and every command after them.
const STEP: Duration = Duration::from_secs(10);
/// After the final dot the server may look at the mail (RFC 5321, 4.5.3.2.6 allows 10 min; a
/// message that late is better sent again).
const CONTENT: Duration = Duration::from_secs(20);
/// The mail is accepted by then; a slow farewell costs nothing.
const FAREWELL: Duration = Duration::from_millis(500);

/// What the server took.
#[derive(Debug, Default)]
pub(super) struct Receipt {
    /// What the server calls the mail, where it says so.
    pub(super) queue_id: Option<String>,
    /// Recipients (by position) that were accepted or refused for good.
    pub(super) settled: Vec<usize>,
    /// Why at least one recipient has to be tried again.
    pub(super) deferred: Option<Failure>,
}

/// A step that failed.
#[derive(Debug)]
pub(super) struct Failure {
    stage: Stage,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    /// The server's answer, or a broken connection.
    Smtp(SmtpError),
    /// No answer within the step's deadline.
    Timeout,
    /// The CA file of the configuration.
    CaFile(std::io::Error),
}

/// The steps of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connect,
    Tls,
    Login,
    Sender,
    Recipient,
    Data,
    Content,
}

/// Hands `mail` over for `recipients` (each with its position in the configuration).
pub(super) async fn converse(
    server: &SmtpServer,
    from: &Address,
    recipients: &[(usize, Address)],
    mail: &[u8],
) -> Result<Receipt, Failure> {
    let mut connection = log_in(server).await?;
    let parameters = if std::iter::once(from)
        .chain(recipients.iter().map(|(_, address)| address))
        .all(|address| AsRef::<str>::as_ref(address).is_ascii())
        || !connection.server_info().supports_feature(Extension::SmtpUtfEight)
    {
        Vec::new()
    } else {
        vec![MailParameter::SmtpUtfEight]
    };
    let sender = Mail::new(Some(from.clone()), parameters);
    step(Stage::Sender, STEP, connection.command(sender)).await?;
    let receipt = address(&mut connection, recipients).await?;
    step(Stage::Data, STEP, connection.command(Data)).await?;
    let answer = step(Stage::Content, CONTENT, connection.message(mail)).await?;
    // The mail is the server's now: whatever the farewell brings changes nothing.
    drop(tokio::time::timeout(FAREWELL, connection.quit()).await);
    Ok(Receipt { queue_id: queue_id(&answer), ..receipt })
}

/// Connects and logs in, and says farewell: nobody is told anything.
pub(super) async fn check(server: &SmtpServer) -> Result<(), Failure> {
    let mut connection = log_in(server).await?;
    drop(tokio::time::timeout(FAREWELL, connection.quit()).await);
    Ok(())
}

async fn log_in(server: &SmtpServer) -> Result<AsyncSmtpConnection, Failure> {
    let mut connection = connect(server).await?;
    if let Some((name, password)) = &server.login {
        let credentials = Credentials::new(name.clone(), password.expose().to_owned());
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        step(Stage::Login, STEP, connection.auth(&mechanisms, &credentials)).await?;
    }
    Ok(connection)
}

async fn connect(server: &SmtpServer) -> Result<AsyncSmtpConnection, Failure> {
    let tls = tls_parameters(server).await?;
    let hello = ClientId::default();
    let (wrapped, upgrade) = match server.tls {
        SmtpTls::Starttls => (None, tls),
        SmtpTls::Tls => (tls, None),
        SmtpTls::None => (None, None),
    };
    let address = (server.host.as_str(), server.port);
    let connecting =
        AsyncSmtpConnection::connect_tokio1(address, Some(STEP), &hello, wrapped, None);
    let mut connection = step(Stage::Connect, STEP, connecting).await?;
    if let Some(parameters) = upgrade {
        // Answers an error when the server does not offer it: never goes on in the clear.
        step(Stage::Tls, STEP, connection.starttls(parameters, &hello)).await?;
    }
    Ok(connection)
}

async fn tls_parameters(server: &SmtpServer) -> Result<Option<TlsParameters>, Failure> {
    if server.tls == SmtpTls::None {
        return Ok(None);
    }
    let failed = |cause| Failure { stage: Stage::Tls, cause };
    let mut builder = TlsParameters::builder(server.host.clone());
    if let Some(path) = &server.ca_file {
        let pem = tokio::fs::read(path).await.map_err(|error| failed(Cause::CaFile(error)))?;
        let certificate =
            Certificate::from_pem(&pem).map_err(|error| failed(Cause::Smtp(error)))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map(Some).map_err(|error| failed(Cause::Smtp(error)))
}

/// Names the recipients; goes on when at least one of them is accepted.
async fn address(
    connection: &mut AsyncSmtpConnection,
    recipients: &[(usize, Address)],
) -> Result<Receipt, Failure> {
    let mut receipt = Receipt::default();
    let mut accepted = 0;
    let mut refused = None;
    for (position, address) in recipients {
        let command = connection.command(Rcpt::new(address.clone(), Vec::new()));
        match step(Stage::Recipient, STEP, command).await {
            Ok(_) => {
                accepted += 1;
                receipt.settled.push(*position);
            }
            Err(failure) if failure.is_about_this_recipient() && failure.is_permanent() => {
                tracing::warn!(
                    "the mail server refuses recipient {} of this channel: {}",
                    position + 1,
                    without_addresses(&failure.to_string())
                );
                receipt.settled.push(*position);
                refused = Some(failure);
            }
            Err(failure) if failure.is_about_this_recipient() => receipt.deferred = Some(failure),
            Err(failure) => return Err(failure),
        }
    }
    match (accepted, receipt.deferred.take(), refused) {
        (0, Some(failure), _) | (0, None, Some(failure)) => Err(failure),
        (_, deferred, _) => Ok(Receipt { deferred, ..receipt }),
    }
}

async fn step<T>(
    stage: Stage,
    deadline: Duration,
    future: impl Future<Output = Result<T, SmtpError>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(deadline, future).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Failure { stage, cause: Cause::Smtp(error) }),
        Err(_elapsed) => Err(Failure { stage, cause: Cause::Timeout }),
    }
}

/// `2.0.0 Ok: queued as 4VxYz` → `4VxYz`: the habit of Postfix, Exim (`id=`) and others.
fn queue_id(answer: &Response) -> Option<String> {
    let words: Vec<&str> = answer.message().flat_map(str::split_whitespace).collect();
    let after_as = words
        .windows(3)
        .find(|three| three.first() == Some(&"queued") && three.get(1) == Some(&"as"));
    let id = after_as.and_then(|three| three.get(2).copied());
    let id = id.or_else(|| words.iter().find_map(|word| word.strip_prefix("id=")));
    id.map(|id| crate::model::text::clean(id, 80))
}

impl Failure {
    /// What follows for the delivery: 4yz and whatever is not an answer is tried again, 5yz is
    /// final (RFC 5321, 4.2.1).
    pub(super) fn result(&self) -> AttemptResult {
        let reason = self.reason();
        let detail = self.to_string();
        if self.is_permanent() {
            AttemptResult::Dead { reason, detail }
        } else {
            AttemptResult::Retry { reason, detail, after: None }
        }
    }

    /// True when nobody was left to write to: every recipient was refused for good.
    pub(super) fn is_refused_recipient(&self) -> bool {
        self.stage == Stage::Recipient && self.is_about_this_recipient() && self.is_permanent()
    }

    fn reason(&self) -> FailureReason {
        let Cause::Smtp(error) = &self.cause else {
            return match self.cause {
                Cause::Timeout => FailureReason::Timeout,
                Cause::CaFile(_) | Cause::Smtp(_) => FailureReason::Unreachable,
            };
        };
        match self.code() {
            _ if self.is_permanent() && self.is_about_login() => FailureReason::Unauthorized,
            Some(500..) => FailureReason::Rejected,
            Some(400..) => FailureReason::ServerError,
            _ if error.is_timeout() => FailureReason::Timeout,
            _ => FailureReason::Unreachable,
        }
    }

    fn is_permanent(&self) -> bool {
        let Cause::Smtp(error) = &self.cause else {
            return false;
        };
        // A server that offers no way to log in will not do so on the next attempt either.
        error.is_permanent() || (self.stage == Stage::Login && error.is_client())
    }

    /// RFC 4954, section 6: 530 authentication required, 534 too weak, 535 invalid, 538 encryption
    /// required.
    fn is_about_login(&self) -> bool {
        self.stage == Stage::Login || matches!(self.code(), Some(530 | 534 | 535 | 538))
    }

    /// True for an answer to one RCPT that says nothing about the connection (421 closes it).
    fn is_about_this_recipient(&self) -> bool {
        self.code().is_some_and(|code| code != 421 && !matches!(code, 530 | 534 | 535 | 538))
    }

    fn code(&self) -> Option<u16> {
        match &self.cause {
            Cause::Smtp(error) => error.status().map(u16::from),
            Cause::Timeout | Cause::CaFile(_) => None,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stage = match self.stage {
            Stage::Connect => "on connecting",
            Stage::Tls => "on starting TLS",
            Stage::Login => "on logging in",
            Stage::Sender => "to the sender",
            Stage::Recipient => "to a recipient",
            Stage::Data => "to DATA",
            Stage::Content => "to the message",
        };
        let error = match &self.cause {
            Cause::Timeout => return write!(f, "the mail server gave no answer {stage}"),
            Cause::CaFile(error) => return write!(f, "the ca_file cannot be read: {error}"),
            Cause::Smtp(error) => error,
        };
        let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        let text = crate::model::text::clean(&text, 200);
        match self.code() {
            Some(code) => write!(f, "the mail server answered {code} {stage}: {text}"),
            None => write!(f, "the mail server failed {stage}: {text}"),
        }
    }
}

/// The text with everything that looks like a mail address blanked out.
pub(super) fn without_addresses(text: &str) -> String {
    let is_end = |letter: char| letter.is_whitespace() || "<>()[]\"',;:".contains(letter);
    let mut clean = String::new();
    for piece in text.split_inclusive(is_end) {
        let word = piece.trim_end_matches(is_end);
        if word.contains('@') {
            clean.push_str("***");
            clean.push_str(piece.strip_prefix(word).unwrap_or_default());
        } else {
            clean.push_str(piece);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_blanked_out_wherever_they_stand() {
        assert_eq!(
            without_addresses("5.1.1 <bob@example.org>: no, to=al@x.org; try \"a@b\" or later"),
            "5.1.1 <***>: no, ***; try \"***\" or later"
        );
        assert_eq!(without_addresses("nothing here"), "nothing here");
    }
}
