//! `db check|backup|restore`: care for the database, beside a running daemon where that can be.
//!
//! Finds the database through the configuration; what is done to it is done by `store`.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::output::Audience;
use super::{Context, exit, load_config, output, remote};
use crate::model::Timestamp;
use crate::store::{self, BackupError, Contents};

/// What to do with the database.
#[derive(Debug, Clone, Subcommand)]
pub enum DbCommand {
    /// Check that the database is whole (also while the daemon runs)
    Check {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Copy the database to FILE (also while the daemon runs)
    Backup {
        /// Where to; replaced if it exists
        file: PathBuf,
    },
    /// Replace the database by the backup FILE (the daemon must be stopped)
    Restore {
        /// Where from
        file: PathBuf,
    },
}

/// Runs it and answers the exit code.
///
/// # Errors
/// When this user may not read the database, it cannot be done, or stdout cannot be written.
pub async fn run(command: DbCommand, context: &Context) -> anyhow::Result<u8> {
    let now = context.clock.now();
    let config = load_config(context)?;
    let path = config.storage.path;
    let what = match command {
        DbCommand::Check { .. } => "checking the database",
        DbCommand::Backup { .. } => "copying the database",
        DbCommand::Restore { .. } => "restoring the database",
    };
    let audience = Audience::of(matches!(command, DbCommand::Check { json: true }));
    // What is not there is said below, by whoever misses it.
    remote::is_there(&path)?;
    let acting = tokio::task::spawn_blocking(move || act(&command, &path, now));
    output::print(&output::busy(what, audience, acting).await??)?;
    Ok(exit::OK)
}

/// Does it; answers what was done in one sentence, or what was found as JSON.
fn act(command: &DbCommand, path: &Path, now: Timestamp) -> Result<String, BackupError> {
    match command {
        DbCommand::Check { json: true } => {
            let Contents { schema, observations, incidents, owed, jobs, intents } =
                store::check(path)?;
            let contents = serde_json::json!({
                "path": path, "schema": schema, "observations": observations,
                "incidents": incidents, "owed": owed, "jobs": jobs, "intents": intents,
            });
            Ok(format!("{contents:#}"))
        }
        DbCommand::Check { json: false } => {
            let contents = store::check(path)?;
            Ok(format!(
                "{} is whole: schema {}, {} observations, {} incidents, {} deliveries owed, \
                 {} jobs, {} paid tests",
                path.display(),
                contents.schema,
                contents.observations,
                contents.incidents,
                contents.owed,
                contents.jobs,
                contents.intents
            ))
        }
        DbCommand::Backup { file } => {
            store::back_up_to(path, file)?;
            Ok(format!("{} is a checked copy of {}", file.display(), path.display()))
        }
        DbCommand::Restore { file } => match store::restore(path, file, now)? {
            Some(old) => Ok(format!(
                "{} is restored; what it was before is kept as {}",
                path.display(),
                old.display()
            )),
            None => Ok(format!("{} is restored", path.display())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::failure::consequences;
    use super::*;
    use crate::store::Store;

    fn code(error: BackupError) -> u8 {
        consequences(&error.into()).0
    }

    fn now() -> Timestamp {
        "2026-11-20T09:00:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn a_backup_taken_while_the_daemon_runs_can_be_restored_after_it_stopped() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.db");
        let copy = directory.path().join("copy.db");
        let opened = Store::open(&path, now()).unwrap();
        let backup = DbCommand::Backup { file: copy.clone() };
        act(&backup, &path, now()).unwrap();
        let check = |json| act(&DbCommand::Check { json }, &path, now()).unwrap();
        let found: serde_json::Value = serde_json::from_str(&check(true)).unwrap();
        let expected = serde_json::json!({
            "path": path, "schema": 5, "observations": 0, "incidents": 0, "owed": 0, "jobs": 0,
            "intents": 0,
        });
        assert_eq!(found, expected);
        let check = check(false);
        let nothing = "0 observations, 0 incidents, 0 deliveries owed, 0 jobs, 0 paid tests";
        assert!(check.ends_with(&format!("schema 5, {nothing}")), "{check}");

        let restore = DbCommand::Restore { file: copy };
        let refused = act(&restore, &path, now()).unwrap_err();
        assert_eq!(code(refused), exit::LOCKED);
        opened.store.close().await;
        let restored = act(&restore, &path, now()).unwrap();
        assert!(restored.contains("history.db.replaced-1795165200"), "{restored}");
        let again = Store::open(&path, now()).unwrap();
        assert_eq!(again.monitor_id, opened.monitor_id);
        assert_eq!(again.repairs, Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_backup_never_takes_the_place_of_the_database_or_its_log() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.db");
        let opened = Store::open(&path, now()).unwrap();
        let link = directory.path().join("link.db");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let wal = directory.path().join("history.db-wal");
        assert!(wal.exists(), "the log of a daemon that writes");
        for file in [path.clone(), link, wal] {
            let refused = act(&DbCommand::Backup { file }, &path, now()).unwrap_err();
            assert!(matches!(refused, BackupError::Itself { .. }), "{refused}");
        }
        opened.store.heartbeat(now()).await.unwrap();
        opened.store.close().await;
        assert!(act(&DbCommand::Check { json: false }, &path, now()).is_ok());
    }

    #[test]
    fn a_check_of_nothing_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let error =
            act(&DbCommand::Check { json: false }, &directory.path().join("none.db"), now())
                .unwrap_err();
        assert!(error.to_string().ends_with("there is no such file"), "{error}");
        assert_eq!(code(error), exit::FAILED);
    }
}
