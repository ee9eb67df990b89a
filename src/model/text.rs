//! Text from outside, made harmless once, on entry.
//!
//! Owns what is dropped and where it is cut; encoding for a sink (HTML, Slack, SQL) is the sink's.
//! Invariant: what [`clean`] returns is one line, in NFC, without control, bidirectional or
//! zero-width characters, at most as long as asked, and cleaning it again changes nothing.

use unicode_normalization::UnicodeNormalization;

/// A canonical composition joins at most this many characters into one (U+1F82 and its like), so
/// reading this many times the wanted length never cuts what would have fitted.
const LONGEST_COMPOSITION: usize = 4;

/// Makes a text from outside fit to be stored and shown: white space (line breaks included)
/// becomes single spaces, invisible and control characters go, the rest is in NFC and is cut with
/// `…` at `max_chars` characters.
pub fn clean(text: &str, max_chars: usize) -> String {
    let mut after_space = true;
    let visible = text.chars().filter_map(visible).filter(|c| {
        let is_repeated_space = *c == ' ' && after_space;
        after_space = *c == ' ';
        !is_repeated_space
    });
    let enough = max_chars.saturating_add(1).saturating_mul(LONGEST_COMPOSITION);
    let line: String = visible.take(enough).nfc().collect();
    let line = line.trim_end();
    if line.chars().nth(max_chars).is_none() {
        return line.to_owned();
    }
    let Some(room) = max_chars.checked_sub(1) else {
        return String::new();
    };
    let head: String = line.chars().take(room).collect();
    format!("{}…", head.trim_end())
}

/// The character as it may be shown; `None` for one that only hides or reorders others.
fn visible(c: char) -> Option<char> {
    match c {
        c if c.is_whitespace() => Some(' '),
        c if c.is_control() => None,
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => None,
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_text_becomes_one_plain_line() {
        for (dirty, expected) in [
            ("  API\r\n is\tdown  ", "API is down"),
            ("a\rb", "a b"),
            ("\u{1b}[31mred\u{7}\u{9b}0m", "[31mred0m"),
            ("abc\u{202e}gpj.exe\u{200b}\u{feff}", "abcgpj.exe"),
            ("e\u{301}", "\u{e9}"),
            ("one\u{2028}two\u{85}three", "one two three"),
            ("\u{0}", ""),
        ] {
            assert_eq!(clean(dirty, 100), expected, "{dirty:?}");
        }
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(clean("abcdef", 6), "abcdef");
        assert_eq!(clean("abcdefg", 6), "abcde…");
        assert_eq!(clean("abcd efg", 6), "abcd…");
        assert_eq!(clean("ππππ", 3), "ππ…");
        assert_eq!(clean("abc", 1), "…");
        assert_eq!(clean("abc", 0), "");
        assert_eq!(clean(&"e\u{301}".repeat(6), 6), "\u{e9}".repeat(6));
    }

    proptest! {
        #[test]
        fn cleaning_is_bounded_and_final(text in "\\PC*|.*", max_chars in 0usize..40) {
            let once = clean(&text, max_chars);
            prop_assert!(once.chars().count() <= max_chars);
            prop_assert!(!once.chars().any(char::is_control));
            prop_assert_eq!(clean(&once, max_chars), once);
        }
    }
}
