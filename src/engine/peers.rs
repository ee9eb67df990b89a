//! What other monitors see of the paths that we probe.
//!
//! Owns what each peer last said and which voice it gives about one failure of ours. Decides
//! nothing: `attribute` weighs the voices. Invariants: who cannot be asked, blames its own network
//! or said nothing lately has no voice; "works" is believed only when it was seen after our
//! failing began.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::alert::is_fresh;
use super::settings::{Settings, Source};
use crate::model::{Counts, Outcome, PeerReading, PeerSaid, PeerSight, ProbeKind, Timestamp};

/// Failed questions in a row after which a peer counts as unreachable: one may be lost.
const UNREACHABLE_AFTER: u32 = 2;
/// Who saw a failure keeps that voice for this long: one of several places is the first to see the
/// end of an outage, and the others are not at fault until they see it too.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(2);

/// How long the peers have to look at a failure of ours, or to be asked at all after a start: one
/// interval of the probes that tell most, and the time to ask.
pub(super) const PATIENCE: SignedDuration = SignedDuration::from_secs(90);

/// Every peer, by the name of its source.
#[derive(Debug, Clone, Default)]
pub struct Peers {
    by_name: BTreeMap<String, Peer>,
    /// When this memory took its first step.
    started_at: Option<Timestamp>,
}

/// One peer, as last asked.
#[derive(Debug, Clone)]
struct Peer {
    /// What it last said, and when.
    said: Option<(Timestamp, PeerSaid)>,
    failed_in_a_row: u32,
    /// Failures that it saw lately, and when it last told of them.
    failures: Vec<(Timestamp, PeerSight)>,
}

/// A failure of ours that others may see as well.
#[derive(Debug, Clone)]
pub struct Failure<'a> {
    /// The kind of our probe.
    pub kind: ProbeKind,
    /// What it asks.
    pub target: &'a str,
    /// True when it asks without a key.
    pub anonymous: bool,
    /// What it saw last.
    pub outcome: Outcome,
    /// When the failing began.
    pub since: Timestamp,
}

/// How many other places have a voice about a failure, and which.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Voices {
    /// It fails there too.
    pub failing: usize,
    /// It worked there after it began to fail here.
    pub working: usize,
    /// It worked there before; nobody looked since, and there is still time to.
    pub not_yet: usize,
    /// It was not asked since we started, and there is still time to.
    pub unheard: usize,
}

/// One place's voice; what is worse for HeyGen is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Voice {
    NotYet,
    Working,
    Failing,
}

impl Peers {
    /// Notes that time has passed.
    pub fn pass(&mut self, now: Timestamp) {
        self.started_at.get_or_insert(now);
    }

    /// Takes in what a peer said, or that it could not be asked.
    pub fn hear(&mut self, reading: PeerReading) {
        let PeerReading { source, at, said } = reading;
        let before = self.by_name.remove(&source);
        let (kept, failed_in_a_row, mut failures) = before
            .map_or((None, 0, Vec::new()), |one| (one.said, one.failed_in_a_row, one.failures));
        failures.retain(|(told_at, _)| at.duration_since(*told_at) <= REMEMBERED);
        let peer = if let Some(said) = said {
            for sight in said.sights.iter().filter(|one| is_failing(&said, one)) {
                failures.retain(|(_, known)| {
                    (known.kind, known.anonymous, &known.target)
                        != (sight.kind, sight.anonymous, &sight.target)
                });
                failures.push((at, sight.clone()));
            }
            Peer { said: Some((at, said)), failed_in_a_row: 0, failures }
        } else {
            let failed_in_a_row = failed_in_a_row.saturating_add(1);
            let said = kept.filter(|_| failed_in_a_row < UNREACHABLE_AFTER);
            Peer { said, failed_in_a_row, failures }
        };
        self.by_name.insert(source, peer);
    }

    /// What the configured peers say of a failure. A list that names every monitor may be the same
    /// on all of them: our own voice does not count twice.
    pub fn voices(&self, settings: &Settings, failure: &Failure<'_>, now: Timestamp) -> Voices {
        let is_time = |since: Timestamp| now.duration_since(since) < PATIENCE;
        let mut voices = Voices::default();
        for source in settings.peers() {
            let Some(peer) = self.by_name.get(&source.name) else {
                voices.unheard += usize::from(self.started_at.is_some_and(is_time));
                continue;
            };
            match peer.voice(source, &settings.vantage, failure, now) {
                Some(Voice::Failing) => voices.failing += 1,
                Some(Voice::Working) => voices.working += 1,
                Some(Voice::NotYet) => voices.not_yet += usize::from(is_time(failure.since)),
                None => {}
            }
        }
        voices
    }
}

impl Peer {
    fn voice(
        &self,
        source: &Source,
        own_vantage: &str,
        failure: &Failure<'_>,
        now: Timestamp,
    ) -> Option<Voice> {
        let (at, said) = self.said.as_ref()?;
        if said.vantage == own_vantage || !is_fresh(*at, source.fresh_for(), now) {
            return None;
        }
        let remembered = self.failures.iter().filter(|(told_at, sight)| {
            *told_at >= failure.since
                && now.duration_since(*told_at) <= REMEMBERED
                && failure.is_on_the_path_of(sight)
        });
        let remembered = remembered.map(|_| Voice::Failing);
        let fresh = said.sights.iter().filter(|sight| sight.fresh_until >= now);
        let current = fresh.filter_map(|sight| {
            if !failure.is_on_the_path_of(sight) || tells_nothing(sight.outcome) {
                None
            } else if sight.outcome.counts() == Counts::Down {
                is_failing(said, sight).then_some(Voice::Failing)
            } else if !failure.is_contradicted_by(sight) {
                None
            } else if sight.begun_at > failure.since {
                Some(Voice::Working)
            } else {
                Some(Voice::NotYet)
            }
        });
        remembered.chain(current).max()
    }
}

impl Failure<'_> {
    /// The same kind of probe and the same address; where no connection stood, the same host is the
    /// same path, whatever is asked there.
    fn is_on_the_path_of(&self, sight: &PeerSight) -> bool {
        if self.never_arrived() {
            origin(self.target).eq(origin(&sight.target))
        } else {
            (self.kind, self.target) == (sight.kind, sight.target.as_str())
        }
    }

    /// What works without a key may still fail with one.
    fn is_contradicted_by(&self, sight: &PeerSight) -> bool {
        self.never_arrived() || self.anonymous || !sight.anonymous
    }

    fn never_arrived(&self) -> bool {
        matches!(self.outcome, Outcome::DnsFailed | Outcome::ConnectFailed | Outcome::TlsFailed)
    }
}

fn is_failing(said: &PeerSaid, sight: &PeerSight) -> bool {
    !said.is_cut_off && sight.outcome.counts() == Counts::Down
}

/// Something stood in between, or nobody looked.
fn tells_nothing(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Blocked | Outcome::Skipped | Outcome::MonitorError)
}

/// Scheme, host and port of a target.
fn origin(target: &str) -> impl Iterator<Item = &str> {
    target.split_once(' ').map_or(target, |(_, url)| url).split('/').take(3)
}
