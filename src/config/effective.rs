//! The configuration as it is in effect, as TOML: what `config show` prints.
//!
//! Invariant: read back with the same surroundings it is the same configuration; no secret stands
//! in it, only where each came from.

mod jobs;

use super::raw::route::{RawHeartbeat, RawMaintenance, RawRoute};
use super::raw::{
    ApiVersion, Raw, RawAlertmanager, RawApi, RawAuth, RawBrand, RawChannel, RawCheck, RawControl,
    RawDns, RawEmail, RawHeygen, RawHtml, RawLink, RawNtfy, RawPagerduty, RawProbe, RawRetention,
    RawSlack, RawSmtp, RawStatusPage, RawStorage, RawSubmit, RawThresholds, RawWeb, RawWebCheck,
    RawWebhook, TlsWord,
};
use super::validate::route::hours_text;
use super::word::{
    BlameWord, CapabilityWord, ComponentStateWord, DurationWord, OneOrMany, RoleWord, StateWord,
    Table,
};
use super::{Config, SecretOrigin, secrets, value};
use crate::engine::schedule::Schedule;
use crate::engine::{Route, Thresholds, Window};
use crate::model::Capability;
use crate::notify::email::{EmailTarget, SmtpTls};
use crate::notify::{ChannelSpec, TargetSpec};
use crate::probe::status_page::{HtmlSelectors, StatusPageCheck};
use crate::probe::{CheckSpec, ProbeSpec};
use crate::web::{Brand, BrandLink};

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
    for line in jobs::unwritable(config) {
        text.push_str(&line);
        text.push('\n');
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
        show_titles: Some(config.show_titles),
        proxy: config.proxy.as_ref().map(url::Url::to_string),
        heygen: Some(RawHeygen {
            account: Some(settings.account.clone()),
            base_url: Some(config.heygen.base_url.to_string()),
            api_key_file: file_of(config, super::secrets::API_KEY.label),
            api_version: Some(ApiVersion::V3),
            concurrency: Some(settings.concurrency),
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
            allow_unauthenticated: Some(
                !config.web.listen.ip().is_loopback() && config.web.auth.is_none(),
            ),
            hosts: Some(config.web.hosts.clone()),
            brand: Some(brand(&config.web.brand)),
            auth: config.web.auth.is_some().then(|| RawAuth {
                bearer_file: file_of(config, super::secrets::WEB_TOKEN.label),
                basic_file: file_of(config, super::secrets::WEB_PASSWORDS.label),
            }),
        }),
        budget: Some(jobs::budget(&settings.budget)),
        jobs: Some(jobs::limits(config)),
        thresholds: None,
        status_page: Some(pages.into_iter().filter_map(status_page).collect()),
        probe: Some(probes.into_iter().map(|spec| probe(config, spec)).collect()),
        channel: Some(config.channels.iter().map(|one| channel(config, one)).collect()),
        route: Some(settings.routes.iter().map(route).collect()),
        maintenance: Some(settings.windows.iter().map(window).collect()),
        heartbeat: config.heartbeat.as_ref().map(|heartbeat| RawHeartbeat {
            url_file: file_of(config, super::secrets::HEARTBEAT_URL.label),
            every: Some(duration(heartbeat.every)),
        }),
    }
}

fn route(route: &Route) -> RawRoute {
    RawRoute {
        capability: (!route.capabilities.is_empty()).then(|| words(&route.capabilities)),
        blame: (!route.blames.is_empty())
            .then(|| route.blames.iter().copied().map(BlameWord).collect()),
        min_state: route.min_state.map(StateWord),
        after: (!route.after.is_zero()).then(|| duration(route.after)),
        hours: route.hours.as_ref().map(hours_text),
        channels: Some(route.channels.clone()),
        remind_every: route.remind_every.map(duration),
    }
}

fn window(window: &Window) -> RawMaintenance {
    RawMaintenance {
        schedule: Some(window.schedule.expression.clone()),
        duration: Some(duration(window.duration)),
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

/// `every` and `schedule`, of which one is written.
type Written = (Option<DurationWord>, Option<String>);

fn schedule(schedule: &Schedule) -> Written {
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

fn probe(config: &Config, spec: &ProbeSpec) -> RawProbe {
    let (every, cron) = jobs::timing(config, spec);
    let is_control = matches!(spec.check, CheckSpec::Control(_));
    RawProbe {
        name: Some(spec.name.clone()),
        every,
        schedule: cron,
        timeout: timeout(spec),
        capabilities: (!is_control).then(|| words(&spec.capabilities)),
        thresholds: Some(thresholds(spec.thresholds)),
        check: Some(check(config, spec)),
    }
}

fn check(config: &Config, spec: &ProbeSpec) -> RawCheck {
    let mut raw = RawCheck::default();
    match &spec.check {
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
        CheckSpec::Queue(_)
        | CheckSpec::Render(_)
        | CheckSpec::Translation(_)
        | CheckSpec::Speech(_)
        | CheckSpec::Webhook(_) => jobs::check(config, spec, &mut raw),
    }
    raw
}

fn brand(brand: &Brand) -> RawBrand {
    let link = |link: &BrandLink| RawLink { text: link.text.clone(), url: link.url.to_string() };
    RawBrand {
        name: Some(brand.name.clone()),
        logo_file: brand.logo.as_ref().map(|logo| logo.file.display().to_string()),
        links: (!brand.links.is_empty()).then(|| brand.links.iter().map(link).collect()),
    }
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
    let file =
        |kind: &secrets::Kind| file_of(config, &format!("{} of `{}`", kind.label, spec.name));
    let mut raw = RawChannel { name, ..RawChannel::default() };
    match &spec.target {
        TargetSpec::Slack(_) => {
            let webhook_url_file = file(&secrets::SLACK_WEBHOOK);
            raw.slack = Some(RawSlack { webhook_url_file, ..RawSlack::default() });
        }
        TargetSpec::SlackBot(target) => {
            let token_file = file(&secrets::SLACK_BOT_TOKEN);
            let channel = Some(target.channel.clone());
            raw.slack = Some(RawSlack { token_file, channel, ..RawSlack::default() });
        }
        TargetSpec::Email(target) => {
            raw.email = Some(email(target, file(&secrets::SMTP_PASSWORD)));
        }
        TargetSpec::Webhook(_) => {
            let url_file = file(&secrets::WEBHOOK_URL);
            let secret_file = file(&secrets::WEBHOOK_SECRET);
            raw.webhook = Some(RawWebhook { url_file, secret_file });
        }
        TargetSpec::Alertmanager(target) => {
            let urls = Some(target.urls.iter().map(ToString::to_string).collect());
            raw.alertmanager = Some(RawAlertmanager { urls });
        }
        TargetSpec::Pagerduty(_) => {
            let routing_key_file = file(&secrets::PAGERDUTY_KEY);
            raw.pagerduty = Some(RawPagerduty { routing_key_file });
        }
        TargetSpec::Ntfy(target) => {
            let token_file = file(&secrets::NTFY_TOKEN);
            let (url, topic) = (Some(target.url.to_string()), Some(target.topic.clone()));
            raw.ntfy = Some(RawNtfy { url, topic, token_file });
        }
    }
    raw
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
