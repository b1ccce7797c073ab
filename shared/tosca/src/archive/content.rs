//! One file of an archive as a stream that ends where the directory says, with its checksum.

use std::io::{self, BufReader, Read, Take};

use flate2::bufread::DeflateDecoder;

/// Packed bytes read at once.
const BUFFER: usize = 64 << 10;

/// The bytes of one entry. Reading past its declared size or with a wrong checksum is an error.
pub struct Content<'a> {
    packing: Packing<'a>,
    left: u64,
    crc: crc32fast::Hasher,
    expected: u32,
}

enum Packing<'a> {
    Stored(Take<&'a mut dyn Read>),
    Deflated(Box<DeflateDecoder<BufReader<Take<&'a mut dyn Read>>>>),
}

impl std::fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").field("left", &self.left).finish_non_exhaustive()
    }
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}

impl<'a> Content<'a> {
    pub(super) fn new(data: Take<&'a mut dyn Read>, deflated: bool, size: u64, crc: u32) -> Self {
        let packing = if deflated {
            Packing::Deflated(Box::new(DeflateDecoder::new(BufReader::with_capacity(BUFFER, data))))
        } else {
            Packing::Stored(data)
        };
        Self { packing, left: size, crc: crc32fast::Hasher::new(), expected: crc }
    }

    /// Goes on after so many bytes, of which this is the CRC-32.
    pub(super) fn after(self, bytes: u64, crc: u32) -> Self {
        let crc = crc32fast::Hasher::new_with_initial_len(crc, bytes);
        Self { left: self.left.saturating_sub(bytes), crc, ..self }
    }

    /// Whether it lies in the archive as it is.
    pub(crate) fn is_stored(&self) -> bool {
        matches!(self.packing, Packing::Stored(_))
    }

    /// Bytes that are still to come.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// CRC-32 of the bytes that came.
    pub(crate) fn crc(&self) -> u32 {
        self.crc.clone().finalize()
    }

    fn inner(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.packing {
            Packing::Stored(data) => data.read(buffer),
            Packing::Deflated(data) => data.read(buffer).map_err(|e| {
                let kind = e.kind();
                // What the decoder says of the data; anything else is the store's own failure.
                let corrupt = kind == io::ErrorKind::InvalidInput
                    || kind == io::ErrorKind::InvalidData
                    || kind == io::ErrorKind::UnexpectedEof;
                if corrupt { broken(&format!("it cannot be inflated: {e}")) } else { e }
            }),
        }
    }

    /// At the end: nothing may follow, and the checksum must hold.
    fn finish(&mut self) -> io::Result<usize> {
        if self.inner(&mut [0])? != 0 {
            return Err(broken("it is longer than the directory says"));
        }
        if self.crc() != self.expected {
            return Err(broken("its checksum (CRC-32) is wrong"));
        }
        Ok(0)
    }
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return self.finish();
        }
        let got = self.inner(&mut buffer[..most])?;
        if got == 0 {
            return Err(broken("it is shorter than the directory says"));
        }
        self.crc.update(&buffer[..got]);
        self.left -= got as u64;
        Ok(got)
    }
}
