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
    days: usize,
    /// The last days with something to say, which show it under a pointer.
    said: Vec<Said>,
    ours: Vec<Bars>,
    theirs: Vec<Bars>,
}

impl HtmlSafe for Strip {}

/// All days of one state: one stroke as thick as the bars are high, dashed into days by the style.
#[derive(Debug)]
struct Bars {
    class: &'static str,
    path: String,
}

/// What happened on the day that begins at `x`.
#[derive(Debug)]
struct Said {
    x: usize,
    text: String,
}

/// Days that say something under a pointer; the table on the capability's page has all.
const SAID: usize = 4;

impl Strip {
    /// `caption` stands below it, `label` is read out.
    pub(super) fn new(days: &[Bar], label: String, caption: String) -> Self {
        let telling = days.iter().enumerate().rev().filter(|(_, day)| !day.said.is_empty());
        let said = telling.take(SAID).map(|(x, day)| Said { x, text: day.said.clone() }).collect();
        let ours = |day: &Bar| Some(day.ours.unwrap_or(State::Unknown));
        let theirs = |day: &Bar| day.theirs.filter(|state| *state != State::Unknown);
        let first = days.first().map(|day| day.date.clone()).unwrap_or_default();
        Self {
            label,
            caption,
            first,
            days: days.len().max(1),
            said,
            ours: bars(days, ours, middle),
            theirs: bars(days, theirs, |_| "37"),
        }
    }
}

/// The days of each state that `of` names; neighbours are one piece.
fn bars(
    days: &[Bar],
    of: impl Fn(&Bar) -> Option<State>,
    middle: impl Fn(State) -> &'static str,
) -> Vec<Bars> {
    let states: Vec<Option<State>> = days.iter().map(of).collect();
    let stroke = |state: State| {
        let mut path = String::new();
        let (mut pen, mut x) = (0, 0);
        for piece in states.chunk_by(|day, next| day == next) {
            if piece[0] == Some(state) {
                let gap = x - pen;
                if path.is_empty() {
                    push(&mut path, format_args!("M{x} {}", middle(state)));
                } else {
                    push(&mut path, format_args!("m{gap} 0"));
                }
                push(&mut path, format_args!("h{}", piece.len()));
                pen = x + piece.len();
            }
            x += piece.len();
        }
        Bars { class: state.as_str(), path }
    };
    State::ALL.map(stroke).into_iter().filter(|bars| !bars.path.is_empty()).collect()
}

/// The y of a bar's middle: all stand on 30, and the style makes trouble higher.
fn middle(state: State) -> &'static str {
    match state {
        State::Outage => "15",
        State::Degraded => "17.5",
        State::Operational => "20",
        State::Maintenance => "22.5",
        State::Unknown => "28",
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
    fn days_of_one_state_are_one_stroke_however_often_it_changes() {
        let mut days = vec![bar(State::Operational, ""); 90];
        days[40] = bar(State::Outage, "down 10 min");
        let strip = Strip::new(&days, String::new(), String::new()).render().unwrap();
        for path in [
            "<path class=\"operational\" d=\"M0 20h40m1 0h49\"/>",
            "<path class=\"outage\" d=\"M40 15h1\"/>",
            "<path class=\"operational\" d=\"M0 37h90\"/>",
        ] {
            assert!(strip.contains(path), "{path}: {strip}");
        }
        assert_eq!(strip.matches("<path").count(), 3, "{strip}");
        assert!(strip.contains("<title>down 10 min</title>"), "{strip}");
        for (day, state) in days.iter_mut().zip(State::ALL.into_iter().cycle()) {
            *day =
                bar(state, "2026-11-18: down 10 min (HeyGen's side). HeyGen's page: all working.");
        }
        let strip = Strip::new(&days, String::new(), String::new()).render().unwrap();
        assert!(strip.len() < 2_500, "{}", strip.len());
        assert!(strip.contains("<rect x=\"89\""), "the last days say what they were: {strip}");
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
