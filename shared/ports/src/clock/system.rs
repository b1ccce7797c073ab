//! The time of the machine, and random identities: the same wherever the functions run.

use super::{Clock, Ids};
use async_trait::async_trait;
use jiff::Timestamp;
use std::{
    sync::atomic::{AtomicI64, Ordering::Relaxed},
    time::Duration,
};
use uuid::Uuid;

/// The machine's clock; where the machine sets it back, it stands still until it is caught up.
#[derive(Debug, Default)]
pub struct SystemClock {
    /// The latest reading, in nanoseconds since 1970.
    last: AtomicI64,
}

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the clock takes its time from")]
    fn now(&self) -> Timestamp {
        let read = i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
        let latest = self.last.fetch_max(read, Relaxed).max(read);
        Timestamp::from_nanosecond(latest.into()).unwrap_or(Timestamp::MAX)
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Random identities (UUID version 4).
#[derive(Debug, Default, Clone, Copy)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn fresh(&self) -> Uuid {
        Uuid::new_v4()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_clock_never_goes_back() {
        let clock = SystemClock::default();
        let before = clock.now();
        clock.last.fetch_add(3_600_000_000_000, Relaxed);
        let ahead = clock.now();
        assert!(ahead > before, "{before} {ahead}");
        assert_eq!(clock.now(), ahead);
    }
}
