//! What one run has seen of one kind of job so far, and what it wants to read next.
//!
//! Owns when a list has been read far enough. Sends nothing. Invariant: every job is in it once, as
//! it was seen first.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::heygen::job::{JobPage, JobRow, PAGE_ROWS};
use crate::model::{
    Backfill, Followed, JobKind, JobStatus, JobsReading, Observation, Sighting, Timestamp,
};

/// Lists are sorted by a time that is not quite the one they show.
const SLACK: Duration = Duration::from_mins(10);
/// The look back ends here (verdicts.md, section 4).
const LOOK_BACK: Duration = Duration::from_hours(30 * 24);
/// So many completed jobs make a baseline (verdicts.md, section 4).
const ENOUGH: usize = 1_000;

/// What was seen of one kind.
pub(super) struct Look {
    pub(super) kind: JobKind,
    observation: Observation,
    followed: Followed,
    sightings: Vec<Sighting>,
    ids: BTreeSet<String>,
    /// Cursor behind the last page that was read from the top.
    next: Option<String>,
    /// True while everything from the top on is newer than what is known.
    is_all_new: bool,
    /// When the oldest job on the last page was created.
    oldest: Option<Timestamp>,
    backfill: Backfill,
}

impl Look {
    /// Nothing was seen yet.
    pub(super) fn new(kind: JobKind, observation: Observation, followed: Followed) -> Self {
        let backfill = followed.backfill.clone();
        Self {
            kind,
            observation,
            followed,
            sightings: Vec::new(),
            ids: BTreeSet::new(),
            next: None,
            is_all_new: false,
            oldest: None,
            backfill,
        }
    }

    /// When the first page came.
    pub(super) fn at(&self) -> Timestamp {
        self.observation.ended_at
    }

    /// Takes in the next page from the top.
    pub(super) fn take_newest(&mut self, page: JobPage, read: impl Fn(JobRow) -> Sighting) {
        let next = page.next.clone().filter(|next| self.next.as_ref() != Some(next));
        self.take(page, read);
        self.next = next;
        self.is_all_new = match (self.followed.newest_created_at, self.oldest) {
            (Some(newest), Some(oldest)) => before(newest, SLACK) < oldest,
            (None, _) | (_, None) => false,
        };
    }

    /// Cursor of the next page from the top, while that may hold news.
    pub(super) fn newer_cursor(&self) -> Option<String> {
        self.next.clone().filter(|_| self.is_all_new)
    }

    /// The next page cannot be read.
    pub(super) fn stop_newer(&mut self) {
        self.is_all_new = false;
    }

    /// Live jobs that were not seen.
    pub(super) fn waiting(&self) -> Vec<String> {
        self.followed.live.iter().filter(|id| !self.ids.contains(*id)).cloned().collect()
    }

    /// How many bulk calls [`Self::waiting`] takes.
    pub(super) fn bulk_calls(&self) -> usize {
        self.waiting().len().div_ceil(PAGE_ROWS)
    }

    /// Takes in a job.
    pub(super) fn take_one(&mut self, sighting: Sighting) {
        if self.ids.insert(sighting.id.clone()) {
            self.sightings.push(sighting);
        }
    }

    /// Begins the look back below what was read, if it is due; answers how many completed jobs it
    /// has met by that.
    pub(super) fn begin_back(&mut self) -> usize {
        if self.backfill != Backfill::Due {
            return 0;
        }
        self.backfill = self.next.clone().map_or(Backfill::Done, Backfill::At);
        let is_completed = |sighting: &&Sighting| sighting.status == JobStatus::Completed;
        self.sightings.iter().filter(is_completed).count()
    }

    /// Cursor of the next page of the look back.
    pub(super) fn older_cursor(&self) -> Option<String> {
        match &self.backfill {
            Backfill::At(cursor) => Some(cursor.clone()),
            Backfill::Due | Backfill::Done => None,
        }
    }

    /// Takes in the page of the look back behind `cursor`; answers how many completed jobs it holds.
    pub(super) fn take_older(
        &mut self,
        page: JobPage,
        cursor: &str,
        read: impl Fn(JobRow) -> Sighting,
    ) -> usize {
        let completed = page.rows.iter().filter(|row| row.status == JobStatus::Completed).count();
        let next = page.next.clone().filter(|next| next != cursor);
        self.take(page, read);
        self.backfill = next.map_or(Backfill::Done, Backfill::At);
        completed
    }

    /// Ends the look back when it has met enough, or has come far enough.
    pub(super) fn end_back(&mut self, completed: usize) {
        let is_old = self.oldest.is_some_and(|oldest| oldest < before(self.at(), LOOK_BACK));
        if completed >= ENOUGH || is_old {
            self.backfill = Backfill::Done;
        }
    }

    /// HeyGen does not know the cursor (any more): the look back begins anew, once.
    pub(super) fn refuse_cursor(&mut self, times: u32) {
        self.backfill = if times > 1 { Backfill::Done } else { Backfill::Due };
    }

    /// What the run answers for this kind.
    pub(super) fn into_reading(self) -> (Observation, JobsReading) {
        let last = self.sightings.iter().map(|sighting| sighting.at).max();
        let reading = JobsReading {
            probe: self.observation.series.probe.clone(),
            kind: self.kind,
            at: last.map_or(self.at(), |last| last.max(self.at())),
            sightings: self.sightings,
            backfill: self.backfill,
        };
        (self.observation, reading)
    }

    fn take(&mut self, page: JobPage, read: impl Fn(JobRow) -> Sighting) {
        self.oldest = page.rows.iter().filter_map(|row| row.created_at).min();
        for row in page.rows {
            self.take_one(read(row));
        }
    }
}

fn before(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_sub(by).unwrap_or(at)
}
