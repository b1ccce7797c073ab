//! The way out for facts on one machine: whoever subscribed hears them.

use async_trait::async_trait;
use mano_model::plan::Announced;
use mano_ports::bus::{Bus, Error};
use std::sync::Arc;
use tokio::sync::broadcast;

/// A subscriber that is further behind than this misses facts, and is told how many.
const BACKLOG: usize = 4096;

/// A bus inside this process; it keeps nothing for those who are not there.
pub struct LocalBus {
    out: broadcast::Sender<Arc<Announced>>,
}

impl Default for LocalBus {
    fn default() -> Self {
        Self { out: broadcast::Sender::new(BACKLOG) }
    }
}

impl LocalBus {
    /// Everything published from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Announced>> {
        self.out.subscribe()
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn publish(&self, facts: &[Announced]) -> Result<(), Error> {
        for fact in facts {
            // An error says that nobody listens, which is fine.
            let _ = self.out.send(Arc::new(fact.clone()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use mano_ports::contract::bus::Fresh;

    fn fresh() -> Fresh {
        let bus = Arc::new(LocalBus::default());
        let heard = Box::new(testing::Bus::of(&bus));
        Fresh { bus, heard, keep: Box::new(()) }
    }

    mano_ports::bus_contract!(fresh());
}
