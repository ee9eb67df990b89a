//! A mail server on loopback that does as it is told.
//!
//! Owns one SMTP listener (RFC 5321, AUTH PLAIN and LOGIN of RFC 4954) that speaks the real
//! dialogue and, at each step, answers well unless the script says otherwise. Keeps every mail it
//! accepted as raw bytes: that is the ground truth of tests. Knows nothing of the monitor.
//! Invariant: a mail is in [`SmtpServer::mails`] before its acceptance is on the wire.

use std::collections::{BTreeSet, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A client line longer than this is cut off (RFC 5321, 4.5.3.1.6 allows 1000 bytes).
const LINE_BYTES: usize = 64 * 1024;

/// A step of the dialogue at which the script can interfere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the commands of RFC 5321")]
pub enum Stage {
    Greeting,
    Ehlo,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// The whole mail has arrived.
    Dot,
}

/// What the server does at a step instead of answering well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaction {
    /// Answers this line: code and text.
    Reply(String),
    /// Says nothing more.
    Hang,
    /// Closes the connection without an answer. At [`Stage::Dot`] the mail was accepted.
    Drop,
}

/// How the server behaves. The default accepts everything from everybody.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// User name and password that it demands.
    pub login: Option<(String, String)>,
    /// Defers each sender and recipient once, as greylisting does.
    pub greylists: bool,
    /// What goes wrong: consumed one by one, each the next time its step is reached.
    pub faults: VecDeque<(Stage, Reaction)>,
    /// What goes wrong every time, when no single fault applies.
    pub always: Option<(Stage, Reaction)>,
}

impl Script {
    /// One fault, once.
    pub fn once(stage: Stage, reaction: Reaction) -> Self {
        Self { faults: VecDeque::from([(stage, reaction)]), ..Self::default() }
    }

    /// One fault, every time.
    pub fn always(stage: Stage, reaction: Reaction) -> Self {
        Self { always: Some((stage, reaction)), ..Self::default() }
    }
}

/// A mail that the server accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMail {
    /// Address of `MAIL FROM`.
    pub from: String,
    /// Addresses of every accepted `RCPT TO`.
    pub to: Vec<String>,
    /// The mail as it was before dot-stuffing.
    pub message: Vec<u8>,
    /// The mail as it was on the wire, without the final dot.
    pub wire: Vec<u8>,
}

/// A mail server on loopback; stops when dropped.
#[derive(Debug)]
pub struct SmtpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct State {
    script: Script,
    greylisted: BTreeSet<(String, String)>,
    mails: Vec<ReceivedMail>,
    commands: Vec<String>,
}

impl SmtpServer {
    /// Listens on a free loopback port.
    ///
    /// # Errors
    /// When no port can be opened.
    #[expect(clippy::disallowed_methods, reason = "the simulator is its own little daemon")]
    pub async fn start(script: Script) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        shared.state().script = script;
        let stop = CancellationToken::new();
        tokio::spawn(stop.clone().run_until_cancelled_owned(accept(listener, shared.clone())));
        Ok(Self { address, shared, stop })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes how it behaves from the next step on.
    pub fn set_script(&self, script: Script) {
        self.shared.state().script = script;
    }

    /// Every mail it accepted, oldest first.
    pub fn mails(&self) -> Vec<ReceivedMail> {
        self.shared.state().mails.clone()
    }

    /// Every command line it received, oldest first; what follows `AUTH` is left out.
    pub fn commands(&self) -> Vec<String> {
        self.shared.state().commands.clone()
    }

    /// Waits until at least `count` mails were accepted.
    pub async fn wait_for_mails(&self, count: usize) -> Vec<ReceivedMail> {
        loop {
            let arrived = self.shared.arrived.notified();
            let mails = self.mails();
            if mails.len() >= count {
                return mails;
            }
            arrived.await;
        }
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault for a step, if the script has one now.
    fn fault(&self, stage: Stage) -> Option<Reaction> {
        let mut state = self.state();
        let script = &mut state.script;
        if let Some(position) = script.faults.iter().position(|(at, _)| *at == stage) {
            return script.faults.remove(position).map(|(_, reaction)| reaction);
        }
        script.always.clone().filter(|(at, _)| *at == stage).map(|(_, reaction)| reaction)
    }
}

/// All connections live inside this one future: they end with it.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let dialogue = Dialogue::new(stream, shared.clone());
        connections.spawn(async move { dialogue.run().await });
    }
}

/// One connection.
struct Dialogue {
    stream: BufReader<TcpStream>,
    shared: Arc<Shared>,
    from: String,
    to: Vec<String>,
    is_logged_in: bool,
}

/// Whether the dialogue goes on.
#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    End,
}

impl Dialogue {
    fn new(stream: TcpStream, shared: Arc<Shared>) -> Self {
        let stream = BufReader::new(stream);
        Self { stream, shared, from: String::new(), to: Vec::new(), is_logged_in: false }
    }

    /// A broken connection ends the dialogue; there is nobody to tell.
    async fn run(mut self) -> std::io::Result<()> {
        let mut next = self.answer(Stage::Greeting, "220 simulated ESMTP").await?;
        while next == Next::GoOn {
            let Some(line) = self.line().await? else {
                return Ok(());
            };
            next = self.command(&line).await?;
        }
        Ok(())
    }

    async fn command(&mut self, line: &str) -> std::io::Result<Next> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let verb = verb.to_ascii_uppercase();
        self.note(if verb == "AUTH" { "AUTH" } else { line });
        match verb.as_str() {
            "EHLO" | "HELO" => {
                self.answer(Stage::Ehlo, "250-simulated\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME")
                    .await
            }
            "AUTH" => self.login(rest).await,
            "MAIL" | "RCPT" | "DATA" if !self.may_send() => {
                self.reply("530 5.7.0 Authentication required").await
            }
            "MAIL" => {
                self.from = path(rest);
                self.to.clear();
                self.answer(Stage::Mail, "250 2.1.0 Ok").await
            }
            "RCPT" => self.recipient(path(rest)).await,
            "DATA" if self.to.is_empty() => self.reply("503 5.5.1 No valid recipients").await,
            "DATA" => self.data().await,
            "RSET" | "NOOP" => self.reply("250 2.0.0 Ok").await,
            "QUIT" => {
                self.reply("221 2.0.0 Bye").await?;
                Ok(Next::End)
            }
            _ => self.reply("502 5.5.2 Command not recognised").await,
        }
    }

    async fn recipient(&mut self, address: String) -> std::io::Result<Next> {
        if let Some(reaction) = self.shared.fault(Stage::Rcpt) {
            return self.react(reaction).await;
        }
        let pair = (self.from.clone(), address.clone());
        let is_deferred = {
            let mut state = self.shared.state();
            state.script.greylists && state.greylisted.insert(pair)
        };
        if is_deferred {
            return self.reply("450 4.2.0 Greylisted, try again later").await;
        }
        self.to.push(address);
        self.reply("250 2.1.5 Ok").await
    }

    async fn data(&mut self) -> std::io::Result<Next> {
        if let Some(reaction) = self.shared.fault(Stage::Data) {
            return self.react(reaction).await;
        }
        self.reply("354 End data with <CR><LF>.<CR><LF>").await?;
        let Some(wire) = self.content().await? else {
            return Ok(Next::End);
        };
        let fault = self.shared.fault(Stage::Dot);
        if let Some(Reaction::Reply(_) | Reaction::Hang) = &fault {
            return self.react(fault.unwrap_or(Reaction::Drop)).await;
        }
        let number = self.keep(wire);
        match fault {
            Some(reaction) => self.react(reaction).await,
            None => self.reply(&format!("250 2.0.0 Ok: queued as SIM{number:05}")).await,
        }
    }

    /// Reads up to the final dot; `None` when the connection ended before.
    async fn content(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut wire = Vec::new();
        while !wire.ends_with(b"\r\n.\r\n") {
            if self.stream.read_until(b'\n', &mut wire).await? == 0 {
                return Ok(None);
            }
            if wire == b".\r\n" {
                return Ok(Some(Vec::new()));
            }
        }
        wire.truncate(wire.len() - 3);
        Ok(Some(wire))
    }

    fn keep(&mut self, wire: Vec<u8>) -> usize {
        let message = unstuffed(&wire);
        let mail = ReceivedMail { from: self.from.clone(), to: self.to.clone(), message, wire };
        let mut state = self.shared.state();
        state.mails.push(mail);
        let number = state.mails.len();
        drop(state);
        self.shared.arrived.notify_waiters();
        number
    }

    async fn login(&mut self, rest: &str) -> std::io::Result<Next> {
        if let Some(reaction) = self.shared.fault(Stage::Auth) {
            return self.react(reaction).await;
        }
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let (name, password) = if mechanism.eq_ignore_ascii_case("PLAIN") {
            let response = self.response(initial, "334 ").await?;
            let mut parts = response.split('\0').skip(1).map(str::to_owned);
            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
        } else {
            // "Username:" and "Password:" in base64, as every client expects.
            let name = self.response(initial, "334 VXNlcm5hbWU6").await?;
            (name, self.response("", "334 UGFzc3dvcmQ6").await?)
        };
        let demanded = self.shared.state().script.login.clone();
        self.is_logged_in = demanded.is_none_or(|demanded| demanded == (name, password));
        let answer = if self.is_logged_in {
            "235 2.7.0 Authentication successful"
        } else {
            "535 5.7.8 Authentication credentials invalid"
        };
        self.reply(answer).await
    }

    /// The initial response, else what the client answers to `challenge`.
    async fn response(&mut self, initial: &str, challenge: &str) -> std::io::Result<String> {
        let encoded = if initial.is_empty() {
            self.reply(challenge).await?;
            self.line().await?.unwrap_or_default()
        } else {
            initial.to_owned()
        };
        // What is no base64 is nobody's password.
        let said = BASE64_STANDARD.decode(encoded).unwrap_or_default();
        Ok(String::from_utf8_lossy(&said).into_owned())
    }

    fn may_send(&self) -> bool {
        self.is_logged_in || self.shared.state().script.login.is_none()
    }

    fn note(&self, line: &str) {
        self.shared.state().commands.push(line.to_owned());
    }

    async fn answer(&mut self, stage: Stage, good: &str) -> std::io::Result<Next> {
        match self.shared.fault(stage) {
            Some(reaction) => self.react(reaction).await,
            None => self.reply(good).await,
        }
    }

    async fn react(&mut self, reaction: Reaction) -> std::io::Result<Next> {
        match reaction {
            Reaction::Reply(line) => self.reply(&line).await,
            Reaction::Drop => Ok(Next::End),
            Reaction::Hang => {
                // Until the client hangs up: what it still says is read and ignored.
                let mut ignored = Vec::new();
                self.stream.read_to_end(&mut ignored).await?;
                Ok(Next::End)
            }
        }
    }

    async fn reply(&mut self, line: &str) -> std::io::Result<Next> {
        self.stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await?;
        Ok(Next::GoOn)
    }

    async fn line(&mut self) -> std::io::Result<Option<String>> {
        let mut line = Vec::new();
        let mut limited = (&mut self.stream).take(LINE_BYTES as u64);
        if limited.read_until(b'\n', &mut line).await? == 0 {
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()))
    }
}

/// `FROM:<a@b> SIZE=1` → `a@b`.
fn path(rest: &str) -> String {
    let inside = rest.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map(|(address, _)| address.to_owned()).unwrap_or_default()
}

/// Takes back the dot that the client put before a line that begins with one.
fn unstuffed(wire: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(wire.len());
    for line in wire.split_inclusive(|byte| *byte == b'\n') {
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
    }
    message
}
