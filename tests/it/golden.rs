//! The golden scenarios of the one-shot `check`: simulator script in, verdict out.
//!
//! Each row drives the real binary against its own simulation; all rows run, then every one that came
//! out wrong is shown at once.

use std::net::{IpAddr, Ipv4Addr};

use heygen_monitor::clock::Clock;
use heygen_monitor::simulator::{
    Answer, Caller, ComponentState, Effect, IncidentStatus, Notice, Rule, Service, Simulator,
};
use jiff::Timestamp;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::support::bench::{Bench, Checked, Key, Wanted};

/// Never resolves (RFC 6761).
const NOWHERE: &str = "https://api.heygen-monitor.invalid";

/// Row of the official page that stands for the API.
const API_ROW: &str = "https://api.heygen.com";

/// Rows that run side by side: they mostly wait.
const AT_ONCE: usize = 4;

struct Scenario {
    name: &'static str,
    wanted: Wanted,
    script: fn(&Simulator),
    expect: Expect,
}

/// What the verdict is to be, of the whole or of one capability.
struct Expect {
    of: &'static str,
    state: &'static str,
    blame: &'static str,
    reason: &'static str,
    action: &'static str,
    code: i32,
    also: fn(&Value) -> bool,
}

impl Expect {
    fn whole(verdict: [&'static str; 3], action: &'static str, code: i32) -> Self {
        let [state, blame, reason] = verdict;
        Self { of: "", state, blame, reason, action, code, also: |_| true }
    }

    fn of(
        capability: &'static str,
        verdict: [&'static str; 3],
        action: &'static str,
        code: i32,
    ) -> Self {
        Self { of: capability, ..Self::whole(verdict, action, code) }
    }

    fn also(self, also: fn(&Value) -> bool) -> Self {
        Self { also, ..self }
    }

    /// What is not as it should be.
    fn complaints(&self, checked: &Checked) -> Vec<String> {
        let Checked { code, verdict, .. } = checked;
        let part = if self.of.is_empty() { verdict } else { capability(verdict, self.of) };
        let expected = [("state", self.state), ("blame", self.blame), ("reason", self.reason)];
        let mut found: Vec<String> = expected
            .into_iter()
            .filter(|(name, word)| part[name] != *word)
            .map(|(name, word)| format!("{name} is {}, not {word}", part[name]))
            .collect();
        let mut actions = actions(verdict, self.of);
        if !actions.any(|action| action == self.action) {
            found.push(format!("no advice to {}", self.action));
        }
        if *code != self.code {
            found.push(format!("exit code {code}, not {}", self.code));
        }
        if !(self.also)(verdict) {
            found.push("its further demand is not met".to_owned());
        }
        found
    }
}

fn capability<'a>(verdict: &'a Value, name: &str) -> &'a Value {
    let all = verdict["capabilities"].as_array();
    let found = all.and_then(|all| all.iter().find(|one| one["capability"] == name));
    found.unwrap_or(&Value::Null)
}

/// The actions advised for the named capability, or for those that are as the whole is.
fn actions<'a>(verdict: &'a Value, of: &'a str) -> impl Iterator<Item = &'a str> {
    let all = verdict["capabilities"].as_array().into_iter().flatten();
    let meant = all.filter(move |one| {
        if of.is_empty() { one["state"] == verdict["state"] } else { one["capability"] == of }
    });
    meant.filter_map(|one| one["advice"]["action"].as_str())
}

fn scenario(name: &'static str, script: fn(&Simulator), expect: Expect) -> Scenario {
    Scenario { name, wanted: Wanted::for_check(), script, expect }
}

/// Every request to `service` under `path` meets `effect`.
fn always(simulator: &Simulator, service: Service, path: &str, effect: Effect) {
    simulator.plan(|plan| plan.add(Rule::on(service, path, effect)));
}

/// As [`always`], requests with a key alone.
fn keyed(simulator: &Simulator, path: &str, effect: Effect) {
    let rule = Rule::on(Service::Api, path, effect).caller(Caller::Keyed);
    simulator.plan(|plan| plan.add(rule));
}

fn minutes_ago(simulator: &Simulator, minutes: i64) -> Timestamp {
    let now = simulator.clock().now().as_second();
    Timestamp::from_second(now - 60 * minutes).unwrap()
}

fn fine() -> Vec<Scenario> {
    let fine = ["operational", "none", "ok"];
    vec![
        scenario("1 all fine", |_| {}, Expect::whole(fine, "go", 0)),
        scenario(
            "17 the page is unreachable",
            |simulator| always(simulator, Service::StatusPage, "/", Effect::Reset),
            Expect::whole(fine, "go", 0)
                .also(|verdict| capability(verdict, "api")["official"]["state"] == "unknown"),
        ),
        Scenario {
            wanted: Wanted { key: Key::None, ..Wanted::for_check() },
            ..scenario(
                "31 no key, HeyGen fine",
                |_| {},
                Expect::whole(fine, "go", 0).also(|verdict| {
                    capability(verdict, "video_generation")["reason"] == "not_watched"
                        && capability(verdict, "video_generation")["state"] == "unknown"
                }),
            )
        },
    ]
}

fn account() -> Vec<Scenario> {
    vec![
        scenario(
            "3 429 rate_limit_exceeded",
            |simulator| keyed(simulator, "/v3/", Effect::rate_limited(30)),
            Expect::whole(["degraded", "account", "rate_limited"], "slow_down", 1)
                .also(|verdict| until_is_in(verdict, 20..=31)),
        ),
        scenario(
            "4 429 quota_exceeded",
            |simulator| {
                let effect = Effect::envelope(429, "quota_exceeded", "Usage quota exceeded.");
                keyed(simulator, "/v3/", effect);
            },
            Expect::whole(["outage", "account", "quota_exceeded"], "fix_account", 2)
                .also(|verdict| verdict.to_string().contains("Usage quota exceeded.")),
        ),
        Scenario {
            wanted: Wanted { key: Key::Wrong, ..Wanted::for_check() },
            ..scenario(
                "7a the key is refused, the anonymous call answers",
                |_| {},
                Expect::whole(["outage", "account", "unauthorized"], "fix_account", 2)
                    .also(|verdict| verdict.to_string().contains("error-codes#unauthorized")),
            )
        },
    ]
}

/// `advice.until` of the capability that is rate limited lies so many seconds after `at`.
fn until_is_in(verdict: &Value, range: std::ops::RangeInclusive<i64>) -> bool {
    let time = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let limited = verdict["capabilities"].as_array().into_iter().flatten();
    let mut limited = limited.filter(|one| one["reason"] == "rate_limited");
    limited.any(|one| match (time(&one["advice"]["until"]), time(&verdict["at"])) {
        (Some(until), Some(at)) => range.contains(&until.duration_since(at).as_secs()),
        _ => false,
    })
}

fn provider() -> Vec<Scenario> {
    let outage = |reason| Expect::whole(["outage", "provider", reason], "hold", 2);
    vec![
        scenario(
            "7b 503 for both",
            |simulator| always(simulator, Service::Api, "/v3/", Effect::unavailable()),
            outage("unavailable"),
        ),
        scenario(
            "9a 504 HTML",
            |simulator| {
                always(simulator, Service::Api, "/v3/", Effect::html(504, "Gateway Time-out"));
            },
            outage("gateway_error"),
        ),
        scenario(
            "9a 504 envelope on a read",
            |simulator| {
                let message = "Timed out fetching the external file.";
                let effect = Effect::envelope(504, "gateway_timeout", message);
                always(simulator, Service::Api, "/v3/", effect);
            },
            outage("gateway_error"),
        ),
        scenario(
            "10 200 with HTML",
            |simulator| {
                let page = Answer::new(200, "text/html", "<html><body>HeyGen</body></html>");
                always(simulator, Service::Api, "/v3/", Effect::Answer(page));
            },
            outage("malformed"),
        ),
        scenario(
            "25 every endpoint 5xx and the web app down",
            |simulator| {
                always(simulator, Service::Api, "/", Effect::html(503, "Service Unavailable"));
                always(simulator, Service::WebApp, "/", Effect::html(502, "Bad Gateway"));
            },
            outage("unavailable")
                .also(|verdict| capability(verdict, "web_app")["state"] == "outage"),
        ),
    ]
}

fn provider_elsewhere() -> Vec<Scenario> {
    vec![
        Scenario {
            wanted: Wanted { api_path: "/v2/templates", ..Wanted::for_check() },
            ..scenario(
                "23 a living v2 path answers 503",
                |simulator| {
                    let effect = Effect::html(503, "Service Temporarily Unavailable");
                    always(simulator, Service::Api, "/v2/templates", effect);
                },
                Expect::of("authentication", ["outage", "provider", "unavailable"], "hold", 2),
            )
        },
        Scenario {
            wanted: Wanted { base_url: Some(NOWHERE), ..Wanted::for_check() },
            ..scenario(
                "15a the host does not resolve, the second resolver agrees",
                |_| {},
                Expect::whole(["outage", "provider", "dns_failed"], "hold", 2),
            )
        },
    ]
}

fn ours() -> Vec<Scenario> {
    vec![
        scenario(
            "8 HTTP 400 whose code says internal_error",
            |simulator| {
                let message = "This avatar does not support unlimited mode.";
                let effect = Effect::envelope(400, "internal_error", message);
                keyed(simulator, "/v3/users/me", effect);
            },
            Expect::of("authentication", ["unknown", "client", "bad_request"], "fix_request", 3),
        ),
        scenario(
            "10 a challenge page",
            |simulator| always(simulator, Service::Api, "/v3/", Effect::challenge()),
            Expect::of("api", ["unknown", "network", "blocked"], "check_network", 3),
        ),
        Scenario {
            wanted: Wanted { base_url: Some(NOWHERE), ..Wanted::for_check() },
            ..scenario(
                "15b the host does not resolve here, the second resolver knows it",
                |simulator| {
                    let here = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
                    simulator.names(|names| names.know("api.heygen-monitor.invalid", here));
                },
                Expect::of("api", ["unknown", "network", "local_dns"], "check_network", 3),
            )
        },
        Scenario {
            wanted: Wanted { api_path: "/v2/user/remaining_quota", ..Wanted::for_check() },
            ..scenario(
                "23 a retired v2 path answers HTML 404",
                |_| {},
                Expect::of(
                    "authentication",
                    ["unknown", "client", "endpoint_retired"],
                    "fix_request",
                    3,
                )
                .also(|verdict| {
                    let advice = &capability(verdict, "authentication")["advice"]["text"];
                    advice.as_str().is_some_and(|text| text.contains("/v3/users/me replaces it"))
                }),
            )
        },
    ]
}

fn official() -> Vec<Scenario> {
    vec![
        scenario(
            "16 the page says major outage, the probes are fine",
            |simulator| {
                let at = minutes_ago(simulator, 10);
                simulator.page(|page| {
                    page.turn(API_ROW, ComponentState::FullOutage, at);
                    let notice = Notice::new(at, IncidentStatus::Investigating, "We look into it.");
                    page.open_incident("API errors", "major", API_ROW, notice);
                });
            },
            Expect::whole(["degraded", "provider", "official_incident"], "slow_down", 1).also(
                |verdict| {
                    let api = capability(verdict, "api");
                    api["official"]["state"] == "major_outage"
                        && api["advice"]["confidence"] == "official_only"
                },
            ),
        ),
        scenario(
            "22 maintenance in progress and the probes fail",
            |simulator| {
                let (from, until) = (minutes_ago(simulator, 10), minutes_ago(simulator, -60));
                simulator.page(|page| page.announce("Database upgrade", "", from, until));
                always(simulator, Service::Api, "/v3/", Effect::unavailable());
            },
            Expect::whole(["maintenance", "provider", "official_maintenance"], "hold", 0),
        ),
        // A maintenance that names the row of the API excuses the API alone.
        scenario(
            "22 maintenance of the API's row",
            |simulator| {
                let (from, until) = (minutes_ago(simulator, 10), minutes_ago(simulator, -60));
                simulator.page(|page| page.announce("Database upgrade", API_ROW, from, until));
                always(simulator, Service::Api, "/v3/", Effect::unavailable());
            },
            Expect::of("api", ["maintenance", "provider", "official_maintenance"], "hold", 2),
        ),
    ]
}

/// Starts a world for the scenario, checks, and says what came out wrong.
async fn play(scenario: Scenario) -> Option<String> {
    let bench = Bench::start(Clock::system()).await;
    (scenario.script)(&bench.simulator);
    let checked = bench.check(&scenario.wanted).await;
    let complaints = scenario.expect.complaints(&checked);
    if complaints.is_empty() {
        return None;
    }
    let (name, why) = (scenario.name, complaints.join("; "));
    Some(format!("{name}: {why}\n{:#}\n{}", checked.verdict, checked.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn check_reaches_the_golden_verdicts() {
    let mut waiting: Vec<Scenario> =
        [fine(), account(), provider(), provider_elsewhere(), ours(), official()]
            .into_iter()
            .flatten()
            .collect();
    let mut playing = JoinSet::new();
    let mut wrong = Vec::new();
    loop {
        while playing.len() < AT_ONCE
            && let Some(scenario) = waiting.pop()
        {
            playing.spawn(play(scenario));
        }
        let Some(played) = playing.join_next().await else {
            break;
        };
        wrong.extend(played.unwrap());
    }
    assert!(wrong.is_empty(), "{} scenarios:\n\n{}", wrong.len(), wrong.join("\n\n"));
}
