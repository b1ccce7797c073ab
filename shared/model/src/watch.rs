//! Work a VIM goes on with by itself, whom to tell, and how long to wait.

use crate::{
    ids,
    plan::{Document, Kind},
    step::Verb,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A step that waits for a VIM: `{operation}/{step}`.
///
/// It holds the task token, so it is never shown to anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Watch {
    /// The operation occurrence.
    pub op_id: String,
    /// The step: the name of its resource.
    pub name: String,
    /// What was asked.
    pub verb: Verb,
    /// The run that asked.
    pub run: u64,
    /// The token the workflow waits on.
    pub token: String,
    /// When this run began to wait.
    pub since: Timestamp,
}

impl Document for Watch {
    const KIND: Kind = Kind::Watch;
    fn id(&self) -> String {
        crate::step::Step::id_of(&self.op_id, &self.name)
    }
}

impl Watch {
    /// So long a VIM may take for one resource.
    pub const PATIENCE: Duration = Duration::from_secs(30 * 60);
    /// The longest pause between two looks.
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(60);

    /// A later delivery of the same run goes on waiting from when the first began.
    #[must_use]
    pub fn since(before: Option<&Self>, run: u64, now: Timestamp) -> Timestamp {
        before.filter(|watch| watch.run == run).map_or(now, |watch| watch.since)
    }

    /// Whether the VIM has had its time.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        let patience = SignedDuration::try_from(Self::PATIENCE).unwrap_or(SignedDuration::MAX);
        now.duration_since(self.since) >= patience
    }

    /// The pause before look number `attempt` (from 0), where the VIM suggests `suggested`.
    ///
    /// It doubles, because a VIM that is late is seldom late by little; and it is up to a quarter
    /// shorter by whose it is, so that looks which began together do not stay together.
    #[must_use]
    pub fn pause(&self, suggested: Duration, attempt: u32) -> Duration {
        let first = suggested.max(Duration::from_millis(100));
        let whole = first.saturating_mul(1 << attempt.min(10)).min(Self::LONGEST_PAUSE);
        if attempt == 0 {
            return whole;
        }
        let lot = ids::derived(&[&self.op_id, &self.name, &attempt.to_string()]).as_bytes()[0];
        whole - whole / 4 * u32::from(lot) / 255
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(run: u64, since: i64) -> Watch {
        Watch {
            op_id: "op".into(),
            name: "a-1".into(),
            verb: Verb::Ensure,
            run,
            token: "t".into(),
            since: Timestamp::from_second(since).unwrap(),
        }
    }

    #[test]
    fn pauses_grow_from_what_the_vim_suggests_to_a_minute() {
        let watch = watch(0, 0);
        assert_eq!(watch.pause(Duration::from_secs(8), 0), Duration::from_secs(8));
        for (attempt, whole) in [(1, 16), (2, 32), (3, 60), (4, 60), (u32::MAX, 60)] {
            let pause = watch.pause(Duration::from_secs(8), attempt);
            let whole = Duration::from_secs(whole);
            assert!(whole * 3 / 4 <= pause && pause <= whole, "{attempt}: {pause:?}");
        }
        assert_eq!(watch.pause(Duration::ZERO, 0), Duration::from_millis(100));
    }

    #[test]
    fn looks_that_began_together_do_not_stay_together() {
        let pauses: std::collections::BTreeSet<_> = (0..20)
            .map(|n| Watch { name: format!("a-{n}"), ..watch(0, 0) })
            .map(|watch| watch.pause(Duration::from_secs(8), 3))
            .collect();
        assert!(pauses.len() > 15, "{pauses:?}");
    }

    #[test]
    fn a_redelivery_does_not_start_the_patience_anew_but_a_new_run_does() {
        let now = Timestamp::from_second(5000).unwrap();
        let before = watch(1, 1000);
        assert_eq!(Watch::since(Some(&before), 1, now).as_second(), 1000);
        assert_eq!(Watch::since(Some(&before), 2, now), now);
        assert_eq!(Watch::since(None, 1, now), now);
    }

    #[test]
    fn the_patience_ends_after_half_an_hour() {
        let watch = watch(0, 0);
        assert!(!watch.is_overdue(Timestamp::from_second(1799).unwrap()));
        assert!(watch.is_overdue(Timestamp::from_second(1800).unwrap()));
        assert_eq!(Watch::PATIENCE.as_secs(), 1800);
    }
}
