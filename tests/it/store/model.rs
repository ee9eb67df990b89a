//! The outbox against a model of it: whatever happens in whatever order, order is kept per thread
//! and channel, nothing is lost, nothing is sent twice while its lease holds.

use std::collections::BTreeMap;
use std::time::Duration;

use heygen_monitor::model::{Attempt, AttemptResult, DeliveryState, EventKind, FailureReason};
use heygen_monitor::store::Store;
use proptest::prelude::*;

use super::samples::{at, decision, incident, owed};

const LEASE_SECS: i64 = 60;
const LATE_SECS: i64 = 120;

#[derive(Debug, Clone)]
enum Step {
    Owe {
        thread: i64,
        channel: bool,
    },
    Claim,
    /// Finishes the n-th of the deliveries that are leased.
    Finish {
        which: usize,
        how: How,
    },
    Pass {
        seconds: i64,
    },
    Restart,
}

#[derive(Debug, Clone, Copy)]
enum How {
    Accept,
    Retry { seconds: i64 },
    Refuse,
}

fn step() -> impl Strategy<Value = Step> {
    let how = prop_oneof![
        3 => Just(How::Accept),
        2 => (1..90_i64).prop_map(|seconds| How::Retry { seconds }),
        1 => Just(How::Refuse),
    ];
    prop_oneof![
        4 => (1..4_i64, any::<bool>()).prop_map(|(thread, channel)| Step::Owe { thread, channel }),
        4 => Just(Step::Claim),
        4 => (0..6_usize, how).prop_map(|(which, how)| Step::Finish { which, how }),
        2 => (1..80_i64).prop_map(|seconds| Step::Pass { seconds }),
        1 => Just(Step::Restart),
    ]
}

/// One delivery as the model knows it.
#[derive(Debug, Clone)]
struct Row {
    thread: i64,
    channel: &'static str,
    state: DeliveryState,
    /// When it may be leased: its time while pending, the end of its lease while leased.
    due: i64,
    owed_at: i64,
    attempts: u32,
}

impl Row {
    fn is_owed(&self) -> bool {
        matches!(self.state, DeliveryState::Pending | DeliveryState::Leased)
    }
}

#[derive(Debug, Default)]
struct Model {
    rows: BTreeMap<i64, Row>,
    seqs: BTreeMap<(i64, &'static str), u32>,
    now: i64,
}

impl Model {
    /// The oldest owed row of each thread and channel.
    fn heads(&self) -> Vec<i64> {
        let mut heads = BTreeMap::new();
        for (id, row) in &self.rows {
            if row.is_owed() {
                heads.entry((row.thread, row.channel)).or_insert(*id);
            }
        }
        let mut ids: Vec<i64> = heads.into_values().collect();
        ids.sort_unstable();
        ids
    }

    fn claim(&mut self) -> Vec<i64> {
        let now = self.now;
        self.merge();
        let mut heads = self.heads();
        heads.retain(|id| self.rows[id].due <= now);
        for id in &heads {
            let row = self.rows.get_mut(id).unwrap();
            row.state = DeliveryState::Leased;
            row.due = now + LEASE_SECS;
        }
        heads
    }

    /// Of a queue that failed or is late, the last message tells all: each tells a state.
    fn merge(&mut self) {
        for head in self.heads() {
            let row = self.rows[&head].clone();
            let is_late = row.attempts > 0 || row.owed_at <= self.now - LATE_SECS;
            if row.state != DeliveryState::Pending || row.due > self.now || !is_late {
                continue;
            }
            let is_same =
                |one: &Row| one.is_owed() && (one.thread, one.channel) == (row.thread, row.channel);
            let mut queue: Vec<_> = self.rows.values_mut().filter(|one| is_same(one)).collect();
            queue.pop();
            for one in queue {
                one.state = DeliveryState::Merged;
            }
        }
    }

    fn leased(&self) -> Vec<i64> {
        let leased = |(id, row): (&i64, &Row)| (row.state == DeliveryState::Leased).then_some(*id);
        self.rows.iter().filter_map(leased).collect()
    }

    fn finish(&mut self, id: i64, how: How) -> AttemptResult {
        let now = self.now;
        let row = self.rows.get_mut(&id).unwrap();
        row.attempts += 1;
        let (state, result) = match how {
            How::Accept => {
                (DeliveryState::Delivered, AttemptResult::Accepted { provider_ref: None })
            }
            How::Retry { seconds } => {
                row.due = now + seconds;
                let after = Some(Duration::from_secs(u64::try_from(seconds).unwrap()));
                let reason = FailureReason::ServerError;
                let detail = "503".to_owned();
                (DeliveryState::Pending, AttemptResult::Retry { reason, detail, after })
            }
            How::Refuse => {
                let reason = FailureReason::Rejected;
                let detail = "410".to_owned();
                (DeliveryState::Dead, AttemptResult::Dead { reason, detail })
            }
        };
        row.state = state;
        result
    }

    /// A lease that a restart gives back leaves the row due when it was due before: at once.
    fn restart(&mut self, dues: &BTreeMap<i64, i64>) {
        for (id, row) in &mut self.rows {
            if row.state == DeliveryState::Leased {
                row.state = DeliveryState::Pending;
                row.due = dues[id];
            }
        }
    }
}

async fn play(steps: Vec<Step>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history.db");
    let mut store = Store::open(&path, at(0)).unwrap().store;
    let mut model = Model::default();
    let mut dues = BTreeMap::new();
    for step in steps {
        match step {
            Step::Owe { thread, channel } => {
                let channel = if channel { "mail" } else { "slack" };
                let seq = model.seqs.entry((thread, channel)).or_default();
                *seq += 1;
                let owed = owed(channel, Some(&incident(thread, 0)), *seq, EventKind::Worsened);
                let mut decision = decision();
                decision.owed = vec![owed.clone()];
                store.commit(&decision, at(model.now)).await.unwrap();
                // Owed already: answers the row that the commit made.
                let id = store.owe(&owed, at(model.now)).await.unwrap();
                let (state, due) = (DeliveryState::Pending, model.now);
                let owed_at = model.now;
                let row = Row { thread, channel, state, due, owed_at, attempts: 0 };
                assert!(model.rows.insert(id, row).is_none());
                dues.insert(id, due);
            }
            Step::Claim => {
                let lease = Duration::from_secs(u64::try_from(LEASE_SECS).unwrap());
                let claimed = store.claim(at(model.now), lease).await.unwrap();
                let ids: Vec<i64> = claimed.iter().map(|delivery| delivery.id).collect();
                assert_eq!(ids, model.claim());
            }
            Step::Finish { which, how } => {
                let leased = model.leased();
                let Some(id) = leased.get(which % leased.len().max(1)) else {
                    continue;
                };
                let result = model.finish(*id, how);
                dues.insert(*id, model.rows[id].due);
                let attempt = Attempt { at: at(model.now), result };
                store.finish(*id, &attempt, None).await.unwrap();
            }
            Step::Pass { seconds } => model.now += seconds,
            Step::Restart => {
                store.close().await;
                store = Store::open(&path, at(model.now)).unwrap().store;
                model.restart(&dues);
            }
        }
        agree(&store, &model).await;
    }
}

async fn agree(store: &Store, model: &Model) {
    for (id, row) in &model.rows {
        let stored = store.delivery(*id).await.unwrap().expect("nothing is lost");
        assert_eq!((stored.state, stored.attempts), (row.state, row.attempts));
    }
    let due = model.heads().iter().map(|id| model.rows[id].due).min();
    assert_eq!(store.next_delivery_at().await.unwrap(), due.map(at));
    let owed = model.rows.values().filter(|row| row.is_owed()).count();
    let lines = store.outbox().await.unwrap();
    let pending: u64 = lines.iter().map(|line| line.pending).sum();
    assert_eq!(pending, owed as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_outbox_behaves_as_its_model(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(play(steps));
    }
}
