//! From the text of one value to what it means: durations, zones, addresses, names.
//!
//! Pure. Owns what each kind of value may be; does not know which key it belongs to. Invariant: a
//! fault never quotes a value that could hold a secret (URLs).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use jiff::SpanRelativeTo;
use jiff::fmt::friendly::SpanParser;
use jiff::tz::TimeZone;
use lettre::message::Mailbox;
use url::{Host, Url};

use super::problem::Fault;

/// Longest duration that is accepted: beyond it a typing mistake is likelier than a wish.
const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);

const DURATION_HINT: &str = "write a number and its unit: \"30s\", \"5m\", \"1h 30m\", \"90d\"";

/// A duration above zero. Days are 24 hours.
pub(super) fn duration(text: &str) -> Result<Duration, Fault> {
    let unreadable = || Fault::new(format!("\"{text}\" is not a duration"), DURATION_HINT);
    let span = SpanParser::new().parse_span(text.trim()).map_err(|_| unreadable())?;
    let signed = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| unreadable())?;
    if signed.is_zero() || signed.is_negative() {
        return Err(Fault::new("a duration must be longer than zero", DURATION_HINT));
    }
    let duration = Duration::try_from(signed).map_err(|_| unreadable())?;
    if duration > LONGEST {
        return Err(Fault::new("a duration must be shorter than 100 years", DURATION_HINT));
    }
    Ok(duration)
}

/// A duration as it would be written: `1h 30m`.
pub fn duration_text(duration: Duration) -> String {
    const UNITS: [(u128, &str); 7] = [
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
        (1, "ns"),
    ];
    let mut rest = duration.as_nanos();
    let mut parts = Vec::new();
    for (size, unit) in UNITS {
        if rest >= size {
            parts.push(format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

/// A time zone: `system`, or an IANA name.
pub(super) fn zone(name: &str) -> Result<TimeZone, Fault> {
    if name == "system" {
        return Ok(TimeZone::try_system().unwrap_or(TimeZone::UTC));
    }
    TimeZone::get(name).map_err(|_| {
        Fault::new(
            format!("unknown time zone \"{name}\""),
            "write an IANA name such as \"Europe/Berlin\" or \"UTC\", or \"system\"",
        )
    })
}

/// What a URL is for: that decides which are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// We ask it: https, or http for a literal loopback address.
    Ask,
    /// Everything goes through it: http or https, anywhere.
    Proxy,
    /// People open it: http or https, anywhere.
    Link,
}

/// A URL that may be used for `purpose`.
pub(super) fn url(text: &str, purpose: Purpose) -> Result<Url, Fault> {
    const EXAMPLE: &str = "write it in full, such as \"https://www.example.org/path\"";
    let url = Url::parse(text.trim())
        .map_err(|error| Fault::new(format!("this is not a URL: {error}"), EXAMPLE))?;
    let Some(host) = url.host() else {
        return Err(Fault::new("this URL names no host", EXAMPLE));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Fault::new(
            "a URL here cannot carry a user name or a password",
            "this file can be read by others: remove what stands before the @",
        ));
    }
    match (url.scheme(), purpose) {
        ("https" | "http", Purpose::Ask) if is_private(&host) => Err(private()),
        ("http", Purpose::Ask) if !is_loopback(&host) => Err(Fault::new(
            "plain http is refused: what is asked and answered could be read and changed",
            "write https; http is for literal loopback addresses alone (http://127.0.0.1:8080)",
        )),
        ("http" | "https", _) => Ok(url),
        (scheme, _) => Err(Fault::new(format!("`{scheme}` is no scheme for this"), "write https")),
    }
}

fn private() -> Fault {
    Fault::new(
        "private and link-local addresses are refused",
        "write a public host name; only literal loopback addresses may be probed besides",
    )
}

/// True for a literal loopback address; a name such as `localhost` may lead anywhere.
pub(super) fn is_loopback<S>(host: &Host<S>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(_) => false,
    }
}

fn is_private<S>(host: &Host<S>) -> bool {
    match host {
        Host::Ipv4(ip) => ip.is_private() || ip.is_link_local() || ip.is_unspecified(),
        Host::Ipv6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified(),
        Host::Domain(_) => false,
    }
}

/// A path below the base URL.
pub(super) fn api_path(path: &str) -> Result<String, Fault> {
    let hint = "write the path alone, such as \"/v3/users/me\"";
    if !path.starts_with('/') || path.starts_with("//") {
        return Err(Fault::new("a path begins with one slash", hint));
    }
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '#' | '\\');
    if path.contains(is_odd) || path.split(['/', '?']).any(|part| part == "..") {
        return Err(Fault::new("this path holds what no path may hold", hint));
    }
    Ok(path.to_owned())
}

/// An address to listen on.
pub(super) fn listen(text: &str) -> Result<SocketAddr, Fault> {
    text.parse().map_err(|_| {
        Fault::new(
            "this is not an address and a port",
            "write an IP address and a port: \"127.0.0.1:10043\", \"[::1]:10043\"; port 0 is any",
        )
    })
}

/// A DNS server: an address, with port 53 unless another is given.
pub(super) fn dns_server(text: &str) -> Result<SocketAddr, Fault> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, 53));
    }
    text.parse::<SocketAddr>().ok().filter(|address| address.port() != 0).ok_or_else(|| {
        Fault::new(
            "a DNS server is given by its IP address",
            "write \"1.1.1.1\", \"1.1.1.1:53\" or \"[2606:4700:4700::1111]:53\"",
        )
    })
}

/// A host name, as in a URL or a `Host` header.
pub(super) fn host_name(text: &str) -> Result<String, Fault> {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.len() <= 63
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let name = text.trim_end_matches('.');
    if text.parse::<IpAddr>().is_ok() || (name.len() <= 253 && name.split('.').all(is_part)) {
        return Ok(name.to_ascii_lowercase());
    }
    Err(Fault::new(
        "this is not a host name",
        "write the name alone, without scheme, port or path: \"status.example.org\"",
    ))
}

/// An e-mail address, with or without a name.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, Fault> {
    let hint = "write one address: \"oncall@example.org\" or \"HeyGen monitor <a@example.org>\"";
    if text.contains(char::is_control) {
        return Err(Fault::new("an e-mail address has no line breaks", hint));
    }
    text.parse().map_err(|_| Fault::new(format!("\"{text}\" is not an e-mail address"), hint))
}

/// The name of a probe, a status page, a channel, the vantage or the account.
pub(super) fn name(text: &str) -> Result<String, Fault> {
    const LONGEST_NAME: usize = 64;
    let is_odd = |c: char| {
        c.is_control()
            || matches!(c, '/' | '\\' | '?' | '#' | '"' | '<' | '>')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.trim().is_empty() || text.trim() != text {
        return Err(Fault::new(
            "a name must neither be empty nor begin or end with a space",
            "names appear in messages, metrics and addresses: keep them short, \"api-read\"",
        ));
    }
    if text.contains(is_odd) || text.chars().count() > LONGEST_NAME {
        return Err(Fault::new(
            "a name has at most 64 characters, none of / \\ ? # \" < > and none that is not seen",
            "names appear in messages, metrics and addresses: keep them short, \"api-read\"",
        ));
    }
    Ok(text.to_owned())
}

/// An id of HeyGen's: of an avatar's look, a voice, a template, an asset.
pub(super) fn heygen_id(text: &str) -> Result<String, Fault> {
    const LONGEST_ID: usize = 128;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    if text.is_empty() || text.len() > LONGEST_ID || !text.chars().all(is_part) {
        return Err(Fault::new(
            "this is no id of HeyGen's",
            "copy the id alone: letters, digits, - and _, as GET /v3/avatars/looks or /v3/voices \
             lists them",
        ));
    }
    Ok(text.to_owned())
}

/// HeyGen's name of a language.
pub(super) fn language(text: &str) -> Result<String, Fault> {
    const LONGEST_LANGUAGE: usize = 64;
    let is_right = text.trim() == text
        && !text.is_empty()
        && text.chars().count() <= LONGEST_LANGUAGE
        && !text.contains(char::is_control);
    if is_right {
        return Ok(text.to_owned());
    }
    Err(Fault::new(
        "this is no language of HeyGen's",
        "write its name as GET /v3/video-translations/languages lists it: \"Spanish (Spain)\"",
    ))
}

/// A CSS selector.
pub(super) fn selector(text: &str) -> Result<String, Fault> {
    match scraper::Selector::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(Fault::new(
            format!("this is not a CSS selector: {error}"),
            "write it as for querySelectorAll, such as \".component .name\"",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, seconds) in
            [("30s", 30.0), ("5m", 300.0), ("1h 30m", 5400.0), ("90d", 7_776_000.0), ("0.5s", 0.5)]
        {
            let read = duration(text).unwrap();
            assert!((read.as_secs_f64() - seconds).abs() < 1e-9, "{text}");
            assert_eq!(duration(&duration_text(read)).unwrap(), read, "{text}");
        }
        for text in ["", "30", "0s", "-5s", "5s ago", "soon", "1mo", "1 year", "200000d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_loopback_speaks_plain_http() {
        for good in ["https://a.example.org/x", "http://127.0.0.1:1", "http://[::1]:1/"] {
            assert!(url(good, Purpose::Ask).is_ok(), "{good}");
        }
        for bad in
            ["http://a.example.org", "http://localhost:1", "https://10.0.0.1", "http://192.168.1.1"]
        {
            assert!(url(bad, Purpose::Ask).is_err(), "{bad}");
        }
        assert!(url("http://10.0.0.1:3128", Purpose::Proxy).is_ok());
        assert!(url("ftp://a.example.org", Purpose::Link).is_err());
    }
}
