//! From the configuration to the parts of the daemon.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::admin;
use crate::clock::Clock;
use crate::config::{Config, Surroundings};
use crate::deliver::Notifiers;
use crate::engine::uptime::Scope;
use crate::http_client::{ClientOptions, HttpClient};
use crate::model::View;
use crate::notify::{NotifyDeps, notifier};
use crate::probe::{CheckSpec, ProbeDeps};
use crate::systemd::Supervisor;
use crate::web::{Auth, Health, WebSettings};
use crate::wire::Titles;

/// How clients are built: what the configuration says on top of `base`.
pub fn client_options(config: &Config, base: &ClientOptions) -> ClientOptions {
    ClientOptions { proxy: config.proxy.clone(), ..base.clone() }
}

/// What probers need.
pub fn probe_deps(config: &Config, http: HttpClient, clock: Clock) -> ProbeDeps {
    let servers = config.probes.iter().filter_map(|spec| match &spec.check {
        CheckSpec::Control(control) => Some(control.dns.iter().map(|target| target.server)),
        _ => None,
    });
    let second_resolvers: BTreeSet<SocketAddr> = servers.flatten().collect();
    // One client serves every kind: it waits as long as the most patient of them.
    let submit_timeout = config.settings.jobs.values().map(|rules| rules.submit_timeout).max();
    ProbeDeps {
        http,
        clock,
        base_url: config.heygen.base_url.clone(),
        api_key: config.heygen.api_key.clone(),
        second_resolvers: second_resolvers.into_iter().collect(),
        show_titles: config.show_titles,
        instance: config.settings.instance.clone(),
        submit_timeout: submit_timeout.unwrap_or_default(),
    }
}

/// What notifiers need.
pub fn notify_deps(config: &Config, http: HttpClient, monitor_id: &str) -> NotifyDeps {
    NotifyDeps {
        http,
        redactor: config.redactor.clone(),
        public_url: config.web.public_url.clone(),
        timezone: config.settings.timezone.clone(),
        monitor_id: monitor_id.to_owned(),
    }
}

/// Where the admin socket and the `listen` file go: `$RUNTIME_DIRECTORY`, else the state
/// directory (contract, section 7).
pub fn runtime_directory(config: &Config, surroundings: &Surroundings) -> PathBuf {
    let state = config.storage.path.parent().map(PathBuf::from).unwrap_or_default();
    let given = surroundings.env.get("RUNTIME_DIRECTORY").map(String::as_str);
    let socket = admin::socket_path(given, &state);
    socket.parent().map(PathBuf::from).unwrap_or(state)
}

pub(super) fn web_settings(config: &Config, address: SocketAddr) -> WebSettings {
    let public = config.web.public_url.as_ref().and_then(|url| url.host_str());
    let hosts = config.web.hosts.iter().cloned().chain(public.map(str::to_owned));
    WebSettings {
        address: address.ip(),
        hosts: hosts.collect(),
        timezone: config.settings.timezone.clone(),
        scope: Arc::new(Scope::from(&config.settings)),
        titles: if config.show_titles { Titles::Shown } else { Titles::Hidden },
        auth: config.web.auth.clone().map(|spec| Arc::new(Auth::new(spec))),
        public_url: config.web.public_url.clone(),
        brand: config.web.brand.clone(),
    }
}

/// What this installation signs its paid tests with: the first eight digits of its monitor id.
pub(super) fn instance(monitor_id: &str) -> String {
    const DIGITS: usize = 8;
    monitor_id.chars().filter(char::is_ascii_hexdigit).take(DIGITS).collect()
}

pub(super) fn notifiers(config: &Config, http: &HttpClient, monitor_id: &str) -> Notifiers {
    let deps = notify_deps(config, http.clone(), monitor_id);
    let channels = config.channels.iter();
    channels.map(|spec| (spec.name.clone(), Arc::from(notifier(spec, &deps)))).collect()
}

/// Pets the watchdog while the loops make progress, and keeps the status line current.
pub(super) async fn tell(
    supervisor: Supervisor,
    health: Arc<Health>,
    mut view: watch::Receiver<Option<Arc<View>>>,
    cancel: CancellationToken,
) {
    let pet = supervisor.watch(|| health.is_alive(), cancel.clone());
    let say = async {
        let mut said = String::new();
        while view.changed().await.is_ok() {
            let headline =
                view.borrow_and_update().as_ref().map(|view| view.verdict.headline.clone());
            if let Some(headline) = headline.filter(|headline| *headline != said) {
                supervisor.status(&headline);
                said = headline;
            }
        }
    };
    tokio::select! {
        () = cancel.cancelled() => {}
        _ends = futures_util::future::join(pet, say) => cancel.cancelled().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paid_tests_are_signed_with_the_first_eight_digits_of_the_monitor_id() {
        assert_eq!(instance("0a1b2c3d4e5f60718293a4b5c6d7e8f9"), "0a1b2c3d");
        assert_eq!(instance("0a1b-2c3d4e5f"), "0a1b2c3d");
    }
}
