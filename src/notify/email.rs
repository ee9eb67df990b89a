//! E-mail by SMTP.
//!
//! Owns the configuration of a mail channel, the MIME form of a mail, and which recipients still
//! owe an acceptance. Does not own the words (`render`) nor the conversation (`smtp`).
//! Invariants: both parts are quoted-printable, so no byte of a message can end it early
//! (RUSTSEC-2026-0561); every attempt sends the same mail under the same `Message-ID`; no address
//! leaves in a result.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use super::render::mail::{Mail, Sender, mail};
use super::smtp::{self, Receipt};
use super::{Notifier, NotifyDeps, answer};
use crate::model::{AttemptResult, ChannelKind, Delivery, FailureReason, Timestamp};
use crate::secret::Secret;

/// Everything from the name lookup to the last answer.
const TOTAL: Duration = Duration::from_secs(28);

/// `channel.email` (contract, section 8).
#[derive(Debug, Clone, PartialEq)]
pub struct EmailTarget {
    /// `From`.
    pub from: Mailbox,
    /// `To`.
    pub to: Vec<Mailbox>,
    /// The server.
    pub smtp: SmtpServer,
}

/// An SMTP server.
#[derive(Debug, Clone, PartialEq)]
pub struct SmtpServer {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// User name and password.
    pub login: Option<(String, Secret)>,
    /// A CA file to trust besides the system's.
    pub ca_file: Option<std::path::PathBuf>,
}

/// How an SMTP connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// STARTTLS is demanded, never optional.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None; loopback alone.
    None,
}

/// Sends a channel's deliveries as e-mail.
pub(super) struct EmailNotifier {
    target: EmailTarget,
    deps: NotifyDeps,
    /// Per delivery, the recipients (by position) for whom it was accepted or refused while others
    /// were deferred. In memory: a restart costs them one duplicate with the same `Message-ID`.
    settled: Mutex<BTreeMap<i64, BTreeSet<usize>>>,
}

impl EmailNotifier {
    pub(super) fn new(target: EmailTarget, deps: NotifyDeps) -> Self {
        Self { target, deps, settled: Mutex::default() }
    }

    fn render(&self, delivery: &Delivery, now: Timestamp) -> Mail {
        let domain = self.target.from.email.domain();
        let sender = Sender { domain, monitor_id: &self.deps.monitor_id };
        mail(delivery, sender, self.deps.place(now))
    }

    async fn attempt(&self, delivery: &Delivery, now: Timestamp) -> AttemptResult {
        let bytes = match mime(&self.target, self.render(delivery, now)) {
            Ok(message) => message.formatted(),
            Err(error) => {
                return answer::rejected(format!(
                    "the message cannot be written as a mail: {error}"
                ));
            }
        };
        let open = self.open_recipients(delivery.id);
        let from = &self.target.from.email;
        let conversation = smtp::converse(&self.target.smtp, from, &open, &bytes);
        match tokio::time::timeout(TOTAL, conversation).await {
            Ok(Ok(receipt)) => self.settle(delivery.id, receipt),
            // The others have their mail since an earlier attempt.
            Ok(Err(failure))
                if failure.is_refused_recipient() && open.len() < self.target.to.len() =>
            {
                self.settle(delivery.id, Receipt::default())
            }
            Ok(Err(failure)) => failure.result(),
            Err(_elapsed) => too_slow(),
        }
    }

    /// The result without secrets and addresses.
    fn redacted(&self, result: AttemptResult) -> AttemptResult {
        super::cleaned(self.deps.redacted(result), smtp::without_addresses)
    }

    fn open_recipients(&self, delivery_id: i64) -> Vec<(usize, Address)> {
        let settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        let done = settled.get(&delivery_id);
        let all = self.target.to.iter().map(|mailbox| mailbox.email.clone()).enumerate();
        all.filter(|(position, _)| !done.is_some_and(|done| done.contains(position))).collect()
    }

    fn settle(&self, delivery_id: i64, receipt: Receipt) -> AttemptResult {
        let mut settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(deferred) = receipt.deferred else {
            settled.remove(&delivery_id);
            return AttemptResult::Accepted { provider_ref: receipt.queue_id };
        };
        settled.entry(delivery_id).or_default().extend(receipt.settled);
        deferred.result()
    }
}

impl Notifier for EmailNotifier {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Email
    }

    fn send<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move { self.redacted(self.attempt(delivery, now).await) })
    }

    fn check(&self, _now: Timestamp) -> BoxFuture<'_, Option<AttemptResult>> {
        Box::pin(async move {
            let result = match tokio::time::timeout(TOTAL, smtp::check(&self.target.smtp)).await {
                Ok(Ok(())) => AttemptResult::Accepted { provider_ref: None },
                Ok(Err(failure)) => failure.result(),
                Err(_elapsed) => too_slow(),
            };
            Some(self.redacted(result))
        })
    }

    fn preview(&self, delivery: &Delivery, now: Timestamp) -> String {
        let mail = self.render(delivery, now);
        let mut lines =
            vec![format!("Subject: {}", mail.subject), format!("Message-ID: {}", mail.message_id)];
        lines.extend(mail.root_id.map(|root| format!("References: {root}")));
        lines.extend(mail.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        format!("{}\n\n{}", lines.join("\n"), mail.text.trim_end())
    }
}

fn too_slow() -> AttemptResult {
    AttemptResult::Retry {
        reason: FailureReason::Timeout,
        detail: format!("the mail server took longer than {} s", TOTAL.as_secs()),
        after: None,
    }
}

/// The MIME form: text first, HTML last, both quoted-printable.
fn mime(target: &EmailTarget, mail: Mail) -> Result<lettre::Message, lettre::error::Error> {
    let mut builder = lettre::Message::builder()
        .from(target.from.clone())
        .subject(mail.subject)
        .date(SystemTime::from(mail.date));
    for recipient in &target.to {
        builder = builder.to(recipient.clone());
    }
    let boundary = boundary(&mail.message_id);
    builder = builder.message_id(Some(mail.message_id));
    if let Some(root) = mail.root_id {
        builder = builder.in_reply_to(root.clone()).references(root);
    }
    for (name, value) in mail.headers {
        let name = HeaderName::new_from_ascii_str(name);
        builder = builder.raw_header(HeaderValue::new(name, value));
    }
    builder.multipart(
        MultiPart::alternative()
            .boundary(boundary)
            .singlepart(part(ContentType::TEXT_PLAIN, mail.text))
            .singlepart(part(ContentType::TEXT_HTML, mail.html)),
    )
}

fn part(content_type: ContentType, body: String) -> SinglePart {
    SinglePart::builder()
        .header(content_type)
        .header(ContentTransferEncoding::QuotedPrintable)
        .body(body)
}

/// `=_` cannot occur in quoted-printable text, so no content can contain it (RFC 2045, 6.7).
fn boundary(message_id: &str) -> String {
    let mut hasher = DefaultHasher::new();
    message_id.hash(&mut hasher);
    format!("=_{:016x}", hasher.finish())
}
