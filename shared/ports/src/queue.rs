//! Work for later: SQS, or a table on one machine. Hosts receive; functions only send.

use crate::error::Source;
use async_trait::async_trait;
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

/// The queue.
///
/// * What was sent is handled at least once, not before its delay, also after a crash.
/// * A message whose handling failed comes again, later each time; after its last attempt
///   it lies among the dead letters with the reason.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends one message.
    async fn send(&self, message: Message) -> Result<(), Error>;
}
