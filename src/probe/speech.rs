//! A paid test of text to speech.
//!
//! Owns one exchange and the sound that it answers with. It makes no job: there is nothing to look
//! for, to follow or to delete. Invariant: one errand `Submit` is one POST.

use futures_util::future::BoxFuture;
use serde_json::json;

use super::artefact::{self, Checked, Wanted};
use super::canary::submit::{finding, send};
use super::canary::{Done, judged, keyless, prepare, reach, report};
use super::job_calls::{JobCalls, malformed};
use super::observe::Subject;
use super::{Canary, ProbeDeps, ProbeSpec};
use crate::heygen::job::speech_url;
use crate::model::{Errand, Finding, Observation, Outcome, Report, Task};

/// `check.speech`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeechCheck {
    /// Voice id.
    pub voice: String,
    /// What is said.
    pub text: String,
    /// Path below `heygen.base_url`.
    pub path: String,
}

struct SpeechCanary {
    check: SpeechCheck,
    calls: JobCalls,
}

/// The canary of `check.speech`.
pub(super) fn canary(spec: &ProbeSpec, check: &SpeechCheck, deps: &ProbeDeps) -> Box<dyn Canary> {
    let calls = JobCalls::new(Subject::of(spec, false), deps, &[]);
    Box::new(SpeechCanary { check: check.clone(), calls })
}

impl SpeechCanary {
    async fn submit(&self) -> Done {
        let body = json!({"text": self.check.text, "voice_id": self.check.voice}).to_string();
        let Some(request) = self.calls.create(&self.check.path, &body) else {
            return (Finding::Refused, Some(keyless(&self.calls)));
        };
        let asked = send(&self.calls, request, &self.check.path, false).await;
        let finding = finding(&asked, |body| speech_url(body).map(|_| None));
        let url = asked.answer.as_ref().ok().and_then(|exchange| speech_url(&exchange.body));
        let mut seen = asked.observation;
        let is_good = matches!(seen.outcome, Outcome::Ok | Outcome::Slow);
        match (&finding, url) {
            (Finding::Accepted { .. }, Some(url)) => (finding, self.heard(seen, &url).await),
            _ if is_good => {
                malformed(&mut seen, "to text to speech without an audio_url");
                (finding, Some(Box::new(seen)))
            }
            _ => (finding, Some(Box::new(seen))),
        }
    }

    /// The exchange, judged by its sound; `None` when that could not be fetched.
    async fn heard(&self, seen: Observation, url: &url::Url) -> Option<Box<Observation>> {
        let reach = reach(&self.calls);
        let fetch = || artefact::check(&self.calls.deps.http, url, reach, Wanted::Sound);
        let checked = match fetch().await {
            Checked::Unreachable(_) => fetch().await,
            checked => checked,
        };
        judged(seen, url, checked, None).map(Box::new)
    }
}

impl Canary for SpeechCanary {
    fn attend(&self, errand: Errand) -> BoxFuture<'_, Report> {
        Box::pin(async move {
            let begun_at = self.calls.deps.clock.now();
            let done = match &errand.task {
                Task::Prepare => prepare(&self.calls).await,
                Task::Submit(_) => self.submit().await,
                Task::Find(_) | Task::Poll(_) | Task::Check(_) => (Finding::Unanswered, None),
                Task::Delete(_) => (Finding::Deleted, None),
                Task::Sweep { .. } => (Finding::Swept { deleted: 0 }, None),
            };
            report(&errand, begun_at, self.calls.deps.clock.now(), done)
        })
    }
}
