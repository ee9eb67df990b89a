//! The stage: simulated HeyGen, Slack and mail server, a temporary directory, the configuration.
//!
//! Owns what has to exist before the daemon can start. Invariant: nothing outlives the demo but what
//! was printed.

use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use std::io::Write as _;

use jiff::Timestamp;

use super::super::Context;
use super::day::Day;
use crate::clock::Clock;
use crate::config::{self, Config, ConfigError, Surroundings};
use crate::daemon::Deps;
use crate::http_client::ClientOptions;
use crate::simulator::smtp::{Reaction, Script, SmtpServer, Stage as Step};
use crate::simulator::{API_KEY, Options, Service, Simulator};

/// Everything that the daemon needs around it.
pub(super) struct Stage {
    pub(super) simulator: Simulator,
    pub(super) mail: SmtpServer,
    directory: Directory,
    text: String,
    is_mail_down: AtomicBool,
}

impl Stage {
    /// Sets the stage for `day`.
    pub(super) async fn set(day: &Day, clock: Clock, listen: SocketAddr) -> std::io::Result<Self> {
        let mut options = Options::new(clock);
        options.plan = day.plan();
        options.page = day.page();
        options.account = day.account();
        let simulator = Simulator::start(options).await?;
        let mail = SmtpServer::start(Script::default()).await?;
        let directory = Directory::create()?;
        directory.write("heygen_api_key", API_KEY)?;
        directory.write("slack_webhook_url", &simulator.slack_webhook_url())?;
        let text = configuration(&simulator, mail.address(), listen);
        directory.write("config.toml", &text)?;
        Ok(Self { simulator, mail, directory, text, is_mail_down: AtomicBool::new(false) })
    }

    /// The configuration.
    ///
    /// # Errors
    /// Never, unless the demo's own text is wrong.
    pub(super) fn config(&self) -> Result<Config, ConfigError> {
        let now = self.simulator.clock().now();
        config::parse(
            &self.text,
            &self.directory.file("config.toml"),
            &Surroundings::default(),
            now,
        )
    }

    /// What the daemon needs besides.
    pub(super) fn deps(&self, context: &Context) -> Deps {
        let (text, file) = (self.text.clone(), self.directory.file("config.toml"));
        let clock = self.simulator.clock().clone();
        let again = clock.clone();
        Deps {
            clock,
            http: ClientOptions::default(),
            surroundings: Surroundings::default(),
            log_counter: context.log_counter.clone(),
            read_config: Arc::new(move || {
                config::parse(&text, &file, &Surroundings::default(), again.now())
            }),
        }
    }

    /// The mail server shares the fate of the network.
    pub(super) fn follow(&self, now: Timestamp) {
        let is_offline = self.simulator.plan(|plan| plan.is_offline(now));
        if self.is_mail_down.swap(is_offline, Ordering::Relaxed) != is_offline {
            let lost = || Script::always(Step::Greeting, Reaction::Drop);
            self.mail.set_script(if is_offline { lost() } else { Script::default() });
        }
    }
}

/// The built-in probes, pointed at the simulation. Whoever reaches the page may see it: all of it is
/// made up.
fn configuration(simulator: &Simulator, mail: SocketAddr, listen: SocketAddr) -> String {
    let controls: Vec<String> =
        simulator.control_urls().into_iter().map(|url| format!("{url:?}")).collect();
    format!(
        r#"vantage = "demo"
timezone = "UTC"

[heygen]
base_url = "{api}"
api_key_file = "heygen_api_key"

[storage]
path = "history.db"

[web]
listen = "{listen}"
allow_unauthenticated = true

[[probe]]
name = "api-read"
check.api = {{ path = "/v3/users/me" }}

[[probe]]
name = "api-anonymous"
check.api = {{ path = "/v3/users/me", anonymous = true }}

[[probe]]
name = "submit"
check.submit = {{}}

[[probe]]
name = "queue"
check.queue = {{}}

[jobs.render]
queue_floor = "4m"
queue_late = "10m"
queue_stuck = "14m"

[[probe]]
name = "web-app"
check.web = {{ url = "{web_app}" }}

[[probe]]
name = "control"
check.control = {{ https = [{controls}] }}

[[status_page]]
name = "heygen"
url = "{page}"

[[channel]]
name = "team-slack"
slack = {{ webhook_url_file = "slack_webhook_url" }}

[[channel]]
name = "oncall"
[channel.email]
from = "HeyGen monitor <heygen-monitor@example.org>"
to = ["oncall@example.org"]
smtp = {{ host = "{mail_host}", port = {mail_port}, tls = "none" }}
"#,
        api = simulator.url(Service::Api),
        web_app = simulator.url(Service::WebApp),
        page = simulator.url(Service::StatusPage),
        controls = controls.join(", "),
        mail_host = mail.ip(),
        mail_port = mail.port(),
    )
}

/// A private directory that is removed with the demo.
struct Directory(PathBuf);

impl Directory {
    fn create() -> std::io::Result<Self> {
        let name = format!("heygen-monitor-demo-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: &str) -> std::io::Result<()> {
        write_private(&self.file(name), text)
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file =
        std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What cannot be removed is a few files in the system's temporary directory.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
