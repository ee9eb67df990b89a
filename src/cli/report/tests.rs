//! November, as it is printed.

use jiff::SignedDuration;

use super::*;
use crate::engine::page::ComponentMap;
use crate::engine::report::dossier::{Dossier, MOST_CHARS};
use crate::engine::uptime::{Past, Spell};
use crate::engine::{Settings, Source};
use crate::model::{
    AccountReading, Blame, Capability, CapabilityChange, Cause, ComponentChange, ComponentState,
    Evidence, EvidenceItem, Interval, Job, JobFailure, JobKind, JobState, Origin, Plan, Pool,
    PoolName, ProbeKind, Reason, Series, SourceRole, State, Unit,
};

fn at(text: &str) -> Timestamp {
    format!("2026-{text}Z").parse().unwrap()
}

fn later(at: Timestamp, minutes: i64) -> Timestamp {
    at + SignedDuration::from_mins(minutes)
}

fn settings() -> Settings {
    let components = vec![("video".to_owned(), Capability::VideoGeneration)];
    let source = Source {
        name: "heygen".to_owned(),
        role: SourceRole::Primary,
        replaces: Vec::new(),
        interval: Duration::from_mins(1),
        map: ComponentMap { components, ..ComponentMap::default() },
    };
    Settings {
        vantage: "fra-1".to_owned(),
        uses: vec![Capability::VideoGeneration, Capability::Api],
        timezone: TimeZone::get("Europe/Berlin").unwrap(),
        sources: vec![source],
        ..Settings::default()
    }
}

fn incident(id: i64, blame: Blame, opened_at: Timestamp, minutes: i64) -> Incident {
    let reason = match blame {
        Blame::Provider => Reason::JobsStuck,
        _ => Reason::Outcome(Outcome::QuotaExceeded),
    };
    Incident {
        id,
        blame,
        cause: Cause("jobs:video".to_owned()),
        reason,
        state: State::Outage,
        worst_state: State::Outage,
        capabilities: vec![Capability::VideoGeneration],
        opened_at,
        confirmed_at: later(opened_at, 2),
        resolved_at: Some(later(opened_at, minutes)),
        acknowledged_at: None,
        suspended: None,
        flapping: false,
        subject: String::new(),
        headline: "Videos do not start | <b>at all</b>.".to_owned(),
        evidence: Vec::new(),
        ack: None,
        events: Vec::new(),
    }
}

/// Four incidents of HeyGen's, one of which its page admitted, and one of the account's.
fn incidents() -> Vec<Incident> {
    let mut all = vec![
        incident(41, Blame::Provider, at("11-03T08:00:00"), 60),
        incident(42, Blame::Provider, at("11-07T09:31:00"), 60),
        incident(43, Blame::Provider, at("11-12T15:00:00"), 40),
        incident(44, Blame::Account, at("11-18T10:00:00"), 20),
        incident(45, Blame::Provider, at("11-20T22:00:00"), 32),
    ];
    all[1].acknowledged_at = Some(at("11-07T09:45:00"));
    all
}

fn past(incidents: &[Incident]) -> Past {
    let change = |at, state, blame, reason| CapabilityChange {
        capability: Capability::VideoGeneration,
        at,
        state,
        blame,
        reason,
    };
    let fine = |at| change(at, State::Operational, Blame::None, Reason::Outcome(Outcome::Ok));
    let mut changes = vec![fine(at("10-01T00:00:00"))];
    for one in incidents {
        changes.push(change(one.confirmed_at, State::Outage, one.blame, one.reason));
        changes.push(fine(later(one.resolved_at.unwrap(), 1)));
    }
    let unsure = at("11-25T00:00:00");
    changes.push(change(unsure, State::Unknown, Blame::Network, Reason::NetworkDoubtful));
    changes.push(fine(later(unsure, 12)));
    changes.push(CapabilityChange { capability: Capability::Api, ..fine(at("10-01T00:00:00")) });
    let spell = |one: &Incident| Spell {
        id: one.id,
        blame: one.blame,
        capabilities: one.capabilities.clone(),
        opened_at: one.opened_at,
        confirmed_at: one.confirmed_at,
        resolved_at: one.resolved_at,
        acknowledged_at: one.acknowledged_at,
    };
    let claim = |at, state| ComponentChange {
        source: "heygen".to_owned(),
        component: "c1".to_owned(),
        name: "video".to_owned(),
        at,
        state,
    };
    Past {
        changes,
        alive: vec![
            (at("10-01T00:00:00"), at("11-28T00:00:00")),
            (at("11-29T00:00:00"), at("12-31T00:00:00")),
        ],
        spells: incidents.iter().map(spell).collect(),
        claims: vec![
            claim(at("10-01T00:00:00"), ComponentState::Operational),
            claim(at("11-07T09:45:00"), ComponentState::MajorOutage),
            claim(at("11-07T10:00:00"), ComponentState::Operational),
        ],
    }
}

fn job(id: &str, created_at: Timestamp, state: JobState, minutes: i64) -> Job {
    let ended_at = later(created_at, minutes);
    Job {
        kind: JobKind::Video,
        id: id.to_owned(),
        origin: Origin::Natural,
        title: Some("secret plan of a customer".to_owned()),
        created_at,
        first_seen_at: created_at,
        seen_at: ended_at,
        state,
        started: None,
        ended: Some(Interval::exact(ended_at)),
        is_abandoned: false,
        is_sample: minutes < 10,
        failure: None,
    }
}

fn jobs() -> Vec<Job> {
    let mut jobs: Vec<Job> = (0..30)
        .map(|hour| {
            let created_at = later(at("11-02T00:00:00"), hour * 60);
            job(&format!("v_{hour}"), created_at, JobState::Completed, 4)
        })
        .collect();
    jobs.push(job("v_late", at("11-07T09:20:00"), JobState::Completed, 182));
    jobs.push(job("v_later", at("11-07T09:40:00"), JobState::Completed, 64));
    jobs.push(Job {
        failure: Some(JobFailure {
            code: Some("internal_error".to_owned()),
            message: Some("could not read https://files.example.org/a.mp4?sig=SECRET".to_owned()),
        }),
        ..job("v_failed", at("11-07T09:50:00"), JobState::Failed, 20)
    });
    jobs.push(job("v_rejected", at("11-07T09:50:00"), JobState::Rejected, 1));
    jobs
}

fn november() -> Report {
    let settings = settings();
    let now = at("12-02T09:00:00");
    let period = period(since("2026-11").unwrap(), &settings.timezone, now).unwrap();
    let incidents = incidents();
    let material = Material { past: &past(&incidents), incidents: &incidents, jobs: &jobs() };
    report(&settings, period, material, now)
}

fn printed(shown: Shown, format: Format) -> String {
    let zone = settings().timezone;
    let text = rendered(&november(), shown, format, (&zone, at("12-02T09:00:00"))).unwrap();
    anstream::adapter::strip_str(&text).to_string()
}

#[test]
fn the_first_sentence_is_for_the_boss_and_the_rest_for_those_who_ask() {
    insta::assert_snapshot!(printed(Shown::Summary, Format::Table), @r"
    In November HeyGen kept you from making videos for 3 h 12 min, in 4 incidents; its own page showed 1.
    2 of your 33 videos came late: 3 h 58 min of waiting beyond the usual (the longest 2 h 58 min); 1 failed on HeyGen's side.
    Your own HeyGen account (key, plan, quota, credit, limits) stopped you for 20 min; that is not HeyGen's failure and not counted above.
    Within it, for 1 d nobody watched and for 12 min nobody could tell: that counts for neither side.

      capability        HeyGen down  HeyGen degraded  your account  can't tell  not watched  our checks  HeyGen's page  your videos
      video generation  3 h 12 min   -                20 min        12 min      1 d          99.539 %    99.964 %       90.909 %
      API               -            -                -             -           1 d          100 %       -              -
    ");
}

#[test]
fn details_say_what_every_figure_rests_on() {
    let text = printed(Shown::Details, Format::Table);
    let (_, details) = text.split_once("Three uptimes").unwrap();
    insta::assert_snapshot!(details, @r"

      capability        by             uptime    of                between
      video generation  our checks     99.539 %  28 d 23 h judged  99.511 % and 99.540 %, whatever was the case in 12 min
      video generation  HeyGen's page  99.964 %  29 d of it read
      video generation  your videos    90.909 %  33 jobs           76.427 % and 96.859 % (95 %, Wilson)
      API               our checks     100 %     29 d judged       nothing left open

    Trouble on HeyGen's side was confirmed 2 min after its first sign on average (4 incidents). It lasted 48 min on average (4 incidents). It was known here 14 min before HeyGen's page on average (1 incident). No matching notice of HeyGen's was found for #45, #43, #41.

    Incidents
      incident  began             lasted  side                 HeyGen's page  what
      #45       2026-11-20 23:00  32 min  HeyGen's side        no notice      Videos do not start | <b>at all</b>.
      #44       2026-11-18 11:00  20 min  your HeyGen account  -              Videos do not start | <b>at all</b>.
      #43       2026-11-12 16:00  40 min  HeyGen's side        no notice      Videos do not start | <b>at all</b>.
      #42       2026-11-07 10:31  1 h     HeyGen's side        14 min later   Videos do not start | <b>at all</b>.
      #41       2026-11-03 09:00  1 h     HeyGen's side        no notice      Videos do not start | <b>at all</b>.
    ");
}

#[test]
fn markdown_is_a_document_in_which_nothing_breaks_out() {
    let text = printed(Shown::Details, Format::Markdown);
    assert!(text.starts_with("**In November HeyGen kept you from making videos for 3 h 12 min,"));
    assert!(text.contains("Videos do not start \\| \\<b\\>at all\\</b\\>."), "{text}");
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    let table: Vec<&str> = text.lines().filter(|line| line.starts_with("| \\#")).collect();
    assert_eq!(table.len(), 5, "{text}");
    assert!(table.iter().all(|line| columns(line) == 7), "{table:?}");
}

#[test]
fn rows_for_a_spreadsheet_have_plain_numbers() {
    insta::assert_snapshot!(printed(Shown::Summary, Format::Csv), @r"
    since,until,capability,up_seconds,down_heygen_seconds,degraded_heygen_seconds,down_account_seconds,degraded_account_seconds,other_side_seconds,maintenance_seconds,unknown_seconds,not_watched_seconds,heygen_incidents,our_checks_share,our_checks_low,our_checks_high,heygens_page_share,your_jobs_share,your_jobs,your_jobs_low,your_jobs_high
    2026-10-31T23:00:00Z,2026-11-30T23:00:00Z,video_generation,2492160,11520,0,1200,0,0,0,720,86400,4,0.995399,0.995113,0.995400,0.999641,0.909091,33,0.764274,0.968596
    2026-10-31T23:00:00Z,2026-11-30T23:00:00Z,api,2505600,0,0,0,0,0,0,0,86400,0,1.000000,1.000000,1.000000,,,,,
    ");
    let incidents = printed(Shown::Details, Format::Csv);
    assert_eq!(incidents.lines().count(), 6);
}

#[test]
fn json_has_every_figure_and_can_be_read_again() {
    let text = printed(Shown::Summary, Format::Json);
    let json: ReportJson = serde_json::from_str(&text).unwrap();
    assert_eq!((json.outages, json.admitted, json.incidents.len()), (4, 1, 5));
    assert_eq!(json.watching.unannounced, [45, 43, 41]);
    assert!((json.making.down.provider - 192.0 * 60.0).abs() < 1.0);
}

#[test]
fn a_month_that_nobody_watched_is_no_praise() {
    let settings = settings();
    let now = at("12-02T09:00:00");
    let period = period(since("30d").unwrap(), &settings.timezone, now).unwrap();
    let material = Material { past: &Past::default(), incidents: &[], jobs: &[] };
    let report = report(&settings, period, material, now);
    assert_eq!(
        report.sentences,
        [
            "In the last 30 days nobody watched whether videos could be made.",
            "No video of your own was followed in that time."
        ]
    );
}

fn failure(minute: i64, message: &str) -> Observation {
    let begun_at = later(at("11-07T09:31:00"), minute);
    let evidence = Evidence {
        text: "503".to_owned(),
        http_status: Some(503),
        code: Some("=internal_error".to_owned()),
        message: Some(message.to_owned()),
        request_id: Some(format!("req-{minute}")),
        ..Evidence::default()
    };
    Observation {
        outcome: Outcome::Unavailable,
        capabilities: vec![Capability::VideoGeneration],
        evidence: Some(Box::new(evidence)),
        ..Observation::blank(Series::of("submit"), ProbeKind::Submit, begun_at)
    }
}

fn account(at: Timestamp, remaining: f64) -> AccountReading {
    AccountReading {
        at,
        pools: vec![Pool { name: PoolName::Premium, unit: Unit::Credits, remaining }],
        plan: Plan {
            name: Some("creator".to_owned()),
            resets_at: Some("2026-12-01T00:00:00Z".parse().unwrap()),
            spent_usd: None,
        },
        auto_reload: None,
        key_expires_at: None,
        clock_skew: None,
    }
}

fn paper(jobs: &[Job], observations: &[Observation]) -> Dossier {
    let incident = incidents().remove(1);
    let before = account(at("11-07T09:30:00"), 120.0);
    let after = account(at("11-07T10:31:30"), 96.0);
    let papers = Papers {
        incident: &incident,
        before: Some(&before),
        after: Some(&after),
        jobs,
        observations,
    };
    dossier(&settings(), papers, at("12-02T09:00:00"))
}

#[test]
fn a_dossier_has_what_a_refund_needs() {
    let message = "try https://files.example.org/a.mp4?sig=SECRET later";
    let seen = [failure(0, message), failure(3, message), failure(50, message)];
    let dossier = paper(&jobs(), &seen);
    insta::assert_snapshot!(dossier.text, @r#"
    HeyGen incident, 2026-11-07 09:31:00 to 2026-11-07 10:31:00 (1 h), all times UTC
    What failed: video generation
    Seen as: Videos do not start | <b>at all</b>.
    Seen from: fra-1 (first failure 2026-11-07 09:31:00, confirmed 2026-11-07 09:33:00)
    HeyGen's notice: on the status page at 2026-11-07 09:45:00, 14 min later
    Account: default, plan creator, cycle ends 2026-12-01; 2026-11-07 09:30:00: 120.00 credits premium; after: 2026-11-07 10:31:30: 96.00 credits premium
    HeyGen's answers:
    - submit: HTTP 503 =internal_error "try https://files.example.org/a.mp4?… later" (3 times, 2026-11-07 09:31:00 to 2026-11-07 10:21:00, request id req-50)
    Jobs: 4 jobs of the account met it, 2 were late, 1 failed
    - v_late: 2 h 58 min late (took 3 h 2 min)
    - v_later: 1 h late (took 1 h 4 min)
    - v_failed: failed after 20 min: internal_error
    HeyGen's documentation says that failed jobs are not charged. Please check the jobs above, and credit what was charged.
    "#);
    insta::assert_snapshot!(csv::evidence(&dossier), @r#"
    what,id,kind,state,from,to,took_seconds,late_seconds,count,http_status,code,message,request_id
    job,v_late,video,completed,2026-11-07T09:20:00Z,2026-11-07T12:22:00Z,10920,10680,,,,,
    job,v_later,video,completed,2026-11-07T09:40:00Z,2026-11-07T10:44:00Z,3840,3600,,,,,
    job,v_failed,video,failed,2026-11-07T09:50:00Z,2026-11-07T10:10:00Z,1200,,,,internal_error,could not read https://files.example.org/a.mp4?…,
    answer,submit,,unavailable,2026-11-07T09:31:00Z,2026-11-07T10:21:00Z,,,3,503,"'=internal_error",try https://files.example.org/a.mp4?… later,req-50
    "#);
}

#[test]
fn without_a_key_a_dossier_says_what_is_not_known() {
    let incident = Incident {
        evidence: vec![EvidenceItem {
            probe: "web-app".to_owned(),
            outcome: Outcome::Unavailable,
            at: at("11-03T08:00:00"),
            text: "503 from app.heygen.com".to_owned(),
            decisive: true,
            detail: Evidence::default(),
        }],
        ..incidents().remove(0)
    };
    let papers =
        Papers { incident: &incident, before: None, after: None, jobs: &[], observations: &[] };
    let text = dossier(&settings(), papers, at("12-02T09:00:00")).text;
    for said in [
        "plan and balance not known",
        "none that matches was found on the status page",
        "2026-11-03 08:00:00 web-app: 503 from app.heygen.com",
        "Jobs: 0 jobs of the account met it",
    ] {
        assert!(text.contains(said), "{said} is missing in\n{text}");
    }
}

#[test]
fn however_much_happened_it_can_be_pasted_and_holds_no_secret() {
    let long = "ä".repeat(900);
    let seen: Vec<Observation> = (0..300)
        .map(|minute| failure(minute % 60, &format!("{long} {minute} https://x.test/?k=SECRET")))
        .collect();
    let mut many = jobs();
    many.extend((0..500).map(|number| {
        let id = format!("v_{number}_{}", "x".repeat(70));
        job(&id, at("11-07T09:35:00"), JobState::Completed, 300 + number)
    }));
    for (jobs, seen) in [(&many[..], &seen[..]), (&many[..], &[]), (&[], &seen[..])] {
        let dossier = paper(jobs, seen);
        let chars = dossier.text.chars().count();
        assert!(chars <= MOST_CHARS, "{chars} characters");
        assert!(chars > MOST_CHARS / 2, "{chars} characters");
        assert!(dossier.text.ends_with("credit what was charged."), "{}", dossier.text);
        let everything = format!("{}{}", dossier.text, csv::evidence(&dossier));
        assert!(!everything.contains("SECRET") && !everything.contains("secret plan"));
    }
}
