//! The channels that are services: each with all it needs, its secret from one place.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use heygen_monitor::config::{self, Config, ConfigError};
use heygen_monitor::notify::TargetSpec;

use super::{now, surroundings};

const ALL: &str = r##"
[[channel]]
name = "bot"
slack = { token_file = "secrets/token", channel = "#video" }
[[channel]]
name = "hook"
webhook = { url_file = "secrets/url", secret_file = "secrets/sign" }
[[channel]]
name = "alerts"
alertmanager = { urls = ["http://127.0.0.1:9093", "https://am.example.org/prefix"] }
[[channel]]
name = "pager"
pagerduty = { routing_key_file = "secrets/key" }
[[channel]]
name = "phone"
ntfy = { url = "https://ntfy.sh", topic = "heygen-alerts", token_file = "secrets/ntfy" }
"##;

fn load(directory: &Path, text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let secrets = directory.join("secrets");
    std::fs::create_dir_all(&secrets).unwrap();
    for (name, secret) in [
        ("token", "xoxb-0123456789"),
        ("url", "https://hooks.example.org/0123456789"),
        ("sign", "whsec-0123456789"),
        ("key", "R0UT1NG0123456789"),
        ("ntfy", "tk_0123456789"),
    ] {
        std::fs::write(secrets.join(name), secret).unwrap();
        std::fs::set_permissions(secrets.join(name), PermissionsExt::from_mode(0o600)).unwrap();
    }
    let file = directory.join("config.toml");
    std::fs::write(&file, text).unwrap();
    config::load(Some(&file), &surroundings(env), now())
}

fn parse(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    load(tempfile::tempdir().unwrap().path(), text, env)
}

fn refused(text: &str, env: &[(&str, &str)]) -> String {
    let error = parse(text, env).expect_err(text);
    assert!(!error.rendered.contains("0123456789"), "{error}");
    error.rendered
}

#[test]
fn every_kind_is_read_and_shown_as_it_was_written_without_its_secret() {
    let directory = tempfile::tempdir().unwrap();
    let config = load(directory.path(), ALL, &[]).unwrap();
    let kinds: Vec<_> = config.channels.iter().map(|one| one.kind().as_str()).collect();
    assert_eq!(kinds, ["slack", "webhook", "alertmanager", "pagerduty", "ntfy"]);
    let TargetSpec::SlackBot(bot) = &config.channels[0].target else { panic!() };
    assert_eq!((bot.channel.as_str(), bot.api.as_str()), ("#video", "https://slack.com/api/"));
    let TargetSpec::Pagerduty(pager) = &config.channels[3].target else { panic!() };
    assert_eq!(pager.events.as_str(), "https://events.pagerduty.com/v2/enqueue");

    let shown = config::effective(&config).unwrap();
    assert!(!shown.contains("0123456789"), "{shown}");
    let again = load(directory.path(), &shown, &[]).unwrap();
    assert_eq!(config::effective(&again).unwrap(), shown);
    let targets = |config: &Config| format!("{:?}", config.channels);
    assert_eq!(targets(&again), targets(&config));
}

#[test]
fn secrets_come_from_the_environment_too_but_not_twice() {
    let bot = "[[channel]]\nname = \"bot\"\nslack = { channel = \"C042\" }\n";
    let token = ("SLACK_BOT_TOKEN", "xoxb-0123456789");
    assert!(refused(bot, &[]).contains("the Slack bot token is missing"));
    assert_eq!(parse(bot, &[token]).unwrap().channels.len(), 1);
    let hook = "[[channel]]\nname = \"hook\"\nwebhook = {}\n";
    let url = ("WEBHOOK_URL", "https://hooks.example.org/0123456789");
    let config = parse(hook, &[url, ("WEBHOOK_SECRET", "whsec-0123456789")]).unwrap();
    let TargetSpec::Webhook(target) = &config.channels[0].target else { panic!() };
    assert!(target.secret.is_some());
    let config = parse(hook, &[url]).unwrap();
    let TargetSpec::Webhook(target) = &config.channels[0].target else { panic!() };
    assert!(target.secret.is_none(), "unsigned where there is no secret");
    for (name, value, label) in [
        ("SLACK_BOT_TOKEN", "xoxb-other", "the Slack bot token"),
        ("WEBHOOK_URL", "https://hooks.example.org/other", "the webhook's address"),
        ("WEBHOOK_SECRET", "whsec-other", "the webhook's secret"),
        ("PAGERDUTY_ROUTING_KEY", "R0UT1NG-other", "the PagerDuty routing key"),
        ("NTFY_TOKEN", "tk_other", "the ntfy token"),
    ] {
        let shown = refused(ALL, &[(name, value)]);
        assert!(shown.contains(&format!("{label} has two sources")), "{shown}");
        assert!(shown.contains("1 problem in "), "{shown}");
    }
}

#[test]
fn a_bot_and_a_webhook_of_slack_live_side_by_side_but_not_in_one_channel() {
    let env = [("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/T/B/0123456789")];
    let names: Vec<_> =
        parse(ALL, &env).unwrap().channels.into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["bot", "hook", "alerts", "pager", "phone", "slack"]);
    let both = "[[channel]]\nname = \"s\"\nslack = { webhook_url_file = \"secrets/url\", channel = \"#a\" }\n";
    assert!(refused(both, &env).contains("two ways to write to Slack"));
    let nowhere = "[[channel]]\nname = \"s\"\nslack = { token_file = \"secrets/token\" }\n";
    assert!(refused(nowhere, &[]).contains("says nothing about where to write"));
}

#[test]
fn what_cannot_work_is_refused_where_it_stands() {
    let channel = |kind: &str| format!("[[channel]]\nname = \"x\"\n{kind}\n");
    for (kind, message) in [
        ("alertmanager = { urls = [] }", "these alerts would go to nobody"),
        ("alertmanager = { urls = [\"http://am.example.org\"] }", "plain http is refused"),
        ("alertmanager = {}", "`urls` is missing"),
        ("ntfy = { url = \"https://ntfy.sh\" }", "`topic` is missing"),
        ("ntfy = { url = \"https://ntfy.sh\", topic = \"a b\" }", "is not a topic of ntfy"),
        ("pagerduty = { routing_key = \"R0UT1NG0123456789\" }", "is a secret and must not stand"),
        ("webhook = { url = \"https://a.example.org/0123456789\" }", "is a secret and must not"),
        ("webhook = { url_file = \"secrets/sign\" }", "this is not a URL"),
    ] {
        let shown = refused(&channel(kind), &[]);
        assert!(shown.contains(message), "{kind}\n{shown}");
    }
}
