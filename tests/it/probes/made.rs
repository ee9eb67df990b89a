//! What the simulator makes, checked: every way in which a result can be broken is told, and events
//! that the simulator signs are heard.

use std::net::Ipv4Addr;
use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::model::{Finding, Intent, JobKind, JobStatus, Outcome, ProbeKind, Task};
use heygen_monitor::probe::translation::TranslationSource;
use heygen_monitor::probe::webhook::{WebhookCheck, listen};
use heygen_monitor::probe::{ProbeDeps, ProbeSpec};
use heygen_monitor::secret::Secret;
use heygen_monitor::simulator::{
    API_KEY, Artefact, Lifecycle, Manner, Options, Service, Simulator, WebhookEndpoint,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::canary::{attend, intent, now, render, speech, translation};
use super::deps;

const SECRET: &str = "whsec_0123456789abcdef";

/// A simulator in which every job is done at once.
async fn heygen() -> (Simulator, ProbeDeps) {
    let clock = Clock::starting_at(now(), 1.0);
    let simulator = Simulator::start(Options::new(clock.clone())).await.unwrap();
    simulator.account(|account| {
        let quick = Lifecycle::completing(Duration::ZERO, Duration::ZERO);
        account.video = quick.clone();
        account.translation = quick;
    });
    let own = deps(&simulator.url(Service::Api));
    let deps = ProbeDeps { clock, api_key: Some(Secret::new(API_KEY)), ..own };
    (simulator, deps)
}

/// Sends one test and checks what was made of it.
async fn made(spec: &ProbeSpec, deps: &ProbeDeps, mut own: Intent) -> Outcome {
    let sent = attend(spec, deps, Task::Submit(own.clone())).await;
    let Finding::Accepted { job_id } = sent.finding else { panic!("{sent:?}") };
    if job_id.is_none() {
        return sent.observation.unwrap().outcome;
    }
    own.job_id = job_id;
    let checked = attend(spec, deps, Task::Check(own)).await;
    assert_eq!(checked.finding, Finding::Checked, "{checked:?}");
    checked.observation.unwrap().outcome
}

fn numbered(kind: ProbeKind, number: usize) -> Intent {
    let mut own = intent(kind, None);
    own.nonce = format!("hgm-test-{number}");
    if kind == ProbeKind::Render {
        "look_anna_office".clone_into(&mut own.look);
    }
    own
}

#[tokio::test]
async fn every_broken_result_is_invalid() {
    let (simulator, deps) = heygen().await;
    let source = TranslationSource::Url(simulator.source_url().parse().unwrap());
    let (ok, bad) = (Outcome::Ok, Outcome::ResultInvalid);
    let long = Artefact::Lasting(Duration::from_mins(1));
    for (number, (artefact, video, sound, speech_is)) in [
        (Artefact::Sound, ok, ok, ok),
        (Artefact::IndexLast, ok, ok, ok),
        (Artefact::CutInIndex, bad, bad, ok),
        (Artefact::CutInMedia, bad, bad, ok),
        (Artefact::WithoutAudio, bad, bad, bad),
        (Artefact::WithoutVideo, bad, ok, ok),
        (long, ok, bad, ok),
        (Artefact::Lasting(Duration::ZERO), bad, bad, bad),
        (Artefact::Page, bad, bad, bad),
        (Artefact::Empty, bad, bad, bad),
        (Artefact::Refused(9), bad, bad, bad),
    ]
    .into_iter()
    .enumerate()
    {
        simulator.account(|account| account.artefact = artefact.clone());
        for (spec, expected) in
            [(render(), video), (translation(source.clone()), sound), (speech(), speech_is)]
        {
            let own = numbered(spec.kind(), number);
            let outcome = made(&spec, &deps, own).await;
            assert_eq!(outcome, expected, "{artefact:?} of {:?}", spec.kind());
        }
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the other side of a test runs beside it")]
async fn what_the_simulator_signs_is_heard_once() {
    let (simulator, deps) = heygen().await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, mut events) = mpsc::channel(8);
    let check =
        WebhookCheck { listen: address, secret: Secret::new(SECRET), path: "/heygen".to_owned() };
    let cancel = CancellationToken::new();
    let clock = deps.clock.clone();
    tokio::spawn(listen("webhook".to_owned(), check, listener, clock, sender, cancel.clone()));
    let endpoint = WebhookEndpoint::new(&format!("http://{address}/heygen"), SECRET);
    simulator.account(|account| {
        account.webhooks = vec![endpoint.clone().manner(Manner::Twice)];
    });
    let sent = attend(&render(), &deps, Task::Submit(numbered(ProbeKind::Render, 1))).await;
    let Finding::Accepted { job_id: Some(job_id) } = sent.finding else { panic!("{sent:?}") };
    let wait = Duration::from_mins(1);
    let event = tokio::time::timeout(wait, events.recv()).await.unwrap().unwrap();
    let seen = event.sighting.unwrap();
    assert_eq!((seen.kind, seen.id, seen.status), (JobKind::Video, job_id, JobStatus::Completed));
    let told = || simulator.account(|account| account.webhook_events[0].attempts);
    while told() < 2 {
        tokio::task::yield_now().await;
    }
    assert!(events.try_recv().is_err(), "the copy was not passed on");
}
