//! How much room the disk has left for history, and what people are told of it (facts I28).
//!
//! Owns the two marks. Measures nothing: the store does. Invariant: probing and telling go on
//! whatever the room; what is given up is observations that change nothing.

/// Below this only what matters is stored.
pub const LOW_BYTES: u64 = 64 << 20;
/// Below this the reserve is given up.
const SPENT_BYTES: u64 = 8 << 20;

/// How much room the disk has left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Room {
    /// Enough.
    #[default]
    Ample,
    /// Little: observations that change nothing are not stored.
    Low,
    /// Hardly any: the reserve was given up too.
    Spent,
}

impl Room {
    /// What so many free bytes mean after what was known before. What the reserve gave back is no
    /// new room, so only ample room ends [`Self::Spent`].
    #[must_use]
    pub fn after(self, free_bytes: u64) -> Self {
        if free_bytes >= LOW_BYTES {
            Self::Ample
        } else if self == Self::Spent || free_bytes < SPENT_BYTES {
            Self::Spent
        } else {
            Self::Low
        }
    }

    /// The key under which it is told, and the sentences; `None` while there is enough.
    pub fn warning(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Ample => None,
            Self::Low => Some((
                "disk_low",
                "The monitor's disk has less than 64 MiB left: checks that change nothing are not \
                 stored any more. Checks and messages go on. Free some space.",
            )),
            Self::Spent => Some((
                "disk_full",
                "The monitor's disk is full and its reserve of 8 MiB is given up: soon nothing can \
                 be stored. Checks and messages go on. Free some space now.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_is_low_none_is_spent_and_only_ample_room_ends_that() {
        let mib = |count: u64| count << 20;
        let mut room = Room::Ample;
        for (free_bytes, expected) in [
            (mib(64), Room::Ample),
            (mib(64) - 1, Room::Low),
            (mib(8), Room::Low),
            (mib(8) - 1, Room::Spent),
            (mib(16), Room::Spent),
            (mib(64) - 1, Room::Spent),
            (mib(64), Room::Ample),
            (0, Room::Spent),
        ] {
            room = room.after(free_bytes);
            assert_eq!(room, expected, "{free_bytes}");
        }
    }
}
