//! When to fetch an issuer's keys again, and how long old ones count.
//!
//! ```text
//!   NONE ──fetched──▶ FRESH ──an hour──▶ OLD ──a day──▶ NONE
//!     └ again after seconds  └ again after a minute at most, also for an unknown key
//! ```

use super::keys::KeySet;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// So long keys are used without asking whether there are new ones.
pub(super) const FRESH: SignedDuration = SignedDuration::from_hours(1);
/// So long keys are used while the issuer cannot be reached.
pub(super) const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// Between two attempts while there are keys.
pub(super) const PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// Between two attempts while there are none.
pub(super) const SHORT_PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// The keys we have, and when we last asked for some.
#[derive(Debug, Default)]
pub(super) struct Cache {
    keys: Option<(Arc<KeySet>, Timestamp)>,
    asked: Option<Timestamp>,
}

/// What to do for a token.
#[derive(Debug)]
pub(super) enum Next {
    /// Check it with these.
    Use(Arc<KeySet>),
    /// Ask for keys first.
    Fetch,
    /// There are none, and it is too soon to ask again.
    Wait,
}

impl Cache {
    /// What to do for a token; `beyond` are keys that were not enough for it.
    pub(super) fn next(&self, beyond: Option<&Arc<KeySet>>, now: Timestamp) -> Next {
        let age = |since| now.duration_since(since);
        let kept = self.keys.as_ref().filter(|(_, since)| age(*since) < KEPT);
        let pause = if kept.is_some() { PAUSE } else { SHORT_PAUSE };
        let rested = self.asked.is_none_or(|asked| age(asked) >= pause);
        let Some((keys, since)) = kept else {
            return if rested { Next::Fetch } else { Next::Wait };
        };
        let enough = beyond.is_none_or(|beyond| !Arc::ptr_eq(beyond, keys));
        if rested && (!enough || age(*since) >= FRESH) {
            return Next::Fetch;
        }
        Next::Use(Arc::clone(keys))
    }

    /// Keys are asked for.
    pub(super) const fn asking(&mut self, now: Timestamp) {
        self.asked = Some(now);
    }

    /// They came.
    pub(super) fn fetched(&mut self, keys: KeySet, now: Timestamp) {
        self.keys = Some((Arc::new(keys), now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn keys() -> KeySet {
        let x = "A".repeat(43);
        let text = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#);
        KeySet::parse(text.as_bytes()).unwrap()
    }

    fn fetched(second: i64) -> Cache {
        let mut cache = Cache::default();
        cache.asking(at(second));
        cache.fetched(keys(), at(second));
        cache
    }

    #[test]
    fn without_keys_it_asks_and_asks_again_after_a_few_seconds() {
        let mut cache = Cache::default();
        assert!(matches!(cache.next(None, at(0)), Next::Fetch));
        cache.asking(at(0));
        assert!(matches!(cache.next(None, at(4)), Next::Wait));
        assert!(matches!(cache.next(None, at(5)), Next::Fetch));
    }

    #[test]
    fn an_unknown_key_makes_it_ask_at_most_once_a_minute() {
        let cache = fetched(0);
        let Next::Use(had) = cache.next(None, at(1)) else { panic!("they are fresh") };
        assert!(matches!(cache.next(Some(&had), at(59)), Next::Use(_)));
        assert!(matches!(cache.next(Some(&had), at(60)), Next::Fetch));
        let elsewhere = Arc::new(keys());
        assert!(matches!(cache.next(Some(&elsewhere), at(60)), Next::Use(_)), "newer ones came");
    }

    #[test]
    fn old_keys_count_for_a_day_while_new_ones_cannot_be_had() {
        let mut cache = fetched(0);
        let hour = FRESH.as_secs();
        assert!(matches!(cache.next(None, at(hour - 1)), Next::Use(_)));
        for second in (hour..KEPT.as_secs()).step_by(60) {
            assert!(matches!(cache.next(None, at(second)), Next::Fetch), "{second}");
            cache.asking(at(second));
            assert!(matches!(cache.next(None, at(second)), Next::Use(_)), "{second}");
        }
        let day = KEPT.as_secs();
        cache.asking(at(day));
        assert!(matches!(cache.next(None, at(day)), Next::Wait), "never open, never for ever");
    }
}
