//! A paid test translation.
//!
//! Owns the body of its create (facts, section 3): one language, so that one create is one job.
//! Invariant: its title is its nonce.

use serde_json::{Value, json};

use super::canary::{Expects, JobCanary, Recipe, Search, SourceLength};
use super::job_calls::JobCalls;
use super::observe::Subject;
use super::{Canary, ProbeDeps, ProbeSpec};
use crate::heygen::job::jobs_path;
use crate::model::{Intent, JobKind};

/// `check.translation`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranslationCheck {
    /// What is translated.
    pub source: TranslationSource,
    /// Languages (HeyGen's names), taken in turn.
    pub languages: Vec<String>,
    /// `speed` or `precision`.
    pub quality: String,
    /// Whether only the sound is made.
    pub audio_only: bool,
}

/// What is translated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TranslationSource {
    /// A public URL.
    Url(url::Url),
    /// An uploaded asset.
    Asset(String),
}

/// The canary of `check.translation`.
pub(super) fn canary(
    spec: &ProbeSpec,
    check: &TranslationCheck,
    deps: &ProbeDeps,
) -> Box<dyn Canary> {
    let own = check.clone();
    let (fetched_from, expects) = match &check.source {
        TranslationSource::Url(url) => {
            (url.host_str().map(str::to_owned), Expects::LikeSource(SourceLength::of(url.clone())))
        }
        TranslationSource::Asset(_) => (None, Expects::Translation),
    };
    Box::new(JobCanary {
        calls: JobCalls::new(Subject::of(spec, false), deps, &[]),
        recipe: Recipe {
            kind: JobKind::Translation,
            path: jobs_path(JobKind::Translation).to_owned(),
            fetched_from,
            body: Box::new(move |intent| body(&own, intent)),
            search: Search::Newest,
            expects,
        },
    })
}

fn body(check: &TranslationCheck, intent: &Intent) -> Value {
    let video = match &check.source {
        TranslationSource::Url(url) => json!({"type": "url", "url": url.as_str()}),
        TranslationSource::Asset(id) => json!({"type": "asset_id", "asset_id": id}),
    };
    json!({
        "video": video,
        "output_languages": [intent.look],
        "mode": check.quality,
        "translate_audio_only": check.audio_only,
        "title": intent.nonce,
    })
}
