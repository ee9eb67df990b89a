//! A simulated world with a configuration on it, and the three ways to put the product to work:
//! `check` and `run` of the real binary, or the daemon in this process in fast time.
//!
//! Owns processes and directories; what a scenario expects is the scenario's. Invariant: nothing is
//! read from the environment of the test run.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::simulator::smtp::{Script, SmtpServer};
use heygen_monitor::simulator::{API_KEY, Options, Service, Simulator};
use heygen_monitor::store::Store;
use jiff::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// The product.
const BINARY: &str = env!("CARGO_BIN_EXE_heygen-monitor");
/// Names the fault point at which a process kills itself.
pub(crate) const KILL_AT: &str = "HEYGEN_MONITOR_KILL_AT";

/// Which key the monitor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Right,
    Wrong,
    /// In the file `heygen_api_key` beside the configuration, which is the test's to write.
    InFile,
    None,
}

/// What the configuration says.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) key: Key,
    /// Instead of the simulated API.
    pub(crate) base_url: Option<&'static str>,
    /// What `api-read` reads.
    pub(crate) api_path: &'static str,
    /// Interval of everything but the slower anonymous and submit probes.
    pub(crate) every: &'static str,
    /// Re-check interval while something is suspect.
    pub(crate) recheck: &'static str,
    /// Whether Slack and e-mail are told.
    pub(crate) channels: Channels,
    /// More of the file, put behind everything else.
    pub(crate) extra: String,
}

/// Whether anybody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channels {
    None,
    Email,
    SlackAndEmail,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            key: Key::Right,
            base_url: None,
            api_path: "/v3/users/me",
            every: "60s",
            recheck: "10s",
            channels: Channels::SlackAndEmail,
            extra: String::new(),
        }
    }
}

impl Wanted {
    /// For `check`: nobody is told, re-checks come quickly.
    pub(crate) fn for_check() -> Self {
        Self { recheck: "0.1s", channels: Channels::None, ..Self::default() }
    }
}

/// The simulated world.
pub(crate) struct Bench {
    pub(crate) simulator: Simulator,
    pub(crate) mail: SmtpServer,
    directory: tempfile::TempDir,
}

/// What one `check` said.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) code: i32,
    pub(crate) verdict: Value,
    pub(crate) stderr: String,
}

/// What one command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A mail as a person and a mail program see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    /// `Message-ID`.
    pub(crate) id: String,
    /// What happened, as the mail's header says.
    pub(crate) event: String,
    pub(crate) subject: String,
    pub(crate) text: String,
}

impl Bench {
    pub(crate) async fn start(clock: Clock) -> Self {
        Self {
            simulator: Simulator::start(Options::new(clock)).await.unwrap(),
            mail: SmtpServer::start(Script::default()).await.unwrap(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// One `check --json` by the real binary, without channels and state.
    pub(crate) async fn check(&self, wanted: &Wanted) -> Checked {
        let mut output = self.command(wanted, &["check", "--json", "--timeout", "10s"]);
        let output = output.kill_on_drop(true).output();
        let output = tokio::time::timeout(Duration::from_secs(20), output).await;
        let output = output.expect("check ends within its timeout").unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let verdict = serde_json::from_slice(&output.stdout).unwrap_or_default();
        Checked { code: output.status.code().unwrap_or(-1), verdict, stderr }
    }

    /// One command of the real binary, beside whatever runs.
    pub(crate) async fn say(&self, wanted: &Wanted, arguments: &[&str]) -> Said {
        let mut output = self.command(wanted, arguments);
        let output = output.kill_on_drop(true).output();
        let output = tokio::time::timeout(Duration::from_secs(30), output).await;
        let output = output.expect("a command ends").unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        Said {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// The real binary in the foreground, started and no more.
    pub(crate) fn launch(&self, wanted: &Wanted) -> Foreground {
        Foreground::of(*self.command(wanted, &["run"]))
    }

    /// The real binary in the foreground, once it listens.
    pub(crate) async fn run(&self, wanted: &Wanted) -> Foreground {
        let mut foreground = self.launch(wanted);
        let listening = foreground.says("listening on http://").await;
        assert!(listening.contains("127.0.0.1:"), "{listening}");
        foreground
    }

    /// The real binary in the foreground; it will kill itself at a fault point.
    pub(crate) fn run_until(&self, wanted: &Wanted, kill_at: &str) -> Foreground {
        let mut command = self.command(wanted, &["run"]);
        command.env(KILL_AT, kill_at);
        Foreground::of(*command)
    }

    /// The real binary where it should not start: its exit code.
    pub(crate) async fn refuses(&self, wanted: &Wanted) -> Option<i32> {
        Foreground::of(*self.command(wanted, &["run"])).ends().await.code()
    }

    fn command(&self, wanted: &Wanted, arguments: &[&str]) -> Box<Command> {
        let mut command = Command::new(BINARY);
        let home = self.directory.path();
        command.env_clear().env("HOME", home).env("PATH", std::env::var("PATH").unwrap());
        if let Some((name, value)) = environment(wanted.key) {
            command.env(name, value);
        }
        command.arg("--config").arg(self.write_configuration(wanted)).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Box::new(command)
    }

    /// The history, to be read beside whoever writes it.
    pub(crate) fn history(&self) -> Store {
        Store::open_to_read(&self.directory.path().join("history.db"))
    }

    /// Writes the configuration and answers its path.
    pub(crate) fn write_configuration(&self, wanted: &Wanted) -> PathBuf {
        let path = self.directory.path().join("config.toml");
        let webhook = self.directory.path().join("slack_webhook_url");
        std::fs::write(&webhook, self.simulator.slack_webhook_url()).unwrap();
        make_private(&webhook);
        std::fs::write(&path, self.configuration(wanted)).unwrap();
        path
    }

    /// The built-in probes, pointed at the simulated world.
    pub(crate) fn configuration(&self, wanted: &Wanted) -> String {
        let simulator = &self.simulator;
        let api = simulator.url(Service::Api);
        let mut text = format!(
            r#"vantage = "bench"
timezone = "UTC"
[heygen]
base_url = "{base}"
{key_file}
[storage]
path = "history.db"
[web]
listen = "127.0.0.1:0"
[thresholds]
recheck = "{recheck}"
[[probe]]
name = "api-anonymous"
every = "5m"
check.api = {{ path = "/v3/users/me", anonymous = true }}
[[probe]]
name = "web-app"
every = "{every}"
check.web = {{ url = "{web_app}" }}
[[probe]]
name = "control"
every = "{every}"
check.control = {{ https = {controls:?}, dns = [{{ name = "control.example", server = "{dns}" }}] }}
[[status_page]]
name = "heygen"
url = "{page}"
role = "primary"
every = "{every}"
"#,
            base = wanted.base_url.unwrap_or(&api),
            key_file = match wanted.key {
                Key::InFile => "api_key_file = \"heygen_api_key\"",
                Key::Right | Key::Wrong | Key::None => "",
            },
            recheck = wanted.recheck,
            every = wanted.every,
            web_app = simulator.url(Service::WebApp),
            controls = simulator.control_urls(),
            dns = simulator.address(Service::Dns),
            page = simulator.url(Service::StatusPage),
        );
        if wanted.key != Key::None {
            text.push_str(&keyed_probes(wanted));
        }
        if wanted.channels == Channels::SlackAndEmail {
            text.push_str(SLACK);
        }
        if wanted.channels != Channels::None {
            text.push_str(&mail(self.mail.address()));
        }
        text.push_str(&wanted.extra);
        text
    }

    /// Texts that Slack accepted, oldest first.
    pub(crate) fn slack(&self) -> Vec<(Timestamp, String)> {
        let received = self.simulator.received(Service::Slack).into_iter();
        let accepted = received.filter(|entry| entry.status == Some(200));
        accepted
            .map(|entry| (entry.at, entry.json()["text"].as_str().unwrap_or_default().to_owned()))
            .collect()
    }

    /// Mails that the mail server accepted, oldest first.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        let mails = self.mail.mails();
        mails.iter().map(|mail| read(&mail.message)).collect()
    }

    /// The environment in which the product runs.
    pub(crate) fn surroundings(key: Key) -> heygen_monitor::config::Surroundings {
        let mut surroundings = heygen_monitor::config::Surroundings::default();
        if let Some((name, value)) = environment(key) {
            surroundings.env.insert(name.to_owned(), value.to_owned());
        }
        surroundings
    }
}

/// The real binary in the foreground; killed when dropped.
pub(crate) struct Foreground {
    child: Child,
    lines: tokio::io::Lines<BufReader<tokio::process::ChildStderr>>,
    said: Vec<String>,
}

impl Foreground {
    fn of(mut command: Command) -> Self {
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines, said: Vec::new() }
    }

    /// Where its HTTP side is.
    pub(crate) fn url(&self) -> String {
        let listening = self.said.iter().find_map(|line| line.split_once("listening on http://"));
        format!("http://{}", listening.unwrap().1.trim())
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ends(mut self) -> ExitStatus {
        let ending = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                self.said.push(line);
            }
            self.child.wait().await.unwrap()
        };
        let ended = tokio::time::timeout(Duration::from_mins(1), ending).await;
        ended.unwrap_or_else(|_| panic!("it does not end; said {:#?}", self.said))
    }

    /// Waits for a line on stderr that holds `part`.
    pub(crate) async fn says(&mut self, part: &str) -> String {
        let read = async {
            loop {
                let line = self.lines.next_line().await.unwrap();
                let line = line.unwrap_or_else(|| panic!("ended; said {:#?}", self.said));
                self.said.push(line.clone());
                if line.contains(part) {
                    return line;
                }
            }
        };
        let found = tokio::time::timeout(Duration::from_secs(20), read).await;
        found.unwrap_or_else(|_| panic!("`{part}` is never said; said {:#?}", self.said))
    }

    /// The process, as the operating system knows it.
    pub(crate) fn pid(&self) -> rustix::process::Pid {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap();
        rustix::process::Pid::from_raw(pid).unwrap()
    }

    /// `kill -9`.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Ends it as systemd does; answers its exit code.
    pub(crate) async fn stop(mut self) -> Option<i32> {
        rustix::process::kill_process(self.pid(), rustix::process::Signal::TERM).unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await;
        ended.expect("it ends when asked to").unwrap().code()
    }
}

fn environment(key: Key) -> Option<(&'static str, &'static str)> {
    match key {
        Key::Right => Some(("HEYGEN_API_KEY", API_KEY)),
        Key::Wrong => Some(("HEYGEN_API_KEY", "sk_wrong_0123456789")),
        Key::InFile | Key::None => None,
    }
}

fn keyed_probes(wanted: &Wanted) -> String {
    format!(
        r#"[[probe]]
name = "api-read"
every = "{}"
check.api = {{ path = "{}" }}
[[probe]]
name = "submit"
every = "5m"
check.submit = {{}}
"#,
        wanted.every, wanted.api_path
    )
}

const SLACK: &str = r#"[[channel]]
name = "slack"
slack = { webhook_url_file = "slack_webhook_url" }
"#;

fn mail(mail: SocketAddr) -> String {
    format!(
        r#"[[channel]]
name = "mail"
[channel.email]
from = "heygen-monitor@example.org"
to = ["oncall@example.org"]
smtp = {{ host = "{}", port = {}, tls = "none" }}
"#,
        mail.ip(),
        mail.port()
    )
}

pub(crate) fn make_private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn read(message: &[u8]) -> Mail {
    let parsed = mail_parser::MessageParser::default().parse(message).unwrap();
    let event = parsed.header("X-HeyGen-Monitor-Event").and_then(|value| value.as_text());
    Mail {
        id: parsed.message_id().unwrap_or_default().to_owned(),
        event: event.unwrap_or_default().to_owned(),
        subject: parsed.subject().unwrap_or_default().to_owned(),
        text: parsed.body_text(0).unwrap_or_default().into_owned(),
    }
}
