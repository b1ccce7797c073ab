//! Reading a ZIP's central directory ourselves, so that nothing in it is hidden by a library.
//!
//! Deliberately strict: no bytes before the first entry are skipped, no entry may overlap another,
//! and every size is the one the directory declares.

use std::io::{BufReader, Read, Seek, SeekFrom};

use super::{Entry, io_finding};
use crate::finding::{Finding, Place};
use crate::limits::Limits;
use crate::rules::archive as rule;

const END: u32 = 0x0605_4b50;
const END64: u32 = 0x0606_4b50;
const LOCATOR64: u32 = 0x0706_4b50;
const CENTRAL: u32 = 0x0201_4b50;
/// The end record without its comment.
const END_LEN: u64 = 22;
const LOCATOR_LEN: u64 = 20;
/// Largest central directory read, in bytes per allowed entry.
const DIRECTORY_BYTES_PER_ENTRY: u64 = 4096;

/// Where the central directory lies.
struct Span {
    entries: u64,
    offset: u64,
    size: u64,
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

fn not_zip(why: &str) -> Finding {
    Finding::new(&rule::NOT_ZIP, why, Place::archive())
}

fn broken(why: impl Into<String>) -> Finding {
    Finding::new(&rule::ZIP_BROKEN, why, Place::archive())
}

/// Reads every entry; names are raw and not yet checked.
pub(super) fn read<R: Read + Seek>(reader: &mut R, limits: &Limits) -> Result<Vec<Entry>, Finding> {
    let length = reader.seek(SeekFrom::End(0)).map_err(io_finding)?;
    let span = locate(reader, length)?;
    if span.entries > limits.entries {
        let said = format!("{} entries, {} are allowed", span.entries, limits.entries);
        return Err(Finding::new(&rule::TOO_MANY_ENTRIES, said, Place::archive()));
    }
    if span.size > limits.entries.saturating_mul(DIRECTORY_BYTES_PER_ENTRY) {
        return Err(broken(format!("the directory has {} bytes", span.size)));
    }
    reader.seek(SeekFrom::Start(span.offset)).map_err(io_finding)?;
    let mut directory = BufReader::new(reader.by_ref()).take(span.size);
    let mut entries = Vec::new();
    for _ in 0..span.entries {
        entries.push(entry(&mut directory)?);
    }
    if directory.limit() != 0 {
        return Err(broken("the directory is longer than its entries"));
    }
    check_overlap(&mut entries, span.offset)?;
    Ok(entries)
}

/// Finds the end record, and its 64-bit form where the 32-bit one is full.
fn locate<R: Read + Seek>(reader: &mut R, length: u64) -> Result<Span, Finding> {
    let tail = read_tail(reader, length)?;
    let missing = || not_zip("it has no end record");
    let at = find_end(&tail).ok_or_else(missing)?;
    let end = &tail[at..];
    let position = length - (tail.len() as u64) + at as u64;
    if u16_at(end, 4) != u16_at(end, 6) || u16_at(end, 8) != u16_at(end, 10) {
        return Err(broken("it is one part of a split archive"));
    }
    let mut span = Span {
        entries: u16_at(end, 10).into(),
        offset: u32_at(end, 16).into(),
        size: u32_at(end, 12).into(),
    };
    let mut directory_end = position;
    let full = span.entries == 0xffff || span.offset == 0xffff_ffff || span.size == 0xffff_ffff;
    if full && let Some(found) = locate64(reader, position)? {
        (span, directory_end) = found;
    }
    if span.offset.checked_add(span.size) != Some(directory_end) {
        return Err(broken("the directory is not where the end record says"));
    }
    Ok(span)
}

fn read_tail<R: Read + Seek>(reader: &mut R, length: u64) -> Result<Vec<u8>, Finding> {
    if length < END_LEN {
        return Err(not_zip("it is too short"));
    }
    let keep = length.min(END_LEN + u64::from(u16::MAX));
    reader.seek(SeekFrom::Start(length - keep)).map_err(io_finding)?;
    let mut tail = Vec::new();
    reader.by_ref().take(keep).read_to_end(&mut tail).map_err(io_finding)?;
    Ok(tail)
}

/// The last record whose comment reaches exactly to the end of the file.
fn find_end(tail: &[u8]) -> Option<usize> {
    let last = tail.len().checked_sub(22)?;
    (0..=last).rev().find(|&at| {
        u32_at(tail, at) == END && at + 22 + usize::from(u16_at(tail, at + 20)) == tail.len()
    })
}

fn locate64<R: Read + Seek>(reader: &mut R, end: u64) -> Result<Option<(Span, u64)>, Finding> {
    let Some(at) = end.checked_sub(LOCATOR_LEN) else { return Ok(None) };
    let locator = read_at::<20, _>(reader, at)?;
    if u32_at(&locator, 0) != LOCATOR64 {
        return Ok(None);
    }
    let position = u64_at(&locator, 8);
    if position.checked_add(56).is_none_or(|needs| needs > at) {
        return Err(broken("the 64-bit end record is not where it is said to be"));
    }
    let record = read_at::<56, _>(reader, position)?;
    if u32_at(&record, 0) != END64 {
        return Err(broken("the 64-bit end record is missing"));
    }
    let span = Span {
        entries: u64_at(&record, 32),
        size: u64_at(&record, 40),
        offset: u64_at(&record, 48),
    };
    Ok(Some((span, position)))
}

fn read_at<const N: usize, R: Read + Seek>(reader: &mut R, at: u64) -> Result<[u8; N], Finding> {
    let mut bytes = [0; N];
    reader.seek(SeekFrom::Start(at)).map_err(io_finding)?;
    reader.read_exact(&mut bytes).map_err(io_finding)?;
    Ok(bytes)
}

fn entry<R: Read>(directory: &mut R) -> Result<Entry, Finding> {
    let mut fixed = [0; 46];
    directory.read_exact(&mut fixed).map_err(|_| broken("the directory is cut off"))?;
    if u32_at(&fixed, 0) != CENTRAL {
        return Err(broken("an entry of the directory is damaged"));
    }
    let name = variable(directory, u16_at(&fixed, 28))?;
    let extra = variable(directory, u16_at(&fixed, 30))?;
    variable(directory, u16_at(&fixed, 32))?;
    let name = String::from_utf8(name).map_err(|e| {
        let shown = String::from_utf8_lossy(e.as_bytes()).into_owned();
        Finding::new(&rule::BAD_NAME, "a name is not UTF-8", Place::file(shown))
    })?;
    let mut entry = Entry {
        name: name.into(),
        flags: u16_at(&fixed, 8),
        method: u16_at(&fixed, 10),
        crc: u32_at(&fixed, 16),
        packed: u32_at(&fixed, 20).into(),
        size: u32_at(&fixed, 24).into(),
        offset: u32_at(&fixed, 42).into(),
        end: 0,
        mode: unix_mode(u16_at(&fixed, 4), u32_at(&fixed, 38)),
    };
    widen(&mut entry, &extra)?;
    Ok(entry)
}

fn variable<R: Read>(directory: &mut R, length: u16) -> Result<Vec<u8>, Finding> {
    let mut bytes = vec![0; length.into()];
    directory.read_exact(&mut bytes).map_err(|_| broken("the directory is cut off"))?;
    Ok(bytes)
}

/// The Unix file type and permissions, where the packer was Unix (3) or macOS (19).
fn unix_mode(made_by: u16, attributes: u32) -> u32 {
    if matches!(made_by >> 8, 3 | 19) { attributes >> 16 } else { 0 }
}

/// Takes 64-bit sizes from the extra field where the 32-bit ones are full.
fn widen(entry: &mut Entry, mut extra: &[u8]) -> Result<(), Finding> {
    const FULL: u64 = 0xffff_ffff;
    while extra.len() >= 4 {
        let length = usize::from(u16_at(extra, 2));
        let Some(body) = extra.get(4..4 + length) else {
            return Err(broken(format!("the extra field of `{}` is damaged", entry.name)));
        };
        if u16_at(extra, 0) == 1 {
            let mut at = 0;
            for field in [&mut entry.size, &mut entry.packed, &mut entry.offset] {
                if *field == FULL && body.len() >= at + 8 {
                    *field = u64_at(body, at);
                    at += 8;
                }
            }
        }
        extra = &extra[4 + length..];
    }
    Ok(())
}

/// Overlapping entries let a small archive inflate without end; they never occur by accident.
fn check_overlap(entries: &mut [Entry], directory: u64) -> Result<(), Finding> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|&i| entries[i].offset);
    let mut end = directory;
    for &i in order.iter().rev() {
        let entry = &mut entries[i];
        entry.end = end;
        let least = 30 + entry.name.len() as u64;
        let needs = entry.offset.checked_add(least).and_then(|n| n.checked_add(entry.packed));
        if needs.is_none_or(|n| n > end) {
            return Err(broken(format!("`{}` overlaps what follows it", entry.name)));
        }
        end = entry.offset;
    }
    Ok(())
}
