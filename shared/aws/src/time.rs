//! The time of the machine a function runs on, and identities nobody has.

use async_trait::async_trait;
use jiff::Timestamp;
use mano_ports::clock::{Clock, Ids};
use std::{
    sync::atomic::{AtomicI64, Ordering::Relaxed},
    time::Duration,
};
use uuid::Uuid;

/// The machine's time; where the machine sets it back, it stands still until it is caught up.
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
        let last = self.last.fetch_max(read, Relaxed).max(read);
        Timestamp::from_nanosecond(last.into()).unwrap_or(Timestamp::MAX)
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Random identities.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn fresh(&self) -> Uuid {
        Uuid::new_v4()
    }
}
