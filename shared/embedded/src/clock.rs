//! A time that a test holds in its hand.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use mano_ports::clock::Clock;
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// A clock that stands still until it is told to move.
#[derive(Debug)]
pub struct HeldClock {
    state: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    now: Timestamp,
    /// Who sleeps until when, the earliest on top.
    sleepers: BinaryHeap<Reverse<Sleeper>>,
    /// Tells sleepers of the same instant apart, in the order they lay down.
    count: u64,
}

#[derive(Debug)]
struct Sleeper {
    until: Timestamp,
    place: u64,
    wake: oneshot::Sender<()>,
}

impl PartialEq for Sleeper {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Sleeper {}
impl PartialOrd for Sleeper {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Sleeper {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.until, self.place).cmp(&(other.until, other.place))
    }
}

impl HeldClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { state: Mutex::new(Held { now, sleepers: BinaryHeap::new(), count: 0 }) }
    }

    /// Lets `time` pass: whoever sleeps no longer than that wakes up.
    pub fn advance(&self, time: Duration) {
        let mut held = self.held();
        let then = later(held.now, time);
        wake(&mut held, then);
    }

    /// Jumps to the instant at which the next sleeper wakes, but not past `limit` from now;
    /// false: nobody sleeps that short.
    ///
    /// For a test whose every other part waits for that sleeper.
    pub fn jump(&self, limit: Duration) -> bool {
        let mut held = self.held();
        held.sleepers.retain(|Reverse(sleeper)| !sleeper.wake.is_closed());
        let next = held.sleepers.peek().map(|Reverse(sleeper)| sleeper.until);
        let Some(next) = next.filter(|next| *next <= later(held.now, limit)) else { return false };
        wake(&mut held, next);
        true
    }

    /// Sleeps; until when is said at the instant at which the sleep begins.
    async fn lie_down(&self, until: impl FnOnce(Timestamp) -> Timestamp) {
        let woken = {
            let mut held = self.held();
            let until = until(held.now);
            if until <= held.now {
                return;
            }
            let (wake, woken) = oneshot::channel();
            held.count += 1;
            let sleeper = Sleeper { until, place: held.count, wake };
            held.sleepers.push(Reverse(sleeper));
            woken
        };
        // The clock itself has gone: nothing more will happen on it.
        let _ = woken.await;
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for HeldClock {
    fn now(&self) -> Timestamp {
        self.held().now
    }

    async fn sleep(&self, duration: Duration) {
        self.lie_down(|now| later(now, duration)).await;
    }

    async fn sleep_until(&self, then: Timestamp) {
        self.lie_down(|_| then).await;
    }
}

fn wake(held: &mut Held, then: Timestamp) {
    held.now = held.now.max(then);
    while held.sleepers.peek().is_some_and(|Reverse(sleeper)| sleeper.until <= held.now) {
        if let Some(Reverse(sleeper)) = held.sleepers.pop() {
            // Whoever slept may have gone.
            let _ = sleeper.wake.send(());
        }
    }
}

fn later(now: Timestamp, time: Duration) -> Timestamp {
    let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
    now.checked_add(time).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_held_clock_wakes_whoever_is_due_and_nobody_else() {
        let clock = Arc::new(HeldClock::new(Timestamp::UNIX_EPOCH));
        let mut sleep = [5, 10].map(|seconds| {
            let clock = Arc::clone(&clock);
            Box::pin(async move { clock.sleep(Duration::from_secs(seconds)).await })
        });
        for sleep in &mut sleep {
            assert!(sleep.now_or_never().is_none());
        }
        clock.advance(Duration::from_secs(4));
        assert!((&mut sleep[0]).now_or_never().is_none());
        assert!(clock.jump(Duration::from_secs(60)));
        assert!((&mut sleep[0]).now_or_never().is_some());
        assert!((&mut sleep[1]).now_or_never().is_none());
        assert_eq!(clock.now().as_second(), 5);
        assert!(!clock.jump(Duration::from_secs(1)), "the other sleeps longer than that");
    }
}
