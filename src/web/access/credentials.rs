//! What credentials are right, and how often they may be tried.
//!
//! Owns `web.auth` once it is read. Knows no route. Invariants: credentials are compared in a time
//! that tells nothing of them; only right ones are remembered, as a digest under a key of this
//! process alone; no hash is computed on the threads that answer requests.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::secret::Secret;

/// Wrong credentials that one address may show within [`WINDOW`] (facts B5).
const FAILURES_MAX: usize = 10;
const WINDOW: Duration = Duration::from_mins(1);

/// Addresses that are remembered for their failures; more than that fail only in an attack, and
/// then the hash's price protects the passwords.
const ADDRESSES_MAX: usize = 4_096;

/// Hashes computed side by side: strangers shall not occupy every core.
const HASHES: usize = 2;

/// bcrypt takes no more of a password into account.
const PASSWORD_BYTES_MAX: usize = 72;

/// `web.auth`, as configured.
#[derive(Debug, Clone, PartialEq)]
pub enum AuthSpec {
    /// `Authorization: Bearer TOKEN`.
    Bearer(Secret),
    /// `Authorization: Basic …`: who may come in.
    Basic(Vec<Password>),
}

/// One line of a password file.
#[derive(Debug, Clone, PartialEq)]
pub struct Password {
    /// The user.
    pub user: String,
    /// The password's bcrypt hash.
    pub hash: Secret,
}

/// What a request shows of itself.
pub(super) enum Claim {
    Nothing,
    Bearer(String),
    Basic {
        user: String,
        password: String,
    },
    /// Of another scheme, or not to be read.
    Odd,
}

impl Claim {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut all = headers.get_all(AUTHORIZATION).iter();
        match (all.next(), all.next()) {
            (None, _) => Self::Nothing,
            (Some(one), None) => one.to_str().ok().and_then(Self::read).unwrap_or(Self::Odd),
            (Some(_), Some(_)) => Self::Odd,
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (scheme, value) = text.split_once(' ')?;
        let value = value.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Self::Bearer(value.to_owned()));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let pair = String::from_utf8(BASE64_STANDARD.decode(value).ok()?).ok()?;
        let (user, password) = pair.split_once(':')?;
        Some(Self::Basic { user: user.to_owned(), password: password.to_owned() })
    }
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    Right,
    Wrong,
    /// Not even looked at.
    TooOften,
}

/// Judges credentials.
#[derive(Debug)]
pub struct Auth {
    spec: AuthSpec,
    /// Of this process alone.
    key: Secret,
    known: Mutex<HashSet<[u8; 32]>>,
    failures: Mutex<HashMap<IpAddr, Vec<Instant>>>,
    hashes: Semaphore,
}

impl Auth {
    /// Lets those in whom the configuration names.
    pub fn new(spec: AuthSpec) -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key)
            .expect("the kernel has random bytes once it has started services");
        Self {
            spec,
            key: Secret::new(&BASE64_STANDARD.encode(key)),
            known: Mutex::default(),
            failures: Mutex::default(),
            hashes: Semaphore::new(HASHES),
        }
    }

    /// What a stranger is asked for.
    pub(in crate::web) fn scheme(&self) -> &'static str {
        match self.spec {
            AuthSpec::Bearer(_) => "Bearer",
            AuthSpec::Basic(_) => "Basic",
        }
    }

    pub(super) async fn judge(&self, claim: Claim, address: IpAddr) -> Judged {
        let address = network(address);
        if self.has_failed_too_often(address) {
            return Judged::TooOften;
        }
        let judged = match (&self.spec, claim) {
            (AuthSpec::Bearer(token), Claim::Bearer(shown)) => {
                if self.is_same(token, &shown) {
                    Judged::Right
                } else {
                    Judged::Wrong
                }
            }
            (AuthSpec::Basic(passwords), Claim::Basic { user, password }) => {
                self.password(passwords, &user, password, address).await
            }
            (AuthSpec::Bearer(_) | AuthSpec::Basic(_), _) => Judged::Wrong,
        };
        if judged == Judged::Wrong {
            self.failed(address);
        }
        judged
    }

    /// Both as digests under our key: how long that takes says nothing of the token.
    fn is_same(&self, token: &Secret, shown: &str) -> bool {
        let shown = self.digest(&[shown]).finalize().into_bytes();
        self.digest(&[token.expose()]).verify_slice(&shown).is_ok()
    }

    async fn password(
        &self,
        passwords: &[Password],
        user: &str,
        password: String,
        address: IpAddr,
    ) -> Judged {
        if password.len() > PASSWORD_BYTES_MAX {
            return Judged::Wrong;
        }
        let digest = self.digest(&[user, &password]).finalize().into_bytes().into();
        if locked(&self.known).contains(&digest) {
            return Judged::Right;
        }
        let found = passwords.iter().find(|one| one.user == user);
        let is_user = found.is_some();
        // An unknown user takes as long as a known one.
        let Some(hash) = found.or(passwords.first()).map(|one| one.hash.clone()) else {
            return Judged::Wrong;
        };
        let Ok(_permit) = self.hashes.acquire().await else {
            return Judged::Wrong;
        };
        // Others that came with it may have shown by now what to think of this one.
        if locked(&self.known).contains(&digest) {
            return Judged::Right;
        }
        if self.has_failed_too_often(address) {
            return Judged::TooOften;
        }
        let check = move || bcrypt::verify(password, hash.expose()).unwrap_or(false);
        let fits = tokio::task::spawn_blocking(check).await.unwrap_or(false);
        if !(is_user && fits) {
            return Judged::Wrong;
        }
        locked(&self.known).insert(digest);
        Judged::Right
    }

    /// Each part with its length: no two lists of parts are the same bytes (CVE-2022-46146).
    fn digest(&self, parts: &[&str]) -> Hmac<Sha256> {
        let mut digest = Hmac::<Sha256>::new_from_slice(self.key.expose().as_bytes())
            .expect("a key of HMAC may have any length");
        for part in parts {
            digest.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(part.as_bytes());
        }
        digest
    }

    fn has_failed_too_often(&self, address: IpAddr) -> bool {
        let mut failures = locked(&self.failures);
        let Some(times) = failures.get_mut(&address) else {
            return false;
        };
        times.retain(|at| at.elapsed() < WINDOW);
        times.len() >= FAILURES_MAX
    }

    fn failed(&self, address: IpAddr) {
        let mut failures = locked(&self.failures);
        if failures.len() >= ADDRESSES_MAX {
            failures.retain(|_, times| times.iter().any(|at| at.elapsed() < WINDOW));
        }
        if failures.len() >= ADDRESSES_MAX {
            failures.clear();
        }
        failures.entry(address).or_default().push(Instant::now());
    }
}

/// Whoever has one IPv6 address has the other 2^64 beside it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
