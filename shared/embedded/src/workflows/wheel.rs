//! The timers of the executions in memory, by time.

use mano_asl::TimerId;
use std::collections::{BTreeMap, BTreeSet};

/// When, whose, which.
type Entry = (i64, i64, TimerId);

/// Timers by time, and by execution.
#[derive(Debug, Default)]
pub(super) struct Wheel {
    by_time: BTreeSet<Entry>,
    by_owner: BTreeMap<(i64, TimerId), i64>,
}

impl Wheel {
    /// Sets a timer.
    pub(super) fn set(&mut self, owner: i64, timer: TimerId, at: i64) {
        self.cancel(owner, timer);
        self.by_owner.insert((owner, timer), at);
        self.by_time.insert((at, owner, timer));
    }

    /// Forgets a timer.
    pub(super) fn cancel(&mut self, owner: i64, timer: TimerId) {
        if let Some(at) = self.by_owner.remove(&(owner, timer)) {
            self.by_time.remove(&(at, owner, timer));
        }
    }

    /// Forgets every timer of an execution.
    pub(super) fn forget(&mut self, owner: i64) {
        let all = (owner, TimerId(0))..=(owner, TimerId(u64::MAX));
        let timers: Vec<TimerId> = self.by_owner.range(all).map(|((_, timer), _)| *timer).collect();
        for timer in timers {
            self.cancel(owner, timer);
        }
    }

    /// When the first timer fires.
    pub(super) fn first(&self) -> Option<i64> {
        self.by_time.first().map(|(at, ..)| *at)
    }

    /// Takes the first timer, if it is due.
    pub(super) fn due(&mut self, now: i64) -> Option<(i64, TimerId)> {
        let (at, owner, timer) = self.by_time.first().copied().filter(|(at, ..)| *at <= now)?;
        self.by_time.remove(&(at, owner, timer));
        self.by_owner.remove(&(owner, timer));
        Some((owner, timer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_fire_in_the_order_of_their_times_and_only_when_due() {
        let mut wheel = Wheel::default();
        for (owner, timer, at) in [(1, 1, 30), (2, 1, 10), (1, 2, 20), (3, 1, 20)] {
            wheel.set(owner, TimerId(timer), at);
        }
        wheel.cancel(3, TimerId(1));
        wheel.set(1, TimerId(1), 5);
        assert_eq!(wheel.first(), Some(5));
        assert_eq!(wheel.due(4), None);
        assert_eq!(wheel.due(100), Some((1, TimerId(1))));
        wheel.forget(2);
        assert_eq!(wheel.due(100), Some((1, TimerId(2))));
        assert_eq!(wheel.due(100), None);
    }
}
