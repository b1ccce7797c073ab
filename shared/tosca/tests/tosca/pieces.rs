//! Archives read in pieces: the same verdict as at once, and hardly a byte read twice.

use std::cell::Cell;
use std::io::{Cursor, Error, ErrorKind, Read, Result as IoResult, Seek, SeekFrom, Write};
use std::rc::Rc;

use mano_tosca::{Limits, Memory, Mode, Reading, Refusal, VnfPackage, inspect_vnf, resume_vnf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::support::Files;

/// A large file that lies in the archive as it is.
const STORED: &str = "Files/stored.bin";
/// A large one that is compressed.
const DEFLATED: &str = "Files/deflated.bin";

/// What one reading may take, and more than what is read in each.
const PIECE: u64 = 600 << 10;

fn limits() -> Limits {
    Limits { remember_from: 100 << 10, ..Limits::default() }
}

/// Bytes that do not become fewer by compressing.
fn noise(seed: u32, bytes: usize) -> Vec<u8> {
    let mut n = seed;
    let next = || {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        n.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

/// A good package of a stored file of 3 MiB, a compressed one of 300 KiB, and small ones.
fn files() -> Files {
    let files = Files::example("edge-cache").add(STORED, noise(1, 3 << 20));
    files.add(DEFLATED, noise(2, 300 << 10)).seal()
}

fn zip(files: &Files) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(vec![]));
    for (name, content) in &files.0 {
        let stored = name == STORED;
        let how = if stored { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        let options = SimpleFileOptions::default().compression_method(how);
        writer.start_file(name.as_str(), options).expect("a name");
        writer.write_all(content).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

/// A store that answers so many bytes and then not any more.
struct Failing<'a> {
    bytes: Cursor<&'a [u8]>,
    left: u64,
    read: Rc<Cell<u64>>,
}

impl Read for Failing<'_> {
    fn read(&mut self, into: &mut [u8]) -> IoResult<usize> {
        if self.left == 0 {
            return Err(Error::new(ErrorKind::TimedOut, "no answer"));
        }
        let most = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let got = self.bytes.read(&mut into[..most])?;
        self.left -= got as u64;
        self.read.set(self.read.get() + got as u64);
        Ok(got)
    }
}

impl Seek for Failing<'_> {
    fn seek(&mut self, to: SeekFrom) -> IoResult<u64> {
        self.bytes.seek(to)
    }
}

type Verdict = Result<VnfPackage, Refusal>;

fn at_once(bytes: &[u8]) -> Verdict {
    inspect_vnf(Cursor::new(bytes), Mode::Lenient, limits())
}

/// The verdict, how many readings it took, and how many bytes they read in all.
fn in_pieces(bytes: &[u8], left: u64, enough: bool) -> (Verdict, u64, u64) {
    let read = Rc::new(Cell::new(0));
    let mut memory = Memory::default();
    let mut readings = 0;
    loop {
        readings += 1;
        let before = memory.bytes();
        // It is kept as text between two readings.
        let text = serde_json::to_string(&memory).expect("text");
        let known = serde_json::from_str(&text).expect("its own text");
        assert_eq!(memory, known);
        let mut reading = Reading::on(known, move || enough);
        let store = Failing { bytes: Cursor::new(bytes), left, read: Rc::clone(&read) };
        let verdict = resume_vnf(store, Mode::Lenient, limits(), &mut reading);
        let unread = |refusal: &Refusal| refusal.errors.iter().any(|e| e.is_unread());
        if !verdict.as_ref().is_err_and(unread) {
            return (verdict, readings, read.get());
        }
        assert!(reading.grew(), "reading {readings}: {verdict:?}");
        memory = reading.into_memory();
        assert!(memory.bytes() > before, "reading {readings}");
    }
}

/// Read in pieces of both kinds, it is what it is at once.
fn same(bytes: &[u8]) -> Verdict {
    let whole = at_once(bytes);
    let (failing, readings, read) = in_pieces(bytes, PIECE, false);
    assert_eq!(failing, whole);
    assert!(readings > 5, "{readings}");
    let size = bytes.len() as u64;
    assert!(read < size * 2, "{read} bytes of {size} were read");
    let (stopping, readings, _) = in_pieces(bytes, u64::MAX, true);
    assert_eq!(stopping, whole);
    assert!(readings > (3 << 20) / (64 << 10), "{readings}");
    whole
}

#[test]
fn a_good_archive_read_in_pieces_is_the_package_it_is_at_once() {
    let package = same(&zip(&files())).expect("it is good").package;
    let digest = |name| {
        let file = package.artifacts.iter().find(|a| a.path == name);
        file.and_then(|a| a.checksum.clone()).map(|checksum| checksum.hash)
    };
    let of = |bytes: &[u8]| mano_tosca::Algorithm::Sha256.digest(&mut &*bytes).ok();
    assert_eq!(digest(STORED), of(&noise(1, 3 << 20)));
    assert_eq!(digest(DEFLATED), of(&noise(2, 300 << 10)));
}

#[test]
fn wrong_digests_are_found_in_pieces() {
    for large in [STORED, DEFLATED] {
        let changed = files().add(large, noise(3, 3 << 20));
        let changed = if large == STORED { changed } else { changed.add(large, noise(3, 290_000)) };
        let refusal = same(&zip(&changed)).expect_err("its digest is that of something else");
        let found = refusal.errors.iter().any(|e| e.rule == "I04" && e.message.contains(large));
        assert!(found, "{refusal}");
    }
}

#[test]
fn a_damaged_file_is_found_in_pieces() {
    let files = files();
    let good = zip(&files);
    let content = &files.0[STORED];
    let at = good.windows(64).position(|w| w == &content[..64]).expect("stored as it is");
    for damaged in [at + 10, at + (1 << 20), at + content.len() - 1] {
        let mut bytes = good.clone();
        bytes[damaged] ^= 1;
        let refusal = same(&bytes).expect_err("it is damaged");
        let found = refusal.errors.iter().any(|e| e.message.contains("CRC-32"));
        assert!(found, "{refusal}");
    }
}

#[test]
fn a_compressed_file_is_read_in_one_go_and_then_never_again() {
    let files = Files::example("edge-cache").add(DEFLATED, noise(2, 300 << 10)).seal();
    let bytes = zip(&files);
    let mut reading = Reading::on(Memory::default(), || true);
    let refusal = resume_vnf(Cursor::new(&bytes), Mode::Lenient, limits(), &mut reading);
    assert!(refusal.expect_err("there is more").errors[0].is_unread());
    let memory = reading.into_memory();
    assert!(memory.bytes() > 290 << 10, "{memory:?}");
    let mut reading = Reading::on(memory, || true);
    let rest = resume_vnf(Cursor::new(&bytes), Mode::Lenient, limits(), &mut reading);
    assert_eq!(rest, at_once(&bytes));
    assert!(!reading.grew(), "small files are not worth it");
}

#[test]
fn a_reading_that_comes_no_further_says_so() {
    let bytes = zip(&files());
    let store = Failing { bytes: Cursor::new(&bytes), left: 90 << 10, read: Rc::default() };
    let mut reading = Reading::at_once();
    let refusal = resume_vnf(store, Mode::Lenient, limits(), &mut reading).expect_err("no answer");
    assert!(refusal.errors.iter().any(|e| e.is_unread()), "{refusal}");
    assert!(!reading.grew());
    assert_eq!(reading.into_memory(), Memory::default());
}

#[test]
fn the_memory_of_one_archive_says_nothing_about_another() {
    let mut reading = Reading::at_once();
    let first = zip(&files());
    resume_vnf(Cursor::new(&first), Mode::Lenient, limits(), &mut reading).expect("it is good");
    let other = zip(&files().add(STORED, noise(4, 3 << 20)));
    let mut reading = Reading::on(reading.into_memory(), || false);
    let verdict = resume_vnf(Cursor::new(&other), Mode::Lenient, limits(), &mut reading);
    assert_eq!(verdict, at_once(&other));
    assert!(verdict.is_err());
}

#[test]
fn only_the_largest_files_are_remembered() {
    let bytes = zip(&files());
    let memory = |limits| {
        let mut reading = Reading::at_once();
        resume_vnf(Cursor::new(&bytes), Mode::Lenient, limits, &mut reading).expect("it is good");
        reading.into_memory()
    };
    assert_eq!(memory(Limits::default()), Memory::default());
    assert_eq!(memory(Limits { remembered: 1, ..limits() }).bytes(), 3 << 20);
    assert!(memory(limits()).bytes() > (3 << 20) + (290 << 10));
    let none = Limits { remembered: 0, ..limits() };
    let mut reading = Reading::on(Memory::default(), || true);
    let whole = resume_vnf(Cursor::new(&bytes), Mode::Lenient, none, &mut reading);
    assert!(whole.is_ok(), "what cannot be remembered is read at once");
}
