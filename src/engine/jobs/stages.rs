//! Jobs in numbers: for metrics, pages and `jobs --baseline`.

use super::Ledger;
use super::findings::oldest_since;
use crate::engine::settings::{JobRules, JobsWatch, Settings};
use crate::model::{
    Intent, IntentState, Job, JobKind, JobState, Origin, ProbeKind, Stage, StageView,
};

/// One entry per kind, origin and stage that some probe watches.
pub fn stages(ledger: &Ledger, intents: &[Intent], settings: &Settings) -> Vec<StageView> {
    let mut views = Vec::new();
    for kind in JobKind::ALL {
        for origin in Origin::ALL {
            if is_watched(settings, kind, origin) {
                if origin == Origin::Canary {
                    views.push(submitting(ledger, intents, kind, settings));
                }
                for stage in [Stage::Queue, Stage::Processing] {
                    views.push(view(ledger, settings, (kind, origin, stage)));
                }
            }
        }
    }
    views
}

fn is_watched(settings: &Settings, kind: JobKind, origin: Origin) -> bool {
    settings.probes.iter().any(|watch| match (&watch.jobs, origin) {
        (JobsWatch::Natural { kinds, .. }, Origin::Natural) => kinds.contains(&kind),
        (JobsWatch::Canary(_), Origin::Canary) => job_kind(watch.kind) == Some(kind),
        (
            JobsWatch::None | JobsWatch::Events | JobsWatch::Canary(_) | JobsWatch::Natural { .. },
            _,
        ) => false,
    })
}

/// The kind of job that a paid probe makes; speech makes none.
pub fn job_kind(kind: ProbeKind) -> Option<JobKind> {
    match kind {
        ProbeKind::Render => Some(JobKind::Video),
        ProbeKind::Translation => Some(JobKind::Translation),
        ProbeKind::Api
        | ProbeKind::Submit
        | ProbeKind::Web
        | ProbeKind::Control
        | ProbeKind::StatusPage
        | ProbeKind::Queue
        | ProbeKind::Speech
        | ProbeKind::Webhook => None,
    }
}

/// Create requests whose answer is not known: under way, or lost and looked for.
fn submitting(
    ledger: &Ledger,
    intents: &[Intent],
    kind: JobKind,
    settings: &Settings,
) -> StageView {
    let unknown = || {
        intents.iter().filter(move |intent| {
            job_kind(intent.kind) == Some(kind)
                && matches!(intent.state, IntentState::Intended | IntentState::Ambiguous)
        })
    };
    StageView {
        kind,
        origin: Origin::Canary,
        stage: Stage::Submit,
        in_flight: u32::try_from(unknown().count()).unwrap_or(u32::MAX),
        oldest_since: unknown().map(|intent| intent.created_at).min(),
        baseline: ledger.limits(settings).baseline(kind, Origin::Canary, Stage::Submit),
        late: JobRules::SUBMIT_LATE,
        stuck: settings.job_rules(kind).submit_timeout,
    }
}

fn view(
    ledger: &Ledger,
    settings: &Settings,
    (kind, origin, stage): (JobKind, Origin, Stage),
) -> StageView {
    let state = if stage == Stage::Queue { JobState::Queued } else { JobState::Processing };
    let in_stage = |job: &&Job| job.origin == origin && job.state == state && !job.is_abandoned;
    let limits = ledger.limits(settings);
    let bounds = limits.of_stage(kind, origin, stage);
    StageView {
        kind,
        origin,
        stage,
        in_flight: u32::try_from(ledger.of(kind).filter(in_stage).count()).unwrap_or(u32::MAX),
        oldest_since: oldest_since(ledger.of(kind).filter(in_stage)),
        baseline: limits.baseline(kind, origin, stage),
        late: bounds.late,
        stuck: bounds.stuck,
    }
}
