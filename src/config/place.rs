//! Where things lie on a host: the configuration file and the database (contract, 4 and 7).
//!
//! Owns how files are found and opened. Invariant: the first place of the documented order that exists wins.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::Surroundings;

const PROGRAM: &str = "heygen-monitor";
const DATABASE: &str = "history.db";

impl Surroundings {
    /// A variable that is set and not blank.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    fn directory(&self, name: &str) -> Option<PathBuf> {
        self.variable(name).map(PathBuf::from).filter(|path| path.is_absolute())
    }
}

/// The configuration file: `flag`, `$HEYGEN_MONITOR_CONFIG`, the user's, the system's.
pub(super) fn config_file(flag: Option<&Path>, surroundings: &Surroundings) -> Option<PathBuf> {
    let named = flag
        .map(Path::to_owned)
        .or_else(|| surroundings.variable("HEYGEN_MONITOR_CONFIG").map(PathBuf::from));
    if named.is_some() {
        return named;
    }
    let user = surroundings
        .directory("XDG_CONFIG_HOME")
        .or_else(|| surroundings.directory("HOME").map(|home| home.join(".config")));
    let system = PathBuf::from("/etc");
    [user, Some(system)]
        .into_iter()
        .flatten()
        .map(|directory| directory.join(PROGRAM).join("config.toml"))
        .find(|path| is_there(path))
}

/// A file that cannot be looked at counts as there, so that reading it says why.
fn is_there(path: &Path) -> bool {
    match std::fs::metadata(path) {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

/// Opens a file to read. A named pipe is refused: opening one waits for somebody who writes, perhaps
/// for ever; `/dev/fd/63` of a shell's `<(…)` is fine.
pub(super) fn open(path: &Path) -> std::io::Result<File> {
    let is_pipe = std::fs::metadata(path)?.file_type().is_fifo();
    if is_pipe && !path.starts_with("/dev") {
        return Err(std::io::Error::new(ErrorKind::InvalidInput, "it is a pipe, not a file"));
    }
    File::open(path)
}

/// Name of this host, for people.
pub(super) fn host_name(surroundings: &Surroundings) -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = surroundings.variable("HOSTNAME").map(str::to_owned).or(kernel);
    let name = name.and_then(|name| super::value::name(name.trim()).ok());
    name.unwrap_or_else(|| "here".to_owned())
}

/// True when the environment says where history goes.
pub(super) fn names_state(surroundings: &Surroundings) -> bool {
    let variables = ["HEYGEN_MONITOR_STATE_DIR", "STATE_DIRECTORY"];
    variables.iter().any(|name| surroundings.variable(name).is_some())
}

/// The database: `$HEYGEN_MONITOR_STATE_DIR`, else `storage.path`, else `$STATE_DIRECTORY`, else
/// the user's state directory.
pub(super) fn database(configured: Option<PathBuf>, surroundings: &Surroundings) -> PathBuf {
    if let Some(directory) = surroundings.variable("HEYGEN_MONITOR_STATE_DIR") {
        return Path::new(directory).join(DATABASE);
    }
    configured.unwrap_or_else(|| state_directory(surroundings).join(DATABASE))
}

fn state_directory(surroundings: &Surroundings) -> PathBuf {
    // systemd separates several directories by colons; the first is the service's own.
    let systemd = surroundings.variable("STATE_DIRECTORY").and_then(|list| list.split(':').next());
    if let Some(directory) = systemd {
        return PathBuf::from(directory);
    }
    surroundings
        .directory("XDG_STATE_HOME")
        .or_else(|| surroundings.directory("HOME").map(|home| home.join(".local/state")))
        .unwrap_or_else(|| PathBuf::from("/var/lib"))
        .join(PROGRAM)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings(env: &[(&str, &str)]) -> Surroundings {
        Surroundings { env: env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect() }
    }

    #[test]
    fn the_database_lies_where_the_contract_says() {
        let all = [
            ("HOME", "/home/u"),
            ("XDG_STATE_HOME", "/state"),
            ("STATE_DIRECTORY", "/var/lib/a:/var/lib/b"),
            ("HEYGEN_MONITOR_STATE_DIR", "/override"),
        ];
        let path = |count: usize, configured: Option<&str>| {
            database(configured.map(PathBuf::from), &surroundings(&all[..count]))
        };
        assert_eq!(path(0, None), Path::new("/var/lib/heygen-monitor/history.db"));
        assert_eq!(path(1, None), Path::new("/home/u/.local/state/heygen-monitor/history.db"));
        assert_eq!(path(2, None), Path::new("/state/heygen-monitor/history.db"));
        assert_eq!(path(3, None), Path::new("/var/lib/a/history.db"));
        assert_eq!(path(3, Some("/x/y.db")), Path::new("/x/y.db"));
        assert_eq!(path(4, Some("/x/y.db")), Path::new("/override/history.db"));
    }

    #[test]
    fn a_named_file_wins_even_when_it_is_missing() {
        let env = surroundings(&[("HEYGEN_MONITOR_CONFIG", "/missing/a.toml")]);
        assert_eq!(config_file(None, &env), Some(PathBuf::from("/missing/a.toml")));
        let flag = Path::new("/missing/b.toml");
        assert_eq!(config_file(Some(flag), &env), Some(flag.to_owned()));
        let user = tempfile::tempdir().unwrap();
        let home = user.path().to_str().unwrap();
        let env = surroundings(&[("XDG_CONFIG_HOME", home)]);
        let file = user.path().join("heygen-monitor/config.toml");
        std::fs::create_dir(user.path().join("heygen-monitor")).unwrap();
        std::fs::write(&file, "").unwrap();
        assert_eq!(config_file(None, &env), Some(file));
    }
}
