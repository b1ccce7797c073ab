//! SHA-256 of contents.

use sha2::{Digest, Sha256};
use std::io::{self, Read};

/// A SHA-256.
pub type Sum = [u8; 32];

/// The sum of content that is here.
#[must_use]
pub fn of(content: &[u8]) -> Sum {
    Sha256::digest(content).into()
}

/// The sum of everything in a reader, and how many bytes that is.
///
/// # Errors
/// When reading fails.
pub fn of_all(reader: &mut dyn Read) -> io::Result<(Sum, u64)> {
    let (mut sum, mut buffer, mut size) = (Sha256::new(), vec![0; 256 << 10], 0);
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok((sum.finalize().into(), size)),
            count => {
                sum.update(&buffer[..count]);
                size += count as u64;
            }
        }
    }
}
