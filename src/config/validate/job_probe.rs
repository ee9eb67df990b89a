//! The checks that follow jobs, send paid tests or hear of them.
//!
//! Invariant: a paid test has a price above zero, so that the caps can hold; one that is sent by
//! need has no schedule, one that is sent by schedule has one.

use std::time::Duration;

use super::probe::Scope;
use super::{Check, price};
use crate::config::document::At;
use crate::config::problem::Fault;
use crate::config::raw::{
    ModeWord, QualityWord, RawCheck, RawEvents, RawProbe, RawQueue, RawRender, RawSpeech,
    RawTranslation, ResolutionWord,
};
use crate::config::secrets::EVENTS_SECRET;
use crate::config::value::{self, Purpose};
use crate::config::word::{Amount, DurationWord};
use crate::engine::schedule::Schedule;
use crate::engine::{CanaryMode, CanaryRules, JobsWatch};
use crate::model::{JobKind, Usd};
use crate::probe::CheckSpec;
use crate::probe::queue::QueueCheck;
use crate::probe::render::{RenderCheck, RenderSource};
use crate::probe::speech::SpeechCheck;
use crate::probe::translation::{TranslationCheck, TranslationSource};
use crate::probe::webhook::WebhookCheck;

const IGNORE_OLDER_THAN: Duration = Duration::from_hours(24);
const QUEUE_SILENCE: Duration = Duration::from_hours(6);
const RENDER_SILENCE: Duration = Duration::from_hours(12);
const TRANSLATION_SILENCE: Duration = Duration::from_hours(24);
const SPEECH_SILENCE: Duration = Duration::from_hours(1);
const MAX_REQUESTS: u32 = 10;
/// How long silence of the listener is no news: events come when jobs end.
const EVENTS_EVERY: Duration = Duration::from_hours(24);
const SCRIPT: &str = "Hi.";
const LANGUAGE: &str = "Spanish (Spain)";
const SPEECH_PATH: &str = "/v3/voices/speech";
const WEBHOOK_PATH: &str = "/heygen";
/// HeyGen takes no longer text (facts, sections 2 and 4).
const LONGEST_TEXT: usize = 5_000;

/// When a probe that has to do with jobs runs.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    /// For the agenda and for freshness.
    pub(super) schedule: Schedule,
    /// Of a paid test.
    pub(super) canary: Option<(CanaryMode, Duration)>,
}

/// What the three paid checks have in common.
struct Paid<'a> {
    mode: Option<ModeWord>,
    max_silence: Option<&'a DurationWord>,
    usual_silence: Duration,
    at: At,
}

impl<'a> Paid<'a> {
    fn of(check: &'a RawCheck, at: &At) -> Option<Self> {
        let at = |kind: &str| at.key("check").key(kind);
        if let Some(raw) = &check.render {
            let (mode, max_silence) = (raw.mode, raw.max_silence.as_ref());
            return Some(Self {
                mode,
                max_silence,
                usual_silence: RENDER_SILENCE,
                at: at("render"),
            });
        }
        if let Some(raw) = &check.translation {
            let (mode, max_silence) = (raw.mode, raw.max_silence.as_ref());
            let (usual_silence, at) = (TRANSLATION_SILENCE, at("translation"));
            return Some(Self { mode, max_silence, usual_silence, at });
        }
        let raw = check.speech.as_ref()?;
        let (mode, max_silence) = (raw.mode, raw.max_silence.as_ref());
        Some(Self { mode, max_silence, usual_silence: SPEECH_SILENCE, at: at("speech") })
    }
}

impl Check<'_> {
    /// When the probe runs: by `every` or `schedule`, by need, or when it is told.
    pub(super) fn pace(&mut self, raw: &RawProbe, usual: Duration, at: &At) -> Pace {
        let check = raw.check.as_ref();
        if check.is_some_and(|check| check.webhook.is_some()) {
            self.refuse_schedule(raw, at, "events come by themselves: remove the key");
            return Pace { schedule: Schedule::Every(EVENTS_EVERY), canary: None };
        }
        let Some(paid) = check.and_then(|check| Paid::of(check, at)) else {
            let schedule = self.schedule(raw.every.as_ref(), raw.schedule.as_deref(), usual, at);
            return Pace { schedule, canary: None };
        };
        let silence = self.interval(&paid.at.key("max_silence"), paid.max_silence);
        if paid.mode == Some(ModeWord::Fixed) {
            return self.fixed(raw, silence, &paid, at);
        }
        let hint = "it is sent when nothing else said anything for `max_silence`; for a fixed \
                    schedule write `mode = \"fixed\"` in the check";
        self.refuse_schedule(raw, at, hint);
        let silence = silence.unwrap_or(paid.usual_silence);
        Pace { schedule: Schedule::Every(silence), canary: Some((CanaryMode::Adaptive, silence)) }
    }

    fn fixed(
        &mut self,
        raw: &RawProbe,
        silence: Option<Duration>,
        paid: &Paid<'_>,
        at: &At,
    ) -> Pace {
        if raw.every.is_none() && raw.schedule.is_none() {
            let hint = "add `every = \"6h\"` or `schedule = \"0 0 */6 * * *\"` to the probe";
            let fault = Fault::new("`mode = \"fixed\"` needs a schedule", hint);
            self.fail(&paid.at.key("mode"), fault);
        }
        let (every, cron) = (raw.every.as_ref(), raw.schedule.as_deref());
        let schedule = self.schedule(every, cron, paid.usual_silence, at);
        let usual = paid.usual_silence.max(schedule.interval(self.now));
        let mode = CanaryMode::Fixed(schedule.clone());
        Pace { schedule, canary: Some((mode, silence.unwrap_or(usual))) }
    }

    fn refuse_schedule(&mut self, raw: &RawProbe, at: &At, hint: &str) {
        for (key, is_written) in
            [("every", raw.every.is_some()), ("schedule", raw.schedule.is_some())]
        {
            if is_written {
                let fault = Fault::new(format!("`{key}` means nothing for this check"), hint);
                self.problems.add_at_key(self.document, &at.key(key), fault);
            }
        }
    }

    /// The check, and what it has to do with jobs.
    pub(super) fn job_check(
        &mut self,
        raw: &RawCheck,
        pace: &Pace,
        at: &At,
        scope: &Scope,
    ) -> Option<(CheckSpec, JobsWatch)> {
        if let Some(raw) = &raw.queue {
            return Some(self.queue(raw, &at.key("queue")));
        }
        if let Some(raw) = &raw.webhook {
            let webhook = self.webhook_check(raw, &at.key("webhook"), scope)?;
            return Some((CheckSpec::Webhook(webhook), JobsWatch::Events));
        }
        let (mode, max_silence) = pace.canary.clone()?;
        let (check, price, looks, path) = if let Some(raw) = &raw.render {
            self.render(raw, &at.key("render"))?
        } else if let Some(raw) = &raw.translation {
            self.translation(raw, &at.key("translation"))?
        } else {
            self.speech(raw.speech.as_ref()?, &at.key("speech"), scope)?
        };
        let rules = CanaryRules { mode, max_silence, price, looks, path };
        Some((check, JobsWatch::Canary(rules)))
    }

    fn queue(&mut self, raw: &RawQueue, at: &At) -> (CheckSpec, JobsWatch) {
        let words = raw.kinds.as_deref();
        let is_wanted =
            |kind: &JobKind| words.is_none_or(|words| words.iter().any(|word| word.0 == *kind));
        let kinds: Vec<JobKind> = JobKind::ALL.into_iter().filter(is_wanted).collect();
        if kinds.is_empty() {
            let hint = "leave the key out for videos and translations";
            let fault = Fault::new("this list is empty: nothing would be followed", hint);
            self.fail(&at.key("kinds"), fault);
        }
        let titles = raw.exclude_titles.as_deref().unwrap_or_default();
        let exclude_titles = self.each(&at.key("exclude_titles"), titles, |text| {
            let hint = "write a part of the title with *: \"internal test*\"";
            let is_blank = text.trim().is_empty();
            if is_blank { Err(Fault::new("a title is empty", hint)) } else { Ok(text.to_owned()) }
        });
        let ignored = self.interval(&at.key("ignore_older_than"), raw.ignore_older_than.as_ref());
        let silence = self.interval(&at.key("max_silence"), raw.max_silence.as_ref());
        let check = QueueCheck {
            kinds,
            exclude_titles,
            ignore_older_than: ignored.unwrap_or(IGNORE_OLDER_THAN),
            max_silence: silence.unwrap_or(QUEUE_SILENCE),
            max_requests: raw.max_requests.unwrap_or(MAX_REQUESTS),
        };
        let watch = JobsWatch::Natural {
            kinds: check.kinds.clone(),
            max_silence: check.max_silence,
            ignore_older_than: check.ignore_older_than,
        };
        (CheckSpec::Queue(check), watch)
    }
}

/// A paid check: what is sent, its price, its looks and the path of its create request.
type PaidCheck = (CheckSpec, Usd, Vec<String>, String);

impl Check<'_> {
    fn render(&mut self, raw: &RawRender, at: &At) -> Option<PaidCheck> {
        let script = self.said(&at.key("script"), raw.script.as_deref());
        let voice = raw.voice.as_deref();
        let voice = voice.and_then(|voice| self.value(&at.key("voice"), value::heygen_id(voice)));
        let source = match (&raw.template, &raw.avatars) {
            (Some(template), _) => self
                .value(&at.key("template"), value::heygen_id(template))
                .map(RenderSource::Template),
            (None, Some(avatars)) => {
                self.looks(&at.key("avatars"), avatars, value::heygen_id).map(RenderSource::Avatars)
            }
            (None, None) => None,
        };
        let script = script?;
        let usual = raw.template.is_none().then(|| price::render(raw.engine, &script));
        let price = self.price(raw.price_usd, usual, at);
        let source = source?;
        let (looks, path) = match &source {
            RenderSource::Avatars(avatars) => (avatars.clone(), "/v3/videos".to_owned()),
            RenderSource::Template(template) => {
                (vec![String::new()], format!("/v2/template/{template}/generate"))
            }
        };
        let resolution = raw.resolution.unwrap_or(ResolutionWord::P720);
        let check = RenderCheck {
            source,
            voice,
            script,
            engine: raw.engine.map(|engine| engine.as_str().to_owned()),
            resolution: resolution.as_str().to_owned(),
        };
        Some((CheckSpec::Render(check), price?, looks, path))
    }

    fn translation(&mut self, raw: &RawTranslation, at: &At) -> Option<PaidCheck> {
        let source = match (&raw.video_url, &raw.asset_id) {
            (Some(url), _) => {
                self.url(&at.key("video_url"), Some(url), Purpose::Ask).map(TranslationSource::Url)
            }
            (None, Some(asset)) => self
                .value(&at.key("asset_id"), value::heygen_id(asset))
                .map(TranslationSource::Asset),
            (None, None) => None,
        };
        let usual = [LANGUAGE.to_owned()];
        let written = raw.languages.as_deref().unwrap_or(&usual);
        let languages = self.looks(&at.key("languages"), written, value::language);
        let quality = raw.quality.unwrap_or(QualityWord::Speed).as_str().to_owned();
        let audio_only = raw.audio_only.unwrap_or(true);
        let usual = price::translation(&quality, audio_only);
        let price = self.price(raw.price_usd, Some(usual), at);
        let looks = languages.clone()?;
        let (source, languages) = (source?, languages?);
        let check = TranslationCheck { source, languages, quality, audio_only };
        let path = "/v3/video-translations".to_owned();
        Some((CheckSpec::Translation(check), price?, looks, path))
    }

    fn speech(&mut self, raw: &RawSpeech, at: &At, scope: &Scope) -> Option<PaidCheck> {
        let text = self.said(&at.key("text"), raw.text.as_deref());
        let voice = raw.voice.as_deref();
        let voice = voice.and_then(|voice| self.value(&at.key("voice"), value::heygen_id(voice)));
        let path = raw.path.as_deref().unwrap_or(SPEECH_PATH);
        let path = self.api_path(&at.key("path"), path, scope);
        let usual = price::speech(text.as_deref().unwrap_or(SCRIPT));
        let price = self.price(raw.price_usd, Some(usual), at);
        let text = text?;
        let check = SpeechCheck { voice: voice?, text, path: path? };
        let path = check.path.clone();
        Some((CheckSpec::Speech(check), price?, vec![String::new()], path))
    }

    fn webhook_check(&mut self, raw: &RawEvents, at: &At, scope: &Scope) -> Option<WebhookCheck> {
        let listen = self.value(&at.key("listen"), value::listen(raw.listen.as_deref()?));
        let secret = match raw.secret_file.as_deref() {
            Some(file) => {
                let is_same = !scope.offers_webhook_secret;
                self.named_file(&EVENTS_SECRET, "", file, &at.key("secret_file"), is_same)
            }
            None => self.offered(&EVENTS_SECRET, &at.key("secret_file"), "secret_file"),
        };
        let path = raw.path.as_deref().unwrap_or(WEBHOOK_PATH);
        let path = self.value(&at.key("path"), value::api_path(path));
        if path.as_ref().is_some_and(|path| path.contains('?')) {
            let hint = "write the path alone, such as \"/heygen\"";
            self.fail(&at.key("path"), Fault::new("a path here has no query", hint));
        }
        let listen = listen?;
        if !listen.ip().is_loopback() {
            self.warnings.push(format!(
                "`check.webhook` listens on {listen}, which others can reach: HeyGen posts to \
                 https alone, so put it behind a reverse proxy that speaks TLS"
            ));
        }
        Some(WebhookCheck { listen, secret: secret?, path: path? })
    }

    /// Avatars or languages: at least one, none twice.
    fn looks(
        &mut self,
        at: &At,
        written: &[String],
        parse: impl Fn(&str) -> Result<String, Fault>,
    ) -> Option<Vec<String>> {
        if written.is_empty() {
            let hint = "name at least one; two let a failing one be told from a failing HeyGen";
            self.fail(at, Fault::new("this list is empty: nothing would be sent", hint));
            return None;
        }
        for (i, text) in written.iter().enumerate() {
            if written.iter().take(i).any(|other| other == text) {
                let hint = "each is taken in turn: name it once";
                self.fail(&at.index(i), Fault::new(format!("\"{text}\" stands twice"), hint));
            }
        }
        let looks = self.each(at, written, parse);
        (looks.len() == written.len()).then_some(looks)
    }

    fn said(&mut self, at: &At, written: Option<&str>) -> Option<String> {
        let text = written.unwrap_or(SCRIPT);
        let is_right = !text.trim().is_empty() && text.chars().count() <= LONGEST_TEXT;
        if !is_right {
            let hint = "one short sentence is enough, and is the cheapest: \"Hi.\"";
            let message = format!("this text must have between 1 and {LONGEST_TEXT} characters");
            self.fail(at, Fault::new(message, hint));
        }
        is_right.then(|| text.to_owned())
    }

    fn price(&mut self, written: Option<Amount>, usual: Option<Usd>, at: &At) -> Option<Usd> {
        match (written.map(price::money), usual) {
            (Some(price), _) if price > Usd::ZERO => Some(price),
            (Some(_), _) => {
                let hint = "write what one test costs at most, or leave the key out where there \
                            is a default";
                let message = "a price must be above zero: otherwise no cap could hold";
                self.fail(&at.key("price_usd"), Fault::new(message, hint));
                None
            }
            (None, Some(usual)) => Some(usual),
            (None, None) => {
                let hint = "add `price_usd = …`: what one video of it costs at most";
                let message = "the price of a template is not known: it is as long as it is";
                self.fail(&at.key("template"), Fault::new(message, hint));
                None
            }
        }
    }
}
