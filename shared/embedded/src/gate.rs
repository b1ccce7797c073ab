//! What runs just now, so that a stop can wait for it and let nothing new begin.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// A gate that counts who is inside.
#[derive(Clone)]
pub(crate) struct Gate {
    places: Arc<Semaphore>,
    closing: watch::Sender<bool>,
}

/// Somebody inside; gone when dropped.
pub(crate) struct Inside {
    _place: OwnedSemaphorePermit,
}

/// More than can ever be inside at once.
const PLACES: u32 = 1 << 24;

impl Gate {
    pub(crate) fn new() -> Self {
        let closing = watch::Sender::new(false);
        Self { places: Arc::new(Semaphore::new(PLACES as usize)), closing }
    }

    /// A place inside, unless the gate is closed.
    pub(crate) fn enter(&self) -> Option<Inside> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some(Inside { _place: place })
    }

    /// How many are inside.
    pub(crate) fn inside(&self) -> usize {
        (PLACES as usize).saturating_sub(self.places.available_permits())
    }

    /// Returns when the gate begins to close: whoever only waits inside should leave.
    pub(crate) async fn closing(&self) {
        // The sender lives as long as this, so the wait ends only by a close.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }

    /// Lets nobody in any more and returns when everybody has left.
    pub(crate) async fn close(&self) {
        self.closing.send_replace(true);
        // Waiting for all places makes the semaphore refuse `try_acquire` from now on.
        if let Ok(all) = Arc::clone(&self.places).acquire_many_owned(PLACES).await {
            all.forget();
            self.places.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn a_closing_gate_waits_for_those_inside_and_lets_nobody_in() {
        let gate = Gate::new();
        let inside = gate.enter().expect("open");
        let mut closing = Box::pin(gate.close());
        assert!((&mut closing).now_or_never().is_none());
        assert!(gate.enter().is_none(), "closing");
        drop(inside);
        closing.await;
        assert!(gate.enter().is_none(), "closed");
    }
}
