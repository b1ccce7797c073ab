//! Work for later: SQS, or a table on one machine. Hosts receive; functions only send.

use crate::error::Source;
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// Why the queue did not take a message.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be reached; the same call may succeed later.
    #[error("the queue is unavailable")]
    Unavailable(#[source] Source),
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Which queue: a row of a function's `consumers`.
    pub queue: &'static str,
    /// Messages of one group are handled one after the other, in order.
    pub group: String,
    /// The same id within five minutes is one message.
    pub dedup: String,
    /// Not before this has passed.
    pub delay: Duration,
    /// What it says, with the tenant in it.
    pub body: Value,
}

/// A message that nobody could handle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its name, once per queue and for ever; the older, the smaller.
    pub id: u64,
    /// The queue it was sent to.
    pub queue: String,
    /// Its group.
    pub group: String,
    /// When it was given up.
    pub at: Timestamp,
    /// What its last attempt failed with.
    pub reason: String,
    /// What it says.
    pub body: Value,
}

/// The queue.
///
/// * What was sent is handled at least once, not before its delay, also after a crash.
/// * A message whose handling failed comes again, later each time; after its last attempt
///   it lies among the dead letters with the reason, until somebody sends it once more.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends one message.
    async fn send(&self, message: Message) -> Result<(), Error>;

    /// The oldest dead letters, at most so many; none where nothing ever dies.
    async fn dead_letters(&self, _limit: usize) -> Result<Vec<DeadLetter>, Error> {
        Ok(Vec::new())
    }

    /// Sends a dead letter once more, as if it were new; one that is gone was sent already.
    async fn redrive(&self, _id: u64) -> Result<(), Error> {
        Ok(())
    }
}
