//! Which addresses may be asked (facts B3): pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// What a URL's host is, before anything is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A literal address that may be asked.
    Literal(IpAddr),
    /// A name, to be resolved and then filtered.
    Name(String),
    /// Refused; one sentence.
    Refused(String),
}

/// Judges a URL as written. `is_listed` says whether a name is in the host table.
pub(super) fn target(url: &Url, is_listed: impl Fn(&str) -> bool) -> Target {
    let plain = match url.scheme() {
        "https" => false,
        "http" => true,
        _ => return Target::Refused("only http and https addresses can be asked".to_owned()),
    };
    let literal = match url.host() {
        None => return Target::Refused("the address has no host".to_owned()),
        Some(Host::Domain(name)) if plain && !is_listed(name) => {
            return Target::Refused(format!(
                "plain http to {name} is refused: only literal loopback addresses may speak it"
            ));
        }
        Some(Host::Domain(name)) => return Target::Name(name.to_owned()),
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
    };
    let is_loopback = is_loopback(url);
    if plain && !is_loopback {
        Target::Refused(format!(
            "plain http to {literal} is refused: only literal loopback addresses may speak it"
        ))
    } else if is_loopback || is_public(literal) {
        Target::Literal(literal)
    } else {
        Target::Refused(format!("{literal} is a private or link-local address"))
    }
}

/// True for a URL with a literal loopback address; a name such as `localhost` may lead anywhere.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        Some(Host::Domain(_)) | None => false,
    }
}

/// True for an address of the public internet: what a resolved name must have.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// The special-purpose registry of RFC 6890, the metadata address (link-local) included.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || address.is_documentation()
        || (a == 198 && (b == 18 || b == 19))
        || a >= 224)
}

/// Global unicast (2000::/3) without what tunnels to or documents something else. NAT64 and 6to4
/// carry a v4 address: that one decides. `fd00:ec2::254` (metadata) is unique-local.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
        }
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(url: &str) -> Target {
        target(&Url::parse(url).unwrap(), |name| name == "listed.test")
    }

    #[test]
    fn only_public_addresses_pass_the_filter() {
        for public in ["1.1.1.1", "52.84.1.9", "2606:4700::1111", "64:ff9b::101:101", "100.128.0.1"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.2.7",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[test]
    fn plain_http_is_for_literal_loopback_alone() {
        for url in
            ["http://127.0.0.1:8080/", "http://[::1]/", "https://127.0.0.1/", "https://1.1.1.1/"]
        {
            assert!(matches!(judged(url), Target::Literal(_)), "{url}");
        }
        for url in [
            "http://1.1.1.1/",
            "http://example.org/",
            "http://localhost/",
            "https://10.0.0.1/",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
            "https://169.254.169.254/",
            "https://[::ffff:10.0.0.1]/",
            "ftp://127.0.0.1/",
        ] {
            assert!(matches!(judged(url), Target::Refused(_)), "{url}");
        }
        assert_eq!(judged("https://example.org/"), Target::Name("example.org".to_owned()));
        assert_eq!(judged("http://listed.test/"), Target::Name("listed.test".to_owned()));
    }
}
