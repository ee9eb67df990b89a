//! What was said when: the past of a capability and of a row on a status page.

use super::{Blame, Capability, ComponentState, Reason, State, Timestamp};

/// From `at` on the verdict said this of a capability, until its next change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapabilityChange {
    /// Of which.
    pub capability: Capability,
    /// When that was decided.
    pub at: Timestamp,
    /// Whether it could be used.
    pub state: State,
    /// Whose move it was.
    pub blame: Blame,
    /// Why.
    pub reason: Reason,
}

impl CapabilityChange {
    /// True when both say the same of the same capability, whenever it was.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let said = |one: &Self| (one.capability, one.state, one.blame, one.reason);
        said(self) == said(other)
    }
}

/// From `at` on a row of a status page showed this, until its next change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentChange {
    /// Name of the source.
    pub source: String,
    /// Id of the row, where the product has one, else its name.
    pub component: String,
    /// Name as shown.
    pub name: String,
    /// When it was read.
    pub at: Timestamp,
    /// What it showed.
    pub state: ComponentState,
}
