//! When to stop asking a VIM that does not answer, and when to try again.
//!
//! ```text
//!   CLOSED ──failures in a row──▶ OPEN ──pause over──▶ one trial ──works──▶ CLOSED
//!                                  ▲                       │
//!                                  └────fails, pause doubles┘
//! ```

use jiff::{SignedDuration, Timestamp};

/// What is remembered of one VIM's silence.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Breaker {
    /// Calls without an answer, one after the other.
    failures: u32,
    /// No call before this.
    not_before: Option<Timestamp>,
    /// Whether the one trial after a pause is under way.
    trying: bool,
}

impl Breaker {
    /// So many failures in a row open it.
    pub const FAILURES: u32 = 10;
    /// The first pause, in seconds.
    pub const FIRST_PAUSE: i64 = 5;
    /// The longest pause, in seconds.
    pub const LONGEST_PAUSE: i64 = 60;

    /// Whether a call may go out now; if not, how long to wait.
    pub fn admit(&mut self, now: Timestamp) -> Result<(), SignedDuration> {
        match self.not_before {
            None => Ok(()),
            Some(then) if now < then => Err(then.duration_since(now)),
            Some(_) if self.trying => Err(SignedDuration::from_secs(Self::FIRST_PAUSE)),
            Some(_) => {
                self.trying = true;
                Ok(())
            }
        }
    }

    /// The VIM answered, whatever it said.
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// The VIM did not answer, or said that it cannot for now.
    pub fn failed(&mut self, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.trying = false;
        let Some(beyond) = self.failures.checked_sub(Self::FAILURES) else { return };
        let pause = Self::FIRST_PAUSE << beyond.min(8);
        let pause = SignedDuration::from_secs(pause.min(Self::LONGEST_PAUSE));
        self.not_before = Some(now.checked_add(pause).unwrap_or(Timestamp::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..Breaker::FAILURES {
            assert_eq!(breaker.admit(at(0)), Ok(()));
            breaker.failed(at(0));
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_an_answer_between_them_does_not() {
        let mut breaker = Breaker::default();
        for n in 0..3 * Breaker::FAILURES {
            assert_eq!(breaker.admit(at(0)), Ok(()));
            if n % Breaker::FAILURES == 0 { breaker.answered() } else { breaker.failed(at(0)) }
        }
        assert_eq!(opened().admit(at(1)), Err(SignedDuration::from_secs(4)));
    }

    #[test]
    fn after_the_pause_one_trial_decides() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(at(5)), Ok(()));
        assert!(breaker.admit(at(5)).is_err());
        breaker.answered();
        assert_eq!(breaker.admit(at(5)), Ok(()));
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn every_failed_trial_doubles_the_pause_up_to_a_minute() {
        let mut breaker = opened();
        let mut now = 5;
        for pause in [10, 20, 40, 60, 60] {
            assert_eq!(breaker.admit(at(now)), Ok(()));
            breaker.failed(at(now));
            assert_eq!(breaker.admit(at(now)), Err(SignedDuration::from_secs(pause)));
            now += pause;
        }
    }
}
