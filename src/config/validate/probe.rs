//! `[[probe]]`: one check per entry, with the defaults of its kind.
//!
//! Invariant: a probe that needs a key exists only when there is one; a built-in one is left out
//! without a word, one that was written is a problem.

use std::time::Duration;

use url::Url;

use super::job_probe::Pace;
use super::{BuiltIn, Check, in_order};
use crate::config::document::At;
use crate::config::problem::Fault;
use crate::config::raw::{RawApi, RawCheck, RawControl, RawDns, RawProbe, RawSubmit, RawWebCheck};
use crate::config::value::{self, Purpose};
use crate::engine::{JobsWatch, Thresholds};
use crate::model::Capability;
use crate::probe::api::ApiCheck;
use crate::probe::control::{ControlCheck, DnsTarget};
use crate::probe::submit::SubmitCheck;
use crate::probe::web::WebCheck;
use crate::probe::{CheckSpec, ProbeSpec};

const SUBMIT_PATHS: [&str; 2] = ["/v3/videos", "/v3/video-translations"];
const SLOW_AFTER: Duration = Duration::from_secs(5);
const CERTIFICATE_DAYS: u32 = 3;
/// Of two operators, each answering a tiny body to anybody.
const CONTROL_HTTPS: [&str; 3] = [
    "https://www.google.com/generate_204",
    "https://www.gstatic.com/generate_204",
    "https://www.cloudflare.com/cdn-cgi/trace",
];
/// Public resolvers of two operators.
const CONTROL_DNS: [(&str, &str); 2] = [("example.com", "1.1.1.1"), ("example.org", "8.8.8.8")];
/// With fewer, one of them being down already looks like a broken network.
const ENOUGH_CONTROLS: usize = 3;

/// What probes share.
pub(super) struct Scope {
    pub(super) thresholds: Thresholds,
    pub(super) base_url: Option<Url>,
    pub(super) has_key: bool,
    /// True when a listener takes the secret that is offered outside of the file.
    pub(super) offers_webhook_secret: bool,
}

/// Interval and deadline when none is written.
struct Usual {
    every: Duration,
    timeout: Duration,
}

impl Check<'_> {
    /// The written probes, or the built-in ones.
    pub(super) fn probes(
        &mut self,
        written: Option<&[RawProbe]>,
        built_in: &BuiltIn,
        scope: &Scope,
    ) -> Vec<ProbeSpec> {
        let mut probes = Vec::new();
        if let Some(list) = written {
            let at = At::root().key("probe");
            for (i, raw) in list.iter().enumerate() {
                probes.extend(self.probe(raw, &at.index(i), scope));
            }
        } else {
            let list = built_in.raw.probe.iter().flatten();
            for raw in list.filter(|raw| scope.has_key || !needs_key(raw)) {
                probes.extend(self.probe(raw, &At::nowhere(), scope));
            }
        }
        self.warn_of_few_controls(&probes);
        probes
    }

    fn probe(&mut self, raw: &RawProbe, at: &At, scope: &Scope) -> Option<ProbeSpec> {
        let name =
            raw.name.as_deref().and_then(|name| self.value(&at.key("name"), value::name(name)));
        let thresholds =
            self.thresholds(raw.thresholds.as_ref(), scope.thresholds, &at.key("thresholds"));
        let pace = self.pace(raw, usual(raw.check.as_ref()).every, at);
        let check = raw.check.as_ref();
        let check = check.and_then(|check| self.check(check, &pace, &at.key("check"), scope));
        if check.is_some() && needs_key(raw) && !scope.has_key {
            self.problems.add_at_key(
                self.document,
                &at.key("check"),
                Fault::new(
                    "this probe needs a HeyGen API key, and there is none",
                    "set `heygen.api_key_file` or HEYGEN_API_KEY, or remove the probe \
                     (`check.api` can also be `anonymous = true`)",
                ),
            );
        }
        let usual = usual(raw.check.as_ref());
        let schedule = pace.schedule;
        let timeout = self.timeout(raw.timeout.as_ref(), usual.timeout, &schedule, at);
        let (check, jobs) = check?;
        let capabilities = match &raw.capabilities {
            Some(words) => {
                self.refuse_capabilities_of_control(&check, at);
                in_order(words)
            }
            None => informed(&check),
        };
        let name = name?;
        self.jobs.insert(name.clone(), jobs);
        Some(ProbeSpec { name, schedule, timeout, capabilities, thresholds, check })
    }

    fn refuse_capabilities_of_control(&mut self, check: &CheckSpec, at: &At) {
        if matches!(check, CheckSpec::Control(_)) {
            self.problems.add_at_key(
                self.document,
                &at.key("capabilities"),
                Fault::new(
                    "a control informs no capability",
                    "it tells HeyGen's failures from those of the network: remove the key",
                ),
            );
        }
    }

    fn check(
        &mut self,
        raw: &RawCheck,
        pace: &Pace,
        at: &At,
        scope: &Scope,
    ) -> Option<(CheckSpec, JobsWatch)> {
        let check = if let Some(api) = &raw.api {
            CheckSpec::Api(self.api(api, &at.key("api"), scope)?)
        } else if let Some(submit) = &raw.submit {
            CheckSpec::Submit(self.submit(submit, &at.key("submit"), scope))
        } else if let Some(web) = &raw.web {
            CheckSpec::Web(self.web_check(web, &at.key("web"))?)
        } else if let Some(control) = &raw.control {
            CheckSpec::Control(self.control(control, &at.key("control")))
        } else {
            return self.job_check(raw, pace, at, scope);
        };
        Some((check, JobsWatch::None))
    }

    fn api(&mut self, raw: &RawApi, at: &At, scope: &Scope) -> Option<ApiCheck> {
        let slow_after = self.duration(&at.key("slow_after"), raw.slow_after.as_ref());
        let path = self.api_path(&at.key("path"), raw.path.as_deref()?, scope);
        Some(ApiCheck {
            path: path?,
            anonymous: raw.anonymous.unwrap_or(false),
            expect: raw.expect.clone().unwrap_or_else(|| vec!["data".to_owned()]),
            slow_after: slow_after.unwrap_or(SLOW_AFTER),
        })
    }

    fn submit(&mut self, raw: &RawSubmit, at: &At, scope: &Scope) -> SubmitCheck {
        let at = at.key("paths");
        let Some(written) = &raw.paths else {
            return SubmitCheck { paths: SUBMIT_PATHS.map(str::to_owned).to_vec() };
        };
        if written.is_empty() {
            let hint = "leave the key out for both creating paths of the API";
            self.fail(&at, Fault::new("this list is empty: nothing would be asked", hint));
        }
        let mut paths = Vec::new();
        for (i, path) in written.iter().enumerate() {
            paths.extend(self.api_path(&at.index(i), path, scope));
        }
        SubmitCheck { paths }
    }

    /// A path that stays on HeyGen's host when it is joined to the base URL.
    pub(super) fn api_path(&mut self, at: &At, path: &str, scope: &Scope) -> Option<String> {
        let path = self.value(at, value::api_path(path))?;
        let base = scope.base_url.as_ref();
        let stays = base.is_none_or(|base| {
            base.join(&path).is_ok_and(|joined| joined.host_str() == base.host_str())
        });
        if !stays {
            let hint = "write the path alone, such as \"/v3/users/me\"";
            self.fail(at, Fault::new("this path leads away from HeyGen's host", hint));
        }
        stays.then_some(path)
    }

    fn web_check(&mut self, raw: &RawWebCheck, at: &At) -> Option<WebCheck> {
        let url = self.url(&at.key("url"), raw.url.as_deref(), Purpose::Ask);
        let slow_after = self.duration(&at.key("slow_after"), raw.slow_after.as_ref());
        let status = raw.status.clone().unwrap_or_else(|| vec![200]);
        if status.is_empty() {
            let hint = "list the statuses that are right, or leave the key out: then it is 200";
            self.fail(&at.key("status"), Fault::new("no status would be right", hint));
        }
        Some(WebCheck {
            url: url?,
            status,
            contains: raw.contains.clone().filter(|marker| !marker.is_empty()),
            slow_after: slow_after.unwrap_or(SLOW_AFTER),
            certificate_days: raw.certificate_days.unwrap_or(CERTIFICATE_DAYS),
            replaces: in_order(raw.replaces.as_deref().unwrap_or_default()),
        })
    }

    /// When either list is written, the other one is empty unless it is written too.
    fn control(&mut self, raw: &RawControl, at: &At) -> ControlCheck {
        let is_default = raw.https.is_none() && raw.dns.is_none();
        let usual_https = || CONTROL_HTTPS.map(str::to_owned).to_vec();
        let usual_dns = || CONTROL_DNS.map(|(name, server)| dns(name, server)).to_vec();
        let https = if is_default { usual_https() } else { raw.https.clone().unwrap_or_default() };
        let targets = if is_default { usual_dns() } else { raw.dns.clone().unwrap_or_default() };
        if https.is_empty() && targets.is_empty() {
            let hint = "name some, or leave both lists out for the built-in ones";
            self.fail(at, Fault::new("this control has no target", hint));
        }
        let https = self.each(&at.key("https"), &https, |text| value::url(text, Purpose::Ask));
        let at = at.key("dns");
        let targets = targets.iter().enumerate();
        let dns = targets.filter_map(|(i, raw)| self.dns_target(raw, &at.index(i))).collect();
        ControlCheck { https, dns }
    }

    fn dns_target(&mut self, raw: &RawDns, at: &At) -> Option<DnsTarget> {
        let name = raw
            .name
            .as_deref()
            .and_then(|name| self.value(&at.key("name"), value::host_name(name)));
        let server = raw
            .server
            .as_deref()
            .and_then(|server| self.value(&at.key("server"), value::dns_server(server)));
        Some(DnsTarget { name: name?, server: server? })
    }

    fn warn_of_few_controls(&mut self, probes: &[ProbeSpec]) {
        let targets: usize = probes
            .iter()
            .map(|probe| match &probe.check {
                CheckSpec::Control(control) => control.https.len() + control.dns.len(),
                _ => 0,
            })
            .sum();
        if targets < ENOUGH_CONTROLS && self.problems.is_empty() {
            self.warnings.push(format!(
                "{} in `check.control`: with fewer than {ENOUGH_CONTROLS} a failure of HeyGen can \
                 hardly be told from one of your own network",
                match targets {
                    0 => "there is no target".to_owned(),
                    1 => "there is 1 target".to_owned(),
                    count => format!("there are {count} targets"),
                }
            ));
        }
    }
}

fn dns(name: &str, server: &str) -> RawDns {
    RawDns { name: Some(name.to_owned()), server: Some(server.to_owned()) }
}

/// True for a probe that sends the key.
fn needs_key(raw: &RawProbe) -> bool {
    let Some(check) = &raw.check else {
        return false;
    };
    let sends_key = check.api.as_ref().is_some_and(|api| api.anonymous != Some(true));
    sends_key
        || check.submit.is_some()
        || check.queue.is_some()
        || check.render.is_some()
        || check.translation.is_some()
        || check.speech.is_some()
}

fn usual(check: Option<&RawCheck>) -> Usual {
    let (every, timeout) = match check {
        Some(RawCheck { api: Some(api), .. }) if api.anonymous == Some(true) => (300, 10),
        Some(RawCheck { submit: Some(_), .. }) => (300, 120),
        Some(RawCheck { web: Some(web), .. }) if web.replaces.is_some() => (600, 10),
        Some(RawCheck { control: Some(_), .. }) => (60, 5),
        Some(
            RawCheck { queue: Some(_), .. }
            | RawCheck { render: Some(_), .. }
            | RawCheck { translation: Some(_), .. }
            | RawCheck { speech: Some(_), .. },
        ) => (60, 30),
        Some(_) | None => (60, 10),
    };
    Usual { every: Duration::from_secs(every), timeout: Duration::from_secs(timeout) }
}

/// What a check informs when nothing else is written (verdicts.md, section 1).
fn informed(check: &CheckSpec) -> Vec<Capability> {
    match check {
        CheckSpec::Api(api) if api.anonymous => vec![Capability::Api],
        CheckSpec::Api(_) => vec![Capability::Api, Capability::Authentication],
        CheckSpec::Submit(submit) => {
            let by_path = submit.paths.iter().map(|path| created_by(path));
            let found: Vec<Capability> = by_path.collect();
            Capability::ALL.into_iter().filter(|one| found.contains(one)).collect()
        }
        CheckSpec::Web(web) if web.replaces.is_empty() => vec![Capability::WebApp],
        CheckSpec::Queue(queue) => queue.kinds.iter().map(|kind| kind.capability()).collect(),
        CheckSpec::Render(_) => vec![Capability::VideoGeneration],
        CheckSpec::Translation(_) => vec![Capability::VideoTranslation],
        CheckSpec::Speech(_) => vec![Capability::Speech],
        CheckSpec::Webhook(_) => vec![Capability::Webhooks],
        CheckSpec::Web(_) | CheckSpec::Control(_) | CheckSpec::StatusPage(_) => Vec::new(),
    }
}

fn created_by(path: &str) -> Capability {
    if path.contains("translat") {
        Capability::VideoTranslation
    } else {
        Capability::VideoGeneration
    }
}
