//! What the configuration says of jobs and money: what it comes to, and what is wrong where.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use heygen_monitor::config::{self, Config};
use heygen_monitor::engine::schedule::Schedule;
use heygen_monitor::engine::{
    BudgetRules, CanaryMode, CanaryRules, JobRules, JobsWatch, StageRules, Watch,
};
use heygen_monitor::model::{Capability as C, JobKind, Origin, Usd};
use heygen_monitor::probe::CheckSpec;
use heygen_monitor::probe::render::RenderSource;

use super::{is_shown, now, parse_with};

const KEY: (&str, &str) = ("HEYGEN_API_KEY", "sk-test-0123456789");
const SECRET: (&str, &str) = ("HEYGEN_WEBHOOK_SECRET", "whsec_0123456789");

fn parse(text: &str) -> Config {
    parse_with(text, &[KEY]).unwrap_or_else(|error| panic!("{error}"))
}

/// The only probe of a configuration whose check is `check`, with more keys of the probe before.
fn probe(more: &str, check: &str) -> Config {
    parse(&format!("[[probe]]\nname = \"p\"\n{more}\ncheck.{check}\n"))
}

fn watch(config: &Config) -> &Watch {
    &config.settings.probes[0]
}

fn canary(config: &Config) -> &CanaryRules {
    match &watch(config).jobs {
        JobsWatch::Canary(rules) => rules,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_alone_follows_the_accounts_jobs() {
    let config = parse("");
    let queue = config.settings.watch("queue").unwrap();
    assert_eq!(queue.capabilities, [C::VideoGeneration, C::VideoTranslation]);
    assert_eq!(queue.interval, Duration::from_mins(1));
    assert_eq!(queue.host, "api.heygen.com");
    let JobsWatch::Natural { kinds, max_silence, ignore_older_than } = &queue.jobs else {
        panic!("{:?}", queue.jobs)
    };
    assert_eq!(kinds, &JobKind::ALL);
    assert_eq!(*max_silence, Duration::from_hours(6));
    assert_eq!(*ignore_older_than, Duration::from_hours(24));
    assert!(!config.show_titles);
    assert_eq!(config.settings.concurrency, 10);
    assert_eq!(config.settings.jobs, JobRules::all_usual());
    assert_eq!(config.settings.budget, BudgetRules::default());
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn each_job_check_informs_its_own_capability_and_creates_at_its_own_path() {
    /// A check; its capability, path, looks, price in micro-dollars and hours of silence.
    type Row = (&'static str, C, &'static str, &'static [&'static str], i64, u64);
    let table: [Row; 7] = [
        (
            "render = { avatars = [\"a\", \"b\"] }",
            C::VideoGeneration,
            "/v3/videos",
            &["a", "b"],
            150_000,
            12,
        ),
        (
            "render = { avatars = [\"a\"], engine = \"avatar_iii\" }",
            C::VideoGeneration,
            "/v3/videos",
            &["a"],
            130_000,
            12,
        ),
        (
            "render = { template = \"t1\", price_usd = 0.5 }",
            C::VideoGeneration,
            "/v2/template/t1/generate",
            &[""],
            500_000,
            12,
        ),
        (
            "translation = { asset_id = \"as\" }",
            C::VideoTranslation,
            "/v3/video-translations",
            &["Spanish (Spain)"],
            170_000,
            24,
        ),
        (
            "translation = { asset_id = \"as\", audio_only = false, quality = \"precision\" }",
            C::VideoTranslation,
            "/v3/video-translations",
            &["Spanish (Spain)"],
            670_000,
            24,
        ),
        ("speech = { voice = \"v\" }", C::Speech, "/v3/voices/speech", &[""], 2_000, 1),
        (
            "speech = { voice = \"v\", path = \"/v3/models/audio/tts\", max_silence = \"3h\" }",
            C::Speech,
            "/v3/models/audio/tts",
            &[""],
            2_000,
            3,
        ),
    ];
    for (check, capability, path, looks, price, hours) in table {
        let config = probe("", check);
        let rules = canary(&config);
        assert_eq!(watch(&config).capabilities, [capability], "{check}");
        assert_eq!(rules.path, path, "{check}");
        assert_eq!(rules.looks, looks, "{check}");
        assert_eq!(rules.price, Usd(price), "{check}");
        assert_eq!(rules.max_silence, Duration::from_hours(hours), "{check}");
        assert_eq!(watch(&config).interval, rules.max_silence, "{check}");
        assert!(matches!(rules.mode, CanaryMode::Adaptive), "{check}");
    }
    let config = probe("", "render = { avatars = [\"a\"] }");
    let CheckSpec::Render(render) = &config.probes[0].check else { panic!("a render") };
    assert_eq!(render.source, RenderSource::Avatars(vec!["a".to_owned()]));
    assert_eq!((render.script.as_str(), render.resolution.as_str()), ("Hi.", "720p"));
    assert_eq!((&render.voice, &render.engine), (&None, &None));
}

#[test]
fn a_fixed_test_follows_its_schedule() {
    let config = probe("every = \"30h\"", "render = { avatars = [\"a\"], mode = \"fixed\" }");
    let rules = canary(&config);
    let thirty = Duration::from_hours(30);
    assert!(matches!(rules.mode, CanaryMode::Fixed(Schedule::Every(every)) if every == thirty));
    assert_eq!(rules.max_silence, thirty, "its result is evidence until the next one");
    let cron = "schedule = \"0 0 */6 * * *\"";
    let config = probe(cron, "speech = { voice = \"v\", mode = \"fixed\", max_silence = \"7h\" }");
    assert!(matches!(canary(&config).mode, CanaryMode::Fixed(Schedule::Cron(_))));
    assert_eq!(canary(&config).max_silence, Duration::from_hours(7));
}

#[test]
fn a_written_limit_holds_for_both_origins_and_the_others_stay() {
    let config = parse("[jobs.render]\nqueue_late = \"15m\"\npoll_max = \"20s\"\n");
    let rules = &config.settings.jobs[&JobKind::Video];
    let minutes = |floor, late, stuck| StageRules {
        floor: Duration::from_mins(floor),
        late: Duration::from_mins(late),
        stuck: Duration::from_mins(stuck),
    };
    let expected = BTreeMap::from([
        (Origin::Canary, minutes(3, 15, 20)),
        (Origin::Natural, minutes(5, 15, 40)),
    ]);
    assert_eq!(rules.queue, expected);
    assert_eq!(rules.processing, JobRules::usual(JobKind::Video).processing);
    assert_eq!(rules.poll_max, Duration::from_secs(20));
    let usual = JobRules::usual(JobKind::Translation);
    assert_eq!(config.settings.jobs[&JobKind::Translation], usual);
    let shown = config::effective(&config).unwrap();
    assert!(shown.contains("# jobs.render.queue_stuck = 20m for tests, 40m for your own jobs"));
    assert!(shown.contains("queue_late = \"15m\""), "{shown}");
}

#[test]
fn limits_of_seconds_are_possible_and_warned_of_once() {
    let text =
        "[jobs.render]\nqueue_floor = \"200ms\"\nqueue_late = \"500ms\"\nqueue_stuck = \"2s\"\n";
    let config = parse(text);
    assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);
    let rules = &config.settings.jobs[&JobKind::Video].queue[&Origin::Natural];
    assert_eq!(rules.late, Duration::from_millis(500));
}

#[test]
fn money_may_be_written_with_or_without_a_fraction() {
    let config = parse("[budget]\nusd_per_day = 2\nusd_per_month = 30.5\nreserve = { usd = 0 }\n");
    let budget = config.settings.budget;
    assert_eq!((budget.per_day, budget.per_month), (Usd(2_000_000), Usd(30_500_000)));
    assert_eq!(budget.reserve_usd, Usd::ZERO);
    assert!((budget.reserve_credits - 5.0).abs() < 1e-9);
}

/// The warnings of a budget and a list of checks.
fn warnings(budget: &str, checks: &[&str]) -> Vec<String> {
    let probes = checks.iter().enumerate();
    let probes = probes.map(|(i, check)| format!("[[probe]]\nname = \"p{i}\"\ncheck.{check}\n"));
    let control = "[[probe]]\nname = \"control\"\ncheck.control = {}\n";
    parse(&format!("{budget}\n{}{control}", probes.collect::<String>())).warnings
}

#[test]
fn what_goes_over_a_cap_is_said_before_it_is_spent() {
    const TWO: &str = "render = { avatars = [\"a\", \"b\"] }";
    assert_eq!(warnings("", &[TWO]), [""; 0]);
    let dear = "render = { avatars = [\"a\", \"b\"], max_silence = \"3h\" }";
    let said = warnings("", &[dear]);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("up to $1.20 a day, and `budget.usd_per_day` allows $1.00"));
    assert!(said[1].contains("up to $36.00 in 30 days, and `budget.usd_per_month` allows $20.00"));
    let said = warnings("budget = { usd_per_day = 0.1 }", &[TWO]);
    let never = "one test of `p0` costs $0.15, more than `budget.usd_per_day` ($0.10)";
    assert!(said.iter().any(|warning| warning.starts_with(never)), "{said:?}");
    let said = warnings("budget = { usd_per_day = 0 }", &[TWO]);
    assert_eq!(said, ["`budget.usd_per_day` is 0: no paid test will be sent"]);
    assert_eq!(warnings("budget = { usd_per_day = 0, canaries = false }", &[TWO]), [""; 0]);
    assert_eq!(warnings("budget = { usd_per_day = 0 }", &[]), [""; 0], "nothing is paid for");
}

#[test]
fn one_avatar_alone_cannot_tell_itself_from_all() {
    let one = "render = { avatars = [\"a\"] }";
    let said = warnings("", &[one]);
    assert!(said[0].contains("`avatar_specific`"), "{said:?}");
    assert_eq!(warnings("", &[one, "render = { avatars = [\"b\"] }"]), [""; 0]);
    assert_eq!(warnings("", &["render = { template = \"t\", price_usd = 0.1 }"]), [""; 0]);
}

#[test]
fn what_a_month_costs_is_reckoned_for_each_probe() {
    let text = "[[probe]]\nname = \"queue\"\ncheck.queue = { kinds = [\"video\"] }\n\
                [[probe]]\nname = \"video\"\ncheck.render = { avatars = [\"a\"] }\n\
                [[probe]]\nname = \"dub\"\ncheck.translation = { asset_id = \"as\" }\n\
                [[probe]]\nname = \"say\"\nschedule = \"0 0 */6 * * *\"\n\
                check.speech = { voice = \"v\", mode = \"fixed\" }\n";
    let config = parse(text);
    let spends = config::spends(&config.settings, now());
    let table: Vec<_> = spends
        .iter()
        .map(|one| (one.probe.as_str(), one.runs, one.most, one.usually, one.most_per_day))
        .collect();
    assert_eq!(
        table,
        [
            ("video", 60, Usd(9_000_000), Usd::ZERO, Usd(300_000)),
            ("dub", 30, Usd(5_100_000), Usd(5_100_000), Usd(170_000)),
            ("say", 120, Usd(240_000), Usd(240_000), Usd(8_000)),
        ]
    );
}

#[test]
fn the_webhook_secret_comes_from_one_place_and_is_never_shown() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("secret");
    std::fs::write(&file, "whsec_file_0123456789\n").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let with_file = format!(
        "[[probe]]\nname = \"w\"\ncheck.webhook = {{ listen = \"127.0.0.1:0\", secret_file = {file:?} }}\n"
    );
    let from_env = "[[probe]]\nname = \"w\"\ncheck.webhook = { listen = \"0.0.0.0:10044\" }\n";
    for (text, env, secret) in
        [(with_file.as_str(), KEY, "whsec_file_0123456789"), (from_env, SECRET, SECRET.1)]
    {
        let config = parse_with(text, &[env]).unwrap();
        let CheckSpec::Webhook(webhook) = &config.probes[0].check else { panic!("a webhook") };
        assert_eq!(webhook.secret.expose(), secret);
        assert_eq!(webhook.path, "/heygen");
        assert_eq!(watch(&config).capabilities, [C::Webhooks]);
        assert!(matches!(watch(&config).jobs, JobsWatch::Events));
        let shown = config::effective(&config).unwrap();
        assert!(!shown.contains("0123456789"), "{shown}");
        let again = parse_with(&shown, &[env]).unwrap_or_else(|error| panic!("{error}\n{shown}"));
        assert_eq!(config::effective(&again).unwrap(), shown);
        let is_open = config.warnings.iter().any(|warning| warning.contains("speaks TLS"));
        assert_eq!(is_open, text == from_env, "{:?}", config.warnings);
    }
    let error = parse_with(&with_file, &[SECRET]).unwrap_err();
    assert!(error.rendered.contains("the HeyGen webhook secret has two sources"), "{error}");
}

/// A check, more keys of its probe, and of the one problem: line:column, what is wrong, what to do.
type Bad = (&'static str, &'static str, &'static str, &'static str, &'static str);

const BAD: &[Bad] = &[
    ("render = {}", "", "4:7", "its subject is missing", "add one of `avatars`, `template`"),
    (
        "render = { avatars = [\"a\"], template = \"t\", price_usd = 1 }",
        "",
        "4:7",
        "`avatars` and `template` exclude each other",
        "keep one",
    ),
    ("render = { avatars = [] }", "", "4:28", "this list is empty", "name at least one"),
    ("render = { avatars = [\"a b\"] }", "", "4:29", "no id of HeyGen's", "/v3/avatars/looks"),
    ("render = { avatars = [\"a\", \"a\"] }", "", "4:34", "\"a\" stands twice", "name it once"),
    ("render = { avatar_id = \"a\" }", "", "4:18", "unknown key `avatar_id`", "`avatars`?"),
    ("render = { template = \"t\" }", "", "4:29", "price of a template is not known", "price_usd"),
    (
        "render = { avatars = [\"a\"], price_usd = 0 }",
        "",
        "4:47",
        "a price must be above zero",
        "what one test costs",
    ),
    (
        "render = { avatars = [\"a\"], price_usd = -0.5 }",
        "",
        "4:47",
        "must lie between 0 and 1000000",
        "correct it",
    ),
    (
        "render = { avatars = [\"a\"], price_usd = nan }",
        "",
        "4:47",
        "must lie between 0 and 1000000",
        "correct it",
    ),
    (
        "render = { avatars = [\"a\"], price_usd = \"0.15\" }",
        "",
        "4:47",
        "expected a number, found a text",
        "without quotation marks: 1.5",
    ),
    ("render = { avatars = [\"a\"], script = \" \" }", "", "4:44", "between 1 and 5000", "\"Hi.\""),
    (
        "render = { avatars = [\"a\"], engine = \"avatar_6\" }",
        "",
        "4:44",
        "unknown word \"avatar_6\"",
        "\"avatar_iii\", \"avatar_iv\", \"avatar_v\"",
    ),
    (
        "render = { avatars = [\"a\"], mode = \"fixed\" }",
        "",
        "4:42",
        "`mode = \"fixed\"` needs a schedule",
        "add `every = \"6h\"`",
    ),
    (
        "render = { avatars = [\"a\"] }",
        "every = \"6h\"",
        "3:1",
        "`every` means nothing for this check",
        "`mode = \"fixed\"`",
    ),
    (
        "speech = { voice = \"v\" }",
        "schedule = \"0 0 * * * *\"",
        "3:1",
        "`schedule` means nothing for this check",
        "`max_silence`",
    ),
    ("speech = {}", "", "4:7", "`voice` is missing", "voice id"),
    ("speech = { voice = \"v\", path = \"x\" }", "", "4:38", "begins with one slash", "path alone"),
    ("translation = {}", "", "4:7", "its subject is missing", "`video_url`, `asset_id`"),
    (
        "translation = { video_url = \"http://a.example.org/v.mp4\" }",
        "",
        "4:35",
        "plain http is refused",
        "write https",
    ),
    (
        "translation = { asset_id = \"a\", languages = [\"\"] }",
        "",
        "4:52",
        "no language of HeyGen's",
        "Spanish (Spain)",
    ),
    ("queue = { kinds = [] }", "", "4:25", "nothing would be followed", "leave the key out"),
    ("queue = { kinds = [\"film\"] }", "", "4:26", "unknown kind of job \"film\"", "\"video\""),
    ("queue = { exclude_titles = [\" \"] }", "", "4:35", "a title is empty", "with *"),
    ("queue = { max_requests = 0 }", "", "4:32", "between 1 and 1000", "default"),
    ("webhook = {}", "", "4:7", "`listen` is missing", "address and port"),
    (
        "webhook = { listen = \"127.0.0.1:1\" }",
        "",
        "4:7",
        "the HeyGen webhook secret is missing",
        "HEYGEN_WEBHOOK_SECRET",
    ),
    (
        "webhook = { listen = \"127.0.0.1:1\", secret = \"whsec_1\" }",
        "",
        "4:43",
        "`secret` is a secret and must not stand",
        "secret_file",
    ),
];

#[track_caller]
fn refused(text: &str, env: &[(&str, &str)], place: &str, message: &str, hint: &str) {
    is_shown(&parse_with(text, env).expect_err(text).rendered, place, message, hint);
}

#[test]
fn what_is_wrong_with_a_job_check_is_shown_where_it_stands() {
    for (check, more, place, message, hint) in BAD {
        let text = format!("[[probe]]\nname = \"p\"\n{more}\ncheck.{check}\n");
        refused(&text, &[KEY], place, message, hint);
    }
    for check in ["queue = {}", "render = { avatars = [\"a\"] }", "speech = { voice = \"v\" }"] {
        let text = format!("[[probe]]\nname = \"p\"\ncheck.{check}\n");
        refused(&text, &[], "3:1", "this probe needs a HeyGen API key", "HEYGEN_API_KEY");
    }
    let text = "[web]\nlisten = \"127.0.0.1:1\"\n[[probe]]\nname = \"w\"\ncheck.webhook = { listen = \"127.0.0.1:1\" }\n";
    refused(text, &[SECRET], "5:28", "something else listens on 127.0.0.1:1", "of their own");
    let text =
        "[[probe]]\nname = \"w\"\nevery = \"5m\"\ncheck.webhook = { listen = \"127.0.0.1:1\" }\n";
    refused(text, &[SECRET], "3:1", "`every` means nothing for this check", "by themselves");
}

#[test]
fn limits_and_caps_that_cannot_be_meant_are_refused() {
    let table = [
        (
            "[jobs.render]\nqueue_late = \"25m\"",
            "2:14",
            "`queue_late` (25m) is not below `queue_stuck` (20m) for tests",
            "write the other one too",
        ),
        (
            "[jobs.translation]\nprocessing_floor = \"50m\"",
            "2:20",
            "`processing_floor` (50m) is above `processing_late` (45m) for tests",
            "floor",
        ),
        (
            "[jobs.render]\nqueue_stuck = \"10m\"",
            "2:15",
            "`queue_late` (10m) is not below `queue_stuck` (10m) for tests",
            "write the other",
        ),
        (
            "[jobs.render]\npoll_min = \"1m\"",
            "2:12",
            "`poll_min` (1m) is above `poll_max` (30s)",
            "grows",
        ),
        ("[jobs.render]\nqueue_late = \"soon\"", "2:14", "\"soon\" is not a duration", "unit"),
        ("[jobs.speech]\nqueue_late = \"1m\"", "1:7", "unknown key `speech`", "`render`"),
        ("[budget]\nusd_per_day = -1", "2:15", "must lie between 0 and 1000000", "default"),
        ("[budget]\nusd_per_week = 1", "2:1", "unknown key `usd_per_week`", "usd_per_day"),
        ("[budget]\nreserve = 2.0", "2:11", "expected a table, found a number", "{ key"),
        ("[heygen]\nconcurrency = 0", "2:15", "between 1 and 100000", "default"),
        (
            "[heygen]\napi_version = \"v2\"",
            "2:15",
            "v1 and v2 ended on 2026-10-31",
            "begins with /v1/ or /v2/",
        ),
        ("[heygen]\napi_version = \"v4\"", "2:15", "unknown API version \"v4\"", "allowed: \"v3\""),
        ("show_titles = \"no\"", "1:15", "expected true or false", "without quotation"),
    ];
    for (text, place, message, hint) in table {
        refused(text, &[KEY], place, message, hint);
    }
}
