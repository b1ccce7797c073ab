//! Randomness that can be replayed: everything random follows from a seed and where it is drawn.

use std::cell::Cell;

use sha2::{Digest, Sha256};

/// The secret of one execution, from which its tokens, jitter and random numbers follow.
pub type Seed = [u8; 32];

/// A place in an execution where random bits are drawn; each draw there has a number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    seed: &'a Seed,
    at: u64,
}

impl Place<'_> {
    /// A number in `0 ≤ x < 1`.
    pub(crate) fn unit(self, draw: u64) -> f64 {
        unit(&digest(self.seed, "draw", self.at, draw))
    }

    /// A version 4 UUID.
    pub(crate) fn uuid(self, draw: u64) -> String {
        uuid(&digest(self.seed, "draw", self.at, draw))
    }
}

/// The stream of random bits of one place.
pub(crate) struct Entropy<'a> {
    place: Place<'a>,
    drawn: Cell<u64>,
}

impl<'a> Entropy<'a> {
    /// The stream of the place with the number `at`.
    pub(crate) fn new(seed: &'a Seed, at: u64) -> Self {
        Self { place: Place { seed, at }, drawn: Cell::new(0) }
    }

    /// A place of its own for whoever counts draws by itself.
    pub(crate) fn place(&self) -> Place<'a> {
        // Far from the numbers of this stream's own draws.
        let at = self.place.at | (self.next() + 1) << 48;
        Place { seed: self.place.seed, at }
    }

    /// The next number in `0 ≤ x < 1`.
    pub(crate) fn unit(&self) -> f64 {
        self.place.unit(self.next())
    }

    /// The next version 4 UUID.
    pub(crate) fn uuid(&self) -> String {
        self.place.uuid(self.next())
    }

    fn next(&self) -> u64 {
        let drawn = self.drawn.get();
        self.drawn.set(drawn + 1);
        drawn
    }
}

/// 32 bytes that follow from the seed, a purpose and two numbers; unguessable without the seed.
pub(crate) fn digest(seed: &Seed, purpose: &str, first: u64, second: u64) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(seed);
    hash.update(purpose.as_bytes());
    hash.update(first.to_be_bytes());
    hash.update(second.to_be_bytes());
    hash.finalize().into()
}

/// The first 53 bits as a number in `0 ≤ x < 1`.
pub(crate) fn unit(bytes: &[u8; 32]) -> f64 {
    let high = bytes.iter().take(4).fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
    let low = bytes.iter().skip(4).take(3).fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
    (f64::from(high) + f64::from(low >> 3) / 2_097_152.0) / 4_294_967_296.0
}

/// Sixteen of the bytes as a version 4 UUID.
pub(crate) fn uuid(bytes: &[u8; 32]) -> String {
    let hex: String = bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let variant = match bytes[8] >> 6 {
        0 => '8',
        1 => '9',
        2 => 'a',
        _ => 'b',
    };
    format!(
        "{}-{}-4{}-{variant}{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_place_draws_the_same_and_another_place_another() {
        let draw = |place| Entropy::new(&[7; 32], place).uuid();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_ne!(draw(1), Entropy::new(&[8; 32], 1).uuid());
        let entropy = Entropy::new(&[7; 32], 1);
        assert_ne!(entropy.place().uuid(0), entropy.place().uuid(0));
    }

    #[test]
    fn a_uuid_says_that_it_is_version_four() {
        let uuid = Entropy::new(&[1; 32], 9).uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!(matches!(uuid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    }
}
