//! The fault plan: what goes wrong where, when and for whom.
//!
//! Owns the decision alone (`gate` carries it out), so it can be tested without a socket. Rules are
//! asked in order, the first that applies wins. Invariant: a rule without a window always holds; a
//! lost network overrules every rule.

use std::time::Duration;

use jiff::Timestamp;

use super::Effect;

/// One of the ports of the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// HeyGen's API.
    Api,
    /// HeyGen's status page.
    StatusPage,
    /// HeyGen's web application.
    WebApp,
    /// The files of finished jobs.
    Files,
    /// A target that is not HeyGen's, by number.
    Control(u8),
    /// Slack's incoming webhook.
    Slack,
    /// The name server.
    Dns,
}

/// Whose requests a rule concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Caller {
    /// Everybody's.
    #[default]
    Anyone,
    /// Those with a key, right or wrong.
    Keyed,
    /// Those without.
    Anonymous,
}

/// What goes wrong.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    rules: Vec<Rule>,
    offline: Vec<Window>,
}

impl Plan {
    /// Adds a rule after those that exist.
    pub fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// As [`Self::add`], for building a plan in one expression.
    #[must_use]
    pub fn with(mut self, rule: Rule) -> Self {
        self.add(rule);
        self
    }

    /// Forgets every rule and gives the network back.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Loses the network for everything, from now on.
    pub fn lose_network(&mut self) {
        self.offline.push(Window::default());
    }

    /// Loses the network for everything from `from` until `until`.
    #[must_use]
    pub fn network_lost(mut self, from: Timestamp, until: Timestamp) -> Self {
        self.offline.push(Window { from: Some(from), until: Some(until) });
        self
    }

    /// True while the network is lost.
    pub fn is_offline(&self, now: Timestamp) -> bool {
        self.offline.iter().any(|window| window.holds(now))
    }

    /// What happens to `request`; `None`: it is served. Counts the request in every rule that
    /// concerns it.
    pub(super) fn effect(&mut self, request: &Incoming<'_>, now: Timestamp) -> Option<Effect> {
        if self.is_offline(now) {
            return Some(Effect::Reset);
        }
        let mut applying = None;
        for rule in &mut self.rules {
            if rule.concerns(request) && rule.strikes(now) && applying.is_none() {
                applying = Some(rule.effect.clone());
            }
        }
        applying
    }
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Incoming<'a> {
    pub(super) service: Service,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) has_key: bool,
    pub(super) body: &'a [u8],
}

/// One thing that goes wrong.
#[derive(Debug, Clone)]
pub struct Rule {
    service: Service,
    path: String,
    method: Option<String>,
    body: Option<String>,
    caller: Caller,
    window: Window,
    which: Which,
    met: u64,
    effect: Effect,
}

impl Rule {
    /// Every request to `service` whose path begins with `path` meets `effect`.
    pub fn on(service: Service, path: &str, effect: Effect) -> Self {
        Self {
            service,
            path: path.to_owned(),
            method: None,
            body: None,
            caller: Caller::Anyone,
            window: Window::default(),
            which: Which::All,
            met: 0,
            effect,
        }
    }

    /// Requests of this method alone.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Requests whose body holds this text alone.
    #[must_use]
    pub fn body(mut self, part: &str) -> Self {
        self.body = Some(part.to_owned());
        self
    }

    /// Requests with (or without) a key alone.
    #[must_use]
    pub fn caller(mut self, caller: Caller) -> Self {
        self.caller = caller;
        self
    }

    /// From `from` on.
    #[must_use]
    pub fn from(mut self, from: Timestamp) -> Self {
        self.window.from = Some(from);
        self
    }

    /// Until `until`, which is no longer part of it.
    #[must_use]
    pub fn until(mut self, until: Timestamp) -> Self {
        self.window.until = Some(until);
        self
    }

    /// The first `count` requests alone.
    #[must_use]
    pub fn first(mut self, count: u64) -> Self {
        self.which = Which::First(count);
        self
    }

    /// Every `nth` request, beginning with the `nth`.
    #[must_use]
    pub fn every(mut self, nth: u64) -> Self {
        self.which = Which::Every(nth.max(1));
        self
    }

    /// For `period`, then not for `period`, and so on, beginning at [`Self::from`].
    #[must_use]
    pub fn on_and_off(mut self, period: Duration) -> Self {
        self.which = Which::OnAndOff(period);
        self
    }

    fn concerns(&self, request: &Incoming<'_>) -> bool {
        let caller = match self.caller {
            Caller::Anyone => true,
            Caller::Keyed => request.has_key,
            Caller::Anonymous => !request.has_key,
        };
        caller
            && self.service == request.service
            && request.path.starts_with(&self.path)
            && self.method.as_deref().is_none_or(|method| method == request.method)
            && self.body.as_deref().is_none_or(|part| holds(request.body, part))
    }

    fn strikes(&mut self, now: Timestamp) -> bool {
        if !self.window.holds(now) {
            return false;
        }
        self.met += 1;
        match self.which {
            Which::All => true,
            Which::First(count) => self.met <= count,
            Which::Every(nth) => self.met.is_multiple_of(nth),
            Which::OnAndOff(period) => {
                let begun = self.window.from.unwrap_or(Timestamp::UNIX_EPOCH);
                let elapsed = now.duration_since(begun).as_millis().unsigned_abs();
                (elapsed / period.as_millis().max(1)).is_multiple_of(2)
            }
        }
    }
}

fn holds(body: &[u8], part: &str) -> bool {
    String::from_utf8_lossy(body).contains(part)
}

/// Which of the requests that a rule concerns it strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    First(u64),
    Every(u64),
    OnAndOff(Duration),
}

#[derive(Debug, Clone, Copy, Default)]
struct Window {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Window {
    fn holds(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: &str = "2026-11-20T09:00:00Z";

    fn at(secs: i64) -> Timestamp {
        let origin: Timestamp = T0.parse().unwrap();
        Timestamp::from_second(origin.as_second() + secs).unwrap()
    }

    /// Strikes (`x`) and misses (`.`) of a rule for one request every ten seconds.
    fn strikes(rule: Rule, requests: i64) -> String {
        let mut plan = Plan::default().with(rule);
        let request = Incoming {
            service: Service::Api,
            method: "GET",
            path: "/v3/users/me",
            has_key: true,
            body: b"",
        };
        (0..requests)
            .map(|i| if plan.effect(&request, at(10 * i)).is_some() { 'x' } else { '.' })
            .collect()
    }

    fn rule() -> Rule {
        Rule::on(Service::Api, "/v3/", Effect::Hang)
    }

    #[test]
    fn a_rule_strikes_in_its_window_and_by_its_count() {
        assert_eq!(strikes(rule(), 4), "xxxx");
        assert_eq!(strikes(rule().first(2), 4), "xx..");
        assert_eq!(strikes(rule().every(3), 7), "..x..x.");
        assert_eq!(strikes(rule().from(at(10)).until(at(30)), 5), ".xx..");
        let flapping = rule().from(at(0)).on_and_off(Duration::from_secs(20));
        assert_eq!(strikes(flapping, 8), "xx..xx..");
    }

    #[test]
    fn a_rule_concerns_its_callers_alone() {
        assert_eq!(strikes(rule().caller(Caller::Keyed), 1), "x");
        assert_eq!(strikes(rule().caller(Caller::Anonymous), 1), ".");
        assert_eq!(strikes(rule().method("POST"), 1), ".");
        assert_eq!(strikes(Rule::on(Service::WebApp, "/", Effect::Hang), 1), ".");
    }

    #[test]
    fn a_lost_network_overrules_every_rule() {
        let lost = Plan::default().with(rule()).network_lost(at(10), at(20));
        let request = Incoming {
            service: Service::Control(0),
            method: "GET",
            path: "/",
            has_key: false,
            body: b"",
        };
        let mut plan = lost;
        assert_eq!(plan.effect(&request, at(0)), None);
        assert_eq!(plan.effect(&request, at(10)), Some(Effect::Reset));
        assert_eq!(plan.effect(&request, at(20)), None);
    }
}
