//! Simulated days of an account, with stuck jobs hidden in them.
//!
//! `HEYGEN_MONITOR_DAYS=30 cargo test --release --test it month -- --nocapture` prints the figures of
//! 30 days, 10,000 jobs and 20 stuck ones with their seed; `HEYGEN_MONITOR_SEED=7` takes another
//! one. Without the first variable it is a third of that.

use std::collections::BTreeSet;

use heygen_monitor::model::EventKind;

use super::account::{Account, POLL, Planned};
use crate::support::random::Random;

const DAY: i64 = 86_400;

/// How much is simulated.
#[derive(Debug, Clone, Copy)]
struct Size {
    days: i64,
    jobs: usize,
    stuck: usize,
    seed: u64,
}

impl Size {
    fn of_this_run() -> Self {
        let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
        let days = number("HEYGEN_MONITOR_DAYS").unwrap_or(10).max(6);
        Self {
            days: i64::from(days),
            jobs: usize::try_from(days).unwrap() * 10_000 / 30,
            stuck: usize::try_from(days).unwrap() * 20 / 30,
            seed: u64::from(number("HEYGEN_MONITOR_SEED").unwrap_or(2026)),
        }
    }
}

/// A month of a team's work: single videos over the day and a batch each working day, ten places.
/// `slower` multiplies what a job takes, by the second it was created.
fn month(size: Size, random: &mut Random, slower: impl Fn(i64) -> f64) -> Vec<Planned> {
    let mut created = Vec::new();
    for day in 0..size.days {
        let batch_at = day * DAY + 9 * 3_600 + random.below(6 * 3_600);
        created.extend((0..60).map(|i| batch_at + i));
    }
    while created.len() < size.jobs {
        created.push(random.below(size.days * DAY));
    }
    created.sort_unstable();
    let mut free_at = [i64::MIN; 10];
    let mut jobs = Vec::new();
    for (i, created) in created.into_iter().enumerate() {
        let factor = slower(created);
        #[expect(clippy::cast_possible_truncation, reason = "some minutes")]
        let scaled = |secs: i64| (secs as f64 * factor) as i64;
        let wait = scaled(random.log_normal(30.0, 0.5));
        let takes = scaled(random.log_normal(180.0, 0.4));
        let place = free_at.iter_mut().min().unwrap();
        let starts = (created + wait).max(*place);
        *place = starts + takes;
        jobs.push(Planned::video(&format!("v_{i:05}"), created, starts - created, takes));
    }
    jobs
}

/// Makes some of the jobs never start (or never end), spread over the month.
fn hide_stuck(size: Size, random: &mut Random, jobs: &mut [Planned]) -> BTreeSet<String> {
    let mut hidden = BTreeSet::new();
    let stride = jobs.len() / size.stuck;
    for i in 0..size.stuck {
        let index = (i * stride + usize::try_from(random.below(400)).unwrap()).min(jobs.len() - 1);
        let job = &mut jobs[index];
        if i % 2 == 0 {
            job.queue = None;
        } else {
            job.processing = None;
        }
        hidden.insert(job.id.clone());
    }
    hidden
}

#[test]
fn a_month_of_ten_thousand_jobs_finds_every_stuck_one_and_no_other() {
    let size = Size::of_this_run();
    let Size { days, seed, .. } = size;
    let mut random = Random(seed);
    let mut jobs = month(size, &mut random, |_| 1.0);
    let hidden = hide_stuck(size, &mut random, &mut jobs);
    let account = Account::new(jobs).until(days * DAY);
    let mut wrong = Vec::new();
    for (when, _, reason, ids) in &account.verdicts {
        let is_of_provider = ["jobs_stuck", "jobs_late", "single_job_stuck", "jobs_failing"]
            .contains(&reason.as_str());
        if is_of_provider && !ids.iter().any(|id| hidden.contains(id)) {
            wrong.push((*when, *reason, ids.clone()));
        }
    }
    let mut delays = account.delays(&hidden);
    delays.sort_unstable();
    let median = delays.get(delays.len() / 2).copied().unwrap_or(i64::MAX);
    println!(
        "seed {seed}: {} jobs in {days} days, {} stuck: found {}, false verdicts {}, median \
         from limit to verdict {median} s (poll {POLL} s), incidents {}",
        size.jobs,
        size.stuck,
        account.named_at.keys().filter(|id| hidden.contains(*id)).count(),
        wrong.len(),
        account.incidents.len(),
    );
    println!("  wrong: {wrong:?}");
    assert_eq!(account.named_at.keys().filter(|id| hidden.contains(*id)).count(), size.stuck);
    assert!(wrong.len() <= 1, "{wrong:?}");
    assert!(median <= POLL, "{delays:?}");
}

/// A job a minute that takes so many seconds, by the second it was created; its queue is short.
fn busy(days: i64, random: &mut Random, takes: impl Fn(i64) -> f64) -> Vec<Planned> {
    let created = (0..days * DAY / 60).map(|i| i * 60);
    created
        .map(|created| {
            let takes = random.log_normal(takes(created), 0.05);
            Planned::video(&format!("v_{created:06}"), created, 20, takes)
        })
        .collect()
}

#[test]
fn more_than_a_thousand_jobs_a_day_that_get_slower_are_a_new_normal_too_whatever_restarts() {
    let changes_at = 3 * DAY / 2;
    let slower = |created| if created < changes_at { 150.0 } else { 900.0 };
    let mut account = Account::new(busy(3, &mut Random(2026), slower));
    account.settings.concurrency = 100;
    for half_day in 1..=6 {
        account = account.until(half_day * DAY / 2);
        account.restart();
    }
    assert_eq!(account.told().first(), Some(&EventKind::Opened), "{:?}", account.told());
    assert_eq!(account.incidents.len(), 1, "{:#?}", account.incidents);
    assert!(account.opened_at()[0] >= changes_at);
    let resolved = account.resolved_at()[0].expect("the new normal ends it");
    assert!(resolved - changes_at >= DAY, "not before the second day: {resolved}");
    let (_, last) = account.messages.last().unwrap();
    assert!(last.notes.iter().any(|note| note.starts_with("New normal: ")), "{:?}", last.notes);
}

#[test]
fn three_times_slower_for_good_is_one_incident_and_then_the_new_normal() {
    let size = Size::of_this_run();
    let Size { days, seed, .. } = size;
    let mut random = Random(seed);
    let changes_at = days / 2 * DAY;
    let jobs = month(size, &mut random, |created| if created < changes_at { 1.0 } else { 3.0 });
    let account = Account::new(jobs).until(days * DAY);
    let opened: Vec<i64> = account.opened_at();
    let resolved: Vec<Option<i64>> = account.resolved_at();
    println!(
        "seed {seed}: three times slower from day {} on: {} incidents, messages {:?}",
        days / 2,
        opened.len(),
        account.told()
    );
    for (opened, resolved) in opened.iter().zip(&resolved) {
        let hours = |at: i64| (at - changes_at) as f64 / 3_600.0;
        println!("  opened at {:+.1} h, resolved at {:?} h", hours(*opened), resolved.map(hours));
    }
    assert_eq!(
        opened.len(),
        1,
        "{:#?}",
        account.verdicts.iter().filter(|(when, ..)| *when >= changes_at).collect::<Vec<_>>()
    );
    let resolved = resolved[0].expect("the new normal ends it");
    assert!(resolved - changes_at <= 48 * 3_600);
    let (_, last) = account.messages.last().expect("it was told");
    println!("  {}", last.notes.join(" "));
    assert!(last.notes.iter().any(|note| note.starts_with("New normal: ")), "{:?}", last.notes);
}
