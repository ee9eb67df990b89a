//! Secrets: exactly one source each, and files that nobody else can read.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use heygen_monitor::config::{self, Config, ConfigError};
use heygen_monitor::notify::TargetSpec;
use heygen_monitor::web::AuthSpec;

use super::{now, surroundings};

const KEY: &str = "sk-file-0123456789";
const WEBHOOK: &str = "https://hooks.slack.com/services/T/B/XXXX";

/// A directory with a configuration, secret files and credentials.
struct Host {
    directory: tempfile::TempDir,
}

impl Host {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn file(self, name: &str, text: &str, mode: u32) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("a mode");
        self
    }

    fn load(&self, text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let credentials = self.path("credentials");
        let mut env = env.to_vec();
        env.push(("CREDENTIALS_DIRECTORY", credentials.to_str().expect("a path")));
        let file = self.path("config.toml");
        std::fs::write(&file, text).expect("a file");
        config::load(Some(&file), &surroundings(&env), now())
    }

    fn refused(&self, text: &str, env: &[(&str, &str)]) -> String {
        let error = self.load(text, env).expect_err("a problem");
        assert!(!error.rendered.contains("0123456789"), "{error}");
        assert!(!error.rendered.contains("/T/B/"), "{error}");
        error.rendered
    }
}

const KEY_FILE: &str = "[heygen]\napi_key_file = \"secrets/key\"\n";

fn key(config: &Config) -> &str {
    config.heygen.api_key.as_ref().expect("a key").expose()
}

#[test]
fn the_key_comes_from_a_file_a_credential_or_the_environment() {
    let from_file = Host::new().file("secrets/key", &format!("{KEY}\n"), 0o600);
    let config = from_file.load(KEY_FILE, &[]).unwrap();
    assert_eq!(key(&config), KEY);
    assert!(config.secrets[0].from.ends_with("secrets/key"));
    let shown = config::effective(&config).unwrap();
    assert!(!shown.contains(KEY) && shown.contains("api_key_file = "), "{shown}");
    assert_eq!(config.redactor.redact(KEY), "***");

    // A credential is mounted for the service alone: its mode is systemd's business.
    let credential = Host::new().file("credentials/heygen_api_key", KEY, 0o644);
    let config = credential.load("", &[]).unwrap();
    assert_eq!(key(&config), KEY);
    assert_eq!(config.secrets[0].from, "$CREDENTIALS_DIRECTORY/heygen_api_key");
    let named = "[heygen]\napi_key_file = \"credentials/heygen_api_key\"\n";
    assert_eq!(key(&credential.load(named, &[]).unwrap()), KEY, "the same file is one source");

    let config = Host::new().load("", &[("HEYGEN_API_KEY", KEY)]).unwrap();
    assert_eq!(key(&config), KEY);
    let config = Host::new().load("", &[("HEYGEN_API_KEY", " ")]).unwrap();
    assert!(config.heygen.api_key.is_none(), "a blank variable is none");
}

#[test]
fn two_sources_are_refused_and_both_named() {
    let host =
        Host::new().file("secrets/key", KEY, 0o600).file("credentials/heygen_api_key", KEY, 0o600);
    let env = [("HEYGEN_API_KEY", KEY)];
    let shown = host.refused(KEY_FILE, &env);
    for source in ["secrets/key", "$CREDENTIALS_DIRECTORY/heygen_api_key", "HEYGEN_API_KEY in"] {
        assert!(shown.contains(source), "{shown}");
    }
    assert!(shown.contains("config.toml:2:16"), "{shown}");
    let shown = host.refused("", &env);
    assert!(
        shown.contains("has two sources: $CREDENTIALS_DIRECTORY/heygen_api_key and"),
        "{shown}"
    );
}

#[test]
fn a_bad_key_file_says_what_to_do() {
    let table: [(&str, Host, &str, &str); 5] = [
        ("missing", Host::new(), "is missing: ", "mode 600"),
        ("empty", Host::new().file("secrets/key", "\n", 0o600), "is empty: ", "write the secret"),
        (
            "open",
            Host::new().file("secrets/key", KEY, 0o640),
            "can be read by others (mode 640)",
            "chmod 600 ",
        ),
        (
            "two lines",
            Host::new().file("secrets/key", "sk-0123456789\nsk-0123456789", 0o600),
            "has more than one line",
            "alone",
        ),
        (
            "directory",
            Host::new().file("secrets/key/x", KEY, 0o600),
            "is a directory",
            "name the file in it",
        ),
    ];
    for (name, host, message, hint) in table {
        let shown = host.refused(KEY_FILE, &[]);
        assert!(shown.contains(message) && shown.contains(hint), "{name}: {shown}");
        assert!(shown.contains("config.toml:2:16"), "{name}: {shown}");
        assert!(shown.contains("1 problem in "), "{name}: {shown}");
    }
}

#[test]
fn an_unreadable_key_is_not_a_missing_one_too() {
    let probe = "[[probe]]\nname = \"a\"\ncheck.api = { path = \"/v3/users/me\" }\n";
    let shown = Host::new().refused(&format!("{KEY_FILE}{probe}"), &[]);
    assert!(shown.contains("1 problem in "), "{shown}");
}

fn webhook(target: &TargetSpec) -> &str {
    match target {
        TargetSpec::Slack(slack) => slack.webhook_url.expose(),
        other => panic!("{other:?}"),
    }
}

fn webhooks(config: &Config) -> Vec<(&str, &str)> {
    config
        .channels
        .iter()
        .map(|channel| (channel.name.as_str(), webhook(&channel.target)))
        .collect()
}

#[test]
fn the_slack_webhook_comes_from_one_place_too() {
    let env = [("SLACK_WEBHOOK_URL", WEBHOOK)];
    let claimed = "[[channel]]\nname = \"team\"\nslack = {}\n";
    let config = Host::new().load(claimed, &env).unwrap();
    assert_eq!(webhooks(&config), [("team", WEBHOOK)]);

    let other = "https://hooks.slack.com/services/T/B/YYYY";
    let host = Host::new().file("hook", other, 0o600);
    let named = "[[channel]]\nname = \"team\"\nslack = { webhook_url_file = \"hook\" }\n";
    let config = host.load(named, &env).unwrap();
    assert_eq!(webhooks(&config), [("team", other), ("slack", WEBHOOK)]);

    let same = named.replace("team", "slack");
    assert!(host.refused(&same, &env).contains("the Slack webhook has two sources"));

    let host = Host::new().file("credentials/slack_webhook_url", WEBHOOK, 0o400);
    assert_eq!(webhooks(&host.load("", &[]).unwrap()), [("slack", WEBHOOK)]);

    let shown = Host::new().refused("", &[("SLACK_WEBHOOK_URL", "hooks.slack.com/T/B/x")]);
    assert!(shown.contains("this is not a URL"), "{shown}");
}

#[test]
fn the_smtp_password_comes_from_one_place_too() {
    let mail = |login: &str| {
        format!(
            "[[channel]]\nname = \"mail\"\nemail = {{ from = \"a@example.org\", to = [\"b@example.org\"], \
             smtp = {{ host = \"smtp.example.org\", {login} }} }}\n"
        )
    };
    let password = |config: &Config| match &config.channels[0].target {
        TargetSpec::Email(email) => {
            email.smtp.login.clone().map(|(_, password)| password.expose().to_owned())
        }
        other => panic!("{other:?}"),
    };
    let host = Host::new().file("pass", "pw-0123456789", 0o600);
    let in_file = mail("username = \"u\", password_file = \"pass\"");
    let config = host.load(&in_file, &[]).unwrap();
    assert_eq!(password(&config).as_deref(), Some("pw-0123456789"));
    let env = [("SMTP_PASSWORD", "pw-env-0123456789")];
    assert!(host.refused(&in_file, &env).contains("the SMTP password has two sources"));
    let config = host.load(&mail("username = \"u\""), &env).unwrap();
    assert_eq!(password(&config).as_deref(), Some("pw-env-0123456789"));
    assert!(!config::effective(&config).unwrap().contains("0123456789"));
    let shown = host.refused(&mail("password_file = \"pass\""), &[]);
    assert!(shown.contains("a password without a user name"), "{shown}");
}

#[test]
fn relative_paths_are_relative_to_the_file() {
    let host = Host::new().file("secrets/key", KEY, 0o600);
    let config = host.load("[storage]\npath = \"state/history.db\"\n", &[]).unwrap();
    assert_eq!(config.storage.path, host.path("state/history.db"));
    assert_eq!(config.file.as_deref(), Some(host.path("config.toml").as_path()));
    assert!(Path::new(&host.path("secrets/key")).exists());
}

const OPEN: &str = "[web]\nlisten = \"0.0.0.0:0\"\n";
const TOKEN_FILE: &str = "[web]\nlisten = \"0.0.0.0:0\"\nauth.bearer_file = \"token\"\n";
const PASSWORDS_FILE: &str = "[web]\nauth = { basic_file = \"passwords\" }\n";

/// Of `secret`, as `htpasswd -nB` writes it.
const HASH: &str = "$2y$05$BINk1VhM3RzIWMxFDLrgn.QlhMG6YdVMeYnWm1s/mWDRxLSMNvTK6";

#[test]
fn whoever_asks_readers_may_listen_everywhere() {
    let host = Host::new().file("token", "0123456789abcdef0123456789abcdef\n", 0o600);
    assert!(host.refused(OPEN, &[]).contains("others could reach"));
    let config = host.load(TOKEN_FILE, &[]).unwrap();
    let Some(AuthSpec::Bearer(token)) = &config.web.auth else { panic!("{:?}", config.web) };
    assert_eq!(token.expose(), "0123456789abcdef0123456789abcdef");
    assert!(!format!("{config:?}").contains("0123456789abcdef"));
    let shown = config::effective(&config).unwrap();
    assert!(shown.contains("token") && !shown.contains("0123456789"), "{shown}");
    assert_eq!(config.redactor.redact("x 0123456789abcdef0123456789abcdef"), "x ***");
}

#[test]
fn a_token_is_guarded_and_long() {
    let refused = |text: &str, mode| Host::new().file("token", text, mode).refused(TOKEN_FILE, &[]);
    assert!(refused("0123456789abcdef0123456789abcdef", 0o644).contains("mode 644"));
    assert!(refused("short", 0o600).contains("openssl rand"));
    assert!(refused("with a space 0123456789", 0o600).contains("plain characters"));
    assert!(Host::new().refused(TOKEN_FILE, &[]).contains("is missing"));
}

#[test]
fn passwords_are_bcrypt_hashes_one_user_a_line() {
    let text = format!("# who may read\n\nanna:{HASH}\n  bert:{HASH}\n");
    let config = Host::new().file("passwords", &text, 0o600).load(PASSWORDS_FILE, &[]).unwrap();
    let Some(AuthSpec::Basic(passwords)) = &config.web.auth else { panic!("{:?}", config.web) };
    let users: Vec<_> = passwords.iter().map(|one| one.user.as_str()).collect();
    assert_eq!(users, ["anna", "bert"]);
    assert!(!format!("{config:?}").contains("$2y$"));
    let costly = HASH.replace("$05$", "$16$");
    for (text, told) in [
        ("# nobody\n".to_owned(), "name nobody"),
        ("anna\n".to_owned(), "line 1 of the passwords of `web.auth` has no colon"),
        (
            "anna:0123456789\n".to_owned(),
            "line 1 of the passwords of `web.auth` holds no bcrypt hash",
        ),
        (format!("\n:{HASH}\n"), "line 2 of the passwords of `web.auth` names no user"),
        (format!("anna:{HASH}\nanna:{HASH}\n"), "line 2"),
        (format!("anna:{costly}\n"), "cost above 14"),
    ] {
        let refused = Host::new().file("passwords", &text, 0o600).refused(PASSWORDS_FILE, &[]);
        assert!(refused.contains(told) && refused.contains("htpasswd"), "{told}: {refused}");
        assert!(!refused.contains("$2y$"), "{refused}");
    }
}
