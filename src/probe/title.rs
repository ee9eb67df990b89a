//! Whose a job is, by its title.
//!
//! Owns the matching. Titles are customers' secrets: they are compared here and kept only where
//! `show_titles` allows it. Invariant: a test of any monitor is never taken for the account's own.

use crate::model::{NONCE_PREFIX, Owner};

/// What titles tell here.
pub(super) struct TitleRules {
    /// `hgm-<instance>-`; `None` where no tests are sent.
    own_prefix: Option<String>,
    /// Globs in lower case.
    excluded: Vec<String>,
    keeps: bool,
}

impl TitleRules {
    /// The rules of an installation.
    pub(super) fn new(instance: &str, excluded: &[String], show_titles: bool) -> Self {
        Self {
            own_prefix: (!instance.is_empty()).then(|| format!("{NONCE_PREFIX}{instance}-")),
            excluded: excluded.iter().map(|glob| glob.to_lowercase()).collect(),
            keeps: show_titles,
        }
    }

    /// What all nonces of this installation begin with.
    pub(super) fn own_prefix(&self) -> Option<&str> {
        self.own_prefix.as_deref()
    }

    /// Whether a text is a nonce of this installation. The number at its end tells `hgm-a-1` of
    /// the installation `a` from `hgm-a-b-1` of `a-b`.
    pub(super) fn is_own(&self, nonce: &str) -> bool {
        let number = self.own_prefix().and_then(|prefix| nonce.strip_prefix(prefix));
        number
            .is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
    }

    /// Whose a job of this title is.
    pub(super) fn owner(&self, title: &str) -> Owner {
        let nonce = nonce(title);
        if self.is_own(nonce) {
            return Owner::Ours { nonce: nonce.to_owned() };
        }
        let lower = title.to_lowercase();
        let is_excluded = || self.excluded.iter().any(|glob| glob_matches(glob, &lower));
        if title.starts_with(NONCE_PREFIX) || is_excluded() {
            return Owner::Foreign;
        }
        Owner::Natural
    }

    /// The title, where it may be kept.
    pub(super) fn kept(&self, title: Option<String>) -> Option<String> {
        title.filter(|_| self.keeps)
    }
}

/// The nonce at the start of a title: HeyGen may put a language behind it.
pub(super) fn nonce(title: &str) -> &str {
    title.split_whitespace().next().unwrap_or_default()
}

/// Whether a text matches a glob with `*` (any run) and `?` (one character).
fn glob_matches(glob: &str, text: &str) -> bool {
    let glob: Vec<char> = glob.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut here) = (0, 0);
    // Where the last star was, and how much of the text it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while here < text.len() {
        match glob.get(at) {
            Some('*') => {
                star = Some((at, here));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == text[here] => {
                at += 1;
                here += 1;
            }
            Some(_) | None => {
                let Some((star_at, taken)) = star else {
                    return false;
                };
                star = Some((star_at, taken + 1));
                at = star_at + 1;
                here = taken + 1;
            }
        }
    }
    glob.iter().skip(at).all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_tells_its_owner() {
        let rules = TitleRules::new("fra", &["*draft*".to_owned(), "Q?-intern".to_owned()], false);
        let ours = |nonce: &str| Owner::Ours { nonce: nonce.to_owned() };
        for (title, owner) in [
            ("hgm-fra-12", ours("hgm-fra-12")),
            ("hgm-fra-12 (Spanish)", ours("hgm-fra-12")),
            ("hgm-fra-two-12", Owner::Foreign),
            ("hgm-fra-", Owner::Foreign),
            ("hgm-muc-12", Owner::Foreign),
            ("hgm-", Owner::Foreign),
            ("My DRAFT of May", Owner::Foreign),
            ("q1-INTERN", Owner::Foreign),
            ("q12-intern", Owner::Natural),
            ("Launch video", Owner::Natural),
            ("", Owner::Natural),
        ] {
            assert_eq!(rules.owner(title), owner, "{title}");
        }
        let nobody = TitleRules::new("", &[], false);
        assert_eq!(nobody.owner("hgm--1"), Owner::Foreign);
        assert_eq!(nobody.kept(Some("x".to_owned())), None);
    }

    #[test]
    fn globs_match_whole_titles() {
        for (glob, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("*b*d", "abcbcd", true),
            ("a?c", "aπc", true),
            ("a?c", "ac", false),
            ("**", "x", true),
            (&"*a".repeat(30), &"a".repeat(29), false),
        ] {
            assert_eq!(glob_matches(glob, text), expected, "{glob} on {text}");
        }
    }
}
