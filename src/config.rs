//! The configuration: from TOML to values that cannot be wrong.
//!
//! Owns finding, reading and resolving it, secrets included. On the way: `document` (the tree with
//! its places), `structure` (the tree against the schema of `raw`), `validate` (what it means),
//! `problem` (how mistakes are shown). Invariant: a [`Config`] exists only when nothing is wrong;
//! whatever is wrong is reported in one run.

use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use url::Url;

use crate::engine::Settings;
use crate::model::Timestamp;
use crate::notify::ChannelSpec;
use crate::probe::ProbeSpec;
use crate::secret::{Redactor, Secret};
use crate::store::Retention;
use crate::web::{AuthSpec, Brand};

mod document;
mod effective;
mod mask;
mod place;
mod problem;
mod raw;
mod schema;
mod secrets;
mod special;
mod spend;
mod structure;
mod validate;
mod value;
mod word;

pub use effective::effective;
pub use spend::{Spend, spends};
pub use value::duration_text;

use document::{At, Document};
use problem::{Fault, Problems};
use raw::Raw;
use validate::{BuiltIn, Check};

/// The built-in configuration.
const DEFAULT: &str = include_str!("config/default.toml");

/// The documented example: every key, the defaults commented out.
pub const EXAMPLE: &str = include_str!("../config.toml.example");

/// Longer files are no configurations.
const LONGEST_BYTES: u64 = 1024 * 1024;

/// A configuration that cannot be wrong.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from; `None` for the built-in default.
    pub file: Option<PathBuf>,
    /// What the core needs.
    pub settings: Settings,
    /// Whether job titles may be kept and shown.
    pub show_titles: bool,
    /// HeyGen's API.
    pub heygen: HeygenConfig,
    /// Proxy for everything that leaves this machine.
    pub proxy: Option<Url>,
    /// Every probe, status pages included (after the `[[probe]]`s), in the order of the file.
    pub probes: Vec<ProbeSpec>,
    /// Every channel.
    pub channels: Vec<ChannelSpec>,
    /// The sign of life.
    pub heartbeat: Option<HeartbeatConfig>,
    /// Where history goes.
    pub storage: StorageConfig,
    /// The HTTP side.
    pub web: WebConfig,
    /// Knows every secret that was read.
    pub redactor: Redactor,
    /// Where each secret came from; never the secret itself.
    pub secrets: Vec<SecretOrigin>,
    /// What is allowed but worth saying, one sentence each.
    pub warnings: Vec<String>,
}

/// Where a secret came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretOrigin {
    /// Whose secret it is, for people.
    pub what: String,
    /// The file, credential or variable.
    pub from: String,
}

/// `[heygen]`
#[derive(Debug, Clone)]
pub struct HeygenConfig {
    /// Where the API is.
    pub base_url: Url,
    /// The key, if there is one.
    pub api_key: Option<Secret>,
}

/// `[heartbeat]`
#[derive(Debug, Clone, PartialEq)]
pub struct HeartbeatConfig {
    /// The address to ask.
    pub url: Secret,
    /// How often.
    pub every: std::time::Duration,
}

/// `[storage]`
#[derive(Debug, Clone)]
pub struct StorageConfig {
    /// The database file, resolved as in the contract, section 7.
    pub path: PathBuf,
    /// How long history is kept.
    pub retention: Retention,
}

/// `[web]`
#[derive(Debug, Clone)]
pub struct WebConfig {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Address of our own pages as people reach them.
    pub public_url: Option<Url>,
    /// Host names that requests may carry besides the listener's own address and `localhost`.
    pub hosts: Vec<String>,
    /// Who is trusted; without it everybody who reaches the address.
    pub auth: Option<AuthSpec>,
    /// Whose pages these are.
    pub brand: Brand,
}

/// What stands around a configuration file: environment, home, credentials. A struct so that
/// tests need not change the process.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Environment variables that matter (`HEYGEN_API_KEY`, `SLACK_WEBHOOK_URL`,
    /// `CREDENTIALS_DIRECTORY`, `STATE_DIRECTORY`, `XDG_CONFIG_HOME`, `HOME` …).
    pub env: std::collections::BTreeMap<String, String>,
}

impl Surroundings {
    /// Those of this process. What is not text in a value becomes U+FFFD: so it is refused where it
    /// matters, and never taken for absent.
    pub fn of_process() -> Self {
        let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
        Self { env: std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect() }
    }
}

/// As [`Surroundings::of_process`] in a shell, with the directories that systemd tells to the
/// service which reads `file` alone, where there is one (contract, section 7): for every command
/// that works beside a daemon.
pub fn beside_service(file: Option<&Path>, surroundings: &Surroundings) -> Surroundings {
    place::beside_service(file, surroundings, Path::new("/"))
}

/// Everything that is wrong with a configuration, rendered for people: file:line:column, the
/// line, a caret, a hint; all problems at once.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{rendered}")]
pub struct ConfigError {
    /// The text for people, without a last newline; plain, no colours.
    pub rendered: String,
    /// How many problems.
    pub problems: usize,
}

/// Finds the configuration (contract, section 4): `flag`, `$HEYGEN_MONITOR_CONFIG`,
/// `$XDG_CONFIG_HOME/heygen-monitor/config.toml`, `/etc/heygen-monitor/config.toml`, else `None`:
/// the built-in default.
pub fn find(flag: Option<&Path>, surroundings: &Surroundings) -> Option<PathBuf> {
    place::config_file(flag, surroundings)
}

/// Reads, checks and resolves a configuration, secrets included.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn load(
    file: Option<&Path>,
    surroundings: &Surroundings,
    now: Timestamp,
) -> Result<Config, ConfigError> {
    let Some(path) = file else {
        return parse("", Path::new("the environment"), surroundings, now);
    };
    let text = read(path).map_err(|fault| {
        let mut problems = Problems::default();
        problems.add_outside(fault);
        problems.into_error("", path)
    })?;
    let config = parse(&text, path, surroundings, now)?;
    Ok(Config { file: Some(path.to_owned()), ..config })
}

/// As [`load`], from a text (file name for messages and relative paths alone).
///
/// # Errors
/// Everything that is wrong, at once.
pub fn parse(
    text: &str,
    name: &Path,
    surroundings: &Surroundings,
    now: Timestamp,
) -> Result<Config, ConfigError> {
    // Editors on other systems begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut problems = Problems::default();
    let document = Document::parse(text, &mut problems);
    // After a syntax error it is not known what was meant: whatever followed would be noise.
    if !problems.is_empty() {
        return Err(problems.into_error(text, name));
    }
    let names_key = names_key(&document);
    let (document, raw) = shaped(document, &mut problems);
    let config = match (raw, built_in()) {
        (Some(raw), Some(built_in)) => {
            let directory = name.parent().unwrap_or(Path::new(""));
            let mut check = Check::new(&document, surroundings, &mut problems, directory, now);
            check.names_key = names_key;
            check.config(raw, &built_in)
        }
        _ => None,
    };
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(problems.into_error(text, name)),
    }
}

/// The JSON Schema of a configuration file.
pub fn json_schema() -> serde_json::Value {
    schema::schema()
}

/// Removes what has the wrong shape, all of which is reported, and reads what remains.
fn shaped(mut document: Document, problems: &mut Problems) -> (Document, Option<Raw>) {
    structure::check(&mut document.root, &schema::schema(), problems);
    let raw = serde_json::from_value(document.root.to_json()).map_err(|error| {
        // The shape was checked, so this is a gap between `structure` and `raw`.
        let hint = "this is a fault of heygen-monitor: please report it";
        problems.add_outside(Fault::new(format!("it cannot be read: {error}"), hint));
    });
    (document, raw.ok())
}

/// True when the file says something of a key, be it right or wrong: then a probe that needs one
/// is not a second problem.
fn names_key(document: &Document) -> bool {
    let at = At::root().key("heygen");
    ["api_key", "api_key_file"].iter().any(|key| document.get(&at.key(key)).is_some())
}

fn built_in() -> Option<BuiltIn> {
    let mut problems = Problems::default();
    let document = Document::parse(DEFAULT, &mut problems);
    let (document, raw) = shaped(document, &mut problems);
    raw.map(|raw| BuiltIn { document, raw })
}

fn read(path: &Path) -> Result<String, Fault> {
    let failed = |error: std::io::Error| unreadable(path, &error);
    let file = place::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(Fault::new(
            "the configuration is a directory",
            format!("name the file in it: {}", path.join("config.toml").display()),
        ));
    }
    let mut bytes = Vec::new();
    file.take(LONGEST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LONGEST_BYTES {
        return Err(Fault::new("the configuration is longer than 1 MiB", "is it the right file?"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(valid).filter(|byte| **byte == b'\n').count() + 1;
        Fault::new(
            format!("the configuration is not UTF-8 text (line {line})"),
            "save it as UTF-8, and see that it is the right file",
        )
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    let shown = path.display();
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Fault::new(
            "there is no such configuration file",
            format!("`heygen-monitor config init --path {shown}` writes one"),
        ),
        ErrorKind::PermissionDenied => Fault::new(
            "the configuration may not be read by this user",
            format!("it holds no secret, so everybody may read it: `chmod 644 {shown}`"),
        ),
        _ => Fault::new(format!("the configuration cannot be read: {error}"), "look at the file"),
    }
}
