//! One at a time per key: concurrent deliveries of one key take turns within this process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::OwnedMutexGuard;

type Turn = tokio::sync::Mutex<()>;

/// The keys somebody is busy with.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<String, Weak<Turn>>>);

impl Turns {
    /// So many forgotten keys are kept before they are swept.
    const SWEEP_AT: usize = 1024;

    /// Waits until nobody else holds `key`; it is given back when the guard is dropped.
    pub(super) async fn take(&self, key: &str) -> OwnedMutexGuard<()> {
        self.of(key).lock_owned().await
    }

    fn of(&self, key: &str) -> Arc<Turn> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(key).and_then(Weak::upgrade) {
            return turn;
        }
        if turns.len() >= Self::SWEEP_AT {
            turns.retain(|_, turn| turn.strong_count() > 0);
        }
        let turn = Arc::new(Turn::default());
        turns.insert(key.into(), Arc::downgrade(&turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_has_one_holder_and_other_keys_do_not_wait() {
        let turns = Turns::default();
        let held = turns.take("a").await;
        assert!(turns.of("a").try_lock().is_err());
        let _other = turns.take("b").await;
        drop(held);
        let _again = turns.take("a").await;
    }

    #[test]
    fn forgotten_keys_take_no_memory() {
        let turns = Turns::default();
        for n in 0..10 * Turns::SWEEP_AT {
            drop(turns.of(&n.to_string()));
        }
        assert!(turns.0.lock().unwrap().len() <= Turns::SWEEP_AT);
    }
}
