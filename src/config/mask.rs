//! Blanks out whatever could be a secret in the text of a configuration before a line of it is
//! shown to people: an operator's mistake must not end up in a log.
//!
//! Works on plain text, because a file with a secret in it may not even be TOML. Invariant: the
//! masked text has the same length and the same line ends, so that every span still fits.

use std::ops::Range;

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

/// Words beside which the path of a URL is the secret.
const SECRET_URLS: [&str; 2] = ["webhook", "heartbeat"];

/// The text with every possible secret overwritten by `*`.
pub(super) fn mask(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let (mut start, mut is_secret_url) = (0, false);
    let mut hidden = 0..0;
    for line in text.split_inclusive('\n') {
        is_secret_url &= !line.trim_start().starts_with('[');
        is_secret_url |= SECRET_URLS.iter().any(|word| line.contains(word));
        for range in url_secrets(line, is_secret_url) {
            overwrite(&mut bytes, start + range.start..start + range.end);
        }
        for equals in secret_keys(line) {
            // What lies in a secret is overwritten already.
            if start + equals >= hidden.end {
                hidden = value_after(text, start + equals + 1);
                overwrite(&mut bytes, hidden.clone());
            }
        }
        start += line.len();
    }
    // Ranges begin and end at ASCII bytes, so what remains is still UTF-8.
    String::from_utf8(bytes).unwrap_or_else(|_| "*".repeat(text.len()))
}

fn overwrite(bytes: &mut [u8], range: Range<usize>) {
    for byte in bytes.get_mut(range).into_iter().flatten() {
        if !matches!(byte, b'\n' | b'\r') {
            *byte = b'*';
        }
    }
}

/// Where the equals signs behind secret keys stand.
fn secret_keys(line: &str) -> impl Iterator<Item = usize> {
    let is_secret = |equals: &usize| {
        let before = line.get(..*equals).unwrap_or_default();
        let word = before.trim_end().trim_end_matches(['"', '\'']);
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let key = word.rsplit(|c| !is_part(c)).next().unwrap_or_default();
        SECRET_KEYS.contains(&key.to_ascii_lowercase().replace('-', "_").as_str())
    };
    line.match_indices('=').map(|(equals, _)| equals).filter(is_secret)
}

/// The value that begins behind an equals sign: up to its closing quote; where that is missing, up to
/// the end of the line, or of the text if the value could span lines.
fn value_after(text: &str, from: usize) -> Range<usize> {
    let rest = text.get(from..).unwrap_or_default();
    let value = rest.trim_start_matches([' ', '\t']);
    let start = text.len() - value.len();
    let line_end = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        rest.find('\n').map_or(text.len(), |length| from + length)
    };
    for (opening, closing) in [("\"\"\"", "\"\"\""), ("'''", "'''"), ("[", "]")] {
        if let Some(inner) = value.strip_prefix(opening) {
            let start = start + opening.len();
            let end = inner.find(closing).map_or(text.len(), |length| line_end(start + length));
            return start..end;
        }
    }
    match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        Some(quote) => {
            let inner = value.get(1..).unwrap_or_default();
            let end = closing(inner, quote).map_or_else(|| line_end(start), |end| start + 1 + end);
            start + 1..end
        }
        None => start..line_end(start),
    }
}

/// Where a text in quotation marks ends, if it does on its line.
fn closing(inner: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    for (i, c) in inner.char_indices() {
        match c {
            '\n' => return None,
            c if c == quote && !is_escaped => return Some(i),
            c => is_escaped = c == '\\' && quote == '"' && !is_escaped,
        }
    }
    None
}

/// Byte ranges of user information in URLs, and of the paths of secret ones.
fn url_secrets(line: &str, is_secret: bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut end = 0;
    for (scheme, _) in line.match_indices("://") {
        let start = scheme + 3;
        if start < end {
            continue;
        }
        let rest = line.get(start..).unwrap_or_default();
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '}' | ']');
        let url = rest.split(ends).next().unwrap_or_default();
        let authority = url.split(['/', '?', '#']).next().unwrap_or_default();
        end = start + url.len();
        if let Some(at) = authority.rfind('@') {
            found.push(start..start + at);
        }
        if is_secret || url.contains("hooks.slack.com/") {
            found.push(start + authority.len()..end);
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
            ("[heartbeat]\nurl = \"https://a.b/c\"", "[heartbeat]\nurl = \"https://a.b**\""),
            (
                "[[channel]]\nwebhook = {\n url = \"https://a.b/c\" }",
                "[[channel]]\nwebhook = {\n url = \"https://a.b**\" }",
            ),
            ("password = \"a\\\"b\" # x", "password = \"****\" # x"),
            ("password = 'a\\' # x", "password = '**' # x"),
            ("password = \"a\nb = 1", "password = \"*\nb = 1"),
            ("key = \"\"\"\nsk-1\"\"\" x\nb = 1", "key = \"\"\"\n*********\nb = 1"),
            ("key = '''\nsk-1\nb = 1", "key = '''\n****\n*****"),
            ("token = [\n \"sk-1\",\n sk-2 ]\nb = 1", "token = [\n********\n*******\nb = 1"),
            ("[web]\npublic_url = \"https://a.b/c\"", "[web]\npublic_url = \"https://a.b/c\""),
        ];
        for (text, masked) in table {
            assert_eq!(mask(text), masked);
            assert_eq!(mask(text).len(), text.len());
        }
    }

    #[test]
    fn what_repeats_itself_is_masked_in_no_time() {
        for part in ["key=", "key = [", "://", "://a@", "key = \"\"\"", "key = '\n"] {
            let text = part.repeat(200_000 / part.len());
            assert_eq!(mask(&text).len(), text.len(), "{part}");
        }
    }
}
