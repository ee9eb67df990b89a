//! `[jobs.*]` and `[budget]`: when a job is late or stuck, and what may be spent.
//!
//! Invariant: for every stage and origin floor ≤ late < stuck, written or not.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Check, price};
use crate::config::document::At;
use crate::config::problem::Fault;
use crate::config::raw::{RawBudget, RawJobLimits, RawJobs};
use crate::config::value;
use crate::config::word::DurationWord;
use crate::engine::{BudgetRules, JobRules, StageRules};
use crate::model::{JobKind, Origin};

/// The limits of one stage as written.
struct Written<'a> {
    stage: &'static str,
    floor: Option<&'a DurationWord>,
    late: Option<&'a DurationWord>,
    stuck: Option<&'a DurationWord>,
}

impl Check<'_> {
    /// When jobs are late or stuck.
    pub(super) fn job_rules(&mut self, raw: Option<&RawJobs>) -> BTreeMap<JobKind, JobRules> {
        let at = At::root().key("jobs");
        let mut all = BTreeMap::new();
        for kind in JobKind::ALL {
            let (key, written) = match kind {
                JobKind::Video => ("render", raw.and_then(|raw| raw.render.as_ref())),
                JobKind::Translation => {
                    ("translation", raw.and_then(|raw| raw.translation.as_ref()))
                }
            };
            let usual = JobRules::usual(kind);
            let rules = match written {
                Some(written) => self.kind_rules(written, usual, &at.key(key)),
                None => usual,
            };
            all.insert(kind, rules);
        }
        all
    }

    fn kind_rules(&mut self, raw: &RawJobLimits, mut rules: JobRules, at: &At) -> JobRules {
        let queue = Written {
            stage: "queue",
            floor: raw.queue_floor.as_ref(),
            late: raw.queue_late.as_ref(),
            stuck: raw.queue_stuck.as_ref(),
        };
        self.stage_rules(&queue, &mut rules.queue, at);
        let processing = Written {
            stage: "processing",
            floor: raw.processing_floor.as_ref(),
            late: raw.processing_late.as_ref(),
            stuck: raw.processing_stuck.as_ref(),
        };
        self.stage_rules(&processing, &mut rules.processing, at);
        let timeout = self.interval(&at.key("submit_timeout"), raw.submit_timeout.as_ref());
        let poll_min = self.interval(&at.key("poll_min"), raw.poll_min.as_ref());
        let poll_max = self.interval(&at.key("poll_max"), raw.poll_max.as_ref());
        rules.submit_timeout = timeout.unwrap_or(rules.submit_timeout);
        rules.poll_min = poll_min.unwrap_or(rules.poll_min);
        rules.poll_max = poll_max.unwrap_or(rules.poll_max);
        if rules.poll_min > rules.poll_max {
            let key = if poll_min.is_some() { "poll_min" } else { "poll_max" };
            let message = format!(
                "`poll_min` ({}) is above `poll_max` ({})",
                value::duration_text(rules.poll_min),
                value::duration_text(rules.poll_max)
            );
            let hint = "the gap grows from the first to the second";
            self.fail(&at.key(key), Fault::new(message, hint));
        }
        rules
    }

    /// A written limit holds for tests and for the account's own jobs alike.
    fn stage_rules(
        &mut self,
        written: &Written<'_>,
        rules: &mut BTreeMap<Origin, StageRules>,
        at: &At,
    ) {
        let key = |limit: &str| at.key(&format!("{}_{limit}", written.stage));
        let before = self.problems.len();
        let floor = self.interval(&key("floor"), written.floor);
        let late = self.interval(&key("late"), written.late);
        let stuck = self.interval(&key("stuck"), written.stuck);
        for rules in rules.values_mut() {
            rules.floor = floor.unwrap_or(rules.floor);
            rules.late = late.unwrap_or(rules.late);
            rules.stuck = stuck.unwrap_or(rules.stuck);
        }
        // What could not be read was replaced by its default: that order means nothing.
        if self.problems.len() > before {
            return;
        }
        let Some(broken) = rules.iter().find_map(|(origin, rules)| broken(*origin, rules)) else {
            return;
        };
        let (low, high) = broken.limits;
        let is_low_written = if low == "floor" { floor.is_some() } else { late.is_some() };
        let at = key(if is_low_written { low } else { high });
        let (stage, hint) = (
            written.stage,
            "a job is late before it is stuck, and neither limit may fall under the floor: write the other one too",
        );
        let message = format!(
            "`{stage}_{low}` ({}) is {} `{stage}_{high}` ({}) for {}",
            value::duration_text(broken.values.0),
            broken.relation,
            value::duration_text(broken.values.1),
            broken.whose,
        );
        self.fail(&at, Fault::new(message, hint));
    }

    /// What may be spent.
    pub(super) fn budget(raw: Option<&RawBudget>) -> BudgetRules {
        let usual = BudgetRules::default();
        let Some(raw) = raw else { return usual };
        let reserve = raw.reserve.clone().unwrap_or_default();
        BudgetRules {
            per_day: raw.usd_per_day.map_or(usual.per_day, price::money),
            per_month: raw.usd_per_month.map_or(usual.per_month, price::money),
            reserve_usd: reserve.usd.map_or(usual.reserve_usd, price::money),
            reserve_credits: reserve.credits.map_or(usual.reserve_credits, |credits| credits.0),
            allow_auto_reload: raw.allow_auto_reload.unwrap_or(usual.allow_auto_reload),
            canaries: raw.canaries.unwrap_or(usual.canaries),
        }
    }
}

/// Two limits in the wrong order.
struct Broken {
    limits: (&'static str, &'static str),
    values: (Duration, Duration),
    relation: &'static str,
    whose: &'static str,
}

fn broken(origin: Origin, rules: &StageRules) -> Option<Broken> {
    let whose = match origin {
        Origin::Canary => "tests",
        Origin::Natural => "your own jobs",
    };
    if rules.floor > rules.late {
        let values = (rules.floor, rules.late);
        return Some(Broken { limits: ("floor", "late"), values, relation: "above", whose });
    }
    let values = (rules.late, rules.stuck);
    let limits = ("late", "stuck");
    (rules.late >= rules.stuck).then_some(Broken { limits, values, relation: "not below", whose })
}
