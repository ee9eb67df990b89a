//! What the parts on the hot path cost, as ratios to a bare loop that does the least that could
//! be done, measured in the same run: `cargo bench`. A ratio holds when the machine's speed drifts.

#![allow(clippy::print_stdout, reason = "what was measured goes to stdout")]

use std::hint::black_box;
use std::time::Duration;

use heygen_monitor::engine::page::ComponentMap;
use heygen_monitor::engine::{
    Input, JobsWatch, Memory, Settings, Source, Thresholds, Watch, evaluate,
};
use heygen_monitor::metrics::{Catalogue, Metrics};
use heygen_monitor::model::{
    Capability, Observation, Outcome, ProbeKind, Series, SourceRole, Timestamp,
};
use heygen_monitor::secret::{Redactor, Secret};
use tokio::time::Instant;

/// Rounds of each measurement; the median is printed.
const ROUNDS: usize = 15;

fn main() {
    println!("{:<34} {:>12} {:>12} {:>8}", "what", "ours", "bare", "ratio");
    judging(10);
    judging(100);
    redacting();
    scraping();
}

/// One `evaluate` against cloning the observation and pushing it to a queue.
fn judging(probes: usize) {
    let settings = settings(probes);
    let observations: Vec<_> = (0..1_000).map(|i| observation(i % probes, i)).collect();
    let ours = median(|| {
        let mut memory = Memory::default();
        for observation in &observations {
            let now = observation.ended_at;
            let input = Input::Observed(Box::new(observation.clone()));
            black_box(evaluate(&mut memory, &settings, input, now));
        }
    });
    let bare = median(|| {
        let mut queue = std::collections::VecDeque::new();
        for observation in &observations {
            queue.push_back(black_box(observation.clone()));
        }
        black_box(queue);
    });
    print(&format!("judge one of {probes} probes"), ours / 1_000, bare / 1_000);
}

/// Taking ten secrets out of a log line against copying the line.
fn redacting() {
    let redactor = Redactor::default();
    for i in 0..10 {
        redactor.learn(&Secret::new(&format!("sk_live_{i}_0123456789abcdef")));
    }
    let line = "probe api-read saw 503 from api.heygen.com after 210 ms, 3 in a row";
    let ours = median(|| {
        for _ in 0..1_000 {
            black_box(redactor.redact(black_box(line)));
        }
    });
    let bare = median(|| {
        for _ in 0..1_000 {
            black_box(black_box(line).to_owned());
        }
    });
    print("redact a line, ten secrets", ours / 1_000, bare / 1_000);
}

/// What `/metrics` answers for 100 probes against copying the same lines one by one.
fn scraping() {
    let metrics = Metrics::new(&Catalogue::of(&settings(100)));
    for i in 0..100 {
        metrics.observed(&observation(i, i));
    }
    let text = metrics.render();
    let lines: Vec<_> = text.lines().collect();
    let ours = median(|| {
        black_box(metrics.render());
    });
    let bare = median(|| {
        let mut copy = String::new();
        for line in &lines {
            copy.push_str(black_box(line));
            copy.push('\n');
        }
        black_box(copy);
    });
    let series = lines.iter().filter(|line| !line.starts_with('#')).count();
    print(&format!("scrape 100 probes, {series} series"), ours, bare);
}

fn median(mut work: impl FnMut()) -> Duration {
    work();
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[ROUNDS / 2]
}

fn print(what: &str, ours: Duration, bare: Duration) {
    let ratio = ours.as_secs_f64() / bare.as_secs_f64().max(1e-9);
    println!("{what:<34} {ours:>12.2?} {bare:>12.2?} {ratio:>8.1}");
}

fn settings(probes: usize) -> Settings {
    let watch = |i: usize| Watch {
        name: format!("probe-{i}"),
        kind: ProbeKind::Api,
        anonymous: i % 2 == 1,
        capabilities: vec![Capability::Api],
        interval: Duration::from_mins(1),
        host: "api.heygen.com".to_owned(),
        target: String::new(),
        thresholds: Thresholds::default(),
        replaces: Vec::new(),
        jobs: JobsWatch::None,
    };
    Settings {
        vantage: "bench".to_owned(),
        probes: (0..probes).map(watch).collect(),
        sources: vec![Source {
            name: "heygen".to_owned(),
            role: SourceRole::Primary,
            replaces: Vec::new(),
            interval: Duration::from_mins(1),
            map: ComponentMap::default(),
        }],
        ..Settings::default()
    }
}

fn observation(probe: usize, second: usize) -> Observation {
    let at = Timestamp::from_second(1_800_000_000 + i64::try_from(second).unwrap_or(0));
    let at = at.unwrap_or(Timestamp::UNIX_EPOCH);
    let series = Series::of(&format!("probe-{probe}"));
    Observation {
        anonymous: probe % 2 == 1,
        capabilities: vec![Capability::Api],
        outcome: if second.is_multiple_of(50) { Outcome::Unavailable } else { Outcome::Ok },
        answered: true,
        ..Observation::blank(series, ProbeKind::Api, at)
    }
}
