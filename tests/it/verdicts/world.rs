//! A world for the pure core: a scripted HeyGen, a clock that is a variable, and the loop that the
//! monitor would run. Hours pass in milliseconds.

use std::time::Duration;

use heygen_monitor::engine::page::ComponentMap;
use heygen_monitor::engine::{
    Cadence, ChannelInfo, Input, JobsWatch, Memory, Settings, Source, Suspect, Thresholds, Watch,
    evaluate, is_settled,
};
use heygen_monitor::model::{
    Capability, ChannelKind, Component, ComponentState, ControlReading, Evidence, Impact, Incident,
    Observation, Outcome, Page, PageEvent, PageUpdate, PathCheck, PeerReading, Phase, Phases,
    ProbeKind, Product, Series, SourceReading, SourceRole, TargetReading, Timestamp, Transport,
    Verdict,
};

/// What HeyGen (or what stands before it) does.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Answer {
    pub outcome: Option<Outcome>,
    pub status: Option<u16>,
    pub code: Option<&'static str>,
    pub retry_after: Option<u64>,
    pub path_check: Option<PathCheck>,
}

pub(super) fn fails(outcome: Outcome) -> Answer {
    Answer { outcome: Some(outcome), ..Answer::default() }
}

pub(super) fn status(outcome: Outcome, status: u16) -> Answer {
    Answer { status: Some(status), ..fails(outcome) }
}

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub(super) enum Shown {
    #[default]
    Green,
    Rows(Vec<(&'static str, ComponentState)>),
    Incident(&'static str, Impact),
    Maintenance(&'static str),
    Unreadable,
}

type Rule = Box<dyn Fn(&str, i64) -> Option<Answer>>;

/// The scripted world. Seconds count from nine o'clock.
pub(super) struct World {
    pub settings: Settings,
    heygen: Vec<Rule>,
    controls: Box<dyn Fn(i64) -> usize>,
    page: Box<dyn Fn(i64) -> Shown>,
    /// What a one-shot `check` hears of peers.
    pub heard: Vec<PeerReading>,
}

/// The API answers 503 in that time, whoever asks.
pub(super) fn down_between(from: i64, to: i64) -> impl Fn(&str, i64) -> Option<Answer> {
    move |series, now| {
        (series != "web" && (from..to).contains(&now)).then_some(status(Outcome::Unavailable, 503))
    }
}

pub(super) fn nine() -> Timestamp {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

pub(super) fn at(seconds: i64) -> Timestamp {
    nine() + jiff::SignedDuration::from_secs(seconds)
}

fn seconds(at: Timestamp) -> i64 {
    at.duration_since(nine()).as_secs()
}

impl World {
    /// Everything fine, with a key.
    pub(super) fn with_key() -> Self {
        use Capability as C;
        Self::new(vec![
            watch("control", ProbeKind::Control, 60, &[]),
            watch("api-read", ProbeKind::Api, 60, &[C::Api, C::Authentication]),
            anonymous(),
            watch("submit", ProbeKind::Submit, 300, &[C::VideoGeneration, C::VideoTranslation]),
            watch("web", ProbeKind::Web, 60, &[C::WebApp]),
        ])
    }

    /// Everything fine, without a key.
    pub(super) fn without_key() -> Self {
        let web = watch("web", ProbeKind::Web, 60, &[Capability::WebApp]);
        Self::new(vec![watch("control", ProbeKind::Control, 60, &[]), anonymous(), web])
    }

    fn new(probes: Vec<Watch>) -> Self {
        let settings = Settings {
            vantage: "fra-1".to_owned(),
            probes,
            sources: vec![source()],
            channels: vec![
                ChannelInfo { name: "mail".to_owned(), kind: ChannelKind::Email },
                ChannelInfo { name: "slack".to_owned(), kind: ChannelKind::Slack },
            ],
            ..Settings::default()
        };
        Self {
            settings,
            heygen: Vec::new(),
            controls: Box::new(|_| 3),
            page: Box::new(|_| Shown::Green),
            heard: Vec::new(),
        }
    }

    /// HeyGen answers so when the rule says so; later rules go first.
    pub(super) fn heygen(mut self, rule: impl Fn(&str, i64) -> Option<Answer> + 'static) -> Self {
        self.heygen.push(Box::new(rule));
        self
    }

    /// How many of the three controls answer.
    pub(super) fn controls(mut self, answering: impl Fn(i64) -> usize + 'static) -> Self {
        self.controls = Box::new(answering);
        self
    }

    pub(super) fn page(mut self, shown: impl Fn(i64) -> Shown + 'static) -> Self {
        self.page = Box::new(shown);
        self
    }

    fn answer(&self, series: &str, at: i64) -> Answer {
        self.heygen.iter().rev().find_map(|rule| rule(series, at)).unwrap_or_default()
    }

    /// One control run; the two that do not answer are always the last ones.
    pub(super) fn control_reading(&self, begun_at: Timestamp) -> ControlReading {
        let answering = (self.controls)(seconds(begun_at));
        let targets = (0..3_usize).map(|index| TargetReading {
            target: format!("control-{index}"),
            latency: (index < answering).then(|| Duration::from_millis(20)),
        });
        ControlReading { begun_at, targets: targets.collect() }
    }

    /// One run of a probe: an observation per series.
    pub(super) fn run(&self, watch: &Watch, begun_at: Timestamp) -> Vec<Observation> {
        if watch.kind == ProbeKind::Control {
            return vec![self.control_run(watch, begun_at)];
        }
        let subjects: &[(&str, &[Capability])] = match watch.kind {
            ProbeKind::Submit => &[
                ("/v3/videos", &[Capability::VideoGeneration]),
                ("/v3/video-translations", &[Capability::VideoTranslation]),
            ],
            _ => &[("", &[])],
        };
        subjects
            .iter()
            .map(|(subject, capabilities)| {
                let series = Series { probe: watch.name.clone(), subject: (*subject).to_owned() };
                let capabilities = if capabilities.is_empty() {
                    watch.capabilities.clone()
                } else {
                    capabilities.to_vec()
                };
                let answer = self.answer(&series.to_string(), seconds(begun_at));
                self.observation(watch, series, capabilities, answer, begun_at)
            })
            .collect()
    }

    fn control_run(&self, watch: &Watch, begun_at: Timestamp) -> Observation {
        let reading = self.control_reading(begun_at);
        let outcome = if reading.is_fine() { Outcome::Ok } else { Outcome::ConnectFailed };
        let series = Series::of(&watch.name);
        let plain = self.observation(watch, series, Vec::new(), Answer::default(), begun_at);
        Observation { outcome, control: Some(reading), answered: false, ..plain }
    }

    fn observation(
        &self,
        watch: &Watch,
        series: Series,
        capabilities: Vec<Capability>,
        answer: Answer,
        begun_at: Timestamp,
    ) -> Observation {
        let outcome = answer.outcome.unwrap_or(Outcome::Ok);
        let ended_at = begun_at + jiff::SignedDuration::from_millis(200);
        let evidence = (outcome != Outcome::Ok).then(|| {
            let said = answer.status.map_or("no answer".to_owned(), |status| status.to_string());
            Box::new(Evidence {
                text: format!("{said} from {} after 200 ms", watch.host),
                host: watch.host.clone(),
                http_status: answer.status,
                code: answer.code.map(str::to_owned),
                retry_after_secs: answer.retry_after,
                ..Evidence::default()
            })
        });
        let transport = outcome.is_transport().then(|| Transport {
            path_check: answer.path_check,
            control: Some(self.control_reading(ended_at)),
        });
        Observation {
            series,
            kind: watch.kind,
            anonymous: watch.anonymous,
            capabilities,
            begun_at,
            ended_at,
            outcome,
            skipped: None,
            answered: !outcome.is_transport(),
            phases: Phases::default(),
            evidence,
            transport,
            control: None,
            certificate_expires_at: None,
        }
    }

    /// One reading of HeyGen's page.
    pub(super) fn reading(&self, at: Timestamp) -> SourceReading {
        let page = page((self.page)(seconds(at)));
        SourceReading {
            source: "heygen".to_owned(),
            role: SourceRole::Primary,
            replaces: Vec::new(),
            at,
            page,
        }
    }

    /// What a one-shot `check` finds: every probe once, failing ones again, at most 15 s.
    pub(super) fn check(mut self) -> Checked {
        let deadline = at(15);
        self.settings.cadence = Cadence::Check { deadline };
        let (mut memory, mut now) = (Memory::default(), nine());
        let mut decision =
            evaluate(&mut memory, &self.settings, Input::Read(Box::new(self.reading(now))), now);
        for reading in std::mem::take(&mut self.heard) {
            decision = evaluate(&mut memory, &self.settings, Input::Peer(Box::new(reading)), now);
        }
        let mut due: Vec<String> =
            self.settings.probes.iter().map(|watch| watch.name.clone()).collect();
        let mut rounds = 0;
        loop {
            rounds += 1;
            for name in std::mem::take(&mut due) {
                let watch = self.settings.probes.iter().find(|watch| watch.name == name).unwrap();
                for observation in self.run(watch, now) {
                    let known_at = observation.ended_at;
                    let input = Input::Observed(Box::new(observation));
                    decision = evaluate(&mut memory, &self.settings, input, known_at);
                }
            }
            if is_settled(&memory, &self.settings, now) {
                break;
            }
            now += jiff::SignedDuration::from_secs(1);
            due = decision
                .suspects
                .iter()
                .filter(|one| is_due(one, now))
                .map(|one| one.probe.clone())
                .collect();
            if now >= deadline {
                decision = evaluate(&mut memory, &self.settings, Input::Tick, now);
                break;
            }
        }
        Checked { verdict: decision.verdict, open: decision.open, rounds }
    }
}

pub(super) fn is_due(suspect: &Suspect, now: Timestamp) -> bool {
    suspect.not_before.is_none_or(|at| at <= now)
}

/// What a one-shot `check` found.
pub(super) struct Checked {
    pub verdict: Verdict,
    pub open: Vec<Incident>,
    pub rounds: usize,
}

impl Checked {
    /// `outage/provider/unavailable`, of the whole.
    pub(super) fn whole(&self) -> String {
        let verdict = &self.verdict;
        format!("{}/{}/{}", verdict.state, verdict.blame, verdict.reason)
    }

    /// The same of one capability.
    pub(super) fn of(&self, capability: Capability) -> String {
        of(&self.verdict, capability)
    }
}

pub(super) fn of(verdict: &Verdict, capability: Capability) -> String {
    let one = verdict.capabilities.iter().find(|one| one.capability == capability).unwrap();
    format!("{}/{}/{}", one.state, one.blame, one.reason)
}

pub(super) fn watch(name: &str, kind: ProbeKind, every: u64, capabilities: &[Capability]) -> Watch {
    let host = match kind {
        ProbeKind::Control => "",
        ProbeKind::Web => "app.heygen.com",
        _ => "api.heygen.com",
    };
    Watch {
        name: name.to_owned(),
        kind,
        anonymous: kind == ProbeKind::Web,
        capabilities: capabilities.to_vec(),
        interval: Duration::from_secs(every),
        host: host.to_owned(),
        target: String::new(),
        thresholds: Thresholds::default(),
        replaces: Vec::new(),
        jobs: JobsWatch::None,
    }
}

fn anonymous() -> Watch {
    Watch { anonymous: true, ..watch("api-anonymous", ProbeKind::Api, 300, &[Capability::Api]) }
}

fn source() -> Source {
    let row = |name: &str, capability| (name.to_owned(), capability);
    Source {
        name: "heygen".to_owned(),
        role: SourceRole::Primary,
        replaces: Vec::new(),
        interval: Duration::from_mins(1),
        map: ComponentMap {
            components: vec![
                row("api.heygen.com", Capability::Api),
                row("Video Generation", Capability::VideoGeneration),
                row("app.heygen.com", Capability::WebApp),
            ],
            incidents: vec![
                row("render", Capability::VideoGeneration),
                row("api", Capability::Api),
            ],
        },
    }
}

fn page(shown: Shown) -> Result<Page, String> {
    let event = |id: &str, title: &str, phase, impact| PageEvent {
        id: id.to_owned(),
        title: title.to_owned(),
        phase,
        impact,
        started_at: None,
        updated_at: None,
        ends_at: None,
        components: Vec::new(),
        updates: Vec::<PageUpdate>::new(),
    };
    let green = ["api.heygen.com", "Video Generation", "app.heygen.com"]
        .map(|name| (name, ComponentState::Operational))
        .to_vec();
    let (mut incidents, mut maintenances) = (Vec::new(), Vec::new());
    let rows = match shown {
        Shown::Unreadable => return Err("HTML where JSON was".to_owned()),
        Shown::Green => green,
        Shown::Rows(these) => these,
        Shown::Incident(title, impact) => {
            incidents.push(event("inc-1", title, Phase::Investigating, impact));
            green
        }
        Shown::Maintenance(row) => {
            let planned =
                event("mnt-1", "Database upgrade", Phase::InProgress, Impact::Maintenance);
            maintenances.push(PageEvent {
                components: vec![row.to_owned()],
                ends_at: Some(at(7200)),
                ..planned
            });
            green
        }
    };
    let component = |(name, state): (&str, ComponentState)| Component {
        id: name.to_owned(),
        name: name.to_owned(),
        group: None,
        state,
        raw: state.to_string(),
    };
    Ok(Page {
        product: Product::INCIDENT_IO,
        id: None,
        name: "HeyGen".to_owned(),
        url: "https://status.heygen.com".to_owned(),
        state: ComponentState::Operational,
        components: rows.into_iter().map(component).collect(),
        incidents,
        maintenances,
        warnings: Vec::new(),
    })
}
