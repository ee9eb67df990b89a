//! Blanks out whatever could be a secret in the text of a configuration before a line of it is
//! shown to people: an operator's mistake must not end up in a log.
//!
//! Works on plain text, because a file with a secret in it may not even be TOML. Invariant: the
//! masked text has the same length and the same line ends, so that every span still fits.

/// Keys whose value is a secret when it is written inline.
const SECRET_KEYS: [&str; 10] = [
    "api_key",
    "apikey",
    "password",
    "webhook_url",
    "token",
    "secret",
    "routing_key",
    "bearer",
    "basic",
    "key",
];

/// The text with every possible secret overwritten by `*`.
pub(super) fn mask(text: &str) -> String {
    let mut is_in_webhook = false;
    let lines = text.split_inclusive('\n').map(|line| {
        if line.trim_start().starts_with('[') {
            is_in_webhook = line.contains("webhook");
        }
        mask_line(line, is_in_webhook || line.contains("webhook"))
    });
    lines.collect()
}

/// `is_webhook`: the path of any URL here is the secret part of a webhook's address.
fn mask_line(line: &str, is_webhook: bool) -> String {
    let mut bytes = line.as_bytes().to_vec();
    for (start, end) in secret_values(line).into_iter().chain(url_secrets(line, is_webhook)) {
        for byte in &mut bytes[start..end] {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = b'*';
            }
        }
    }
    // Ranges begin and end at ASCII bytes, so what remains is still UTF-8.
    String::from_utf8(bytes).unwrap_or_else(|_| "*".repeat(line.len()))
}

/// Byte ranges of the values of secret keys.
fn secret_values(line: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (equals, _) in line.match_indices('=') {
        let Some(before) = line.get(..equals) else {
            continue;
        };
        let word = before.trim_end().trim_end_matches(['"', '\'']);
        let key_start = word.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
        let key = word.get(key_start.map_or(0, |i| i + ceil(word, i))..).unwrap_or_default();
        let key = key.to_ascii_lowercase().replace('-', "_");
        if SECRET_KEYS.contains(&key.as_str()) {
            found.push(value_after(line, equals + 1));
        }
    }
    found
}

/// Length of the character that starts at `index`.
fn ceil(text: &str, index: usize) -> usize {
    text.get(index..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
}

/// The value that follows an equals sign: up to its closing quote, else to the end of the line.
fn value_after(line: &str, from: usize) -> (usize, usize) {
    let rest = line.get(from..).unwrap_or_default();
    let start = from + rest.len() - rest.trim_start().len();
    let value = line.get(start..).unwrap_or_default();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    match quote {
        Some(quote) => {
            let inner = value.get(1..).unwrap_or_default();
            let end = inner.find(quote).map_or(line.len(), |length| start + 1 + length);
            (start + 1, end)
        }
        None => (start, line.len()),
    }
}

/// Byte ranges of user information in URLs, and of the paths of webhooks.
fn url_secrets(line: &str, is_webhook: bool) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (scheme, _) in line.match_indices("://") {
        let start = scheme + 3;
        let rest = line.get(start..).unwrap_or_default();
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '}' | ']');
        let url = rest.get(..rest.find(ends).unwrap_or(rest.len())).unwrap_or_default();
        let authority = url.get(..url.find(['/', '?', '#']).unwrap_or(url.len()));
        let authority = authority.unwrap_or_default();
        if let Some(at) = authority.rfind('@') {
            found.push((start, start + at));
        }
        if is_webhook || url.contains("hooks.slack.com/") {
            found.push((start + authority.len(), start + url.len()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_could_be_a_secret_is_overwritten() {
        let table = [
            ("api_key = \"sk-1\" # x\n", "api_key = \"****\" # x\n"),
            ("\"api-key\"= 'sk-1', b = 2", "\"api-key\"= '****', b = 2"),
            ("smtp = { password = \"p\" }", "smtp = { password = \"*\" }"),
            ("token = sk-1\r\n", "token = ****\r\n"),
            ("proxy = \"http://u:pä@h:1\"", "proxy = \"http://*****@h:1\""),
            ("url = \"https://hooks.slack.com/T/B\"", "url = \"https://hooks.slack.com****\""),
            ("api_key_file = \"/etc/key\"", "api_key_file = \"/etc/key\""),
            ("webhook = { url = \"https://a.b/c\" }", "webhook = { url = \"https://a.b**\" }"),
            (
                "[channel.webhook]\nurl = \"https://a.b/c\"",
                "[channel.webhook]\nurl = \"https://a.b**\"",
            ),
            ("[web]\npublic_url = \"https://a.b/c\"", "[web]\npublic_url = \"https://a.b/c\""),
        ];
        for (text, masked) in table {
            assert_eq!(mask(text), masked);
            assert_eq!(mask(text).len(), text.len());
        }
    }
}
