//! The configuration as it is in effect, as TOML: what `config show` prints.
//!
//! Invariant: read back with the same surroundings it is the same configuration; no secret stands
//! in it, only where each came from.

use super::raw::{
    ApiVersion, Raw, RawApi, RawChannel, RawCheck, RawControl, RawDns, RawEmail, RawHeygen,
    RawHtml, RawProbe, RawRetention, RawSlack, RawSmtp, RawStatusPage, RawStorage, RawSubmit,
    RawThresholds, RawWeb, RawWebCheck, TlsWord,
};
use super::word::{CapabilityWord, ComponentStateWord, DurationWord, OneOrMany, RoleWord, Table};
use super::{Config, SecretOrigin, value};
use crate::engine::Thresholds;
use crate::engine::schedule::Schedule;
use crate::model::Capability;
use crate::notify::email::{EmailTarget, SmtpTls};
use crate::notify::{ChannelSpec, TargetSpec};
use crate::probe::status_page::{HtmlSelectors, StatusPageCheck};
use crate::probe::{CheckSpec, ProbeSpec};

/// The effective configuration as TOML, secrets masked.
///
/// # Errors
/// When it cannot be written as TOML, which would be a fault of ours.
pub fn effective(config: &Config) -> Result<String, toml::ser::Error> {
    let mut text = String::from("# The configuration in effect. Secrets are not shown:\n");
    if config.secrets.is_empty() {
        text.push_str("# there is none\n");
    }
    for SecretOrigin { what, from } in &config.secrets {
        text.push_str(&["# ", what, " = <secret>, from ", from, "\n"].concat());
    }
    text.push('\n');
    text.push_str(&toml::to_string_pretty(&raw(config))?);
    Ok(text)
}

fn raw(config: &Config) -> Raw {
    let settings = &config.settings;
    let (pages, probes): (Vec<_>, Vec<_>) =
        config.probes.iter().partition(|probe| matches!(probe.check, CheckSpec::StatusPage(_)));
    Raw {
        vantage: Some(settings.vantage.clone()),
        uses: Some(words(&settings.uses)),
        timezone: Some(zone_name(config)),
        proxy: config.proxy.as_ref().map(url::Url::to_string),
        heygen: Some(RawHeygen {
            account: Some(settings.account.clone()),
            base_url: Some(config.heygen.base_url.to_string()),
            api_key_file: file_of(config, super::secrets::API_KEY.label),
            api_version: Some(ApiVersion::V3),
        }),
        storage: Some(RawStorage {
            path: Some(config.storage.path.display().to_string()),
            retention: Some(RawRetention {
                observations: Some(duration(config.storage.retention.observations)),
                failures: Some(duration(config.storage.retention.failures)),
            }),
        }),
        web: Some(RawWeb {
            listen: Some(config.web.listen.to_string()),
            public_url: config.web.public_url.as_ref().map(url::Url::to_string),
            allow_unauthenticated: Some(!config.web.listen.ip().is_loopback()),
            hosts: Some(config.web.hosts.clone()),
        }),
        thresholds: None,
        status_page: Some(pages.into_iter().filter_map(status_page).collect()),
        probe: Some(probes.into_iter().map(probe).collect()),
        channel: Some(config.channels.iter().map(|one| channel(config, one)).collect()),
    }
}

fn zone_name(config: &Config) -> String {
    config.settings.timezone.iana_name().unwrap_or("system").to_owned()
}

/// The file that a secret came from; credentials and the environment have no key.
fn file_of(config: &Config, what: &str) -> Option<String> {
    let origin = config.secrets.iter().find(|origin| origin.what == what)?;
    origin.from.starts_with('/').then(|| origin.from.clone())
}

fn words(capabilities: &[Capability]) -> Vec<CapabilityWord> {
    capabilities.iter().copied().map(CapabilityWord).collect()
}

fn duration(duration: std::time::Duration) -> DurationWord {
    DurationWord(value::duration_text(duration))
}

fn schedule(schedule: &Schedule) -> (Option<DurationWord>, Option<String>) {
    match schedule {
        Schedule::Every(every) => (Some(duration(*every)), None),
        Schedule::Cron(cron) => (None, Some(cron.expression.clone())),
    }
}

/// The deadline, unless it is the one that fast schedules get: that cannot be written.
fn timeout(spec: &ProbeSpec) -> Option<DurationWord> {
    let is_writable = match &spec.schedule {
        Schedule::Every(every) => spec.timeout < *every,
        Schedule::Cron(_) => true,
    };
    is_writable.then(|| duration(spec.timeout))
}

fn thresholds(thresholds: Thresholds) -> RawThresholds {
    RawThresholds {
        failures: Some(thresholds.failures),
        corroborated: Some(thresholds.corroborated),
        successes: Some(thresholds.successes),
        recheck: Some(duration(thresholds.recheck)),
    }
}

fn probe(spec: &ProbeSpec) -> RawProbe {
    let (every, cron) = schedule(&spec.schedule);
    let is_control = matches!(spec.check, CheckSpec::Control(_));
    RawProbe {
        name: Some(spec.name.clone()),
        every,
        schedule: cron,
        timeout: timeout(spec),
        capabilities: (!is_control).then(|| words(&spec.capabilities)),
        thresholds: Some(thresholds(spec.thresholds)),
        check: Some(check(&spec.check)),
    }
}

fn check(check: &CheckSpec) -> RawCheck {
    let mut raw = RawCheck::default();
    match check {
        CheckSpec::Api(api) => {
            raw.api = Some(RawApi {
                path: Some(api.path.clone()),
                anonymous: Some(api.anonymous),
                expect: Some(api.expect.clone()),
                slow_after: Some(duration(api.slow_after)),
            });
        }
        CheckSpec::Submit(submit) => {
            raw.submit = Some(RawSubmit { paths: Some(submit.paths.clone()) });
        }
        CheckSpec::Web(web) => {
            raw.web = Some(RawWebCheck {
                url: Some(web.url.to_string()),
                status: Some(web.status.clone()),
                contains: web.contains.clone(),
                slow_after: Some(duration(web.slow_after)),
                certificate_days: Some(web.certificate_days),
                replaces: Some(words(&web.replaces)),
            });
        }
        CheckSpec::Control(control) => {
            let dns = control.dns.iter().map(|target| RawDns {
                name: Some(target.name.clone()),
                server: Some(target.server.to_string()),
            });
            raw.control = Some(RawControl {
                https: Some(control.https.iter().map(url::Url::to_string).collect()),
                dns: Some(dns.collect()),
            });
        }
        CheckSpec::StatusPage(_) => {}
    }
    raw
}

fn status_page(spec: &ProbeSpec) -> Option<RawStatusPage> {
    let CheckSpec::StatusPage(StatusPageCheck { urls, role, replaces, map, html }) = &spec.check
    else {
        return None;
    };
    let (every, cron) = schedule(&spec.schedule);
    let table = |table: &[(String, Capability)]| {
        let words = table.iter();
        Table(words.map(|(word, one)| (word.clone(), CapabilityWord(*one))).collect())
    };
    Some(RawStatusPage {
        name: Some(spec.name.clone()),
        url: Some(OneOrMany::Many(urls.iter().map(url::Url::to_string).collect())),
        role: Some(RoleWord(*role)),
        replaces: (!replaces.is_empty()).then(|| words(replaces)),
        every,
        schedule: cron,
        timeout: timeout(spec),
        components: Some(table(&map.components)),
        incidents: Some(table(&map.incidents)),
        html: html.as_ref().map(selectors),
    })
}

fn selectors(html: &HtmlSelectors) -> RawHtml {
    let states = html.states.iter();
    RawHtml {
        component: Some(html.component.clone()),
        name: Some(html.name.clone()),
        state: Some(html.state.clone()),
        state_attribute: html.state_attribute.clone(),
        states: Some(Table(
            states.map(|(word, one)| (word.clone(), ComponentStateWord(*one))).collect(),
        )),
        incident: html.incident.clone(),
    }
}

fn channel(config: &Config, spec: &ChannelSpec) -> RawChannel {
    let name = Some(spec.name.clone());
    let file = |kind: &super::secrets::Kind| {
        file_of(config, &format!("{} of `{}`", kind.label, spec.name))
    };
    match &spec.target {
        TargetSpec::Slack(_) => {
            let slack = RawSlack { webhook_url_file: file(&super::secrets::SLACK_WEBHOOK) };
            RawChannel { name, slack: Some(slack), email: None }
        }
        TargetSpec::Email(target) => {
            let password_file = file(&super::secrets::SMTP_PASSWORD);
            RawChannel { name, slack: None, email: Some(email(target, password_file)) }
        }
    }
}

fn email(target: &EmailTarget, password_file: Option<String>) -> RawEmail {
    let smtp = &target.smtp;
    RawEmail {
        from: Some(target.from.to_string()),
        to: Some(target.to.iter().map(ToString::to_string).collect()),
        smtp: Some(RawSmtp {
            host: Some(smtp.host.clone()),
            port: Some(smtp.port),
            tls: Some(match smtp.tls {
                SmtpTls::Starttls => TlsWord::Starttls,
                SmtpTls::Tls => TlsWord::Tls,
                SmtpTls::None => TlsWord::None,
            }),
            username: smtp.login.as_ref().map(|(username, _)| username.clone()),
            password_file,
            ca_file: smtp.ca_file.as_ref().map(|path| path.display().to_string()),
        }),
    }
}
