//! The way facts leave for OSS and BSS: EventBridge, or whoever listens on one machine.

use crate::error::Source;
use async_trait::async_trait;
use mano_model::plan::Announced;

/// Why the bus did not take an event.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be reached; the same call may succeed later.
    #[error("the event bus is unavailable")]
    Unavailable(#[source] Source),
}

/// The event bus.
///
/// * What was published is delivered at least once, with the fact's id, so that a
///   receiver can tell a second delivery.
/// * As many facts as there are, or none, are taken at a time.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Publishes facts: `source` = `mano`, `detail-type` = the fact's name, `detail` = the envelope.
    async fn publish(&self, facts: &[Announced]) -> Result<(), Error>;
}
