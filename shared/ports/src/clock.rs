//! Time and fresh identities, held by whoever runs us, so that a test can hold them.

use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;
use uuid::Uuid;

#[cfg(feature = "host")]
mod system;

#[cfg(feature = "host")]
pub use system::{RandomIds, SystemClock};

/// The time.
///
/// * It never goes backwards between two readings of one process.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Returns once `duration` has passed on this clock.
    async fn sleep(&self, duration: Duration);
    /// Returns once it is `then` on this clock; at once, if it is later already.
    async fn sleep_until(&self, then: Timestamp) {
        let left = Duration::try_from(then.duration_since(self.now()));
        // What is negative has passed.
        self.sleep(left.unwrap_or_default()).await;
    }
}

/// Fresh identities, for what a client asks us to create; never used inside steps.
pub trait Ids: Send + Sync {
    /// An identity nobody has.
    fn fresh(&self) -> Uuid;
}
