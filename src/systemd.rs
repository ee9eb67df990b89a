//! What the daemon tells the service manager: ready, status, reloading, stopping, still alive.
//!
//! Owns the notification protocol (sd_notify(3)) and nothing of its meaning: whether the daemon
//! makes progress is an argument. Without a manager every call does nothing. Invariant: `READY=1`
//! follows every `RELOADING=1`, and `WATCHDOG=1` is sent only while the caller says "alive".

use std::collections::BTreeMap;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

/// How often liveness is looked at, as a part of the time that the manager grants: half of it is
/// what sd_watchdog_enabled(3) recommends.
const WATCHDOG_PART: u32 = 2;

/// A long step of the start is granted this much more, again and again: longer than anything in it
/// keeps the loops waiting.
const GRANT: Duration = Duration::from_mins(2);

/// How often; the first time well before the unit's `TimeoutStartSec`.
const GRANT_EVERY: Duration = Duration::from_secs(30);

/// The service manager, or nobody.
#[derive(Debug, Clone, Default)]
pub struct Supervisor {
    socket: Option<Arc<UnixDatagram>>,
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// The manager that `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` of `env` name.
    ///
    /// # Errors
    /// When there is a socket, but it cannot be connected.
    pub fn from_environment(env: &BTreeMap<String, String>) -> io::Result<Self> {
        let Some(address) = env.get("NOTIFY_SOCKET").filter(|address| !address.is_empty()) else {
            return Ok(Self::default());
        };
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(&socket_address(address)?)?;
        Ok(Self { socket: Some(Arc::new(socket)), watchdog: watchdog_interval(env) })
    }

    /// Everything is in place; `status` is one line for `systemctl status`.
    pub fn ready(&self, status: &str) {
        self.tell(&[NotifyState::Ready, NotifyState::Status(&one_line(status))]);
    }

    /// One line for `systemctl status`.
    pub fn status(&self, status: &str) {
        self.tell(&[NotifyState::Status(&one_line(status))]);
    }

    /// A reload begins; [`Self::ready`] must follow, whether it succeeds or not.
    pub fn reloading(&self) {
        // Since systemd 253 a reload without this time stamp fails.
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now]),
            Err(error) => {
                tracing::warn!(%error, "The monotonic clock could not be read for the manager.");
                self.tell(&[NotifyState::Reloading]);
            }
        }
    }

    /// The end begins.
    pub fn stopping(&self) {
        self.tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
    }

    /// Waits for a step of the start (a migration, a long history), for which the manager has
    /// patience as long as it takes.
    pub async fn patiently<T>(&self, step: impl Future<Output = T>) -> T {
        let mut step = std::pin::pin!(step);
        loop {
            match tokio::time::timeout(GRANT_EVERY, &mut step).await {
                Ok(done) => return done,
                Err(_elapsed) => self.extend_timeout(GRANT),
            }
        }
    }

    fn extend_timeout(&self, by: Duration) {
        let usec = u32::try_from(by.as_micros()).unwrap_or(u32::MAX);
        self.tell(&[NotifyState::ExtendTimeoutUsec(usec)]);
    }

    /// Pets the watchdog twice per interval, while `is_alive` says so, until `cancel`. Returns at
    /// once where no watchdog is set.
    pub async fn watch(&self, is_alive: impl Fn() -> bool, cancel: CancellationToken) {
        let Some(interval) = self.watchdog else {
            return;
        };
        let mut ticks = tokio::time::interval(interval / WATCHDOG_PART);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _at = ticks.tick() => {}
            }
            if is_alive() {
                self.tell(&[NotifyState::Watchdog]);
            } else {
                tracing::error!("A loop hangs, so the watchdog is left to starve.");
            }
        }
    }

    /// The manager being gone is no reason to stop monitoring: hence a warning alone.
    fn tell(&self, states: &[NotifyState<'_>]) {
        let Some(socket) = &self.socket else { return };
        let lines: Vec<String> = states.iter().map(ToString::to_string).collect();
        if let Err(error) = socket.send(lines.join("\n").as_bytes()) {
            tracing::warn!(%error, "The service manager could not be told.");
        }
    }
}

/// True when standard error (its device and inode given) is the journal's stream: then lines get
/// level prefixes ([`journal_prefix`]) and no time stamps.
pub fn is_journal(env: &BTreeMap<String, String>, stderr: (u64, u64)) -> bool {
    env.get("JOURNAL_STREAM")
        .and_then(|stream| stream.split_once(':'))
        .and_then(|(device, inode)| Some((device.parse().ok()?, inode.parse().ok()?)))
        .is_some_and(|stream: (u64, u64)| stream == stderr)
}

/// [`is_journal`] for the standard error of this process.
pub fn stderr_is_journal(env: &BTreeMap<String, String>) -> bool {
    rustix::fs::fstat(std::io::stderr())
        .is_ok_and(|stat| is_journal(env, (stat.st_dev, stat.st_ino)))
}

/// The prefix by which the journal knows how much a line matters (sd-daemon(3)).
pub fn journal_prefix(level: tracing::Level) -> &'static str {
    match level {
        tracing::Level::ERROR => "<3>",
        tracing::Level::WARN => "<4>",
        tracing::Level::INFO => "<6>",
        tracing::Level::DEBUG | tracing::Level::TRACE => "<7>",
    }
}

fn socket_address(address: &str) -> io::Result<SocketAddr> {
    match address.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(address),
    }
}

/// The watchdog is ours only if it names our process, or none.
fn watchdog_interval(env: &BTreeMap<String, String>) -> Option<Duration> {
    let own_pid = std::process::id().to_string();
    if env.get("WATCHDOG_PID").is_some_and(|pid| *pid != own_pid) {
        return None;
    }
    let usec: u64 = env.get("WATCHDOG_USEC")?.parse().ok()?;
    (usec > 0).then(|| Duration::from_micros(usec))
}

/// A line break would end the field and let the rest pass for another.
fn one_line(status: &str) -> String {
    status.replace(['\n', '\r'], " ")
}
