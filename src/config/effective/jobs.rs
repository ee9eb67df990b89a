//! The part of the effective configuration that has to do with jobs and money.
//!
//! Invariant: a limit that differs between tests and the account's own jobs can only be a default:
//! it is told in a comment, because no key could say it.

use serde::de::DeserializeOwned;

use super::{Written, duration, file_of};
use crate::config::raw::{
    ModeWord, RawBudget, RawCheck, RawEvents, RawJobLimits, RawJobs, RawQueue, RawRender,
    RawReserve, RawSpeech, RawTranslation,
};
use crate::config::word::{Amount, DurationWord, JobKindWord};
use crate::config::{Config, secrets, value};
use crate::engine::{BudgetRules, CanaryMode, CanaryRules, JobRules, JobsWatch, StageRules};
use crate::model::{JobKind, Origin};
use crate::probe::queue::QueueCheck;
use crate::probe::render::{RenderCheck, RenderSource};
use crate::probe::speech::SpeechCheck;
use crate::probe::translation::{TranslationCheck, TranslationSource};
use crate::probe::webhook::WebhookCheck;
use crate::probe::{CheckSpec, ProbeSpec};

pub(super) fn budget(rules: &BudgetRules) -> RawBudget {
    RawBudget {
        usd_per_day: Some(Amount(rules.per_day.dollars())),
        usd_per_month: Some(Amount(rules.per_month.dollars())),
        reserve: Some(RawReserve {
            usd: Some(Amount(rules.reserve_usd.dollars())),
            credits: Some(Amount(rules.reserve_credits)),
        }),
        allow_auto_reload: Some(rules.allow_auto_reload),
        canaries: Some(rules.canaries),
    }
}

pub(super) fn limits(config: &Config) -> RawJobs {
    let of = |kind| config.settings.jobs.get(&kind).map(kind_limits);
    RawJobs { render: of(JobKind::Video), translation: of(JobKind::Translation) }
}

fn kind_limits(rules: &JobRules) -> RawJobLimits {
    let stage = |origins: &std::collections::BTreeMap<Origin, StageRules>| {
        let same = |of: fn(&StageRules) -> std::time::Duration| {
            let mut all = origins.values().map(of);
            let first = all.next()?;
            all.all(|other| other == first).then(|| duration(first))
        };
        (same(|rules| rules.floor), same(|rules| rules.late), same(|rules| rules.stuck))
    };
    let (queue, processing) = (stage(&rules.queue), stage(&rules.processing));
    RawJobLimits {
        queue_floor: queue.0,
        queue_late: queue.1,
        queue_stuck: queue.2,
        processing_floor: processing.0,
        processing_late: processing.1,
        processing_stuck: processing.2,
        submit_timeout: Some(duration(rules.submit_timeout)),
        poll_min: Some(duration(rules.poll_min)),
        poll_max: Some(duration(rules.poll_max)),
    }
}

/// One comment line for each default that no key could say.
pub(super) fn unwritable(config: &Config) -> Vec<String> {
    let mut lines = Vec::new();
    for (kind, rules) in &config.settings.jobs {
        let table = match kind {
            JobKind::Video => "jobs.render",
            JobKind::Translation => "jobs.translation",
        };
        for (stage, origins) in [("queue", &rules.queue), ("processing", &rules.processing)] {
            let (Some(ours), Some(theirs)) =
                (origins.get(&Origin::Canary), origins.get(&Origin::Natural))
            else {
                continue;
            };
            let limits = [
                ("floor", ours.floor, theirs.floor),
                ("late", ours.late, theirs.late),
                ("stuck", ours.stuck, theirs.stuck),
            ];
            for (limit, ours, theirs) in limits.into_iter().filter(|(_, a, b)| a != b) {
                let (ours, theirs) = (value::duration_text(ours), value::duration_text(theirs));
                lines.push(format!(
                    "# {table}.{stage}_{limit} = {ours} for tests, {theirs} for your own jobs"
                ));
            }
        }
    }
    lines
}

/// How the probe is timed: `every`, `schedule`.
pub(super) fn timing(config: &Config, spec: &ProbeSpec) -> Written {
    let rules = canary(config, spec);
    let is_adaptive = rules.is_some_and(|rules| matches!(rules.mode, CanaryMode::Adaptive));
    if is_adaptive || matches!(spec.check, CheckSpec::Webhook(_)) {
        return (None, None);
    }
    super::schedule(&spec.schedule)
}

fn canary<'c>(config: &'c Config, spec: &ProbeSpec) -> Option<&'c CanaryRules> {
    match &config.settings.watch(&spec.name)?.jobs {
        JobsWatch::Canary(rules) => Some(rules),
        JobsWatch::None | JobsWatch::Natural { .. } | JobsWatch::Events => None,
    }
}

/// `mode`, `max_silence` and `price_usd`.
type Rules = (Option<ModeWord>, Option<DurationWord>, Option<Amount>);

fn rules(config: &Config, spec: &ProbeSpec) -> Rules {
    let Some(rules) = canary(config, spec) else { return (None, None, None) };
    let mode = match rules.mode {
        CanaryMode::Adaptive => ModeWord::Adaptive,
        CanaryMode::Fixed(_) => ModeWord::Fixed,
    };
    (Some(mode), Some(duration(rules.max_silence)), Some(Amount(rules.price.dollars())))
}

pub(super) fn check(config: &Config, spec: &ProbeSpec, raw: &mut RawCheck) {
    let rules = rules(config, spec);
    match &spec.check {
        CheckSpec::Queue(check) => raw.queue = Some(queue(check)),
        CheckSpec::Render(check) => raw.render = Some(render(check, rules)),
        CheckSpec::Translation(check) => raw.translation = Some(translation(check, rules)),
        CheckSpec::Speech(check) => raw.speech = Some(speech(check, rules)),
        CheckSpec::Webhook(check) => raw.webhook = Some(webhook(config, check)),
        CheckSpec::Api(_)
        | CheckSpec::Submit(_)
        | CheckSpec::Web(_)
        | CheckSpec::Control(_)
        | CheckSpec::StatusPage(_) => {}
    }
}

fn queue(check: &QueueCheck) -> RawQueue {
    RawQueue {
        kinds: Some(check.kinds.iter().copied().map(JobKindWord).collect()),
        exclude_titles: Some(check.exclude_titles.clone()),
        ignore_older_than: Some(duration(check.ignore_older_than)),
        max_silence: Some(duration(check.max_silence)),
        max_requests: Some(check.max_requests),
    }
}

fn render(check: &RenderCheck, (mode, max_silence, price_usd): Rules) -> RawRender {
    let (avatars, template) = match &check.source {
        RenderSource::Avatars(avatars) => (Some(avatars.clone()), None),
        RenderSource::Template(template) => (None, Some(template.clone())),
    };
    RawRender {
        avatars,
        template,
        voice: check.voice.clone(),
        script: Some(check.script.clone()),
        engine: check.engine.as_deref().and_then(word),
        resolution: word(&check.resolution),
        mode,
        max_silence,
        price_usd,
    }
}

/// A word of a closed list, as it is written.
fn word<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(text.into()).ok()
}

fn translation(check: &TranslationCheck, (mode, max_silence, price_usd): Rules) -> RawTranslation {
    let (video_url, asset_id) = match &check.source {
        TranslationSource::Url(url) => (Some(url.to_string()), None),
        TranslationSource::Asset(asset) => (None, Some(asset.clone())),
    };
    RawTranslation {
        video_url,
        asset_id,
        languages: Some(check.languages.clone()),
        quality: word(&check.quality),
        audio_only: Some(check.audio_only),
        mode,
        max_silence,
        price_usd,
    }
}

fn speech(check: &SpeechCheck, (mode, max_silence, price_usd): Rules) -> RawSpeech {
    RawSpeech {
        voice: Some(check.voice.clone()),
        text: Some(check.text.clone()),
        path: Some(check.path.clone()),
        mode,
        max_silence,
        price_usd,
    }
}

fn webhook(config: &Config, check: &WebhookCheck) -> RawEvents {
    RawEvents {
        listen: Some(check.listen.to_string()),
        secret_file: file_of(config, secrets::EVENTS_SECRET.label),
        path: Some(check.path.clone()),
    }
}
