//! Where things lie on a host: the configuration file and the database (contract, 4 and 7).
//!
//! Owns how files are found and opened. Reads nothing but names, and looks whether a daemon runs by
//! hand. Invariant: the first place of the documented order that exists wins.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::{Surroundings, secrets};

const PROGRAM: &str = "heygen-monitor";
const DATABASE: &str = "history.db";
/// Directions that leave no question which state directory is meant.
const DIRECTIONS: [&str; 3] = ["HEYGEN_MONITOR_STATE_DIR", "STATE_DIRECTORY", "RUNTIME_DIRECTORY"];

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

/// `surroundings`, and the directories of the service that reads `file`, for commands beside it:
/// systemd tells them to the service alone. Nothing is added where somebody says where to look, or
/// runs the default configuration by hand. `root` is where `/etc`, `/run` and `/var` are.
pub(super) fn beside_service(
    file: Option<&Path>,
    surroundings: &Surroundings,
    root: &Path,
) -> Surroundings {
    let mut beside = surroundings.clone();
    let is_directed = DIRECTIONS.iter().any(|name| surroundings.variable(name).is_some());
    let Some(instance) = instance(file, root).filter(|_| !is_directed) else {
        return beside;
    };
    // A directory of its own for each instance: systemd/heygen-monitor@.service.
    let own = Path::new(PROGRAM).join(&instance);
    let by_hand = state_directory(surroundings).join("admin.sock");
    if instance.is_empty() && UnixStream::connect(by_hand).is_ok() {
        return beside;
    }
    let (state, private) =
        (root.join("var/lib").join(&own), root.join("var/lib/private").join(&own));
    let at = if instance.is_empty() { "" } else { "@" };
    let runtime = root.join("run").join(&own);
    // While the service does not run, they are where the drop-in's example takes them from.
    let credentials = if instance.is_empty() && !runtime.exists() {
        root.join("etc").join(PROGRAM).join("secrets")
    } else {
        root.join(format!("run/credentials/{PROGRAM}{at}{instance}.service"))
    };
    let is_offered =
        secrets::ALL.iter().any(|kind| surroundings.variable(&kind.variable()).is_some());
    let places = [
        ("RUNTIME_DIRECTORY", Some(runtime).filter(|path| is_there(path))),
        (
            "STATE_DIRECTORY",
            // Who may not look into the second one learns from the first, a link to it.
            Some(state)
                .filter(|path| is_there(path))
                .or(Some(private).filter(|path| path.exists())),
        ),
        (
            "CREDENTIALS_DIRECTORY",
            Some(credentials).filter(|path| !is_offered && path.read_dir().is_ok()),
        ),
    ];
    for (name, place) in places {
        if let Some(place) = place.as_ref().and_then(|place| place.to_str()) {
            beside.env.entry(name.to_owned()).or_insert_with(|| place.to_owned());
        }
    }
    beside
}

/// The instance whose unit reads this file, empty for the plain service; `None` for a file that no
/// unit reads.
fn instance(file: Option<&Path>, root: &Path) -> Option<String> {
    let Some(file) = file else { return Some(String::new()) };
    let file = std::path::absolute(file).ok()?;
    let name = file.strip_prefix(root.join("etc").join(PROGRAM)).ok()?.to_str()?;
    let name = name.strip_suffix(".toml").filter(|name| !name.contains('/'))?;
    Some(if name == "config" { String::new() } else { name.to_owned() })
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

    /// A host with these services, as systemd leaves it, and what a shell learns beside them.
    fn beside(services: &[&str], file: Option<&str>, env: &[(&str, &str)]) -> String {
        let host = tempfile::tempdir().unwrap();
        let root = host.path();
        for service in services {
            for place in ["run", "var/lib/private"] {
                std::fs::create_dir_all(root.join(place).join(service)).unwrap();
            }
            let unit = service.replacen('/', "@", 1);
            let credentials = format!("run/credentials/{unit}.service");
            std::fs::create_dir_all(root.join(credentials)).unwrap();
        }
        let given = surroundings(env);
        let known = beside_service(file.map(|file| root.join(file)).as_deref(), &given, root);
        let told = known.env.iter().filter(|(name, _)| !given.env.contains_key(*name));
        let told = told.map(|(name, place)| {
            let name = name.trim_end_matches("_DIRECTORY").to_lowercase();
            format!("{name} {}", Path::new(place).strip_prefix(root).unwrap().display())
        });
        told.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_shell_finds_the_service_that_reads_its_configuration_and_no_other() {
        const DEFAULT: &str = "credentials run/credentials/heygen-monitor.service, \
                               runtime run/heygen-monitor, state var/lib/private/heygen-monitor";
        const ACME: &str = "credentials run/credentials/heygen-monitor@acme.service, \
                            runtime run/heygen-monitor/acme, \
                            state var/lib/private/heygen-monitor/acme";
        let both = ["heygen-monitor", "heygen-monitor/acme"];
        let (config, acme) = ("etc/heygen-monitor/config.toml", "etc/heygen-monitor/acme.toml");
        assert_eq!(beside(&both, None, &[]), DEFAULT);
        assert_eq!(beside(&both, Some(config), &[]), DEFAULT);
        assert_eq!(beside(&both, Some(acme), &[]), ACME);
        assert_eq!(beside(&["heygen-monitor"], Some(acme), &[]), "", "never another account's");
        assert_eq!(beside(&both, Some("home/u/acme.toml"), &[]), "", "no unit reads it");
        assert_eq!(beside(&[], Some(config), &[]), "", "no unit is installed");
    }

    #[test]
    fn the_secrets_of_a_service_that_does_not_run_are_where_it_gets_them_from() {
        let host = tempfile::tempdir().unwrap();
        let secrets = host.path().join("etc/heygen-monitor/secrets");
        std::fs::create_dir_all(&secrets).unwrap();
        let known = beside_service(None, &surroundings(&[]), host.path());
        assert_eq!(known.env.get("CREDENTIALS_DIRECTORY").map(Path::new), Some(secrets.as_path()));
        let acme = host.path().join("etc/heygen-monitor/acme.toml");
        let known = beside_service(Some(&acme), &surroundings(&[]), host.path());
        assert!(known.env.is_empty(), "an instance has files of its own: {:?}", known.env);
    }

    #[test]
    fn who_says_where_to_look_is_obeyed() {
        let services = ["heygen-monitor"];
        for name in DIRECTIONS {
            assert_eq!(beside(&services, None, &[(name, "/elsewhere")]), "", "{name}");
        }
        let keyed = beside(&services, None, &[("HEYGEN_API_KEY", "sk-test-0123456789")]);
        assert!(!keyed.contains("credentials"), "a secret has one source: {keyed}");
        let home = tempfile::tempdir().unwrap();
        let own = home.path().join(PROGRAM);
        std::fs::create_dir(&own).unwrap();
        let _by_hand = std::os::unix::net::UnixListener::bind(own.join("admin.sock")).unwrap();
        let env = [("XDG_STATE_HOME", home.path().to_str().unwrap())];
        assert_eq!(beside(&services, None, &env), "", "a daemon runs by hand");
    }
}
