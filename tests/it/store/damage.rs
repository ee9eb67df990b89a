//! Bad files: moved aside, mended from a backup where there is one, never silently empty.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use heygen_monitor::engine::room::Room;
use heygen_monitor::model::EventKind;
use heygen_monitor::store::{self, BackupError, OpenError, Opened, Store};

use super::samples::{at, change, decision, incident, job, observed, owed, success};
use super::{open, query};

/// What happens to the file.
type Damage = fn(&Path);

/// A state directory whose backup holds incident 1 and whose database holds 2 as well.
async fn lived_in() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    for second in 0..2_000 {
        store.commit(&observed(success("api-read", second)), at(second)).await.unwrap();
    }
    store.flush().await.unwrap();
    add_incident(&store, 1).await;
    store.back_up(at(100)).await.unwrap();
    add_incident(&store, 2).await;
    store.close().await;
    directory
}

async fn add_incident(store: &Store, id: i64) {
    let mut decision = decision();
    decision.changes = vec![change(&incident(id, 70))];
    decision.owed = vec![owed("mail", Some(&incident(id, 70)), 1, EventKind::Opened)];
    store.commit(&decision, at(100)).await.unwrap();
}

fn names_like(directory: &Path, part: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.display().to_string().contains(part))
        .collect();
    paths.sort();
    paths
}

async fn incidents(store: &Store) -> Vec<i64> {
    let incidents = store.incidents(at(0), None, 10).await.unwrap();
    incidents.iter().map(|incident| incident.id).collect()
}

fn reopen(directory: &Path) -> Opened {
    Store::open(&directory.join("history.db"), at(200)).unwrap()
}

fn overwrite(path: &Path, offset: usize, bytes: usize) {
    let mut content = fs::read(path).unwrap();
    content[offset..offset + bytes].fill(0xA5);
    fs::write(path, content).unwrap();
}

#[tokio::test]
async fn damage_of_any_kind_is_moved_aside_and_the_backup_restored() {
    let kinds: [(&str, Damage); 5] = [
        ("garbage", |path| {
            fs::write(path, "not a database at all, not even nearly".repeat(500)).unwrap();
        }),
        ("header", |path| overwrite(path, 0, 100)),
        ("page", |path| {
            let pages = fs::metadata(path).unwrap().len() / 4_096;
            for page in 2..pages {
                overwrite(path, usize::try_from(page).unwrap() * 4_096, 64);
            }
        }),
        ("truncated", |path| {
            let content = fs::read(path).unwrap();
            fs::write(path, &content[..content.len() / 2]).unwrap();
        }),
        ("empty", |path| fs::write(path, "").unwrap()),
    ];
    for (kind, damage) in kinds {
        let directory = lived_in().await;
        let path = directory.path().join("history.db");
        damage(&path);
        let damaged = fs::read(&path).unwrap();
        let opened = reopen(directory.path());
        let [sentence] = opened.repairs.as_slice() else {
            panic!("{kind}: {:?}", opened.repairs);
        };
        assert!(sentence.contains("the backup of 2026-09-21T14:15:00Z was restored"), "{sentence}");
        assert_eq!(incidents(&opened.store).await, [1], "{kind}");
        let aside = names_like(directory.path(), "history.db.corrupt-");
        assert_eq!(fs::read(&aside[0]).unwrap(), damaged, "{kind}");
        opened.store.close().await;
        store::check(&path).unwrap();
        assert_eq!(reopen(directory.path()).repairs, Vec::<String>::new());
    }
}

#[tokio::test]
async fn without_a_backup_a_new_history_is_begun_and_said_so() {
    let directory = lived_in().await;
    for backup in names_like(directory.path(), ".backup-") {
        fs::remove_file(backup).unwrap();
    }
    overwrite(&directory.path().join("history.db"), 0, 4_096);
    let opened = reopen(directory.path());
    assert!(opened.repairs[0].contains("there is no backup"), "{:?}", opened.repairs);
    assert_eq!(incidents(&opened.store).await, Vec::<i64>::new());
    assert_eq!(names_like(directory.path(), ".corrupt-").len(), 1);
}

#[tokio::test]
async fn a_damaged_backup_is_passed_over_for_an_older_one() {
    let directory = lived_in().await;
    let newer = directory.path().join("history.db.backup-schema5-1790000150");
    fs::write(newer, "half a backup").unwrap();
    fs::write(directory.path().join("history.db"), "").unwrap();
    let opened = reopen(directory.path());
    assert_eq!(incidents(&opened.store).await, [1]);
}

#[tokio::test]
async fn a_lost_database_is_never_silently_empty() {
    let directory = lived_in().await;
    fs::remove_file(directory.path().join("history.db")).unwrap();
    let opened = reopen(directory.path());
    assert!(opened.repairs[0].contains("heygen-monitor db restore "), "{:?}", opened.repairs);
}

#[tokio::test]
async fn garbage_in_the_log_costs_only_what_was_in_the_log() {
    let directory = lived_in().await;
    fs::write(directory.path().join("history.db-wal"), vec![0xA5; 40_000]).unwrap();
    fs::write(directory.path().join("history.db-shm"), vec![0xA5; 32_768]).unwrap();
    let opened = reopen(directory.path());
    assert_eq!(incidents(&opened.store).await, [2, 1]);
}

#[tokio::test]
async fn a_newer_schema_is_refused_with_the_command_that_goes_back() {
    let directory = lived_in().await;
    let path = directory.path().join("history.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = fs::read(&path).unwrap();
    let error = Store::open(&path, at(200)).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 99, known: 5, .. }), "{error}");
    let [backup] = names_like(directory.path(), ".backup-").try_into().unwrap();
    let command = format!("heygen-monitor db restore {}", backup.display());
    assert!(error.hint().ends_with(&command), "{}", error.hint());
    assert_eq!(fs::read(&path).unwrap(), before);

    let aside = store::restore(&path, &backup, at(200)).unwrap().unwrap();
    assert_eq!(fs::read(aside).unwrap(), before);
    assert_eq!(incidents(&reopen(directory.path()).store).await, [1]);
}

#[tokio::test]
async fn only_a_sound_database_of_ours_can_be_restored() {
    let directory = lived_in().await;
    let path = directory.path().join("history.db");
    let before = fs::read(&path).unwrap();
    let bad = directory.path().join("bad.db");
    fs::write(&bad, "no").unwrap();
    store::restore(&path, &bad, at(200)).unwrap_err();
    store::restore(&path, &directory.path().join("none.db"), at(200)).unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(names_like(directory.path(), "partial").is_empty());
}

#[tokio::test]
async fn seven_automatic_backups_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    for day in 0..10 {
        store.back_up(at(day * 86_400)).await.unwrap();
    }
    let kept = names_like(directory.path(), ".backup-");
    assert_eq!(kept.len(), 7);
    assert!(kept[6].ends_with("history.db.backup-schema5-1790777600"));
    for backup in kept {
        store::check(&backup).unwrap();
    }
}

/// A file system of `size` that is unmounted at the end; `None` where that is not allowed.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(directory.path())
            .output()
            .is_ok_and(|output| output.status.success());
        mounted.then_some(Self(directory))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.path()).output());
    }
}

#[tokio::test]
async fn a_full_disk_stores_nothing_by_halves_and_resumes_by_itself() {
    let Some(disk) = SmallDisk::mount("1m") else {
        return;
    };
    let store = open(disk.path(), at(0));
    let ballast = disk.path().join("ballast");
    add_incident(&store, 1).await;
    fs::write(&ballast, vec![0; 2_000_000]).unwrap_err();
    let mut stored = 1;
    let error = loop {
        let mut decision = observed(success("api-read", stored));
        decision.changes = vec![change(&incident(stored + 1, 70))];
        decision.owed = vec![owed("mail", Some(&incident(stored + 1, 70)), 1, EventKind::Opened)];
        match store.commit(&decision, at(100)).await {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.operation, "commit");
    assert!(store.health().is_degraded);
    let plain = observed(success("web", 10));
    store.commit(&plain, at(100)).await.unwrap();
    assert_eq!(incidents(&store).await[0], stored);
    fs::remove_file(ballast).unwrap();
    add_incident(&store, stored + 1).await;
    assert!(!store.health().is_degraded);
    assert_eq!(incidents(&store).await[0], stored + 1);
    store.close().await;
    let owed = query(disk.path(), "SELECT count(*) FROM deliveries");
    assert_eq!(owed, [stored + 1]);
    let plain = query(disk.path(), "SELECT count(*) FROM observations");
    assert_eq!(plain, [stored], "one with each but the first, and the one that waited");
}

#[tokio::test]
async fn with_little_room_only_what_matters_is_stored_until_there_is_room_again() {
    let Some(disk) = SmallDisk::mount("100m") else {
        return;
    };
    let store = open(disk.path(), at(0));
    let others = disk.path().join("others");
    let seen = || query(disk.path(), "SELECT count(*) FROM observations")[0];
    let mut second = 0;
    for (taken_mib, room, expected) in
        [(0, Room::Ample, 2), (60, Room::Low, 3), (94, Room::Spent, 4), (0, Room::Ample, 6)]
    {
        fs::write(&others, vec![1; taken_mib << 20]).unwrap();
        store.look_at_room().await;
        assert_eq!(store.room(), room);
        second += 10;
        store.commit(&observed(success("web", second)), at(100)).await.unwrap();
        let mut urgent = observed(success("api-read", second));
        urgent.changes = vec![change(&incident(second, 70))];
        urgent.jobs = vec![job("v_1", second)];
        store.commit(&urgent, at(100)).await.unwrap();
        assert_eq!(seen(), expected, "{room:?}");
    }
    assert_eq!(incidents(&store).await.len(), 4);
    fs::write(&others, vec![1; 60 << 20]).unwrap();
    let refused = store.back_up(at(200)).await;
    assert!(matches!(refused, Err(BackupError::NoRoom { .. })), "{refused:?}");
}

/// As `sudo heygen-monitor db restore` does for the service; without being root there is no way to
/// make it somebody else's.
#[tokio::test]
async fn what_root_restores_stays_the_services() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let directory = lived_in().await;
    let path = directory.path().join("history.db");
    let backup = names_like(directory.path(), ".backup-").remove(0);
    std::os::unix::fs::chown(&path, Some(61_184), Some(61_184)).unwrap();
    store::restore(&path, &backup, at(200)).unwrap();
    let owner = || fs::metadata(&path).map(|metadata| (metadata.uid(), metadata.gid())).unwrap();
    assert_eq!(owner(), (61_184, 61_184));
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::chown(directory.path(), Some(61_185), Some(61_185)).unwrap();
    store::restore(&path, &backup, at(300)).unwrap();
    assert_eq!(owner(), (61_185, 61_185), "of whom the directory is");
}
