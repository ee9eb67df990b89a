//! Reads another heygen-monitor: its verdict, and what each of its probes last saw.
//!
//! Owns where in its answers each word stands, and how its times become ours. What follows from
//! them is `engine::peers`'s. Invariant: nothing that it saw is dated later than it was, whatever
//! its clock shows.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::fetch::Fetcher;
use super::form::{Media, row};
use super::trouble::Trouble;
use crate::clock::Clock;
use crate::engine::settings::fresh_for;
use crate::model::text::clean;
use crate::model::{
    Blame, Capability, ComponentState, Outcome, Page, PeerSaid, PeerSight, ProbeKind, Product,
    Reason, State, Timestamp,
};

/// The software that answers.
const PRODUCT: Product = Product::named("heygen_monitor");
/// A verdict is at most this old when it is served: time passes for the core every 10 s, and it is
/// dated in whole seconds.
const VERDICT_AGE: Duration = Duration::from_secs(11);
/// Rows of one peer's lists that are taken in; nobody has a tenth of them.
const MOST_ROWS: usize = 1_000;

/// `/api/v1/verdict`, as far as it matters here.
#[derive(Deserialize)]
struct VerdictSaid {
    at: Timestamp,
    vantage: String,
    state: State,
    blame: Blame,
    reason: String,
    capabilities: Vec<Value>,
}

#[derive(Deserialize)]
struct CapabilitySaid {
    capability: Capability,
    used: bool,
    state: State,
}

/// `/api/v1/probes`
#[derive(Deserialize)]
struct ProbesSaid {
    data: Vec<Value>,
}

#[derive(Deserialize)]
struct ProbeSaid {
    kind: ProbeKind,
    target: String,
    last: LastSaid,
    next_due_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct LastSaid {
    anonymous: bool,
    begun_at: Timestamp,
    outcome: Outcome,
}

/// Asks the first of its addresses that answers.
pub(super) async fn read(
    addresses: &[Url],
    fetcher: &mut Fetcher<'_>,
    clock: &Clock,
) -> Result<(Page, PeerSaid), Trouble> {
    let mut first_trouble = None;
    for address in addresses {
        match read_address(address, fetcher, clock).await {
            Ok(read) => return Ok(read),
            Err(trouble) => {
                first_trouble.get_or_insert(trouble);
            }
        }
    }
    Err(first_trouble.unwrap_or_else(|| Trouble::malformed("", "no address is configured")))
}

async fn read_address(
    address: &Url,
    fetcher: &mut Fetcher<'_>,
    clock: &Clock,
) -> Result<(Page, PeerSaid), Trouble> {
    // The verdict comes second, so that it is not older than what the probes saw.
    let probes: ProbesSaid = json(address, "api/v1/probes", fetcher).await?;
    let verdict: VerdictSaid = json(address, "api/v1/verdict", fetcher).await?;
    let now = clock.now();
    let rows = readable::<ProbeSaid>(probes.data);
    let is_local_view = verdict.reason == Reason::LocalView.as_str();
    let said = PeerSaid {
        vantage: clean(&verdict.vantage, 60),
        is_cut_off: matches!(verdict.blame, Blame::Network | Blame::Monitor) && !is_local_view,
        sights: rows.map(|row| sight(&row, verdict.at, now)).collect(),
    };
    Ok((page(address, verdict), said))
}

/// Rows that cannot be read are left out, because a later version may know more.
fn readable<T: DeserializeOwned>(rows: Vec<Value>) -> impl Iterator<Item = T> {
    rows.into_iter().take(MOST_ROWS).filter_map(|row| serde_json::from_value(row).ok())
}

async fn json<T: DeserializeOwned>(
    address: &Url,
    path: &str,
    fetcher: &mut Fetcher<'_>,
) -> Result<T, Trouble> {
    let mut url = address.clone();
    url.set_path(&format!("{}/{path}", address.path().trim_end_matches('/')));
    let document = fetcher.get(&url, Media::Json).await?;
    serde_json::from_slice(&document.body).map_err(|_| {
        let host = url.host_str().unwrap_or_default();
        Trouble::malformed(host, format!("{host} does not answer as a heygen-monitor does"))
    })
}

/// Its times are brought to our clock by their age at its own verdict.
fn sight(row: &ProbeSaid, said_at: Timestamp, now: Timestamp) -> PeerSight {
    let begun_at = row.last.begun_at;
    let age = said_at.duration_since(begun_at).max(jiff::SignedDuration::ZERO);
    let begun_at_the_latest = now.saturating_sub(age).unwrap_or(now);
    let until_next = row.next_due_at.map(|at| at.duration_since(begun_at));
    let interval = until_next.and_then(|gap| Duration::try_from(gap).ok()).unwrap_or_default();
    PeerSight {
        kind: row.kind,
        target: clean(&row.target, 300),
        anonymous: row.last.anonymous,
        outcome: row.last.outcome,
        begun_at: begun_at_the_latest.saturating_sub(VERDICT_AGE).unwrap_or(begun_at_the_latest),
        fresh_until: begun_at_the_latest
            .saturating_add(fresh_for(interval))
            .unwrap_or(begun_at_the_latest),
    }
}

/// What people see of it: the capabilities that its team uses, as rows.
fn page(address: &Url, verdict: VerdictSaid) -> Page {
    let used = readable::<CapabilitySaid>(verdict.capabilities).filter(|one| one.used);
    let read = |one: CapabilitySaid| {
        let state = component_state(one.state);
        row(one.capability.to_string(), None, one.state.to_string(), state)
    };
    Page {
        product: PRODUCT,
        id: None,
        name: clean(&verdict.vantage, 60),
        url: address.to_string(),
        state: component_state(verdict.state),
        components: used.map(read).collect(),
        incidents: Vec::new(),
        maintenances: Vec::new(),
        warnings: Vec::new(),
    }
}

fn component_state(state: State) -> ComponentState {
    match state {
        State::Operational => ComponentState::Operational,
        State::Degraded => ComponentState::DegradedPerformance,
        State::Outage => ComponentState::MajorOutage,
        State::Maintenance => ComponentState::UnderMaintenance,
        State::Unknown => ComponentState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        format!("2026-11-20T{time}Z").parse().unwrap()
    }

    fn said(begun_at: &str, next_due_at: Option<&str>) -> ProbeSaid {
        ProbeSaid {
            kind: ProbeKind::Api,
            target: "GET https://api.heygen.com/v3/users/me".to_owned(),
            last: LastSaid { anonymous: false, begun_at: at(begun_at), outcome: Outcome::Ok },
            next_due_at: next_due_at.map(at),
        }
    }

    #[test]
    fn a_clock_that_is_wrong_dates_nothing_wrong() {
        let now = at("09:00:00");
        for (said_at, begun_at) in
            [("09:00:00", "08:59:30"), ("07:00:00", "06:59:30"), ("11:30:00", "11:29:30")]
        {
            let seen = sight(&said(begun_at, None), at(said_at), now);
            // Half a minute old; that it is up to eleven seconds older cannot be excluded.
            assert_eq!(seen.begun_at, at("08:59:19"), "{said_at}");
        }
    }

    #[test]
    fn it_is_fresh_for_two_of_its_intervals() {
        let now = at("09:00:00");
        for (next, until) in
            [(Some("08:59:30"), "09:01:00"), (Some("09:04:00"), "09:09:00"), (None, "09:01:00")]
        {
            let seen = sight(&said("08:59:00", next), now, now);
            assert_eq!(seen.fresh_until, at(until), "{next:?}");
        }
    }

    #[test]
    fn what_it_saw_after_its_verdict_is_not_from_the_future() {
        let now = at("09:00:00");
        let seen = sight(&said("08:59:59", None), at("08:59:50"), now);
        assert!(seen.begun_at <= now);
    }
}
