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

/// Why a call may not go out now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    /// So many calls in a row had no answer.
    pub failures: u32,
    /// No call before this.
    pub until: Timestamp,
}

impl Breaker {
    /// So many failures in a row open it.
    pub const FAILURES: u32 = 10;
    /// The first pause, in seconds.
    pub const FIRST_PAUSE: i64 = 5;
    /// The longest pause, in seconds.
    pub const LONGEST_PAUSE: i64 = 60;

    /// Whether a call may go out now.
    ///
    /// # Errors
    /// It rests; or its one trial is under way, and says in a moment how it goes on.
    pub fn admit(&mut self, now: Timestamp) -> Result<(), Rest> {
        let rest = |until| Err(Rest { failures: self.failures, until });
        match self.not_before {
            None => Ok(()),
            Some(then) if now < then => rest(then),
            Some(_) if self.trying => rest(after(now, Self::FIRST_PAUSE)),
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
        self.not_before = Some(after(now, pause.min(Self::LONGEST_PAUSE)));
    }
}

fn after(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
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
        let rest = Rest { failures: Breaker::FAILURES, until: at(5) };
        assert_eq!(opened().admit(at(1)), Err(rest));
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
        for (failures, pause) in (Breaker::FAILURES + 1..).zip([10, 20, 40, 60, 60]) {
            assert_eq!(breaker.admit(at(now)), Ok(()));
            breaker.failed(at(now));
            let rest = Rest { failures, until: at(now + pause) };
            assert_eq!(breaker.admit(at(now)), Err(rest));
            now += pause;
        }
    }
}
