//! A POST of an invalid body: reaches the submit handler, creates nothing.
//!
//! Invariant: the body is the empty object. Every create operation of HeyGen's requires at least
//! one field, so there is nothing that it could make of it.

use futures_util::future::{BoxFuture, join_all};

use super::observe::{Subject, observe};
use super::{ProbeDeps, ProbeSpec, Prober, Run, Step};
use crate::engine::JobRules;
use crate::engine::classify::{Call, Question};
use crate::heygen::Api;
use crate::http_client::Limits;
use crate::model::{Capability, Observation, ProbeKind, Series, SkipReason};

/// Creates nothing, whatever the path.
const INVALID_BODY: &str = "{}";

/// `check.submit` (contract, section 8).
#[derive(Debug, Clone, PartialEq)]
pub struct SubmitCheck {
    /// Paths below the base URL; each is a series of its own and informs generation or
    /// translation by its path.
    pub paths: Vec<String>,
}

struct SubmitProber {
    subjects: Vec<(String, Subject)>,
    api: Api,
    deps: ProbeDeps,
}

/// The prober of a `check.submit`.
pub(super) fn prober(spec: &ProbeSpec, check: &SubmitCheck, deps: &ProbeDeps) -> Box<dyn Prober> {
    let subject = |path: &String| Subject {
        series: Series { probe: spec.name.clone(), subject: path.clone() },
        kind: ProbeKind::Submit,
        anonymous: false,
        capabilities: vec![informs(path)],
    };
    Box::new(SubmitProber {
        subjects: check.paths.iter().map(|path| (path.clone(), subject(path))).collect(),
        api: Api::new(deps.base_url.clone(), deps.api_key.clone()),
        deps: deps.clone(),
    })
}

/// The capability that a create operation belongs to.
pub fn informs(path: &str) -> Capability {
    if path.contains("translat") {
        Capability::VideoTranslation
    } else {
        Capability::VideoGeneration
    }
}

impl SubmitProber {
    async fn observe(&self, path: &str, subject: &Subject, run: &Run) -> Observation {
        let limits = Limits::SUBMIT.within(run.timeout);
        let Some(request) = self.api.post_json(path, INVALID_BODY, limits) else {
            return subject.skipped(SkipReason::NoKey, self.deps.clock.now());
        };
        let question = Question {
            call: Call::Submit,
            path,
            carries_url: false,
            slow_after: JobRules::SUBMIT_LATE,
        };
        observe(&self.deps, run, subject, request, &question).await
    }
}

impl Prober for SubmitProber {
    fn run(&self, run: Run) -> BoxFuture<'_, Step> {
        Box::pin(async move {
            let paths = self.subjects.iter();
            let runs = paths.map(|(path, subject)| self.observe(path, subject, &run));
            Step::observed(join_all(runs).await)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_its_capability() {
        for (path, capability) in [
            ("/v3/videos", Capability::VideoGeneration),
            ("/v3/video-translations", Capability::VideoTranslation),
            ("/v2/video_translate", Capability::VideoTranslation),
            ("/v2/video/generate", Capability::VideoGeneration),
        ] {
            assert_eq!(informs(path), capability, "{path}");
        }
    }
}
