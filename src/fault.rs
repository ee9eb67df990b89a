//! Places at which a test may kill this process.
//!
//! Owns the list of them and the kill. Does nothing in a release build, and nothing unless the
//! environment asks for it. Invariant: a kill is SIGKILL: no destructor, no flush, no goodbye.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// `NAME`, or `NAME:3` for the third passage of this process.
const VARIABLE: &str = "HEYGEN_MONITOR_KILL_AT";

/// Every fault point. Those of a commit lie outside its transaction but for `claim.before`, which
/// lies inside; those of an errand around its requests.
pub const POINTS: [&str; 24] = [
    "intents.before",
    "intents.after",
    "owed.before",
    "owed.after",
    "prepare.before",
    "prepare.after",
    "submit.before",
    "submit.after",
    "find.before",
    "find.after",
    "poll.before",
    "poll.after",
    "check.before",
    "check.after",
    "delete.before",
    "delete.after",
    "sweep.before",
    "sweep.after",
    "claim.before",
    "claim.after",
    "send.before",
    "send.after",
    "finish.before",
    "finish.after",
];

/// Ends this process here, when that is wanted.
pub fn point(name: &str) {
    if cfg!(debug_assertions) {
        debug_assert!(POINTS.contains(&name), "`{name}` is not listed");
        pass(name);
    }
}

/// The point that was asked for, and the passage.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    name: String,
    passage: u32,
}

impl Wanted {
    fn parse(text: &str) -> Self {
        let (name, passage) = text.split_once(':').unwrap_or((text, "1"));
        Self { name: name.to_owned(), passage: passage.parse().unwrap_or(1) }
    }
}

fn pass(name: &str) {
    static WANTED: OnceLock<Option<Wanted>> = OnceLock::new();
    static PASSED: AtomicU32 = AtomicU32::new(0);
    let wanted =
        WANTED.get_or_init(|| std::env::var(VARIABLE).ok().map(|text| Wanted::parse(&text)));
    let Some(wanted) = wanted.as_ref().filter(|wanted| wanted.name == name) else {
        return;
    };
    if PASSED.fetch_add(1, Ordering::SeqCst) + 1 == wanted.passage {
        let killed =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        debug_assert!(killed.is_ok(), "a process may kill itself");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }

    #[test]
    fn every_point_lies_in_exactly_one_place() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        sources(&root, &mut files);
        files.retain(|path| !path.ends_with("src/fault.rs"));
        let texts: Vec<String> =
            files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        for name in POINTS {
            let quoted = format!("\"{name}\"");
            let count: usize = texts.iter().map(|text| text.matches(&quoted).count()).sum();
            assert_eq!(count, 1, "{name}");
        }
    }

    #[test]
    fn a_passage_may_be_named() {
        let wanted = |name: &str, passage| Wanted { name: name.to_owned(), passage };
        assert_eq!(Wanted::parse("poll.after"), wanted("poll.after", 1));
        assert_eq!(Wanted::parse("poll.after:3"), wanted("poll.after", 3));
    }
}
