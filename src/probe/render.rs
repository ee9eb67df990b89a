//! A paid test video.
//!
//! Owns the body of its create (facts, section 2): as little as makes a video. Invariant: its title
//! is its nonce.

use serde_json::{Value, json};

use super::canary::{Expects, JobCanary, Recipe, Search};
use super::job_calls::JobCalls;
use super::observe::Subject;
use super::{Canary, ProbeDeps, ProbeSpec};
use crate::heygen::job::jobs_path;
use crate::model::{Intent, JobKind};

/// `check.render`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderCheck {
    /// What is rendered.
    pub source: RenderSource,
    /// Voice id; `None`: the avatar's own.
    pub voice: Option<String>,
    /// What is said.
    pub script: String,
    /// `avatar_iv`, `avatar_v`, `avatar_iii`; `None`: HeyGen's default.
    pub engine: Option<String>,
    /// `720p`, `1080p`, `4k`.
    pub resolution: String,
}

/// What is rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenderSource {
    /// Avatars (look ids), taken in turn.
    Avatars(Vec<String>),
    /// A template.
    Template(String),
}

/// The canary of `check.render`.
pub(super) fn canary(spec: &ProbeSpec, check: &RenderCheck, deps: &ProbeDeps) -> Box<dyn Canary> {
    let own = check.clone();
    let (path, search) = match &check.source {
        RenderSource::Avatars(_) => (jobs_path(JobKind::Video).to_owned(), Search::Filter),
        RenderSource::Template(id) => {
            (format!("/v2/template/{id}/generate"), Search::FilterThenNewest)
        }
    };
    Box::new(JobCanary {
        calls: JobCalls::new(Subject::of(spec, false), deps, &[]),
        recipe: Recipe {
            kind: JobKind::Video,
            path,
            fetched_from: None,
            body: Box::new(move |intent| body(&own, intent)),
            search,
            expects: Expects::Video,
        },
    })
}

fn body(check: &RenderCheck, intent: &Intent) -> Value {
    if let RenderSource::Template(_) = check.source {
        return json!({"title": intent.nonce, "caption": false, "variables": {}});
    }
    let mut body = json!({
        "type": "avatar",
        "avatar_id": intent.look,
        "script": check.script,
        "title": intent.nonce,
        "resolution": check.resolution,
    });
    if let Some(voice) = &check.voice {
        body["voice_id"] = json!(voice);
    }
    if let Some(engine) = &check.engine {
        body["engine"] = json!({"type": engine});
    }
    body
}
