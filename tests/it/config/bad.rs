//! Bad configurations: each says what is wrong, where, and what to do.

use proptest::prelude::*;

use super::{is_shown, parse, parse_with};

/// Text, and of every problem in it: line:column, what is wrong, what to do.
type Bad = (&'static str, &'static [(&'static str, &'static str, &'static str)]);

const SHAPE: &[Bad] = &[
    ("vantag = \"x\"", &[("1:1", "unknown key `vantag`", "did you mean `vantage`?")]),
    (
        "bananas = 1",
        &[("1:1", "unknown key `bananas`", "known keys here: `budget`, `channel`, `heartbeat`")],
    ),
    ("vantage = 5", &[("1:11", "expected a text, found a number", "between quotation marks")]),
    ("vantage = [\"a\"]", &[("1:11", "expected a text, found a list", "only one value")]),
    ("vantage = 1979-05-27", &[("1:11", "found a date or time", "quotation marks")]),
    ("heygen = \"x\"", &[("1:10", "expected a table, found a text", "under a [header]")]),
    ("uses = \"api\"", &[("1:8", "expected a list, found a text", "between [ and ]")]),
    (
        "uses = [\"vidoe_generation\"]",
        &[(
            "1:9",
            "unknown capability \"vidoe_generation\"",
            "did you mean \"video_generation\"? allowed",
        )],
    ),
    ("[web]\nhosts = [1, \"a\"]", &[("2:10", "expected a text, found a number", "quotation")]),
    (
        "[web]\nallow_unauthenticated = \"yes\"",
        &[("2:25", "expected true or false, found a text", "without quotation marks")],
    ),
    ("[thresholds]\nfailures = 0", &[("2:12", "must lie between 1 and 1000", "default")]),
    (
        "[thresholds]\nfailures = 99999999999999999999",
        &[("2:12", "must lie between 1 and 1000", "default")],
    ),
    (
        "[thresholds]\nfailures = 2.5",
        &[("2:12", "expected a whole number, found a number with a fraction", "whole")],
    ),
    ("[thresholds]\nrecheck = 10", &[("2:11", "expected a duration, found a number", "\"10s\"")]),
    ("[probe]\nname = \"a\"", &[("1:1", "expected a list, found a table", "twice bracketed")]),
    ("[[probe]]\ncheck.control = {}", &[("1:1", "`name` is missing", "add `name = …`")]),
    ("[[probe]]\nname = \"a\"", &[("1:1", "`check` is missing", "exactly one of `api`")]),
    (
        "[[probe]]\nname = \"a\"\ninterval = \"5s\"\ncheck.control = {}",
        &[("3:1", "unknown key `interval`", "did you mean `every`?")],
    ),
    (
        "[[probe]]\nname = \"a\"\ncheck = {}",
        &[("3:1", "its kind is missing", "`api`, `submit`, `web`, `control`")],
    ),
    (
        "[[probe]]\nname = \"a\"\ncheck = { control = {}, web = { url = \"https://a.example.org\" } }",
        &[("3:1", "`web` and `control` exclude each other", "keep one")],
    ),
    (
        "[[probe]]\nname = \"a\"\ncheck.contrl = {}",
        &[("3:7", "unknown key `contrl`", "did you mean `control`?")],
    ),
    (
        "[[status_page]]\nname = \"a\"\nurl = 5",
        &[("3:7", "expected a text or a list, found a number", "quotation marks")],
    ),
    (
        "[[status_page]]\nname = \"a\"\nurl = \"https://a.example.org\"\nrole = \"secondary\"",
        &[("4:8", "unknown role \"secondary\"", "\"primary\", \"alternative\", \"peer\"")],
    ),
    (
        "[[status_page]]\nname = \"a\"\nurl = \"https://a.example.org\"\n[status_page.components]\n\"x\" = \"videos\"",
        &[("5:7", "unknown capability \"videos\"", "allowed: ")],
    ),
    ("[[channel]]\nname = \"a\"", &[("1:1", "its kind is missing", "add one of `email`")]),
];

const MEANING: &[Bad] = &[
    (
        "timezone = \"Mars/Olympus\"",
        &[("1:12", "unknown time zone \"Mars/Olympus\"", "\"Europe/Berlin\"")],
    ),
    ("uses = []", &[("1:8", "names no capability", "remove the key")]),
    ("vantage = \" \"", &[("1:11", "a name must neither be empty", "short")]),
    ("vantage = \"a\\u202eb\"", &[("1:11", "none that is not seen", "short")]),
    ("proxy = \"proxy.example.org\"", &[("1:9", "this is not a URL", "in full")]),
    (
        "proxy = \"http://me:hunter22@proxy.example.org\"",
        &[("1:9", "user name or a password", "before the @")],
    ),
    (
        "[heygen]\nbase_url = \"http://api.heygen.com\"",
        &[("2:12", "plain http is refused", "write https")],
    ),
    (
        "[heygen]\nbase_url = \"http://localhost:1\"",
        &[("2:12", "plain http is refused", "http://127.0.0.1:8080")],
    ),
    (
        "[heygen]\nbase_url = \"https://10.1.2.3\"",
        &[("2:12", "private and link-local", "public host name")],
    ),
    ("[storage]\npath = \"/tmp\"", &[("2:8", "names a directory", "history.db")]),
    (
        "[storage.retention]\nobservations = \"soon\"",
        &[("2:16", "\"soon\" is not a duration", "\"90d\"")],
    ),
    ("[thresholds]\nrecheck = \"0s\"", &[("2:11", "longer than zero", "unit")]),
    ("[thresholds]\nrecheck = \"-5s\"", &[("2:11", "longer than zero", "unit")]),
    (
        "[thresholds]\nfailures = 2\ncorroborated = 3",
        &[("3:16", "`corroborated` (3) is above `failures` (2)", "fewer")],
    ),
    (
        "[web]\nlisten = \"localhost:80\"",
        &[("2:10", "not an address and a port", "127.0.0.1:10043")],
    ),
    (
        "[web]\nlisten = \"0.0.0.0:80\"",
        &[("2:10", "others could reach this address", "allow_unauthenticated")],
    ),
    ("[web]\nauth = {}", &[("2:1", "its kind is missing", "`bearer_file`")]),
    (
        "[web]\nauth = { bearer_file = \"a\", basic_file = \"b\" }",
        &[("2:1", "exclude each other", "keep one")],
    ),
    (
        "[web]\nhosts = [\"a.example.org\", \"https://b\"]",
        &[("2:27", "not a host name", "without scheme")],
    ),
    (
        "[web.brand]\nlogo_file = \"logo.gif\"",
        &[("2:13", "no picture that we serve", ".svg or .png")],
    ),
    (
        "[web.brand]\nlogo_file = \"no/such/logo.svg\"",
        &[("2:13", "cannot read", "this user may read")],
    ),
    (
        "[web.brand]\nlinks = [{ text = \"Runbook\", url = \"wiki\" }]",
        &[("2:36", "not a URL", "write it in full")],
    ),
    (
        "[[probe]]\nname = \"a\"\nevery = \"10s\"\ntimeout = \"10s\"\ncheck.control = {}",
        &[("4:11", "`timeout` (10s) is not below `every` (10s)", "ended before")],
    ),
    (
        "[[probe]]\nname = \"a\"\nevery = \"10s\"\nschedule = \"0 0 * * * *\"\ncheck.control = {}",
        &[("4:1", "`every` and `schedule` exclude each other", "keep one")],
    ),
    (
        "[[probe]]\nname = \"a\"\nschedule = \"0 0 25 * * *\"\ncheck.control = {}",
        &[("3:12", "is not a cron expression", "six fields")],
    ),
    (
        "[[probe]]\nname = \"a\"\nschedule = \"0 0 0 31 2 *\"\ncheck.control = {}",
        &[("3:12", "never fires", "six fields")],
    ),
    (
        "[[probe]]\nname = \"a\"\nschedule = \"0 0 0 * * 1\"\ncheck.control = {}",
        &[("3:12", "weekday", "by name")],
    ),
    (
        "[[probe]]\nname = \"a\"\ncheck.control = {}\n[[probe]]\nname = \"A\"\ncheck.control = {}",
        &[("5:8", "of the name \"A\" exists already", "choose another")],
    ),
    (
        "[[probe]]\nname = \"heygen\"\ncheck.control = {}\n[[status_page]]\nname = \"heygen\"\nurl = \"https://a.example.org\"",
        &[("5:8", "of the name \"heygen\" exists already", "choose another")],
    ),
    (
        "[[probe]]\nname = \"a\"\ncheck.api = { path = \"/v3/x\" }",
        &[("3:1", "needs a HeyGen API key", "HEYGEN_API_KEY")],
    ),
    (
        "[[probe]]\nname = \"a\"\ncheck.submit = {}",
        &[("3:1", "needs a HeyGen API key", "HEYGEN_API_KEY")],
    ),
    (
        "[[probe]]\nname = \"a\"\ncheck.api = { path = \"//evil.example.org\", anonymous = true }",
        &[("3:22", "begins with one slash", "\"/v3/users/me\"")],
    ),
    (
        "[[probe]]\nname = \"a\"\ncheck.web = { url = \"https://a.example.org\", status = [20] }",
        &[("3:56", "must lie between 100 and 599", "correct it")],
    ),
    (
        "[[probe]]\nname = \"a\"\ncapabilities = [\"api\"]\ncheck.control = {}",
        &[("3:1", "a control informs no capability", "remove the key")],
    ),
    (
        "[[probe]]\nname = \"a\"\ncheck.control = { https = [] }",
        &[("3:17", "no target", "leave both lists out")],
    ),
    (
        "[[probe]]\nname = \"a\"\ncheck.control = { dns = [{ name = \"example.com\", server = \"dns.google\" }] }",
        &[("3:59", "given by its IP address", "\"1.1.1.1:53\"")],
    ),
    (
        "[[status_page]]\nname = \"a\"\nurl = []",
        &[("3:7", "no page would be read", "at least one")],
    ),
    (
        "[[status_page]]\nname = \"a\"\nurl = \"https://a.example.org\"\nrole = \"alternative\"",
        &[("1:1", "without `replaces` helps nobody", "replaces = [")],
    ),
    (
        "[[status_page]]\nname = \"a\"\nurl = \"https://a.example.org\"\nreplaces = [\"api\"]",
        &[("4:1", "a primary page replaces nothing", "role = \"alternative\"")],
    ),
    (
        "[[status_page]]\nname = \"a\"\nurl = \"https://a.example.org\"\nhtml = { component = \"..\", name = \"b\", state = \"i\" }",
        &[("4:22", "not a CSS selector", "querySelectorAll")],
    ),
    (
        "[[channel]]\nname = \"c\"\nslack = {}",
        &[("3:1", "the Slack webhook is missing", "SLACK_WEBHOOK_URL")],
    ),
    (
        "[[channel]]\nname = \"c\"\nemail = { from = \"nobody\", to = [\"a@example.org, b@example.org\"], smtp = { host = \"127.0.0.1\" } }",
        &[
            ("3:18", "\"nobody\" is not an e-mail address", "one address"),
            ("3:34", "is not an e-mail address", "one address"),
        ],
    ),
    (
        "[[channel]]\nname = \"c\"\nemail = { from = \"a@example.org\", to = [], smtp = { host = \"smtp.example.org\", tls = \"none\" } }",
        &[
            ("3:40", "would go to nobody", "at least one"),
            ("3:86", "without TLS", "127.0.0.1 and ::1"),
        ],
    ),
    (
        "[[channel]]\nname = \"c\"\nemail = { from = \"a@example.org\", to = [\"a@example.org\"], smtp = { host = \"a b\", username = \"u\" } }",
        &[
            ("3:75", "not a host name", "alone"),
            ("3:93", "the SMTP password is missing", "password_file"),
        ],
    ),
];

fn check(table: &[Bad]) {
    for (text, problems) in table {
        let error = parse(text).expect_err(text);
        let shown = &error.rendered;
        assert_eq!(error.problems, problems.len(), "{text}\n{shown}");
        for (place, message, hint) in *problems {
            is_shown(shown, place, message, hint);
        }
        let noun = if problems.len() == 1 { "problem" } else { "problems" };
        let last = format!("\n{} {noun} in /etc/hm/config.toml", problems.len());
        assert!(shown.ends_with(&last), "{shown}");
    }
}

#[test]
fn a_wrong_shape_is_shown_where_it_stands() {
    check(SHAPE);
}

#[test]
fn a_wrong_meaning_is_shown_where_it_stands() {
    check(MEANING);
}

#[test]
fn all_problems_come_at_once_and_look_like_this() {
    let text = "timezone = \"Mars/Olympus\"\n\n[[probe]]\nname = \"a\"\nevry = \"5s\"\ncheck.api = { path = \"users\", anonymous = true }\n";
    let expected = "\
error: unknown time zone \"Mars/Olympus\"
 --> /etc/hm/config.toml:1:12
  |
1 | timezone = \"Mars/Olympus\"
  |            ^^^^^^^^^^^^^^
  |
  = hint: write an IANA name such as \"Europe/Berlin\" or \"UTC\", or \"system\"

error: unknown key `evry`
 --> /etc/hm/config.toml:5:1
  |
5 | evry = \"5s\"
  | ^^^^
  |
  = hint: did you mean `every`?

error: a path begins with one slash
 --> /etc/hm/config.toml:6:22
  |
6 | check.api = { path = \"users\", anonymous = true }
  |                      ^^^^^^^
  |
  = hint: write the path alone, such as \"/v3/users/me\"

3 problems in /etc/hm/config.toml";
    assert_eq!(parse(text).unwrap_err().rendered, expected);
}

#[test]
fn a_caret_stands_below_what_it_means_whatever_stands_before_it() {
    let text = "[web]\r\n\tlisten = \"x\"\r\nhosts = [\"日本語\", \"/\"]\r\n";
    let shown = parse(text).unwrap_err().rendered;
    for lines in [
        "2 |     listen = \"x\"\n  |              ^^^\n",
        "3 | hosts = [\"日本語\", \"/\"]\n  |          ^^^^^^^^\n",
        "3 | hosts = [\"日本語\", \"/\"]\n  |                    ^^^\n",
    ] {
        assert!(shown.contains(lines), "{shown}");
    }
}

#[test]
fn a_syntax_error_looks_the_same() {
    for (text, place) in [
        ("vantage = fra-1", "1:11"),
        ("[heygen\n", "1:8"),
        ("a = 1\na = 2\n", "2:1"),
        ("vantage = \"x", "1:"),
    ] {
        let error = parse(text).expect_err(text);
        assert!(error.rendered.contains("error: this is not TOML: "), "{error}");
        assert!(error.rendered.contains(&format!("config.toml:{place}")), "{error}");
        assert!(error.rendered.contains("= hint: "), "{error}");
    }
}

#[test]
fn no_secret_that_stands_in_the_file_is_shown() {
    let text = "[heygen]\napi_key = \"sk-very-secret\"\nbase_url = \"https://u:sk-very-secret@api.heygen.com\"\n\
                [[channel]]\nname = \"s\"\nslack = { webhook_url = \"https://hooks.slack.com/sk-very-secret\" }\n\
                [[channel]]\nname = \"e\"\nemail = { from = 1, smtp = { password = \"sk-very-secret\" } }\n";
    let error = parse(text).unwrap_err();
    assert!(!error.rendered.contains("secret\""), "{error}");
    assert!(!error.rendered.contains("sk-very"), "{error}");
    let heartbeat = parse("[heartbeat]\nurl = \"https://hc-ping.example.org/x\"\n").unwrap_err();
    assert!(heartbeat.rendered.contains("or set HEARTBEAT_URL in the env"), "{heartbeat}");
    for hint in ["`api_key_file = ", "`webhook_url_file = ", "`password_file = "] {
        assert!(error.rendered.contains(hint), "{error}");
    }
    for text in [
        "[heygen]\napi_key = sk-very-secret\n",
        "[heygen]\napi_key = \"\"\"\nsk-very-secret\"\"\"x\n",
        "[channel.slack]\ntoken = [\n sk-very-secret ]\n",
        "[heartbeat]\nurl = \"https://hc-ping.example.org/sk-very-secret\"\n",
        "[[channel]]\nname = \"w\"\nwebhook = {\n  url = \"https://a.example.org/sk-very-secret\" }\n",
    ] {
        let broken = parse(text).unwrap_err();
        assert!(!broken.rendered.contains("sk-very"), "{broken}");
    }
}

#[test]
fn what_the_environment_breaks_names_the_environment() {
    let error = parse_with("", &[("HEYGEN_API_KEY", "two words")]).unwrap_err();
    assert!(error.rendered.contains("the HeyGen API key holds spaces"), "{error}");
    assert!(!error.rendered.contains("two words"), "{error}");
}

#[test]
fn a_wrong_file_is_refused_in_no_time_and_in_few_words() {
    for text in ["a = 1\n".repeat(20_000), "[[".repeat(5_000), "x".repeat(100_000)] {
        let error = parse(&text).unwrap_err();
        assert!(error.rendered.len() < 100_000, "{}", error.rendered.len());
    }
    let keys: String = (0..5_000).fold(String::new(), |keys, i| keys + &format!("k{i} = 1\n"));
    let error = parse(&keys).unwrap_err();
    assert_eq!(error.problems, 5_000);
    assert!(error.rendered.contains("… and 4950 more"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
        drop(parse(&text));
    }

    #[test]
    fn arbitrary_pieces_of_a_configuration_never_panic(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "[[probe]]\n", "[probe]\n", "name = ", "every = ", "check.api = ", "[heygen]\n",
                "{ path = \"/v3\" }", "{}", "[]", "\"5s\"", "\"é\"", "5", "\n", "api_key = ", "= ",
                "[[status_page]]\n", "url = ", "[status_page.components]\n", "\"a\" = \"api\"\n",
                "check.render = ", "avatars = ", "[budget]\n", "usd_per_day = ", "1.5", "nan",
                "[jobs.render]\n", "queue_late = ", "[[channel]]\n", "slack = ", "email = ", "\"", "'''", "\\", "uses = ", ", ", "1979-05-27",
            ]),
            0..40,
        )
    ) {
        drop(parse(&pieces.concat()));
    }
}
