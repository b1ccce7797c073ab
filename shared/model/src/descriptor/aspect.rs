//! Scaling aspects: which levels there are, and what lies between two of them.

use crate::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A scaling aspect of a network function or of a network service, its deltas resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Aspect {
    /// `aspectId`.
    pub id: String,
    /// For people.
    pub name: String,
    /// The highest level; the lowest is 0.
    pub max_level: u32,
    /// By step from level `i` to `i + 1`: how many instances of which unit or profile are added.
    pub steps: Vec<BTreeMap<String, u32>>,
}

impl Aspect {
    /// The level that is asked for, or reached from another.
    ///
    /// # Errors
    ///
    /// There is no such level.
    pub fn level(&self, reached: i64) -> Result<u32, Refusal> {
        u32::try_from(reached).ok().filter(|level| *level <= self.max_level).ok_or_else(|| {
            Refusal::unprocessable(format!(
                "scaling aspect '{}' has levels 0 to {}; this would reach level {reached}",
                self.id, self.max_level
            ))
        })
    }

    /// The steps between two levels, the lowest first.
    pub fn between(&self, a: u32, b: u32) -> impl Iterator<Item = &BTreeMap<String, u32>> {
        let index = |level: u32| usize::try_from(level).unwrap_or(usize::MAX);
        self.steps.iter().skip(index(a.min(b))).take(index(a.abs_diff(b)))
    }

    /// Makes the numbers of instances at one level those at another.
    pub fn walk(&self, counts: &mut BTreeMap<String, u32>, from: u32, to: u32) {
        for (id, by) in self.between(from, to).flatten() {
            let count = counts.entry(id.clone()).or_default();
            *count = if to > from { count.saturating_add(*by) } else { count.saturating_sub(*by) };
        }
    }
}
