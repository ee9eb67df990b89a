//! Good configurations: what they come to.

use std::time::Duration;

use heygen_monitor::config;
use heygen_monitor::engine::schedule::Schedule;
use heygen_monitor::engine::{Thresholds, Watch};
use heygen_monitor::model::{Capability, Capability as C, SourceRole};
use heygen_monitor::probe::CheckSpec;

use super::{names, parse, parse_with};

const KEY: (&str, &str) = ("HEYGEN_API_KEY", "sk-test-0123456789");

#[test]
fn without_file_and_key_what_needs_no_key_is_watched() {
    let config = parse("").unwrap();
    assert_eq!(
        names(&config),
        ["api-anonymous", "web-app", "Kapwing", "control", "heygen", "Synthesia"]
    );
    assert!(config.heygen.api_key.is_none());
    assert!(config.channels.is_empty());
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert_eq!(config.settings.uses, Capability::ALL);
    assert_eq!(config.settings.vantage, "test-host");
}

#[test]
fn a_key_and_a_webhook_in_the_environment_complete_it() {
    let webhook = ("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/T/B/XXXX");
    let config = parse_with("", &[KEY, webhook]).unwrap();
    let checks = ["api-read", "api-anonymous", "submit", "queue", "web-app", "Kapwing", "control"];
    let pages = ["heygen", "Synthesia"];
    assert_eq!(names(&config), [&checks[..], &pages].concat());
    assert_eq!(config.channels[0].name, "slack");
    assert_eq!(config.settings.channels[0].name, "slack");
    let shown = config.redactor.redact("key sk-test-0123456789 to /services/T/B/XXXX");
    assert_eq!(shown, "key *** to ***");
}

#[test]
fn each_kind_informs_what_it_looks_at() {
    let config = parse_with("", &[KEY]).unwrap();
    let table: Vec<(&str, &[Capability], bool, &str)> = config
        .settings
        .probes
        .iter()
        .map(|watch: &Watch| {
            (
                watch.name.as_str(),
                watch.capabilities.as_slice(),
                watch.anonymous,
                watch.host.as_str(),
            )
        })
        .collect();
    let api = "api.heygen.com";
    assert_eq!(
        table,
        [
            ("api-read", &[C::Api, C::Authentication][..], false, api),
            ("api-anonymous", &[C::Api][..], true, api),
            ("submit", &[C::VideoGeneration, C::VideoTranslation][..], false, api),
            ("queue", &[C::VideoGeneration, C::VideoTranslation][..], false, api),
            ("web-app", &[C::WebApp][..], true, "app.heygen.com"),
            ("Kapwing", &[][..], true, "www.kapwing.com"),
            ("control", &[][..], true, ""),
        ]
    );
    let source = &config.settings.sources[0];
    assert_eq!((source.name.as_str(), source.role), ("heygen", SourceRole::Primary));
    let row = ("https://api.heygen.com".to_owned(), C::Api);
    assert_eq!(source.map.components[0], row);
    assert!(source.map.incidents.contains(&("dub".to_owned(), C::VideoTranslation)));
}

#[test]
fn one_probe_in_the_file_replaces_all_built_in_ones() {
    let config = parse("[[probe]]\nname = \"mine\"\ncheck.control = {}\n").unwrap();
    assert_eq!(names(&config), ["mine", "heygen", "Synthesia"]);
    let page = "[[status_page]]\nname = \"p\"\nurl = \"http://127.0.0.1:8080\"\n";
    let config = parse(page).unwrap();
    assert_eq!(names(&config), ["api-anonymous", "web-app", "Kapwing", "control", "p"]);
}

#[test]
fn written_rows_keep_their_order_and_replace_the_built_in_ones() {
    let text = "[[status_page]]\nname = \"p\"\nurl = [\"https://a.example.org\", \"https://b.example.org\"]\n\
                [status_page.components]\n\"z*\" = \"api\"\n\"a\" = \"web_app\"\n\"*\" = \"speech\"\n";
    let config = parse(text).unwrap();
    let map = &config.settings.sources[0].map;
    let rows: Vec<&str> = map.components.iter().map(|(row, _)| row.as_str()).collect();
    assert_eq!(rows, ["z*", "a", "*"]);
    assert!(!map.incidents.is_empty(), "the other table stays built in");
    let page = config.probes.iter().find(|probe| probe.name == "p").unwrap();
    let CheckSpec::StatusPage(page) = &page.check else { panic!("a status page") };
    assert_eq!(page.urls.len(), 2);
    let shown = config::effective(&config).unwrap();
    let place = |row: &str| {
        shown.find(&format!("\"{row}\" = ")).or_else(|| shown.find(&format!("{row} = ")))
    };
    assert!(place("z*") < place("*"), "{shown}");
}

#[test]
fn thresholds_of_a_probe_refine_the_global_ones() {
    let text = "[thresholds]\nfailures = 2\nrecheck = \"250ms\"\n\
                [[probe]]\nname = \"a\"\nthresholds = { successes = 7 }\ncheck.control = {}\n";
    let config = parse(text).unwrap();
    let expected = Thresholds {
        failures: 2,
        corroborated: 2,
        successes: 7,
        recheck: Duration::from_millis(250),
    };
    assert_eq!(config.probes[0].thresholds, expected);
    assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);
    assert!(config.warnings[0].contains("below one second"));
}

#[test]
fn fast_intervals_warn_once() {
    let text = "[[probe]]\nname = \"a\"\nevery = \"0.5s\"\ntimeout = \"100ms\"\ncheck.control = {}\n\
                [[probe]]\nname = \"b\"\nevery = \"200ms\"\ncheck.control = {}\n";
    let config = parse(text).unwrap();
    assert!(
        matches!(config.probes[0].schedule, Schedule::Every(every) if every == Duration::from_millis(500))
    );
    assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);
}

#[test]
fn a_written_control_list_empties_the_other_one() {
    let text = "[[probe]]\nname = \"c\"\ncheck.control = { dns = [{ name = \"example.com\", server = \"9.9.9.9\" }] }";
    let config = parse(text).unwrap();
    let CheckSpec::Control(control) = &config.probes[0].check else { panic!("a control") };
    assert!(control.https.is_empty());
    assert_eq!(control.dns[0].server, "9.9.9.9:53".parse().unwrap());
    assert!(
        config.warnings[0].contains("there is 1 target in `check.control`"),
        "{:?}",
        config.warnings
    );
}

#[test]
fn a_cron_schedule_is_read_in_the_configured_zone() {
    let text = "timezone = \"Europe/Berlin\"\n[[probe]]\nname = \"c\"\nschedule = \"0 30 9 * * Mon-Fri\"\ncheck.control = {}";
    let config = parse(text).unwrap();
    let Schedule::Cron(cron) = &config.probes[0].schedule else { panic!("a cron schedule") };
    let next = cron.next_after(super::now()).unwrap();
    assert_eq!(next.to_string(), "2026-11-23T08:30:00Z");
    assert_eq!(config.settings.probes[0].interval, Duration::from_hours(72));
}

#[test]
fn a_substitute_is_no_part_of_the_verdict() {
    let text = "[[probe]]\nname = \"k\"\ncheck.web = { url = \"https://www.kapwing.com\", replaces = [\"video_translation\"] }";
    let watch = parse(text).unwrap().settings.probes.remove(0);
    assert_eq!(watch.replaces, [Capability::VideoTranslation]);
    assert!(watch.capabilities.is_empty());
}

#[test]
fn substitutes_for_videos_and_for_dubbing_are_built_in_and_asked_every_ten_minutes() {
    let settings = parse("").unwrap().settings;
    let watch = settings.watch("Kapwing").unwrap();
    assert!(!watch.is_of_heygen());
    assert_eq!(watch.replaces, [C::VideoTranslation]);
    let page = settings.sources.iter().find(|source| source.name == "Synthesia").unwrap();
    assert_eq!(
        (page.role, &page.replaces[..]),
        (SourceRole::Alternative, &[C::VideoGeneration][..])
    );
    assert_eq!(settings.primary_sources().count(), 1);
    let every = [watch.interval, page.interval];
    assert_eq!(every, [Duration::from_mins(10); 2]);
    // Those of one's own are no more often asked.
    let mine = "[[probe]]\nname = \"k\"\ncheck.web = { url = \"https://k.example.org\", replaces = [\"speech\"] }\n\
                [[status_page]]\nname = \"s\"\nurl = \"https://s.example.org\"\nrole = \"alternative\"\nreplaces = [\"speech\"]\n";
    let settings = parse(mine).unwrap().settings;
    assert_eq!([settings.probes[0].interval, settings.sources[0].interval], every);
}

#[test]
fn a_capability_that_nothing_watches_is_worth_a_warning() {
    let page = "[[status_page]]\nname = \"p\"\nurl = \"https://a.example.org\"\n\
                components = { \"*\" = \"speech\" }\nincidents = {}\n";
    let config = parse(&format!("uses = [\"webhooks\", \"speech\", \"api\"]\n{page}")).unwrap();
    assert_eq!(
        config.warnings,
        ["`uses` names webhooks, but no probe and no status page tells of it"]
    );
    assert!(parse(page).unwrap().warnings.is_empty());
}

#[test]
fn an_open_listener_is_possible_when_it_is_meant() {
    let text = "[web]\nlisten = \"0.0.0.0:0\"\nallow_unauthenticated = true\nhosts = [\"Status.Example.org\"]\n";
    let config = parse(text).unwrap();
    assert_eq!(config.web.listen, "0.0.0.0:0".parse().unwrap());
    assert_eq!(config.web.hosts, ["status.example.org"]);
}

#[test]
fn what_is_shown_reads_back_as_the_same() {
    for text in ["", super::documented::EVERYTHING_BUT_SECRETS] {
        let config = parse_with(text, &[KEY]).unwrap();
        let shown = config::effective(&config).unwrap();
        assert!(!shown.contains(KEY.1), "{shown}");
        assert!(shown.contains("<secret>, from HEYGEN_API_KEY in the environment"), "{shown}");
        let again = parse_with(&shown, &[KEY]).unwrap_or_else(|error| panic!("{error}\n{shown}"));
        assert_eq!(format!("{:?}", again.settings), format!("{:?}", config.settings));
        assert_eq!(format!("{:?}", again.probes), format!("{:?}", config.probes));
        assert_eq!(format!("{:?}", again.web), format!("{:?}", config.web));
        assert_eq!(config::effective(&again).unwrap(), shown);
    }
}
