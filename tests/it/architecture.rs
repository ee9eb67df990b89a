//! The house rules that a reader could check by hand, checked: who imports whom, size and head of
//! every file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Code lines without tests (style: none over 500).
const LONGEST_FILE: usize = 500;

#[test]
fn modules_import_only_what_the_table_allows() {
    let table = import_table();
    let mut broken = Vec::new();
    for file in sources() {
        let Some(module) = module_of(&file) else {
            continue;
        };
        let allowed = table.get(&module).unwrap_or_else(|| {
            panic!("`{module}` is missing from the import table of docs/architecture.md")
        });
        for import in imports(&code_of(&file)) {
            if import != module && table.contains_key(&import) && !allowed.contains(&import) {
                broken.push(format!("{}: `{module}` imports `{import}`", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "against the table in docs/architecture.md:\n{}", broken.join("\n"));
}

#[test]
fn every_file_says_what_it_owns_and_none_is_too_long() {
    let mut broken = Vec::new();
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        if !text.starts_with("//!") {
            broken.push(format!("{} does not open with `//!`", file.display()));
        }
        let code = code_of(&file);
        let lines = code.lines().filter(|line| is_code(line)).count();
        if lines > LONGEST_FILE {
            broken.push(format!("{} has {lines} lines of code", file.display()));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_core_is_pure() {
    let forbidden = [
        "tokio::",
        "std::fs",
        "std::net::Tcp",
        "reqwest",
        "rusqlite",
        "tracing::",
        "Mutex",
        "async ",
    ];
    let mut broken = Vec::new();
    for file in sources() {
        if !matches!(module_of(&file).as_deref(), Some("model" | "engine")) {
            continue;
        }
        let code = code_of(&file);
        for line in code.lines().filter(|line| is_code(line)) {
            if let Some(word) = forbidden.iter().find(|word| line.contains(**word)) {
                broken.push(format!("{}: `{word}` in `{}`", file.display(), line.trim()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn import_table() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(Path::new(ROOT).join("docs/architecture.md")).unwrap();
    let (_, after) = text.split_once("## Who may import whom").unwrap();
    let (section, _) = after.split_once("\n## ").unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let table: BTreeMap<_, _> = rows
        .map(|row| {
            let mut cells = row.trim_matches('|').split('|');
            let module = names(cells.next().unwrap()).into_iter().next().unwrap();
            (module, names(cells.next().unwrap()))
        })
        .collect();
    assert!(table.len() > 15, "the table was not found");
    table
}

fn names(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(ROOT).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if is_source(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(files.len() > 40);
    files
}

/// Rust, and not a file of unit tests alone.
fn is_source(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    path.extension().is_some_and(|extension| extension == "rs")
        && name != "tests.rs"
        && !name.ends_with("_tests.rs")
}

/// The top-level module a file belongs to; `None` for `lib.rs` and `main.rs`.
fn module_of(file: &Path) -> Option<String> {
    let below = file.strip_prefix(Path::new(ROOT).join("src")).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_str().unwrap();
    let module = first.trim_end_matches(".rs");
    (module != "lib" && module != "main").then(|| module.to_owned())
}

/// The text without its unit tests, which stand last.
fn code_of(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    match text.split_once("#[cfg(test)]\nmod ") {
        Some((code, _tests)) => code.to_owned(),
        None => text,
    }
}

fn is_code(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with("//")
}

/// Every `x` of `crate::x`, and of `crate::{x, y::…}`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let code: String = code.lines().filter(|line| is_code(line)).collect::<Vec<_>>().join("\n");
    for rest in code.split("crate::").skip(1) {
        if let Some(group) = rest.strip_prefix('{') {
            found.extend(top_level_names(group));
        } else {
            found.insert(identifier(rest));
        }
    }
    found
}

fn top_level_names(group: &str) -> Vec<String> {
    let mut depth = 0_i32;
    let is_between = |character: char| {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        depth < 0 || (depth == 0 && character == ',')
    };
    let mut names = Vec::new();
    for part in group.split_inclusive(is_between) {
        names.push(identifier(part));
        if part.ends_with('}') {
            break;
        }
    }
    names
}

fn identifier(text: &str) -> String {
    let text = text.trim_start();
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
