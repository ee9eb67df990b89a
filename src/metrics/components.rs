//! The mapped rows of status pages as a state set.
//!
//! Owns which rows have been seen per source. Does not decide which rows are mapped.
//! Invariant: a row that vanishes, or whose page cannot be read, is `unknown`, never what it last
//! was.

use std::collections::BTreeMap;

use super::catalogue::set;
use super::families::Families;
use crate::engine::page::{ComponentMap, slug};
use crate::model::{ComponentState, Page};

/// Rows per source at most: a page under attack must not fill the memory of whoever scrapes us.
const ROWS_MAX: usize = 64;

/// The slugs that have series, per source.
#[derive(Debug, Default)]
pub(super) struct Components {
    seen: BTreeMap<String, Vec<String>>,
}

impl Components {
    /// Shows what `page` says; `None` when it could not be read.
    pub(super) fn show(
        &mut self,
        families: &Families,
        source: &str,
        map: &ComponentMap,
        page: Option<&Page>,
    ) {
        let states = page.map(|page| states(page, map)).unwrap_or_default();
        let seen = self.seen.entry(source.to_owned()).or_default();
        for component in states.keys() {
            if !seen.contains(component) && seen.len() < ROWS_MAX {
                seen.push(component.clone());
            }
        }
        for component in seen {
            let state = states.get(component).copied().unwrap_or(ComponentState::Unknown);
            for member in ComponentState::ALL {
                let value = if member == state { 1.0 } else { 0.0 };
                set(&families.component_state, &[source, component, member.as_str()], value);
            }
        }
    }

    /// Removes the series of a source that is gone.
    pub(super) fn forget(&mut self, families: &Families, source: &str) {
        for component in self.seen.remove(source).unwrap_or_default() {
            for member in ComponentState::ALL {
                let labels = [source, component.as_str(), member.as_str()];
                families.component_state.remove_label_values(&labels).ok();
            }
        }
    }
}

/// The mapped rows by slug; the worst counts where two rows share a name.
fn states(page: &Page, map: &ComponentMap) -> BTreeMap<String, ComponentState> {
    let mut states = BTreeMap::new();
    for row in &page.components {
        if map.capability_of(row).is_some() {
            let state = states.entry(slug(&row.name)).or_insert(row.state);
            if row.state.severity() > state.severity() {
                *state = row.state;
            }
        }
    }
    states
}
