//! Substitutes are named where they help, and are nobody's verdict.

use std::time::Duration;

use heygen_monitor::engine::page::ComponentMap;
use heygen_monitor::engine::{Source, Watch};
use heygen_monitor::model::{
    Action, Capability, CapabilityVerdict, ComponentState, Outcome, ProbeKind, SourceReading,
    SourceRole, Verdict,
};

use super::daemon::{Daemon, summary};
use super::world::{World, at, status, watch};

/// A world with Kapwing for dubbing, which is up or down, and Synthesia for videos.
fn world(kapwing: Option<Outcome>, heygen: Option<Outcome>) -> World {
    let mut world = World::with_key().heygen(move |series, now| {
        let answers = if series == "Kapwing" { kapwing } else { heygen };
        answers.filter(|_| now >= 300).map(|outcome| status(outcome, 503))
    });
    world.settings.probes.push(Watch {
        replaces: vec![Capability::VideoTranslation],
        host: "www.kapwing.com".to_owned(),
        ..watch("Kapwing", ProbeKind::Web, 60, &[])
    });
    world.settings.sources.push(Source {
        name: "Synthesia".to_owned(),
        role: SourceRole::Alternative,
        replaces: vec![Capability::VideoGeneration],
        interval: Duration::from_mins(10),
        map: ComponentMap::default(),
    });
    world
}

fn after(world: World) -> Verdict {
    let mut daemon = Daemon::start(world);
    let mut page = daemon.world.reading(at(0)).page.unwrap();
    page.state = ComponentState::MajorOutage;
    daemon.read(SourceReading {
        source: "Synthesia".to_owned(),
        role: SourceRole::Alternative,
        replaces: vec![Capability::VideoGeneration],
        at: at(0),
        page: Ok(page),
    });
    daemon.run_until(900).told().verdicts.pop().unwrap().1
}

fn of(verdict: &Verdict, capability: Capability) -> &CapabilityVerdict {
    verdict.capabilities.iter().find(|one| one.capability == capability).unwrap()
}

#[test]
fn each_is_named_for_what_it_replaces_and_nowhere_else() {
    let verdict = after(world(None, Some(Outcome::Unavailable)));
    let names = |capability| -> Vec<&str> {
        of(&verdict, capability).alternatives.iter().map(|one| one.name.as_str()).collect()
    };
    assert_eq!(names(Capability::VideoGeneration), ["Synthesia"]);
    assert_eq!(names(Capability::VideoTranslation), ["Kapwing"]);
    assert_eq!(names(Capability::Api), Vec::<&str>::new());
    let advice = |capability| of(&verdict, capability).advice.text.clone();
    assert_eq!(of(&verdict, Capability::VideoGeneration).advice.action, Action::Hold);
    let videos = advice(Capability::VideoGeneration);
    assert!(
        videos.contains("Synthesia (a major outage") && !videos.contains("Kapwing"),
        "{videos}"
    );
    let dubbing = advice(Capability::VideoTranslation);
    assert!(dubbing.contains("Kapwing (all working"), "{dubbing}");
    assert!(dubbing.contains("itself not tested") && !dubbing.contains("Synthesia"), "{dubbing}");
    assert!(!advice(Capability::Api).contains("Kapwing"), "{}", advice(Capability::Api));
}

#[test]
fn one_that_is_down_changes_no_verdict_and_opens_no_incident() {
    let (fine, down) = (after(world(None, None)), after(world(Some(Outcome::Unavailable), None)));
    assert_eq!(summary(&fine), summary(&down));
    let daemon = Daemon::start(world(Some(Outcome::Unavailable), None)).run_until(900);
    assert!(daemon.incidents.is_empty());
    assert!(daemon.messages.is_empty());
}
