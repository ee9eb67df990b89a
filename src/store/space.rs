//! The room that the disk has left, and the ballast that is thrown off when it has none (facts I28).
//!
//! Owns the ballast: a file beside the database that only takes 8 MiB, so that on a disk that others
//! filled there is room for the last incidents and messages, and for retention, which cannot delete
//! on a full disk. Does not own what little room means: that is `engine::room`'s. Invariant: the
//! ballast is never laid where others may need its place.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use tracing::{info, warn};

use super::backup::{beside, directory_of};
use crate::engine::room::{LOW_BYTES, Room};

/// Enough for hours of incidents and messages, and for SQLite's own needs.
const BALLAST_BYTES: u64 = 8 << 20;

/// With less free than this, no ballast is laid.
const BALLAST_FROM_BYTES: u64 = 256 << 20;

/// Bytes that are free for us on the disk that holds `path`; `None` where the file system does not
/// count (some network file systems say that they have no blocks at all).
pub(super) fn free_bytes(path: &Path) -> io::Result<Option<u64>> {
    let disk = statvfs(directory_of(path))?;
    Ok((disk.f_blocks > 0).then(|| disk.f_bavail.saturating_mul(disk.f_frsize)))
}

/// True when so many bytes more leave ample room, or nobody can tell.
pub(super) fn is_room_for(path: &Path, bytes: u64) -> bool {
    let free_bytes = free_bytes(path).ok().flatten();
    free_bytes.is_none_or(|free| free >= bytes.saturating_add(LOW_BYTES))
}

/// What was done about room so far.
#[derive(Debug, Default)]
pub(super) struct Space {
    room: Room,
    /// Whether laying the ballast was tried since there was room for it: not again and again.
    has_tried: bool,
}

impl Space {
    /// Takes note of so many free bytes beside the database `path`; answers what they mean.
    pub(super) fn note(&mut self, path: &Path, free_bytes: u64) -> Room {
        let after = self.room.after(free_bytes);
        let before = std::mem::replace(&mut self.room, after);
        if before != self.room {
            if let Some((_, text)) = self.room.warning() {
                warn!("{text}");
            } else {
                info!("the disk has room again: all checks are stored");
            }
        }
        let ballast = beside(path, ".ballast");
        if self.room == Room::Spent {
            self.has_tried = false;
            // Nothing is lost by trying again with the next look.
            drop(fs::remove_file(&ballast));
        } else if free_bytes >= BALLAST_FROM_BYTES && !self.has_tried {
            self.has_tried = true;
            if let Err(error) = lay(&ballast) {
                warn!(%error, "no room can be reserved for when the disk is full");
                drop(fs::remove_file(&ballast));
            }
        }
        self.room
    }
}

fn lay(ballast: &Path) -> io::Result<()> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(ballast)?;
    Ok(fallocate(&file, FallocateFlags::empty(), 0, BALLAST_BYTES)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn ballast_is_laid_on_a_roomy_disk_alone_and_thrown_off_on_a_full_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.db");
        let ballast = || fs::metadata(beside(&path, ".ballast")).map(|file| file.len()).ok();
        let mut space = Space::default();
        for (free, room, expected) in [
            (255, Room::Ample, None),
            (256, Room::Ample, Some(BALLAST_BYTES)),
            (63, Room::Low, Some(BALLAST_BYTES)),
            (7, Room::Spent, None),
            (15, Room::Spent, None),
            (100, Room::Ample, None),
            (300, Room::Ample, Some(BALLAST_BYTES)),
        ] {
            assert_eq!(space.note(&path, free * MIB), room, "{free}");
            assert_eq!(ballast(), expected, "{free}");
        }
    }

    #[test]
    fn free_bytes_are_those_of_the_disk_that_holds_the_database() {
        let directory = tempfile::tempdir().unwrap();
        let free = free_bytes(&directory.path().join("history.db")).unwrap();
        assert!(free.is_some_and(|bytes| bytes > 0));
        assert!(!is_room_for(&directory.path().join("history.db"), u64::MAX));
        assert!(free_bytes(&directory.path().join("no/such/history.db")).is_err());
    }
}
