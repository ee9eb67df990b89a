//! Pictures of figures, drawn on the server: a strip of days, and plots over time.
//!
//! Owns their geometry alone; colours are the style's. Invariant: what a picture shows is said in
//! words too, in its label and in the table beside it; states differ in height, not in hue alone.

use std::fmt::Write;
use std::time::Duration;

use askama::Template;
use askama::filters::HtmlSafe;

use crate::engine::words;
use crate::model::State;

/// One day in a strip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bar {
    /// By our checks; `None` where nobody looked.
    pub(super) ours: Option<State>,
    /// What HeyGen's page showed; `None` where that is not known.
    pub(super) theirs: Option<State>,
    /// `2026-11-18`
    pub(super) date: String,
    /// What happened on a day with trouble; empty on others.
    pub(super) said: String,
}

/// Days as bars, ours above, HeyGen's claim below.
#[derive(Debug, Template)]
#[template(path = "strip.html")]
pub(super) struct Strip {
    label: String,
    caption: String,
    first: String,
    width: usize,
    gaps: String,
    bars: Vec<Rect>,
}

impl HtmlSafe for Strip {}

#[derive(Debug)]
struct Rect {
    class: &'static str,
    title: String,
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

/// Width of a day, the gap after it included.
const STEP: usize = 5;

/// More titles than this would make the page heavy; the table on the capability's page has all.
const TITLES: usize = 30;

impl Strip {
    /// `caption` stands below it, `label` is read out.
    pub(super) fn new(days: &[Bar], label: String, caption: String) -> Self {
        let mut bars = runs(days, |day| ours(day.ours), |day| &day.said);
        bars.extend(runs(days, |day| theirs(day.theirs), |_| ""));
        if bars.iter().filter(|bar| !bar.title.is_empty()).count() > TITLES {
            for bar in &mut bars {
                bar.title.clear();
            }
        }
        let mut gaps = String::new();
        for index in 1..days.len() {
            push(&mut gaps, format_args!("M{} 0v40", index * STEP));
        }
        let first = days.first().map(|day| day.date.clone()).unwrap_or_default();
        Self { label, caption, first, width: (days.len() * STEP).max(1), gaps, bars }
    }
}

/// Days that look the same and have nothing to say become one.
fn runs<'a>(
    days: &'a [Bar],
    look: impl Fn(&Bar) -> (&'static str, usize, usize),
    said: impl Fn(&'a Bar) -> &'a str,
) -> Vec<Rect> {
    let mut rects: Vec<Rect> = Vec::new();
    for (index, day) in days.iter().enumerate() {
        let ((class, y, height), said) = (look(day), said(day));
        if class.is_empty() {
            continue;
        }
        match rects.last_mut() {
            Some(last)
                if last.class == class
                    && said.is_empty()
                    && last.title.is_empty()
                    && last.x + last.width == index * STEP =>
            {
                last.width += STEP;
            }
            _ => rects.push(Rect {
                class,
                title: said.to_owned(),
                x: index * STEP,
                y,
                width: STEP,
                height,
            }),
        }
    }
    rects
}

/// Class, top and height: trouble stands out by its height.
fn ours(state: Option<State>) -> (&'static str, usize, usize) {
    match state {
        Some(State::Outage) => ("outage", 0, 30),
        Some(State::Degraded) => ("degraded", 5, 25),
        Some(State::Maintenance) => ("maintenance", 15, 15),
        Some(State::Operational) => ("operational", 10, 20),
        Some(State::Unknown) | None => ("unknown", 26, 4),
    }
}

fn theirs(state: Option<State>) -> (&'static str, usize, usize) {
    match state {
        Some(State::Unknown) | None => ("", 0, 0),
        Some(state) => (state.as_str(), 34, 6),
    }
}

/// Lines over time, with a scale.
#[derive(Debug, Template)]
#[template(path = "plot.html")]
pub(super) struct Plot {
    label: String,
    first: String,
    last: String,
    grid: Vec<GridLine>,
    series: Vec<Series>,
}

impl HtmlSafe for Plot {}

#[derive(Debug)]
struct GridLine {
    y: u32,
    text: String,
}

#[derive(Debug)]
struct Series {
    class: &'static str,
    name: &'static str,
    path: String,
}

/// The drawing area of a plot, in its own units.
const LEFT: f64 = 72.0;
const WIDTH: f64 = 648.0;
const TOP: f64 = 10.0;
const HEIGHT: f64 = 165.0;

/// One place on the time axis.
#[derive(Debug, Clone, Default)]
pub(super) struct Point {
    /// The usual value; `None` where there is nothing.
    pub(super) usual: Option<Duration>,
    /// The largest value.
    pub(super) most: Option<Duration>,
    /// Something failed here.
    pub(super) has_failed: bool,
}

impl Plot {
    /// The usual as a line, the range above it as bars, failures as crosses at the foot.
    pub(super) fn of_points(
        points: &[Point],
        label: String,
        (first, last): (String, String),
    ) -> Self {
        let most = points.iter().filter_map(|point| point.most.or(point.usual)).max();
        let scale = Scale::to(most.unwrap_or_default());
        let (mut line, mut range, mut failures) = (String::new(), String::new(), String::new());
        let mut pen = 'M';
        for (index, point) in points.iter().enumerate() {
            let x = place(index, points.len());
            if point.has_failed {
                push(&mut failures, format_args!("M{:.0} 166l6 8m0-8l-6 8", x - 3.0));
            }
            let Some(usual) = point.usual else {
                pen = 'M';
                continue;
            };
            // A point of its own is a dot.
            let dot = if pen == 'M' { "h0" } else { "" };
            push(&mut line, format_args!("{pen}{x:.1} {:.1}{dot}", scale.y(usual)));
            pen = 'L';
            if let Some(most) = point.most.filter(|most| *most > usual) {
                push(
                    &mut range,
                    format_args!("M{x:.1} {:.1}V{:.1}", scale.y(usual), scale.y(most)),
                );
            }
        }
        let series = vec![
            Series { class: "range", name: "slowest", path: range },
            Series { class: "line", name: "usual", path: line },
            Series { class: "failure", name: "failed", path: failures },
        ];
        Self::with(series, &scale, label, (first, last))
    }

    /// Jobs as bars: the wait below, the making above.
    pub(super) fn of_jobs(
        jobs: &[(Duration, Duration)],
        label: String,
        (first, last): (String, String),
    ) -> Self {
        let most = jobs.iter().map(|(wait, made)| *wait + *made).max().unwrap_or_default();
        let scale = Scale::to(most);
        let (mut waits, mut makings) = (String::new(), String::new());
        for (index, (wait, made)) in jobs.iter().enumerate() {
            let x = place(index, jobs.len());
            let (foot, middle, top) =
                (scale.y(Duration::ZERO), scale.y(*wait), scale.y(*wait + *made));
            push(&mut waits, format_args!("M{x:.1} {foot:.1}V{middle:.1}"));
            push(&mut makings, format_args!("M{x:.1} {middle:.1}V{top:.1}"));
        }
        let series = vec![
            Series { class: "wait", name: words::stage(crate::model::Stage::Queue), path: waits },
            Series {
                class: "making",
                name: words::stage(crate::model::Stage::Processing),
                path: makings,
            },
        ];
        Self::with(series, &scale, label, (first, last))
    }

    fn with(
        mut series: Vec<Series>,
        scale: &Scale,
        label: String,
        (first, last): (String, String),
    ) -> Self {
        series.retain(|one| !one.path.is_empty());
        Self { label, first, last, grid: scale.grid(), series }
    }
}

/// The x of one of `count` places, in the middle of its share.
fn place(index: usize, count: usize) -> f64 {
    let share = |value: usize| f64::from(u32::try_from(value).unwrap_or(u32::MAX));
    LEFT + WIDTH * (share(index) + 0.5) / share(count.max(1))
}

/// From nothing to a round value above the largest.
struct Scale {
    top: Duration,
}

/// Milliseconds at which an axis ends: each and its half are easily read.
const TOPS: [u64; 24] = [
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    4_000,
    10_000,
    20_000,
    30_000,
    60_000,
    120_000,
    240_000,
    600_000,
    1_200_000,
    1_800_000,
    3_600_000,
    7_200_000,
    14_400_000,
    43_200_000,
    86_400_000,
    172_800_000,
];

impl Scale {
    fn to(most: Duration) -> Self {
        let tops = TOPS.into_iter().map(Duration::from_millis);
        let top = tops.into_iter().find(|top| *top >= most);
        Self { top: top.unwrap_or(most) }
    }

    fn y(&self, value: Duration) -> f64 {
        let share = value.as_secs_f64() / self.top.as_secs_f64();
        TOP + HEIGHT * (1.0 - share.min(1.0))
    }

    fn grid(&self) -> Vec<GridLine> {
        let line = |y, value| GridLine { y, text: took(value) };
        vec![line(10, self.top), line(92, self.top / 2), line(175, Duration::ZERO)]
    }
}

/// `210 ms`, `1.4 s`, `14 min`.
pub(super) fn took(duration: Duration) -> String {
    if duration.is_zero() {
        "0".to_owned()
    } else if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else if duration < Duration::from_secs(10) {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        words::duration(duration)
    }
}

fn push(path: &mut String, piece: std::fmt::Arguments<'_>) {
    path.write_fmt(piece).expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(ours: State, said: &str) -> Bar {
        Bar {
            ours: Some(ours),
            theirs: Some(State::Operational),
            date: "2026-11-01".to_owned(),
            said: said.to_owned(),
        }
    }

    #[test]
    fn quiet_days_are_one_bar_and_a_bad_day_is_its_own() {
        let mut days = vec![bar(State::Operational, ""); 90];
        days[40] = bar(State::Outage, "down 10 min");
        let strip = Strip::new(&days, String::new(), String::new()).render().unwrap();
        assert_eq!(strip.matches("<rect").count(), 4, "{strip}");
        assert!(strip.contains("<title>down 10 min</title>"), "{strip}");
        assert!(strip.len() < 2_000, "{}", strip.len());
        let worst = vec![bar(State::Outage, "down 10 min on HeyGen's side"); 90];
        let strip = Strip::new(&worst, String::new(), String::new()).render().unwrap();
        assert!(strip.len() < 8_000, "{}", strip.len());
    }

    #[test]
    fn a_scale_ends_at_a_round_value() {
        let top = |millis| Scale::to(Duration::from_millis(millis)).top.as_millis();
        assert_eq!([top(0), top(7), top(11), top(210), top(1_400)], [10, 10, 20, 500, 2_000]);
        assert_eq!(Scale::to(Duration::MAX).grid().len(), 3);
    }

    #[test]
    fn a_hole_in_the_figures_is_a_hole_in_the_line() {
        let at = |millis| Point { usual: Some(Duration::from_millis(millis)), ..Point::default() };
        let points = [at(100), Point { has_failed: true, ..Point::default() }, at(200)];
        let ends = (String::new(), String::new());
        let plot = Plot::of_points(&points, String::new(), ends).render().unwrap();
        assert_eq!(plot.matches("class=\"line\" d=\"M180.0 92.5h0M").count(), 1, "{plot}");
        assert!(plot.contains("class=\"failure\""), "{plot}");
    }
}
