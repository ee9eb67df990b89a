//! Certificates that end soon: said in the log once a day, long before visitors meet the error.
//! Pure. A certificate that has ended is a failing probe, and not a matter of this file.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::model::{Observation, Timestamp};
use crate::probe::{CheckSpec, ProbeSpec};

/// The same certificate is spoken of this often.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// When each probe's certificate was last spoken of.
#[derive(Debug, Default)]
pub struct Certificates {
    said: BTreeMap<String, Timestamp>,
}

impl Certificates {
    /// What is to be said of the certificate that `observation` met, if anything.
    pub fn warning(&mut self, specs: &[ProbeSpec], observation: &Observation) -> Option<String> {
        let probe = &observation.series.probe;
        let days = days(specs.iter().find(|spec| spec.name == *probe)?)?;
        let ends_at = observation.certificate_expires_at?;
        let now = observation.ended_at;
        let left = ends_at.duration_since(now);
        if left > SignedDuration::from_hours(24 * i64::from(days)) {
            self.said.remove(probe);
            return None;
        }
        if self.said.get(probe).is_some_and(|at| now.duration_since(*at) < AGAIN_AFTER) {
            return None;
        }
        self.said.insert(probe.clone(), now);
        let hours = left.as_hours().max(0);
        Some(format!("the certificate that {probe} meets ends at {ends_at}, in {hours} h"))
    }
}

/// From how many days before the end on it is said; web checks alone.
fn days(spec: &ProbeSpec) -> Option<u32> {
    match &spec.check {
        CheckSpec::Web(web) => Some(web.certificate_days),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::Thresholds;
    use crate::engine::schedule::Schedule;
    use crate::model::{ProbeKind, Series};
    use crate::probe::web::WebCheck;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap()
    }

    fn spec() -> ProbeSpec {
        let check = WebCheck {
            url: "https://app.heygen.com/".parse().unwrap(),
            status: vec![200],
            contains: None,
            slow_after: Duration::from_secs(5),
            certificate_days: 3,
            replaces: Vec::new(),
        };
        ProbeSpec {
            name: "web-app".to_owned(),
            schedule: Schedule::Every(Duration::from_mins(1)),
            timeout: Duration::from_secs(10),
            capabilities: Vec::new(),
            thresholds: Thresholds::default(),
            check: CheckSpec::Web(check),
        }
    }

    fn seen(now: i64, ends: i64) -> Observation {
        let blank = Observation::blank(Series::of("web-app"), ProbeKind::Web, at(now));
        Observation { certificate_expires_at: Some(at(ends)), ..blank }
    }

    #[test]
    fn a_certificate_that_ends_soon_is_said_once_a_day_until_it_is_renewed() {
        let mut certificates = Certificates::default();
        let mut said = |now, ends| certificates.warning(&[spec()], &seen(now, ends)).is_some();
        assert!(!said(0, 73), "more than three days are left");
        assert!(said(1, 73));
        assert!(!said(24, 73), "said within a day");
        assert!(said(25, 73));
        assert!(!said(26, 9_000), "renewed");
        assert!(said(8_990, 9_000), "and close to its end again");
    }
}
