//! A digest in the making, which can be put away as text and taken up again.

use std::fmt::Write as _;

use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Sha224, Sha256, Sha384, Sha512};

use crate::integrity::Algorithm;

/// A digest of what came so far.
pub(crate) struct Digest(Box<dyn Making>);

/// What all algorithms can.
trait Making {
    fn update(&mut self, bytes: &[u8]);
    fn hex(self: Box<Self>) -> String;
    fn state(&self) -> String;
}

impl<D: sha2::Digest + SerializableState> Making for D {
    fn update(&mut self, bytes: &[u8]) {
        sha2::Digest::update(self, bytes);
    }

    fn hex(self: Box<Self>) -> String {
        hex(&self.finalize())
    }

    fn state(&self) -> String {
        hex(&self.serialize())
    }
}

/// What was put away as `state`.
fn again<D: sha2::Digest + SerializableState + 'static>(state: &[u8]) -> Option<Digest> {
    let state = SerializedState::<D>::try_from(state).ok()?;
    Some(Digest(Box::new(D::deserialize(&state).ok()?)))
}

impl Digest {
    /// Of nothing yet.
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha224 => Self(Box::new(Sha224::default())),
            Algorithm::Sha256 => Self(Box::new(Sha256::default())),
            Algorithm::Sha384 => Self(Box::new(Sha384::default())),
            Algorithm::Sha512 => Self(Box::new(Sha512::default())),
        }
    }

    /// Of what had come when `state` was put away; nothing where it is no such state.
    pub(crate) fn again(algorithm: Algorithm, state: &str) -> Option<Self> {
        let state = bytes(state)?;
        match algorithm {
            Algorithm::Sha224 => again::<Sha224>(&state),
            Algorithm::Sha256 => again::<Sha256>(&state),
            Algorithm::Sha384 => again::<Sha384>(&state),
            Algorithm::Sha512 => again::<Sha512>(&state),
        }
    }

    /// More comes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest, in lower-case hexadecimal.
    pub(crate) fn hex(self) -> String {
        self.0.hex()
    }

    /// What [`Digest::again`] takes up.
    pub(crate) fn state(&self) -> String {
        self.0.state()
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where this fails, `sha2` writes its states in another form: what an older release put away
    /// must not be taken up any more, so give the states a mark of their own.
    #[test]
    fn what_is_put_away_keeps_its_form() {
        let mut digest = Digest::new(Algorithm::Sha256);
        digest.update(b"abc");
        let state = digest.state();
        assert!(state.starts_with("67e6096a85ae67bb"), "FIPS 180-4, 5.3.3, little-endian: {state}");
        assert!(state[64..].starts_with("0000000000000000"), "{state}");
        assert_eq!(state.len(), 2 * (32 + 8 + 64), "{state}");
    }

    #[test]
    fn a_digest_taken_up_again_is_that_of_all_that_came() {
        let text: Vec<u8> = (0..1000_u32).flat_map(u32::to_le_bytes).collect();
        for algorithm in Algorithm::ALL {
            let whole = algorithm.digest(&mut text.as_slice()).expect("memory");
            for cut in [0, 1, 63, 64, 127, 128, 1001, text.len()] {
                let mut digest = Digest::new(algorithm);
                digest.update(&text[..cut]);
                let mut digest = Digest::again(algorithm, &digest.state()).expect("its own state");
                digest.update(&text[cut..]);
                assert_eq!(digest.hex(), whole, "{} cut at {cut}", algorithm.name());
            }
        }
    }

    #[test]
    fn what_is_no_state_is_not_taken_up() {
        let state = Digest::new(Algorithm::Sha256).state();
        for broken in ["", "zz", "é", &state[2..], &state.replace('0', "f")] {
            assert!(Digest::again(Algorithm::Sha256, broken).is_none(), "{broken}");
        }
        assert!(Digest::again(Algorithm::Sha512, &state).is_none());
    }
}
