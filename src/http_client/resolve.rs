//! From a name to the addresses that may be asked.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;
use super::phases::Progress;
use crate::model::text::clean;

/// Names that are not looked up but known. An entry is the operator's (or the test's) own word:
/// it passes the filter of private addresses and may speak plain http.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostTable(BTreeMap<String, HostEntry>);

/// What a name in the host table stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostEntry {
    /// These addresses; a port other than 0 replaces the scheme's where the URL has none.
    Addresses(Vec<SocketAddr>),
    /// Nothing: the name does not exist.
    Unknown,
    /// Nobody answers whether it exists.
    Silent,
}

impl HostTable {
    /// A table of these names.
    pub fn new(entries: impl IntoIterator<Item = (String, HostEntry)>) -> Self {
        Self(entries.into_iter().map(|(name, entry)| (name.to_lowercase(), entry)).collect())
    }

    /// What a name stands for, where it is listed.
    pub fn get(&self, name: &str) -> Option<&HostEntry> {
        self.0.get(&name.to_lowercase())
    }
}

/// A name stands for no address that may be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    /// It does not resolve.
    #[error("{name} does not resolve")]
    Unresolved {
        /// The name.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// All its addresses are loopback: a name of this machine.
    #[error(
        "{name} resolves to a loopback address, which is refused; to ask this machine write the address itself (127.0.0.1)"
    )]
    Loopback {
        /// The name.
        name: String,
    },
    /// All its addresses are private or link-local.
    #[error("{name} resolves to a private or link-local address ({address}), which is refused")]
    Private {
        /// The name.
        name: String,
        /// One of them.
        address: std::net::IpAddr,
    },
}

impl ResolveError {
    /// The whole story in one sentence.
    pub(super) fn sentence(&self) -> String {
        match self {
            Self::Unresolved { source, .. } => clean(&format!("{self}: {source}"), 200),
            Self::Loopback { .. } | Self::Private { .. } => self.to_string(),
        }
    }
}

/// Resolves names by the host table, else by the system.
#[derive(Debug, Clone)]
pub(super) struct Resolver {
    hosts: HostTable,
    proxy_host: Option<String>,
}

impl Resolver {
    pub(super) fn new(hosts: HostTable, proxy_host: Option<String>) -> Self {
        Self { hosts, proxy_host }
    }

    /// Whether a name is in the host table.
    pub(super) fn is_listed(&self, name: &str) -> bool {
        self.hosts.get(name).is_some()
    }

    /// The addresses that may be asked for a name; never empty.
    pub(super) async fn lookup(&self, name: &str) -> Result<Vec<SocketAddr>, ResolveError> {
        let unresolved = |source| ResolveError::Unresolved { name: name.to_owned(), source };
        let nothing = || unresolved(io::Error::new(io::ErrorKind::NotFound, "no such name"));
        match self.hosts.get(name) {
            Some(HostEntry::Addresses(addresses)) if addresses.is_empty() => return Err(nothing()),
            Some(HostEntry::Addresses(addresses)) => return Ok(addresses.clone()),
            Some(HostEntry::Unknown) => return Err(nothing()),
            Some(HostEntry::Silent) => std::future::pending().await,
            None => {}
        }
        let found = tokio::net::lookup_host((name, 0)).await.map_err(unresolved)?;
        let found: Vec<SocketAddr> = found.collect();
        if found.is_empty() {
            return Err(nothing());
        }
        // The proxy is the operator's own and usually inside.
        if self.proxy_host.as_deref() == Some(name) {
            return Ok(found);
        }
        filtered(name, &found)
    }
}

/// The public ones of the addresses of a name.
fn filtered(name: &str, found: &[SocketAddr]) -> Result<Vec<SocketAddr>, ResolveError> {
    let public: Vec<SocketAddr> =
        found.iter().copied().filter(|address| is_public(address.ip())).collect();
    let name = name.to_owned();
    match found.iter().find(|address| !address.ip().to_canonical().is_loopback()) {
        _ if !public.is_empty() => Ok(public),
        Some(address) => Err(ResolveError::Private { name, address: address.ip() }),
        None => Err(ResolveError::Loopback { name }),
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        let progress = Progress::current();
        Box::pin(async move {
            if let Some(pinned) = progress.as_ref().and_then(|progress| progress.marks().pinned) {
                return Ok(Box::new(std::iter::once(pinned)) as Addrs);
            }
            if let Some(progress) = &progress {
                progress.dns_began();
            }
            let found = resolver.lookup(name.as_str()).await;
            if let Some(progress) = &progress {
                progress.dns_ended(found.as_deref().unwrap_or_default());
            }
            Ok(Box::new(found?.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(of: &[&str]) -> Vec<SocketAddr> {
        of.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect()
    }

    #[test]
    fn private_addresses_of_a_name_are_dropped_or_refused() {
        let public = filtered("a", &addresses(&["10.0.0.1", "1.1.1.1"])).unwrap();
        assert_eq!(public, addresses(&["1.1.1.1"]));
        let refused = filtered("a", &addresses(&["127.0.0.1", "10.0.0.1"])).unwrap_err();
        assert!(matches!(refused, ResolveError::Private { .. }), "{refused}");
        let loopback = filtered("a", &addresses(&["127.0.0.1", "::1"])).unwrap_err();
        assert!(loopback.to_string().contains("127.0.0.1"), "{loopback}");
    }

    #[tokio::test]
    async fn the_host_table_is_asked_first_and_without_case() {
        let hosts = HostTable::new([
            ("API.test".to_owned(), HostEntry::Addresses(addresses(&["127.0.0.1"]))),
            ("gone.test".to_owned(), HostEntry::Unknown),
        ]);
        let resolver = Resolver::new(hosts, None);
        assert_eq!(resolver.lookup("api.TEST").await.unwrap(), addresses(&["127.0.0.1"]));
        let gone = resolver.lookup("gone.test").await.unwrap_err();
        assert_eq!(gone.sentence(), "gone.test does not resolve: no such name");
    }

    #[tokio::test]
    async fn localhost_is_refused_with_a_hint() {
        let refused = Resolver::new(HostTable::default(), None).lookup("localhost").await;
        assert!(matches!(refused, Err(ResolveError::Loopback { .. })), "{refused:?}");
    }
}
