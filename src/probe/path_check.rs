//! Is a failure below HTTP ours? A second resolver, and another address of the host, may know.
//!
//! Invariant: no key travels with it, and it takes no longer than what is left of its run and a
//! second.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;
use url::Host;

use super::dns::{self, Known};
use super::{ProbeDeps, Run};
use crate::http_client::{
    HttpClient, Limits, Request, TransportFailure, TransportKind, is_public_address,
};
use crate::model::PathCheck;

/// The longest time for it.
const LONGEST: Duration = Duration::from_secs(2);
/// A run ends "within its timeout and a second"; this much of that second is used.
const AFTER_THE_RUN: Duration = Duration::from_millis(800);
/// The shortest time that can tell anything.
const SHORTEST: Duration = Duration::from_millis(300);
/// How many addresses of a host are tried.
const ADDRESSES: usize = 4;

/// Looks for a local cause of a failure; `None` where that cannot be done (a literal or single
/// address, no second resolver, a proxy in between) or would tell nothing.
pub(super) async fn path_check(
    deps: &ProbeDeps,
    request: &Request,
    failure: &TransportFailure,
    run: &Run,
    started: Instant,
) -> Option<PathCheck> {
    if failure.kind == TransportKind::Address {
        return Some(PathCheck::LocalDns);
    }
    let Some(Host::Domain(name)) = request.url.host() else {
        return None;
    };
    if deps.http.is_proxied() {
        return None;
    }
    let left = (run.timeout + AFTER_THE_RUN).saturating_sub(started.elapsed());
    let budget = left.clamp(SHORTEST, LONGEST);
    match failure.kind {
        TransportKind::Dns => of_name(&deps.second_resolvers, name, budget).await,
        TransportKind::Connect | TransportKind::Tls => {
            let addresses = addresses(deps, name, failure, budget / 3).await;
            of_addresses(&deps.http, request, &addresses, budget * 2 / 3).await
        }
        TransportKind::Address | TransportKind::Timeout | TransportKind::Local => None,
    }
}

/// A name that ours does not know and another resolver does is missing here alone. Resolvers that
/// say nothing leave it open.
async fn of_name(resolvers: &[SocketAddr], name: &str, budget: Duration) -> Option<PathCheck> {
    let answers = join_all(resolvers.iter().map(|server| dns::ask(*server, name, budget))).await;
    if answers.iter().any(|answer| matches!(answer, Some(Known::Resolves(_)))) {
        return Some(PathCheck::LocalDns);
    }
    answers.iter().any(Option::is_some).then_some(PathCheck::NotOurs)
}

/// The addresses of a host, by our resolver and by the others.
async fn addresses(
    deps: &ProbeDeps,
    name: &str,
    failure: &TransportFailure,
    budget: Duration,
) -> Vec<SocketAddr> {
    let mut addresses = failure.addresses.clone();
    let others = deps.second_resolvers.iter().map(|server| dns::ask(*server, name, budget));
    for answer in join_all(others).await.into_iter().flatten() {
        let Known::Resolves(found) = answer else {
            continue;
        };
        let public = found.into_iter().filter(|address| is_public_address(*address));
        addresses.extend(public.map(|address| SocketAddr::new(address, 0)));
    }
    addresses.sort_unstable();
    addresses.dedup();
    addresses.truncate(ADDRESSES);
    addresses
}

/// Where one address answers and another does not, it is the way to the other that fails.
async fn of_addresses(
    http: &HttpClient,
    request: &Request,
    addresses: &[SocketAddr],
    budget: Duration,
) -> Option<PathCheck> {
    if addresses.len() < 2 {
        return None;
    }
    let tries = addresses.iter().map(|address| async move {
        let keyless = Request::get(request.url.clone(), Limits::CONTROL.within(budget));
        http.send_to(keyless, *address).await.map_or_else(|failure| failure.answered, |_| true)
    });
    let answered = join_all(tries).await;
    let is_mixed = answered.contains(&true) && answered.contains(&false);
    Some(if is_mixed { PathCheck::LocalPath } else { PathCheck::NotOurs })
}
