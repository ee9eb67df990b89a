//! One instance per state directory.
//!
//! Owns the file `lock` and the directory itself. The lock is the kernel's (it ends with the
//! process, however that ends); the pid in the file is only there to be told.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::OpenError;

/// The lock of a state directory, as long as it lives.
#[derive(Debug)]
pub(super) struct InstanceLock(File);

impl Drop for InstanceLock {
    /// Closing is not enough: a child that is just being started may still hold a copy.
    fn drop(&mut self) {
        drop(self.0.unlock());
    }
}

/// Creates the state directory (0700) unless it exists, and takes its lock.
pub(super) fn take(directory: &Path) -> Result<InstanceLock, OpenError> {
    let unusable = |source| OpenError::Directory { directory: directory.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(unusable)?;
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(directory.join("lock"))
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => {
            write_pid(&mut file).map_err(unusable)?;
            Ok(InstanceLock(file))
        }
        Err(TryLockError::WouldBlock) => {
            Err(OpenError::Locked { directory: directory.to_owned(), pid: holder(&mut file) })
        }
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> String {
    let mut pid = String::new();
    match file.take(20).read_to_string(&mut pid) {
        Ok(_) if !pid.trim().is_empty() => pid.trim().to_owned(),
        // Between taking the lock and writing the pid.
        Ok(_) | Err(_) => "unknown".to_owned(),
    }
}
