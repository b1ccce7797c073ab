//! How long to wait before trying again: longer each time, and never all at the same moment.

use std::time::Duration;
use uuid::Uuid;

/// Between nothing and `base` doubled `attempt` times, at most `most` (full jitter).
pub(crate) fn jittered(attempt: u32, base: Duration, most: Duration) -> Duration {
    ceiling(attempt, base, most).mul_f64(share())
}

/// Between half and all of what [`jittered`] is at most (equal jitter): where so many attempts
/// must last for some time.
pub(crate) fn patient(attempt: u32, base: Duration, most: Duration) -> Duration {
    ceiling(attempt, base, most).mul_f64(0.5 + share() / 2.0)
}

fn ceiling(attempt: u32, base: Duration, most: Duration) -> Duration {
    base.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX)).min(most)
}

/// Anything from 0 to 1.
fn share() -> f64 {
    let (random, _) = Uuid::new_v4().as_u64_pair();
    // The version's bits lie low: the upper half is random all through.
    f64::from(u32::try_from(random >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_grows_to_its_limit_and_differs_each_time() {
        let (base, most) = (Duration::from_millis(10), Duration::from_secs(1));
        let longest = |attempt| (0..200).map(|_| jittered(attempt, base, most)).max();
        assert!(longest(0) <= Some(base));
        assert!(longest(3) > Some(base) && longest(3) <= Some(base * 8));
        assert!(longest(40) > Some(most / 2) && longest(40) <= Some(most));
    }

    #[test]
    fn a_patient_pause_is_never_short() {
        let (base, most) = (Duration::from_millis(10), Duration::from_secs(1));
        for (attempt, ceiling) in [(0, base), (3, base * 8), (40, most)] {
            let pauses: Vec<_> = (0..200).map(|_| patient(attempt, base, most)).collect();
            assert!(pauses.iter().all(|p| (ceiling / 2..=ceiling).contains(p)), "{pauses:?}");
            assert!(pauses.iter().any(|p| *p < ceiling * 3 / 4), "{pauses:?}");
            assert!(pauses.iter().any(|p| *p > ceiling * 3 / 4), "{pauses:?}");
        }
    }
}
