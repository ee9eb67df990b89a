//! What a person sees of a mail: its subject and the first lines of its text.
//!
//! Owns as much of RFC 2045 and RFC 2047 as our own mails use: encoded words in Base64 or Q, bodies
//! in quoted-printable. Pure and total: what is not understood is shown as it is.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// The decoded subject.
pub(super) fn subject(mail: &str) -> String {
    let head = mail.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
    let line = head.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap_or_default();
    let words: Vec<(bool, String)> = line.split(' ').map(word).collect();
    let mut subject = String::new();
    for (i, (is_encoded, text)) in words.iter().enumerate() {
        // The space between two encoded words is no part of the text.
        let is_glued = i == 0 || (*is_encoded && words.get(i - 1).is_some_and(|(was, _)| *was));
        if !is_glued {
            subject.push(' ');
        }
        subject.push_str(text);
    }
    subject
}

/// The first `count` lines with anything on them of the plain text part.
pub(super) fn first_lines(mail: &str, count: usize) -> Vec<String> {
    let plain = mail.split("text/plain").nth(1).unwrap_or(mail);
    let body = plain.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body = quoted_printable(&body.replace("=\r\n", ""));
    let lines = body.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.take(count).map(str::to_owned).collect()
}

/// A word of a header and whether it was encoded (`=?utf-8?b?…?=`).
fn word(word: &str) -> (bool, String) {
    let inner = word.strip_prefix("=?").and_then(|rest| rest.strip_suffix("?="));
    let mut parts = inner.into_iter().flat_map(|inner| inner.splitn(3, '?')).skip(1);
    match (parts.next(), parts.next()) {
        (Some("b" | "B"), Some(text)) => {
            let bytes = BASE64_STANDARD.decode(text).unwrap_or_else(|_| text.into());
            (true, String::from_utf8_lossy(&bytes).into_owned())
        }
        (Some("q" | "Q"), Some(text)) => (true, quoted_printable(&text.replace('_', " "))),
        _ => (false, word.to_owned()),
    }
}

fn quoted_printable(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('=') {
        bytes.extend_from_slice(before.as_bytes());
        let code = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(code.unwrap_or(b'='));
        rest = if code.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_read_in_every_encoding() {
        let of =
            |line: &str| subject(&format!("From: a@b.c\r\nSubject: {line}\r\nTo: x\r\n\r\nHi"));
        assert_eq!(of("HeyGen: API down (#1)"), "HeyGen: API down (#1)");
        assert_eq!(of("=?utf-8?b?SGV5R2VuOiDigJM=?= (#1)"), "HeyGen: – (#1)");
        assert_eq!(of("=?utf-8?q?a_=E2=80=93?=\r\n =?utf-8?q?_b?="), "a – b");
    }

    #[test]
    fn the_text_is_what_comes_first() {
        let mail = "Subject: x\r\nContent-Type: multipart/alternative; boundary=\"b\"\r\n\r\n--b\r\n\
                    Content-Type: text/plain; charset=utf-8\r\n\
                    Content-Transfer-Encoding: quoted-printable\r\n\r\n\
                    HeyGen does not =\r\nanswer =E2=80=93 since 09:00.\r\n\r\nNew.\r\n--b--";
        assert_eq!(first_lines(mail, 2), ["HeyGen does not answer – since 09:00.", "New."]);
    }
}
